"""What the pages of one alert and one account show."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from monitor.store.engine import find, find_one

#: Logins shown of one alert, and logins of one account in a picture.
MOST_EVENTS, MOST_LOGINS = 100, 4_000

Rows = Sequence[Any]


def find_alert(connection: Connection, alert_id: UUID) -> Any | None:
    """One alert with account, assignee, latest verdict, size of its campaign, and whom it may be assigned to.

    ``followers``, ``discussed`` and ``vouched`` say whether there is any of what most alerts have none of.
    """
    return find_one(
        connection,
        """
        SELECT t.*, a.user_name, g.assignee, latest.review_id, latest.verdict, latest.reviewer,
               ARRAY(SELECT name FROM monitor.reviewer WHERE disabled_at IS NULL AND role <> 'viewer' ORDER BY name)
                   AS names,
               (SELECT count(*) FROM monitor.alert c WHERE c.campaign_id = t.campaign_id) AS campaign_alerts,
               (SELECT count(*) FROM monitor.alert c WHERE c.campaign_id = t.campaign_id AND c.status = 'open')
                   AS campaign_open,
               (SELECT count(*) FROM monitor.alert_event v WHERE v.alert_id = t.alert_id AND v.follows) AS followers,
               latest.review_id IS NOT NULL OR EXISTS (SELECT FROM monitor.comment c WHERE c.alert_id = t.alert_id)
                   AS discussed,
               EXISTS (SELECT FROM monitor.scoped_dismissal s
                       WHERE s.account_id = t.account_id AND s.withdrawn_at IS NULL) AS vouched
        FROM monitor.alert t
        JOIN monitor.account a USING (account_id)
        LEFT JOIN monitor.assignment g USING (alert_id)
        LEFT JOIN LATERAL (
            SELECT r.review_id, r.verdict, r.reviewer FROM monitor.review r
            WHERE r.alert_id = t.alert_id ORDER BY r.reviewed_at DESC, r.review_id DESC LIMIT 1
        ) latest ON true
        WHERE t.alert_id = :id
        """,
        {"id": alert_id},
    )


def alert_events(
    connection: Connection, alert_id: UUID, limit: int = MOST_EVENTS, *, explained: int = 1, follows: bool = False
) -> Rows:
    """The logins of an alert, or those that followed it more quietly, oddest first: the copies it keeps.

    The first ``explained`` come with their attributions, which are much to read for a burst of hundreds.
    """
    return find(
        connection,
        """
        SELECT source, event_id, occurred_at, score, event,
               CASE WHEN row_number() OVER (ORDER BY score DESC, occurred_at) <= :explained THEN attribution END
                   AS attribution
        FROM monitor.alert_event
        WHERE alert_id = :id AND follows = :follows ORDER BY score DESC, occurred_at LIMIT :limit
        """,
        {"id": alert_id, "limit": limit, "explained": explained, "follows": follows},
    )


def timeline(connection: Connection, alert_id: UUID) -> Rows:
    """What reviewers did and said about an alert, oldest first: at, who, verdict (NULL: a comment), reason, body."""
    return find(
        connection,
        """
        SELECT r.reviewed_at AS at, r.reviewer AS who, r.verdict, r.reason, r.note AS body, s.feature, s.value,
               s.valid_until, s.withdrawn_at
        FROM monitor.review r LEFT JOIN monitor.scoped_dismissal s ON s.scope_id = r.review_id
        WHERE r.alert_id = :id
        UNION ALL
        SELECT created_at, author, NULL, NULL, body, NULL, NULL, NULL, NULL FROM monitor.comment
        WHERE alert_id = :id
        ORDER BY at
        """,
        {"id": alert_id},
    )


def find_account(connection: Connection, account_id: UUID) -> Any | None:
    """An account with its name, and when it was seen first and last (None: its logins are gone)."""
    query = """
        SELECT account_id, user_name, first_seen_at, (
            SELECT max(e.occurred_at) FROM reporting.login_event e WHERE e.user_name = a.user_name) AS last_seen_at
        FROM monitor.account a WHERE account_id = :id
        """
    return find_one(connection, query, {"id": account_id})


def alerts_of(connection: Connection, account_id: UUID, limit: int, but: UUID | None = None) -> Rows:
    """The latest alerts of an account, with the latest verdict of each."""
    return find(
        connection,
        """
        SELECT t.alert_id, t.opened_at, t.score, t.severity, t.status, t.headline, latest.reviewer, latest.reason
        FROM monitor.alert t
        LEFT JOIN LATERAL (
            SELECT r.reviewer, r.reason FROM monitor.review r
            WHERE r.alert_id = t.alert_id ORDER BY r.reviewed_at DESC, r.review_id DESC LIMIT 1
        ) latest ON true
        WHERE t.account_id = :id AND t.alert_id IS DISTINCT FROM CAST(:but AS uuid)
        ORDER BY t.last_event_at DESC, t.alert_id DESC LIMIT :limit
        """,
        {"id": account_id, "but": but, "limit": limit},
    )


def scopes_of(connection: Connection, account_id: UUID, now: datetime) -> Rows:
    """What standing dismissals vouch for, the first to end first."""
    return find(
        connection,
        """
        SELECT scope_id, alert_id, feature, value, reviewer, created_at, valid_until FROM monitor.scoped_dismissal
        WHERE account_id = :id AND withdrawn_at IS NULL AND valid_until > :now ORDER BY valid_until, scope_id
        """,
        {"id": account_id, "now": now},
    )


def logins(
    connection: Connection,
    user_name: str,
    since: datetime,
    until: datetime,
    limit: int = MOST_LOGINS,
    skipped: int = 0,
) -> Rows:
    """The latest ``limit`` logins of an account in [since, until), newest first, with score and raw where scored.

    Every score has its login, so that joining in full adds none; but it cannot be done by looking up one score after
    another, as PostgreSQL otherwise does where it plans for any account and any time.
    """
    return find(
        connection,
        """
        SELECT e.occurred_at, e.source, e.event_id, e.outcome, host(e.ip) AS ip, e.country, e.city, e.latitude,
               e.longitude, e.asn, e.device_id, e.browser, e.os, e.application, e.auth_method,
               e.network_kind, s.score, s.raw, s.alerted
        FROM (SELECT * FROM reporting.login_event
              WHERE user_name = :name AND occurred_at >= :since AND occurred_at < :until) e
        FULL JOIN (SELECT source, event_id, occurred_at, score, raw, alerted FROM reporting.login_score
                   WHERE user_name = :name AND occurred_at >= :since AND occurred_at < :until) s
            USING (source, event_id, occurred_at)
        ORDER BY e.occurred_at DESC, e.source, e.event_id LIMIT :limit OFFSET :skipped
        """,
        {"name": user_name, "since": since, "until": until, "limit": limit, "skipped": skipped},
    )


def dots(connection: Connection, account_id: UUID, user_name: str, since: datetime, until: datetime) -> Rows:
    """What a picture shows of an account's logins in [since, until), the latest first: when, where, if an alert has it.

    The alerts know their logins, so that the scores, as many again as there are logins, need not be read.
    """
    return find(
        connection,
        """
        SELECT e.occurred_at, e.source, e.event_id, e.city, e.country, (e.source, e.event_id) IN (
                   SELECT source, event_id FROM monitor.alert_event WHERE account_id = :id AND NOT follows) AS alerted
        FROM reporting.login_event e
        WHERE e.user_name = :name AND e.occurred_at >= :since AND e.occurred_at < :until
        ORDER BY e.occurred_at DESC LIMIT :limit
        """,
        {"id": account_id, "name": user_name, "since": since, "until": until, "limit": MOST_LOGINS},
    )


def baseline(connection: Connection, user_name: str, most: int = 5) -> Rows:
    """What is usual for an account: of each feature the ``most`` frequent values, with shares."""
    return find(
        connection,
        """
        SELECT feature, value, share, last_seen_at FROM (
            SELECT feature, value, share, last_seen_at,
                   row_number() OVER (PARTITION BY feature ORDER BY share DESC, value) AS place
            FROM reporting.baseline WHERE user_name = :name
        ) ranked
        WHERE place <= :most OR feature IN ('hour', 'weekday') ORDER BY feature, share DESC, value
        """,
        {"name": user_name, "most": most},
    )


def risk(connection: Connection, user_name: str, since: datetime, until: datetime) -> Rows:
    """Risk of one account by day (UTC)."""
    return find(
        connection,
        """
        SELECT day, max_score, events, risk FROM reporting.user_risk
        WHERE user_name = :name AND day >= CAST(:since AS timestamptz)::date
          AND day <= CAST(:until AS timestamptz)::date ORDER BY day
        """,
        {"name": user_name, "since": since, "until": until},
    )
