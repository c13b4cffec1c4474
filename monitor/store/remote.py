"""Reading from PostgreSQL databases of others: read-only, streamed, and never waiting for ever."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from monitor.events import MonitorError

CONNECT_SECONDS = 10
LOCK_SECONDS = 30
# A connection whose other end has vanished is given up after about half a minute.
_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4, "tcp_user_timeout": 30_000}

Check = Callable[[Sequence[tuple[str, str]]], None]


class RemoteError(MonitorError):
    """A source's database cannot be reached or read; the message says why in one line, without a password."""


@contextmanager
def rows_as_csv(
    url: str, query: str, since: datetime | None, seconds: float, check: Check
) -> Iterator[io.BufferedIOBase]:
    """The result of `query` as CSV with a header, oldest first, from `since` on if given; COPY streams it.

    A query may name that time itself, as ``:since`` (1970 if none is given), to be fast on a large table.

    `check` sees the columns, as (name, type), before any row is read and may refuse them. Raises ``RemoteError``, also
    when the query takes longer than `seconds`.
    """
    with ExitStack() as stack:
        with _explained():
            connection = stack.enter_context(_connect(url, seconds))
            cursor = stack.enter_context(connection.cursor())
            check(_columns(cursor, query, since))
            copy = stack.enter_context(cursor.copy(_statement(query, since)))
        yield io.BufferedReader(_Blocks(iter(copy)), buffer_size=2**16)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise RemoteError(lines[0] if lines else type(error).__name__) from None


def _connect(url: str, seconds: float) -> "psycopg.Connection[tuple[object, ...]]":
    try:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    except ArgumentError:
        raise RemoteError("its url is none; expected postgresql://user:password@host/name") from None
    settings = (
        f"-c statement_timeout={int(seconds * 1000)} -c lock_timeout={LOCK_SECONDS * 1000} "
        "-c default_transaction_read_only=on -c timezone=UTC -c datestyle=ISO -c client_encoding=UTF8"
    )
    return psycopg.connect(make_conninfo(plain, connect_timeout=CONNECT_SECONDS, options=settings, **_ALIVE))


#: Where a query may name the time that it is read from. Not the :: of a cast, nor a part of a longer name.
_SINCE = re.compile(r"(?<![:\w]):since\b")
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def _relation(query: str, since: datetime | None) -> sql.Composed:
    text = f"'{(since or _EVER).isoformat()}'::timestamptz"
    statement = _SINCE.sub(text, query.strip().rstrip(";"))
    # On lines of its own: the query may end in a comment.
    return sql.SQL("(\n{}\n) AS login").format(sql.SQL(statement))


def _columns(cursor: "psycopg.Cursor[tuple[object, ...]]", query: str, since: datetime | None) -> list[tuple[str, str]]:
    cursor.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(_relation(query, since)))
    described = cursor.description or []
    types = {column.type_code for column in described}
    cursor.execute("SELECT oid, format_type(oid, NULL) FROM pg_type WHERE oid = ANY(%s)", [list(types)])
    names = {oid: str(name) for oid, name in cursor.fetchall()}
    return [(column.name, names.get(column.type_code, "unknown")) for column in described]


def _statement(query: str, since: datetime | None) -> sql.Composed:
    condition = sql.SQL(" WHERE occurred_at >= {}").format(sql.Literal(since)) if since else sql.SQL("")
    return sql.SQL("COPY (SELECT * FROM {}{} ORDER BY occurred_at) TO STDOUT WITH (FORMAT CSV, HEADER)").format(
        _relation(query, since), condition
    )


class _Blocks(io.RawIOBase):
    """Blocks of bytes as a stream."""

    def __init__(self, blocks: Iterator[bytes | bytearray | memoryview]) -> None:
        self._blocks = blocks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        target = memoryview(buffer).cast("B")
        while not self._left:
            with _explained():
                block = next(self._blocks, None)
            if block is None:
                return 0
            self._left = memoryview(block)
        size = min(len(target), len(self._left))
        target[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
