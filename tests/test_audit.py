"""The audit log: append-only by privilege, chained so that tampering is found, and one with the act."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from written import execute

from monitor.cli import cli
from monitor.store import audit
from monitor.store.engine import reading, writing

NOW = datetime(2025, 11, 3, 8, tzinfo=UTC)


@pytest.fixture
def log(database: Engine) -> Iterator[Engine]:
    with writing(database) as connection:
        for number in range(5):
            audit.record(connection, "ada", "comment", f"alert {number}", {"text": "päß \u202e <b>"}, "192.0.2.1")
    yield database


def breaks(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return audit.breaks(connection)


def test_an_untouched_log_is_whole(log: Engine) -> None:
    assert breaks(log) == []


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_a_log_is_whole_wherever_it_is_checked(zone: str, log: Engine) -> None:
    with log.connect() as connection:
        connection.execute(text(f"SET timezone = '{zone}'"))
        connection.execute(text("SET extra_float_digits = 0"))
        assert audit.breaks(connection) == []


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE monitor.audit SET actor = 'eve' WHERE audit_id = 3", [3]),
        ("UPDATE monitor.audit SET details = '{}' WHERE audit_id = 5", [5]),
        ("UPDATE monitor.audit SET occurred_at = occurred_at - interval '1 microsecond' WHERE audit_id = 2", [2]),
        ("DELETE FROM monitor.audit WHERE audit_id = 3", [4]),
        (
            "UPDATE monitor.audit a SET actor = 'eve', hash = monitor.audit_hash((a.audit_id, a.occurred_at, 'eve',"
            " a.action, a.subject, a.details, a.address, a.previous, a.hash)::monitor.audit) WHERE audit_id = 3",
            [4],
        ),
    ],
)
def test_an_edited_or_removed_row_is_found(tampering: str, found: list[int], log: Engine) -> None:
    execute(log, tampering)
    assert breaks(log) == found
    with reading(log) as connection:
        shown = [row.audit_id for row in audit.entries(connection, 100)]
        assert audit.breaks(connection, shown) == found
        assert audit.breaks(connection, [one for one in shown if one not in found]) == []


FORBIDDEN = [
    "INSERT INTO monitor.audit SELECT * FROM monitor.audit",
    "UPDATE monitor.audit SET actor = 'eve'",
    "DELETE FROM monitor.audit",
    "TRUNCATE monitor.audit",
    "UPDATE monitor.alert SET score = 0",
    "UPDATE monitor.review SET verdict = 'dismiss'",
    "DELETE FROM monitor.review",
    "INSERT INTO monitor.threshold SELECT * FROM monitor.threshold",
    "UPDATE monitor.reviewer SET role = 'admin'",
    "INSERT INTO monitor.reviewer SELECT * FROM monitor.reviewer",
    "UPDATE monitor.web_secret SET secret = ''",
    "SELECT weights FROM monitor.model",
    "SELECT * FROM monitor.login_event",
    "DELETE FROM monitor.comment",
    "CREATE TABLE monitor.mine (x int)",
    "CREATE TABLE reporting.mine (x int)",
]


def test_the_web_role_may_do_no_more_than_the_pages_do(log: Engine) -> None:
    for forbidden in FORBIDDEN:
        with pytest.raises(DBAPIError, match="permission denied"):
            execute(log, "SET LOCAL ROLE monitor_web", forbidden)


def test_the_web_role_appends(log: Engine) -> None:
    with writing(log) as connection:
        connection.execute(text("SET LOCAL ROLE monitor_web"))
        audit.record(connection, "ada", "comment", "x", {}, "192.0.2.1")
        assert [row.audit_id for row in audit.entries(connection, 2)] == [6, 5]
    assert breaks(log) == []


def test_the_reporting_role_neither_reads_nor_appends(log: Engine) -> None:
    for forbidden in ("SELECT * FROM monitor.audit", "SELECT monitor.audit_append('a', 'b', 'c', '{}', 'd')"):
        with pytest.raises(DBAPIError, match="permission denied"):
            execute(log, "SET LOCAL ROLE monitor_reporting", forbidden)


def test_an_act_that_fails_leaves_no_row(log: Engine) -> None:
    with pytest.raises(RuntimeError), writing(log) as connection:
        audit.record(connection, "ada", "comment", "x", {}, "192.0.2.1")
        raise RuntimeError
    with reading(log) as connection:
        assert len(audit.entries(connection, 10)) == 5


def test_a_threshold_never_changes_without_a_row(log: Engine) -> None:
    execute(
        log,
        "INSERT INTO monitor.threshold (value, decided_at, decided_by, basis, reviews_used)"
        " VALUES (3.5, now(), 'calibrate', 'budget', 0)",
    )
    with reading(log) as connection:
        (newest,) = audit.entries(connection, 1)
    assert (newest.actor, newest.action, newest.details["value"]) == ("calibrate", "threshold", 3.5)


def test_the_command_finds_an_edited_row_and_a_log_that_was_cut_off(
    log: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR_DATABASE_URL", log.url.render_as_string(hide_password=False))

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["audit", *arguments])
        return result.exit_code, result.output

    code, said = run()
    assert (code, said.startswith("whole up to row 5:")) == (0, True)
    anchor = said.split("row ")[1].strip()
    assert run("--anchor", anchor)[0] == 0
    assert run("--anchor", "five")[0] == 2
    execute(log, "DELETE FROM monitor.audit WHERE audit_id = 5")
    code, said = run("--anchor", anchor)
    assert (code, "row 5 is gone" in said) == (1, True)
    execute(log, "UPDATE monitor.audit SET actor = 'eve' WHERE audit_id = 3")
    code, said = run()
    assert (code, "broken at row 3" in said) == (1, True)
