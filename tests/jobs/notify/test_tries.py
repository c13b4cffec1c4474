"""What a channel did not take is tried again, ever later, until it is given up."""

from datetime import timedelta
from pathlib import Path

from receivers import HttpReceiver
from sqlalchemy import Engine
from telling import LONG, NOW, file_channel, lines, open_alert, rows
from written import execute

from monitor.channels.sender import Failure
from monitor.config import Settings
from monitor.jobs import notify
from monitor.store import deliveries
from monitor.store.engine import writing


def test_errors_of_a_server_are_repeated_with_the_same_key_until_it_takes_the_notice(
    database: Engine, with_hook: Settings, http: HttpReceiver
) -> None:
    open_alert(database)
    http.will(503)
    http.will(500)
    moment, outcomes = NOW, []
    for _ in range(4):
        outcomes.append(notify.run(database, with_hook, moment, "hook"))
        moment += LONG
    assert [outcome["failed"] for outcome in outcomes] == [1, 1, 0, 0]
    assert [outcome["delivered"] for outcome in outcomes] == [0, 0, 1, 0]
    assert len(http.received) == 3
    assert len({got.headers["webhook-id"] for got in http.received}) == 1
    assert rows(database) == [("hook", "opened", "high", "delivered", 3)]


def test_a_pause_grows_with_the_tries_and_is_never_shorter_than_asked_for(
    database: Engine, with_hook: Settings, http: HttpReceiver
) -> None:
    for attempts, longest in ((1, 30), (2, 60), (5, 480), (16, 6 * 3600)):
        pauses = {notify.pause(attempts, Failure("x")).total_seconds() for _ in range(50)}
        assert longest / 2 <= min(pauses) < max(pauses) <= longest
    open_alert(database)
    http.will(429, retry_after="3600")
    notify.run(database, with_hook, NOW, "hook")
    assert notify.run(database, with_hook, NOW + timedelta(minutes=59), "hook")["delivered"] == 0
    assert notify.run(database, with_hook, NOW + timedelta(minutes=61), "hook")["delivered"] == 1


def test_a_notice_is_given_up_after_its_tries_and_may_be_revived(
    database: Engine, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "missing" / "alerts.jsonl"
    settings = settings.model_copy(update={"channels": [file_channel(file)]})
    open_alert(database)
    assert notify.run(database, settings, NOW, "siem")["failed"] == 1
    assert notify.run(database, settings, NOW, "siem")["failed"] == 0  # not due yet
    execute(database, "UPDATE monitor.delivery SET attempts = :tries", tries=notify.MOST_TRIES - 2)
    assert [notify.run(database, settings, NOW + LONG * day, "siem")["dead"] for day in (1, 2, 3)] == [0, 1, 0]
    assert rows(database) == [("siem", "opened", "high", "dead", notify.MOST_TRIES)]
    assert execute(database, "SELECT error FROM reporting.delivery") == [("No such file or directory",)]
    file.parent.mkdir()
    with writing(database) as connection:
        assert deliveries.revive(connection, "other", NOW) == 0
        assert deliveries.revive(connection, "siem", NOW) == 1
    assert notify.run(database, settings, NOW, "siem")["delivered"] == 1


def test_a_receiver_that_wants_no_more_is_not_asked_again(
    database: Engine, with_hook: Settings, http: HttpReceiver
) -> None:
    open_alert(database)
    http.will(410)
    assert notify.run(database, with_hook, NOW, "hook")["dead"] == 1
    assert notify.run(database, with_hook, NOW + LONG, "hook")["delivered"] == 0
    assert len(http.received) == 1


def test_a_dead_channel_is_left_alone_for_the_rest_of_the_run(
    database: Engine, with_hook: Settings, http: HttpReceiver
) -> None:
    for number in range(10):
        open_alert(database, user=f"user{number}")
        http.will(500)
    assert notify.run(database, with_hook, NOW, "hook")["failed"] == notify.MOST_FAILURES


def test_a_notice_that_kills_every_sender_is_given_up_in_the_end(
    database: Engine, with_file: Settings, told: Path
) -> None:
    open_alert(database)
    with writing(database) as connection:
        deliveries.decide(connection, deliveries.Wanted("siem", "low"), NOW, NOW)
    for _ in range(notify.MOST_TRIES):
        with writing(database) as connection:
            assert deliveries.claim(connection, "siem", NOW, 0.0, critical_only=False) is not None
    assert notify.run(database, with_file, NOW, "siem") == {"delivered": 0, "failed": 0, "dead": 1, "withdrawn": 0}
    assert lines(told) == []
