"""What Prometheus is told. Everything but the runs of this process comes from the database at each scrape.

So every process tells the same, whichever leads, and several processes of pages need no shared memory. Names follow
https://prometheus.io/docs/practices/naming: base units, counters end in ``_total``, times are seconds since the epoch.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from monitor.store.engine import reading
from monitor.store.status import Status, read_status

#: Seconds; a pull takes tenths of one, a training minutes.
BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)

#: Prometheus gives a scrape ten seconds.
SCRAPE_SECONDS = 8.0


def registry(engine: Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> CollectorRegistry:
    """A registry that tells what the database knows."""
    made = CollectorRegistry()
    made.register(StoreCollector(engine, clock))
    return made


def exposition(metrics: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The body of a scrape, and its content type, for the Accept header given."""
    encode, content_type = choose_encoder(accept)
    return encode(metrics), content_type


class StoreCollector(Collector):
    """Reads the database at each scrape; when that fails, only tells that it did."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine, self._clock = engine, clock

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: registering must not ask the database."""
        return []

    def collect(self) -> Iterable[Metric]:
        try:
            with reading(self._engine, SCRAPE_SECONDS) as connection:
                status = read_status(connection)
        except DBAPIError:
            yield _gauge("monitor_database_up", "Whether the database answered.", 0)
            return
        yield _gauge("monitor_database_up", "Whether the database answered.", 1)
        yield from _families(status, self._clock())


def _families(status: Status, now: datetime) -> Iterable[Metric]:
    yield _gauge("monitor_database_bytes", "Size of the database.", status.database_bytes)
    yield _gauge(
        "monitor_oldest_transaction_seconds",
        "Age of the oldest transaction on the server, which holds back clean-up.",
        status.oldest_transaction_seconds,
    )
    yield _gauge("monitor_scheduler_running", "Whether some scheduler leads.", int(status.scheduler_runs))
    yield from _events(status, now)
    yield from _verdicts_and_notices(status)
    yield from _model(status)
    yield from _runs(status)


def _events(status: Status, now: datetime) -> Iterable[Metric]:
    stored = CounterMetricFamily("monitor_events_stored", "Login events stored.", labels=["source"])
    rejected = CounterMetricFamily("monitor_records_rejected", "Records that were no login event.", labels=["source"])
    received = GaugeMetricFamily(
        "monitor_source_last_received_timestamp_seconds",
        "When a source last brought an event that was new.",
        labels=["source"],
    )
    for row in status.sources:
        stored.add_metric([row.source], row.stored)
        rejected.add_metric([row.source], row.rejected)
        if row.last_received_at is not None:
            received.add_metric([row.source], row.last_received_at.timestamp())
    yield from (stored, rejected, received)
    yield _gauge("monitor_unscored_events", "Events that wait for their score.", status.waiting)
    due = status.queued_at is not None and status.oldest_waiting is not None and status.oldest_waiting <= now
    waited = (now - status.queued_at).total_seconds() if due and status.queued_at else 0.0
    yield _gauge("monitor_unscored_wait_seconds", "How long the next event to be scored has waited.", max(waited, 0.0))
    yield _gauge("monitor_quarantined_events", "Events that could not be scored.", status.quarantined)
    if status.newest_score is not None:
        yield _gauge(
            "monitor_newest_score_timestamp_seconds",
            "When the latest login that has a score happened.",
            status.newest_score.timestamp(),
        )


def _verdicts_and_notices(status: Status) -> Iterable[Metric]:
    alerts = GaugeMetricFamily("monitor_alerts", "Alerts by status and severity.", labels=["status", "severity"])
    for state in ("open", "confirmed", "dismissed"):
        for severity in ("low", "medium", "high", "critical"):
            alerts.add_metric([state, severity], status.alerts.get((state, severity), 0))
    yield alerts
    notices = GaugeMetricFamily(
        "monitor_notices",
        "Notices that wait (pending) or were given up within a day (dead).",
        labels=["channel", "status"],
    )
    for row in status.deliveries:
        notices.add_metric([row.channel, row.status], row.notices)
    yield notices


def _model(status: Status) -> Iterable[Metric]:
    if status.model is not None:
        yield _gauge(
            "monitor_model_trained_timestamp_seconds",
            "When the model at work was trained.",
            status.model.created_at.timestamp(),
        )
        yield _gauge(
            "monitor_model_learned_until_timestamp_seconds",
            "Until when the model at work has learned from logins.",
            status.model.trained_until.timestamp(),
        )
    if status.threshold is not None:
        yield _gauge("monitor_threshold", "The score from which a login alerts.", status.threshold.value)
    if status.shares is not None:
        drift = GaugeMetricFamily(
            "monitor_score_share",
            "Share of the latest logins with at least this score: 0.1, 0.01 and 0.001 while the model fits.",
            labels=["at_least"],
        )
        for score, share in zip("123", status.shares, strict=True):
            drift.add_metric([score], share)
        yield drift


def _runs(status: Status) -> Iterable[Metric]:
    succeeded = GaugeMetricFamily(
        "monitor_job_last_success_timestamp_seconds", "When the latest run that succeeded began.", labels=["job"]
    )
    seconds = GaugeMetricFamily("monitor_job_last_seconds", "How long the latest run took.", labels=["job"])
    failures = GaugeMetricFamily("monitor_job_failures", "Runs that failed since the latest success.", labels=["job"])
    for run in status.last_runs:
        if run.succeeded_at is not None:
            succeeded.add_metric([run.job], run.succeeded_at.timestamp())
        if run.seconds is not None:
            seconds.add_metric([run.job], run.seconds)
        failures.add_metric([run.job], run.failures)
    yield from (succeeded, seconds, failures)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


class RunMetrics:
    """The runs that this process did itself; ``observe`` is told of each by the scheduler."""

    def __init__(self, metrics: CollectorRegistry, leading: Callable[[], bool]) -> None:
        ProcessCollector(registry=metrics)
        PlatformCollector(registry=metrics)
        self._seconds = Histogram(
            "monitor_job_seconds", "Duration of the runs of this process.", ["job", "status"],
            buckets=BUCKETS, registry=metrics,
        )  # fmt: skip
        self._done = Counter(
            "monitor_job_items", "What the runs of this process counted: events, alerts, notices, ...",
            ["job", "item"], registry=metrics,
        )  # fmt: skip
        Gauge("monitor_leader", "Whether this process leads.", registry=metrics).set_function(lambda: int(leading()))

    def observe(self, job: str, status: str, seconds: float, counts: Mapping[str, int | float | str]) -> None:
        self._seconds.labels(job, status).observe(seconds)
        for item, count in counts.items():
            if isinstance(count, int):
                self._done.labels(job, item).inc(max(count, 0))
