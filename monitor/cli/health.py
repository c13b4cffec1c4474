"""How `monitor status` tells what it found."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from monitor.cli.output import counted
from monitor.store.status import Status


def as_lines(found: Status) -> Iterator[tuple[str, str]]:
    """Name and text of each line."""
    yield "events", f"newest {_time(found.newest_event)}, {found.rejected:,} records rejected"
    for source in found.sources:
        brought = f"{source.stored:,} events, {source.rejected:,} records rejected"
        yield "source", f"{source.source}: {brought}, last heard {_time(source.last_received_at)}"
    queue = f"{found.waiting:,} events, oldest {_time(found.oldest_waiting)}"
    ahead = f", {found.ahead:,} of the future by their clock" if found.ahead else ""
    yield "waiting", f"{queue}{ahead}; {found.quarantined:,} quarantined"
    if found.model is None:
        yield "model", "none yet; run: monitor train"
    else:
        yield "model", f"{found.model.detector}, trained on events before {_time(found.model.trained_until)}"
    if found.threshold is None:
        yield "threshold", "none yet"
    else:
        threshold = found.threshold
        yield "threshold", f"{threshold.value:.2f} since {_time(threshold.decided_at)}: {threshold.basis}"
    if found.shares is not None:
        yield "drift", f"{found.shares[1]:.1%} of the latest logins score 2 and more, where 1 % is meant"
    alerts = found.open_alerts
    yield "open alerts", ": ".join(filter(None, [f"{sum(alerts.values()):,}", counted(alerts)]))
    for row in found.deliveries:
        yield "notices", f"{row.channel}: {row.notices:,} {row.status}, oldest {_time(row.oldest)}"
    yield "scheduler", "running" if found.scheduler_runs else "not running; start it with: monitor run"


def run_row(run: Any) -> tuple[object, ...]:
    """The latest run of a job: job, status, started, seconds, did."""
    return run.job, run.status, _time(run.started_at), run.seconds, run.error or counted(run.counts)


def as_object(found: Status, problems: list[str]) -> dict[str, Any]:
    """Everything as JSON has it; times are for the caller to write."""
    told = asdict(found) | {
        "alerts": [
            {"status": status, "severity": severity, "alerts": count}
            for (status, severity), count in found.alerts.items()
        ],
        "problems": problems,
    }
    for name in ("sources", "deliveries", "last_runs"):
        told[name] = [dict(row._mapping) for row in getattr(found, name)]
    for name in ("model", "threshold"):
        row = getattr(found, name)
        told[name] = dict(row._mapping) if row is not None else None
    return told


def _time(moment: datetime | None) -> str:
    return "none" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
