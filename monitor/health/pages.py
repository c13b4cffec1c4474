"""What ``monitor run`` answers on its small port."""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from time import monotonic
from typing import Protocol

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from monitor.config import Settings
from monitor.health import Readiness, scheduler_readiness
from monitor.health.metrics import exposition
from monitor.health.server import Answer, Pages

PLAIN = "text/plain; charset=utf-8"

#: The scheduler looks after its lease every few seconds; a database that hangs may hold it up for a while.
HEARTBEAT_SECONDS = 120.0


class Leads(Protocol):
    """What is asked of a scheduler."""

    @property
    def leading(self) -> bool: ...

    @property
    def heartbeat(self) -> float:
        """When it last looked after its lease (s of ``time.monotonic``)."""


def scheduler_pages(
    engine: Engine,
    settings: Settings,
    scheduler: Leads,
    metrics: CollectorRegistry,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Pages:
    """/healthz: the process works on; /readyz: it can do its work; /metrics."""
    started = clock()

    def healthz(accept: str) -> Answer:
        silent = monotonic() - scheduler.heartbeat
        if silent > settings.lease_seconds + HEARTBEAT_SECONDS:
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, f"the scheduler has hung for {silent:.0f} s\n")
        return _plain(HTTPStatus.OK, "alive\n")

    def readyz(accept: str) -> Answer:
        return ready_answer(scheduler_readiness(engine, settings, scheduler.leading, started, clock()))

    def scrape(accept: str) -> Answer:
        body, kind = exposition(metrics, accept)
        return HTTPStatus.OK, kind, body

    return {"/healthz": healthz, "/readyz": readyz, "/metrics": scrape}


def ready_answer(found: Readiness) -> Answer:
    return _plain(HTTPStatus.OK if found.ready else HTTPStatus.SERVICE_UNAVAILABLE, found.text())


def _plain(status: HTTPStatus, text: str) -> Answer:
    return status, PLAIN, text.encode(errors="replace")
