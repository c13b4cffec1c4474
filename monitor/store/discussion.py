"""What reviewers say about an alert, and who looks after it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from monitor.store import tables


def alert_exists(connection: Connection, alert_id: UUID) -> bool:
    """Whether there is such an alert; if so, it stays until this transaction ends."""
    query = select(tables.alert.c.alert_id).where(tables.alert.c.alert_id == alert_id)
    query = query.with_for_update(read=True, key_share=True)
    return connection.execute(query).first() is not None


def add_comment(
    connection: Connection, comment_id: UUID, alert_id: UUID, author: str, body: str, now: datetime
) -> bool:
    """Store a comment; False when this very one was stored before (a form sent twice)."""
    statement = insert(tables.comment).values(
        comment_id=comment_id, alert_id=alert_id, author=author, body=body, created_at=now
    )
    stored = statement.on_conflict_do_nothing().returning(tables.comment.c.comment_id)
    return connection.execute(stored).first() is not None


def written(connection: Connection, comment_id: UUID) -> tuple[UUID, str] | None:
    """Alert and author of a comment."""
    table = tables.comment.c
    row = connection.execute(select(table.alert_id, table.author).where(table.comment_id == comment_id)).first()
    return None if row is None else (row.alert_id, row.author)


def assign(connection: Connection, alert_id: UUID, assignee: str | None, by: str, now: datetime) -> None:
    """Give an alert to a reviewer, or to nobody."""
    values = {"assignee": assignee, "assigned_by": by, "assigned_at": now}
    statement = insert(tables.assignment).values(alert_id=alert_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["alert_id"], set_=values))
