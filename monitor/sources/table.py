"""Comma-separated values (RFC 4180) that survive malformed lines."""

import csv
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from monitor.fields import shown
from monitor.sources.base import ChunkBuilder, RawChunk
from monitor.sources.lines import MAX_LINE, Line, lines


class Row(NamedTuple):
    """The fields of a record that begins at `line`; `problem` says why there are none."""

    line: int
    fields: Sequence[str]
    record: str
    problem: str = ""


def rows(stream: BinaryIO) -> Iterator[Row]:
    """The records of a CSV file, header included.

    A quoted field may span lines: a name somebody typed may hold line breaks, and its second line must not pass for a
    record. A quote that is never closed, though, costs its own line only: reading resumes with the next.
    """
    following = lines(stream)
    pending: deque[Line] = deque()
    while (line := _next(pending, following)) is not None:
        text, problem = line.text, line.problem
        fields: list[str] = []
        if not problem:
            fields, problem = _parse([text])
            if problem and text.count('"') % 2:
                text, fields, problem = _spanning(line, problem, pending, following)
        yield Row(line.number, fields, text, problem)


def _next(pending: deque[Line], following: Iterator[Line]) -> Line | None:
    return pending.popleft() if pending else next(following, None)


def _parse(texts: list[str]) -> tuple[list[str], str]:
    """The fields of the one record that `texts` are the lines of, or why they are not."""
    try:
        records = list(csv.reader(texts, strict=True))
    except csv.Error as error:
        return [], f"is no line of CSV: {error}"
    return (records[0], "") if len(records) == 1 else ([], "is no line of CSV")


def _spanning(line: Line, problem: str, pending: deque[Line], following: Iterator[Line]) -> tuple[str, list[str], str]:
    """The record that opens a quote in `line` and closes it in a later one; if none does, `line` and its problem."""
    used, size = [line.text], len(line.text)
    looked_at: list[Line] = []
    while (more := _next(pending, following)) is not None:
        looked_at.append(more)
        used.append(more.text)
        size += len(more.text)
        if more.problem or size > MAX_LINE:
            break
        if more.text.count('"') % 2:
            fields, spanning_problem = _parse([f"{text}\n" for text in used])
            if not spanning_problem:
                return "\n".join(used), fields, ""
            break
    pending.extendleft(reversed(looked_at))
    return line.text, [], problem


@dataclass(frozen=True)
class Table:
    """How the columns of a CSV file are called: canonical name → name in the header (compared in lower case).

    Without the `required` ones nothing can be read. `others` allows columns that are not named here; if it is false, a
    record that fills one is rejected. `translate` turns a record's values, in the order of `names`, into canonical
    ones.
    """

    names: Mapping[str, str]
    required: Sequence[str]
    others: bool = False
    translate: Callable[[list[str | None]], list[str | None]] = lambda values: values

    def read(self, stream: BinaryIO) -> Iterator[RawChunk]:
        """Chunks of the records of a CSV file with a header."""
        table = rows(stream)
        header = next(table, None)
        if header is None:
            return
        builder = ChunkBuilder(list(self.names))
        try:
            layout = _Layout(self, header)
        except ValueError as reason:
            builder.reject(header.line, f"header {reason}; without it nothing in this file can be read", header.record)
            yield builder.take()
            return
        for row in table:
            if problem := row.problem or layout.problem(row.fields):
                builder.reject(row.line, problem, row.record)
            else:
                builder.add(row.line, self.translate(layout.values(row.fields)), row.record)
            if builder.full:
                yield builder.take()
        yield builder.take()


class _Layout:
    """Where one file has the columns of a `Table`, and others."""

    def __init__(self, table: Table, header: Row) -> None:
        if header.problem:
            raise ValueError(header.problem)
        found = [name.strip().lower() for name in header.fields]
        if twice := [name for name, count in Counter(found).items() if name and count > 1]:
            raise ValueError(f"has the column {shown(twice[0])} twice")
        if absent := [table.names[name] for name in table.required if table.names[name].lower() not in found]:
            raise ValueError(f"has no column {' and no column '.join(map(shown, absent))}")
        wanted = [name.lower() for name in table.names.values()]
        self._width = len(found)
        self._places = [found.index(name) if name in found else None for name in wanted]
        self._unknown = [(at, name) for at, name in enumerate(found) if not table.others and name not in wanted]

    def problem(self, fields: Sequence[str]) -> str:
        if len(fields) != self._width:
            return f"has {len(fields)} fields where the header has {self._width}"
        return next((f"unknown column {shown(name)}" for at, name in self._unknown if fields[at].strip()), "")

    def values(self, fields: Sequence[str]) -> list[str | None]:
        return [None if at is None else fields[at] for at in self._places]
