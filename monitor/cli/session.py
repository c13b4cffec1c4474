"""What most subcommands start from: the settings, and a database that has the schema."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Engine
from structlog.contextvars import bound_contextvars
from uuid_utils.compat import uuid7

from monitor import logs
from monitor.config import Settings, load_settings
from monitor.store.engine import acting, connect, explain, writing
from monitor.store.jobs import record_run
from monitor.store.schema import require_schema


@contextmanager
def opened(role: str | None = None) -> Iterator[tuple[Engine, Settings]]:
    """The configured database, ready to use as ``role`` (None: with the login's own rights), and the settings."""
    settings = load_settings()
    engine = connect(settings)
    try:
        require_schema(engine)
        yield acting(engine, role) if role else engine, settings
    finally:
        engine.dispose()


@dataclass
class Record:
    """What a run has to say for itself when it is over."""

    counts: Mapping[str, int | float | str] = field(default_factory=dict)


@contextmanager
def recorded(engine: Engine, job: str) -> Iterator[Record]:
    """Show a job that was started by hand in ``reporting.job_run`` as well, whether it succeeds or fails.

    What it logs carries the ``run_id`` of that row.
    """
    record, run_id, started, error = Record(), uuid7(), datetime.now(UTC), None
    logs.configure()
    try:
        with bound_contextvars(job=job, run_id=str(run_id)):
            yield record
    except Exception as failure:
        error = explain(failure)
        raise
    finally:
        with writing(engine) as connection:
            record_run(connection, run_id, job, started, datetime.now(UTC), record.counts, error)
