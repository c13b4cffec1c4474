"""Logins in a database of others: a SELECT that returns canonical columns, read again and again.

What is new since the last pull cannot be told by a key or a time: an event may arrive hours late, and a row may be
committed after one with a higher key. So each pull starts an overlap before the latest event that it has seen, and
storing an event twice is no event twice. The overlap bounds both what a pull costs and how late an event may come.

Give the query an `event_id`: without one it is derived from the content, and a row that changes becomes another event.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from io import BufferedIOBase
from typing import Any, TypeAlias

import pandas as pd

from monitor.events import CANONICAL_COLUMNS, MonitorError
from monitor.fields import unknown_column
from monitor.sources.base import Options, RawChunk
from monitor.sources.canonical import read_csv

Cursor: TypeAlias = dict[str, Any]


def start(cursor: Cursor | None, overlap: timedelta) -> datetime | None:
    """The event time to read from; None reads everything."""
    return datetime.fromisoformat(cursor["occurred_at"]) - overlap if cursor and "occurred_at" in cursor else None


def advanced(cursor: Cursor | None, events: pd.DataFrame, now: datetime) -> Cursor | None:
    """The cursor after these events. An event stamped in the future must not make the next pull skip the present."""
    return at(cursor, min(events["occurred_at"].max().to_pydatetime(), now)) if len(events) else at(cursor, None)


def at(cursor: Cursor | None, moment: datetime | None) -> Cursor | None:
    """The cursor at ``moment``, if it does not stand at a later one already."""
    seen = [datetime.fromisoformat(cursor["occurred_at"])] if cursor and "occurred_at" in cursor else []
    if moment is not None:
        seen.append(moment)
    return {"occurred_at": max(seen).isoformat()} if seen else None


def check_columns(columns: Sequence[tuple[str, str]]) -> None:
    """Refuse a query whose columns, as (name, type), are not those of login events."""
    names = [name for name, _ in columns]
    kinds = dict(columns)
    for name in ("occurred_at", "user"):
        if name not in kinds:
            raise MonitorError(f"its query returns no column {name}")
    for name in names:
        if name not in CANONICAL_COLUMNS:
            raise MonitorError(f"its query returns the {unknown_column(name)}")
        if names.count(name) > 1:
            raise MonitorError(f"its query returns the column '{name}' twice")
    if kinds["occurred_at"] != "timestamp with time zone":
        raise MonitorError(
            f"its column occurred_at is of type {kinds['occurred_at']}; make it timestamp with time zone, "
            "for example: created AT TIME ZONE 'UTC' AS occurred_at"
        )


def read(stream: BufferedIOBase) -> Iterator[RawChunk]:
    """Chunks of the query's result, which comes as canonical CSV."""
    return read_csv(stream, Options())
