"""One incremental pull from the configured sources: databases, and the APIs of providers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

import pandas as pd
from sqlalchemy import Engine

from monitor.config import Settings, SourceSettings
from monitor.enrichment import Enricher, enricher
from monitor.events import MonitorError, check_source, validate
from monitor.jobs.ingest import IngestReport
from monitor.pseudonyms import fingerprint, pseudonymous, withheld
from monitor.sources import Options, RawChunk, apis, keycloak_database, sql
from monitor.store.engine import reading, writing
from monitor.store.events import add_events, add_rejects, pieces, set_source_cursor, source_cursor
from monitor.store.pseudonyms import agree
from monitor.store.remote import rows_as_csv

#: The cursor after events that were stored.
Advance = Callable[[pd.DataFrame], sql.Cursor | None]

_LOST = (
    "the next pull begins at {since:%Y-%m-%d %H:%M} UTC instead; if the provider's log no longer reaches back to then, "
    "what happened between is lost to the monitor: keep that log longer, or pull more often"
)


class PullError(MonitorError):
    """Some sources failed; what the others gave is stored."""

    def __init__(self, failures: dict[str, str], reports: dict[str, IngestReport]) -> None:
        super().__init__("; ".join(f"source '{name}': {reason}" for name, reason in failures.items()))
        self.failures, self.reports = failures, reports


def run(engine: Engine, settings: Settings, now: datetime, name: str | None = None) -> dict[str, int | float | str]:
    """Pull from the source of that name, or from all, and count for the job's record."""
    chosen = [source for source in settings.sources if name in (None, source.name)]
    reports = pull(engine, settings.model_copy(update={"sources": chosen}), now)
    total = {name: sum(getattr(report, name) for report in reports.values()) for name in _COUNTED}
    skipped = sum(report.skipped.total() for report in reports.values())
    return {"sources": len(reports), **total} | ({"skipped": skipped} if skipped else {})


_COUNTED = ("read", "stored", "duplicate", "rejected")


def pull(engine: Engine, settings: Settings, now: datetime) -> dict[str, IngestReport]:
    """Store what is new in each source; the report of each, by name.

    Each chunk is committed together with the cursor that follows it: whenever a pull dies, the next goes on from there.
    A source that fails does not keep the others from being pulled; at the end, ``PullError`` names each that did.
    """
    enrich = enricher(settings.geo_city_db, settings.geo_asn_db, settings.network_lists)
    key = settings.pseudonym_key()
    with writing(engine) as connection:
        agree(connection, fingerprint(key) if key else None)
    reports: dict[str, IngestReport] = {}
    failures: dict[str, str] = {}
    for source in settings.sources:
        one = _Pull(engine, source, now, settings.job_deadline_seconds, enrich, key)
        reports[source.name] = one.report
        try:
            one.run()
        except MonitorError as error:
            failures[source.name] = one.without_secrets(str(error))
    if failures:
        raise PullError(failures, reports)
    return reports


class _Pull:
    """One pull from one source."""

    def __init__(
        self,
        engine: Engine,
        source: SourceSettings,
        now: datetime,
        seconds: float,
        enrich: Enricher,
        key: bytes | None,
    ) -> None:
        self.report = IngestReport()
        self._engine, self._source, self._now, self._seconds = engine, source, now, seconds
        self._enrich, self._key = enrich, key
        self._cursor: sql.Cursor | None = None
        self._secret = ""

    def run(self) -> None:
        check_source(self._source.name)
        with reading(self._engine) as connection:
            self._cursor = source_cursor(connection, self._source.name)
        if self._source.kind in apis.REGISTRY:
            self._from_api()
        else:
            self._from_database()

    def without_secrets(self, message: str) -> str:
        """The message; a provider may have repeated what it was sent."""
        return message.replace(self._secret, "…") if self._secret else message

    def _since(self) -> datetime | None:
        return sql.start(self._cursor, timedelta(minutes=self._source.overlap_minutes))

    def _from_database(self) -> None:
        keycloak = self._source.kind == "keycloak"
        url = self._source.url.get_secret_value() if self._source.url else ""
        query = keycloak_database.QUERY if keycloak else self._source.query or ""
        check = keycloak_database.check_columns if keycloak else sql.check_columns
        read = keycloak_database.read if keycloak else sql.read
        with rows_as_csv(url, query, self._since(), self._seconds, check) as stream:
            for chunk in read(stream):
                self._store(chunk, lambda events: sql.advanced(self._cursor, events, self._now))

    def _from_api(self) -> None:
        source, feed, started = self._source, apis.REGISTRY[self._source.kind], monotonic()
        since = self._since() or self._now - timedelta(days=source.history_days)
        position = self._cursor.get("position") if self._cursor else None
        self._secret = source.credential()
        access = apis.Access(
            url=source.url.get_secret_value() if source.url else "",
            secret=self._secret,
            client_id=source.client_id or "",
            tenant=source.tenant or "",
            subject=source.subject or "",
        )
        try:
            for page in feed.read(access, apis.Start(since, self._now, position)):
                self._store_page(page)
                # A long history is pulled in several runs rather than given up at the job's deadline.
                if (page.position or page.through) and monotonic() - started > self._seconds / 2:
                    return
        except apis.RefusedError as error:
            if error.status not in (401, 403):
                raise
            raise MonitorError(f"{error}; if its secret is no longer good, {feed.renew}") from None
        except apis.PositionLostError as error:
            self._forget_position()
            raise MonitorError(f"{error}; {_LOST.format(since=since)}") from None

    def _store_page(self, page: apis.Page) -> None:
        """Store a page's records, and move the cursor with the last of them."""
        *earlier, last = apis.REGISTRY[self._source.kind].records.from_values(page.records, Options())
        for chunk in earlier:
            self._store(chunk, lambda events: self._cursor)
        self._store(last, lambda events: self._after(page, events))

    def _after(self, page: apis.Page, events: pd.DataFrame) -> sql.Cursor | None:
        if page.position:
            return (sql.advanced(self._cursor, events, self._now) or {}) | {"position": page.position}
        return sql.at(self._cursor, page.through) if page.through else self._cursor

    def _forget_position(self) -> None:
        """Let the next pull begin by time, with the overlap."""
        self._cursor = {name: value for name, value in (self._cursor or {}).items() if name != "position"}
        with writing(self._engine) as connection:
            set_source_cursor(connection, self._source.name, self._cursor, self._now)

    def _store(self, chunk: RawChunk, advance: Advance) -> None:
        """Store a chunk, and move the cursor in the same transaction as the last of it."""
        validated = validate(chunk.records, self._source.name)
        self.report.note(chunk, validated.events, self._now)
        rejects = pd.concat([chunk.rejects, validated.rejects], ignore_index=True)
        *earlier, last = pieces(pseudonymous(self._enrich(validated.events), self._key))
        for events in earlier:
            with writing(self._engine) as connection:
                stored = add_events(connection, events, self._now)
            self.report.count(stored, len(events))
        cursor = advance(validated.events)
        with writing(self._engine) as connection:
            stored = add_events(connection, last, self._now)
            add_rejects(connection, self._source.name, withheld(rejects, self._key), self._now)
            if cursor:
                set_source_cursor(connection, self._source.name, cursor, self._now)
        self._cursor = cursor
        self.report.count(stored, len(last))
        self.report.reject(rejects)
