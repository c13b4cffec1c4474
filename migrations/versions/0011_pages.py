"""For the review pages: a campaign in one row, reasons and recent verdicts by index, the audit log a page at a time."""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    driver.execute(files("migrations").joinpath("sql", "0011_pages.sql").read_bytes())
