"""COPY in both directions, in columns: Arrow to PostgreSQL's binary format, and a query's result to Arrow."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pgpq
import psycopg
import pyarrow as pa
from pyarrow import csv
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

#: Rows encoded at a time: bounds memory, and keeps the server busy while the next ones are encoded.
SLICE = 10_000


def copy_in(connection: Connection, table: str, batch: pa.RecordBatch) -> None:
    """COPY a batch into ``table``, whose columns are the batch's, in order; 16 bytes travel as a uuid."""
    encoder = pgpq.ArrowToPostgresBinaryEncoder(batch.schema)
    with cursor_of(connection) as cursor, cursor.copy(f"COPY {table} FROM STDIN WITH (FORMAT BINARY)") as copy:
        copy.write(encoder.write_header())
        for start in range(0, batch.num_rows, SLICE):
            copy.write(encoder.write_batch(batch.slice(start, SLICE)))
        copy.write(encoder.finish())


def copy_out(
    connection: Connection,
    query: str,
    columns: Mapping[str, pa.DataType],
    parameters: Mapping[str, object] | None = None,
) -> pa.Table:
    """The result of ``query``, with ``parameters`` for its ``%(name)s``, as Arrow columns of the given types.

    PostgreSQL writes NULL as an empty field and an empty string as a quoted one, and so they are read.
    """
    with (
        cursor_of(connection) as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT WITH (FORMAT csv)", parameters) as copy,
    ):
        buffer = b"".join(bytes(block) for block in copy)
    if not buffer:
        return pa.table({name: pa.array([], kind) for name, kind in columns.items()})
    return csv.read_csv(
        BytesIO(buffer),
        read_options=csv.ReadOptions(column_names=list(columns)),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict(columns),
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def arrow(values: Any, kind: pa.DataType) -> pa.Array:
    """A pandas or NumPy column as one Arrow array; NaN and None become NULL."""
    array = pa.array(values, from_pandas=True).cast(kind, safe=False)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


@contextmanager
def cursor_of(connection: Connection, *, binary: bool = False) -> Iterator[Any]:
    """The driver's own cursor, in the transaction of ``connection``; its errors are raised as SQLAlchemy's."""
    driver: Any = connection.connection
    try:
        with driver.cursor(binary=binary) as cursor:
            yield cursor
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, dialect=connection.dialect) from error
