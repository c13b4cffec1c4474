"""Duo authentication log (Admin API v2, and v1), and the sign-ins of its administrator log (duo.com/docs/adminapi).

Duo names browser and system instead of the user agent; the two are put together so that they can be compared.
"""

from collections.abc import Iterable

from monitor.sources.json_records import Record, parsed
from monitor.sources.provider import Provider, at, kind, made, word, words

_ADMIN_LOGINS = ("admin_login", "admin_login_error", "admin_2fa_error")


def _parts(record: Record) -> Iterable[Record]:
    """The administrator log keeps what it says in `description`, as JSON text."""
    described = parsed(record.get("description"))
    admin = {"application": {"name": "Duo Admin Panel"}} if word(record, "action") in _ADMIN_LOGINS else {}
    return ({**record, **admin, "description": described},)


def _skipped(record: Record) -> str:
    event = kind(record, "event_type", "eventtype", "action")
    return "" if event in ("authentication", *_ADMIN_LOGINS) else event


def _user_agent(record: Record) -> str | None:
    browser, version = word(record, "access_device.browser"), word(record, "access_device.browser_version")
    system = f"{word(record, 'access_device.os')} {word(record, 'access_device.os_version')}".strip()
    said = f"{browser.replace(' ', '')}/{version or '0.0'}" if browser else ""
    return f"{said} ({system})".strip() if system else said or None


DUO = Provider(
    "Duo authentication log, and sign-ins of its administrator log: JSON of the Admin API.",
    {
        "event_id": at("txid"),
        "occurred_at": at("isotimestamp", "timestamp"),
        "user": at("user.name", "username", "email", "description.email"),
        "outcome": at(
            "result",
            "action",
            to=words(
                success=("success", "allow", "admin_login"),
                failure=("denied", "failure", "error", "fraud", "admin_login_error", "admin_2fa_error"),
            ),
        ),
        "ip": at("access_device.ip", "ip", "description.ip_address"),
        "country": at("access_device.location.country", "location.country"),
        "region": at("access_device.location.state", "location.state"),
        "city": at("access_device.location.city", "location.city"),
        "user_agent": made(_user_agent, "access_device.browser", "access_device.os"),
        "device_id": at("access_device.epkey", "access_device.hostname"),
        "auth_method": at("factor", "description.factor"),
        "application": at("application.name", "integration"),
    },
    _skipped,
    _parts,
)
