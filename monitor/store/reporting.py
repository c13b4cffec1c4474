"""Questions in SQL, answered with the rights of the role that may only read schema ``reporting``."""

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, cast

import psycopg
from sqlalchemy import Engine, text

from monitor.events import MonitorError
from monitor.store.engine import reading, take_role
from monitor.store.roles import REPORTING

#: What one answer may put on the server's disk; said by superusers only, for others the administrator's limit holds.
MOST_DISK = "4GB"


class QueryError(MonitorError):
    """A query that PostgreSQL refused; the message is PostgreSQL's."""


_SELECT = re.compile(r"\s*(select|with|values|table)\b", re.IGNORECASE)


@contextmanager
def ask(
    engine: Engine, query: str, seconds: float, most: int | None = None
) -> Iterator[tuple[list[str], Iterator[Sequence[Any]]]]:
    """The columns and rows of one read-only ``query``, in constant memory; it is cancelled after ``seconds``.

    The server works out no more than the first ``most`` rows of a SELECT (None: all).

    ``reporting.answer`` runs it: in there, nothing that a query can say takes back the rights of whoever is connected.
    """
    with reading(engine) as connection:
        limits = "SELECT set_config('statement_timeout', :limit, true), set_config('search_path', 'reporting', true)"
        connection.execute(text(limits), {"limit": f"{max(1, int(seconds * 1000))}ms"})
        bounded = "SELECT set_config('temp_file_limit', :most, true) WHERE current_setting('is_superuser')::bool"
        connection.execute(text(bounded), {"most": MOST_DISK})
        take_role(connection, REPORTING)
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        try:
            names, kinds = _columns(driver, query)
            if most is not None and _SELECT.match(query):
                query = f"SELECT * FROM ({query.rstrip().rstrip(';')}\n) AS asked LIMIT {most}"
            columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(kinds))
            asked = f"SELECT * FROM reporting.answer(%s) AS rows ({columns})"
            with driver.cursor() as cursor, closing(cast(Generator[Any], cursor.stream(asked, [query]))) as rows:
                yield names, rows
        except psycopg.Error as error:
            message = error.diag.message_primary or str(error).splitlines()[0]
            raise QueryError(f"query: {message}") from None
        except UnicodeError:
            raise QueryError("query: it holds characters that are no valid text") from None


def _columns(driver: psycopg.Connection[Any], query: str) -> tuple[list[str], list[str]]:
    """Names and types of the columns that a query will give. Preparing takes one statement only, and runs nothing."""
    prepared = driver.pgconn.prepare(b"", query.encode())
    if prepared.status != psycopg.pq.ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(prepared)
    described = driver.pgconn.describe_prepared(b"")
    numbers = range(described.nfields)
    if not numbers:
        raise QueryError("query: only a statement that returns rows can be asked, such as SELECT")
    kinds = driver.execute(
        "SELECT format_type(kind, modifier) FROM unnest(%s::oid[], %s::int[]) WITH ORDINALITY AS c (kind, modifier, n)"
        " ORDER BY n",
        [[described.ftype(n) for n in numbers], [described.fmod(n) for n in numbers]],
    ).fetchall()
    return [(described.fname(n) or b"?").decode() for n in numbers], [kind for (kind,) in kinds]
