"""Alerts, what reviewers say of them, and who is told."""

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Integer,
    Table,
    Text,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from monitor.store.tables.access import reviewer
from monitor.store.tables.base import event_key, metadata, time

alert = Table(
    "alert",
    metadata,
    Column("alert_id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    time("opened_at", nullable=False),
    time("last_event_at", nullable=False),
    Column("score", REAL, nullable=False),
    Column("severity", Text, nullable=False),  # low | medium | high | critical
    Column("status", Text, nullable=False),  # open | confirmed | dismissed
    Column("headline", Text, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("campaign_id", Uuid),
    Column("thin_history", Boolean, nullable=False),
    time("created_at", nullable=False),
    time("updated_at", nullable=False),
    Column("segment", Text),  # people | thin | service
    Column("audit_chance", Double),  # of a login that did not alert, and was drawn for the audit sample
)

#: The logins of an alert, with a copy of what they showed: a dropped partition takes nothing from an alert.
alert_event = Table(
    "alert_event",
    metadata,
    *event_key(),
    Column("alert_id", Uuid, nullable=False),
    Column("score", REAL, nullable=False),
    Column("event", JSONB, nullable=False),  # the canonical columns
    Column("attribution", JSONB, nullable=False),  # [{feature, contribution, observed, usual}], largest first
    time("learned_at"),  # when the login entered the baseline after all: dismissed, or its patience ran out
    Column("threshold_id", BigInteger),
    Column("follows", Boolean, nullable=False, server_default=false()),  # it did not alert: it followed what did
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
    time("reviewed_at", nullable=False),
)

comment = Table(
    "comment",
    metadata,
    Column("comment_id", Uuid, primary_key=True),
    Column("alert_id", Uuid, nullable=False),
    Column("author", Text, nullable=False),
    Column("body", Text, nullable=False),
    time("created_at", nullable=False),
)

assignment = Table(
    "assignment",
    metadata,
    Column("alert_id", Uuid, primary_key=True),
    Column("assignee", Text, ForeignKey(reviewer.c.name)),
    Column("assigned_by", Text, nullable=False),
    time("assigned_at", nullable=False),
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
    time("created_at", nullable=False),
    time("valid_until", nullable=False),
    time("withdrawn_at"),
)

#: What was to be told through which channel: an alert that reached a severity, or the digest of a day.
delivery = Table(
    "delivery",
    metadata,
    Column("channel", Text, nullable=False),
    Column("alert_id", Uuid),
    Column("severity", Text),
    Column("status", Text, nullable=False),  # pending | delivered | dead
    Column("attempts", Integer, nullable=False),
    time("next_try_at", nullable=False),
    Column("error", Text),
    time("decided_at", nullable=False),
    time("delivered_at"),
    Column("delivery_id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("kind", Text, nullable=False, server_default="opened"),  # opened | worsened | digest
    Column("digest_on", Date),
    time("leased_until"),
)
