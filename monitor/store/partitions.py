"""The monthly partitions of events and scores: made on demand, dropped as wholes."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, text

PATIENCE = "5s"  # how long to wait for readers of a month before dropping it


def ensure_months(connection: Connection, moments: Iterable[datetime]) -> None:
    """Make the partitions that hold these moments; call it before inserting, in the same transaction."""
    query = text(
        """
        SELECT monitor.ensure_month(month)
        FROM (SELECT DISTINCT date_trunc('month', moment, 'UTC') FROM unnest(CAST(:moments AS timestamptz[])) AS moment)
            AS wanted (month)
        """
    )
    connection.execute(query, {"moments": list(moments)})


def months(connection: Connection) -> list[datetime]:
    """The first moment (UTC) of every month that has partitions, oldest first."""
    query = text(
        """
        SELECT DISTINCT right(child.relname, 6) AS month
        FROM pg_inherits
        JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent IN ('monitor.login_event'::regclass, 'monitor.login_score'::regclass)
        ORDER BY month
        """
    )
    return [datetime.strptime(month, "%Y%m").replace(tzinfo=UTC) for month in connection.scalars(query)]


def drop_month(connection: Connection, month: datetime) -> None:
    """Drop a month of events and scores, which must be over. Fails rather than make every login wait for a reader."""
    connection.execute(text("SELECT set_config('lock_timeout', :patience, true)"), {"patience": PATIENCE})
    connection.execute(text("SELECT monitor.drop_month(:month)"), {"month": month})


def delete_leftovers(connection: Connection, before: datetime) -> int:
    """Delete what refers to events older than ``before`` or was rejected before it; returns the number of rows."""
    deleted = 0
    for table, column in (
        ("unscored_event", "occurred_at"),
        ("quarantined_event", "occurred_at"),
        ("rejected_record", "rejected_at"),
    ):
        query = text(f"DELETE FROM monitor.{table} WHERE {column} < :before")
        deleted += connection.execute(query, {"before": before}).rowcount
    return deleted
