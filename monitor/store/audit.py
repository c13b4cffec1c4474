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


def breaks(connection: Connection) -> list[int]:
    """Rows where the chain of hashes is broken: edited, removed before, or slipped in. Empty when it is whole."""
    return list(connection.scalars(text("SELECT monitor.audit_breaks()")))
