"""An alert is told once through every channel, and again when it worsens."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from receivers import settings as channel_settings
from sqlalchemy import Engine
from telling import LONG, NOW, file_channel, lines, open_alert, rows
from written import execute

from monitor.config import Settings
from monitor.jobs import notify
from monitor.store import deliveries
from monitor.store.engine import acting, writing
from monitor.store.roles import SCORER


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
