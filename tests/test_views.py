"""The views of schema reporting: complete, explained, right, and kept right by what writes below them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from written import MOMENT, add_account, add_alert, add_event, add_model, execute, insert_score

from monitor.store import partitions
from monitor.store.engine import acting, writing
from monitor.store.roles import SCORER

CONTRACT = {
    "login_event": "event_id occurred_at user_name outcome ip country region city latitude longitude asn user_agent "
    "device_id auth_method application rtt_ms source received_at",
    "login_score": "event_id source user_name occurred_at outcome score raw threshold alerted model_id scored_at",
    "attribution": "event_id source user_name occurred_at feature contribution observed usual",
    "alert": "alert_id user_name opened_at last_event_at score severity status headline event_count campaign_id",
    "alert_event": "alert_id event_id source",
    "review": "alert_id verdict reviewer note reviewed_at",
    "threshold": "threshold_id value decided_at decided_by basis reviews_used expected_precision "
    "expected_alerts_per_day",
    "baseline": "user_name feature value share last_seen_at",
    "user_risk": "user_name day risk",
    "detection_quality": "week precision",
    "job_run": "job status started_at finished_at error",
}


def test_every_reporting_view_of_the_contract_has_its_columns(database: Engine) -> None:
    found: dict[str, set[str]] = {}
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'reporting'"
    for view, column in execute(database, query):
        found.setdefault(view, set()).add(column)
    assert found.keys() >= CONTRACT.keys()
    missing = {
        f"{view}.{column}" for view in CONTRACT for column in CONTRACT[view].split() if column not in found[view]
    }
    assert missing == set()


def test_every_table_and_every_reporting_view_and_column_has_a_comment(database: Engine) -> None:
    silent = execute(
        database,
        """
        SELECT c.oid::regclass::text, a.attname
        FROM pg_class c
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND relnamespace = 'reporting'::regnamespace
        WHERE relnamespace IN ('reporting'::regnamespace, 'monitor'::regnamespace) AND relkind IN ('r', 'p', 'v')
            AND NOT relispartition AND relname <> 'alembic_version'
            AND (obj_description(c.oid, 'pg_class') IS NULL
                 OR (a.attnum IS NOT NULL AND col_description(c.oid, a.attnum) IS NULL))
        """,
    )
    assert silent == []


def test_the_reporting_role_reads_every_view(database: Engine) -> None:
    for (view,) in execute(database, "SELECT viewname FROM pg_views WHERE schemaname = 'reporting'"):
        execute(database, "SET LOCAL ROLE monitor_reporting", f"SELECT * FROM reporting.{view}")


def test_attribution_leaves_out_zeros_and_falls_back_on_the_event(database: Engine) -> None:
    account, model = add_account(database), add_model(database)
    add_event(database, account, country="NG")
    query = "SELECT feature, contribution, observed, usual FROM reporting.attribution WHERE event_id = 'e1'"
    insert_score(database, account, model=model)
    assert execute(database, query) == [("country", 2.0, "NG", None), ("hour", 0.5, "23:59 UTC", None)]
    execute(database, "UPDATE monitor.login_score SET observed = '{Lagos,x,3}', usual = '{Berlin,y,9}'")
    assert execute(database, query) == [("country", 2.0, "Lagos", "Berlin"), ("hour", 0.5, "3", "9")]


def test_baseline_shares_add_up_to_one_for_each_feature(database: Engine) -> None:
    for name in ("ada", "bob"):
        execute(
            database,
            """
            INSERT INTO monitor.account_state VALUES (:id, now(), '{country,country,device}', '{DE,FR,d1}', '{3,1,7}',
                '{0,0,0}', '{}', '')
            """,
            id=add_account(database, name),
        )
    shares = execute(database, "SELECT value, share FROM reporting.baseline WHERE user_name = 'ada' ORDER BY value")
    assert shares == [("DE", 0.75), ("FR", 0.25), ("d1", 1.0)]


def test_detection_quality_counts_the_latest_verdict_of_each_alert(database: Engine) -> None:
    account = add_account(database)
    for verdicts in (("confirm",), ("dismiss",), ("confirm", "dismiss"), ("confirm", "undo"), ()):
        add_alert(database, account, *verdicts)
    found = execute(
        database, "SELECT alerts, reviewed, confirmed, dismissed, precision FROM reporting.detection_quality"
    )
    assert found == [(5, 3, 1, 2, 1 / 3)]


def test_user_risk_adds_what_exceeds_a_score_of_two(database: Engine) -> None:
    account = add_account(database)
    execute(database, "SELECT monitor.ensure_month('2024-03-01Z')")
    insert_score(database, account, score="3.5")
    add_alert(database, account)
    query = "SELECT user_name, day::text, risk, max_score, events, failures, alerts FROM reporting.user_risk"
    assert execute(database, query) == [("ada", "2024-03-31", 1.5, 3.5, 1, 0, 1)]


RISK = "SELECT user_name, day::text, risk, max_score, events, failures FROM reporting.user_risk ORDER BY 1, 2"
COUNTS = "SELECT day::text, score::float, logins, alerted FROM reporting.score_distribution ORDER BY 1, 2"


def score_logins(engine: Engine, account: Any, *scores: float, days: float = 0.0) -> None:
    """Score logins e0, e1, ... of one account as the scoring process does; e1 failed."""
    at = MOMENT + timedelta(days=days)
    with writing(engine) as connection:
        partitions.ensure_months(connection, [at])
    execute(
        acting(engine, SCORER),
        """
        INSERT INTO monitor.login_score
        SELECT :account, 'vpn', 'e' || n, :at, CASE n WHEN 1 THEN 'failure' ELSE 'success' END, score, 1, 3, score > 3,
               gen_random_uuid(), now(), '{}'
        FROM unnest(CAST(:scores AS real[])) WITH ORDINALITY AS s (score, i)
        CROSS JOIN LATERAL (SELECT i - 1) AS x (n)
        ON CONFLICT DO NOTHING
        """,
        account=account,
        at=at,
        scores=list(scores),
    )


def test_sums_follow_what_is_scored_in_whatever_portions_and_count_no_login_twice(database: Engine) -> None:
    ada = add_account(database)
    score_logins(database, ada, 1.0, 2.5)
    score_logins(database, ada, 1.0, 2.5, 4.25)  # the first two have their scores already
    score_logins(database, ada, 0.05, days=1)
    assert execute(database, RISK) == [("ada", "2024-03-31", 2.75, 4.25, 3, 1), ("ada", "2024-04-01", 0.0, 0.05, 1, 0)]
    assert execute(database, COUNTS) == [
        ("2024-03-31", 1.0, 1, 0),
        ("2024-03-31", 2.5, 1, 0),
        ("2024-03-31", 4.2, 1, 1),
        ("2024-04-01", 0.0, 1, 0),
    ]


def test_a_pass_that_is_taken_back_leaves_no_sums(database: Engine) -> None:
    ada = add_account(database)
    with pytest.raises(RuntimeError), writing(database) as connection:
        partitions.ensure_months(connection, [MOMENT])
        connection.exec_driver_sql(
            "INSERT INTO monitor.login_score VALUES (%s, 'vpn', 'e', %s, 'success', 4, 4, 3, true, %s, now(), '{}')",
            (ada, MOMENT, ada),
        )
        raise RuntimeError
    assert execute(database, RISK) == execute(database, COUNTS) == []


def test_an_absurd_score_breaks_nothing(database: Engine) -> None:
    score_logins(database, add_account(database), 3.4e38, -1.0)
    assert [row[1:3] for row in execute(database, COUNTS)] == [(0.0, 1), (100.0, 1)]


def test_erased_scores_leave_the_sums_of_their_account(database: Engine) -> None:
    ada, bob = add_account(database), add_account(database, "bob")
    score_logins(database, ada, 1.0, 4.0, 5.0)
    score_logins(database, bob, 3.0)
    execute(database, "DELETE FROM monitor.login_score WHERE event_id = 'e2'")
    assert execute(database, RISK) == [("ada", "2024-03-31", 2.0, 4.0, 2, 1), ("bob", "2024-03-31", 1.0, 3.0, 1, 0)]
    execute(database, "DELETE FROM monitor.login_score WHERE account_id = :ada", ada=ada)
    assert execute(database, RISK) == [("bob", "2024-03-31", 1.0, 3.0, 1, 0)]


def test_a_dropped_month_takes_its_sums_by_account_along(database: Engine) -> None:
    ada = add_account(database)
    score_logins(database, ada, 4.0)
    score_logins(database, ada, 5.0, days=1)
    with writing(acting(database, SCORER)) as connection:
        partitions.drop_month(connection, MOMENT)
    assert execute(database, RISK) == [("ada", "2024-04-01", 3.0, 5.0, 1, 0)]
    assert len(execute(database, COUNTS)) == 2


def test_an_audited_login_is_no_alert_to_judge_detection_by(database: Engine) -> None:
    account = add_account(database)
    add_alert(database, account, "confirm")
    add_alert(database, account, "dismiss")
    execute(
        database,
        "UPDATE monitor.alert t SET audit_chance = 0.1 FROM monitor.review r"
        " WHERE r.alert_id = t.alert_id AND r.verdict = 'dismiss'",
    )
    assert execute(database, "SELECT alerts, reviewed, precision FROM reporting.detection_quality") == [(1, 1, 1.0)]
