"""Who leads, and what every job did: the lease and the rows of ``reporting.job_run``.

The lease follows Kleppmann's "How to do distributed locking" (2016): it runs out by the database's clock, every
change of holder raises its term, and each transaction of a job checks the term before it commits (fencing), so
that a leader which was merely paused can do no harm when it wakes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from threading import Event
from time import monotonic
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from monitor.store import tables
from monitor.store.roles import SCORER

LONGEST_ERROR = 1_000

Counts: TypeAlias = Mapping[str, int | float | str]


@dataclass(frozen=True)
class Lease:
    """Leadership held by ``holder`` (one process); ``term`` rises whenever the holder changes."""

    name: str
    holder: UUID
    term: int


class RunEnded(BaseException):
    """This run may not go on: the process is stopping, the lease is lost, or the run was given up.

    Not an ``Exception``, so that a job which carries on after errors does not carry on after this.
    """


def take_lease(connection: Connection, name: str, holder: UUID, seconds: float) -> Lease | None:
    """Take, renew or take over the lease for ``seconds``; None while another process holds it."""
    row = connection.execute(
        text(
            """
            INSERT INTO monitor.lease AS held (name, holder, term, expires_at)
            VALUES (:name, :holder, 1, clock_timestamp() + make_interval(secs => :seconds))
            ON CONFLICT (name) DO UPDATE
            SET holder = excluded.holder, expires_at = clock_timestamp() + make_interval(secs => :seconds),
                term = held.term + (held.holder <> excluded.holder)::int
            WHERE held.holder = excluded.holder OR held.expires_at <= clock_timestamp()
            RETURNING term
            """
        ),
        {"name": name, "holder": holder, "seconds": seconds},
    ).first()
    return None if row is None else Lease(name, holder, row.term)


def release_lease(connection: Connection, lease: Lease) -> None:
    """Let another process lead at once."""
    connection.execute(
        text("UPDATE monitor.lease SET expires_at = clock_timestamp() WHERE name = :name AND holder = :holder"),
        {"name": lease.name, "holder": lease.holder},
    )


def holds(connection: Connection, lease: Lease) -> bool:
    """Whether the lease is still of this term; if so it stays so until this transaction ends."""
    query = text(
        "SELECT 1 FROM monitor.lease WHERE name = :name AND holder = :holder AND term = :term FOR SHARE",
    )
    found = connection.execute(query, {"name": lease.name, "holder": lease.holder, "term": lease.term}).first()
    return found is not None


def start_run(connection: Connection, lease: Lease, run_id: UUID, job: str) -> None:
    """Record that a run starts; raises ``RunEnded`` when the lease is lost."""
    if not holds(connection, lease):
        raise RunEnded("another process leads")
    connection.execute(
        text(
            """
            INSERT INTO monitor.job_run (run_id, job, status, started_at, counts)
            VALUES (:run_id, :job, 'running', clock_timestamp(), '{}')
            """
        ),
        {"run_id": run_id, "job": job},
    )


def finish_run(connection: Connection, run_id: UUID, status: str, counts: Counts, error: str | None = None) -> bool:
    """Record how a run ended (succeeded, failed or abandoned); False when it had been given up before."""
    table = tables.job_run
    done = connection.execute(
        table.update()
        .where(table.c.run_id == run_id, table.c.status == "running")
        .values(status=status, finished_at=text("clock_timestamp()"), error=_line(error), counts=_plain(counts))
    )
    return done.rowcount == 1


def record_run(
    connection: Connection,
    run_id: UUID,
    job: str,
    started_at: datetime,
    finished_at: datetime,
    counts: Counts,
    error: str | None = None,
) -> None:
    """Record a run that a person started and that has ended; it failed if there is an ``error``."""
    connection.execute(
        insert(tables.job_run).values(
            run_id=run_id,
            job=job,
            status="succeeded" if error is None else "failed",
            started_at=started_at,
            finished_at=finished_at,
            error=_line(error),
            counts=_plain(counts),
        )
    )


def abandon_runs(connection: Connection, error: str, keep: Collection[UUID]) -> list[UUID]:
    """Give up every run that is marked as running, but for those in ``keep``; returns their ids.

    For the leader: only leaders start runs, so a run that is not its own is of a leader that died or was replaced.
    """
    query = text(
        """
        UPDATE monitor.job_run SET status = 'abandoned', finished_at = clock_timestamp(), error = :error
        WHERE status = 'running' AND run_id <> ALL (:keep) RETURNING run_id
        """
    )
    return list(connection.scalars(query, {"error": error, "keep": list(keep)}))


def last_done(connection: Connection) -> dict[str, datetime]:
    """When each job was last started and done; a run that only found something to wait for is not done."""
    query = text(
        """
        SELECT job, max(started_at) FROM monitor.job_run
        WHERE status = 'succeeded' AND NOT jsonb_exists(counts, 'waiting_for') GROUP BY job
        """
    )
    return dict(connection.execute(query).all())


def end_sessions(connection: Connection, run_ids: Sequence[UUID]) -> None:
    """End the database sessions in which these runs are working, so that they hold no lock and no snapshot.

    The rest of the transaction has the rights of the login itself: sessions are the login's, not the role's.
    """
    query = text(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = ANY(:names) AND usename = session_user AND pid <> pg_backend_pid()
        """
    )
    if run_ids:
        connection.execute(text("SET LOCAL ROLE NONE"))
        connection.execute(query, {"names": [_session_name(run_id) for run_id in run_ids]})


def delete_runs_before(connection: Connection, moment: datetime) -> int:
    """Forget finished runs that started before ``moment``."""
    table = tables.job_run
    return connection.execute(table.delete().where(table.c.started_at < moment, table.c.status != "running")).rowcount


@dataclass
class RunGuard:
    """Watches the transactions of one run (``monitor.store.engine.Guard``): each is bounded in time and fenced."""

    lease: Lease
    run_id: UUID
    deadline: float  # of time.monotonic()
    stopping: Event = field(default_factory=Event)

    def begin(self, connection: Connection) -> None:
        if self.stopping.is_set():
            raise RunEnded("stopped between two transactions")
        left = max(1, int((self.deadline - monotonic()) * 1000))
        connection.execute(
            text(
                """
                SELECT set_config('application_name', :name, true), set_config('statement_timeout', :left, true),
                       set_config('idle_in_transaction_session_timeout', :left, true)
                """
            ),
            {"name": _session_name(self.run_id), "left": f"{left}ms"},
        )

    def before_commit(self, connection: Connection) -> None:
        connection.execute(text(f"SET LOCAL ROLE {SCORER}"))  # whatever the job's role: others may not see the lease
        # The lease first, as whoever takes it over does: two orders would deadlock.
        if not holds(connection, self.lease):
            raise RunEnded("another process leads")
        running = text("SELECT 1 FROM monitor.job_run WHERE run_id = :run_id AND status = 'running' FOR SHARE")
        if connection.execute(running, {"run_id": self.run_id}).first() is None:
            raise RunEnded("this run was given up")


def _session_name(run_id: UUID) -> str:
    return f"monitor run {run_id}"


def _plain(counts: Counts) -> dict[str, int | float | str | None]:
    """Counts as JSON can hold them: numbers of Python's own, and no NaN."""
    plain = {name: getattr(count, "item", lambda count=count: count)() for name, count in counts.items()}
    return {name: None if isinstance(count, float) and not isfinite(count) else count for name, count in plain.items()}


def _line(error: str | None) -> str | None:
    """An error as one line that PostgreSQL can store."""
    if error is None:
        return None
    return " ".join(error.replace("\0", " ").split())[:LONGEST_ERROR].encode(errors="replace").decode()
