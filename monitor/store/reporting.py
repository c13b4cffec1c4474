"""Questions in SQL, asked as the role that may only read schema ``reporting``."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, cast

import psycopg
from sqlalchemy import Engine, text

from monitor.events import MonitorError
from monitor.store.engine import reading

ROLE = "monitor_reporting"


class QueryError(MonitorError):
    """A query that PostgreSQL refused; the message is PostgreSQL's."""


@contextmanager
def ask(engine: Engine, query: str, seconds: float) -> Iterator[tuple[list[str], Iterator[Sequence[Any]]]]:
    """The columns and rows of one read-only ``query``, in constant memory; it is cancelled after ``seconds``.

    Preparing takes one statement only, so that nothing can follow the query that would take the role back. The role
    keeps honest people from mistakes; who must be kept out needs a login of their own.
    """
    with reading(engine) as connection:
        connection.execute(
            text("SELECT set_config('statement_timeout', :limit, true), set_config('search_path', 'reporting', true)"),
            {"limit": f"{max(1, int(seconds * 1000))}ms"},
        )
        connection.execute(text(f"SET LOCAL ROLE {ROLE}"))
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        try:
            columns = _columns(driver, query)
            with driver.cursor() as cursor, closing(cast(Generator[Any], cursor.stream(query))) as rows:
                yield columns, rows
        except psycopg.Error as error:
            message = error.diag.message_primary or str(error).splitlines()[0]
            raise QueryError(f"query: {message}") from None
        except UnicodeError:
            raise QueryError("query: it holds characters that are no valid text") from None


def _columns(driver: psycopg.Connection[Any], query: str) -> list[str]:
    """The names of the columns that a query will give, rows or none."""
    prepared = driver.pgconn.prepare(b"", query.encode())
    if prepared.status != psycopg.pq.ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(prepared)
    described = driver.pgconn.describe_prepared(b"")
    return [(described.fname(number) or b"?").decode() for number in range(described.nfields)]
