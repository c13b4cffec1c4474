"""Notices: decided once, then claimed, sent and marked until they arrive or are given up.

A claim is a lease by the database's clock, so that of any number of processes one sends a notice at a time, and none
for ever when it dies. ``attempts`` tells a claim from a later one of the same notice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from monitor.channels import AlertNotice, DigestLine, DigestNotice

SEVERITIES = ("low", "medium", "high", "critical")

#: Lines of a digest.
MOST_LINES = 10


@dataclass(frozen=True)
class Claim:
    """A notice that this process may send now, about an alert (``alert_id``, ``severity``) or a day (``digest_on``)."""

    delivery_id: UUID
    kind: str
    alert_id: UUID | None
    severity: str | None
    digest_on: date | None
    decided_at: datetime
    attempts: int


@dataclass(frozen=True)
class Wanted:
    """What a channel wants to be told: alerts of at least that severity, those of a campaign each or only the worst."""

    channel: str
    least: str
    campaigns_once: bool = False


def decide(connection: Connection, wanted: Wanted, since: datetime, now: datetime) -> int:
    """Decide to tell each open alert that is wanted and changed ``since``; returns the notices added.

    An alert is told once for each severity it reaches. A notice that nobody has tried to send yet tells the worst.
    """
    values = {
        "channel": wanted.channel,
        "least": list(at_least(wanted.least)),
        "once": wanted.campaigns_once,
        "order": list(SEVERITIES),
        "since": since,
        "now": now,
    }
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('delivery ' || :channel, 0))"), {"channel": wanted.channel}
    )
    connection.execute(
        text(
            """
            UPDATE monitor.delivery d SET severity = t.severity FROM monitor.alert t
            WHERE d.channel = :channel AND d.status = 'pending' AND d.attempts = 0 AND t.alert_id = d.alert_id
                AND t.status = 'open'
                AND array_position(:order, t.severity) > array_position(:order, d.severity)
                AND NOT EXISTS (SELECT FROM monitor.delivery e
                    WHERE (e.channel, e.alert_id, e.severity) = (d.channel, d.alert_id, t.severity))
            """
        ),
        values,
    )
    return connection.execute(
        text(
            """
            INSERT INTO monitor.delivery (channel, alert_id, severity, kind, status, attempts, next_try_at, decided_at)
            SELECT DISTINCT ON (CASE WHEN :once THEN coalesce(t.campaign_id, t.alert_id) ELSE t.alert_id END)
                :channel, alert_id, severity,
                CASE WHEN EXISTS (SELECT FROM monitor.delivery e WHERE (e.channel, e.alert_id) = (:channel, t.alert_id))
                    THEN 'worsened' ELSE 'opened' END,
                'pending', 0, CAST(:now AS timestamptz), CAST(:now AS timestamptz)
            FROM monitor.alert t
            WHERE status = 'open' AND updated_at >= :since AND severity = ANY(:least)
                AND NOT (:once AND campaign_id IS NOT NULL AND EXISTS (
                    SELECT FROM monitor.alert k JOIN monitor.delivery e USING (alert_id)
                    WHERE k.campaign_id = t.campaign_id AND e.channel = :channel
                        AND array_position(:order, e.severity) >= array_position(:order, t.severity)))
            ORDER BY CASE WHEN :once THEN coalesce(t.campaign_id, t.alert_id) ELSE t.alert_id END,
                array_position(:order, t.severity) DESC, score DESC, alert_id
            ON CONFLICT (channel, alert_id, severity) DO NOTHING
            """
        ),
        values,
    ).rowcount


def decide_digest(connection: Connection, channel: str, day: date, now: datetime) -> int:
    """Decide to tell the digest of that day; 0 when that was decided before."""
    return connection.execute(
        text(
            """
            INSERT INTO monitor.delivery (channel, kind, digest_on, status, attempts, next_try_at, decided_at)
            VALUES (:channel, 'digest', :day, 'pending', 0, :now, :now) ON CONFLICT (channel, digest_on) DO NOTHING
            """
        ),
        {"channel": channel, "day": day, "now": now},
    ).rowcount


def bury(connection: Connection, channel: str, most: int) -> int:
    """Give up what was claimed ``most`` times by processes that died before they could mark it; returns how many."""
    return connection.execute(
        text(
            """
            UPDATE monitor.delivery
            SET status = 'dead', error = coalesce(error, 'each process that sent it ended early')
            WHERE channel = :channel AND status = 'pending' AND attempts >= :most AND leased_until <= clock_timestamp()
            """
        ),
        {"channel": channel, "most": most},
    ).rowcount


def claim(connection: Connection, channel: str, now: datetime, seconds: float, *, critical_only: bool) -> Claim | None:
    """Take the notice that has been due longest for ``seconds``; None when none is due and free."""
    row = connection.execute(
        text(
            """
            UPDATE monitor.delivery
            SET attempts = attempts + 1, leased_until = clock_timestamp() + make_interval(secs => :seconds)
            WHERE delivery_id = (
                SELECT delivery_id FROM monitor.delivery
                WHERE channel = :channel AND status = 'pending' AND next_try_at <= :now
                    AND (leased_until IS NULL OR leased_until <= clock_timestamp())
                    AND (NOT :critical_only OR severity = 'critical')
                ORDER BY next_try_at, delivery_id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING delivery_id, kind, alert_id, severity, digest_on, decided_at, attempts
            """
        ),
        {"channel": channel, "now": now, "seconds": seconds, "critical_only": critical_only},
    ).first()
    return Claim(**row._mapping) if row is not None else None


def alert_notice(connection: Connection, claim: Claim, link: str | None) -> AlertNotice | None:
    """What there is to tell of the alert; None when it is gone (its person was forgotten)."""
    row = connection.execute(
        text(
            """
            SELECT t.alert_id, a.user_name, t.status, t.score, t.headline, t.event_count, t.opened_at, t.last_event_at,
                t.campaign_id, coalesce(v.event, '{}') AS event, coalesce(v.attribution, '[]') AS reasons,
                (SELECT greatest(1, count(DISTINCT account_id)) FROM monitor.alert k
                    WHERE k.campaign_id = t.campaign_id) AS accounts
            FROM monitor.alert t
            JOIN monitor.account a USING (account_id)
            LEFT JOIN LATERAL (
                SELECT event, attribution FROM monitor.alert_event v WHERE v.alert_id = t.alert_id
                ORDER BY v.follows, v.score DESC, v.occurred_at LIMIT 1
            ) v ON true
            WHERE t.alert_id = :alert
            """
        ),
        {"alert": claim.alert_id},
    ).first()
    if row is None:
        return None
    about: dict[str, Any] = {
        "key": claim.delivery_id,
        "kind": claim.kind,
        "severity": claim.severity,
        "decided_at": claim.decided_at,
    }
    return AlertNotice(**row._mapping, **about, link=link)


def digest_notice(
    connection: Connection, claim: Claim, since: datetime, until: datetime, least: str, link: str | None
) -> DigestNotice:
    """What opened in [since, until), of at least that severity; a campaign is one, with its worst alert."""
    values = {"since": since, "until": until, "least": list(at_least(least)), "lines": MOST_LINES}
    rows = connection.execute(text(_DIGEST), values).all()
    waiting = text("SELECT count(*) FROM monitor.alert WHERE status = 'open' AND severity = ANY(:least)")
    counts = {severity: sum(row.severity == severity for row in rows) for severity in reversed(SEVERITIES)}
    return DigestNotice(
        key=claim.delivery_id,
        decided_at=claim.decided_at,
        since=since,
        until=until,
        opened={severity: count for severity, count in counts.items() if count},
        waiting=connection.scalar(waiting, values) or 0,
        worst=[DigestLine(**row._mapping) for row in rows[:MOST_LINES]],
        link=link,
    )


_DIGEST = """
    SELECT * FROM (
        SELECT DISTINCT ON (coalesce(t.campaign_id, t.alert_id)) t.alert_id, a.user_name, t.severity, t.status, t.score,
            t.headline, count(*) OVER (PARTITION BY coalesce(t.campaign_id, t.alert_id)) AS accounts
        FROM monitor.alert t JOIN monitor.account a USING (account_id)
        WHERE t.created_at >= :since AND t.created_at < :until AND t.severity = ANY(:least)
        ORDER BY coalesce(t.campaign_id, t.alert_id), t.score DESC, t.alert_id
    ) AS decisions
    ORDER BY score DESC, alert_id
"""


def delivered(connection: Connection, claim: Claim, now: datetime) -> None:
    """It arrived, whatever others think of it by now."""
    connection.execute(
        text(
            """
            UPDATE monitor.delivery SET status = 'delivered', delivered_at = :now, error = NULL, leased_until = NULL
            WHERE delivery_id = :id
            """
        ),
        {"id": claim.delivery_id, "now": now},
    )


def failed(connection: Connection, claim: Claim, error: str, next_try_at: datetime | None) -> None:
    """It did not arrive: try again then, or (None) never. Means nothing once the lease is another's."""
    connection.execute(
        text(
            """
            UPDATE monitor.delivery SET error = :error, leased_until = NULL,
                status = CASE WHEN CAST(:next AS timestamptz) IS NULL THEN 'dead' ELSE 'pending' END,
                next_try_at = coalesce(:next, next_try_at)
            WHERE delivery_id = :id AND status = 'pending' AND attempts = :attempts
            """
        ),
        {"id": claim.delivery_id, "attempts": claim.attempts, "error": _storable(error), "next": next_try_at},
    )


def withdraw(connection: Connection, claim: Claim) -> None:
    """There is nothing to tell any more."""
    connection.execute(text("DELETE FROM monitor.delivery WHERE delivery_id = :id"), {"id": claim.delivery_id})


def revive(connection: Connection, channel: str | None, now: datetime) -> int:
    """Let dead notices (of one channel, or of all) be tried again, as often as new ones; returns how many."""
    return connection.execute(
        text(
            """
            UPDATE monitor.delivery SET status = 'pending', attempts = 0, next_try_at = :now, leased_until = NULL
            WHERE status = 'dead' AND channel = coalesce(:channel, channel)
            """
        ),
        {"channel": channel, "now": now},
    ).rowcount


def summary(connection: Connection) -> Mapping[str, Row[Any]]:
    """By channel: pending, dead, delivered, delivered_at (of the latest), error (the latest of those not delivered)."""
    rows = connection.execute(
        text(
            """
            SELECT channel, count(*) FILTER (WHERE status = 'pending') AS pending,
                count(*) FILTER (WHERE status = 'dead') AS dead,
                count(*) FILTER (WHERE status = 'delivered') AS delivered, max(delivered_at) AS delivered_at,
                (array_agg(error ORDER BY next_try_at DESC) FILTER (WHERE error IS NOT NULL))[1] AS error
            FROM monitor.delivery GROUP BY channel
            """
        )
    )
    return {row.channel: row for row in rows}


def at_least(severity: str) -> Sequence[str]:
    """That severity and the worse ones."""
    return SEVERITIES[SEVERITIES.index(severity) :]


def _storable(error: str) -> str:
    return " ".join(error.replace("\0", " ").split())[:500].encode(errors="replace").decode()
