"""When jobs run, and how their runs end: retries, deadlines and a prompt end."""

import time
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Event
from typing import Any

import pytest
from pydantic import SecretStr
from scheduling import NOW, SOON, job, running, runs, wait_until
from sqlalchemy import Engine, text

from monitor import scheduler as scheduler_module
from monitor.channels.settings import ChannelSettings
from monitor.config import Settings, SourceSettings
from monitor.scheduler import Job, Scheduler, standard_jobs
from monitor.store.engine import reading, writing
from monitor.store.jobs import RunEnded


def test_a_job_gets_the_clocks_time_and_its_counts_are_recorded(database: Engine, quick: Settings) -> None:
    def work(engine: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
        return {"year": now.year, "share": float("nan"), "source": "vpn"}

    with running(Scheduler(database, quick, [job("score", work)], clock=lambda: NOW)):
        wait_until(lambda: [run for run in runs(database, "score") if run.status == "succeeded"])
    first = runs(database, "score")[0]
    assert (first.counts, first.error) == ({"year": 2024, "share": None, "source": "vpn"}, None)
    assert first.seconds >= 0


def test_a_failing_job_is_recorded_with_its_error_and_tried_again(database: Engine, quick: Settings) -> None:
    tries: list[int] = []

    def work(engine: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("no such\0 column\nsecond line")
        return {}

    with running(Scheduler(database, quick, [job("train", work)])):
        wait_until(lambda: [run for run in runs(database, "train") if run.status == "succeeded"])
    first, second, third = runs(database, "train")[:3]
    assert (first.status, second.status, third.status) == ("failed", "failed", "succeeded")
    assert first.error == "ValueError: no such column"


def test_a_job_that_goes_on_failing_is_tried_ever_less_often(database: Engine, quick: Settings) -> None:
    def work(engine: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
        raise ValueError("again")

    with running(Scheduler(database, quick, [job("train", work)])):
        wait_until(lambda: len(runs(database, "train")) >= 5)
    starts = [run.started_at for run in runs(database, "train")]
    waits = [later - earlier for earlier, later in pairwise(starts)]
    assert waits[1] >= 2 * SOON
    assert waits[2] >= 4 * SOON
    assert waits[3] >= 8 * SOON


def test_a_restart_repeats_no_job_that_is_not_due_yet(database: Engine, quick: Settings) -> None:
    def work(engine: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
        return {}

    daily = Job("train", work, timedelta(days=1), timedelta(seconds=30))
    for _ in range(2):
        with running(Scheduler(database, quick, [daily, job("score", work)])):
            so_far = len(runs(database, "score"))
            wait_until(lambda so_far=so_far: len(runs(database, "score")) >= so_far + 3)
    assert len(runs(database, "train")) == 1


def test_a_job_that_waits_for_something_asks_again_soon(
    database: Engine, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_module, "ASK_AGAIN", SOON)

    def work(engine: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
        return {"waiting_for": "history"} if len(runs(database, "train")) < 3 else {}

    daily = Job("train", work, timedelta(days=1), timedelta(seconds=30))
    with running(Scheduler(database, quick, [daily])):
        wait_until(lambda: len(runs(database, "train")) >= 3)
        time.sleep(0.5)
    assert len(runs(database, "train")) == 3


def test_a_hung_job_is_given_up_at_its_deadline_and_starves_no_other(database: Engine, quick: Settings) -> None:
    release, outcome = Event(), list[BaseException]()

    def hang(engine: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
        release.wait(20)
        try:
            with writing(engine):
                return {}
        except RunEnded as error:
            outcome.append(error)
            raise

    def work(engine: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
        return {}

    with running(Scheduler(database, quick, [job("pull", hang, deadline=0.5), job("score", work)])):
        wait_until(lambda: [run for run in runs(database, "pull") if run.status == "abandoned"])
        done = len(runs(database, "score"))
        assert done >= 3
        wait_until(lambda: len(runs(database, "pull")) >= 2)  # tried again although the first still hangs
        wait_until(lambda: len(runs(database, "score")) >= done + 3)
        release.set()
        wait_until(lambda: outcome)  # when it wakes, it may write nothing
    assert "deadline of 0.5 s" in runs(database, "pull")[0].error


def test_a_statement_that_hangs_in_the_database_is_ended_with_its_run(database: Engine, quick: Settings) -> None:
    ended = Event()

    def work(engine: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
        try:
            with writing(engine) as connection:
                connection.execute(text("SELECT pg_sleep(60)"))
        finally:
            ended.set()
        return {}

    with running(Scheduler(database, quick, [job("score", work, deadline=0.5)])):
        assert ended.wait(10)


def test_stopping_lets_a_run_finish_its_transaction_but_begin_no_other(database: Engine, quick: Settings) -> None:
    inside = Event()

    def work(engine: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
        for name in ("first", "second"):
            with writing(engine) as connection:
                query = text("INSERT INTO monitor.source_cursor VALUES (:name, '{}', now())")
                connection.execute(query, {"name": name})
                inside.set()
                time.sleep(0.5)
        return {}

    with running(Scheduler(database, quick, [job("pull", work)])) as in_time:
        assert inside.wait(10)
    assert in_time == [True]
    with reading(database) as connection:
        assert connection.scalars(text("SELECT source FROM monitor.source_cursor")).all() == ["first"]
    assert runs(database, "pull")[0].status == "abandoned"


def test_every_standard_job_runs_on_the_interval_of_its_setting(settings: Settings) -> None:
    siem = ChannelSettings(name="siem", kind="jsonl", target=SecretStr("alerts.jsonl"))
    sso = SourceSettings(name="sso", kind="keycloak", url=SecretStr("postgresql://reader@sso.example/keycloak"))
    duo = SourceSettings(name="2nd", kind="duo", url=SecretStr("https://x"), client_id="i", secret=SecretStr("s"))
    changed = settings.model_copy(update={"train_hours": 5.0, "sources": [sso, duo], "channels": [siem]})
    jobs = {job.name: job.every for job in standard_jobs(changed)}
    assert list(jobs) == ["pull sso", "pull 2nd", "score", "notify siem", "calibrate", "train", "prune"]
    assert jobs["train"] == timedelta(hours=5)
    assert (jobs["pull sso"], jobs["pull 2nd"]) == (timedelta(seconds=30), timedelta(minutes=5))
