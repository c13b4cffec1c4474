"""Which job runs how often: ``monitor run``.

Any number of schedulers may run; the one that holds the lease leads and the others wait. A *supervisor* (APScheduler's
thread) starts each run in a thread of its own and waits for it no longer than the job's deadline, so that a hung job
starves no other. Python cannot kill a thread, but every transaction of a run is fenced (``store.jobs.RunGuard``): once
given up, a run can commit nothing, and its database session is ended.
"""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from threading import Event, Thread
from time import monotonic
from uuid import UUID

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from structlog.contextvars import bind_contextvars
from uuid_utils.compat import uuid7

from monitor.config import Settings
from monitor.events import MonitorError
from monitor.store import jobs as store
from monitor.store.engine import acting, explain, guarded, writing
from monitor.store.jobs import Lease, RunEnded, RunGuard
from monitor.store.roles import INGEST, SCORER

LEASE = "scheduler"
STOP_SECONDS = 6.0  # of the ten that SIGTERM leaves; the rest is for telling the database
LONGEST_BACK_OFF = timedelta(hours=1)
ASK_AGAIN = timedelta(minutes=10)  # for a job that says what it waits for: the first training waits for history
NOW = timedelta(0)

log = structlog.stdlib.get_logger("monitor.scheduler")

Work = Callable[[Engine, Settings, datetime], Mapping[str, int | float | str]]

#: Told of each run that ended: job, status, seconds, counts.
Observer = Callable[[str, str, float, Mapping[str, int | float | str]], None]


@dataclass(frozen=True)
class Job:
    """Something to do ``every`` so often; a run that takes longer than ``deadline`` is given up.

    Its transactions have the rights of the database ``role``; without one, those of the scheduler itself.
    """

    name: str
    work: Work
    every: timedelta
    deadline: timedelta
    role: str | None = None


def standard_jobs(settings: Settings) -> list[Job]:
    """The jobs of ``monitor run``: ``monitor.jobs.<name>.run`` for each name in ``settings.intervals``."""
    deadline = timedelta(seconds=settings.job_deadline_seconds)
    return [
        Job(name, _from_module(name), every, deadline, INGEST if name.startswith("pull") else SCORER)
        for name, every in settings.intervals.items()
    ]


def _from_module(name: str) -> Work:
    """A job whose libraries (torch takes seconds) load in its own first run, not before the scheduler can lead.

    "notify siem" is ``monitor.jobs.notify.run(…, "siem")``: the job of one channel, so that it delays no other.
    """
    module, *part = name.split(" ", 1)

    def work(engine: Engine, settings: Settings, now: datetime) -> Mapping[str, int | float | str]:
        run = import_module(f"monitor.jobs.{module}").run
        counts: Mapping[str, int | float | str] = run(engine, settings, now, *part)
        return counts

    return work


@dataclass(eq=False)
class _Run:
    """One run of a job in progress. ``over`` is set when it ended by itself or was given up."""

    job: Job
    guard: RunGuard
    over: Event = field(default_factory=Event)
    ended: Event = field(default_factory=Event)  # its thread is through


class Scheduler:
    """Runs ``jobs`` on their intervals while this process leads; ``clock`` gives each run its ``now``."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        jobs: list[Job],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        observe: Observer = lambda job, status, seconds, counts: None,
    ) -> None:
        self._engine, self._settings, self._jobs, self._clock, self._observe = engine, settings, jobs, clock, observe
        self.heartbeat = monotonic()  # when the lease was last looked after: a scheduler that hangs stops doing that
        self._holder = uuid7()
        self._lease: Lease | None = None
        self._runs: dict[UUID, _Run] = {}
        self._failures: Counter[str] = Counter()
        self._timer = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(max(1, len(jobs)))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    @property
    def leading(self) -> bool:
        return self._lease is not None

    def run(self, stop: Event) -> bool:
        """Work until ``stop`` is set; True when every run ended in time, False when some thread still hangs."""
        for job in self._jobs:
            every = job.every.total_seconds()
            self._timer.add_job(self._supervise, "interval", (job,), seconds=every, id=job.name)
        self._timer.start(paused=True)
        try:
            while not stop.is_set():
                self._lead()
                self.heartbeat = monotonic()
                stop.wait(self._settings.lease_seconds / 3)
        finally:
            in_time = self._shut_down()
        return in_time

    def _lead(self) -> None:
        """Take or renew the lease, and give up what runs without anyone to look after it."""
        try:
            with writing(self._engine) as connection:
                lease = store.take_lease(connection, LEASE, self._holder, self._settings.lease_seconds)
                done = {} if lease in (None, self._lease) else store.last_done(connection)
                if lease is not None:
                    orphans = store.abandon_runs(
                        connection, "its process ended or lost the lease", keep=set(self._runs)
                    )
                    store.end_sessions(connection, orphans)
        except DBAPIError as error:
            log.warning("database unreachable", error=explain(error))
            return
        if lease == self._lease:
            return
        for run in self._current_runs():
            run.guard.stopping.set()  # of a term that is over
        self._lease = lease
        if lease is None:
            self._timer.pause()
            log.warning("lease lost")
        else:
            log.info("leading", term=lease.term)
            for job in self._jobs:  # a restart repeats nothing that is not due
                self._run_in(job, done[job.name] + job.every - datetime.now(UTC) if job.name in done else NOW)
            self._timer.resume()

    def _supervise(self, job: Job) -> None:
        """Start one run and see it through; in a thread of the timer."""
        lease = self._lease
        if lease is None:
            return
        run_id = uuid7()
        deadline = monotonic() + job.deadline.total_seconds()
        run = _Run(job, RunGuard(lease, run_id, deadline))
        self._runs[run_id] = run  # before the row exists, or the next renewal would take it for an orphan
        try:
            with writing(self._engine) as connection:
                store.start_run(connection, lease, run_id, job.name)
        except (RunEnded, DBAPIError) as error:
            del self._runs[run_id]
            log.warning("run not started", job=job.name, run_id=str(run_id), error=explain(error))
            return
        Thread(target=self._work, args=(run,), name=f"job {job.name}", daemon=True).start()
        if not run.over.wait(job.deadline.total_seconds()):
            self._give_up(run, f"not done within its deadline of {job.deadline.total_seconds():g} s")
            self._observe(job.name, "abandoned", job.deadline.total_seconds(), {})
            self._back_off(job, failed=True)

    def _work(self, run: _Run) -> None:
        """Do the job and record how it went; in a thread of its own, whose every log line names the run."""
        bind_contextvars(job=run.job.name, run_id=str(run.guard.run_id))
        started = monotonic()
        counts: Mapping[str, int | float | str] = {}
        status, error = "succeeded", None
        engine = acting(self._engine, run.job.role) if run.job.role else self._engine
        try:
            counts = run.job.work(guarded(engine, run.guard), self._settings, self._clock())
        except RunEnded as reason:
            status, error = "abandoned", str(reason)
        except Exception as failure:  # whatever a job raises is its failure, never the scheduler's
            status, error = "failed", explain(failure)
            explained = isinstance(failure, MonitorError)
            log.error("run failed", error=error, exc_info=None if explained else failure)
        seconds = monotonic() - started
        recorded = self._record(run, status, counts, error)
        self._runs.pop(run.guard.run_id, None)
        run.ended.set()
        if run.over.is_set():
            return  # given up before; whoever did that has counted it
        self._observe(run.job.name, status, seconds, counts)
        if recorded and status == "succeeded":
            log.info("run done", seconds=round(seconds, 3), **counts)
        self._back_off(run.job, failed=status == "failed")
        if "waiting_for" in counts and run.job.every > ASK_AGAIN:
            self._run_in(run.job, ASK_AGAIN)
        run.over.set()

    def _record(self, run: _Run, status: str, counts: Mapping[str, int | float | str], error: str | None) -> bool:
        try:
            with writing(self._engine) as connection:
                return store.finish_run(connection, run.guard.run_id, status, counts, error)
        except DBAPIError as failure:  # the row stays "running" until the next renewal gives it up
            run_id = str(run.guard.run_id)
            log.warning("run not recorded", job=run.job.name, run_id=run_id, status=status, error=explain(failure))
            return False

    def _give_up(self, run: _Run, reason: str) -> None:
        """Make sure that a run commits nothing more, and say so in its row."""
        run.guard.stopping.set()
        if self._record(run, "abandoned", {}, reason):
            log.error("run abandoned", job=run.job.name, run_id=str(run.guard.run_id), error=reason)
        try:
            with writing(self._engine) as connection:
                store.end_sessions(connection, [run.guard.run_id])
        except DBAPIError as error:
            log.warning("session not ended", job=run.job.name, run_id=str(run.guard.run_id), error=explain(error))
        run.over.set()

    def _back_off(self, job: Job, *, failed: bool) -> None:
        """A failed job runs again at its next interval; one that goes on failing, at ever longer ones."""
        if not failed:
            self._failures[job.name] = 0
            return
        self._failures[job.name] += 1
        exponent = min(self._failures[job.name] - 1, 20)
        delay = min(job.every * 2**exponent, max(job.every, LONGEST_BACK_OFF))
        if delay > job.every:
            self._run_in(job, delay)

    def _run_in(self, job: Job, delay: timedelta) -> None:
        self._timer.modify_job(job.name, next_run_time=datetime.now(UTC) + max(NOW, delay))

    def _current_runs(self) -> list[_Run]:
        return list(self._runs.values())

    def _shut_down(self) -> bool:
        """Let every run finish its transaction, give up those that do not, and hand the lease on."""
        self._timer.pause()
        lease, self._lease = self._lease, None
        runs = self._current_runs()
        for run in runs:
            run.guard.stopping.set()
        patience = monotonic() + STOP_SECONDS
        for run in runs:
            if not run.ended.wait(max(0.0, patience - monotonic())) and not run.over.is_set():
                self._give_up(run, "its process was stopped")
        self._timer.shutdown(wait=False)
        if lease is not None:
            try:
                with writing(self._engine) as connection:
                    store.release_lease(connection, lease)
            except DBAPIError as error:
                log.warning("lease not released", error=explain(error))
        log.info("stopped")
        return all(run.ended.is_set() for run in runs)


def serve(scheduler: Scheduler) -> None:
    """Run until SIGTERM or SIGINT, then be gone within ten seconds, whatever the jobs do."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not stop.set() itself: the handler interrupts the thread that may be holding the event's own lock.
        signal.signal(number, lambda *_: Thread(target=stop.set).start())
    if not scheduler.run(stop):
        sys.stderr.flush()
        os._exit(0)  # a hung thread in C code could crash, or outlast, an orderly interpreter exit
