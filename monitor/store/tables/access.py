"""Who may use the review pages, and what was done there."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from monitor.store.tables.base import metadata, time

#: Who may sign in to the review pages.
reviewer = Table(
    "reviewer",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),  # viewer | reviewer | admin
    Column("password_hash", Text, nullable=False),  # argon2id
    Column("totp_secret", Text, nullable=False),  # base32
    Column("totp_counter", BigInteger, nullable=False, server_default="0"),  # the last time step used: no code twice
    Column("must_change", Boolean, nullable=False),  # a one-time password
    time("created_at", nullable=False),
    time("password_changed_at", nullable=False),
    time("disabled_at"),
)

#: Signed-in browsers; a session ends when its row goes.
web_session = Table(
    "web_session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),  # sha256: who reads the table cannot take a session over
    Column("reviewer", Text, ForeignKey(reviewer.c.name), nullable=False),
    time("created_at", nullable=False),
    time("seen_at", nullable=False),
    Column("address", Text, nullable=False),
)

sign_in_try = Table(
    "sign_in_try",
    metadata,
    Column("try_id", Uuid, primary_key=True),
    Column("reviewer", Text, nullable=False),  # the name that was given, whether anybody has it or not
    Column("address", Text, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    time("tried_at", nullable=False),
)

#: The one key that signs cookies and forms.
web_secret = Table(
    "web_secret",
    metadata,
    Column("secret", LargeBinary, nullable=False),
    Column("single", Boolean, primary_key=True, server_default="true"),
)

#: Written by ``monitor.audit_append`` alone; each hash covers the row and the hash before it.
audit = Table(
    "audit",
    metadata,
    Column("audit_id", BigInteger, primary_key=True),
    time("occurred_at", nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("address", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
