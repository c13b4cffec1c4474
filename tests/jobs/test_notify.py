"""Alerts and digests are told through every channel: at least once, with one key, and never at the price of others."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from receivers import HttpReceiver, http_receiver
from receivers import settings as channel_settings
from sqlalchemy import Engine, text

from monitor.channels import Notice
from monitor.channels.sender import Failure, Sender, deliver
from monitor.channels.settings import ChannelSettings
from monitor.config import Settings
from monitor.jobs import notify
from monitor.store import deliveries
from monitor.store.engine import acting, reading, writing
from monitor.store.roles import SCORER

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LONG = timedelta(days=1)


def execute(engine: Engine, statement: str, **values: Any) -> list[Any]:
    with writing(engine) as connection:
        result = connection.execute(text(statement), values)
        return list(result) if result.returns_rows else []


def open_alert(engine: Engine, severity: str = "high", user: str = "ada", **more: Any) -> UUID:
    account, alert = uuid4(), uuid4()
    execute(engine, "INSERT INTO monitor.account VALUES (:id, :user, 1, now())", id=account, user=user)
    values = {"score": 4.2, "status": "open", "campaign": None, "at": NOW} | more
    execute(
        engine,
        """
        INSERT INTO monitor.alert VALUES (:alert, :account, :at, :at, :score, :severity, :status, 'New device', 1,
            :campaign, false, :at, :at)
        """,
        alert=alert,
        account=account,
        severity=severity,
        **values,
    )
    return alert


def rows(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        query = """
            SELECT channel, kind, severity, status, attempts FROM reporting.delivery ORDER BY channel, decided_at, kind
        """
        return [tuple(row) for row in connection.execute(text(query))]


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def file_channel(file: Path, **more: Any) -> ChannelSettings:
    return channel_settings("jsonl", str(file)).model_copy(update={"name": "siem", **more})


class SenderInThisProcess(Sender):
    """Does without the process of its own, which test_sender.py tests: it takes a moment to start."""

    def send(self, notice: Notice) -> Failure | None:
        return deliver(self._settings, notice)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "Sender", SenderInThisProcess)


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "alerts.jsonl"


@pytest.fixture
def with_file(settings: Settings, told: Path) -> Settings:
    return settings.model_copy(update={"channels": [file_channel(told)]})


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def with_hook(settings: Settings, http: HttpReceiver) -> Settings:
    hook = channel_settings("webhook", http.url, allow_private=True).model_copy(update={"name": "hook"})
    return settings.model_copy(update={"channels": [hook]})


def test_an_alert_is_told_once_however_often_the_job_runs(database: Engine, with_file: Settings, told: Path) -> None:
    alert = open_alert(database)
    assert notify.run(database, with_file, NOW, "siem")["delivered"] == 1
    assert notify.run(database, with_file, NOW, "siem")["delivered"] == 0
    (line,) = lines(told)
    ((key,),) = execute(database, "SELECT delivery_id FROM reporting.delivery")
    assert (line["id"], line["type"]) == (str(key), "alert.opened")
    assert (line["data"]["alert_id"], line["data"]["headline"]) == (str(alert), "New device")


def test_an_alert_that_worsens_is_told_again_with_another_key(
    database: Engine, with_file: Settings, told: Path
) -> None:
    open_alert(database, "medium")
    notify.run(database, with_file, NOW, "siem")
    execute(database, "UPDATE monitor.alert SET severity = 'critical'")
    notify.run(database, with_file, NOW, "siem")
    said = lines(told)
    assert [(line["type"], line["data"]["severity"]) for line in said] == [
        ("alert.opened", "medium"), ("alert.worsened", "critical")
    ]  # fmt: skip
    assert len({line["id"] for line in said}) == 2


def test_an_alert_that_gets_a_login_more_but_no_worse_is_not_told_again(
    database: Engine, with_file: Settings, told: Path
) -> None:
    open_alert(database)
    notify.run(database, with_file, NOW, "siem")
    execute(database, "UPDATE monitor.alert SET score = 4.9, event_count = 9, updated_at = :at", at=NOW + LONG)
    notify.run(database, with_file, NOW + LONG, "siem")
    assert len(lines(told)) == 1


def test_an_alert_that_worsens_before_anybody_was_told_is_told_once_at_its_worst(
    database: Engine, settings: Settings, told: Path
) -> None:
    channel = file_channel(told, quiet_hours=(NOW.time(), (NOW + timedelta(hours=1)).time()))
    settings = settings.model_copy(update={"channels": [channel]})
    open_alert(database, "medium")
    assert notify.run(database, settings, NOW, "siem") == {"delivered": 0, "failed": 0, "dead": 0, "withdrawn": 0}
    execute(database, "UPDATE monitor.alert SET severity = 'high'")
    notify.run(database, settings, NOW + timedelta(minutes=30), "siem")
    assert lines(told) == []
    notify.run(database, settings, NOW + timedelta(hours=1), "siem")
    (line,) = lines(told)
    assert (line["type"], line["data"]["severity"]) == ("alert.opened", "high")


def test_what_is_less_severe_than_the_channel_wants_is_not_told(
    database: Engine, with_file: Settings, told: Path
) -> None:
    open_alert(database, "low")
    notify.run(database, with_file, NOW, "siem")
    assert rows(database) == []
    assert not told.exists()


def test_the_oddest_login_and_its_reasons_go_along(database: Engine, with_file: Settings, told: Path) -> None:
    alert = open_alert(database)
    for event, score in (("e1", 3.1), ("e2", 4.2)):
        execute(
            database,
            """
            INSERT INTO monitor.alert_event SELECT account_id, 'vpn', :event, :at, alert_id, :score,
                jsonb_build_object('event_id', :event, 'ip', '203.0.113.9'),
                '[{"feature": "city", "observed": "Lagos", "usual": "Berlin", "contribution": 2.5}]', NULL
            FROM monitor.alert WHERE alert_id = :alert
            """.replace(":event,", "CAST(:event AS text),"),
            event=event,
            at=NOW,
            score=score,
            alert=alert,
        )
    settings = with_file.model_copy(update={"web_url": "https://monitor.example/"})
    notify.run(database, settings, NOW, "siem")
    data = lines(told)[0]["data"]
    assert data["event"] == {"event_id": "e2", "ip": "203.0.113.9"}
    assert data["reasons"][0]["usual"] == "Berlin"
    assert data["link"] == f"https://monitor.example/alerts/{alert}"


def test_critical_alerts_pass_quiet_hours_where_the_channel_says_so(
    database: Engine, settings: Settings, told: Path
) -> None:
    span = {"quiet_hours": (NOW.time(), (NOW + timedelta(hours=1)).time())}
    channel = file_channel(told, critical_in_quiet_hours=True, **span)
    settings = settings.model_copy(update={"channels": [channel]})
    open_alert(database, "high", "ada")
    open_alert(database, "critical", "bob")
    assert notify.run(database, settings, NOW, "siem")["delivered"] == 1
    assert [line["data"]["user_name"] for line in lines(told)] == ["bob"]
    assert notify.run(database, settings, NOW + timedelta(hours=1), "siem")["delivered"] == 1


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


def test_a_notice_whose_sender_was_killed_between_sending_and_marking_is_repeated_with_the_same_key(
    database: Engine, with_hook: Settings, http: HttpReceiver
) -> None:
    open_alert(database)
    http.will(204, seconds=1.5)  # long enough to be killed while the answer is awaited
    script = f"""
import sys, json, datetime
from pydantic import SecretStr
from monitor.channels.settings import ChannelSettings
from monitor.config import Settings
from monitor.jobs import notify
from monitor.store.engine import open_url
given = json.load(sys.stdin)
settings = Settings(channels=[ChannelSettings(**given["channel"])])
notify.run(open_url(given["url"]), settings, datetime.datetime.fromisoformat("{NOW.isoformat()}"), "hook")
"""
    channel = with_hook.channels[0]
    given = {
        "url": database.url.render_as_string(hide_password=False),
        "channel": {
            "name": "hook", "kind": "webhook", "target": channel.target.get_secret_value(), "allow_private": True,
            "secret": channel.secret.get_secret_value() if channel.secret else "",
        },
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, start_new_session=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps(given).encode())
    process.stdin.close()
    deadline = time.monotonic() + 30
    while not http.received:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)  # with the process that sends: both are gone before the answer
    process.wait()
    assert rows(database) == [("hook", "opened", "high", "pending", 1)]
    assert notify.run(database, with_hook, NOW, "hook")["delivered"] == 0  # the lease still runs
    execute(database, "UPDATE monitor.delivery SET leased_until = clock_timestamp() - interval '1 s'")
    assert notify.run(database, with_hook, NOW, "hook")["delivered"] == 1
    first, second = http.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert rows(database) == [("hook", "opened", "high", "delivered", 2)]


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


def test_many_notifiers_at_once_send_each_notice_once(database: Engine, with_file: Settings, told: Path) -> None:
    for number in range(30):
        open_alert(database, user=f"user{number}")
    barrier = Barrier(4)

    def run() -> dict[str, int | float | str]:
        barrier.wait()
        return notify.run(database, with_file, NOW, "siem")

    with ThreadPoolExecutor(4) as pool:
        counts = [future.result() for future in [pool.submit(run) for _ in range(4)]]
    assert sum(int(count["delivered"]) for count in counts) == 30
    assert set(Counter(line["id"] for line in lines(told)).values()) == {1}
    assert len(lines(told)) == 30


def test_a_late_failure_does_not_take_back_what_another_process_delivered(database: Engine) -> None:
    open_alert(database)
    with writing(database) as connection:
        deliveries.decide(connection, deliveries.Wanted("siem", "low"), NOW, NOW)
        slow = deliveries.claim(connection, "siem", NOW, 0.0, critical_only=False)
        quick = deliveries.claim(connection, "siem", NOW, 60.0, critical_only=False)
        assert slow is not None and quick is not None
        deliveries.failed(connection, slow, "late", NOW)
    execute(database, "UPDATE monitor.alert SET severity = severity")
    with writing(database) as connection:
        assert deliveries.claim(connection, "siem", NOW, 60.0, critical_only=False) is None  # still the quick one's
        deliveries.delivered(connection, quick, NOW)
        deliveries.failed(connection, slow, "later still", None)
    assert rows(database) == [("siem", "opened", "high", "delivered", 2)]


def test_a_slow_channel_delays_neither_another_channel_nor_a_change_of_the_alert(
    database: Engine, with_hook: Settings, http: HttpReceiver, told: Path
) -> None:
    settings = with_hook.model_copy(update={"channels": [*with_hook.channels, file_channel(told)]})
    open_alert(database)
    http.will(204, seconds=3)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(notify.run, database, settings, NOW, "hook")
        while not http.received:
            time.sleep(0.02)
        asked = time.monotonic()
        assert notify.run(database, settings, NOW, "siem")["delivered"] == 1
        execute(database, "UPDATE monitor.alert SET event_count = 2")
        assert time.monotonic() - asked < 2
        assert not slow.done()
        assert slow.result()["delivered"] == 1


@pytest.mark.parametrize(("campaigns", "told_of"), [("each", ["c", "a", "b"]), ("once", ["c"])])
def test_a_campaign_is_told_once_to_people_and_account_by_account_to_machines(
    campaigns: str, told_of: list[str], database: Engine, settings: Settings, told: Path
) -> None:
    settings = settings.model_copy(update={"channels": [file_channel(told, campaigns=campaigns)]})
    campaign = uuid4()
    for number, user in enumerate("abc"):
        open_alert(database, "critical" if user == "c" else "high", user, campaign=campaign, score=4 + number / 9)
    notify.run(database, settings, NOW, "siem")
    assert sorted(line["data"]["user_name"] for line in lines(told)) == sorted(told_of)
    open_alert(database, "high", "d", campaign=campaign)  # joins later, and is no worse
    notify.run(database, settings, NOW, "siem")
    assert len(lines(told)) == (4 if campaigns == "each" else 1)
    open_alert(database, "high", "alone")
    notify.run(database, settings, NOW, "siem")
    assert lines(told)[-1]["data"]["user_name"] == "alone"


def test_people_are_told_of_campaigns_once_by_default() -> None:
    assert channel_settings("apprise", "json://x").tells_campaigns_once
    assert not channel_settings("jsonl", "x").tells_campaigns_once


def test_an_alert_that_is_gone_is_not_told(database: Engine, with_file: Settings, told: Path) -> None:
    open_alert(database)
    with writing(database) as connection:
        deliveries.decide(connection, deliveries.Wanted("siem", "low"), NOW, NOW)
    execute(database, "DELETE FROM monitor.alert")
    assert notify.run(database, with_file, NOW, "siem")["withdrawn"] == 1
    assert (rows(database), lines(told)) == ([], [])


def test_the_digest_of_a_day_is_told_once_and_counts_a_campaign_as_one(
    database: Engine, settings: Settings, told: Path
) -> None:
    channel = file_channel(told, digest_at=NOW.time(), alerts=False)
    settings = settings.model_copy(update={"channels": [channel], "web_url": "https://monitor.example"})
    campaign, yesterday = uuid4(), NOW - timedelta(hours=5)
    for number in range(3):
        open_alert(database, "high", f"sprayed{number}", campaign=campaign, at=yesterday, score=4.0 + number / 10)
    open_alert(database, "critical", "ada", at=yesterday, score=6.0, status="confirmed")
    open_alert(database, "low", "quiet", at=yesterday)  # less than the channel wants
    open_alert(database, "critical", "old", at=NOW - timedelta(hours=25))
    open_alert(database, "critical", "new", at=NOW)
    assert notify.run(database, settings, NOW - timedelta(seconds=1), "siem")["delivered"] == 0
    assert notify.run(database, settings, NOW, "siem")["delivered"] == 1
    assert notify.run(database, settings, NOW + timedelta(hours=3), "siem")["delivered"] == 0
    (line,) = lines(told)
    assert line["type"] == "digest.daily"
    assert line["data"]["opened"] == {"critical": 1, "high": 1}
    assert line["data"]["waiting"] == 5
    assert [(one["user_name"], one["accounts"]) for one in line["data"]["worst"]] == [("ada", 1), ("sprayed2", 3)]
    assert line["data"]["link"] == "https://monitor.example"
    assert notify.run(database, settings, NOW + LONG, "siem")["delivered"] == 1
    assert lines(told)[1]["data"]["opened"] == {"critical": 1}


def test_a_day_without_alerts_has_a_digest_too(database: Engine, settings: Settings, told: Path) -> None:
    settings = settings.model_copy(update={"channels": [file_channel(told, digest_at=NOW.time())]})
    notify.run(database, settings, NOW, "siem")
    (line,) = lines(told)
    assert (line["data"]["opened"], line["data"]["waiting"], line["data"]["worst"]) == ({}, 0, [])


def test_a_digest_waits_for_the_end_of_quiet_hours(database: Engine, settings: Settings, told: Path) -> None:
    span = (NOW.time(), (NOW + timedelta(hours=1)).time())
    channel = file_channel(told, digest_at=NOW.time(), quiet_hours=span, critical_in_quiet_hours=True)
    settings = settings.model_copy(update={"channels": [channel]})
    assert notify.run(database, settings, NOW, "siem")["delivered"] == 0
    assert notify.run(database, settings, NOW + timedelta(hours=1), "siem")["delivered"] == 1


def test_the_role_of_the_scorer_is_enough(database: Engine, settings: Settings, told: Path) -> None:
    settings = settings.model_copy(update={"channels": [file_channel(told, digest_at=NOW.time())]})
    gone = open_alert(database, user="gone")
    with writing(database) as connection:
        deliveries.decide(connection, deliveries.Wanted("siem", "low"), NOW, NOW)
    execute(database, "DELETE FROM monitor.alert WHERE alert_id = :gone", gone=gone)
    open_alert(database)
    counts = notify.run(acting(database, SCORER), settings, NOW, "siem")
    assert counts == {"delivered": 2, "failed": 0, "dead": 0, "withdrawn": 1}


def test_an_unknown_channel_is_said_to_be_unknown(database: Engine, with_file: Settings) -> None:
    with pytest.raises(notify.UnknownChannelError, match="no channel is called 'slack'; there are: siem"):
        notify.run(database, with_file, NOW, "slack")
