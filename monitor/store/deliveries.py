"""Notices of alerts: decided once for each severity an alert reaches, then tried until they arrive or are given up."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from monitor.channels import Notice

SEVERITIES = ("low", "medium", "high", "critical")


def decide(connection: Connection, channel: str, least: str, since: datetime, now: datetime) -> int:
    """Decide on a notice for each open alert of at least this severity that changed ``since``; returns how many."""
    return connection.execute(
        text(
            """
            INSERT INTO monitor.delivery (channel, alert_id, severity, status, attempts, next_try_at, decided_at)
            SELECT :channel, alert_id, severity, 'pending', 0, :now, :now FROM monitor.alert
            WHERE status = 'open' AND updated_at >= :since AND severity = ANY(:severities)
            ON CONFLICT DO NOTHING
            """
        ),
        {"channel": channel, "now": now, "since": since, "severities": list(SEVERITIES[SEVERITIES.index(least) :])},
    ).rowcount


def claim(connection: Connection, channel: str, now: datetime, lease: timedelta) -> Notice | None:
    """Take the oldest notice that is due, so that nobody else sends it before the ``lease`` ends."""
    row = connection.execute(
        text(
            """
            UPDATE monitor.delivery d SET attempts = attempts + 1, next_try_at = :leased
            FROM monitor.alert t JOIN monitor.account a USING (account_id)
            WHERE t.alert_id = d.alert_id AND (d.channel, d.alert_id, d.severity) = (
                SELECT channel, alert_id, severity FROM monitor.delivery
                WHERE channel = :channel AND status = 'pending' AND next_try_at <= :now
                ORDER BY next_try_at, alert_id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING d.alert_id || ':' || d.severity AS key, d.alert_id, a.user_name, d.severity, t.score, t.headline,
                t.event_count, t.opened_at, t.last_event_at
            """
        ),
        {"channel": channel, "now": now, "leased": now + lease},
    ).first()
    return Notice(**row._mapping) if row is not None else None


def delivered(connection: Connection, channel: str, notice: Notice, now: datetime) -> None:
    connection.execute(
        text(
            """
            UPDATE monitor.delivery SET status = 'delivered', delivered_at = :now, error = NULL
            WHERE (channel, alert_id, severity) = (:channel, :alert, :severity)
            """
        ),
        {"channel": channel, "alert": notice.alert_id, "severity": notice.severity, "now": now},
    )


def failed(connection: Connection, channel: str, notice: Notice, error: str, now: datetime, most: int) -> None:
    """Try again after a pause that grows; after ``most`` tries the notice is dead."""
    connection.execute(
        text(
            """
            UPDATE monitor.delivery SET error = :error, next_try_at = :now + least(attempts, 10) ^ 2 * interval '30 s',
                status = CASE WHEN attempts >= :most THEN 'dead' ELSE 'pending' END
            WHERE (channel, alert_id, severity) = (:channel, :alert, :severity)
            """
        ),
        {
            "channel": channel,
            "alert": notice.alert_id,
            "severity": notice.severity,
            "error": error[:500],
            "now": now,
            "most": most,
        },
    )
