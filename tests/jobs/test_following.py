"""What a stranger does after having alerted waits for the same verdict, however quietly it is done."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pandas as pd
import pytest
from companies import NOW, alert_from, number, rows, score, settings_for
from sqlalchemy import Engine

from monitor.jobs.ingest import ingest
from monitor.jobs.review import review
from monitor.jobs.train import train

STRANGER = {"ip": "203.0.113.66", "country": "KP", "device_id": "stolen"}
ELSEWHERE = STRANGER | {"ip": "198.51.100.9", "country": "IS"}
FOLLOWING = "SELECT event_id FROM reporting.following_event WHERE alert_id = :alert ORDER BY occurred_at"
ALERT = "SELECT * FROM reporting.alert WHERE alert_id = :alert"


def come(engine: Engine, folder: Path, user: str, *logins: dict[str, object]) -> None:
    """Logins of a user, ``at`` so many hours from now."""
    table = pd.DataFrame(
        {"user": user, "occurred_at": (NOW + timedelta(hours=float(str(login.pop("at"))))).isoformat()} | login
        for login in [dict(login) for login in logins]
    )
    path = folder / f"{len(list(folder.iterdir()))}.csv"
    table.to_csv(path, index=False)
    ingest(engine, [path], "csv", "vpn", now=NOW + timedelta(days=30))


@dataclass(frozen=True)
class Takeover:
    """An account with an open alert, how its owner logs in, and where to put files."""

    engine: Engine
    folder: Path
    user: str
    owner: dict[str, object]
    alert: UUID

    def come(self, *logins: dict[str, object], days: float = 30.0, **changes: object) -> None:
        come(self.engine, self.folder, self.user, *logins)
        score(self.engine, NOW + timedelta(days=days), **changes)

    def following(self) -> list[str]:
        return list(rows(self.engine, FOLLOWING, alert=self.alert)["event_id"])

    def known(self) -> set[str]:
        query = "SELECT value FROM reporting.baseline WHERE user_name = :user AND feature IN ('device', 'country')"
        return set(rows(self.engine, query + " AND weight > 0", user=self.user)["value"])


@pytest.fixture
def takeover(company: Engine, tmp_path: Path) -> Takeover:
    """A stranger's login that alerted; from then on nothing is loud enough to."""
    score(company)
    owner = rows(
        company,
        """
        SELECT user_name, host(ip) AS ip, country, device_id FROM reporting.login_event
        WHERE device_id IS NOT NULL AND country IS NOT NULL AND user_name NOT LIKE 'svc%'
        GROUP BY 1, 2, 3, 4 ORDER BY count(*) DESC LIMIT 1
        """,
    ).iloc[0]
    alert_from(company, 1.0)
    come(company, tmp_path, owner["user_name"], STRANGER | {"event_id": "loud", "at": 0})
    score(company, NOW + timedelta(days=30))
    alert_from(company, 50.0, NOW + timedelta(seconds=1))
    alert = rows(company, "SELECT alert_id FROM reporting.alert_event WHERE event_id = 'loud'").iloc[0, 0]
    return Takeover(company, tmp_path, owner["user_name"], owner.drop("user_name").to_dict(), alert)


QUIET = [STRANGER | {"event_id": f"quiet{i}", "at": 10 * i} for i in range(1, 4)]


def test_quiet_logins_of_the_stranger_wait_in_the_alert_and_make_it_neither_worse_nor_longer(
    takeover: Takeover,
) -> None:
    before = rows(takeover.engine, ALERT, alert=takeover.alert)
    takeover.come(*QUIET)
    assert takeover.following() == ["quiet1", "quiet2", "quiet3"]
    assert not {"stolen", "KP"} & takeover.known()
    pd.testing.assert_frame_equal(rows(takeover.engine, ALERT, alert=takeover.alert), before)


def test_it_does_not_matter_in_how_many_passes_they_come(takeover: Takeover) -> None:
    for quiet in QUIET:
        takeover.come(quiet)
    assert takeover.following() == ["quiet1", "quiet2", "quiet3"]
    assert not {"stolen", "KP"} & takeover.known()


def test_the_stranger_is_known_by_the_device_from_another_country_and_that_country_is_not_held_against_the_owner(
    takeover: Takeover,
) -> None:
    own_phone = takeover.owner | {"ip": "198.51.100.9", "country": "IS"}
    takeover.come(ELSEWHERE | {"event_id": "moved", "at": 3}, own_phone | {"event_id": "holiday", "at": 90})
    assert takeover.following() == ["moved"]
    assert "IS" in takeover.known()


def test_the_owner_goes_on_being_learned(takeover: Takeover) -> None:
    takeover.come(*QUIET, takeover.owner | {"event_id": "own", "at": 12, "application": "new-at-home"})
    assert "own" not in takeover.following()
    query = "SELECT count(*) FROM reporting.baseline WHERE user_name = :user AND value = 'new-at-home' AND weight > 0"
    assert number(takeover.engine, query, user=takeover.user) == 1


def test_what_followed_is_learned_once_the_alert_is_dismissed(takeover: Takeover) -> None:
    takeover.come(*QUIET)
    review(takeover.engine, takeover.alert, "dismiss", "kim", None, NOW)
    assert score(takeover.engine, NOW + timedelta(days=2))["learned_late"] == 4
    assert {"stolen", "KP"} <= takeover.known()
    takeover.come(STRANGER | {"event_id": "later", "at": 60})
    assert "later" not in takeover.following()


def test_what_followed_never_trains_once_the_alert_is_confirmed_and_nor_does_what_follows_the_confirmation(
    takeover: Takeover,
) -> None:
    takeover.come(*QUIET)
    review(takeover.engine, takeover.alert, "confirm", "kim", None, NOW)
    takeover.come(STRANGER | {"event_id": "again", "at": 60})
    assert takeover.following() == ["quiet1", "quiet2", "quiet3", "again"]
    train(takeover.engine, settings_for(takeover.engine), NOW + timedelta(days=30), "rarity")
    assert not {"stolen", "KP"} & takeover.known()


def test_unreviewed_followers_are_learned_after_the_patience_each_from_its_own_time(takeover: Takeover) -> None:
    takeover.come(STRANGER | {"event_id": "early", "at": 1}, STRANGER | {"event_id": "late", "at": 240})
    takeover.come(takeover.owner | {"event_id": "own", "at": 15 * 24})
    learned = "SELECT event_id FROM reporting.following_event WHERE alert_id = :alert AND learned_at IS NOT NULL"
    assert list(rows(takeover.engine, learned, alert=takeover.alert)["event_id"]) == ["early"]


def test_alerts_views_hold_what_alerted_and_the_view_of_followers_the_rest(takeover: Takeover) -> None:
    takeover.come(*QUIET)
    held = rows(takeover.engine, "SELECT event_id FROM reporting.alert_event WHERE alert_id = :id", id=takeover.alert)
    assert list(held["event_id"]) == ["loud"]
    query = "SELECT event, attribution FROM reporting.following_event WHERE alert_id = :id"
    first = rows(takeover.engine, query, id=takeover.alert).iloc[0]
    assert first["event"]["device_id"] == "stolen"
    assert first["attribution"][0]["observed"]
