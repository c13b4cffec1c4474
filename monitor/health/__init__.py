"""Is it well? What keeps the monitor from working as it should, in words an operator can act on.

``problems`` judges what the database tells (`monitor status --check`), ``Readiness`` answers a load balancer or an
orchestrator; ``monitor.health.metrics`` tells Prometheus the same in numbers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from monitor.config import Settings
from monitor.events import MonitorError
from monitor.store.engine import explain, reading
from monitor.store.schema import require_schema
from monitor.store.status import Status, read_status

#: Intervals that a job may miss before it counts as failing; its deadline comes on top.
MISSED_INTERVALS = 3

#: An event that waits longer than this for its score is late, unless the interval of scoring is longer.
LONGEST_WAIT = timedelta(minutes=15)

#: A transaction that is open for longer holds back clean-up on the whole server.
LONGEST_TRANSACTION = timedelta(minutes=30)

#: A probe that takes longer is answered by nobody in time.
PROBE_SECONDS = 5.0


def late_jobs(status: Status, settings: Settings, now: datetime, since: datetime | None = None) -> list[str]:
    """Jobs whose latest success is too long ago; for one without any, its first run or ``since`` counts."""
    deadline = timedelta(seconds=settings.job_deadline_seconds)
    found = []
    for run in status.last_runs:
        every = settings.intervals.get(run.job)
        begun = max(moment for moment in (run.succeeded_at or run.first_at, since) if moment is not None)
        if every is not None and now - begun > MISSED_INTERVALS * every + deadline:
            why = f": {run.error}" if run.error else ""
            found.append(f"job {run.job} has not succeeded since {begun:%Y-%m-%d %H:%M} UTC{why}")
    return found


def problems(status: Status, settings: Settings, now: datetime) -> list[str]:
    """Everything that is not as it should be, one line each; empty when all is well."""
    found = [] if status.scheduler_runs else ["no scheduler is running; start it with: monitor run"]
    found += late_jobs(status, settings, now)
    if status.model is None:
        found.append("there is no model yet; run: monitor train")
    elif status.queued_at is not None and status.oldest_waiting is not None and status.oldest_waiting <= now:
        waited = now - status.queued_at
        if waited > max(LONGEST_WAIT, MISSED_INTERVALS * settings.intervals["score"]):
            found.append(f"an event has waited for its score for {waited.total_seconds() / 60:.0f} minutes")
    if status.dead_notices:
        found.append(f"{status.dead_notices} notices of alerts were given up within a day; see reporting.delivery")
    if status.oldest_transaction_seconds > LONGEST_TRANSACTION.total_seconds():
        minutes = status.oldest_transaction_seconds / 60
        found.append(f"a transaction has been open for {minutes:.0f} minutes and holds back clean-up")
    return found


@dataclass(frozen=True)
class Readiness:
    """Whether a process can do its work. ``role`` is leader or follower of a scheduler, None of the pages."""

    ready: bool
    role: str | None
    problems: list[str]

    def text(self) -> str:
        """Plain text, a line a fact."""
        first = ["ready" if self.ready else "not ready", *([self.role] if self.role else [])]
        return "\n".join([", ".join(first), *self.problems]) + "\n"


def database_problem(engine: Engine) -> str | None:
    """Why this process cannot use the database; None when it can."""
    try:
        require_schema(engine)
    except (DBAPIError, MonitorError) as error:
        return f"database: {explain(error)}"
    return None


def scheduler_readiness(
    engine: Engine, settings: Settings, leading: bool, started: datetime, now: datetime
) -> Readiness:
    """Of ``monitor run``: the database answers, somebody leads, and every job succeeded lately.

    What happened before ``started``, when this process began, is not held against it.
    """
    problem = database_problem(engine)
    if problem is not None:
        return Readiness(False, None, [problem])
    try:
        with reading(engine, PROBE_SECONDS) as connection:
            status = read_status(connection)
    except DBAPIError as error:
        return Readiness(False, None, [f"database: {explain(error)}"])
    found = late_jobs(status, settings, now, since=started)
    if not leading and not status.scheduler_runs:
        found.insert(0, "nobody leads")
    role = "leader" if leading else "follower" if status.scheduler_runs else None
    return Readiness(not found, role, found)
