"""Everything: the tables of schema ``monitor``, the views of schema ``reporting``, the role that reads them.

The DDL is plain SQL in ``migrations/sql``. Migrations go forward only; to go back, restore a backup.
"""

from importlib.resources import files

from alembic import op
from psycopg import Connection

revision = "0001"
down_revision = None


def upgrade() -> None:
    # Through the driver itself, since it takes a script of many statements as it stands.
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)
    for name in ("tables", "partitions", "reporting", "comments", "roles"):
        driver.execute(files("migrations").joinpath("sql", f"0001_{name}.sql").read_bytes())
