"""For the review pages: reviewers, sessions, comments, assignments, scoped dismissals, audit; role monitor_web."""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    for name in ("tables", "audit", "comments", "roles"):
        driver.execute(files("migrations").joinpath("sql", f"0002_{name}.sql").read_bytes())
