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
    ForeignKey,
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
    Column("last_seen", ARRAY(Double), nullable=False),  # seconds since the epoch
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

#: What was to be told of which alert through which channel.
delivery = Table(
    "delivery",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("alert_id", Uuid, primary_key=True),
    Column("severity", Text, primary_key=True),
    Column("status", Text, nullable=False),  # pending | delivered | dead
    Column("attempts", Integer, nullable=False),
    _time("next_try_at", nullable=False),
    Column("error", Text),
    _time("decided_at", nullable=False),
    _time("delivered_at"),
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
    _time("created_at", nullable=False),
    _time("password_changed_at", nullable=False),
    _time("disabled_at"),
)

#: Signed-in browsers; a session ends when its row goes.
web_session = Table(
    "web_session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),  # sha256: who reads the table cannot take a session over
    Column("reviewer", Text, ForeignKey(reviewer.c.name), nullable=False),
    _time("created_at", nullable=False),
    _time("seen_at", nullable=False),
    Column("address", Text, nullable=False),
)

sign_in_try = Table(
    "sign_in_try",
    metadata,
    Column("try_id", Uuid, primary_key=True),
    Column("reviewer", Text, nullable=False),  # the name that was given, whether anybody has it or not
    Column("address", Text, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    _time("tried_at", nullable=False),
)

#: The one key that signs cookies and forms.
web_secret = Table(
    "web_secret",
    metadata,
    Column("secret", LargeBinary, nullable=False),
    Column("single", Boolean, primary_key=True, server_default="true"),
)

comment = Table(
    "comment",
    metadata,
    Column("comment_id", Uuid, primary_key=True),
    Column("alert_id", Uuid, nullable=False),
    Column("author", Text, nullable=False),
    Column("body", Text, nullable=False),
    _time("created_at", nullable=False),
)

assignment = Table(
    "assignment",
    metadata,
    Column("alert_id", Uuid, primary_key=True),
    Column("assignee", Text, ForeignKey(reviewer.c.name)),
    Column("assigned_by", Text, nullable=False),
    _time("assigned_at", nullable=False),
)

#: What a dismissal vouches for: ``value`` of ``feature`` of this account's logins, until ``valid_until``.
scoped_dismissal = Table(
    "scoped_dismissal",
    metadata,
    Column("scope_id", Uuid, primary_key=True),  # the review_id of the dismissal
    Column("alert_id", Uuid, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("feature", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("reviewer", Text, nullable=False),
    _time("created_at", nullable=False),
    _time("valid_until", nullable=False),
    _time("withdrawn_at"),
)

#: Written by ``monitor.audit_append`` alone; each hash covers the row and the hash before it.
audit = Table(
    "audit",
    metadata,
    Column("audit_id", BigInteger, primary_key=True),
    _time("occurred_at", nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("address", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
