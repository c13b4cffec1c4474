"""The command: quick to start, exit codes 0, 1 and 2, one line for what the operator can mend, no terminal tricks."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from monitor.cli import COMMANDS, cli
from monitor.cli.output import printable
from monitor.config import Settings
from monitor.store.engine import writing

HEADER = "event_id,occurred_at,user,outcome,country\n"


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's environment names the test's database."""
    assert settings.database_url is not None
    monkeypatch.setenv("MONITOR_DATABASE_URL", settings.database_url.get_secret_value())


def monitor(*arguments: str, given: str | None = None) -> Result:
    result = CliRunner().invoke(cli, arguments, input=given, prog_name="monitor")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_help_loads_neither_the_database_nor_the_numerical_libraries() -> None:
    script = "import sys; from monitor.cli import cli; cli(['--help'], standalone_mode=False); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "ingest" in shown
    assert {"sqlalchemy", "pandas", "numpy", "torch", "rich", "pydantic"} & set(shown.splitlines()[-1].split()) == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    assert monitor(command, "--help").exit_code == 0
    assert "..." not in monitor("--help").output.replace("[ARGS]...", "")  # no summary is cut off


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["status", "--nonsense"],
        ["ingest", "x.csv", "--format", "nonsense", "--source", "s"],
        ["ingest", "--format", "csv", "--source", "s"],
        ["train", "--until", "yesterday"],
        ["train", "--until", "2024-01-01T00:00:00"],
        ["train", "--until", "0001-01-01T00:00:00+14:00"],
        ["train", "--detector", "nonsense"],
        ["simulate", "--out", "x", "--accounts", "1"],
        ["sql"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], environment: None) -> None:
    assert monitor(*arguments).exit_code == 2


@pytest.mark.parametrize(
    "arguments", [["status"], ["sql", "SELECT 1"], ["pull"], ["run"], ["train"], ["score"], ["calibrate"]]
)
def test_without_the_schema_every_command_says_so_in_one_line(
    arguments: list[str], empty_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR_DATABASE_URL", empty_database.url.render_as_string(hide_password=False))
    result = monitor(*arguments)
    assert (result.exit_code, result.stderr) == (1, "Error: the database has no schema yet; run: monitor init\n")


def test_a_database_that_cannot_be_reached_is_one_line_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_DATABASE_URL", "postgresql://monitor:geheim@127.0.0.1:1/x")
    result = monitor("status")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: cannot connect to the database: ")
    assert result.stderr.count("\n") == 1
    assert "geheim" not in result.stderr


def test_init_creates_the_schema_once(empty_database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_DATABASE_URL", empty_database.url.render_as_string(hide_password=False))
    assert "now has schema" in monitor("init").output
    assert "already has schema" in monitor("init").output
    assert "none yet; run: monitor train" in monitor("status").output


def test_ingest_says_what_became_of_the_records(environment: None, tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text(HEADER + "1,2024-03-01T08:00:00Z,ada,success,DE\n2,yesterday,ada,success,DE\n")
    rejects = tmp_path / "rejects.csv"
    arguments = ["ingest", str(events), "--format", "csv", "--source", "vpn", "--rejects", str(rejects)]
    assert "read 2, stored 1, duplicate 0, rejected 1" in monitor(*arguments).stdout
    assert "read 2, stored 0, duplicate 1, rejected 1" in monitor(*arguments).stdout
    (reject,) = csv.DictReader(io.StringIO(rejects.read_text()))
    assert reject["line"] == "3"
    assert "1 events, oldest 2024-03-01 08:00:00 UTC" in monitor("status").output


def test_a_missing_file_is_one_line(environment: None) -> None:
    result = monitor("ingest", "nowhere.csv", "--format", "csv", "--source", "vpn")
    assert (result.exit_code, result.stderr) == (1, "Error: there is no file nowhere.csv\n")


def test_pull_without_sources_says_what_it_needs(environment: None) -> None:
    result = monitor("pull")
    assert result.exit_code == 0
    assert "[[sources]]" in result.output


@pytest.mark.parametrize("evil", ["\x1b[2J", "\u202egnp.exe", "a\nb", "[red]x[/red]", "\ud800", "\x9b31m"])
def test_a_hostile_name_reaches_the_terminal_as_harmless_text(evil: str) -> None:
    shown = printable(evil)
    assert shown.isprintable()
    shown.encode()


def test_a_hostile_name_in_a_table_is_neither_obeyed_nor_taken_for_markup(environment: None, database: Engine) -> None:
    with writing(database) as connection:
        connection.execute(
            text("INSERT INTO monitor.account VALUES (gen_random_uuid(), :name, 1, now())"),
            {"name": "[bold]\x1b[2Jada"},
        )
        connection.execute(
            text(
                "INSERT INTO monitor.alert SELECT gen_random_uuid(), account_id, now(), now(), 4, 'high', 'open', 'x',"
                " 1, NULL, false, now(), now() FROM monitor.account"
            )
        )
    shown = monitor("sql", "SELECT user_name FROM alert").output
    assert "[bold]\\x1b[2Jada" in shown
    assert "\x1b" not in shown
    assert "1: high 1" in monitor("status").output
