"""What scoring knows and says: baselines, population, models, scores, thresholds."""

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from monitor.store.tables.base import event_key, metadata, time

#: What is usual for one account: parallel arrays, an entry per (feature, value); weights decayed to ``updated_at``.
account_state = Table(
    "account_state",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    time("updated_at", nullable=False),
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
    time("updated_at", nullable=False),
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
    time("updated_at", nullable=False),
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
    time("trained_until", nullable=False),
    time("created_at", nullable=False),
)

login_score = Table(
    "login_score",
    metadata,
    *event_key(),
    Column("outcome", Text, nullable=False),
    Column("score", REAL, nullable=False),
    Column("raw", REAL, nullable=False),
    Column("threshold", REAL, nullable=False),
    Column("alerted", Boolean, nullable=False),
    Column("model_id", Uuid, nullable=False),
    time("scored_at", nullable=False),
    Column("contribution", ARRAY(REAL), nullable=False),  # in the order of model.features
    Column("observed", ARRAY(Text)),  # what happened, and what is usual, for logins worth explaining
    Column("usual", ARRAY(Text)),
    Column("threshold_id", BigInteger),
    Column("segment", Text),  # people | thin | service
)

threshold = Table(
    "threshold",
    metadata,
    Column("threshold_id", BigInteger, primary_key=True),
    Column("value", Double, nullable=False),
    time("decided_at", nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("reviews_used", Integer, nullable=False),
    Column("expected_precision", Double),
    Column("expected_alerts_per_day", Double),
    Column("model_id", Uuid),
    Column("offsets", JSONB, nullable=False),  # segment → what is added to value
    Column("weights", JSONB, nullable=False),  # feature → how much its evidence counts
    Column("audit", JSONB, nullable=False),  # [{depth, chance}], nearest first
    Column("spread", JSONB, nullable=False),  # of the verdicts behind it
    Column("precision_low", Double),
    Column("precision_high", Double),
    Column("missed", Double),
    Column("missed_low", Double),
    Column("missed_high", Double),
    Column("returns_to", BigInteger),
    time("held_until"),
)

#: Tails that replace a model's own calibration, the latest one counts.
recalibration = Table(
    "recalibration",
    metadata,
    Column("recalibration_id", BigInteger, primary_key=True),
    Column("model_id", Uuid, nullable=False),
    time("decided_at", nullable=False),
    time("since", nullable=False),
    time("until", nullable=False),
    Column("logins", Integer, nullable=False),
    Column("factor", Double, nullable=False),
    Column("tail", JSONB, nullable=False),
)

#: Scores summed up by account and day, and counted by day and tenth of a score; triggers of login_score keep them up.
account_day = Table(
    "account_day",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),  # UTC
    Column("risk", Double, nullable=False),
    Column("max_score", REAL, nullable=False),
    Column("events", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
)

score_day = Table(
    "score_day",
    metadata,
    Column("day", Date, primary_key=True),  # UTC
    Column("tenth", SmallInteger, primary_key=True),
    Column("logins", BigInteger, nullable=False),
    Column("alerted", BigInteger, nullable=False),
)
