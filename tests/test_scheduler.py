"""The scheduler: one leader, deadlines, retries, and a prompt end, with tiny jobs on a real database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from monitor import scheduler as scheduler_module
from monitor.channels.settings import ChannelSettings
from monitor.config import Settings, SourceSettings
from monitor.scheduler import Job, Scheduler, standard_jobs
from monitor.store import jobs as store
from monitor.store.engine import guarded, reading, writing
from monitor.store.jobs import Lease, RunEnded, RunGuard

SOON = timedelta(milliseconds=50)
NOW = datetime(2024, 5, 1, tzinfo=UTC)


def job(name: str, work: Callable[[Engine, Settings, datetime], dict[str, Any]], deadline: float = 30.0) -> Job:
    return Job(name, work, SOON, timedelta(seconds=deadline))


@contextmanager
def running(scheduler: Scheduler) -> Iterator[list[bool]]:
    """The scheduler at work in a thread; afterwards the list holds whether every run ended in time."""
    stop, in_time = Event(), list[bool]()
    thread = Thread(target=lambda: in_time.append(scheduler.run(stop)))
    thread.start()
    try:
        yield in_time
    finally:
        stop.set()
        thread.join(15)
        assert not thread.is_alive()


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def runs(database: Engine, name: str) -> list[Any]:
    with reading(database) as connection:
        query = text("SELECT * FROM reporting.job_run WHERE job = :job ORDER BY started_at")
        return list(connection.execute(query, {"job": name}))


@pytest.fixture
def quick(settings: Settings) -> Settings:
    return settings.model_copy(update={"lease_seconds": 1.0})


def test_a_job_gets_the_clocks_time_and_its_counts_are_recorded(database: Engine, quick: Settings) -> None:
    def work(engine: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
        return {"year": now.year, "share": float("nan"), "source": "vpn"}

    with running(Scheduler(database, quick, [job("score", work)], clock=lambda: NOW)):
        wait_until(lambda: [run for run in runs(database, "score") if run.status == "succeeded"])
    first = runs(database, "score")[0]
    assert (first.counts, first.error) == ({"year": 2024, "share": None, "source": "vpn"}, None)
    assert first.seconds >= 0


def test_of_two_schedulers_one_leads_and_the_other_takes_over_when_it_stops(database: Engine, quick: Settings) -> None:
    worked: list[str] = []

    def scheduler(name: str) -> Scheduler:
        def work(engine: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
            worked.append(name)
            return {}

        return Scheduler(database, quick, [job("pull", work)])

    with running(scheduler("first")):
        wait_until(lambda: worked)
        with running(scheduler("second")):
            so_far = len(worked)
            wait_until(lambda: len(worked) >= so_far + 10)
            assert set(worked) == {"first"}
    with running(scheduler("third")):
        wait_until(lambda: "third" in worked, seconds=5)


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


def test_a_run_of_an_old_term_cannot_commit(database: Engine) -> None:
    old, new, run_id = uuid4(), uuid4(), uuid4()
    with writing(database) as connection:
        lease = store.take_lease(connection, "scheduler", old, 0.0)
        assert lease is not None
        store.start_run(connection, lease, run_id, "score")
    engine = guarded(database, RunGuard(lease, run_id, time.monotonic() + 60))
    with pytest.raises(RunEnded), writing(engine) as connection:
        connection.execute(text("INSERT INTO monitor.source_cursor VALUES ('stale', '{}', now())"))
        with writing(database) as other:
            assert store.take_lease(other, "scheduler", new, 60.0) == Lease("scheduler", new, 2)
    with reading(database) as connection:
        assert connection.scalar(text("SELECT count(*) FROM monitor.source_cursor")) == 0


def test_a_lease_is_renewed_by_its_holder_and_taken_over_only_once_it_expired(database: Engine) -> None:
    one, two = uuid4(), uuid4()
    with writing(database) as connection:
        assert store.take_lease(connection, "scheduler", one, 60.0) == Lease("scheduler", one, 1)
        assert store.take_lease(connection, "scheduler", two, 60.0) is None
        assert store.take_lease(connection, "scheduler", one, 0.0) == Lease("scheduler", one, 1)
        assert store.take_lease(connection, "scheduler", two, 60.0) == Lease("scheduler", two, 2)
        assert store.take_lease(connection, "scheduler", one, 60.0) is None


PROCESS = """
import sys, time
from datetime import timedelta
from pathlib import Path
from pydantic import SecretStr
from sqlalchemy import text
from monitor.config import Settings
from monitor.scheduler import Job, Scheduler, serve
from monitor.store.engine import open_url, writing

url, name, kind = sys.argv[1:]

def work(engine, settings, now):
    if kind == "stubborn":
        time.sleep(60)
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO monitor.source_cursor VALUES (:name, '{}', now()) "
                                "ON CONFLICT (source) DO UPDATE SET updated_at = now()"), {"name": name})
        if kind == "killed":
            time.sleep(60)
    return {}

settings = Settings(database_url=SecretStr(url), lease_seconds=1.0)
serve(Scheduler(open_url(url), settings, [Job("score", work, timedelta(seconds=0.05), timedelta(seconds=60))]))
"""


@contextmanager
def process(database: Engine, name: str, kind: str, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    url = database.url.render_as_string(hide_password=False)
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-c", PROCESS, url, name, kind]
    with subprocess.Popen(command, cwd=directory, env=os.environ | {"PYTHONPATH": str(root)}) as started:
        try:
            yield started
        finally:
            started.kill()


def test_after_kill_9_another_process_takes_over_and_gives_the_run_up(
    database: Engine, quick: Settings, tmp_path: Path
) -> None:
    with process(database, "one", "killed", tmp_path) as one:
        wait_until(lambda: runs(database, "score"))
        with process(database, "two", "good", tmp_path):
            time.sleep(1.5)
            assert len(runs(database, "score")) == 1  # it waits while the first holds the lease
            one.send_signal(signal.SIGKILL)
            wait_until(lambda: [run for run in runs(database, "score") if run.status == "succeeded"], seconds=10)
    first = runs(database, "score")[0]
    assert (first.status, first.error) == ("abandoned", "its process ended or lost the lease")
    with reading(database) as connection:
        assert connection.scalars(text("SELECT source FROM monitor.source_cursor")).all() == ["two"]


@pytest.mark.parametrize("kind", ["good", "stubborn"])
def test_sigterm_ends_the_process_within_ten_seconds_and_frees_the_lease(
    kind: str, database: Engine, quick: Settings, tmp_path: Path
) -> None:
    with process(database, "one", kind, tmp_path) as one:
        wait_until(lambda: runs(database, "score"))
        asked = time.monotonic()
        one.send_signal(signal.SIGTERM)
        assert one.wait(15) == 0
        assert time.monotonic() - asked < 10
    assert all(run.status != "running" for run in runs(database, "score"))
    with writing(database) as connection:
        assert store.take_lease(connection, "scheduler", uuid4(), 60.0) is not None


def test_every_standard_job_runs_on_the_interval_of_its_setting(settings: Settings) -> None:
    siem = ChannelSettings(name="siem", kind="jsonl", target=SecretStr("alerts.jsonl"))
    sso = SourceSettings(name="sso", kind="keycloak", url=SecretStr("postgresql://reader@sso.example/keycloak"))
    duo = SourceSettings(name="2nd", kind="duo", url=SecretStr("https://x"), client_id="i", secret=SecretStr("s"))
    changed = settings.model_copy(update={"train_hours": 5.0, "sources": [sso, duo], "channels": [siem]})
    jobs = {job.name: job.every for job in standard_jobs(changed)}
    assert list(jobs) == ["pull sso", "pull 2nd", "score", "notify siem", "calibrate", "train", "prune"]
    assert jobs["train"] == timedelta(hours=5)
    assert (jobs["pull sso"], jobs["pull 2nd"]) == (timedelta(seconds=30), timedelta(minutes=5))
