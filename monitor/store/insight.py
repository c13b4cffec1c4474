"""What the pages about the model and the thresholds show."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from monitor.store.engine import statement

Rows = Sequence[Row[Any]]

#: Logins on either side of a comparison of features.
SAMPLE = 2_000


def models(connection: Connection, limit: int = 20) -> Rows:
    return connection.execute(
        statement(
            """
            SELECT model_id, detector, status, features, metadata, trained_until, created_at FROM reporting.model
            ORDER BY status = 'active' DESC, created_at DESC LIMIT :limit
            """
        ),
        {"limit": limit},
    ).all()


def newest_score(connection: Connection) -> datetime | None:
    """When the latest scored login occurred; None before the first score."""
    found: datetime | None = connection.scalar(statement("SELECT max(occurred_at) FROM monitor.login_score"))
    return found


def score_histogram(connection: Connection, newest: datetime, days: int) -> Rows:
    """Logins by score in steps of 0.25 over the last days: step, logins."""
    return connection.execute(
        statement(
            """
            SELECT least(floor(score * 4), 40)::int AS step, count(*) AS logins FROM monitor.login_score
            WHERE occurred_at > :since AND occurred_at <= :newest GROUP BY 1 ORDER BY 1
            """
        ),
        {"since": newest - timedelta(days=days), "newest": newest},
    ).all()


def daily_shares(connection: Connection, newest: datetime, days: int) -> Rows:
    """By day: logins, and the share with a score of 2 and more, which is 1 % while the calibration holds."""
    return connection.execute(
        statement(
            """
            SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, count(*) AS logins,
                   avg((score >= 2)::int)::double precision AS share
            FROM monitor.login_score WHERE occurred_at > :since AND occurred_at <= :newest GROUP BY 1 ORDER BY 1
            """
        ),
        {"since": newest - timedelta(days=days), "newest": newest},
    ).all()


def feature_drift(connection: Connection, model_id: Any) -> Rows:
    """Mean contribution of each feature in the first and the latest ``SAMPLE`` logins that a model scored."""
    return connection.execute(
        statement(
            """
            WITH first AS MATERIALIZED (
                SELECT contribution FROM monitor.login_score WHERE model_id = :model ORDER BY occurred_at LIMIT :sample
            ), latest AS MATERIALIZED (
                SELECT contribution FROM monitor.login_score WHERE model_id = :model
                ORDER BY occurred_at DESC LIMIT :sample
            ), sides AS (
                SELECT n, avg(part) AS first, NULL::float AS latest
                FROM first, unnest(contribution) WITH ORDINALITY AS u (part, n) GROUP BY n
                UNION ALL
                SELECT n, NULL, avg(part) FROM latest, unnest(contribution) WITH ORDINALITY AS u (part, n) GROUP BY n
            )
            SELECT m.features[n] AS feature, max(first) AS first, max(latest) AS latest
            FROM sides JOIN reporting.model m ON m.model_id = :model GROUP BY 1 ORDER BY max(latest) DESC
            """
        ),
        {"model": model_id, "sample": SAMPLE},
    ).all()


def thresholds(connection: Connection, limit: int = 100) -> Rows:
    return connection.execute(
        statement(
            """
            SELECT threshold_id, value, decided_at, decided_by, basis, reviews_used, expected_precision,
                   expected_alerts_per_day, model_id, offsets, weights, audit, spread, precision_low, precision_high,
                   missed, missed_low, missed_high, returns_to, held_until
            FROM reporting.threshold ORDER BY threshold_id DESC LIMIT :limit
            """
        ),
        {"limit": limit},
    ).all()


def proposal(connection: Connection) -> Row[Any] | None:
    """What the latest scheduled calibration weighed, and when; None before the first."""
    return connection.execute(
        statement(
            """
            SELECT finished_at, counts FROM reporting.job_run
            WHERE job = 'calibrate' AND status = 'succeeded' AND counts ? 'proposed' ORDER BY started_at DESC LIMIT 1
            """
        )
    ).first()


def what_if(connection: Connection, value: float, offsets: Mapping[str, float], days: int) -> Row[Any]:
    """What another threshold would do: past verdicts that would flip, and account-days over it lately.

    ``offsets`` are added by kind of account. Scores are taken as they were given.
    """
    return connection.execute(
        statement(
            """
            WITH judged AS (
                SELECT status, audit_chance IS NOT NULL AS audited,
                       score >= :value + coalesce((CAST(:offsets AS jsonb)->>segment)::float, 0) AS over
                FROM reporting.alert WHERE status <> 'open'
            ), newest AS (
                SELECT max(occurred_at) AS moment FROM monitor.login_score
            ), lately AS (
                SELECT DISTINCT user_name, (occurred_at AT TIME ZONE 'UTC')::date
                FROM reporting.login_score, newest
                WHERE occurred_at > moment - make_interval(days => :days)
                  AND score >= :value + coalesce((CAST(:offsets AS jsonb)->>segment)::float, 0)
            )
            SELECT count(*) FILTER (WHERE NOT audited AND NOT over AND status = 'dismissed') AS dismissed_silenced,
                   count(*) FILTER (WHERE NOT audited AND NOT over AND status = 'confirmed') AS confirmed_silenced,
                   count(*) FILTER (WHERE audited AND over AND status = 'dismissed') AS dismissed_raised,
                   count(*) FILTER (WHERE audited AND over AND status = 'confirmed') AS confirmed_raised,
                   (SELECT count(*) FROM lately)::float / :days AS per_day
            FROM judged
            """
        ),
        {"value": value, "offsets": json.dumps(dict(offsets)), "days": days},
    ).one()


def contradictions(connection: Connection, limit: int = 20) -> Rows:
    """Alerts on which the latest words of two reviewers differ, the latest first."""
    return connection.execute(
        statement(
            """
            SELECT t.alert_id, t.headline, t.user_name,
                   string_agg(said.reviewer || ': ' || said.verdict, ', ' ORDER BY said.reviewer) AS words
            FROM (
                SELECT DISTINCT ON (alert_id, reviewer) alert_id, reviewer, verdict, reviewed_at FROM reporting.review
                ORDER BY alert_id, reviewer, reviewed_at DESC, review_id DESC
            ) said JOIN reporting.alert t USING (alert_id)
            WHERE said.verdict <> 'undo'
            GROUP BY t.alert_id, t.headline, t.user_name HAVING count(DISTINCT said.verdict) > 1
            ORDER BY max(said.reviewed_at) DESC LIMIT :limit
            """
        ),
        {"limit": limit},
    ).all()


def recalibrations(connection: Connection, limit: int = 20) -> Rows:
    """When the score was calibrated anew, the latest first."""
    return connection.execute(
        statement("SELECT * FROM reporting.recalibration ORDER BY recalibration_id DESC LIMIT :limit"), {"limit": limit}
    ).all()


def quality(connection: Connection, weeks: int = 26) -> Rows:
    """Alerts, verdicts and precision by week, newest first."""
    return connection.execute(
        statement(
            """
            SELECT week, alerts, reviewed, confirmed, dismissed, "precision" FROM reporting.detection_quality
            ORDER BY week DESC LIMIT :weeks
            """
        ),
        {"weeks": weeks},
    ).all()


def runs(connection: Connection, limit: int = 100) -> Rows:
    return connection.execute(
        statement(
            """
            SELECT job, status, started_at, finished_at, round(seconds::numeric, 1)::float AS seconds, error, counts
            FROM reporting.job_run ORDER BY started_at DESC LIMIT :limit
            """
        ),
        {"limit": limit},
    ).all()


def refused(connection: Connection, limit: int = 20) -> Rows:
    """What was not taken in or could not be scored, by reason: kind, source (of records), reason, records, latest."""
    return connection.execute(
        statement(
            """
            (SELECT 'rejected' AS kind, source, reason, count(*) AS records, max(rejected_at) AS latest
             FROM monitor.rejected_record GROUP BY source, reason ORDER BY records DESC LIMIT :limit)
            UNION ALL
            (SELECT 'quarantined', NULL, reason, count(*) AS records, max(quarantined_at)
             FROM monitor.quarantined_event GROUP BY reason ORDER BY records DESC LIMIT :limit)
            ORDER BY kind, records DESC
            """
        ),
        {"limit": limit},
    ).all()
