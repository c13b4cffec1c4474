"""How fast reports are on a large history: python -m benchmarks.reporting

Fills a database with scored logins made up in SQL (``--events``, 5 million by default: 20,000 accounts, 100 days), then
times every question of docs/sql.md and what each view is typically asked, as ``monitor sql`` answers them: until the
last row. Each is asked four times; the first answer may have to come from disk, the median is of the others.
"""

import argparse
import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, text

from benchmarks.common import fresh_database, report
from monitor import features
from monitor.store.engine import writing
from monitor.store.reporting import ask

EVENTS, ACCOUNTS, DAYS, ALERTS = 5_000_000, 20_000, 100, 20_000
GOAL_SECONDS = 1.0
PAGE = Path(__file__).resolve().parents[1] / "docs" / "sql.md"

ANNA, WEEK = "user_name = 'anna@example.com'", "occurred_at > now() - interval '7 days'"
#: View, and what of it → the query.
TYPICAL = {
    "login_event: an account": f"SELECT * FROM login_event WHERE {ANNA} ORDER BY occurred_at DESC",
    "login_event: an address": f"SELECT * FROM login_event WHERE ip = '10.3.3.3' AND {WEEK}",
    "login_event: a day by hour": """
        SELECT date_trunc('hour', occurred_at) AS hour, count(*) FROM login_event
        WHERE occurred_at > now() - interval '1 day' GROUP BY hour
    """,
    "login_score: an account": f"SELECT * FROM login_score WHERE {ANNA} ORDER BY score DESC",
    "login_score: the worst of a week": f"""
        SELECT * FROM login_score WHERE alerted AND {WEEK} ORDER BY score DESC LIMIT 100
    """,
    "login_score: the latest": "SELECT * FROM login_score ORDER BY occurred_at DESC LIMIT 100",
    "attribution: an account": f"SELECT * FROM attribution WHERE {ANNA}",
    "attribution: a week's alerted logins": f"""
        SELECT user_name, occurred_at, feature, contribution, observed, usual
        FROM attribution JOIN login_score USING (source, event_id, user_name, occurred_at)
        WHERE alerted AND {WEEK} ORDER BY score DESC, contribution DESC LIMIT 500
    """,
    "alert: the open ones": "SELECT * FROM alert WHERE status = 'open' ORDER BY score DESC LIMIT 100",
    "alert_event: an alert": """
        SELECT * FROM alert_event WHERE alert_id = (SELECT alert_id FROM alert ORDER BY score DESC LIMIT 1)
    """,
    "review: a reviewer": "SELECT verdict, count(*) FROM review WHERE reviewer = 'kim' GROUP BY verdict",
    "threshold: in force": "SELECT * FROM threshold ORDER BY threshold_id DESC LIMIT 1",
    "baseline: an account": f"SELECT * FROM baseline WHERE {ANNA}",
    "user_risk: an account": f"SELECT * FROM user_risk WHERE {ANNA} ORDER BY day",
    "user_risk: a day": "SELECT * FROM user_risk WHERE day = current_date - 1 ORDER BY risk DESC LIMIT 100",
    "score_distribution: all": "SELECT score, sum(logins) FROM score_distribution GROUP BY score ORDER BY score",
    "detection_quality: all": "SELECT * FROM detection_quality ORDER BY week",
    "job_run: the failed": "SELECT * FROM job_run WHERE status = 'failed' ORDER BY started_at DESC LIMIT 100",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=EVENTS)
    arguments = parser.parse_args()
    with fresh_database() as (engine, _):
        begun = time.perf_counter()
        fill(engine, arguments.events)
        filled = time.perf_counter() - begun
        rows = [timed(engine, name, query) for name, query in (questions() | TYPICAL).items()]
    slow = [row["query"] for row in rows if row["median s"] > GOAL_SECONDS]
    title = f"{arguments.events:,} scored logins of {ACCOUNTS:,} accounts in {DAYS} days, {ALERTS:,} alerts"
    report("reporting", title, rows, seconds_to_fill=filled, slower_than_a_second=", ".join(slow) or "none")


def questions() -> dict[str, str]:
    """The queries of docs/sql.md by what they answer."""
    page = PAGE.read_text(encoding="utf-8").split("## Roles")[0]
    return dict(re.findall(r"^\*\*(.+?)[.?]?\*\*.*?^```sql\n(.+?)^```", page, re.MULTILINE | re.DOTALL))


def timed(engine: Engine, name: str, query: str) -> dict[str, Any]:
    """Seconds from the question to the last row."""
    spent, rows = [], 0
    for _ in range(4):
        begun = time.perf_counter()
        with ask(engine, query, 600) as (_, found):
            rows = sum(1 for _ in found)
        spent.append(time.perf_counter() - begun)
    return {"query": name, "rows": rows, "first s": spent[0], "median s": statistics.median(spent[1:])}


def fill(engine: Engine, events: int) -> None:
    """Accounts with baselines, scored logins day by day, alerts on the oddest of them, verdicts on most."""
    contribution = np.round(np.linspace(0.01, 0.6, len(features.NAMES)), 3).tolist()
    with writing(engine) as connection:
        for statement in _BEFORE:
            connection.execute(text(statement), {"features": list(features.NAMES), "accounts": ACCOUNTS, "days": DAYS})

    def day(number: int) -> None:
        values = {"day": number, "count": events // DAYS, "accounts": ACCOUNTS, "contribution": contribution}
        with writing(engine) as connection:
            connection.execute(text(_EVENTS), values)
            connection.execute(text(_SCORES), values)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(day, range(DAYS, 0, -1)))
    with writing(engine) as connection:
        for statement in _AFTER:
            connection.execute(text(statement), {"alerts": ALERTS})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))  # as autovacuum has done in a database that grew


_BEFORE = [
    "SELECT monitor.ensure_month(now() - n * interval '1 day') FROM generate_series(0, :days) AS n",
    "INSERT INTO monitor.model VALUES (md5('model')::uuid, 'rarity', 'active', :features, '', '{}', now(), now())",
    """
    INSERT INTO monitor.threshold (value, decided_at, decided_by, basis, reviews_used)
    VALUES (3, now(), 'calibrate', 'budget', 0)
    """,
    """
    INSERT INTO monitor.job_run
    SELECT gen_random_uuid(), 'score', CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'succeeded' END,
           now() - n * interval '30 s', now() - n * interval '29 s', NULL, '{}'
    FROM generate_series(1, 86400) AS n
    """,
    """
    INSERT INTO monitor.account
    SELECT md5('account ' || n)::uuid, CASE n WHEN 7 THEN 'anna@example.com' ELSE 'user' || n || '@example.com' END,
           n % 256, now() - interval '100 days'
    FROM generate_series(1, :accounts) AS n
    """,
    """
    INSERT INTO monitor.account_state
    SELECT md5('account ' || n)::uuid, now(), entry.*, array_fill(0.0::double precision, ARRAY[47]), '\\x00'
    FROM generate_series(1, :accounts) AS n
    CROSS JOIN LATERAL (
        SELECT array_agg(feature), array_agg('value ' || n % 50 || v), array_agg((v * 3.0 / (1 + n % 50))::real),
               array_agg(1.7e9::double precision + v)
        FROM unnest(ARRAY['country', 'region', 'city', 'asn', 'network', 'device', 'browser', 'os', 'auth_method',
                          'application', 'place', 'hour', 'weekday']) AS feature
        CROSS JOIN generate_series(1, 4) AS v
    ) AS entry
    """,
]
_LOGINS = """
    SELECT md5('account ' || (1 + (n * 7919 + :day * 31) % :accounts))::uuid AS account_id, n,
           :day || '-' || n AS event_id, CASE WHEN n % 20 = 0 THEN 'failure' ELSE 'success' END AS outcome,
           now() - :day * interval '1 day' + n * (interval '23 hours' / :count) AS occurred_at
    FROM generate_series(1, :count) AS n
"""
_EVENTS = f"""
    INSERT INTO monitor.login_event (account_id, source, event_id, occurred_at, shard, outcome, ip, country, region,
        city, latitude, longitude, asn, user_agent, browser, os, device_id, auth_method, application, rtt_ms,
        received_at)
    SELECT account_id, 'sso', event_id, occurred_at, n % 256, outcome,
           ('10.' || n % 5 || '.' || n % 250 || '.' || n % 199)::inet, 'DE', 'Berlin', 'Berlin', 52.5, 13.4, 3320,
           'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 'Firefox', 'Linux',
           'device ' || n % 1000, 'password', 'app ' || n % 20, 20, occurred_at + interval '40 s'
    FROM ({_LOGINS}) AS login
"""
_SCORES = f"""
    INSERT INTO monitor.login_score (account_id, source, event_id, occurred_at, outcome, score, raw, threshold, alerted,
        model_id, scored_at, contribution)
    SELECT account_id, 'sso', event_id, occurred_at, outcome, score, score, 3, score > 3, md5('model')::uuid,
           occurred_at + interval '1 minute', :contribution
    FROM (SELECT *, (-log(greatest(random(), 1e-9)))::real AS score FROM ({_LOGINS}) AS login) AS scored
    ORDER BY account_id
"""
_AFTER = [
    """
    CREATE TEMPORARY TABLE odd ON COMMIT DROP AS
    SELECT *, md5('alert ' || place)::uuid AS alert_id
    FROM (
        SELECT *, row_number() OVER (ORDER BY occurred_at) AS place
        FROM (SELECT * FROM monitor.login_score WHERE score > 2 ORDER BY score DESC LIMIT :alerts) AS oddest
    ) AS placed
    """,
    """
    INSERT INTO monitor.alert
    SELECT alert_id, account_id, occurred_at, occurred_at, score,
           (ARRAY['low', 'medium', 'high', 'critical'])[1 + place % 4],
           (ARRAY['open', 'confirmed', 'dismissed', 'dismissed'])[1 + place % 4], 'New country', 1,
           CASE WHEN place % 10 < 3 THEN md5('campaign ' || place / 10)::uuid END, false, scored_at, scored_at
    FROM odd
    """,
    """
    INSERT INTO monitor.alert_event
    SELECT account_id, source, event_id, occurred_at, alert_id, score,
           jsonb_build_object('ip', '203.0.113.' || place / 10 % 256, 'outcome', outcome, 'country', 'NG'),
           jsonb_build_array(
               jsonb_build_object('feature', (ARRAY['country', 'device', 'travel', 'hour'])[1 + place % 4],
                                  'contribution', 4.5, 'observed', 'NG', 'usual', 'DE 90 %'),
               jsonb_build_object('feature', 'asn', 'contribution', 2.5, 'observed', '5002', 'usual', '3320 90 %'))
    FROM odd
    """,
    """
    INSERT INTO monitor.review
    SELECT gen_random_uuid(), alert_id, CASE place % 4 WHEN 1 THEN 'confirm' ELSE 'dismiss' END, 'kim', 'travel', NULL,
           scored_at + place % 600 * interval '1 minute'
    FROM odd WHERE place % 4 > 0
    """,
]

if __name__ == "__main__":
    main()
