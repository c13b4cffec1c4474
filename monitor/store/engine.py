"""Connections: one engine for a process, and transactions that read or write all or nothing.

Store functions take the connection that ``reading`` or ``writing`` yields and never commit. A *guard* may be bound
to an engine (``guarded``); it then opens and closes every transaction made through that engine, which is how the
scheduler stops a job that lost its lease from committing. A *role* may be bound as well (``acting``): each transaction
then has the rights of that role (``monitor.store.roles``) and no more.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any, Protocol

from psycopg.errors import InsufficientPrivilege
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, Dialect, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from monitor.config import Settings
from monitor.events import MonitorError
from monitor.store.server import DATABASE, EmbeddedServer

OLDEST_SERVER = 15
CONNECT_SECONDS = 10

#: ``text``, parsed once: pages ask the same few questions again and again, and parsing costs as much as asking.
statement = lru_cache(maxsize=512)(text)


class DatabaseError(MonitorError):
    """The database cannot be reached or used; the message says why in one line, without a password."""


class Guard(Protocol):
    """Watches the transactions of one engine; either method may raise to end the transaction unsaved."""

    def begin(self, connection: Connection) -> None: ...

    def before_commit(self, connection: Connection) -> None: ...


def connect(settings: Settings, *, ping: bool = True) -> Engine:
    """Open the database that ``settings`` names, or start and open the embedded one; raises ``DatabaseError``.

    ``ping``: make sure before each transaction that its connection is alive; without, the caller sees when it is not.
    """
    if settings.database_url is not None:
        return open_url(settings.database_url.get_secret_value(), ping=ping)
    server = EmbeddedServer(settings.data_dir)
    server.start()
    _create_database(server)
    engine = open_url(server.url(), ping=ping)
    event.listen(engine, "do_connect", partial(_connect_or_revive, server))
    return engine


def open_url(url: str, *, ping: bool = True) -> Engine:
    """Open a database by its URL (``postgresql://user:password@host/name``), checking that it can serve."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseError("MONITOR_DATABASE_URL is no URL; expected postgresql://user:password@host/name") from None
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise DatabaseError(f"MONITOR_DATABASE_URL names {parsed.get_backend_name()}; only PostgreSQL is supported")
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_pre_ping=ping,
        pool_size=10,  # as many as a process of the pages has threads, and more: one that is closed is dear to reopen
        max_overflow=15,
        hide_parameters=True,  # what people typed belongs in no log
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )
    event.listen(engine, "connect", _prepare_session)
    _check_server(engine)
    return engine


def guarded(engine: Engine, guard: Guard) -> Engine:
    """The same engine and pool, with every transaction watched by ``guard``."""
    return engine.execution_options(monitor_guard=guard)


def acting(engine: Engine, role: str) -> Engine:
    """The same engine and pool, with every transaction made as ``role``; raises ``DatabaseError`` where it may not."""
    return engine.execution_options(monitor_role=role)


def take_role(connection: Connection, role: str) -> None:
    """Go on as ``role`` until this transaction ends; raises ``DatabaseError`` where the login may not."""
    try:
        connection.execute(text(f"SET LOCAL ROLE {role}"))
    except DBAPIError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise _refused(connection.engine, role) from None
        raise


def limited(engine: Engine, role: str, seconds: float) -> Engine:
    """The same engine, from now on as ``role``, each statement cancelled after ``seconds``.

    The role keeps a fault of the program from doing what the program should never do. ``role`` is this code's own.
    """

    def limit(connection: Any, entry: ConnectionPoolEntry) -> None:
        try:
            connection.execute(f"SET ROLE {role}")
        except InsufficientPrivilege:
            raise _refused(engine, role) from None
        connection.execute(f"SET statement_timeout = {int(seconds * 1000)}")
        connection.commit()

    engine.dispose()
    event.listen(engine, "connect", limit)
    return engine


@contextmanager
def reading(engine: Engine, seconds: float | None = None) -> Iterator[Connection]:
    """A read-only transaction that sees one moment throughout; each statement is cancelled after ``seconds``."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        _begin(engine, connection)
        if seconds is not None:
            connection.execute(text(f"SET LOCAL statement_timeout = {int(seconds * 1000)}"))
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that commits all or, on any exception, nothing."""
    with engine.begin() as connection:
        _begin(engine, connection)
        yield connection
        guard = _guard(engine)
        if guard is not None:
            guard.before_commit(connection)


def find(connection: Connection, query: str, values: Mapping[str, Any]) -> list[Any]:
    """All rows of a query, as named tuples: what a page asks and reads.

    The driver is asked directly, in the transaction of ``connection``, and for values as they are rather than as text.
    SQLAlchemy's cursors and rows cost three times what the driver's do, which a page that asks seven questions feels.
    Errors are SQLAlchemy's all the same.
    """
    session = connection.connection
    try:
        cursor = session.cursor(row_factory=namedtuple_row, binary=True)
        cursor.execute(_as_the_driver_reads_it(connection.dialect, query), values)
        return list(cursor.fetchall())
    except connection.dialect.loaded_dbapi.Error as error:
        lost = connection.dialect.is_disconnect(error, session.dbapi_connection, None)
        if lost:
            connection.engine.dispose()  # most likely the server went, so the pool's other connections are lost too
            connection.invalidate(error)
        raise DBAPIError.instance(query, None, error, type(error), True, lost, connection.dialect) from error


def find_one(connection: Connection, query: str, values: Mapping[str, Any]) -> Any | None:
    """The first row of a query, if any."""
    return next(iter(find(connection, query, values)), None)


def explain(error: BaseException) -> str:
    """An error in one line, without the SQL and the values that SQLAlchemy would add."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = lines[0] if lines else ""
    return first if first and isinstance(error, MonitorError) else f"{type(error).__name__}: {first}".rstrip(": ")


def is_database_failure(error: BaseException) -> bool:
    """Whether the database refused or broke off, rather than the program being wrong."""
    return isinstance(error, OperationalError) or (
        isinstance(error, DBAPIError)
        and (error.connection_invalidated or isinstance(error.orig, InsufficientPrivilege))
    )


@lru_cache(maxsize=512)
def _as_the_driver_reads_it(dialect: Dialect, query: str) -> str:
    """``:name`` as ``%(name)s``."""
    return str(statement(query).compile(dialect=dialect))


def _begin(engine: Engine, connection: Connection) -> None:
    role = engine.get_execution_options().get("monitor_role")
    if role is not None:
        take_role(connection, role)
    guard = _guard(engine)
    if guard is not None:
        guard.begin(connection)


def _refused(engine: Engine, role: str) -> DatabaseError:
    login = engine.url.username
    return DatabaseError(f"login {login} may not act as {role}; have an administrator run: GRANT {role} TO {login}")


def _guard(engine: Engine) -> Guard | None:
    guard: Guard | None = engine.get_execution_options().get("monitor_guard")
    return guard


def _prepare_session(connection: Any, entry: ConnectionPoolEntry) -> None:
    connection.execute("SET timezone = 'UTC'")
    connection.commit()


def _connect_or_revive(server: EmbeddedServer, dialect: Any, record: object, args: Any, options: Any) -> object:
    """Connect; where the embedded server has crashed or been killed, start it again first."""
    try:
        return dialect.connect(*args, **options)
    except dialect.loaded_dbapi.OperationalError:
        server.revive()
        return dialect.connect(*args, **options)


def _check_server(engine: Engine) -> None:
    query = text("SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding')")
    try:
        with engine.connect() as connection:
            version, encoding = connection.execute(query).one()
    except OperationalError as error:
        raise DatabaseError(f"cannot connect to the database: {explain(error)}") from None
    except DBAPIError as error:
        raise DatabaseError(f"cannot use the database: {explain(error)}") from None
    if version < OLDEST_SERVER:
        raise DatabaseError(f"the database server is PostgreSQL {version}; {OLDEST_SERVER} or newer is needed")
    if encoding != "UTF8":
        raise DatabaseError(f"the database is encoded in {encoding}; UTF8 is needed")


def _create_database(server: EmbeddedServer) -> None:
    """Create the database of a new embedded server; several processes may try at once."""
    engine = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    known = text("SELECT 1 FROM pg_database WHERE datname = :name").bindparams(name=DATABASE)
    try:
        with engine.connect() as connection:
            if connection.execute(known).first() is not None:
                return
            try:
                connection.execute(text(f"CREATE DATABASE {DATABASE}"))
            except DBAPIError:
                if connection.execute(known).first() is None:
                    raise
    except DBAPIError as error:
        raise DatabaseError(f"embedded PostgreSQL: {explain(error)}") from None
    finally:
        engine.dispose()
