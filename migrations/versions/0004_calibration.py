"""For calibration: weights and offsets beside the threshold's value, audited logins, recalibrated scores."""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    driver.execute(files("migrations").joinpath("sql", "0004_calibration.sql").read_bytes())
