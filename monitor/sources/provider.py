"""What the sources of identity providers share: a table that says where each canonical column stands in their records.

A provider differs from the next in that table, and in what tells a login from its other records; the rest is here.
Values that no column can hold (a country nobody knows, an address that is a host name) are counted and left unknown:
a login without its city is worth more than none. A login without time or user, or with an outcome nobody knows, is
rejected.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache
from io import BufferedIOBase
from typing import Any

from monitor import fields
from monitor.events import CANONICAL_COLUMNS
from monitor.sources.base import ChunkBuilder, Options, RawChunk
from monitor.sources.countries import country_code
from monitor.sources.json_records import NO_OBJECT, JsonRecord, Record, json_records, parsed
from monitor.sources.stamps import moment

_NEEDED = ("occurred_at", "user")
_DECISIVE = frozenset({*_NEEDED, "outcome"})  # what cannot be read in them makes a record useless
_UNKNOWN = frozenset({"", "-", "unknown", "null", "n/a"})  # how providers write that they do not know
_AS_WRITTEN = ("event_id", "user")  # where such a word may be meant
_MAX_KIND = 80  # characters


@dataclass(frozen=True)
class Field:
    """Where a column stands: at the first of `paths` that says something, `to` canonical; or what `made` makes of all.

    A path is keys with dots between them; `list[name=x]` is the object in a list whose `name` is x. Of a list where one
    value is expected the first is taken. `to` may return None for what is no value.
    """

    paths: tuple[str, ...]
    to: Callable[[str], str | None] | None = None
    made: Callable[[Record], str | None] | None = None


def at(*paths: str, to: Callable[[str], str | None] | None = None) -> Field:
    """The first of the `paths` that says something, turned by `to`."""
    return Field(paths, to=to)


def made(function: Callable[[Record], str | None], *paths: str) -> Field:
    """What a function makes of a record; `paths` name what it looks at."""
    return Field(paths, made=function)


def words(success: Iterable[str], failure: Iterable[str]) -> Callable[[str], str]:
    """Turns a provider's words (compared in lower case) for how a login ended into ours; others stay what they are."""
    known = dict.fromkeys(success, "success") | dict.fromkeys(failure, "failure")
    return lambda text: known.get(text.lower(), text)


def kind(record: Record, *paths: str) -> str:
    """What a record says it is, at the first of the paths; a ``ValueError`` if nothing: then it is of another log."""
    said = word(record, *paths).strip()
    if not said:
        raise ValueError(f"says nothing at {paths[0]}, where its kind should be")
    return said


def only(path: str, *logins: str) -> Callable[[Record], str]:
    """Skips the records that are of other kinds than these, as they say at the path."""

    def skipped(record: Record) -> str:
        found = kind(record, path)
        return "" if found in logins else f"{path} {found}" if found.isdigit() else found

    return skipped


def no_parts(record: Record) -> Iterable[Record]:
    """Most records are one event."""
    return (record,)


def unfolded(record: Record) -> Iterable[Record]:
    """A record whose keys such as "event.category" became objects in objects."""
    if not any("." in key for key in record):
        return (record,)
    nested: Record = {}
    for key, value in record.items():
        *outer, last = key.split(".")
        inside: Any = nested
        for name in outer:
            inside = inside.setdefault(name, {})
            if not isinstance(inside, dict):
                break
        else:
            inside[last] = {**inside[last], **value} if _both_objects(inside.get(last), value) else value
    return (nested,)


def _both_objects(one: object, other: object) -> bool:
    return isinstance(one, dict) and isinstance(other, dict)


@dataclass(frozen=True)
class Provider:
    """Logins among the records of an identity provider.

    `columns` says where the canonical columns are. `skipped` says what a record is that is no login, in the provider's
    own word, and nothing for a login; a ``ValueError`` if it is no record of this provider. `parts` gives the events of
    a record that may hold several, or in several shapes; `line` the record that a line of text stands for, if the
    provider also writes logs.
    """

    title: str
    columns: Mapping[str, Field]
    skipped: Callable[[Record], str]
    parts: Callable[[Record], Iterable[Record]] = no_parts
    line: Callable[[str], Record | None] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", self.title)

    def __call__(self, stream: BufferedIOBase, options: Options) -> Iterator[RawChunk]:
        """The logins in a file, or in the body of an answer; see `monitor.sources.base.Source`."""
        return self._chunks(json_records(stream), options)

    def from_values(self, values: Iterable[object], options: Options) -> Iterator[RawChunk]:
        """The logins among records that were parsed already; their line is their number."""
        texts = (json.dumps(value, ensure_ascii=False) for value in values)
        return self._chunks((_record(number, text) for number, text in enumerate(texts, 1)), options)

    def _chunks(self, records: Iterable[JsonRecord], options: Options) -> Iterator[RawChunk]:
        builder = ChunkBuilder(CANONICAL_COLUMNS)
        for record in records:
            self._add(record, builder, options.zone or UTC)
            if builder.full:
                yield builder.take()
        yield builder.take()

    def _add(self, record: JsonRecord, builder: ChunkBuilder, zone: tzinfo) -> None:
        value = record.value
        if value is None and self.line and record.problem == NO_OBJECT:
            value = self.line(record.text)
        if value is None:
            builder.reject(record.line, record.problem, record.text)
            return
        source = value.get("_source")  # Elasticsearch wraps each document so
        parts = list(self.parts({**value, **source} if isinstance(source, dict) else value))
        if not parts:
            builder.skip("without events")
        for part in parts:
            try:
                self._add_part(part, record, builder, zone)
            except ValueError as reason:
                builder.reject(record.line, str(reason), record.text)

    def _add_part(self, part: Record, record: JsonRecord, builder: ChunkBuilder, zone: tzinfo) -> None:
        if other := self.skipped(part):
            builder.skip(other[:_MAX_KIND])
            return
        values, problems = self._values(part, zone)
        if problems.keys() & _DECISIVE:
            raise ValueError("; ".join(problems.values()))
        builder.unclear.update(problems.keys())
        builder.add(record.line, [values.get(name) for name in CANONICAL_COLUMNS], record.text)

    def _values(self, record: Record, zone: tzinfo) -> tuple[dict[str, str], dict[str, str]]:
        """The canonical values of a login, and by column why there is none though there should be."""
        values: dict[str, str] = {}
        problems: dict[str, str] = {}
        for name, field in self.columns.items():
            try:
                text = _said(name, field, record)
                if text is None and name == "occurred_at":
                    text = (
                        word(record, "p_event_time") or None
                    )  # the stamp of Panther, where its exports leave theirs out
                if text is not None:
                    values[name] = moment(text, zone) if name == "occurred_at" else _canonical(name, text)
                elif name in _NEEDED:
                    raise ValueError(f"is missing: nothing at {' or '.join(field.paths[:2])}")
            except ValueError as reason:
                problems[name] = f"{name} {reason}"
        if ("latitude" in values) != ("longitude" in values):
            values.pop("latitude", None)
            values.pop("longitude", None)
        return values, problems


def _record(number: int, text: str) -> JsonRecord:
    value = parsed(text)
    if isinstance(value, dict):
        return JsonRecord(number, text, value)
    return JsonRecord(number, text, None, NO_OBJECT)


def find(record: Any, path: str) -> Any:
    """What stands at a path of a record; None if nothing does."""
    for key, name, wanted in _steps(path):
        if isinstance(record, list):
            record = record[0] if record else None
        if not isinstance(record, dict):
            return None
        record = record.get(key)
        if name:
            listed = record if isinstance(record, list) else ()
            record = next((each for each in listed if isinstance(each, dict) and each.get(name) == wanted), None)
    return record


def word(record: Record, *paths: str) -> str:
    """The first text at one of the paths; empty if there is none."""
    for path in paths:
        value = find(record, path)
        while isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str):
            if value and not value.isspace():
                return value
        elif isinstance(value, bool | int | float):
            return str(value).lower()
    return ""


@lru_cache(maxsize=10_000)
def _steps(path: str) -> tuple[tuple[str, str, str], ...]:
    """The keys of a path, each with the name and the value that choose from a list."""
    steps = []
    for part in path.split("."):
        key, _, choice = part.rstrip("]").partition("[")
        name, _, wanted = choice.partition("=")
        steps.append((key.lower(), name.lower(), wanted))
    return tuple(steps)


def _said(name: str, field: Field, record: Record) -> str | None:
    """What a record says of a column; a ``ValueError`` if it says it in no way that can be read."""
    if field.made:
        return field.made(record) or None
    for path in field.paths:
        text = word(record, path)
        if text and (name in _AS_WRITTEN or text.strip().lower() not in _UNKNOWN):
            said = field.to(text) if field.to else text
            if said is not None:
                return said
    if misplaced := [path for path in field.paths if isinstance(find(record, path), dict)]:
        raise ValueError(f"is an object at {misplaced[0]}")
    return None


@lru_cache(maxsize=100_000)
def _cleaned(name: str, text: str) -> str:
    cleaner = fields.TEXT.get(name) or fields.NUMBERS[name]
    canonical = country_code(text) if name == "country" else _address(text) if name == "ip" else text
    fields.refuse_unstorable(canonical)
    cleaner(canonical.strip())
    return canonical


def _canonical(name: str, text: str) -> str:
    """The value of a column, checked; a ``ValueError`` says why it is none."""
    return _cleaned(name, text[: fields.MAX_TEXT] if name == "user_agent" else text[: 2 * fields.MAX_TEXT])


def _address(text: str) -> str:
    """The first of the addresses that proxies may have chained, without its port."""
    first = text.partition(",")[0].strip()
    if first.startswith("["):
        return first[1:].partition("]")[0]
    return first.partition(":")[0] if first.count(":") == 1 else first
