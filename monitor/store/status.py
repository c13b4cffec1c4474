"""How the monitor is doing, in a handful of cheap queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text


@dataclass(frozen=True)
class Status:
    """Counts are rows; ``waiting`` are events that are stored but not scored yet.

    ``model`` has detector and trained_until, ``threshold`` value, decided_at and basis, a run job, status, started_at,
    seconds, error and counts. ``oldest_transaction_seconds`` is the age of the oldest transaction on the server.
    """

    newest_event: datetime | None
    waiting: int
    oldest_waiting: datetime | None
    quarantined: int
    rejected: int
    open_alerts: Mapping[str, int]
    scheduler_runs: bool
    oldest_transaction_seconds: float
    model: Row[Any] | None
    threshold: Row[Any] | None
    last_runs: Sequence[Row[Any]]


def read_status(connection: Connection) -> Status:
    """Everything at one moment."""

    def one(query: str) -> Any:
        return connection.scalar(text(query))

    severities = text(
        """
        SELECT severity, count(*) FROM monitor.alert WHERE status = 'open' GROUP BY severity
        ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], severity)
        """
    )
    last_runs = text(
        """
        SELECT DISTINCT ON (job) job, status, started_at, round(seconds::numeric, 1)::float AS seconds, error, counts
        FROM reporting.job_run ORDER BY job, started_at DESC
        """
    )
    return Status(
        newest_event=one("SELECT max(occurred_at) FROM monitor.login_event"),
        waiting=one("SELECT count(*) FROM monitor.unscored_event"),
        oldest_waiting=one("SELECT min(occurred_at) FROM monitor.unscored_event"),
        quarantined=one("SELECT count(*) FROM monitor.quarantined_event"),
        rejected=one("SELECT count(*) FROM monitor.rejected_record"),
        open_alerts=dict(connection.execute(severities).all()),
        scheduler_runs=one("SELECT EXISTS (SELECT FROM monitor.lease WHERE expires_at > clock_timestamp())"),
        oldest_transaction_seconds=one(
            """
            SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
            """
        ),
        model=connection.execute(
            text("SELECT detector, trained_until FROM monitor.model WHERE status = 'active'")
        ).first(),
        threshold=connection.execute(
            text("SELECT value, decided_at, basis FROM monitor.threshold ORDER BY decided_at DESC, threshold_id DESC")
        ).first(),
        last_runs=connection.execute(last_runs).all(),
    )
