"""For the channels: what was to be told to whom, and whether it arrived."""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    driver.execute(files("migrations").joinpath("sql", "0003_deliveries.sql").read_bytes())
