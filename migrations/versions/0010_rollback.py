"""Whoever calibrates by hand may return to an earlier threshold."""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    driver.execute(files("migrations").joinpath("sql", "0010_rollback.sql").read_bytes())
