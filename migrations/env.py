"""Runs the migrations on the connection of ``monitor.store.schema.upgrade``, or, under the ``alembic`` command, on
the configured database.

An advisory lock lets one process migrate at a time; a lock time-out keeps a migration that waits for a busy table
from blocking everyone who comes after it.
"""

from alembic import context
from sqlalchemy import Connection, text

from monitor.store.tables import metadata

LOCK = 0x6D6F6E69746F72  # "monitor"


def run(connection: Connection) -> None:
    connection.execute(text("SET LOCAL lock_timeout = '5min'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    patience = context.config.attributes.get("patience", "10s")
    connection.execute(text("SELECT set_config('lock_timeout', :patience, true)"), {"patience": patience})
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS monitor"))
    context.configure(
        connection=connection, target_metadata=metadata, version_table_schema="monitor", include_schemas=True
    )
    with context.begin_transaction():
        context.run_migrations()


def run_from_command_line() -> None:
    from monitor.config import load_settings
    from monitor.store.engine import connect

    with connect(load_settings()).begin() as connection:
        run(connection)


given = context.config.attributes.get("connection")
if given is None:
    run_from_command_line()
else:
    run(given)
