"""The migrations make what the code expects, from nothing or the version before, and refuse what is impossible."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.resources import files
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from written import add_account, add_event, add_model, execute, insert_score

from monitor.store import partitions, schema, tables
from monitor.store.engine import acting, open_url, reading, writing
from monitor.store.roles import SCORER
from monitor.store.schema import SchemaError


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


def test_there_is_one_active_model_at_most(database: Engine) -> None:
    add_model(database, "retired"), add_model(database, "retired"), add_model(database)
    with pytest.raises(DBAPIError, match="model_one_active"):
        add_model(database)


def test_scores_of_the_version_before_are_summed_up_by_the_upgrade(empty_database: Engine) -> None:
    with empty_database.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(files("migrations")))
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
    account = add_account(empty_database)
    execute(empty_database, "SELECT monitor.ensure_month('2024-03-01Z')")
    insert_score(empty_database, account, score="3.5")
    schema.upgrade(empty_database)
    schema.require_schema(empty_database)
    risk = "SELECT user_name, day::text, risk, max_score, events FROM reporting.user_risk"
    assert execute(empty_database, risk) == [("ada", "2024-03-31", 1.5, 3.5, 1)]
    counts = "SELECT score::float, logins, alerted FROM reporting.score_distribution"
    assert execute(empty_database, counts) == [(3.5, 1, 1)]
    execute(acting(empty_database, SCORER), "DELETE FROM monitor.job_run")  # the roles are there as well


def test_an_owner_who_may_not_make_roles_is_told_what_an_administrator_has_to_run(
    empty_database: Engine, administrator: Engine, template: str
) -> None:
    owner, name = f"owner_{uuid4().hex}", empty_database.url.database
    with administrator.connect() as connection:
        connection.execute(text(f"CREATE ROLE {owner} LOGIN PASSWORD 'secret'"))
        connection.execute(text(f"ALTER DATABASE {name} OWNER TO {owner}"))
    url = empty_database.url.set(username=owner, password="secret").render_as_string(hide_password=False)
    engine = open_url(url)
    try:
        with pytest.raises(SchemaError, match=f"have an administrator run: .*GRANT monitor_reporting TO {owner}$"):
            schema.upgrade(engine)
        with administrator.connect() as connection:
            roles = "monitor_ingest, monitor_scorer, monitor_web, monitor_reporting"
            connection.execute(text(f"GRANT {roles} TO {owner}"))
        schema.upgrade(engine)
        execute(acting(engine, SCORER), "SELECT FROM reporting.login_score")
    finally:
        engine.dispose()
        with administrator.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {name}"))  # for the fixture to drop
            connection.execute(text(f"DROP ROLE {owner}"))
