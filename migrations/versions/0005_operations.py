"""For operations: totals by source, how long events wait, receipts of erasure, the check value of the pseudonym key."""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    driver.execute(files("migrations").joinpath("sql", "0005_operations.sql").read_bytes())
