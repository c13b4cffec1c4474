"""The digest of a day is told once, in its hour."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine
from telling import LONG, NOW, file_channel, lines, open_alert

from monitor.config import Settings
from monitor.jobs import notify


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
