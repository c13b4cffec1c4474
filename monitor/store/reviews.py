"""Verdicts on alerts: every one ever given, the status that the latest gives its alert, and what it vouches for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pandas as pd
from sqlalchemy import ARRAY, Connection, Uuid, cast, func, insert, select, text, update
from uuid_utils.compat import uuid7

from monitor.review import STATUS, Verdict
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


def is_taken(connection: Connection, act: UUID) -> bool:
    """Whether this very act was stored before: a form sent twice, a file read twice."""
    return connection.execute(select(tables.review.c.review_id).filter_by(review_id=act)).first() is not None


def add_verdict(connection: Connection, verdict: Verdict, now: datetime) -> UUID:
    """Store a verdict and set the status of its alert, which must be locked. Returns the verdict's id."""
    review_id: UUID = verdict.act or uuid7()
    # A clock that was set back must not let an older verdict count.
    reviewed_at = connection.scalar(
        text(
            """
            SELECT greatest(CAST(:now AS timestamptz), max(reviewed_at) + interval '1 microsecond')
            FROM monitor.review WHERE alert_id = :alert_id
            """
        ),
        {"now": now, "alert_id": verdict.alert_id},
    )
    connection.execute(
        insert(tables.review).values(
            review_id=review_id,
            alert_id=verdict.alert_id,
            verdict=verdict.verdict,
            reviewer=verdict.reviewer,
            reason=verdict.reason,
            note=verdict.note,
            reviewed_at=reviewed_at,
        )
    )
    table = tables.alert
    account_id: UUID = connection.execute(
        update(table)
        .where(table.c.alert_id == verdict.alert_id)
        .values(status=STATUS[verdict.verdict], updated_at=reviewed_at)
        .returning(table.c.account_id)
    ).scalar_one()
    _replace_scope(connection, verdict, review_id, account_id, now)
    return review_id


def _replace_scope(connection: Connection, verdict: Verdict, review_id: UUID, account_id: UUID, now: datetime) -> None:
    """A scope stands as long as its dismissal is the alert's latest verdict."""
    table = tables.scoped_dismissal
    connection.execute(
        update(table)
        .where(table.c.alert_id == verdict.alert_id, table.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )
    if verdict.scope is not None:
        connection.execute(
            insert(table).values(
                scope_id=review_id,
                alert_id=verdict.alert_id,
                account_id=account_id,
                feature=verdict.scope.feature,
                value=verdict.scope.value,
                reviewer=verdict.reviewer,
                created_at=now,
                valid_until=verdict.scope.until,
            )
        )


def active_scopes(connection: Connection, accounts: Sequence[str], moment: datetime) -> pd.DataFrame:
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
