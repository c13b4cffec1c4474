"""Leases, keys and digests for the channels."""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    driver.execute(files("migrations").joinpath("sql", "0006_channels.sql").read_bytes())
