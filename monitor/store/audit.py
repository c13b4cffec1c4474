"""The audit log: one row for each act, written in the transaction of the act, chained by hashes in the database."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

#: Where an act came from when it came through no browser.
COMMAND_LINE = "command line"


def record(
    connection: Connection, actor: str, action: str, subject: str, details: Mapping[str, object], address: str
) -> None:
    """Append one row: who did what to what, from where. If the transaction does not commit, nor does the row."""
    connection.execute(
        text("SELECT monitor.audit_append(:actor, :action, :subject, CAST(:details AS jsonb), :address)"),
        {"actor": actor, "action": action, "subject": subject, "details": json.dumps(details), "address": address},
    )


def record_each(
    connection: Connection, actor: str, rows: Sequence[tuple[str, str, Mapping[str, object]]], address: str
) -> None:
    """Append a row for each (action, subject, details) of one act."""
    connection.execute(
        text(
            """
            SELECT monitor.audit_append(:actor, action, subject, CAST(details AS jsonb), :address)
            FROM unnest(CAST(:actions AS text[]), CAST(:subjects AS text[]), CAST(:details AS text[]))
                AS act (action, subject, details)
            """
        ),
        {
            "actor": actor,
            "actions": [action for action, _, _ in rows],
            "subjects": [subject for _, subject, _ in rows],
            "details": [json.dumps(details) for _, _, details in rows],
            "address": address,
        },
    )


def entries(
    connection: Connection, limit: int, before: int | None = None, actor: str | None = None, action: str | None = None
) -> Sequence[Row[Any]]:
    """The newest rows before row ``before``, newest first."""
    return connection.execute(
        text(
            """
            SELECT audit_id, occurred_at, actor, action, subject, details, address, encode(hash, 'hex') AS hash
            FROM monitor.audit
            WHERE (CAST(:before AS bigint) IS NULL OR audit_id < :before)
              AND (CAST(:actor AS text) IS NULL OR actor = :actor)
              AND (CAST(:action AS text) IS NULL OR action = :action)
            ORDER BY audit_id DESC LIMIT :limit
            """
        ),
        {"before": before, "actor": actor, "action": action, "limit": limit},
    ).all()


def breaks(connection: Connection, entries: Sequence[int] | None = None) -> list[int]:
    """Rows where the chain of hashes is broken: edited, removed before, or slipped in. Empty when it is whole.

    Checks ``entries`` alone, each with the row before it, or the whole log (None) at the cost of its length.
    """
    if entries is None:
        return list(connection.scalars(text("SELECT monitor.audit_breaks()")))
    return list(connection.scalars(text("SELECT monitor.audit_breaks(:entries)"), {"entries": list(entries)}))


def newest(connection: Connection) -> tuple[int, str] | None:
    """Number and hash of the last row. Kept elsewhere, they tell later whether the end of the log was cut off."""
    row = connection.execute(
        text("SELECT audit_id, encode(hash, 'hex') FROM monitor.audit ORDER BY audit_id DESC LIMIT 1")
    ).first()
    return None if row is None else (row[0], row[1])


def hash_of(connection: Connection, audit_id: int) -> str | None:
    """The hash of a row; None when there is no such row."""
    query = text("SELECT encode(hash, 'hex') FROM monitor.audit WHERE audit_id = :audit_id")
    found: str | None = connection.scalar(query, {"audit_id": audit_id})
    return found
