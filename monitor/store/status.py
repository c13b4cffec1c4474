"""How the monitor is doing, in a handful of cheap queries: what `monitor status`, the pages and the metrics tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from monitor.events import CLOCK_SKEW

Rows = Sequence[Row[Any]]

#: Latest logins by which drift is told.
SAMPLE = 10_000

#: A notice that died longer ago is no news.
DEAD_HOURS = 24


@dataclass(frozen=True)
class Status:
    """Counts are rows; ``waiting`` are events that are stored but not scored yet, ``ahead`` those of them that are not
    scored before their time has come: by their clock they are of the future.

    ``queued_at`` is since when the first in that queue waits: its next one to be scored. ``alerts`` are counted by
    (status, severity), ``open_alerts`` by severity, the worst first. ``shares`` are those of the latest logins with a
    score of 1, 2 and 3 and more: 0.1, 0.01 and 0.001 while the model fits (None: no scores). ``sources`` has source,
    stored, rejected, last_received_at and last_occurred_at; ``deliveries`` channel, status (pending or dead), notices
    and oldest; ``model`` model_id, detector, trained_until and created_at; ``threshold`` value, decided_at and basis;
    a run job, status, started_at, seconds, error, counts, and of its job first_at (the oldest run that is kept),
    succeeded_at (start of the latest success) and failures (runs since then that failed or were given up).
    ``oldest_transaction_seconds`` is the age of the oldest transaction on the server.
    """

    newest_event: datetime | None
    waiting: int
    ahead: int
    oldest_waiting: datetime | None
    queued_at: datetime | None
    quarantined: int
    rejected: int
    alerts: Mapping[tuple[str, str], int]
    shares: tuple[float, float, float] | None
    newest_score: datetime | None
    scheduler_runs: bool
    oldest_transaction_seconds: float
    database_bytes: int
    sources: Rows
    deliveries: Rows
    model: Row[Any] | None
    threshold: Row[Any] | None
    last_runs: Rows

    @property
    def open_alerts(self) -> dict[str, int]:
        return {severity: count for (status, severity), count in self.alerts.items() if status == "open"}

    @property
    def dead_notices(self) -> int:
        """Notices given up within the last day."""
        return sum(row.notices for row in self.deliveries if row.status == "dead")


def read_status(connection: Connection) -> Status:
    """Everything at one moment."""

    def one(query: str) -> Any:
        return connection.scalar(text(query))

    def first(query: str) -> Row[Any] | None:
        return connection.execute(text(query)).first()

    head = first("SELECT occurred_at, queued_at FROM monitor.unscored_event ORDER BY occurred_at LIMIT 1")
    sample = first(_SAMPLE)
    return Status(
        newest_event=one("SELECT max(occurred_at) FROM monitor.login_event"),
        waiting=one("SELECT count(*) FROM monitor.unscored_event"),
        ahead=connection.scalar(text(_AHEAD), {"skew": CLOCK_SKEW}) or 0,
        oldest_waiting=head.occurred_at if head else None,
        queued_at=head.queued_at if head else None,
        quarantined=one("SELECT count(*) FROM monitor.quarantined_event"),
        rejected=one("SELECT count(*) FROM monitor.rejected_record"),
        alerts={(row.status, row.severity): row.alerts for row in connection.execute(text(_ALERTS))},
        shares=tuple(sample.shares) if sample and sample.newest else None,
        newest_score=sample.newest if sample else None,
        scheduler_runs=one("SELECT EXISTS (SELECT FROM monitor.lease WHERE expires_at > clock_timestamp())"),
        oldest_transaction_seconds=one(_OLDEST_TRANSACTION),
        database_bytes=one("SELECT pg_database_size(current_database())"),
        sources=connection.execute(text(_SOURCES)).all(),
        deliveries=connection.execute(text(_DELIVERIES), {"hours": DEAD_HOURS}).all(),
        model=first(
            "SELECT model_id, detector, trained_until, created_at FROM reporting.model WHERE status = 'active'"
        ),
        threshold=first("SELECT value, decided_at, basis FROM monitor.threshold ORDER BY threshold_id DESC LIMIT 1"),
        last_runs=connection.execute(text(_LAST_RUNS)).all(),
    )


_AHEAD = "SELECT count(*) FROM monitor.unscored_event WHERE occurred_at > now() + :skew"

_ALERTS = """
    SELECT status, severity, count(*) AS alerts FROM monitor.alert GROUP BY status, severity
    ORDER BY status, array_position(ARRAY['critical', 'high', 'medium', 'low'], severity)
"""

_SAMPLE = f"""
    SELECT max(occurred_at) AS newest, ARRAY[avg((score >= 1)::int), avg((score >= 2)::int), avg((score >= 3)::int)]
        ::double precision[] AS shares
    FROM (SELECT occurred_at, score FROM monitor.login_score ORDER BY occurred_at DESC LIMIT {SAMPLE}) AS latest
"""

_OLDEST_TRANSACTION = """
    SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""

_SOURCES = """
    SELECT source, stored, rejected, last_received_at, last_occurred_at FROM reporting.source ORDER BY source
"""

_DELIVERIES = """
    SELECT channel, status, count(*) AS notices, min(decided_at) AS oldest FROM reporting.delivery
    WHERE status = 'pending' OR status = 'dead' AND decided_at > now() - make_interval(hours => :hours)
    GROUP BY channel, status ORDER BY channel, status
"""

# There are a quarter of a million runs of a handful of jobs in a month: each part below is a step in the index.
_LAST_RUNS = """
    WITH RECURSIVE jobs AS (
        (SELECT job FROM reporting.job_run ORDER BY job LIMIT 1)
        UNION ALL
        SELECT (SELECT job FROM reporting.job_run r WHERE r.job > jobs.job ORDER BY job LIMIT 1) FROM jobs
        WHERE jobs.job IS NOT NULL
    )
    SELECT latest.*, oldest.first_at, success.succeeded_at, failed.failures
    FROM jobs
    CROSS JOIN LATERAL (
        SELECT job, status, started_at, round(extract(epoch FROM finished_at - started_at), 1)::float AS seconds,
               error, counts
        FROM reporting.job_run r WHERE r.job = jobs.job ORDER BY started_at DESC LIMIT 1
    ) AS latest
    CROSS JOIN LATERAL (SELECT min(started_at) AS first_at FROM reporting.job_run r WHERE r.job = jobs.job) AS oldest
    LEFT JOIN LATERAL (
        SELECT started_at AS succeeded_at FROM reporting.job_run r
        WHERE r.job = jobs.job AND r.status = 'succeeded' ORDER BY started_at DESC LIMIT 1
    ) AS success ON true
    CROSS JOIN LATERAL (
        SELECT count(*) AS failures FROM reporting.job_run r
        WHERE r.job = jobs.job AND r.status IN ('failed', 'abandoned')
          AND r.started_at > coalesce(success.succeeded_at, '-infinity')
    ) AS failed
    ORDER BY latest.job
"""
