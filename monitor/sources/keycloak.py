"""Keycloak: user events as its REST API and listeners give them, rows of its table event_entity, and its server log.

The event types are those of org.keycloak.events.EventType. In the log, an event is a line of key=value pairs, which
older versions do not quote: a user name may then look like further pairs, so the first of a name counts, and what
Keycloak writes itself comes first. A successful login is in the log only if its level for events is DEBUG.
"""

import re
from collections.abc import Iterable

from monitor.sources.json_records import Record, parsed
from monitor.sources.provider import Provider, at, kind, word

_LOGINS = {"LOGIN", "LOGIN_ERROR"}  # clients log in as well, but as machines: CLIENT_LOGIN
_LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)\s.{0,200}?"
    r"\[org\.key(?:cloak)?\.events\]\s(?:\([^)]*\)\s)?(?P<said>type=.*)",
    re.ASCII,
)
_OTHER_LINE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d|^(?:at |Caused by: |\.\.\. \d+ more|[\w.$]+(?:Exception|Error)\b)"
)
_PAIR = re.compile(r'(?:^|, )(\w+)=("(?:[^"\\]|\\.)*"|.*?)(?=, \w+=|$)', re.ASCII)


def _parts(record: Record) -> Iterable[Record]:
    """Rows keep the details as JSON text; log lines that are JSON keep all of the event in their message."""
    details = parsed(record.get("details_json_long_value") or record.get("details_json"))
    if isinstance(details, dict):
        return ({**record, "details": details},)
    message = word(record, "message")
    if "events" in word(record, "loggerName") and message.startswith("type="):
        return ({**_pairs(message), "time": record.get("timestamp")},)
    return (record,)


def _line(text: str) -> Record | None:
    """A line of the log is an event, something else that has a time, a line of a stack trace, or no line of a log."""
    found = _LINE.search(text)
    if found:
        return {**_pairs(found["said"]), "time": found["time"].replace(",", ".")}
    return {} if _OTHER_LINE.search(text) else None


def _pairs(text: str) -> Record:
    pairs: Record = {}
    for name, value in _PAIR.findall(text):
        pairs.setdefault(name.lower(), value.strip('"') if value != "null" else None)
    return {**pairs, "details": pairs}


def _skipped(record: Record) -> str:
    if not record:
        return "other lines of the log"
    event = kind(record, "type")
    return "" if event in _LOGINS else event


def _outcome(event: str) -> str:
    return "failure" if event.endswith("_ERROR") else "success"


KEYCLOAK = Provider(
    "Keycloak user events: JSON, rows of event_entity as JSON, or lines of the server log.",
    {
        "event_id": at("id"),
        "occurred_at": at("time", "event_time"),
        "user": at("details.username", "userId", "user_id"),
        "outcome": at("type", to=_outcome),
        "ip": at("ipAddress", "ip_address"),
        "auth_method": at("details.credential_type", "details.identity_provider", "details.auth_method"),
        "application": at("clientId", "client_id"),
    },
    _skipped,
    _parts,
    _line,
)
