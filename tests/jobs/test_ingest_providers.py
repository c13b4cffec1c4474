"""What an ingestion of provider records says and stores: what was skipped, left unknown, of the future, or useless."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from provider_records import LOGINS, OTHERS
from sqlalchemy import Engine, text

from monitor.cli import cli
from monitor.config import Settings
from monitor.jobs.ingest import MOST_REASONS, IngestReport, ingest
from monitor.sources import PROVIDERS
from monitor.store.engine import reading
from monitor.store.status import read_status

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OKTA = next(record for name, record, _ in LOGINS if name == "okta")


def load(database: Engine, path: Path, format: str, *records: Any, now: datetime = NOW) -> IngestReport:
    path.write_text("\n".join(map(json.dumps, records)))
    return ingest(database, [path], format, format, now=now)


def scalar(database: Engine, query: str) -> Any:
    with reading(database) as connection:
        return connection.scalar(text(query))


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `monitor ingest` on the test's database."""
    assert settings.database_url is not None
    monkeypatch.setenv("MONITOR_DATABASE_URL", settings.database_url.get_secret_value())

    def run(path: Path, content: str, *arguments: str) -> Result:
        path.write_text(content)
        return CliRunner().invoke(cli, ["ingest", str(path), "--source", "s", *arguments])

    return run


def test_every_provider_is_stored_twice_without_a_duplicate_and_adds_up(database: Engine, tmp_path: Path) -> None:
    for name in PROVIDERS:
        records = [record for format, record, *_ in (*LOGINS, *OTHERS) if format == name]
        first = load(database, tmp_path / name, name, *records)
        again = load(database, tmp_path / name, name, *records)
        assert first.stored >= 1
        assert first.skipped == again.skipped
        assert (again.stored, again.read) == (0, first.read)
        assert first.read == first.stored + first.duplicate + first.rejected
        assert scalar(database, f"SELECT count(*) FROM reporting.login_event WHERE source = '{name}'") == first.stored


def test_what_cannot_be_read_is_counted_by_column(database: Engine, tmp_path: Path) -> None:
    odd = OKTA | {"client": {"ipAddress": "somewhere", "geographicalContext": {"country": "Mordor"}}}
    report = load(database, tmp_path / "a", "okta", odd, OKTA | {"uuid": "2"})
    assert (report.stored, report.rejected, report.unclear) == (2, 0, {"ip": 1, "country": 1})


def test_an_event_of_the_future_is_stored_counted_and_shown_to_wait(database: Engine, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    times = [now - timedelta(days=1), now + timedelta(minutes=1), now + timedelta(days=400)]
    records = [OKTA | {"uuid": str(number), "published": time.isoformat()} for number, time in enumerate(times)]
    report = load(database, tmp_path / "a", "okta", *records, now=now)
    assert (report.stored, report.ahead) == (3, 1)
    with reading(database) as connection:
        status = read_status(connection)
    assert (status.waiting, status.ahead) == (3, 1)


def test_a_report_tells_only_so_many_kinds_apart(database: Engine, tmp_path: Path) -> None:
    records = [{"eventType": f"kind {number}"} for number in range(MOST_REASONS + 50)]
    report = load(database, tmp_path / "a", "okta", *records)
    assert len(report.skipped) == MOST_REASONS + 1
    assert report.skipped.total() == MOST_REASONS + 50


def test_the_command_fails_when_nothing_could_be_used(command: Any, tmp_path: Path) -> None:
    found = command(tmp_path / "a", json.dumps(OKTA), "--format", "cloudtrail")
    assert found.exit_code == 1
    assert "none of the 1 records could be used; is --format cloudtrail right?" in found.output
    assert "rejected 1: says nothing at eventName" in found.output


@pytest.mark.parametrize("content", ["", json.dumps(OTHERS[0][1]), json.dumps(OKTA)])
def test_the_command_succeeds_when_there_was_nothing_or_something_to_use(
    command: Any, tmp_path: Path, content: str
) -> None:
    assert command(tmp_path / "a", content, "--format", "okta").exit_code == 0
    assert command(tmp_path / "a", content, "--format", "okta").exit_code == 0  # now they are all duplicates


def test_the_command_says_what_is_not_stored_in_full(command: Any, tmp_path: Path) -> None:
    odd = OKTA | {"published": "2071-01-01T00:00:00Z", "securityContext": {"asNumber": "x"}}
    others = [{"eventType": f"a_kind.{number:02}"} for number in range(25)]
    output = command(tmp_path / "a", "\n".join(map(json.dumps, [odd, *others])), "--format", "okta").output
    assert "skipped, being no logins: a_kind.00 1, a_kind.01 1" in output
    assert "and 5 of 5 other kinds" in output
    assert "left unknown, as their values cannot be read: asn 1" in output
    assert "1 are of the future, by their clock" in output


def test_a_zone_is_for_stamps_that_name_none(command: Any, tmp_path: Path, database: Engine) -> None:
    content = "event_id,occurred_at,user\n1,2024-07-01 10:00:00,ana\n2,2024-07-01T10:00:00Z,ana\n"
    assert "has no time zone" in command(tmp_path / "a", content, "--format", "csv").output
    assert command(tmp_path / "a", content, "--format", "csv", "--zone", "Europe/Berlin").exit_code == 0
    line = json.dumps({"event_id": "3", "occurred_at": "2024-07-01T10:00:00", "user": "ana"})
    assert command(tmp_path / "b", line, "--format", "jsonl", "--zone", "Asia/Kolkata").exit_code == 0
    times = "string_agg((occurred_at AT TIME ZONE 'UTC')::time::text, ' ' ORDER BY event_id)"
    assert scalar(database, f"SELECT {times} FROM reporting.login_event") == "08:00:00 10:00:00 04:30:00"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "Europe", ""])
def test_a_zone_nobody_knows_is_wrong_usage(command: Any, tmp_path: Path, zone: str) -> None:
    found = command(tmp_path / "a", "", "--format", "csv", "--zone", zone)
    assert found.exit_code == 2
    assert "is no IANA time zone such as Europe/Berlin" in found.output
