"""The tables of schema ``monitor``, as SQLAlchemy Core; the DDL itself is in ``migrations/``.

Conventions: ``account_id`` leads every key of an account's tables; partitioned tables carry ``occurred_at``
in their key; no foreign key crosses accounts or points into a partition, so old months can be dropped.
"""

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET, JSONB

metadata = MetaData(schema="monitor")


def _time(name: str, *, nullable: bool = True, primary_key: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable and not primary_key, primary_key=primary_key)


def _event_key() -> list[Column[object]]:
    """The identity of one login event; also its idempotency key."""
    return [
        Column("account_id", Uuid, primary_key=True),
        Column("source", Text, primary_key=True),
        Column("event_id", Text, primary_key=True),
        _time("occurred_at", primary_key=True),
    ]


account = Table(
    "account",
    metadata,
    Column("account_id", Uuid, primary_key=True),  # a hash of user_name: ingestion needs no look-up
    Column("user_name", Text, nullable=False, unique=True),
    Column("shard", SmallInteger, nullable=False),
    _time("first_seen_at", nullable=False),
)

login_event = Table(
    "login_event",
    metadata,
    *_event_key(),
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
    _time("received_at", nullable=False),
)

#: Events stored but not scored yet. A row leaves in the transaction that scores (or learns) its event.
unscored_event = Table("unscored_event", metadata, *_event_key())

#: Events that could not be scored; they stay here, with the reason, and out of ``unscored_event``.
quarantined_event = Table(
    "quarantined_event",
    metadata,
    *_event_key(),
    Column("reason", Text, nullable=False),
    _time("quarantined_at", nullable=False),
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
    _time("rejected_at", nullable=False),
)

#: Where an incremental pull stands; ``cursor`` belongs to the source.
source_cursor = Table(
    "source_cursor",
    metadata,
    Column("source", Text, primary_key=True),
    Column("cursor", JSONB, nullable=False),
    _time("updated_at", nullable=False),
)

#: What is usual for one account: parallel arrays, an entry per (feature, value); weights decayed to ``updated_at``.
account_state = Table(
    "account_state",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    _time("updated_at", nullable=False),
    Column("feature", ARRAY(Text), nullable=False),
    Column("value", ARRAY(Text), nullable=False),
    Column("weight", ARRAY(REAL), nullable=False),
    Column("last_seen_at", ARRAY(DateTime(timezone=True)), nullable=False),
    Column("summary", ARRAY(Double), nullable=False),  # monitor.features.summary_names() names the slots
    Column("window", LargeBinary, nullable=False),  # float32 [length, features]: the latest logins
)

#: How often accounts that met something new met this: the population each account backs off to.
population_state = Table(
    "population_state",
    metadata,
    Column("feature", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("weight", Double, nullable=False),
    _time("updated_at", nullable=False),
)

#: Fading sums of attempts, failures and accounts by address and by network.
traffic_state = Table(
    "traffic_state",
    metadata,
    Column("kind", Text, primary_key=True),  # address | network
    Column("value", Text, primary_key=True),
    Column("attempts", Double, nullable=False),
    Column("failures", Double, nullable=False),
    Column("accounts", Double, nullable=False),
    _time("updated_at", nullable=False),
)

model = Table(
    "model",
    metadata,
    Column("model_id", Uuid, primary_key=True),
    Column("detector", Text, nullable=False),
    Column("status", Text, nullable=False),  # active | retired | refused
    Column("features", ARRAY(Text), nullable=False),
    Column("weights", LargeBinary, nullable=False),  # safetensors
    Column("metadata", JSONB, nullable=False),  # losses, data range, library versions, settings
    _time("trained_until", nullable=False),
    _time("created_at", nullable=False),
)

login_score = Table(
    "login_score",
    metadata,
    *_event_key(),
    Column("outcome", Text, nullable=False),
    Column("score", REAL, nullable=False),
    Column("raw", REAL, nullable=False),
    Column("threshold", REAL, nullable=False),
    Column("alerted", Boolean, nullable=False),
    Column("model_id", Uuid, nullable=False),
    _time("scored_at", nullable=False),
    Column("contribution", ARRAY(REAL), nullable=False),  # in the order of model.features
    Column("observed", ARRAY(Text)),  # what happened, and what is usual, for logins worth explaining
    Column("usual", ARRAY(Text)),
)

threshold = Table(
    "threshold",
    metadata,
    Column("threshold_id", BigInteger, primary_key=True),
    Column("value", Double, nullable=False),
    _time("decided_at", nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("reviews_used", Integer, nullable=False),
    Column("expected_precision", Double),
    Column("expected_alerts_per_day", Double),
    Column("model_id", Uuid),
)

alert = Table(
    "alert",
    metadata,
    Column("alert_id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    _time("opened_at", nullable=False),
    _time("last_event_at", nullable=False),
    Column("score", REAL, nullable=False),
    Column("severity", Text, nullable=False),  # low | medium | high | critical
    Column("status", Text, nullable=False),  # open | confirmed | dismissed
    Column("headline", Text, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("campaign_id", Uuid),
    Column("thin_history", Boolean, nullable=False),
    _time("created_at", nullable=False),
    _time("updated_at", nullable=False),
)

#: The logins of an alert, with a copy of what they showed: a dropped partition takes nothing from an alert.
alert_event = Table(
    "alert_event",
    metadata,
    *_event_key(),
    Column("alert_id", Uuid, nullable=False),
    Column("score", REAL, nullable=False),
    Column("event", JSONB, nullable=False),  # the canonical columns
    Column("attribution", JSONB, nullable=False),  # [{feature, contribution, observed, usual}], largest first
    _time("learned_at"),  # when the login entered the baseline after all: dismissed, or its patience ran out
)

#: Every verdict ever given; the latest of an alert counts.
review = Table(
    "review",
    metadata,
    Column("review_id", Uuid, primary_key=True),
    Column("alert_id", Uuid, nullable=False),
    Column("verdict", Text, nullable=False),  # confirm | dismiss | undo
    Column("reviewer", Text, nullable=False),
    Column("reason", Text),
    Column("note", Text),
    _time("reviewed_at", nullable=False),
)

job_run = Table(
    "job_run",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("job", Text, nullable=False),
    Column("status", Text, nullable=False),  # running | succeeded | failed | abandoned
    _time("started_at", nullable=False),
    _time("finished_at"),
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
    _time("expires_at", nullable=False),
)
