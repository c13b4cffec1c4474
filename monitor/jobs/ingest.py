"""Login events from files into the store.

Every chunk is a transaction of its own: an ingestion that dies loses nothing, and to run it again completes it.
"""

import csv
import json
import re
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TextIO, cast

import pandas as pd
from sqlalchemy import Engine

from monitor.enrichment import WITHOUT_FILES, Enricher
from monitor.events import CLOCK_SKEW, MonitorError, check_source, validate
from monitor.pseudonyms import fingerprint, pseudonymous, withheld
from monitor.sources import REGISTRY, Options, RawChunk, Source, decompressed
from monitor.store.engine import writing
from monitor.store.events import add_events, add_rejects, pieces
from monitor.store.pseudonyms import agree

STDIN = "-"
WRITERS = 2  # transactions at once: one has the server's attention while the other is prepared
MOST_REASONS = 100  # kinds that a report tells apart

_VALUE = re.compile(r"'[^']*'|(?<=at character )\d+")

#: Told after every chunk: how far the current input was read, in bytes as stored, and the report so far.
Progress = Callable[[int, "IngestReport"], None]


class IngestError(MonitorError):
    """An input or output of an ingestion that cannot be used."""


@dataclass
class IngestReport:
    """What became of the records: `read` = `stored` + `duplicate` + `rejected`.

    `skipped` were no logins, by kind; `reasons` counts why records were rejected, whatever the values. Of what was
    stored, `unclear` counts by column the values that could not be read and are left unknown, and `ahead` the events
    of the future: they wait to be scored until their time has come.
    """

    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    ahead: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    unclear: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def read(self) -> int:
        return self.stored + self.duplicate + self.rejected

    @property
    def useless(self) -> bool:
        """Whether something was read, and nothing of it is an event."""
        return self.rejected > 0 and self.read == self.rejected

    def note(self, chunk: RawChunk, events: pd.DataFrame, now: datetime) -> None:
        """Count what a chunk and the events in it are, apart from what becomes of them."""
        self.unclear.update(chunk.unclear)
        self.ahead += int((events["occurred_at"] > now + CLOCK_SKEW).sum())
        for kind, count in chunk.skipped.items():
            self.skipped[_bounded(kind, self.skipped)] += count

    def count(self, stored: int, valid: int) -> None:
        """Count events that were given to the store."""
        self.stored += stored
        self.duplicate += valid - stored

    def reject(self, rejects: pd.DataFrame) -> None:
        """Count rejected records."""
        self.rejected += len(rejects)
        for reason, count in rejects["reason"].value_counts().items():
            self.reasons[_bounded(_VALUE.sub("…", str(reason)), self.reasons)] += int(count)


def _bounded(kind: str, known: Counter[str]) -> str:
    """The kind to count under: who writes the records must not make a report grow without end."""
    return kind if kind in known or len(known) < MOST_REASONS else "others"


def ingest(
    engine: Engine,
    paths: Sequence[str | Path],
    format: str,
    source: str,
    *,
    now: datetime,
    options: Options | None = None,
    enrich: Enricher = WITHOUT_FILES,
    rejects: Path | None = None,
    progress: Progress = lambda position, report: None,
    key: bytes | None = None,
) -> IngestReport:
    """Load the files (`-` is standard input; gzip is told by its content) as events of `source`.

    `format` is a name in `monitor.sources.REGISTRY`; `enrich` completes events by their addresses, and `key` then makes
    pseudonyms of names and addresses (`monitor.pseudonyms`). `rejects` names a file for rejected records: CSV if it
    ends in .csv, else JSON lines. Raises ``MonitorError`` when a file cannot be read, `options` lack what the format
    needs, or the key is not the database's.
    """
    read = _format(format)
    check_source(source)
    for path in paths:
        if str(path) != STDIN and not Path(path).exists():
            raise IngestError(f"there is no file {path}")
    report = IngestReport()
    with writing(engine) as connection:
        agree(connection, fingerprint(key) if key else None)
    with _rejects_file(rejects) as note, _Writers(engine, source, now, report, enrich, key) as writers:
        for path in paths:
            for position, chunk in _chunks(path, read, options or Options()):
                note(str(path), writers.take(chunk))
                progress(position, report)
    return report


def _format(name: str) -> Source:
    if name not in REGISTRY:
        raise IngestError(f"unknown format '{name}'; known are {', '.join(REGISTRY)}")
    return REGISTRY[name]


def _chunks(path: str | Path, read: Source, options: Options) -> Iterator[tuple[int, RawChunk]]:
    """The chunks of a file, each with how many bytes of the file were used so far."""
    try:
        with _opened(path) as stream:
            for chunk in read(decompressed(stream), options):
                yield _position(stream), chunk
    except OSError as error:
        raise IngestError(f"cannot read {path}: {error.strerror or error}") from None


def _opened(path: str | Path) -> AbstractContextManager[BufferedReader]:
    if str(path) == STDIN:
        stdin = cast(RawIOBase, sys.stdin.buffer)
        return nullcontext(stdin if isinstance(stdin, BufferedReader) else BufferedReader(stdin))
    return Path(path).open("rb")


def _position(stream: BufferedReader) -> int:
    return stream.tell() if stream.seekable() else 0


class _Writers:
    """Validates chunks and stores them, some at once; leaving it waits until everything is committed."""

    def __init__(
        self, engine: Engine, source: str, now: datetime, report: IngestReport, enrich: Enricher, key: bytes | None
    ) -> None:
        self._engine, self._source, self._now, self._report = engine, source, now, report
        self._enrich, self._key = enrich, key
        self._pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="ingest")
        self._pending: deque[tuple[Future[int], int]] = deque()

    def __enter__(self) -> "_Writers":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            while kind is None and self._pending:
                self._finish_one()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def take(self, chunk: RawChunk) -> pd.DataFrame:
        """Hand a chunk over; returns what of it was rejected."""
        validated = validate(chunk.records, self._source)
        rejects = pd.concat([chunk.rejects, validated.rejects], ignore_index=True).sort_values("line")
        self._report.note(chunk, validated.events, self._now)
        self._report.reject(rejects)
        while len(self._pending) >= WRITERS:
            self._finish_one()
        events = self._enrich(validated.events)
        self._pending.append((self._pool.submit(self._write, events, rejects), len(events)))
        return rejects

    def _finish_one(self) -> None:
        future, valid = self._pending.popleft()
        self._report.count(future.result(), valid)

    def _write(self, events: pd.DataFrame, rejects: pd.DataFrame) -> int:
        stored = 0
        for piece in pieces(pseudonymous(events, self._key)):
            with writing(self._engine) as connection:
                stored += add_events(connection, piece, self._now)
        if len(rejects):
            with writing(self._engine) as connection:
                add_rejects(connection, self._source, withheld(rejects, self._key), self._now)
        return stored


@contextmanager
def _rejects_file(path: Path | None) -> Iterator[Callable[[str, pd.DataFrame], None]]:
    """A function that notes the rejects of an input in the file, if there is one."""
    if path is None:
        yield lambda name, rejects: None
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield _csv_notes(file) if path.suffix.lower() == ".csv" else _json_notes(file)
    except OSError as error:
        raise IngestError(f"cannot write {path}: {error.strerror or error}") from None


def _csv_notes(file: TextIO) -> Callable[[str, pd.DataFrame], None]:
    writer = csv.writer(file)
    writer.writerow(["input", "line", "reason", "record"])
    return lambda name, rejects: writer.writerows((name, *row) for row in rejects.itertuples(index=False))


def _json_notes(file: TextIO) -> Callable[[str, pd.DataFrame], None]:
    def note(name: str, rejects: pd.DataFrame) -> None:
        for row in rejects.to_dict("records"):
            file.write(json.dumps({"input": name, **row}, ensure_ascii=False) + "\n")

    return note
