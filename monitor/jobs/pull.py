"""One incremental pull from every configured database."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from monitor.config import Settings, SourceSettings
from monitor.events import MonitorError, check_source, validate
from monitor.jobs.ingest import IngestReport
from monitor.sources import RawChunk, sql
from monitor.store.engine import reading, writing
from monitor.store.events import add_events, add_rejects, pieces, set_source_cursor, source_cursor
from monitor.store.remote import rows_as_csv


class PullError(MonitorError):
    """Some sources failed; what the others gave is stored."""

    def __init__(self, failures: dict[str, str], reports: dict[str, IngestReport]) -> None:
        super().__init__("; ".join(f"source '{name}': {reason}" for name, reason in failures.items()))
        self.failures, self.reports = failures, reports


def run(engine: Engine, settings: Settings, now: datetime) -> dict[str, int | float | str]:
    """Pull, and count for the job's record."""
    reports = pull(engine, settings, now)
    total = {name: sum(getattr(report, name) for report in reports.values()) for name in _COUNTED}
    return {"sources": len(reports), **total}


_COUNTED = ("read", "stored", "duplicate", "rejected")


def pull(engine: Engine, settings: Settings, now: datetime) -> dict[str, IngestReport]:
    """Store what is new in each source; the report of each, by name.

    Chunks come oldest first, and each is committed together with the cursor that follows it: whenever a pull dies, the
    next goes on from there. A source that fails does not keep the others from being pulled; at the end, ``PullError``
    names each that did.
    """
    names = [source.name for source in settings.sources]
    if twice := [name for name in names if names.count(name) > 1]:
        raise MonitorError(f"two sources are called '{twice[0]}', but each needs a cursor of its own")
    reports: dict[str, IngestReport] = {}
    failures: dict[str, str] = {}
    for source in settings.sources:
        reports[source.name] = report = IngestReport()
        try:
            _pull_one(engine, source, now, settings.job_deadline_seconds, report)
        except MonitorError as error:
            failures[source.name] = str(error)
    if failures:
        raise PullError(failures, reports)
    return reports


def _pull_one(engine: Engine, source: SourceSettings, now: datetime, seconds: float, report: IngestReport) -> None:
    check_source(source.name)
    with reading(engine) as connection:
        cursor = source_cursor(connection, source.name)
    since = sql.start(cursor, timedelta(minutes=source.overlap_minutes))
    with rows_as_csv(source.url.get_secret_value(), source.query, since, seconds, sql.check_columns) as stream:
        for chunk in sql.read(stream):
            cursor = _store(engine, source.name, chunk, cursor, now, report)


def _store(
    engine: Engine, source: str, chunk: RawChunk, cursor: sql.Cursor | None, now: datetime, report: IngestReport
) -> sql.Cursor | None:
    """Store a chunk and move the cursor; returns where it stands now."""
    validated = validate(chunk.records, source)
    for events in pieces(validated.events):
        cursor = sql.advanced(cursor, events, now)
        with writing(engine) as connection:
            stored = add_events(connection, events, now)
            if cursor:
                set_source_cursor(connection, source, cursor, now)
        report.count(stored, len(events))
    for rejects in (chunk.rejects, validated.rejects):
        if len(rejects):
            with writing(engine) as connection:
                add_rejects(connection, source, rejects, now)
            report.reject(rejects)
    return cursor
