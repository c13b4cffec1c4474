"""Job runs, leadership, and what concerns the installation as a whole."""

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, Table, Text, Uuid
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

#: Receipts of people who were forgotten. What happened before ``forgotten_at`` is not taken in again.
erasure = Table(
    "erasure",
    metadata,
    Column("erasure_id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),  # a hash of the user name
    time("forgotten_at", nullable=False),
    Column("counts", JSONB, nullable=False),
    Column("kept", JSONB, nullable=False),
)

#: A check value of the one key that pseudonyms are made with; no row where names are stored as they are.
pseudonym_key = Table(
    "pseudonym_key",
    metadata,
    Column("fingerprint", LargeBinary, nullable=False),
    Column("single", Boolean, primary_key=True, server_default="true"),
)
