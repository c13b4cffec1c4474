"""The queue of alerts: filtered, sorted, a page at a time; a campaign is one row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from string import ascii_lowercase, ascii_uppercase
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from monitor.store.engine import find, statement

#: Sort → columns and direction; every order is total, so that pages neither repeat nor lose an alert.
SORTS = {
    "score": (("t.score", "t.alert_id"), "DESC"),
    "newest": (("t.opened_at", "t.alert_id"), "DESC"),
    "oldest": (("t.opened_at", "t.alert_id"), "ASC"),
    "account": (("a.user_name", "t.opened_at", "t.alert_id"), "ASC"),
}

#: Alerts are counted up to here; beyond, a page says "more than". Of a queue as long as that nobody asks how long.
MOST_COUNTED = 200

UNASSIGNED = "nobody"

#: Large letters of ASCII → small ones: PostgreSQL's ``lower`` by the collation "C".
LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)

#: Which alerts of a campaign there are; it changes when one joins or leaves, whatever the order.
_MEMBERS = "count(*) || '-' || bit_xor(uuid_hash_extended({0}.alert_id, 0))"


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
    folded: bool = False  # a campaign is one row: its worst alert stands for all of one status


@dataclass(frozen=True)
class Page:
    """Some rows of the queue, how many it has in all (up to ``MOST_COUNTED``, or more), and who may be assigned."""

    alerts: Sequence[Any]
    total: int
    names: Sequence[str]


@dataclass(frozen=True)
class Campaign:
    """The open alerts of a campaign, each with its latest verdict (one that was undone) or None.

    ``members`` tells them apart from what the campaign was or will be.
    """

    alerts: dict[UUID, UUID | None]
    members: str


def alerts(connection: Connection, chosen: Filter, limit: int, offset: int = 0) -> Page:
    """``limit`` rows of the queue after the first ``offset``.

    A row has account, assignee, id of the latest verdict and the three strongest ``reasons`` of the peak login. Where
    the queue is folded, ``accounts`` is how many alerts a campaign's row stands for, and ``members`` which ones.
    """
    where, values = _conditions(chosen)
    size = "SELECT NULL::bigint, NULL"
    if chosen.folded:
        size = f"""
            SELECT count(*), {_MEMBERS.format("c")} FROM monitor.alert c
            WHERE c.campaign_id = t.campaign_id AND c.status = t.status
            """
    # Which alerts there are is read off an index, and once: for the page and for how many there are. The bound stands
    # in the text, in steps, since a plan that is kept has to know that it is small.
    most = max(-(-(offset + limit) // MOST_COUNTED), 1) * MOST_COUNTED + 1
    rows = find(
        connection,
        f"""
        WITH found AS MATERIALIZED (
            SELECT t.alert_id, row_number() OVER (ORDER BY {_order(chosen)}) AS place
            FROM monitor.alert t {_joins(chosen)} WHERE {where} ORDER BY {_order(chosen)} LIMIT {most}
        )
        SELECT counted.total, counted.names, t.alert_id, t.account_id, a.user_name, t.opened_at, t.last_event_at,
               t.score, t.severity, t.status, t.headline, t.event_count, t.campaign_id, t.thin_history, g.assignee,
               peak.reasons, latest.review_id, size.accounts, size.members
        FROM (
            SELECT count(*) AS total, ARRAY(
                SELECT name FROM monitor.reviewer WHERE disabled_at IS NULL AND role <> 'viewer' ORDER BY name) AS names
            FROM found
        ) counted
        LEFT JOIN (SELECT * FROM found WHERE place > :offset ORDER BY place LIMIT {limit}) shown ON true
        LEFT JOIN monitor.alert t USING (alert_id)
        LEFT JOIN monitor.account a USING (account_id)
        LEFT JOIN monitor.assignment g USING (alert_id)
        LEFT JOIN LATERAL (
            SELECT jsonb_path_query_array(v.attribution, '$[0 to 2].feature') AS reasons
            FROM monitor.alert_event v WHERE v.alert_id = t.alert_id ORDER BY v.follows, v.score DESC LIMIT 1
        ) peak ON true
        LEFT JOIN LATERAL (
            SELECT r.review_id FROM monitor.review r
            WHERE r.alert_id = t.alert_id ORDER BY r.reviewed_at DESC, r.review_id DESC LIMIT 1
        ) latest ON true
        LEFT JOIN LATERAL ({size}) size (accounts, members) ON t.campaign_id IS NOT NULL
        ORDER BY shown.place
        """,
        {**values, "offset": offset},
    )
    return Page([row for row in rows if row.alert_id is not None], rows[0].total, rows[0].names)


def next_open(connection: Connection, chosen: Filter, after: UUID) -> UUID | None:
    """The open alert that follows another one in the queue; the first one after the last."""
    where, values = _conditions(chosen)
    columns, direction = SORTS[chosen.sort]
    key = ", ".join(columns)
    follows = f"""
        ({key}) {"<" if direction == "DESC" else ">"} (
            SELECT {key} FROM monitor.alert t JOIN monitor.account a USING (account_id) WHERE t.alert_id = :after)
        """
    for condition in (follows, "true"):
        query = f"""
            SELECT t.alert_id FROM monitor.alert t JOIN monitor.account a USING (account_id)
            LEFT JOIN monitor.assignment g USING (alert_id)
            WHERE {where} AND t.status = 'open' AND t.alert_id <> :after AND {condition}
            ORDER BY {_order(chosen)} LIMIT 1
            """
        found: UUID | None = connection.scalar(statement(query), {**values, "after": after})
        if found is not None:
            return found
    return None


def open_of_campaign(connection: Connection, campaign: UUID) -> Campaign:
    """What of a campaign waits for a verdict."""
    rows = connection.execute(
        statement(
            f"""
            SELECT t.alert_id, (SELECT r.review_id FROM monitor.review r WHERE r.alert_id = t.alert_id
                                ORDER BY r.reviewed_at DESC, r.review_id DESC LIMIT 1) AS review_id,
                   (SELECT {_MEMBERS.format("c")} FROM monitor.alert c
                    WHERE c.campaign_id = :campaign AND c.status = 'open') AS members
            FROM monitor.alert t WHERE t.campaign_id = :campaign AND t.status = 'open'
            """
        ),
        {"campaign": campaign},
    ).all()
    return Campaign({row.alert_id: row.review_id for row in rows}, rows[0].members if rows else "")


def _joins(chosen: Filter) -> str:
    """What conditions and order need beside the alert itself."""
    account = "JOIN monitor.account a USING (account_id)" if chosen.account or chosen.sort == "account" else ""
    return account + (" LEFT JOIN monitor.assignment g USING (alert_id)" if chosen.assignee else "")


def _order(chosen: Filter) -> str:
    columns, direction = SORTS[chosen.sort]
    return ", ".join(f"{column} {direction}" for column in columns)


def _conditions(chosen: Filter) -> tuple[str, dict[str, Any]]:
    """WHERE and its parameters."""
    parts: dict[str, tuple[str, Any]] = {
        "status": ("t.status = :status", chosen.status if chosen.status != "all" else ""),
        "severity": ("t.severity = :severity", chosen.severity),
        # By the letters of ASCII, whatever their case: three times as fast as by the rules of a language.
        "account": ('lower(a.user_name COLLATE "C") LIKE :account', _contains(chosen.account.translate(LOWER))),
        "reason": (
            """EXISTS (SELECT FROM monitor.alert_event v WHERE v.alert_id = t.alert_id AND NOT v.follows
                AND jsonb_path_query_array(v.attribution, '$[0 to 2].feature') ? :reason)""",
            chosen.reason,
        ),
        "assignee": (
            "g.assignee IS NULL" if chosen.assignee == UNASSIGNED else "g.assignee = :assignee",
            chosen.assignee,
        ),
        "campaign": ("t.campaign_id = :campaign", chosen.campaign),
        "since": ("t.last_event_at >= :since", chosen.since),
        "until": ("t.opened_at < :until", chosen.until),
        "folded": (_worst(chosen), chosen.folded),
    }
    wanted = {name: part for name, part in parts.items() if part[1]}
    return (
        " AND ".join(condition for condition, _ in wanted.values()) or "true",
        {name: value for name, (_, value) in wanted.items() if name != "folded"},
    )


def _worst(chosen: Filter) -> str:
    """That an alert stands alone, or is the worst one of its campaign among those of its status."""
    severity = "AND c.severity = t.severity" if chosen.severity else ""
    return f"""(t.campaign_id IS NULL OR t.alert_id = (
        SELECT c.alert_id FROM monitor.alert c WHERE c.campaign_id = t.campaign_id AND c.status = t.status {severity}
        ORDER BY c.score DESC, c.alert_id DESC LIMIT 1))"""


def _contains(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%" if part else ""
