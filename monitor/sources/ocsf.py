"""OCSF Authentication events (schema.ocsf.io, class 3002), versions 1.x: those of activity Logon."""

from collections.abc import Callable

from monitor.sources.json_records import Record
from monitor.sources.provider import Provider, at, find, kind, made, word

_LOCATION = "src_endpoint.location"
_CLASS, _LOGON = "3002", "1"


def _skipped(record: Record) -> str:
    uid = kind(record, "class_uid")
    if uid != _CLASS:
        return f"class {word(record, 'class_name') or uid}"
    activity = word(record, "activity_id")
    return "" if activity == _LOGON else f"activity {word(record, 'activity_name') or activity or 'unknown'}"


def _outcome(text: str) -> str | None:
    """By status_id; 0 is unknown."""
    return {"0": None, "1": "success", "2": "failure"}.get(text, text.lower())


def _coordinate(name: str, place: int) -> Callable[[Record], str | None]:
    """Since 1.4 a number of its own, before that one of [longitude, latitude]."""

    def found(record: Record) -> str | None:
        both = find(record, f"{_LOCATION}.coordinates")
        listed = both[place] if isinstance(both, list) and len(both) == 2 else None
        return word(record, f"{_LOCATION}.{name}") or (str(listed) if isinstance(listed, str | int | float) else None)

    return found


OCSF = Provider(
    "OCSF Authentication events (class 3002): JSON.",
    {
        "event_id": at("metadata.uid"),
        "occurred_at": at("time", "time_dt"),
        "user": at("user.name", "user.email_addr", "user.uid", "actor.user.name"),
        "outcome": at("status_id", "status", to=_outcome),
        "ip": at("src_endpoint.ip"),
        "country": at(f"{_LOCATION}.country"),
        "region": at(f"{_LOCATION}.region"),
        "city": at(f"{_LOCATION}.city"),
        "latitude": made(_coordinate("lat", 1), f"{_LOCATION}.lat", f"{_LOCATION}.coordinates"),
        "longitude": made(_coordinate("long", 0), f"{_LOCATION}.long", f"{_LOCATION}.coordinates"),
        "asn": at("src_endpoint.autonomous_system.number"),
        "user_agent": at("http_request.user_agent"),
        "device_id": at("src_endpoint.uid", "device.uid", "src_endpoint.hostname"),
        "auth_method": at("auth_protocol", "logon_type", "auth_factors.factor_type"),
        "application": at("service.name", "dst_endpoint.svc_name", "metadata.product.name"),
    },
    _skipped,
)
