"""Elastic Common Schema: events of category authentication (elastic.co, "ECS Categorization Fields"), nested or flat.

What ends a session (`event.type: end`, or an action that says so) is no login.
"""

import re

from monitor.sources.json_records import Record
from monitor.sources.provider import Provider, at, find, made, unfolded, word

_END = re.compile(r"log.?(?:ged|s)?.?(?:out|off)|sign.?(?:ed)?.?out|disconnect|session.?end", re.IGNORECASE)


def _all(record: Record, path: str) -> list[str]:
    value = find(record, path)
    return [str(each) for each in value] if isinstance(value, list) else [str(value)] if value else []


def _skipped(record: Record) -> str:
    categories = _all(record, "event.category")
    action = word(record, "event.action")
    if "authentication" not in categories:
        return f"category {categories[0]}" if categories else "no event.category"
    return (action or "end") if "end" in _all(record, "event.type") or _END.search(action) else ""


def _point(record: Record) -> tuple[str, str] | None:
    """A geo_point as latitude and longitude, from its text "41.1,-71.3" or its list [-71.3, 41.1]."""
    point = find(record, "source.geo.location") or find(record, "client.geo.location")
    if isinstance(point, str) and point.count(",") == 1:
        latitude, longitude = point.split(",")
        return latitude.strip(), longitude.strip()
    if isinstance(point, list) and len(point) == 2 and not isinstance(point[0], dict):
        return str(point[1]), str(point[0])
    if isinstance(point, dict) and word(point, "lat") and word(point, "lon"):
        return word(point, "lat"), word(point, "lon")
    return None


def _latitude(record: Record) -> str | None:
    return (_point(record) or (None, None))[0]


def _longitude(record: Record) -> str | None:
    return (_point(record) or (None, None))[1]


ECS = Provider(
    "Elastic Common Schema authentication events: JSON, also as Elasticsearch exports it.",
    {
        "event_id": at("event.id", "_id"),
        "occurred_at": at("@timestamp", "event.created"),
        "user": at("user.name", "user.email", "user.id"),
        "outcome": at("event.outcome", to=str.lower),
        "ip": at("source.ip", "client.ip"),
        "country": at("source.geo.country_iso_code", "client.geo.country_iso_code", "source.geo.country_name"),
        "region": at("source.geo.region_name", "client.geo.region_name"),
        "city": at("source.geo.city_name", "client.geo.city_name"),
        "latitude": made(_latitude, "source.geo.location", "client.geo.location"),
        "longitude": made(_longitude, "source.geo.location", "client.geo.location"),
        "asn": at("source.as.number", "client.as.number"),
        "user_agent": at("user_agent.original"),
        "device_id": at("device.id"),
        "auth_method": at("system.auth.ssh.method", "winlog.logon.type", "event.action"),
        "application": at("service.name", "observer.product", "event.module", "event.dataset"),
    },
    _skipped,
    unfolded,
)
