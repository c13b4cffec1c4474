"""The tables of schema ``monitor``, as SQLAlchemy Core; the DDL itself is in ``migrations/``.

Conventions: ``account_id`` leads every key of an account's tables; partitioned tables carry ``occurred_at``
in their key; no foreign key crosses accounts or points into a partition, so old months can be dropped.
"""

from monitor.store.tables.access import audit, reviewer, sign_in_try, web_secret, web_session
from monitor.store.tables.alerts import alert, alert_event, assignment, comment, delivery, review, scoped_dismissal
from monitor.store.tables.base import metadata
from monitor.store.tables.logins import (
    account,
    login_event,
    quarantined_event,
    rejected_record,
    source_cursor,
    source_total,
    unscored_event,
)
from monitor.store.tables.operations import erasure, job_run, lease, pseudonym_key
from monitor.store.tables.scoring import (
    account_day,
    account_state,
    login_score,
    model,
    population_state,
    recalibration,
    score_day,
    threshold,
    traffic_state,
)

__all__ = [
    "account",
    "account_day",
    "account_state",
    "alert",
    "alert_event",
    "assignment",
    "audit",
    "comment",
    "delivery",
    "erasure",
    "job_run",
    "lease",
    "login_event",
    "login_score",
    "metadata",
    "model",
    "population_state",
    "pseudonym_key",
    "quarantined_event",
    "recalibration",
    "rejected_record",
    "review",
    "reviewer",
    "scoped_dismissal",
    "score_day",
    "sign_in_try",
    "source_cursor",
    "source_total",
    "threshold",
    "traffic_state",
    "unscored_event",
    "web_secret",
    "web_session",
]
