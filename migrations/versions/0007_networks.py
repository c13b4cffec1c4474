"""For enrichment: how certain a place is, and what kind of network an address belongs to."""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    driver.execute(files("migrations").joinpath("sql", "0007_networks.sql").read_bytes())
