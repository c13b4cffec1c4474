"""Verdicts on alerts: every one ever given, the status that the latest gives its alert, and what it vouches for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pandas as pd
from sqlalchemy import ARRAY, Connection, Uuid, cast, func, insert, select, text, update
from uuid_utils.compat import uuid7

from monitor.columns import Flags, Objects
from monitor.review import STATUS, Verdict, covered
from monitor.store import tables


@dataclass(frozen=True)
class Standing:
    """An alert as it stands, with its latest verdict (None before the first)."""

    alert_id: UUID
    account_id: UUID
    status: str
    review_id: UUID | None
    verdict: str | None
    reviewer: str | None
    reason: str | None
    note: str | None


def lock_alerts(connection: Connection, alert_ids: Sequence[UUID]) -> dict[UUID, Standing]:
    """The alerts that exist, by id, locked until this transaction ends; in order of id, so that two cannot deadlock."""
    connection.execute(
        text("SELECT 1 FROM monitor.alert WHERE alert_id = ANY(:ids) ORDER BY alert_id FOR UPDATE"),
        {"ids": list(alert_ids)},
    )
    # A second statement, since the first one waited: it sees what the others have committed meanwhile.
    rows = connection.execute(
        text(
            """
            SELECT t.alert_id, t.account_id, t.status, latest.review_id, latest.verdict, latest.reviewer,
                   latest.reason, latest.note
            FROM monitor.alert t
            LEFT JOIN LATERAL (
                SELECT * FROM monitor.review r WHERE r.alert_id = t.alert_id
                ORDER BY r.reviewed_at DESC, r.review_id DESC LIMIT 1
            ) latest ON true
            WHERE t.alert_id = ANY(:ids)
            """
        ),
        {"ids": list(alert_ids)},
    )
    return {row.alert_id: Standing(**row._mapping) for row in rows}


def taken(connection: Connection, acts: Sequence[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """Which of these very acts were stored before (a form sent twice, a file read twice): act → alert and reviewer."""
    table = tables.review.c
    rows = connection.execute(select(table.review_id, table.alert_id, table.reviewer).where(table.review_id.in_(acts)))
    return {row.review_id: (row.alert_id, row.reviewer) for row in rows}


def given_since(connection: Connection, reviewer: str, since: datetime) -> dict[UUID, UUID]:
    """What a reviewer has lately said: verdict → alert."""
    table = tables.review.c
    query = select(table.review_id, table.alert_id).where(table.reviewer == reviewer, table.reviewed_at >= since)
    return {row.review_id: row.alert_id for row in connection.execute(query)}


def add_verdicts(connection: Connection, verdicts: Sequence[Verdict], now: datetime) -> None:
    """Store one verdict on each of several alerts, and set the status of these, which must be locked.

    A spray over a thousand accounts is one decision, so the statements do not grow in number with the alerts.
    """
    ids = [verdict.act or uuid7() for verdict in verdicts]
    # A clock that was set back must not let an older verdict count.
    connection.execute(
        text(
            """
            WITH added AS (
                INSERT INTO monitor.review (review_id, alert_id, verdict, reviewer, reason, note, reviewed_at)
                SELECT g.*, greatest(CAST(:now AS timestamptz), (
                    SELECT max(r.reviewed_at) FROM monitor.review r WHERE r.alert_id = g.alert_id
                ) + interval '1 microsecond')
                FROM unnest(CAST(:ids AS uuid[]), CAST(:alerts AS uuid[]), CAST(:verdicts AS text[]),
                    CAST(:reviewers AS text[]), CAST(:reasons AS text[]), CAST(:notes AS text[]))
                    AS g (review_id, alert_id, verdict, reviewer, reason, note)
                RETURNING alert_id, verdict, reviewed_at
            )
            UPDATE monitor.alert t SET status = CAST(:status AS jsonb) ->> added.verdict, updated_at = added.reviewed_at
            FROM added WHERE t.alert_id = added.alert_id
            """
        ),
        {
            "now": now,
            "ids": ids,
            "alerts": [verdict.alert_id for verdict in verdicts],
            "verdicts": [verdict.verdict for verdict in verdicts],
            "reviewers": [verdict.reviewer for verdict in verdicts],
            "reasons": [verdict.reason for verdict in verdicts],
            "notes": [verdict.note for verdict in verdicts],
            "status": json.dumps(STATUS),
        },
    )
    _replace_scopes(connection, dict(zip(ids, verdicts, strict=True)), now)


def _replace_scopes(connection: Connection, verdicts: Mapping[UUID, Verdict], now: datetime) -> None:
    """A scope stands as long as its dismissal is the alert's latest verdict."""
    table, alert = tables.scoped_dismissal, tables.alert
    alerts = [verdict.alert_id for verdict in verdicts.values()]
    connection.execute(
        update(table).where(table.c.alert_id.in_(alerts), table.c.withdrawn_at.is_(None)).values(withdrawn_at=now)
    )
    for scope_id, verdict in verdicts.items():
        if verdict.scope is not None:
            account = select(alert.c.account_id).where(alert.c.alert_id == verdict.alert_id).scalar_subquery()
            connection.execute(
                insert(table).values(
                    scope_id=scope_id,
                    alert_id=verdict.alert_id,
                    account_id=account,
                    feature=verdict.scope.feature,
                    value=verdict.scope.value,
                    reviewer=verdict.reviewer,
                    created_at=now,
                    valid_until=verdict.scope.until,
                )
            )


def vouched(connection: Connection, events: pd.DataFrame) -> Flags:
    """Which logins [n] reviewers vouched for: since, as ``events`` say, or beforehand, by a scope that stands."""
    scopes = active_scopes(connection, events["account_id"].unique(), events["occurred_at"].min())
    since: Flags = events["vouched"].to_numpy(bool)
    return since | covered(events, scopes)


def active_scopes(connection: Connection, accounts: Objects, moment: datetime) -> pd.DataFrame:
    """The scopes of ``accounts`` (UUID texts) that stand at ``moment``, in columns.

    ``scope_id`` and ``account_id`` (UUID texts), ``feature`` (a key of ``monitor.review.SCOPES``), ``value`` and
    ``valid_until``; ``monitor.review.covered`` tells which logins they vouch for.
    """
    table = tables.scoped_dismissal.c
    rows = connection.execute(
        select(table.scope_id, table.account_id, table.feature, table.value, table.valid_until).where(
            table.account_id == func.any(cast(list(accounts), ARRAY(Uuid(as_uuid=False)))),
            table.withdrawn_at.is_(None),
            table.valid_until > moment,
        )
    ).all()
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    return pd.DataFrame(
        {
            "scope_id": pd.Series([str(one) for one in columns[0]], dtype="str"),
            "account_id": pd.Series([str(one) for one in columns[1]], dtype="str"),
            "feature": pd.Series(columns[2], dtype="str"),
            "value": pd.Series(columns[3], dtype="str"),
            "valid_until": pd.Series(columns[4], dtype="datetime64[us, UTC]"),
        }
    )
