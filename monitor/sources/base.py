"""What a source is: something that turns an input into chunks of raw records with canonical column names.

A source only translates. Whether a record is a login event is decided by `monitor.events.validate`, for all sources
alike; a source rejects just what it cannot translate, and counts as skipped what is fine but no login.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import BinaryIO, Protocol

import numpy as np
import pandas as pd

from monitor.events import reject_frame

CHUNK_RECORDS = 50_000
CHUNK_CHARACTERS = 32 * 2**20  # of raw text: what bounds memory when records are long


@dataclass(frozen=True)
class Options:
    """What a log cannot say about itself: the `year` of its first stamp and the time `zone` its host writes."""

    year: int | None = None
    zone: tzinfo = UTC


@dataclass(frozen=True)
class RawChunk:
    """At most `CHUNK_RECORDS` of an input.

    `records`: text columns of canonical names, `line`, and `record` (the raw text); input for `validate`.
    `rejects`: line, reason, record of what could not be translated. `skipped`: how many records of which kind are no
    logins.
    """

    records: pd.DataFrame
    rejects: pd.DataFrame
    skipped: Mapping[str, int]

    @property
    def read(self) -> int:
        return len(self.records) + len(self.rejects)


class Source(Protocol):
    """A file format. Never raises because of what the stream holds, and keeps no more than a chunk in memory.

    The same bytes give the same records every time. The first line of its docstring is its help text.
    """

    def __call__(self, stream: BinaryIO, options: Options) -> Iterator[RawChunk]: ...


@dataclass
class ChunkBuilder:
    """Collects records whose values come in the order of `columns`, until a chunk is `full`."""

    columns: Sequence[str]
    _rows: list[Sequence[str | None]] = field(default_factory=list)
    _places: list[tuple[int, str]] = field(default_factory=list)
    _rejects: list[tuple[int, str, str]] = field(default_factory=list)
    _skipped: Counter[str] = field(default_factory=Counter)
    _characters: int = 0

    def add(self, line: int, values: Sequence[str | None], record: str) -> None:
        self._rows.append(values)
        self._places.append((line, record))
        self._characters += len(record)

    def reject(self, line: int, reason: str, record: str) -> None:
        self._rejects.append((line, reason, record[:1000]))

    def skip(self, kind: str) -> None:
        self._skipped[kind] += 1

    @property
    def full(self) -> bool:
        return len(self._rows) + len(self._rejects) >= CHUNK_RECORDS or self._characters >= CHUNK_CHARACTERS

    def take(self) -> RawChunk:
        """What was collected so far; the builder starts anew."""
        columns = dict(zip(self.columns, zip(*self._rows, strict=True), strict=True)) if self._rows else {}
        records = pd.DataFrame(
            {name: pd.Series(columns.get(name, ()), dtype=object) for name in self.columns}
            | {
                "line": np.array([line for line, _ in self._places], dtype=np.int64),
                "record": pd.Series([record for _, record in self._places], dtype=object),
            }
        )
        rejected = [list(column) for column in zip(*self._rejects, strict=True)] or [[], [], []]
        chunk = RawChunk(records, reject_frame(*rejected), dict(self._skipped))
        self._rows, self._places, self._rejects = [], [], []
        self._skipped, self._characters = Counter(), 0
        return chunk
