"""Tiny jobs, and a scheduler that runs them in a thread."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

from sqlalchemy import Engine, text

from monitor.config import Settings
from monitor.scheduler import Job, Scheduler
from monitor.store.engine import reading

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
