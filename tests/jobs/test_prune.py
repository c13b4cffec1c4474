"""Retention drops whole months, and only months that are wholly too old."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from companies import NOW as COMPANY_NOW
from companies import Trained, rows, settings_for
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from monitor.config import Settings
from monitor.jobs import prune, score
from monitor.store import jobs, partitions
from monitor.store.engine import acting, reading, writing
from monitor.store.roles import SCORER

NOW = datetime(2024, 6, 15, tzinfo=UTC)
EVENTS = [datetime(2024, month, day, 12, tzinfo=UTC) for month in (2, 3, 4, 5, 6) for day in (1, 14)]


def scalar(engine: Engine, query: str) -> Any:
    with reading(engine) as connection:
        return connection.scalar(text(query))


@pytest.fixture
def full(database: Engine) -> Engine:
    """Two events a month, all waiting, an alert on the oldest, and a record rejected in each month."""
    account = uuid4()
    with writing(database) as connection:
        partitions.ensure_months(connection, EVENTS)
        for number, moment in enumerate(EVENTS):
            key = {"account": account, "id": str(number), "at": moment}
            for statement in (
                "INSERT INTO monitor.login_event"
                " (account_id, source, event_id, occurred_at, shard, outcome, received_at)"
                " VALUES (:account, 's', :id, :at, 1, 'success', :at)",
                "INSERT INTO monitor.unscored_event VALUES (:account, 's', :id, :at)",
                "INSERT INTO monitor.rejected_record VALUES ('s', CAST(:id AS text)::bytea, 1, 'bad', 'x', :at)",
            ):
                connection.execute(text(statement), key)
        connection.execute(
            text("INSERT INTO monitor.alert_event VALUES (:account, 's', '0', :at, gen_random_uuid(), 4, '{}', '[]')"),
            {"account": account, "at": EVENTS[0]},
        )
    return database


def test_without_retention_everything_stays(full: Engine, settings: Settings) -> None:
    assert prune.run(full, settings, NOW)["months"] == 0
    assert scalar(full, "SELECT count(*) FROM monitor.login_event") == len(EVENTS)


def test_months_that_ended_before_the_limit_are_dropped_with_all_that_waits_in_them(
    full: Engine, settings: Settings
) -> None:
    settings = settings.model_copy(update={"retention_days": 60})  # the limit is 16 April
    assert prune.run(full, settings, NOW) == {"months": 2, "rows": 8, "accounts": 0, "runs": 0}
    with reading(full) as connection:
        assert [month.month for month in partitions.months(connection)] == [4, 5, 6]
    for table, column in (
        ("login_event", "occurred_at"),
        ("unscored_event", "occurred_at"),
        ("rejected_record", "rejected_at"),
    ):
        assert scalar(full, f"SELECT min({column}) FROM monitor.{table}") == datetime(2024, 4, 1, 12, tzinfo=UTC)


def test_alerts_outlive_the_events_they_show(full: Engine, settings: Settings) -> None:
    prune.run(full, settings.model_copy(update={"retention_days": 60}), NOW)
    assert scalar(full, "SELECT count(*) FROM monitor.alert_event") == 1


def test_pruning_again_finds_nothing(full: Engine, settings: Settings) -> None:
    settings = settings.model_copy(update={"retention_days": 60})
    prune.run(full, settings, NOW)
    assert prune.run(full, settings, NOW) == {"months": 0, "rows": 0, "accounts": 0, "runs": 0}


def test_a_late_event_of_a_dropped_month_makes_its_partition_again(full: Engine, settings: Settings) -> None:
    prune.run(full, settings.model_copy(update={"retention_days": 60}), NOW)
    with writing(full) as connection:
        partitions.ensure_months(connection, [EVENTS[0]])
    with reading(full) as connection:
        assert EVENTS[0].month in [month.month for month in partitions.months(connection)]


def test_a_month_that_a_long_reader_holds_is_left_for_the_next_time(
    full: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings.model_copy(update={"retention_days": 60})
    monkeypatch.setattr(partitions, "PATIENCE", "100ms")
    with reading(full) as connection:
        connection.scalar(text("SELECT count(*) FROM monitor.login_event"))
        with pytest.raises(OperationalError, match="lock timeout"):
            prune.run(full, settings, NOW)
    assert scalar(full, "SELECT count(*) FROM monitor.login_event") == len(EVENTS)
    assert prune.run(full, settings, NOW)["months"] == 2


def test_old_runs_are_forgotten_but_never_one_that_is_running(database: Engine, settings: Settings) -> None:
    with writing(database) as connection:
        for days in (1, 40):
            started = NOW - timedelta(days=days)
            jobs.record_run(connection, uuid4(), "score", started, started + timedelta(seconds=1), {})
        connection.execute(
            text("INSERT INTO monitor.job_run VALUES (gen_random_uuid(), 'train', 'running', :at, NULL, NULL, '{}')"),
            {"at": NOW - timedelta(days=50)},
        )
    assert prune.run(database, settings, NOW)["runs"] == 1
    assert scalar(database, "SELECT count(*) FROM monitor.job_run") == 2


def test_accounts_go_when_neither_a_login_nor_an_alert_of_theirs_is_left(
    company: Engine, trained: Trained, settings: Settings
) -> None:
    """A company of March: in June nothing is kept but who had an alert, and what the alerts show."""
    score.run(company, settings_for(company), COMPANY_NOW)
    shown = rows(company, "SELECT alert_id, event, attribution FROM reporting.alert_event ORDER BY event_id")
    assert len(shown) > 0
    old = settings.model_copy(update={"retention_days": 30})
    pruned = prune.run(acting(company, SCORER), old, COMPANY_NOW + timedelta(days=90))
    assert pruned["months"] == 1
    assert scalar(company, "SELECT count(*) FROM monitor.login_event") == 0
    kept = "SELECT count(DISTINCT user_name) FROM reporting.alert"
    assert scalar(company, "SELECT count(*) FROM monitor.account") == scalar(company, kept)
    assert scalar(company, "SELECT count(*) FROM monitor.account_state") <= scalar(company, kept)
    assert shown.equals(
        rows(company, "SELECT alert_id, event, attribution FROM reporting.alert_event ORDER BY event_id")
    )
    assert pruned["accounts"] == 25 - scalar(company, kept)
    again = score.run(company, settings_for(company), COMPANY_NOW + timedelta(days=90))
    assert again["scored"] == 0
