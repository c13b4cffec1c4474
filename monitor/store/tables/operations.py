"""Job runs and leadership."""

from sqlalchemy import BigInteger, Column, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from monitor.store.tables.base import metadata, time

job_run = Table(
    "job_run",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("job", Text, nullable=False),
    Column("status", Text, nullable=False),  # running | succeeded | failed | abandoned
    time("started_at", nullable=False),
    time("finished_at"),
    Column("error", Text),
    Column("counts", JSONB, nullable=False),
)

#: Who leads; a term ends when it expires by the database's clock.
lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Uuid, nullable=False),
    Column("term", BigInteger, nullable=False),
    time("expires_at", nullable=False),
)
