"""Comma-separated values (RFC 4180) that survive malformed lines."""

import csv
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BufferedIOBase
from itertools import chain, islice
from typing import NamedTuple

from monitor.fields import shown, unknown_column
from monitor.sources.base import ChunkBuilder, RawChunk
from monitor.sources.lines import MAX_LINE, Line, lines

_BATCH = 1_000  # lines that are parsed at once as long as nothing is wrong with them


class Rows(NamedTuple):
    """Records, each with the line it begins at, its fields and its raw text."""

    lines: list[int]
    fields: list[list[str]]
    records: list[str]


class BadRow(NamedTuple):
    """A record without fields, and why."""

    line: int
    problem: str
    record: str


def rows(stream: BufferedIOBase) -> Iterator[Rows | BadRow]:
    """The records of a CSV file, header included.

    A quoted field may span lines: a name somebody typed may hold line breaks, and its second line must not pass for a
    record. A quote that is never closed, though, costs its own line only: reading resumes with the next.
    """
    following = lines(stream)
    while batch := list(islice(following, _BATCH)):
        texts = [line.text for line in batch]
        fields, _ = _parse(texts)
        if len(fields) == len(batch) and not any(line.problem for line in batch):
            # As many records as lines, so every line is a record.
            yield Rows([line.number for line in batch], fields, texts)
        else:
            yield from _one_by_one(deque(batch), following)


def _one_by_one(pending: deque[Line], following: Iterator[Line]) -> Iterator[Rows | BadRow]:
    """The records of lines among which some are unusual."""
    while pending:
        line = pending.popleft()
        text, problem = line.text, line.problem
        fields: list[list[str]] = []
        if not problem:
            fields, problem = _parse([text])
            if problem and text.count('"') % 2:
                text, fields, problem = _spanning(line, problem, pending, following)
        yield BadRow(line.number, problem, text) if problem else Rows([line.number], fields, [text])


def _next(pending: deque[Line], following: Iterator[Line]) -> Line | None:
    return pending.popleft() if pending else next(following, None)


def _parse(texts: list[str]) -> tuple[list[list[str]], str]:
    """The records that `texts` are the lines of, or why they are none."""
    try:
        return list(csv.reader(texts, strict=True)), ""
    except csv.Error as error:
        return [], f"is no line of CSV: {error}"


def _spanning(
    line: Line, problem: str, pending: deque[Line], following: Iterator[Line]
) -> tuple[str, list[list[str]], str]:
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
            fields, _ = _parse([f"{text}\n" for text in used])
            if len(fields) == 1:
                return "\n".join(used), fields, ""
            break
    pending.extendleft(reversed(looked_at))
    return line.text, [], problem


@dataclass(frozen=True)
class Table:
    """How the columns of a CSV file are called: canonical name → name in the header (compared in lower case).

    Without the `required` ones nothing can be read. `others` allows columns that are not named here; if it is false, a
    record that fills one is rejected. `translations` turn values of a column into canonical ones.
    """

    names: Mapping[str, str]
    required: Sequence[str]
    others: bool = False
    translations: Mapping[str, Callable[[str], str]] = field(default_factory=dict)

    def read(self, stream: BufferedIOBase) -> Iterator[RawChunk]:
        """Chunks of the records of a CSV file with a header."""
        parts = rows(stream)
        first = next(parts, None)
        if first is None:
            return
        try:
            layout = _Layout(self, first)
        except ValueError as reason:
            yield _unreadable(first, str(reason))
            return
        builder = ChunkBuilder(layout.columns)
        for part in chain([_without_header(first)], parts):
            layout.add(part, builder)
            if builder.full:
                yield builder.take()
        yield builder.take()


def _unreadable(first: Rows | BadRow, reason: str) -> RawChunk:
    builder = ChunkBuilder(())
    line, record = (first.line, first.record) if isinstance(first, BadRow) else (first.lines[0], first.records[0])
    builder.reject(line, f"header {reason}; without it nothing in this file can be read", record)
    return builder.take()


def _without_header(part: Rows | BadRow) -> Rows:
    return Rows(part.lines[1:], part.fields[1:], part.records[1:]) if isinstance(part, Rows) else Rows([], [], [])


class _Layout:
    """Where one file has the columns of a `Table`, and others."""

    def __init__(self, table: Table, first: Rows | BadRow) -> None:
        if isinstance(first, BadRow):
            raise ValueError(first.problem)
        found = [name.strip().lower() for name in first.fields[0]]
        if twice := [name for name, count in Counter(found).items() if name and count > 1]:
            raise ValueError(f"has the column {shown(twice[0])} twice")
        if absent := [table.names[name] for name in table.required if table.names[name].lower() not in found]:
            raise ValueError(f"has no column {' and no column '.join(absent)}")
        known = {name.lower(): canonical for canonical, name in table.names.items()}
        #: The canonical name of each column in the file, None for others.
        self.columns = [known.get(name) for name in found]
        self._unknown = [(at, name) for at, name in enumerate(found) if not table.others and name not in known]
        self._translations = [
            (at, table.translations[name])
            for at, name in enumerate(self.columns)
            if name is not None and name in table.translations
        ]

    def add(self, part: Rows | BadRow, builder: ChunkBuilder) -> None:
        """Give records to the builder, or reject them."""
        if isinstance(part, BadRow):
            builder.reject(part.line, part.problem, part.record)
        elif not self._unknown and all(len(fields) == len(self.columns) for fields in part.fields):
            builder.extend(part.lines, [self._translated(fields) for fields in part.fields], part.records)
        else:
            for line, fields, record in zip(*part, strict=True):
                if problem := self._problem(fields):
                    builder.reject(line, problem, record)
                else:
                    builder.extend([line], [self._translated(fields)], [record])

    def _problem(self, fields: Sequence[str]) -> str:
        if len(fields) != len(self.columns):
            return f"has {len(fields)} fields where the header has {len(self.columns)}"
        return next((unknown_column(name) for at, name in self._unknown if fields[at].strip()), "")

    def _translated(self, fields: list[str]) -> list[str]:
        for at, translate in self._translations:
            fields[at] = translate(fields[at])
        return fields
