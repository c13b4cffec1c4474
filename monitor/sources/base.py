"""What a source is: something that turns an input into chunks of raw records with canonical column names.

A source only translates. Whether a record is a login event is decided by `monitor.events.validate`, for all sources
alike; a source rejects just what it cannot translate, and counts as skipped what is fine but no login.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from io import BufferedIOBase
from typing import Protocol

import numpy as np
import pandas as pd

from monitor.events import reject_frame

CHUNK_RECORDS = 49_000  # a batch more than this may come before a chunk ends
CHUNK_CHARACTERS = 32 * 2**20  # of raw text: what bounds memory when records are long


@dataclass(frozen=True)
class Options:
    """What a log cannot say about itself: the `year` of its first stamp, and the `zone` of stamps that name none.

    Without a `zone` those are UTC where a format knows them, and refused where it demands one.
    """

    year: int | None = None
    zone: tzinfo | None = None


@dataclass(frozen=True)
class RawChunk:
    """At most `CHUNK_RECORDS` of an input.

    `records`: text columns of canonical names, `line`, and `record` (the raw text); input for `validate`.
    `rejects`: line, reason, record of what could not be translated. `skipped`: how many records of which kind are no
    logins. `unclear`: by column, how many records are left without a value because theirs could not be read.
    """

    records: pd.DataFrame
    rejects: pd.DataFrame
    skipped: Mapping[str, int]
    unclear: Mapping[str, int] = field(default_factory=dict)

    @property
    def read(self) -> int:
        return len(self.records) + len(self.rejects)


class Source(Protocol):
    """A file format. Never raises because of what the stream holds, and keeps no more than a chunk in memory.

    The same bytes give the same records every time. The first line of its docstring is its help text.
    """

    def __call__(self, stream: BufferedIOBase, options: Options) -> Iterator[RawChunk]: ...


@dataclass
class ChunkBuilder:
    """Collects records whose values come in the order of `columns` (None: left aside), until a chunk is `full`."""

    columns: Sequence[str | None]
    _rows: list[Sequence[str | None]] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)
    _records: list[str] = field(default_factory=list)
    _rejects: list[tuple[int, str, str]] = field(default_factory=list)
    unclear: Counter[str] = field(default_factory=Counter)
    _skipped: Counter[str] = field(default_factory=Counter)
    _characters: int = 0

    def add(self, line: int, values: Sequence[str | None], record: str) -> None:
        self.extend((line,), (values,), (record,))

    def extend(self, lines: Sequence[int], rows: Sequence[Sequence[str | None]], records: Sequence[str]) -> None:
        self._lines.extend(lines)
        self._rows.extend(rows)
        self._records.extend(records)
        self._characters += sum(map(len, records))

    def reject(self, line: int, reason: str, record: str) -> None:
        self._rejects.append((line, reason, record[:1000]))

    def skip(self, kind: str) -> None:
        self._skipped[kind] += 1

    @property
    def full(self) -> bool:
        return len(self._rows) + len(self._rejects) >= CHUNK_RECORDS or self._characters >= CHUNK_CHARACTERS

    def take(self) -> RawChunk:
        """What was collected so far; the builder starts anew."""
        values = np.empty((len(self._rows), len(self.columns)), dtype=object)
        if self._rows:
            values[:] = self._rows
        columns = {name: values[:, at] for at, name in enumerate(self.columns) if name is not None}
        records = pd.DataFrame(
            {name: pd.Series(column, dtype=object) for name, column in columns.items()}
            | {
                "line": np.array(self._lines, dtype=np.int64),
                "record": pd.Series(self._records, dtype=object),
            }
        )
        rejected = [list(column) for column in zip(*self._rejects, strict=True)] or [[], [], []]
        chunk = RawChunk(records, reject_frame(*rejected), dict(self._skipped), dict(self.unclear))
        self._rows, self._lines, self._records, self._rejects = [], [], [], []
        self._skipped, self.unclear, self._characters = Counter(), Counter(), 0
        return chunk
