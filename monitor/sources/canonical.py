"""The monitor's own format, as CSV and as JSON lines: canonical column names, an empty field is unknown."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import tzinfo
from io import BufferedIOBase
from typing import Any

from monitor.events import CANONICAL_COLUMNS
from monitor.fields import unknown_column
from monitor.sources.base import ChunkBuilder, Options, RawChunk
from monitor.sources.lines import lines
from monitor.sources.stamps import with_zone
from monitor.sources.table import Table

_TIME = CANONICAL_COLUMNS.index("occurred_at")
_CSV = Table({name: name for name in CANONICAL_COLUMNS}, required=("occurred_at", "user"))


def read_csv(stream: BufferedIOBase, options: Options) -> Iterator[RawChunk]:
    """CSV whose header names canonical columns, in any order."""
    zone = options.zone
    table = replace(_CSV, translations={"occurred_at": lambda text: with_zone(text, zone)}) if zone else _CSV
    return table.read(stream)


def read_jsonl(stream: BufferedIOBase, options: Options) -> Iterator[RawChunk]:
    """One JSON object a line whose keys are canonical columns."""
    builder = ChunkBuilder(CANONICAL_COLUMNS)
    for number, text, problem in lines(stream):
        try:
            if problem:
                raise ValueError(problem)
            builder.add(number, _values(_object(text), options.zone), text)
        except ValueError as reason:
            builder.reject(number, str(reason), text)
        if builder.full:
            yield builder.take()
    yield builder.take()


def _object(text: str) -> dict[str, Any]:
    """A JSON object, its numbers as they are written: 59.90 and a user called 007 stay what they are."""
    try:
        value = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("is no JSON: nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("is no JSON object")
    return value


def _values(record: dict[str, Any], zone: tzinfo | None) -> list[str | None]:
    if unknown := record.keys() - set(CANONICAL_COLUMNS):
        raise ValueError(unknown_column(min(unknown)))
    values = [record.get(name) for name in CANONICAL_COLUMNS]
    for name, value in zip(CANONICAL_COLUMNS, values, strict=True):
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name} is neither text nor a number")
    if time := values[_TIME]:
        values[_TIME] = with_zone(time, zone)
    return values
