"""What came in: accounts, login events, and what waits or was refused."""

from sqlalchemy import REAL, BigInteger, Column, Double, LargeBinary, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import INET, JSONB

from monitor.store.tables.base import event_key, metadata, time

account = Table(
    "account",
    metadata,
    Column("account_id", Uuid, primary_key=True),  # a hash of user_name: ingestion needs no look-up
    Column("user_name", Text, nullable=False, unique=True),
    Column("shard", SmallInteger, nullable=False),
    time("first_seen_at", nullable=False),
)

login_event = Table(
    "login_event",
    metadata,
    *event_key(),
    Column("shard", SmallInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("ip", INET),
    Column("country", Text),
    Column("region", Text),
    Column("city", Text),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("asn", BigInteger),
    Column("user_agent", Text),
    Column("browser", Text),  # family, parsed once at ingestion
    Column("os", Text),
    Column("device_id", Text),
    Column("auth_method", Text),
    Column("application", Text),
    Column("rtt_ms", REAL),
    Column("accuracy_km", REAL),  # of the coordinates, where they were looked up
    Column("network_kind", Text),  # private, carrier, … or the name of a list of networks
    time("received_at", nullable=False),
)

#: Events stored but not scored yet. A row leaves in the transaction that scores (or learns) its event.
unscored_event = Table("unscored_event", metadata, *event_key(), time("queued_at", nullable=False))

#: Events that could not be scored; they stay here, with the reason, and out of ``unscored_event``.
quarantined_event = Table(
    "quarantined_event",
    metadata,
    *event_key(),
    Column("reason", Text, nullable=False),
    time("quarantined_at", nullable=False),
)

#: Input that was no login event. ``record_hash`` makes a repeat of the same record one row.
rejected_record = Table(
    "rejected_record",
    metadata,
    Column("source", Text, primary_key=True),
    Column("record_hash", LargeBinary, primary_key=True),
    Column("line", BigInteger),
    Column("reason", Text, nullable=False),
    Column("record", Text, nullable=False),
    time("rejected_at", nullable=False),
)

#: Where an incremental pull stands; ``cursor`` belongs to the source.
source_cursor = Table(
    "source_cursor",
    metadata,
    Column("source", Text, primary_key=True),
    Column("cursor", JSONB, nullable=False),
    time("updated_at", nullable=False),
)

#: What each source brought so far. ``rejected`` are records that were no login event.
source_total = Table(
    "source_total",
    metadata,
    Column("source", Text, primary_key=True),
    Column("stored", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    time("last_received_at"),
    time("last_occurred_at"),
)
