"""Logs: JSON for machines, lines for people, and the run on every line of a job."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from companies import rows, url_of
from sqlalchemy import Engine

SAY = """
import structlog
from monitor import logs
logs.configure()
structlog.stdlib.get_logger("monitor.test").info("it \\x1b[31m happened", count=3, who="a\\nb")
"""

RUN = """
import logging, sys, time
from datetime import timedelta
from threading import Event, Thread
import structlog
from monitor import logs
from monitor.config import Settings
from monitor.scheduler import Job, Scheduler
from monitor.store.engine import open_url

logs.configure()

def work(engine, settings, now):
    structlog.stdlib.get_logger("monitor.jobs.test").info("working")
    logging.getLogger("some.library").warning("a library warns")
    if "fail" in sys.argv:
        raise KeyError("what")
    return {"done": 1}

stop = Event()
job = Job("score", work, timedelta(days=1), timedelta(seconds=60))
scheduler = Scheduler(open_url(sys.argv[1]), Settings(lease_seconds=1.0), [job], observe=lambda *_: stop.set())
scheduler.run(stop)
"""


def run(script: str, *arguments: str) -> list[dict[str, object]]:
    """The JSON objects that a program logs."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_elsewhere_than_on_a_terminal_each_event_is_one_json_object() -> None:
    (entry,) = run(SAY)
    assert (entry["event"], entry["count"], entry["who"], entry["level"]) == ("it \x1b[31m happened", 3, "a\nb", "info")
    assert str(entry["timestamp"]).endswith("Z")


def test_on_a_terminal_a_line_is_for_people_and_gives_it_no_orders() -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", SAY], stderr=theirs) as process:
        assert process.wait(60) == 0
    os.close(theirs)
    line = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "it \\x1b[31m happened" in line
    assert not line.lstrip().startswith("{")


def test_every_line_of_a_run_carries_the_id_of_its_row(database: Engine, tmp_path: Path) -> None:
    for outcome in ("fail", "succeed"):  # what succeeded is not done again before it is due
        logged = run(RUN, url_of(database), outcome)
        (row,) = rows(
            database, "SELECT run_id, status FROM reporting.job_run ORDER BY started_at DESC LIMIT 1"
        ).itertuples(index=False)
        mine = [entry for entry in logged if entry.get("run_id") == str(row.run_id)]
        last = "run done" if outcome == "succeed" else "run failed"
        assert [entry["event"] for entry in mine] == ["working", "a library warns", last]
        assert {entry["job"] for entry in mine} == {"score"}
        assert {entry["event"] for entry in logged} - {entry["event"] for entry in mine} <= {"leading", "stopped"}
        assert ("KeyError" in str(mine[-1].get("exception"))) == (outcome == "fail")
