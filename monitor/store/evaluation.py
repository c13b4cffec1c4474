"""What an evaluation needs from the database: the scores of labelled events.

The tables are read once from front to back, as no index leads by event_id alone; what is not labelled is dropped
piece by piece, so memory follows the number of labels and not the size of the tables.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from sqlalchemy import Connection

_PIECE = 50_000  # rows parsed at once
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
_SCORE: dict[str, pa.DataType] = {
    "event_id": pa.string(),
    "source": pa.string(),
    "user_name": pa.string(),
    "microseconds": pa.int64(),
    "score": pa.float64(),
    "alerted": pa.int8(),
}
_SCORES = """
    COPY (
        SELECT event_id, source, user_name, (extract(epoch FROM occurred_at) * 1000000)::bigint, score, alerted::int
        FROM reporting.login_score
        WHERE occurred_at >= %s
    ) TO STDOUT (FORMAT csv, FORCE_QUOTE (event_id, source, user_name))
"""
_EVENTS = "COPY (SELECT event_id FROM monitor.login_event) TO STDOUT (FORMAT csv, FORCE_QUOTE (event_id))"


def labelled_scores(connection: Connection, event_ids: pd.Series, since: datetime | None = None) -> pd.DataFrame:
    """Scores of the named events from ``since`` on: event_id, source, user_name, occurred_at, score, alerted."""
    wanted = pa.array(event_ids, pa.string())
    kept = [
        piece.filter(pc.is_in(piece["event_id"], value_set=wanted))
        for piece in _copied(connection, _SCORES, _SCORE, since or _EARLIEST)
    ]
    frame = pa.concat_tables([pa.schema(list(_SCORE.items())).empty_table(), *kept]).to_pandas()
    frame["occurred_at"] = pd.to_datetime(frame.pop("microseconds"), unit="us", utc=True)
    frame["alerted"] = frame["alerted"].astype(bool)
    return frame


def count_stored(connection: Connection, event_ids: pd.Series) -> int:
    """How many of the named events are stored, scored or not."""
    wanted, found = pa.array(event_ids, pa.string()), set[str]()
    for piece in _copied(connection, _EVENTS, {"event_id": pa.string()}):
        found.update(piece["event_id"].filter(pc.is_in(piece["event_id"], value_set=wanted)).to_pylist())
    return len(found)


def _copied(connection: Connection, query: str, columns: dict[str, pa.DataType], *values: Any) -> Iterator[pa.Table]:
    """The rows of a COPY in pieces; the server sends each row by itself, so a piece ends where a row does."""
    reading = csv.ReadOptions(column_names=list(columns))
    parsing = csv.ParseOptions(newlines_in_values=True)
    converting = csv.ConvertOptions(column_types=columns, strings_can_be_null=False)
    cursor: Any = connection.connection.cursor()
    with cursor, cursor.copy(query, values or None) as copy:
        rows = iter(copy)
        while piece := b"".join(map(bytes, islice(rows, _PIECE))):
            yield csv.read_csv(pa.BufferReader(piece), reading, parsing, converting)
