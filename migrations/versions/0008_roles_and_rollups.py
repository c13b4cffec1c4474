"""A role for each process, sums of the scores for reports, and a way for `monitor sql` to keep to its role."""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    for name in ("rollups", "reporting", "roles"):
        driver.execute(files("migrations").joinpath("sql", f"0008_{name}.sql").read_bytes())
