"""Windows Security log: 4624 (an account was logged on) and 4625 (failed to), as JSON of whoever exported it.

Known are the shapes of winlogbeat, of evtx_dump and other renderings of the event's XML, of NXLog, and of
`Get-WinEvent | ConvertTo-Json`, which gives the event's data by position. Account names ignore case in Windows, so they
are lowered. Logons of machines and of the system itself are skipped: they are most of the log, and no person's.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from monitor.sources.json_records import Record
from monitor.sources.provider import Provider, at, find, kind, made, word

# learn.microsoft.com, "4624(S)" and "4625(F)": the order of their data.
_SUBJECT = (
    "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId TargetUserSid TargetUserName TargetDomainName "
)
_ORDER = {
    "4624": _SUBJECT + "TargetLogonId LogonType LogonProcessName AuthenticationPackageName WorkstationName LogonGuid "
    "TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort",
    "4625": _SUBJECT + "Status FailureReason SubStatus LogonType LogonProcessName AuthenticationPackageName "
    "WorkstationName TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort",
}
_OUTCOMES = {"4624": "success", "4625": "failure"}
_LOGON_TYPES: Mapping[str, str] = {
    "2": "Interactive", "3": "Network", "4": "Batch", "5": "Service", "7": "Unlock", "8": "NetworkCleartext",
    "9": "NewCredentials", "10": "RemoteInteractive", "11": "CachedInteractive", "12": "CachedRemoteInteractive",
    "13": "CachedUnlock",
}  # fmt: skip
# Anonymous, system, local service, network service, window manager, font driver.
_SYSTEM = ("S-1-5-7", "S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-90-", "S-1-5-96-")
_TIMES = (
    *("Event.System.TimeCreated.#attributes.SystemTime", "Event.System.TimeCreated.@SystemTime"),
    *("Event.System.TimeCreated", "System.TimeCreated.#attributes.SystemTime", "System.TimeCreated.@SystemTime"),
    *("TimeCreated.DateTime", "TimeCreated", "winlog.time_created", "@timestamp", "EventTime", "timestamp"),
)


def _parts(record: Record) -> Iterable[Record]:
    """Every shape as System and EventData, as the event's XML has them."""
    code = word(
        record, "winlog.event_id", "event.code", "Event.System.EventID.#text", "Event.System.EventID", "System.EventID",
        "event_id", "EventID", "Id",
    )  # fmt: skip
    system = {
        "eventid": code,
        "timecreated": word(record, *_TIMES),
        "eventrecordid": word(
            record, "winlog.record_id", "Event.System.EventRecordID", "System.EventRecordID", "record_number",
            "RecordNumber", "RecordId",
        ),
        "computer": word(
            record, "winlog.computer_name", "Event.System.Computer", "System.Computer", "computer_name", "MachineName",
            "Hostname", "host.name",
        ),
    }  # fmt: skip
    return ({"system": system, "eventdata": _data(record, code)},)


def _data(record: Record, code: str) -> Record:
    for path in ("winlog.event_data", "Event.EventData", "EventData", "event_data"):
        data = find(record, path)
        if isinstance(data, dict):
            listed = data.get("data")
            return _by_name(listed) if isinstance(listed, list) else data
    values = record.get("properties")
    if isinstance(values, list):
        names = _ORDER.get(code, "").lower().split()
        return {name: word({"it": value}, "it.value", "it") for name, value in zip(names, values, strict=False)}
    return record


def _by_name(listed: list[Any]) -> Record:
    named: Record = {}
    for each in listed:
        name = word({"it": each}, "it.@name", "it.name", "it.#attributes.name")
        named[name.lower()] = word({"it": each}, "it.#text", "it.text", "it.value")
    return named


def _skipped(record: Record) -> str:
    code = kind(record, "System.EventID")
    if code not in _OUTCOMES:
        return f"event {code}"
    sid, name = word(record, "EventData.TargetUserSid"), word(record, "EventData.TargetUserName")
    own = any(sid == each or (each.endswith("-") and sid.startswith(each)) for each in _SYSTEM)
    return f"{code} of a machine or the system" if own or name.endswith("$") else ""


def _event_id(record: Record) -> str | None:
    """Record numbers count within the log of one computer."""
    computer, number = word(record, "System.Computer"), word(record, "System.EventRecordID")
    return f"{computer}/{number}" if computer and number else None


def _name(text: str) -> str | None:
    return None if text.strip() in ("", "-") else text.lower()


WINDOWS = Provider(
    "Windows Security log, 4624 and 4625: JSON of winlogbeat, evtx_dump, NXLog or Get-WinEvent.",
    {
        "event_id": made(_event_id, "System.Computer", "System.EventRecordID"),
        "occurred_at": at("System.TimeCreated"),
        "user": at("EventData.TargetUserName", to=_name),
        "outcome": at("System.EventID", to=_OUTCOMES.get),
        "ip": at("EventData.IpAddress"),
        "device_id": at("EventData.WorkstationName"),
        "auth_method": at("EventData.LogonType", to=lambda text: _LOGON_TYPES.get(text, text)),
        "application": at("System.Computer"),
    },
    _skipped,
    _parts,
)
