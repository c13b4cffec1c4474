"""Training replays history as the verdicts stand, swaps everything in at once, and never for the worse."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pandas as pd
import pytest
from companies import NOW, UNTIL, Trained, number, rows, settings_for, url_of
from sqlalchemy import Engine

from monitor.columns import CATEGORICAL
from monitor.detectors import training_loop
from monitor.jobs import score as scoring
from monitor.jobs import train as job
from monitor.jobs.ingest import ingest
from monitor.jobs.review import review
from monitor.store.engine import open_url

SCORES = "SELECT event_id, score, raw FROM reporting.login_score ORDER BY event_id"
STATE = (
    "SELECT * FROM reporting.baseline ORDER BY user_name, feature, value",
    "SELECT * FROM monitor.population_state ORDER BY feature, value",
    "SELECT model_id, status FROM monitor.model ORDER BY model_id",
    "SELECT value, decided_by FROM reporting.threshold ORDER BY threshold_id",
    "SELECT event_id FROM monitor.unscored_event ORDER BY event_id",
)

#: Trains in a process of its own; it dies by SIGKILL before its n-th statement.
TRAINING = """
import os, signal, sys
from datetime import datetime
from sqlalchemy import event
sys.path.insert(0, sys.argv[1])
from companies import settings_for
from monitor.jobs.train import train
from monitor.store.engine import open_url

engine = open_url(sys.argv[2])
left = int(sys.argv[3])

def count(connection, cursor, statement, *_):
    global left
    left -= sys.argv[4] in statement
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(engine, "after_cursor_execute", count)
train(engine, settings_for(engine), datetime.fromisoformat(sys.argv[5]), "rarity")
"""


def train(engine: Engine, until: object = UNTIL, detector: str = "rarity") -> dict[str, int | float | str]:
    return job.train(engine, settings_for(engine), until, detector)  # type: ignore[arg-type]


def score(engine: Engine, **changes: object) -> dict[str, int | float | str]:
    return scoring.score(engine, settings_for(engine, **changes), NOW)


def add(engine: Engine, tmp_path: Path, lines: list[str], header: str = "occurred_at,user") -> None:
    path = tmp_path / "events.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    ingest(engine, [path], "csv", "test", now=NOW)


def usual(engine: Engine, user: str, feature: str) -> dict[str, float]:
    """The values of a feature that are usual for an account, with their weights."""
    query = "SELECT value, weight FROM reporting.baseline WHERE user_name = :user AND feature = :feature"
    found = rows(engine, query, user=user, feature=feature)
    return dict(zip(found["value"], found["weight"], strict=True))


def state(engine: Engine) -> list[pd.DataFrame]:
    return [rows(engine, query) for query in STATE]


def test_training_takes_what_it_learned_off_the_queue_and_leaves_the_rest_to_be_scored(company: Engine) -> None:
    waiting = rows(company, "SELECT min(occurred_at) AS first, count(*) AS events FROM monitor.unscored_event")
    assert waiting["first"][0] >= UNTIL
    assert waiting["events"][0] == number(
        company, "SELECT count(*) FROM monitor.login_event WHERE occurred_at >= :t", t=UNTIL
    )
    assert number(company, "SELECT count(*) FROM reporting.login_score") == 0


def test_a_model_comes_with_its_first_threshold_and_says_what_it_was_trained_on(company: Engine) -> None:
    model = rows(company, "SELECT * FROM monitor.model").iloc[0]
    threshold = rows(company, "SELECT * FROM reporting.threshold").iloc[0]
    assert (model["status"], model["trained_until"]) == ("active", UNTIL)
    assert threshold["model_id"] == model["model_id"]
    assert threshold["decided_by"] == "train"
    assert "budget" in threshold["basis"]
    assert threshold["value"] >= 2
    assert {"losses", "events", "first_event_at", "last_event_at", "versions", "seed"} <= model["metadata"].keys()


def test_retraining_on_unchanged_data_gives_the_same_scores(
    company: Engine, trained: Trained, make_database: Callable[[str], str]
) -> None:
    other = open_url(make_database(trained.database))
    assert train(other)["accepted"] == "yes"
    score(company)
    score(other)
    pd.testing.assert_frame_equal(rows(company, SCORES), rows(other, SCORES), atol=1e-6)
    other.dispose()


def test_the_autoencoder_retrained_on_unchanged_data_gives_the_same_scores(
    company: Engine, trained: Trained, make_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_loop, "EPOCHS", 2)
    other = open_url(make_database(trained.database))
    for engine in (company, other):
        train(engine, detector="lstm_autoencoder")
        score(engine)
    pd.testing.assert_frame_equal(rows(company, SCORES), rows(other, SCORES), atol=1e-6)
    model = rows(company, "SELECT detector, metadata FROM monitor.model WHERE status = 'active'").iloc[0]
    assert model["detector"] == "lstm_autoencoder"
    assert len(model["metadata"]["losses"]) == 2
    other.dispose()


def test_a_worse_model_is_refused_and_the_one_at_work_goes_on(company: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(company)
    noticed = iter([0.3, 0.9])  # the new one, then the one at work
    monkeypatch.setattr(job, "quality", lambda *_: next(noticed))
    counts = train(company)
    after = state(company)
    assert str(counts["accepted"]).startswith("no")
    assert after[2]["status"].tolist() == ["active", "refused"]
    assert after[2]["model_id"][0] == before[2]["model_id"][0]
    assert after[3].equals(before[3])
    assert score(company)["scored"] == len(before[4])


def test_a_better_model_takes_over_with_a_threshold_of_its_own(
    company: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    noticed = iter([0.9, 0.3])
    monkeypatch.setattr(job, "quality", lambda *_: next(noticed))
    train(company)
    assert rows(company, STATE[2])["status"].tolist() == ["retired", "active"]
    assert len(rows(company, STATE[3])) == 2


@pytest.mark.parametrize(
    ("statement", "count"),
    [("CREATE TEMPORARY TABLE", 5), ("DELETE FROM monitor.account_state", 1), ("INSERT INTO monitor.threshold", 1)],
)
def test_a_training_killed_half_way_leaves_everything_as_it_was(company: Engine, statement: str, count: int) -> None:
    before = state(company)
    tests = str(Path(__file__).resolve().parents[1])
    arguments = [tests, url_of(company), str(count), statement, NOW.isoformat()]
    died = subprocess.run([sys.executable, "-c", TRAINING, *arguments], timeout=120, check=False)
    assert died.returncode == -9
    for mine, theirs in zip(state(company), before, strict=True):
        pd.testing.assert_frame_equal(mine, theirs)
    assert train(company)["accepted"] == "yes"


def alert_with_a_new_device(engine: Engine) -> tuple[UUID, str, str]:
    """An alert, its account, and a device that the account never had before."""
    alerts = rows(
        engine,
        """
        SELECT t.alert_id, t.user_name, v.event->>'device_id' AS device
        FROM reporting.alert t JOIN reporting.alert_event v USING (alert_id)
        WHERE v.event->>'outcome' = 'success' AND v.event->>'device_id' IS NOT NULL
        """,
    )
    for alert in alerts.itertuples():
        if alert.device not in usual(engine, alert.user_name, "device"):
            return alert.alert_id, alert.user_name, alert.device
    raise AssertionError("no alert has a new device")


@pytest.fixture
def judged(company: Engine) -> tuple[UUID, str, str]:
    score(company)
    return alert_with_a_new_device(company)


def test_training_learns_what_was_dismissed_and_not_what_was_confirmed_undone_or_not_judged(
    company: Engine, judged: tuple[UUID, str, str]
) -> None:
    alert, user, device = judged
    learned = []
    for minute, verdict in enumerate((None, "confirm", "dismiss", "undo")):
        if verdict:
            review(company, alert, verdict, "kim", None, NOW + timedelta(minutes=minute))
        train(company, NOW)
        learned.append(device in usual(company, user, "device"))
    assert learned == [False, False, True, False]


def test_the_next_pass_learns_what_was_dismissed_and_learns_it_once(
    company: Engine, judged: tuple[UUID, str, str]
) -> None:
    alert, user, device = judged
    review(company, alert, "dismiss", "kim", None, NOW)
    assert score(company)["learned_late"] > 0
    weight = usual(company, user, "device")[device]
    assert score(company)["learned_late"] == 0
    assert usual(company, user, "device")[device] == weight


def test_what_nobody_reviews_is_learned_when_patience_ends_and_what_is_confirmed_never(
    company: Engine, judged: tuple[UUID, str, str]
) -> None:
    alert, user, device = judged
    review(company, alert, "confirm", "kim", None, NOW)
    others = sum(
        number(company, f"SELECT count(*) FROM reporting.{view} WHERE alert_id <> :alert", alert=alert)
        for view in ("alert_event", "following_event")
    )
    assert score(company, patience_days=0)["learned_late"] == others > 0
    assert device not in usual(company, user, "device")


def test_without_logins_training_says_what_it_needs_and_the_scheduled_one_waits(database: Engine) -> None:
    with pytest.raises(job.TooLittleHistoryError, match="no logins before"):
        train(database)
    assert "no logins" in str(job.run(database, settings_for(database), NOW)["waiting_for"])


@pytest.mark.parametrize("logins", [1, 2])
def test_too_few_logins_are_said_to_be_too_few(database: Engine, tmp_path: Path, logins: int) -> None:
    add(database, tmp_path, [f"2026-03-02T0{i}:00:00Z,ada" for i in range(logins)])
    with pytest.raises(job.TooLittleHistoryError):
        train(database)
    assert number(database, "SELECT count(*) FROM monitor.unscored_event") == logins


@pytest.mark.parametrize("detector", ["rarity", "lstm_autoencoder"])
@pytest.mark.parametrize("accounts", [1, 68])
def test_time_and_user_alone_are_enough_for_one_account_and_for_accounts_of_a_single_login(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accounts: int, detector: str
) -> None:
    monkeypatch.setattr(training_loop, "EPOCHS", 1)
    hours = [7 * i + i / 5 for i in range(-60, 8)]
    logins = [f"{(UNTIL + timedelta(hours=at)).isoformat()},user{i % accounts}" for i, at in enumerate(hours)]
    add(database, tmp_path, logins)
    train(database, detector=detector)
    assert score(database)["scored"] == 8
    scores = rows(database, SCORES)
    assert scores["score"].between(0, 30).all()
    parts = rows(database, "SELECT DISTINCT feature FROM reporting.attribution")["feature"]
    assert not {*CATEGORICAL, "travel", "distance", "address_failures", "network_failures", "rtt"} & set(parts)
