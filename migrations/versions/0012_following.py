"""Logins that follow an alert quietly wait in it for its verdict."""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    driver.execute(files("migrations").joinpath("sql", "0012_following.sql").read_bytes())
