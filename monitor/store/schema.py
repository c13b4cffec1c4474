"""The schema of the database: upgrade it, or say in one line why it cannot be used."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from monitor.events import MonitorError
from monitor.store.engine import explain, reading


class SchemaError(MonitorError):
    """The database has no schema, an older one or a newer one; or it could not be upgraded."""


def revisions() -> list[str]:
    """The schema revisions that this code knows, oldest first; a revision's id is the number of its file."""
    scripts = files("migrations").joinpath("versions").iterdir()
    return sorted(script.name[:4] for script in scripts if script.name[:4].isdigit())


def require_schema(engine: Engine) -> None:
    """Raise ``SchemaError`` unless the database has exactly the schema of this code."""
    found = _revision(engine)
    known = revisions()
    if found is None:
        raise SchemaError("the database has no schema yet; run: monitor init")
    _refuse_newer(found, known)
    if found != known[-1]:
        raise SchemaError(f"the database has schema {found}, this program needs {known[-1]}; run: monitor init")


def upgrade(engine: Engine, to: str = "head", patience: str = "10s") -> tuple[str | None, str]:
    """Create the schema or bring it up to date, in one transaction; returns the revision before and after.

    A table that somebody else holds is waited for no longer than ``patience``; then nothing is changed. Safe to run
    again and by several processes at once: the migrations hold an advisory lock (``migrations/env.py``).
    """
    from alembic import command
    from alembic.config import Config

    before = _revision(engine)
    if before is not None:
        _refuse_newer(before, revisions())
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    with _explained(), engine.begin() as connection:
        config.attributes.update(connection=connection, patience=patience)
        command.upgrade(config, to)
    return before, revisions()[-1] if to == "head" else to


def _revision(engine: Engine) -> str | None:
    with reading(engine) as connection:
        inside = connection.scalar(
            text("SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = 'monitor'")
        )
        if inside is None or (
            inside and connection.scalar(text("SELECT to_regclass('monitor.alembic_version')")) is None
        ):
            return None
        where = "version_num FROM monitor.alembic_version" if inside else "revision FROM reporting.schema_version"
        try:
            found: str | None = connection.scalar(text(f"SELECT {where}"))
        except ProgrammingError:
            raise SchemaError("this database role may not read schema monitor; ask its owner for access") from None
        return found


def _refuse_newer(found: str, known: list[str]) -> None:
    if found not in known:
        raise SchemaError(
            f"the database has schema {found}, newer than this program ({known[-1]}); upgrade the program"
        )


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise SchemaError(f"the schema could not be upgraded, try again: {explain(error)}") from error
    except DBAPIError as error:
        raise SchemaError(f"the schema could not be upgraded: {explain(error)}") from error
    except psycopg.Error as error:  # a script of many statements goes through the driver itself
        again = ", try again" if isinstance(error, psycopg.OperationalError) else ""
        message = error.diag.message_primary or explain(error)
        raise SchemaError(f"the schema could not be upgraded{again}: {message}") from error
