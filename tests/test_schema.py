"""The migrations make what the code expects, analysts find it explained, and the reporting role stays in its place."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from monitor.store import partitions, schema, tables
from monitor.store.engine import reading, writing
from monitor.store.schema import SchemaError

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
MOMENT = datetime(2024, 3, 31, 23, 59, tzinfo=UTC)


def execute(engine: Engine, *statements: str, **values: Any) -> list[Any]:
    with writing(engine) as connection:
        for statement in statements:
            result = connection.execute(text(statement), values)
        return list(result) if result.returns_rows else []


def add_account(engine: Engine, name: str = "ada") -> Any:
    account = uuid4()
    execute(engine, "INSERT INTO monitor.account VALUES (:id, :name, 1, now())", id=account, name=name)
    return account


def add_event(
    engine: Engine, account: Any, event_id: str = "e1", occurred_at: datetime = MOMENT, **values: Any
) -> None:
    with writing(engine) as connection:
        partitions.ensure_months(connection, [occurred_at])
        row = {"account_id": account, "source": "vpn", "event_id": event_id, "occurred_at": occurred_at, "shard": 1}
        row |= {"outcome": "success", "received_at": occurred_at} | values
        connection.execute(tables.login_event.insert().values(row))


def test_the_migrated_schema_is_the_one_in_tables_py(database: Engine) -> None:
    with database.connect() as connection:
        options = {
            "include_schemas": True,
            "version_table_schema": "monitor",
            "include_name": lambda name, kind, _: kind != "schema" or name == "monitor",
            "include_object": lambda thing, name, kind, reflected, other: (
                kind == "column" or (kind == "table" and not (name or "")[-6:].isdigit() and name != "alembic_version")
            ),
            "compare_type": True,
        }
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata)
    assert [difference for difference in differences if difference[0] != "remove_table_comment"] == []


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


@pytest.mark.parametrize(
    "forbidden",
    [
        "SELECT * FROM monitor.login_event",
        "SELECT * FROM monitor.alembic_version",
        "DELETE FROM reporting.review",
        "INSERT INTO reporting.review (alert_id) VALUES (gen_random_uuid())",
        "UPDATE reporting.threshold SET value = 9",
        "CREATE TABLE reporting.mine (x int)",
        "SELECT monitor.ensure_month(now())",
    ],
)
def test_the_reporting_role_neither_reads_the_tables_nor_writes(forbidden: str, database: Engine) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        execute(database, "SET LOCAL ROLE monitor_reporting", forbidden)


def test_the_reporting_role_reads_every_view(database: Engine) -> None:
    for view in CONTRACT:
        assert execute(database, "SET LOCAL ROLE monitor_reporting", f"SELECT * FROM reporting.{view}") == []


def test_upgrading_again_changes_nothing(database: Engine) -> None:
    head = schema.revisions()[-1]
    assert schema.upgrade(database) == (head, head)


def test_processes_that_upgrade_at_once_all_succeed(empty_database: Engine) -> None:
    script = "import sys; from monitor.store import engine, schema; schema.upgrade(engine.open_url(sys.argv[1]))"
    url = empty_database.url.render_as_string(hide_password=False)
    processes = [subprocess.Popen([sys.executable, "-c", script, url], stderr=subprocess.PIPE) for _ in range(3)]
    assert [process.communicate()[1] for process in processes] == [b""] * 3
    schema.require_schema(empty_database)


def test_a_database_without_the_schema_is_said_to_have_none(empty_database: Engine) -> None:
    with pytest.raises(SchemaError, match="no schema yet; run: monitor init"):
        schema.require_schema(empty_database)


def test_a_schema_newer_than_the_code_is_refused_by_every_command(database: Engine) -> None:
    execute(database, "UPDATE monitor.alembic_version SET version_num = '9999'")
    for use in (schema.require_schema, schema.upgrade):
        with pytest.raises(SchemaError, match="schema 9999, newer than this program"):
            use(database)


def test_an_older_schema_asks_for_an_upgrade(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    known = schema.revisions()
    monkeypatch.setattr(schema, "revisions", lambda: [*known, "9998"])
    with pytest.raises(SchemaError, match="run: monitor init"):
        schema.require_schema(database)


def test_loads_that_need_new_months_at_once_neither_fail_nor_wait_for_each_other_for_ever(database: Engine) -> None:
    moments = [datetime(2024, month, 1, tzinfo=UTC) for month in range(1, 7)]
    barrier = Barrier(4)

    def load(number: int) -> None:
        with writing(database) as connection:
            barrier.wait()
            for moment in moments[::-1] if number % 2 else moments:
                partitions.ensure_months(connection, [moment])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(load, range(4)))
    with reading(database) as connection:
        assert partitions.months(connection) == moments


def test_an_event_lies_in_the_partition_of_its_month_in_utc(database: Engine) -> None:
    account = add_account(database)
    execute(database, "SET timezone = 'Asia/Tokyo'")
    add_event(database, account)
    assert execute(database, "SELECT tableoid::regclass::text FROM monitor.login_event") == [
        ("monitor.login_event_202403",)
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "maybe"},
        {"shard": 256},
        {"latitude": 90.5},
        {"longitude": -181.0},
        {"latitude": float("nan")},
        {"country": "germany"},
        {"rtt_ms": float("nan")},
        {"asn": -1},
    ],
)
def test_an_impossible_event_is_refused_by_the_database_itself(wrong: dict[str, Any], database: Engine) -> None:
    with pytest.raises(DBAPIError, match="check constraint"):
        add_event(database, add_account(database), **wrong)


@pytest.mark.parametrize("score", ["NaN", "Infinity"])
def test_a_score_that_is_no_number_is_refused(score: str, database: Engine) -> None:
    execute(database, "SELECT monitor.ensure_month('2024-03-01Z')")
    with pytest.raises(DBAPIError, match="check constraint"):
        insert_score(database, add_account(database), score=score)


def insert_score(
    engine: Engine, account: Any, score: str = "3.5", contribution: str = "{2,0,0.5}", **values: Any
) -> None:
    execute(
        engine,
        """
        INSERT INTO monitor.login_score VALUES (:account, 'vpn', 'e1', :moment, 'success', :score, 2.5, 3, true, :model,
            now(), :contribution, :observed, :usual)
        """,
        **{"observed": None, "usual": None, "model": uuid4()} | values,
        account=account,
        moment=MOMENT,
        score=score,
        contribution=contribution,
    )


def add_model(engine: Engine, status: str = "active") -> Any:
    model = uuid4()
    execute(
        engine,
        """
        INSERT INTO monitor.model VALUES (:id, 'rarity', :status, '{country,device,hour}', '', '{}', now(), now())
        """,
        id=model,
        status=status,
    )
    return model


def test_there_is_one_active_model_at_most(database: Engine) -> None:
    add_model(database, "retired"), add_model(database, "retired"), add_model(database)
    with pytest.raises(DBAPIError, match="model_one_active"):
        add_model(database)


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


def add_alert(engine: Engine, account: Any, *verdicts: str) -> None:
    alert = uuid4()
    execute(
        engine,
        """
        INSERT INTO monitor.alert VALUES (:id, :account, :moment, :moment, 4, 'high', 'open', 'New country', 1, NULL,
            false, now(), now())
        """,
        id=alert,
        account=account,
        moment=MOMENT,
    )
    for number, verdict in enumerate(verdicts):
        execute(
            engine,
            """
            INSERT INTO monitor.review
            VALUES (gen_random_uuid(), :alert, :verdict, 'eve', NULL, NULL, now() + make_interval(secs => :number))
            """,
            alert=alert,
            verdict=verdict,
            number=number,
        )


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
