"""Auth0 tenant logs, from the Management API or a log stream (which wraps each in `data`).

The codes are those of auth0.com/docs, "Log Event Type Codes" and "Event filters" (Login), a second factor that failed,
an attempt with a leaked password, and a password or passwordless code exchanged for a token: how native apps log in.
"""

from monitor.sources.json_records import Record
from monitor.sources.provider import Field, Provider, at, kind, words

_SUCCESSES = ("s", "scoa", "sens", "sepft", "sepotpft")
_FAILURES = (
    *("f", "fc", "fco", "fcoa", "fens", "fp", "fu", "fepft", "fepotpft"),
    *("pwd_leak", "gd_auth_failed", "gd_auth_rejected"),
)


def _data(*paths: str) -> Field:
    return at(*(f"data.{path}" for path in paths), *paths)


def _skipped(record: Record) -> str:
    code = kind(record, "data.type", "type")
    return "" if code in _SUCCESSES or code in _FAILURES else code


AUTH0 = Provider(
    "Auth0 tenant logs: JSON of the Management API or of a log stream.",
    {
        "event_id": at("log_id", "data.log_id", "_id"),
        "occurred_at": _data("date"),
        "user": _data("user_name", "user_id"),
        "outcome": at("data.type", "type", to=words(_SUCCESSES, _FAILURES)),
        "ip": _data("ip", "client_ip"),
        "country": _data("location_info.country_code", "location_info.country_name"),
        "city": _data("location_info.city_name"),
        "latitude": _data("location_info.latitude"),
        "longitude": _data("location_info.longitude"),
        "user_agent": _data("user_agent"),
        "auth_method": _data("strategy", "connection"),
        "application": _data("client_name", "client_id"),
    },
    _skipped,
)
