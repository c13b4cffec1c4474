"""Google Workspace login audit: activities of the Reports API (applications login and saml), or from Cloud Logging.

An activity may hold several events (developers.google.com, "Login audit activity events"); Cloud Logging wraps it in
`protoPayload.metadata`. A challenge is a part of a login, and a warning about an account is none.
"""

from collections.abc import Iterable
from typing import Any

from monitor.sources.json_records import Record
from monitor.sources.provider import Field, Provider, at, find, kind, made, word, words

_LOGINS = ("login_success", "login_failure")


def _parts(record: Record) -> Iterable[Record]:
    logged = find(record, "protoPayload.metadata.event")
    events = logged if isinstance(logged, list) else record.get("events")
    if not isinstance(events, list):
        return (record,)
    return [{**record, **_named(event)} if isinstance(event, dict) else {} for event in events]


def _named(event: Record) -> Record:
    """Cloud Logging calls an event's members by other names."""
    if "eventname" not in event:
        return event
    return {"name": event["eventname"], "parameters": event.get("parameter")}


def _skipped(record: Record) -> str:
    event = kind(record, "name", "type", "protoPayload.methodName")
    return "" if event in _LOGINS else event


def _parameter(name: str) -> tuple[str, ...]:
    """Where a parameter is: the API lists them, exports may turn the list into an object."""
    values = ("value", "multiValue", "multiStrValue")
    return (*(f"parameters[name={name}].{value}" for value in values), f"parameters.{name}")


def _event_id(record: Record) -> str | None:
    """Time and qualifier tell an activity from all others of an application; the name, events within it."""
    parts: list[Any] = [word(record, "id.time"), word(record, "id.uniqueQualifier"), word(record, "name")]
    return " ".join(parts) if all(parts) else word(record, "insertId") or None


_METHOD: Field = at(*_parameter("login_type"), *_parameter("login_challenge_method"))

GOOGLE_WORKSPACE = Provider(
    "Google Workspace login audit: JSON of the Reports API, or from Cloud Logging.",
    {
        "event_id": made(_event_id, "id.time", "id.uniqueQualifier", "name", "insertId"),
        "occurred_at": at("id.time", "protoPayload.metadata.activityId.timeUsec", "timestamp"),
        "user": at(
            "actor.email", "protoPayload.authenticationInfo.principalEmail", *_parameter("affected_email_address")
        ),
        "outcome": at("name", to=words(success=("login_success",), failure=("login_failure",))),
        "ip": at("ipAddress", "protoPayload.requestMetadata.callerIp"),
        "country": at("networkInfo.regionCode"),
        "region": at("networkInfo.subdivisionCode"),
        "asn": at("networkInfo.ipAsn"),
        "auth_method": _METHOD,
        "application": at(*_parameter("application_name"), "id.applicationName"),
    },
    _skipped,
    _parts,
)
