"""The job ``notify``: alerts that opened or worsened are told through the configured channels.

A notice is decided in one transaction, sent outside of any, and marked in another: a crash in between repeats it with
the same key, and never loses it. A channel that fails waits; the others go on.
"""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Engine

from monitor.channels import Channel, ChannelError, Notice, channel
from monitor.config import ChannelSettings, Settings
from monitor.store import deliveries
from monitor.store.engine import writing

#: A notice that was claimed is sent by nobody else for so long.
LEASE = timedelta(minutes=5)

#: Alerts that changed longer ago were decided on by earlier runs, or are stale news.
LOOK_BACK = timedelta(days=2)

MOST_TRIES = 12


def run(engine: Engine, settings: Settings, now: datetime) -> dict[str, int | float | str]:
    """Tell every channel what it has not been told."""
    counts: Counter[str] = Counter({"delivered": 0, "failed": 0})
    for configured in settings.channels:
        counts.update(_tell(engine, configured, now))
    return dict(counts)


def _tell(engine: Engine, configured: ChannelSettings, now: datetime) -> Counter[str]:
    counts: Counter[str] = Counter()
    with writing(engine) as connection:
        deliveries.decide(connection, configured.name, configured.minimum_severity, now - LOOK_BACK, now)
    while True:
        with writing(engine) as connection:
            notice = deliveries.claim(connection, configured.name, now, LEASE)
        if notice is None:
            return counts
        error = _send(configured, notice)
        with writing(engine) as connection:
            if error is None:
                deliveries.delivered(connection, configured.name, notice, now)
            else:
                deliveries.failed(connection, configured.name, notice, error, now, MOST_TRIES)
        counts["delivered" if error is None else "failed"] += 1


def _send(configured: ChannelSettings, notice: Notice) -> str | None:
    """Send it; returns why that failed. The target may hold a secret and is never told."""
    try:
        sender: Channel = channel(configured.kind, configured.target.get_secret_value())
        sender.send(notice)
    except ChannelError as error:
        return str(error)
    except OSError as error:
        return f"{type(error).__name__}: {error.strerror}"
    return None
