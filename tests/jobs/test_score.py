"""Every event is scored once and alerted once, whatever is killed, comes late, comes twice or cannot be scored."""

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from companies import NOW, SCORES, UNTIL, Trained, number, rows, score, settings_for, url_of
from sqlalchemy import Engine, text

from monitor.columns import Logins
from monitor.jobs import score as job
from monitor.jobs.ingest import ingest
from monitor.store.engine import open_url, writing

BATCH = 120

ALERTS = """
    SELECT user_name, opened_at, last_event_at, score, severity, status, event_count, thin_history, headline,
           campaign_id IS NULL AS alone
    FROM reporting.alert ORDER BY opened_at, user_name
"""
BASELINES = "SELECT user_name, feature, value, weight, last_seen_at FROM reporting.baseline ORDER BY 1, 2, 3"
WAITING = "SELECT count(*) FROM monitor.unscored_event"

#: Runs one pass in a process of its own; it dies by SIGKILL before its n-th statement.
PASS = """
import os, signal, sys
from datetime import datetime
from sqlalchemy import event
sys.path.insert(0, sys.argv[1])
from companies import settings_for
from monitor.jobs import score as job
from monitor.store.engine import open_url

engine, last = open_url(sys.argv[2]), int(sys.argv[4])
job.BATCH = int(sys.argv[3])
statements = 0

def count(*_):
    global statements
    statements += 1
    if statements == last:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(engine, "before_cursor_execute", count)
counts = job.score(engine, settings_for(engine), datetime.fromisoformat(sys.argv[5]))
print(counts["scored"], statements)
"""


def start_pass(engine: Engine, batch: int = BATCH, killed_before: int = 0) -> "subprocess.Popen[str]":
    tests = str(Path(__file__).resolve().parents[1])
    arguments = [tests, url_of(engine), str(batch), str(killed_before), NOW.isoformat()]
    return subprocess.Popen([sys.executable, "-c", PASS, *arguments], stdout=subprocess.PIPE, text=True)


def outcome(engine: Engine) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return rows(engine, SCORES), rows(engine, ALERTS), rows(engine, BASELINES)


def assert_same(one: tuple[pd.DataFrame, ...], other: tuple[pd.DataFrame, ...], tolerance: float = 0.0) -> None:
    for mine, theirs in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(mine, theirs, check_exact=tolerance == 0, atol=tolerance, rtol=tolerance)


def add(engine: Engine, tmp_path: Path, *lines: str, now: datetime = NOW) -> None:
    """Ingest lines of event_id,occurred_at,user,device_id,application."""
    path = tmp_path / "more.csv"
    path.write_text("event_id,occurred_at,user,device_id,application\n" + "\n".join(lines) + "\n")
    report = ingest(engine, [path], "csv", "late", now=now)
    assert report.stored == len(lines)


@pytest.fixture(scope="module")
def undisturbed(trained: Trained, make_database: Callable[[str], str]) -> tuple[pd.DataFrame, ...]:
    """What a pass leaves behind when nothing happens to it."""
    engine = open_url(make_database(trained.database))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "BATCH", BATCH)
        score(engine)
    left = outcome(engine)
    engine.dispose()
    return left


def test_every_event_after_training_is_scored_once_and_a_second_pass_changes_nothing(company: Engine) -> None:
    waiting = rows(company, "SELECT event_id FROM monitor.unscored_event ORDER BY 1")
    counts = score(company)
    assert counts["scored"] == len(waiting) > 200
    assert rows(company, "SELECT event_id FROM reporting.login_score ORDER BY 1").equals(waiting)
    assert rows(company, SCORES)["occurred_at"].min() >= UNTIL
    assert number(company, WAITING) == 0
    assert counts["alerts"] == number(company, "SELECT count(*) FROM reporting.alert") > 0
    assert counts["alerted"] == number(company, "SELECT count(*) FROM reporting.login_score WHERE alerted")
    before = outcome(company)
    again = score(company)
    assert (again["scored"], again["alerts"], again["alerted"]) == (0, 0, 0)
    assert_same(outcome(company), before)


def test_scores_alerts_and_baselines_are_the_same_however_a_pass_is_cut_into_batches(
    scored: Engine, undisturbed: tuple[pd.DataFrame, ...]
) -> None:
    at_once = outcome(scored)
    texts = ["headline"]  # says what is usual as of the batch
    assert_same(
        (at_once[0], at_once[1].drop(columns=texts), at_once[2]),
        (undisturbed[0], undisturbed[1].drop(columns=texts), undisturbed[2]),
        tolerance=1e-4,
    )


@pytest.mark.parametrize("statement", [9, 40, 63])
def test_a_pass_killed_anywhere_is_completed_by_the_next_as_if_nothing_had_happened(
    company: Engine, undisturbed: tuple[pd.DataFrame, ...], monkeypatch: pytest.MonkeyPatch, statement: int
) -> None:
    process = start_pass(company, killed_before=statement)
    assert process.wait(timeout=60) == -9
    left = number(company, WAITING)
    assert left > 0, "it was killed too late"
    assert left + number(company, "SELECT count(*) FROM monitor.login_score") == len(undisturbed[0])
    monkeypatch.setattr(job, "BATCH", BATCH)
    assert score(company)["scored"] == left
    assert_same(outcome(company), undisturbed)


def test_two_processes_at_once_score_every_event_once(company: Engine, undisturbed: tuple[pd.DataFrame, ...]) -> None:
    both = [start_pass(company), start_pass(company)]
    scored = [int(process.communicate(timeout=120)[0].split()[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(scored) == len(undisturbed[0])
    assert_same(outcome(company), undisturbed, tolerance=1e-4)


def test_events_that_somebody_else_scored_since_they_were_read_are_not_scored_again(
    company: Engine, undisturbed: tuple[pd.DataFrame, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, others = job._read, []

    def read_too_early(*arguments: object) -> pd.DataFrame:
        events = read(*arguments)
        if not others:
            others.append(int(start_pass(company).communicate(timeout=120)[0].split()[0]))
        return events

    monkeypatch.setattr(job, "BATCH", BATCH)
    monkeypatch.setattr(job, "_read", read_too_early)
    counts = score(company)
    assert (others, counts["scored"], counts["quarantined"]) == ([len(undisturbed[0])], 0, 0)
    assert_same(outcome(company), undisturbed)


def test_the_scheduled_pass_leaves_the_work_to_whoever_is_at_it(company: Engine) -> None:
    with writing(company) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('monitor.score', 0))"))
        counts = job.run(company, settings_for(company), NOW)
    assert counts["scored"] == 0
    assert "another process" in str(counts["waiting_for"])
    assert number(company, WAITING) > 0


def test_before_the_first_training_a_scheduled_pass_waits_and_a_command_says_what_it_needs(database: Engine) -> None:
    assert job.run(database, settings_for(database), NOW) == {"scored": 0, "waiting_for": "a model"}
    with pytest.raises(job.NoModelError, match="monitor train"):
        score(database)


def test_a_late_event_is_scored_and_moves_nothing_back(company: Engine, tmp_path: Path) -> None:
    score(company)
    state = "SELECT user_name, updated_at FROM monitor.account_state JOIN monitor.account USING (account_id)"
    user = rows(company, SCORES)["user_name"].value_counts().index[0]
    before = rows(company, state).set_index("user_name")["updated_at"]
    for number_, moment in enumerate((NOW - timedelta(days=4), UNTIL - timedelta(days=2))):
        add(company, tmp_path, f"late{number_},{moment.isoformat()},{user},own,mail")
        assert score(company)["scored"] == 1
    assert rows(company, state).set_index("user_name")["updated_at"].equals(before)
    assert number(company, "SELECT count(*) FROM reporting.login_score WHERE event_id LIKE 'late%'") == 2


def test_an_event_from_the_future_waits_until_its_time(company: Engine, tmp_path: Path) -> None:
    score(company)
    soon, far = NOW + timedelta(minutes=4), NOW + timedelta(minutes=6)
    add(company, tmp_path, f"soon,{soon.isoformat()},eve,own,mail", f"far,{far.isoformat()},eve,own,mail")
    assert score(company)["scored"] == 1
    assert rows(company, "SELECT event_id FROM monitor.unscored_event")["event_id"].tolist() == ["far"]
    assert score(company, NOW + timedelta(minutes=2))["scored"] == 1


def test_what_cannot_be_scored_is_quarantined_with_its_reason_and_the_others_are_scored(
    company: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever step fails, also one that leaves half of its work in the database."""
    moment = (UNTIL + timedelta(days=3)).isoformat()
    add(company, tmp_path, *(f"bad{i},{moment},eve{i},own,poison{i}" for i in range(3)))
    total = number(company, WAITING)
    healthy, load = job.judge, job.population.load_population

    def refuses(logins: Logins, name: str) -> bool:
        return name in logins.values["application"].names

    def judge(logins: Logins, *others: object) -> object:
        if refuses(logins, "poison0"):
            raise ZeroDivisionError("poisoned")
        judged, changes = healthy(logins, *others)
        if refuses(logins, "poison1"):
            judged[0].scores.score[0] = np.nan
        return judged, changes

    def load_population(connection: object, logins: Logins, *others: object) -> object:
        if refuses(logins, "poison2"):
            connection.execute(text("CREATE TEMPORARY TABLE wanted_value (left_behind int) ON COMMIT DROP"))
            connection.execute(text("SELECT 'x'::int"))
        return load(connection, logins, *others)

    monkeypatch.setattr(job, "judge", judge)
    monkeypatch.setattr(job.population, "load_population", load_population)
    counts = score(company)
    assert (counts["quarantined"], counts["scored"]) == (3, total - 3)
    aside = rows(company, "SELECT event_id, reason FROM monitor.quarantined_event ORDER BY event_id")
    assert aside["event_id"].tolist() == ["bad0", "bad1", "bad2"]
    assert "poisoned" in aside["reason"][0]
    assert "finite" in aside["reason"][1]
    assert "invalid input syntax" in aside["reason"][2]
    assert number(company, WAITING) == 0
