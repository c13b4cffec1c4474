"""1Password sign-in attempts (support.1password.com, "Events API": signinattempts)."""

from monitor.sources.json_records import Record
from monitor.sources.provider import Provider, at, kind, word, words


def _attempt(record: Record) -> str:
    """This log holds nothing else, so a record has to look like an attempt."""
    category = kind(record, "category")
    return "" if word(record, "session_uuid", "target_user.uuid") else category


_OUTCOMES = words(
    success=("success", "firewall_reported_success"),
    failure=("credentials_failed", "mfa_failed", "sso_failed", "modern_version_failed", "firewall_failed"),
)

ONEPASSWORD = Provider(
    "1Password sign-in attempts: JSON of the Events API.",
    {
        "event_id": at("uuid"),
        "occurred_at": at("timestamp"),
        "user": at("target_user.email", "target_user.name"),
        "outcome": at("category", to=_OUTCOMES),
        "ip": at("client.ip_address"),
        "country": at("country", "location.country"),
        "region": at("location.region"),
        "city": at("location.city"),
        "latitude": at("location.latitude"),
        "longitude": at("location.longitude"),
        "auth_method": at("type"),
        "application": at("client.app_name"),
    },
    _attempt,
)
