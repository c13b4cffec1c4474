"""Alerts as OCSF Detection Findings (class 2004 of https://schema.ocsf.io/1.8.0), for SIEMs.

All findings of one alert share ``finding_info.uid``; ``metadata.uid`` is the notice's key, which a repeat carries too.
"""

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

from monitor.channels import AlertNotice

SCHEMA_VERSION = "1.8.0"
CLASS_UID, CATEGORY_UID = 2004, 2

#: Our kind of notice → activity_id and activity_name.
ACTIVITIES = {"opened": (1, "Create"), "worsened": (2, "Update"), "test": (99, "Test")}

#: Our severity → severity_id and severity.
SEVERITIES = {
    "informational": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}

#: Our alert's status → status_id and status.
STATUSES = {"open": (1, "New"), "confirmed": (2, "In Progress"), "dismissed": (3, "Suppressed")}

LEARNING = 4  # analytic.type_id: Learning (ML/DL)
USER_NAME, IP_ADDRESS = 4, 2  # observable.type_id

#: Features whose observed value is told twice elsewhere are still told here: what is usual stands beside it.
MOST_ANOMALIES = 10


def detection_finding(notice: AlertNotice) -> dict[str, Any]:
    """The finding as JSON can hold it; times are milliseconds since the epoch."""
    activity_id, activity = ACTIVITIES[notice.kind]
    severity_id, severity = SEVERITIES["informational" if notice.kind == "test" else notice.severity]
    status_id, status = STATUSES[notice.status]
    address = notice.event.get("ip")
    return _known(
        {
            "activity_id": activity_id,
            "activity_name": activity,
            "category_uid": CATEGORY_UID,
            "category_name": "Findings",
            "class_uid": CLASS_UID,
            "class_name": "Detection Finding",
            "type_uid": CLASS_UID * 100 + activity_id,
            "type_name": f"Detection Finding: {activity if activity_id != 99 else 'Other'}",
            "time": _milliseconds(notice.decided_at),
            "start_time": _milliseconds(notice.opened_at),
            "end_time": _milliseconds(notice.last_event_at),
            "count": notice.event_count,
            "severity_id": severity_id,
            "severity": severity,
            "status_id": status_id,
            "status": status,
            "is_alert": notice.kind != "test",
            "message": notice.headline,
            "metadata": _metadata(notice),
            "finding_info": _finding_info(notice),
            "resources": [{"name": notice.user_name, "type": "User account"}],
            "observables": [
                _observable("evidences.actor.user.name", USER_NAME, "User Name", notice.user_name),
                *([_observable("evidences.src_endpoint.ip", IP_ADDRESS, "IP Address", address)] if address else []),
            ],
            "evidences": _evidences(notice),
            "anomaly_analyses": _anomalies(notice),
            "unmapped": {"score": round(notice.score, 4), "campaign_accounts": notice.accounts},
        }
    )


def _metadata(notice: AlertNotice) -> dict[str, Any]:
    return {
        "version": SCHEMA_VERSION,
        "uid": str(notice.key),
        "correlation_uid": str(notice.campaign_id) if notice.campaign_id else None,
        "product": {
            "name": "Login behaviour anomaly monitor",
            "uid": "login-anomaly-monitor",
            "version": version("login-anomaly-monitor"),
        },
    }


def _finding_info(notice: AlertNotice) -> dict[str, Any]:
    return {
        "uid": str(notice.alert_id),
        "title": notice.headline,
        "types": ["Anomalous login"],
        "analytic": {"name": "Login behaviour", "type_id": LEARNING, "type": "Learning (ML/DL)"},
        "first_seen_time": _milliseconds(notice.opened_at),
        "last_seen_time": _milliseconds(notice.last_event_at),
        "related_events_count": notice.event_count,
        "src_url": notice.link,
    }


def _observable(name: str, type_id: int, kind: str, value: str) -> dict[str, Any]:
    return {"name": name, "type_id": type_id, "type": kind, "value": value}


def _evidences(notice: AlertNotice) -> list[dict[str, Any]]:
    """The oddest login of the alert; only what it says of itself, and whose it is."""
    event = notice.event
    place = _known({name: event.get(name) for name in ("city", "region", "country")})
    if place:  # OCSF's location wants a place, not coordinates alone
        place |= _known({"lat": event.get("latitude"), "long": event.get("longitude")})
    network = {"number": event["asn"]} if event.get("asn") is not None else None
    source = _known({"ip": event.get("ip")})
    if source:
        source |= _known({"location": place, "autonomous_system": network})
    evidence = {
        "name": "oddest login",
        "uid": event.get("event_id"),
        "actor": {"user": {"name": notice.user_name}, "app_name": event.get("application")},
        "src_endpoint": source,
        "http_request": {"user_agent": event.get("user_agent")},
        "data": {name: event[name] for name in ("occurred_at", "outcome", "device_id", "auth_method", "rtt_ms")
                 if event.get(name) is not None},
    }  # fmt: skip
    return [_known(evidence)]


def _anomalies(notice: AlertNotice) -> list[dict[str, Any]]:
    """What was observed beside what is usual, feature by feature."""
    reasons = [reason for reason in notice.reasons if reason.get("observed")][:MOST_ANOMALIES]
    if not reasons:
        return []
    return [
        {
            "analysis_targets": [{"name": notice.user_name, "type": "User"}],
            "anomalies": [_observation(reason, "observed") for reason in reasons],
            "baselines": [_observation(reason, "usual") for reason in reasons if reason.get("usual")],
        }
    ]


def _observation(reason: Mapping[str, Any], word: str) -> dict[str, Any]:
    return {"observation_parameter": reason["feature"], "observations": [{"value": str(reason[word])}]}


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is unknown or empty, at any depth: OCSF leaves such attributes out."""
    kept = {name: _known(value) if isinstance(value, Mapping) else value for name, value in values.items()}
    return {name: value for name, value in kept.items() if value is not None and value not in ({}, [])}


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
