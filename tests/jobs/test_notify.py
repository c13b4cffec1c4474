"""Alerts are told through every channel: once, at least once, and never at the price of the others."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from monitor.config import ChannelSettings, Settings
from monitor.jobs import notify
from monitor.store.engine import reading, writing

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def open_alert(engine: Engine, severity: str = "high", user: str = "ada") -> Any:
    account, alert = uuid4(), uuid4()
    with writing(engine) as connection:
        connection.execute(
            text("INSERT INTO monitor.account VALUES (:id, :user, 1, now())"), {"id": account, "user": user}
        )
        connection.execute(
            text(
                """
                INSERT INTO monitor.alert VALUES (:alert, :account, :now, :now, 4.2, :severity, 'open', 'New device', 1,
                    NULL, false, :now, :now)
                """
            ),
            {"alert": alert, "account": account, "severity": severity, "now": NOW},
        )
    return alert


def rows(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        query = (
            "SELECT channel, severity, status, attempts FROM reporting.delivery ORDER BY channel, decided_at, severity"
        )
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "alerts.jsonl"


@pytest.fixture
def with_file(settings: Settings, told: Path) -> Settings:
    channel = ChannelSettings(name="siem", kind="jsonl", target=SecretStr(str(told)))
    return settings.model_copy(update={"channels": [channel]})


def test_an_alert_is_told_once_however_often_the_job_runs(database: Engine, with_file: Settings, told: Path) -> None:
    alert = open_alert(database)
    assert notify.run(database, with_file, NOW)["delivered"] == 1
    assert notify.run(database, with_file, NOW)["delivered"] == 0
    (line,) = told.read_text().splitlines()
    notice = json.loads(line)
    assert notice["key"] == f"{alert}:high"
    assert notice["headline"] == "New device"


def test_an_alert_that_worsens_is_told_again(database: Engine, with_file: Settings, told: Path) -> None:
    open_alert(database, "medium")
    notify.run(database, with_file, NOW)
    with writing(database) as connection:
        connection.execute(text("UPDATE monitor.alert SET severity = 'critical'"))
    notify.run(database, with_file, NOW)
    assert [json.loads(line)["severity"] for line in told.read_text().splitlines()] == ["medium", "critical"]


def test_what_is_less_severe_than_the_channel_wants_is_not_told(
    database: Engine, with_file: Settings, told: Path
) -> None:
    open_alert(database, "low")
    notify.run(database, with_file, NOW)
    assert rows(database) == []
    assert not told.exists()


def test_a_dead_channel_delays_no_other_and_is_given_up_after_its_tries(
    database: Engine, with_file: Settings, told: Path, tmp_path: Path
) -> None:
    dead = ChannelSettings(name="broken", kind="jsonl", target=SecretStr(str(tmp_path / "missing" / "file")))
    settings = with_file.model_copy(update={"channels": [dead, *with_file.channels]})
    open_alert(database)
    assert notify.run(database, settings, NOW) == {"delivered": 1, "failed": 1}
    assert notify.run(database, settings, NOW)["failed"] == 0  # not due yet
    for day in range(1, notify.MOST_TRIES + 2):
        notify.run(database, settings, NOW + timedelta(days=day))
    assert rows(database) == [("broken", "high", "dead", notify.MOST_TRIES), ("siem", "high", "delivered", 1)]


def test_a_notice_whose_sender_died_is_sent_again_with_the_same_key(
    database: Engine, with_file: Settings, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = open_alert(database)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(notify.deliveries, "delivered", die)
        with pytest.raises(KeyboardInterrupt):
            notify.run(database, with_file, NOW)
    assert notify.run(database, with_file, NOW)["delivered"] == 0  # the lease still runs
    assert notify.run(database, with_file, NOW + notify.LEASE)["delivered"] == 1
    assert [json.loads(line)["key"] for line in told.read_text().splitlines()] == [f"{alert}:high"] * 2
