"""The queue of alerts: filtered, sorted, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

#: Sort → ORDER BY; every order is total, so that pages neither repeat nor lose an alert.
SORTS = {
    "score": "t.score DESC, t.alert_id DESC",
    "newest": "t.opened_at DESC, t.alert_id DESC",
    "oldest": "t.opened_at, t.alert_id",
    "account": "a.user_name, t.opened_at DESC, t.alert_id DESC",
}

#: Alerts are counted up to here; beyond, a page says "more than".
MOST_COUNTED = 1_000

UNASSIGNED = "nobody"


@dataclass(frozen=True)
class Filter:
    """Which alerts, in which order; an empty value does not filter. ``reason`` is a feature."""

    status: str = "open"  # or "all"
    severity: str = ""
    account: str = ""  # part of the user name
    reason: str = ""
    assignee: str = ""  # or UNASSIGNED
    campaign: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    sort: str = "score"


def alerts(connection: Connection, chosen: Filter, limit: int, offset: int = 0) -> Sequence[Row[Any]]:
    """Alerts with account, assignee, id of the latest verdict and the three strongest ``reasons`` of the peak login."""
    where, values = _conditions(chosen)
    return connection.execute(
        text(
            f"""
            SELECT t.*, peak.reasons, latest.review_id
            FROM (
                SELECT t.alert_id, t.account_id, a.user_name, t.opened_at, t.last_event_at, t.score, t.severity,
                       t.status, t.headline, t.event_count, t.campaign_id, t.thin_history, g.assignee,
                       row_number() OVER (ORDER BY {SORTS[chosen.sort]}) AS place
                FROM monitor.alert t
                JOIN monitor.account a USING (account_id)
                LEFT JOIN monitor.assignment g USING (alert_id)
                WHERE {where} ORDER BY {SORTS[chosen.sort]} LIMIT :limit OFFSET :offset
            ) t
            LEFT JOIN LATERAL (
                SELECT jsonb_path_query_array(v.attribution, '$[0 to 2].feature') AS reasons
                FROM monitor.alert_event v WHERE v.alert_id = t.alert_id ORDER BY v.score DESC LIMIT 1
            ) peak ON true
            LEFT JOIN LATERAL (
                SELECT r.review_id FROM monitor.review r
                WHERE r.alert_id = t.alert_id ORDER BY r.reviewed_at DESC, r.review_id DESC LIMIT 1
            ) latest ON true
            ORDER BY t.place
            """
        ),
        {**values, "limit": limit, "offset": offset},
    ).all()


def count_alerts(connection: Connection, chosen: Filter) -> int:
    """How many alerts there are, up to ``MOST_COUNTED`` + 1."""
    where, values = _conditions(chosen)
    named = "JOIN monitor.account a USING (account_id)" if chosen.account else ""
    query = f"""
        SELECT count(*) FROM (
            SELECT FROM monitor.alert t {named} LEFT JOIN monitor.assignment g USING (alert_id)
            WHERE {where} LIMIT {MOST_COUNTED + 1}
        ) counted
        """
    return int(connection.execute(text(query), values).scalar_one())


def next_open(connection: Connection, chosen: Filter, after: UUID) -> UUID | None:
    """The open alert that follows another one in the queue; the first one after the last."""
    where, values = _conditions(chosen)
    query = f"""
        SELECT t.alert_id FROM monitor.alert t JOIN monitor.account a USING (account_id)
        LEFT JOIN monitor.assignment g USING (alert_id)
        CROSS JOIN (SELECT score, alert_id FROM monitor.alert WHERE alert_id = :after) AS last
        WHERE {where} AND t.status = 'open' AND t.alert_id <> :after
        ORDER BY (t.score, t.alert_id) > (last.score, last.alert_id) AND :by_score, {SORTS[chosen.sort]} LIMIT 1
        """
    found: UUID | None = connection.scalar(text(query), {**values, "after": after, "by_score": chosen.sort == "score"})
    return found


def open_of_campaign(connection: Connection, campaign: UUID) -> dict[UUID, UUID | None]:
    """The open alerts of a campaign, each with its latest verdict (one that was undone) or None."""
    rows = connection.execute(
        text(
            """
            SELECT t.alert_id, (SELECT r.review_id FROM monitor.review r WHERE r.alert_id = t.alert_id
                                ORDER BY r.reviewed_at DESC, r.review_id DESC LIMIT 1) AS review_id
            FROM monitor.alert t WHERE t.campaign_id = :campaign AND t.status = 'open'
            """
        ),
        {"campaign": campaign},
    )
    return {row.alert_id: row.review_id for row in rows}


def _conditions(chosen: Filter) -> tuple[str, dict[str, Any]]:
    """WHERE and its parameters."""
    parts: dict[str, tuple[str, Any]] = {
        "status": ("t.status = :status", chosen.status if chosen.status != "all" else ""),
        "severity": ("t.severity = :severity", chosen.severity),
        "account": ("a.user_name ILIKE :account", _contains(chosen.account)),
        "reason": (
            """EXISTS (SELECT FROM monitor.alert_event v WHERE v.alert_id = t.alert_id
                AND v.attribution @> jsonb_build_array(jsonb_build_object('feature', CAST(:reason AS text))))""",
            chosen.reason,
        ),
        "assignee": (
            "g.assignee IS NULL" if chosen.assignee == UNASSIGNED else "g.assignee = :assignee",
            chosen.assignee,
        ),
        "campaign": ("t.campaign_id = :campaign", chosen.campaign),
        "since": ("t.last_event_at >= :since", chosen.since),
        "until": ("t.opened_at < :until", chosen.until),
    }
    wanted = {name: part for name, part in parts.items() if part[1]}
    return (
        " AND ".join(condition for condition, _ in wanted.values()) or "true",
        {name: value for name, (_, value) in wanted.items()},
    )


def _contains(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%" if part else ""
