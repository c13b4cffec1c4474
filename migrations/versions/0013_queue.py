"""The queue, and the oddest logins of an alert, read off indexes."""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    driver.execute(files("migrations").joinpath("sql", "0013_queue.sql").read_bytes())
