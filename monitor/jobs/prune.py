"""Retention: whole months of events and scores go when their last day is old enough; alerts and reviews stay.

An account of which neither a login nor an alert is left goes as well, with its baseline.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from monitor.config import Settings
from monitor.store import erasure, jobs, partitions
from monitor.store.engine import reading, writing
from monitor.store.scores import lock_scoring

RUNS_KEPT = timedelta(days=30)


def run(engine: Engine, settings: Settings, now: datetime) -> dict[str, int | float | str]:
    """Drop what ``retention_days`` no longer keeps (None keeps everything), one month to a transaction."""
    counts: dict[str, int | float | str] = {"months": 0, "rows": 0}
    if settings.retention_days is not None:
        limit = now - timedelta(days=settings.retention_days)
        with reading(engine) as connection:
            expired = [month for month in partitions.months(connection) if _end(month) <= limit]
        for month in expired:
            with writing(engine) as connection:
                partitions.drop_month(connection, month)
        counts["months"] = len(expired)
        with writing(engine) as connection:
            counts["rows"] = partitions.delete_leftovers(connection, _start(limit))
        counts["accounts"] = _drop_idle(engine, _start(limit))
    with writing(engine) as connection:
        counts["runs"] = jobs.delete_runs_before(connection, now - RUNS_KEPT)
    return counts


def _drop_idle(engine: Engine, before: datetime) -> int:
    """Forget who was first seen ``before`` and has left nothing; while something scores or learns, it waits a turn."""
    with writing(engine) as connection:
        idle = erasure.idle_accounts(connection, before)
        if not idle or not lock_scoring(connection, wait=False):
            return 0
        erasure.hold_writers(connection)
        return erasure.delete_idle(connection, idle)


def _start(moment: datetime) -> datetime:
    """The first moment of the month, UTC, that partitions go by."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _end(month: datetime) -> datetime:
    return _start(month + timedelta(days=32))
