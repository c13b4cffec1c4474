"""For retention: the scorer's role may delete accounts of which nothing is left."""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    driver.execute(files("migrations").joinpath("sql", "0009_idle_accounts.sql").read_bytes())
