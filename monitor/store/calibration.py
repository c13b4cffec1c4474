"""What calibration goes by, read from the tables into columns."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Row, text

from monitor.calibration import Judgements, Recent
from monitor.columns import Floats
from monitor.rule import AlertRule
from monitor.sequences import Rows
from monitor.store import thresholds
from monitor.store.copy import cursor_of

#: Logins scored below this are counted, but not looked at: nine of ten.
ODD = 1.0

#: Logins that calibration looks back at, most; where more come in a day, a day.
MOST_LOGINS = 1_000_000


def recent(
    connection: Connection, model_id: UUID, features: tuple[str, ...], until: datetime, most: timedelta
) -> Recent | None:
    """The logins scored in the ``most`` before ``until`` (exclusive); None without any. ``model_id`` is at work."""
    totals = _by_day(connection, until - most, until)
    if not totals:
        return None
    kept = max(int((np.cumsum(totals) <= MOST_LOGINS).sum()), 1)
    since = connection.scalar(
        text("SELECT min(occurred_at) FROM monitor.login_score WHERE occurred_at >= :earliest"),
        {"earliest": until - min(most, timedelta(days=kept))},
    )
    with cursor_of(connection, binary=True) as cursor:
        cursor.execute(_ODD, (_calibrated_since(connection, model_id), model_id, since, until, ODD))
        rows = cursor.fetchall()
    account, time, contribution, names, score, same, segment, alert, campaign, standing, ids = (
        zip(*rows, strict=True) if rows else [()] * 11
    )
    given = _given(list(zip(names, contribution, strict=True)), features)
    return Recent(
        features,
        time=np.array(time, np.float64),
        evidence=given / _weights(connection, np.array(ids, np.int64), features),
        raw=given.sum(axis=1, dtype=np.float64),
        score=np.array(score, np.float64),
        same=np.array(same, bool),
        segment=np.array(segment, object),
        account=pd.factorize(np.array(account, object))[0],
        alert=pd.factorize(np.array(alert, object))[0],
        campaign=pd.factorize(np.array(campaign, object))[0],
        standing=np.array(standing, object),
        totals=totals[:kept],
        since=since,
        until=until,
    )


#: Below ``ODD`` logins are counted only. What scored higher than its threshold and did not alert was vouched for.
_ODD = """
    SELECT s.account_id::text, extract(epoch FROM s.occurred_at)::double precision, s.contribution, m.features,
           s.score, s.occurred_at >= %s AND s.model_id = %s, coalesce(s.segment, 'people'),
           CASE WHEN t.audit_chance IS NULL THEN t.alert_id::text END, t.campaign_id::text,
           coalesce(t.status, ''), coalesce(s.threshold_id, 0)
    FROM monitor.login_score s
    JOIN monitor.model m USING (model_id)
    LEFT JOIN monitor.alert_event v USING (account_id, source, event_id, occurred_at)
    LEFT JOIN monitor.alert t USING (alert_id)
    WHERE s.occurred_at >= %s AND s.occurred_at < %s AND s.score >= %s AND (s.alerted OR s.score < s.threshold)
    ORDER BY s.account_id, s.occurred_at
"""


def _by_day(connection: Connection, since: datetime, until: datetime) -> tuple[int, ...]:
    """Logins by the 24 hours before ``until`` they fell into, the latest first."""
    rows = connection.execute(
        text(
            """
            SELECT floor(extract(epoch FROM CAST(:until AS timestamptz) - occurred_at) / 86400)::int AS day,
                   count(*) AS logins
            FROM monitor.login_score WHERE occurred_at >= :since AND occurred_at < :until GROUP BY 1
            """
        ),
        {"since": since, "until": until},
    ).all()
    counts = {row.day: int(row.logins) for row in rows}
    return tuple(counts.get(day, 0) for day in range(max(counts, default=-1) + 1))


def _calibrated_since(connection: Connection, model_id: UUID) -> datetime:
    """The moment from which on the model's scores mean what they do by its latest calibration."""
    found: datetime | None = connection.scalar(
        text("SELECT max(since) FROM monitor.recalibration WHERE model_id = :model"), {"model": model_id}
    )
    return found or datetime(1, 1, 1, tzinfo=UTC)


def judgements(connection: Connection, model_id: UUID, features: tuple[str, ...], until: datetime) -> Judgements:
    """Every verdict that confirms or dismisses, given by ``until``; undone ones are none."""
    calibrated = _calibrated_since(connection, model_id)
    rows = connection.execute(text(_JUDGEMENTS), {"model": model_id, "until": until, "calibrated": calibrated}).all()
    ids = np.array([row.threshold_id or 0 for row in rows], np.int64)
    given = _given([_parts(row) for row in rows], features)
    score = np.array([row.score for row in rows], np.float64)
    segment = np.array([row.segment or "people" for row in rows], object)
    return Judgements(
        features,
        alert=np.array([str(row.alert_id) for row in rows], object),
        reviewer=np.array([row.reviewer for row in rows], object),
        confirmed=np.array([row.verdict == "confirm" for row in rows], bool),
        time=np.array([row.reviewed_at.timestamp() for row in rows], np.float64),
        evidence=given / _weights(connection, ids, features),
        raw=given.sum(axis=1, dtype=np.float64),
        score=score,
        margin=score - _bars(connection, ids, segment),
        same=np.array([row.same for row in rows], bool),
        segment=segment,
        alerted=np.array([row.alerted for row in rows], bool),
        chance=np.array([row.chance for row in rows], np.float64),
        share=np.array([row.share for row in rows], np.float64),
        current=np.array([row.current for row in rows], bool),
        latest=np.array([row.latest for row in rows], bool),
        contradicted=np.array([row.contradicted for row in rows], bool),
        found=np.array([row.found for row in rows], bool),
    )


#: The oddest login of each alert stands for it. Its scores may have been dropped with their month; its copy was not.
_JUDGEMENTS = """
    WITH given AS (
        SELECT r.*, lead(r.review_id) OVER own IS NULL AS newest, last_value(r.review_id) OVER alert AS standing
        FROM monitor.review r WHERE r.reviewed_at <= :until
        WINDOW own AS (PARTITION BY r.alert_id, r.reviewer ORDER BY r.reviewed_at, r.review_id),
               alert AS (PARTITION BY r.alert_id ORDER BY r.reviewed_at, r.review_id
                         ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ), undone AS (
        SELECT alert_id, max(reviewed_at) AS at FROM given WHERE verdict = 'undo' GROUP BY alert_id
    ), counted AS (
        SELECT g.*, g.newest AND g.reviewed_at > coalesce(u.at, '-infinity') AS current
        FROM given g LEFT JOIN undone u USING (alert_id) WHERE g.verdict <> 'undo'
    ), sizes AS (
        SELECT campaign_id, count(*) AS alerts FROM monitor.alert
        WHERE campaign_id IS NOT NULL AND status <> 'open' GROUP BY campaign_id
    )
    SELECT c.alert_id, c.reviewer, c.verdict, c.reviewed_at, t.segment,
           t.audit_chance IS NULL AS alerted, coalesce(t.audit_chance, 1) AS chance,
           1.0 / coalesce(z.alerts, 1) AS share, c.current, c.current AND c.review_id = c.standing AS latest,
           c.current AND EXISTS (
               SELECT FROM counted o WHERE o.alert_id = c.alert_id AND o.current AND o.verdict <> c.verdict
           ) AS contradicted,
           peak.score, peak.threshold_id, peak.attribution, s.contribution, m.features,
           coalesce(s.model_id = :model AND s.occurred_at >= :calibrated, false) AS same,
           t.audit_chance IS NOT NULL AND EXISTS (
               SELECT FROM monitor.alert o
               WHERE o.account_id = t.account_id AND o.audit_chance IS NULL AND o.status = 'confirmed'
                 AND t.opened_at BETWEEN o.opened_at - interval '1 day' AND o.last_event_at + interval '1 day') AS found
    FROM counted c
    JOIN monitor.alert t USING (alert_id)
    LEFT JOIN sizes z USING (campaign_id)
    CROSS JOIN LATERAL (
        SELECT v.* FROM monitor.alert_event v WHERE v.alert_id = t.alert_id
        ORDER BY v.follows, v.score DESC, v.event_id LIMIT 1
    ) peak
    LEFT JOIN monitor.login_score s ON (s.account_id, s.source, s.event_id, s.occurred_at)
        = (peak.account_id, peak.source, peak.event_id, peak.occurred_at)
    LEFT JOIN monitor.model m ON m.model_id = s.model_id
    ORDER BY c.reviewed_at, c.review_id
"""


def _parts(row: Row[Any]) -> tuple[Sequence[str], Sequence[float]]:
    """The contributions of an alert's oddest login: the largest ones, where its score has gone with its month."""
    if row.contribution is not None and row.features is not None:
        return row.features, row.contribution
    return [part["feature"] for part in row.attribution], [part["contribution"] for part in row.attribution]


def _given(parts: Sequence[tuple[Sequence[str], Sequence[float]]], features: tuple[str, ...]) -> Rows:
    """Contributions named by feature, put in order [n, features]; what this version does not know is left out."""
    found = np.zeros((len(parts), len(features)), np.float32)
    place = {name: column for column, name in enumerate(features)}
    for row, (names, contributions) in enumerate(parts):
        for name, contribution in zip(names, contributions, strict=True):
            if name in place:
                found[row, place[name]] = contribution
    return found


def _bars(connection: Connection, threshold_ids: "np.ndarray[Any, Any]", segment: "np.ndarray[Any, Any]") -> Floats:
    """The threshold that each login was held to."""
    rules = thresholds.rules(connection, [int(one) for one in np.unique(threshold_ids)])
    bars = [
        float(rules.get(int(one), AlertRule(0.0)).thresholds(np.array([kind], object))[0])
        for one, kind in zip(threshold_ids, segment, strict=True)
    ]
    return np.array(bars, np.float64)


def _weights(connection: Connection, threshold_ids: "np.ndarray[Any, Any]", features: tuple[str, ...]) -> Rows:
    """The weights by which each login was scored [n, features]."""
    distinct, at = np.unique(threshold_ids, return_inverse=True)
    rules = thresholds.rules(connection, [int(one) for one in distinct])
    weights = [rules.get(int(one), AlertRule(0.0)).weight(features) for one in distinct]
    found: Rows = np.array(weights, np.float32).reshape(-1, len(features))[at]
    return found
