"""``monitor sql``: answers as a table or CSV, and keeps to the reporting role whatever it is asked."""

import csv
import io
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from monitor.cli import cli
from monitor.config import Settings, isolated_environment
from monitor.store.engine import reading, writing


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's environment names the test's database."""
    assert settings.database_url is not None
    monkeypatch.setenv("MONITOR_DATABASE_URL", settings.database_url.get_secret_value())


def monitor(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments, prog_name="monitor")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_sql_prints_a_table_and_csv(environment: None) -> None:
    query = "SELECT 1 AS number, NULL AS nothing, 'a,b' AS text, '{1,2}'::int[] AS list, true AS yes, '12:00'::time"
    assert "number" in monitor("sql", query).output
    shown = list(csv.reader(io.StringIO(monitor("sql", query, "--csv").output)))
    assert shown == [
        ["number", "nothing", "text", "list", "yes", "time"],
        ["1", "", "a,b", "[1, 2]", "true", "12:00:00"],
    ]


def test_sql_without_rows_still_names_the_columns(environment: None) -> None:
    assert monitor("sql", "SELECT alert_id, score FROM alert", "--csv").output == "alert_id,score\n"


def test_a_long_table_says_that_there_is_more(environment: None) -> None:
    assert "only the first 1,000 rows" in monitor("sql", "SELECT generate_series(1, 1001)").output
    assert "only the first" not in monitor("sql", "SELECT generate_series(1, 1000)").output


def test_statements_that_return_rows_without_being_a_select_are_answered_too(environment: None) -> None:
    assert "Scan" in monitor("sql", "EXPLAIN SELECT * FROM alert").output
    assert "reporting" in monitor("sql", "SHOW search_path").output
    assert monitor("sql", "WITH a AS (SELECT 7 AS x) TABLE a;", "--csv").output == "x\n7\n"
    doubled = monitor("sql", "SELECT 1 AS a, 2 AS a, 5 % 3 -- the rest", "--csv").output
    assert doubled == "a,a,?column?\n1,2,2\n"


SECRET = "SELECT password_hash FROM monitor.reviewer"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT * FROM monitor.account", "permission denied"),
        ("SELECT 1; SELECT 2", "cannot insert multiple commands"),
        (f"RESET ROLE; {SECRET}", "cannot insert multiple commands"),
        ("RESET ROLE", "only a statement that returns rows"),
        ("SET ROLE postgres", "only a statement that returns rows"),
        ("SET SESSION AUTHORIZATION DEFAULT", "only a statement that returns rows"),
        (f"DO $$ BEGIN RESET ROLE; RAISE '%', ({SECRET}); END $$", "only a statement that returns rows"),
        (f"SELECT set_config('role', 'none', true), query_to_xml('{SECRET}', true, true, '')", "security-definer"),
        (f"SELECT set_config('role', 'none', true) UNION ALL {SECRET}", "permission denied|security-definer"),
        ("SELECT set_config('session_authorization', 'default', true)", "security-definer|does not exist"),
        ("SELECT query_to_xml('RESET ROLE', true, true, '')", "not allowed in a non-volatile function"),
        ("SELECT * FROM reporting.answer('RESET ROLE; SELECT 1') AS t (x int)", "return tuples|role"),
        ("SELECT count(*) FROM pg_authid", "permission denied"),
        ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity", "permission denied|must be a superuser"),
        ("DELETE FROM reporting.review", "only a statement that returns rows"),
        ("DELETE FROM reporting.review RETURNING 1", "permission denied|read-only"),
        ("WITH x AS (DELETE FROM reporting.review RETURNING 1) TABLE x", "permission denied|top level"),
        ("CREATE TEMPORARY TABLE t (x int)", "only a statement that returns rows"),
        ("COPY reporting.alert TO PROGRAM 'cat'", "only a statement that returns rows"),
        ("SELECT pg_read_file('/etc/passwd')", "permission denied"),
        ("SELECT pg_ls_dir('/')", "permission denied"),
        ("SELECT lo_import('/etc/passwd')", "permission denied|read-only"),
        ("SELECT set_config('transaction_read_only', 'off', true)", "transaction read-write mode"),
        ("SELECT nextval('monitor.threshold_threshold_id_seq')", "permission denied"),
        ("selct", "syntax error"),
        ("", "query"),
        ("SELECT '\udcff'", "no valid text"),
        ("SELECT 'infinity'::timestamptz", "query: "),
        ("SELECT 1) AS x; DROP TABLE monitor.review; --", "syntax error"),
    ],
)
def test_a_query_that_may_not_run_is_refused_in_one_line(
    query: str, says: str, environment: None, database: Engine
) -> None:
    with writing(database) as connection:
        connection.execute(
            text(
                "INSERT INTO monitor.reviewer (name, role, password_hash, totp_secret, must_change, created_at,"
                " password_changed_at) VALUES ('eve', 'admin', 'geheim', '', false, now(), now())"
            )
        )
    for arguments in (("sql", query), ("sql", query, "--csv")):
        result = monitor(*arguments)
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1
        assert re.search(says, result.stderr), result.stderr
        assert "geheim" not in result.output


def test_an_answering_function_of_another_owner_answers_nothing(environment: None, database: Engine) -> None:
    with writing(database) as connection:  # as after a restore without owners
        connection.execute(text("ALTER FUNCTION reporting.answer(text) OWNER TO CURRENT_USER"))
        connection.execute(text("GRANT EXECUTE ON FUNCTION reporting.answer(text) TO monitor_reporting"))
    assert "must belong to monitor_reporting" in monitor("sql", "SELECT 1").stderr


@pytest.mark.parametrize(
    "query", ["SELECT pg_sleep(30)::text", "SELECT set_config('statement_timeout', '0', false), pg_sleep(30)::text"]
)
def test_a_query_that_takes_too_long_is_cancelled(query: str, environment: None) -> None:
    result = monitor("sql", query, "--timeout", "0.2")
    assert (result.exit_code, "statement timeout" in result.stderr) == (1, True)


def test_a_table_costs_what_it_shows_however_many_rows_there_are(environment: None) -> None:
    query = "SELECT a FROM generate_series(1, 100000) AS a, generate_series(1, 100000) AS b"
    assert "only the first 1,000 rows" in monitor("sql", query, "--timeout", "10").output


def test_ctrl_c_ends_the_query_on_the_server_too(settings: Settings, database: Engine) -> None:
    assert settings.database_url is not None
    environment = isolated_environment(database_url=settings.database_url.get_secret_value())
    command = [sys.executable, "-m", "monitor", "sql", "SELECT pg_sleep(60)::text"]
    sleeping = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    )

    def wait_for(count: int) -> None:
        for _ in range(200):
            with reading(database) as connection:
                if connection.scalar(sleeping) == count:
                    return
            time.sleep(0.1)
        raise AssertionError("waited in vain")

    # A shell starts what runs in the background deaf to Ctrl-C, which children inherit unless there is a handler.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as asked:
        signal.signal(signal.SIGINT, before)
        wait_for(1)
        os.kill(asked.pid, signal.SIGINT)
        assert asked.stderr is not None
        assert (asked.wait(50), asked.stderr.read()) == (1, "\nAborted!\n")
    wait_for(0)
