"""One scheduler leads, and another takes over when it stops, is stopped or is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from scheduling import job, running, runs, wait_until
from sqlalchemy import Engine, text

from monitor.config import Settings
from monitor.scheduler import Scheduler
from monitor.store import jobs as store
from monitor.store.engine import guarded, reading, writing
from monitor.store.jobs import Lease, RunEnded, RunGuard


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
    root = Path(__file__).resolve().parents[2]
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
