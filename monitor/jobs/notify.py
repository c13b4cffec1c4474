"""The job ``notify``: alerts that opened or worsened, and daily digests, are told through the configured channels.

A notice is decided in one transaction, claimed in a second, sent outside of any, and marked in a third: a crash in
between repeats it with the same key, and never loses it. Each channel has a run of its own, so that one that is slow or
dead delays no other.
"""

import random
from collections import Counter
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import Connection, Engine
from uuid_utils.compat import uuid7

from monitor.channels import AlertNotice, DigestNotice, hours
from monitor.channels.sender import GRACE_SECONDS, Failure, Sender
from monitor.channels.settings import ChannelSettings
from monitor.config import Settings
from monitor.events import MonitorError
from monitor.store import deliveries
from monitor.store.deliveries import Claim
from monitor.store.engine import reading, writing

#: Alerts that changed longer ago were decided on by earlier runs, or are stale news.
LOOK_BACK = timedelta(days=2)

#: A claim outlives the longest sending by so much.
LEASE_MARGIN_SECONDS = 60.0

#: Tries of a notice; with the pauses below they take about two days.
MOST_TRIES = 16
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)

#: A channel that fails so often in a row is left alone until the next run.
MOST_FAILURES = 3


class UnknownChannelError(MonitorError):
    """No channel has that name."""


class SendError(MonitorError):
    """A notice that a person sent by hand did not arrive."""


def run(engine: Engine, settings: Settings, now: datetime, name: str) -> dict[str, int | float | str]:
    """Tell one channel what it has not been told; counts what was delivered, failed, and given up (dead)."""
    channel = find(settings, name)
    started = monotonic()
    with writing(engine) as connection:
        _decide(connection, channel, now)
        dead = deliveries.bury(connection, channel.name, MOST_TRIES)
    counts = Counter({"delivered": 0, "failed": 0, "dead": dead, "withdrawn": 0})
    failures = 0
    with Sender(channel) as sender:
        while failures < MOST_FAILURES:
            moment = now + timedelta(seconds=monotonic() - started)
            outcome = _tell_next(engine, channel, sender, moment, settings.web_url)
            if outcome is None:
                break
            counts[outcome] += 1
            failures = failures + 1 if outcome in ("failed", "dead") else 0
    return dict(counts)


def find(settings: Settings, name: str) -> ChannelSettings:
    """The channel of that name; ``UnknownChannelError`` without one."""
    known = {channel.name: channel for channel in settings.channels}
    if name not in known:
        has = f"there are: {', '.join(known)}" if known else "none is configured"
        raise UnknownChannelError(f"no channel is called '{name}'; {has}")
    return known[name]


def test_notice(now: datetime) -> AlertNotice:
    """What `monitor channels test` sends: an alert of nobody, marked as a test."""
    key = uuid7()
    return AlertNotice(
        key=key,
        kind="test",
        decided_at=now,
        alert_id=key,
        user_name="nobody",
        severity="low",
        status="open",
        score=0.0,
        headline="This is a test of the login anomaly monitor",
        event_count=1,
        opened_at=now,
        last_event_at=now,
    )


def _decide(connection: Connection, channel: ChannelSettings, now: datetime) -> None:
    if channel.alerts:
        wanted = deliveries.Wanted(channel.name, channel.minimum_severity, channel.tells_campaigns_once)
        deliveries.decide(connection, wanted, now - LOOK_BACK, now)
    day = hours.digest_due(channel, now)
    if day is not None:
        deliveries.decide_digest(connection, channel.name, day, now)


def _tell_next(
    engine: Engine, channel: ChannelSettings, sender: Sender, now: datetime, web_url: str | None
) -> str | None:
    """Send the next notice that is due: delivered, failed, dead or withdrawn; None when there is none."""
    quiet = hours.is_quiet(channel, now)
    if quiet and not channel.critical_in_quiet_hours:
        return None
    lease = channel.timeout_seconds + GRACE_SECONDS + LEASE_MARGIN_SECONDS
    with writing(engine) as connection:
        claim = deliveries.claim(connection, channel.name, now, lease, critical_only=quiet)
    if claim is None:
        return None
    with reading(engine) as connection:
        notice = _notice(connection, channel, claim, web_url)
    if notice is None:
        with writing(engine) as connection:
            deliveries.withdraw(connection, claim)
        return "withdrawn"
    failure = sender.send(notice)
    with writing(engine) as connection:
        return _mark(connection, claim, failure, now)


def _notice(
    connection: Connection, channel: ChannelSettings, claim: Claim, web_url: str | None
) -> AlertNotice | DigestNotice | None:
    root = web_url.rstrip("/") if web_url else None
    if claim.digest_on is not None:
        since, until = hours.digest_span(channel, claim.digest_on)
        return deliveries.digest_notice(connection, claim, since, until, channel.minimum_severity, root)
    return deliveries.alert_notice(connection, claim, f"{root}/alerts/{claim.alert_id}" if root else None)


def _mark(connection: Connection, claim: Claim, failure: Failure | None, now: datetime) -> str:
    if failure is None:
        deliveries.delivered(connection, claim, now)
        return "delivered"
    dead = failure.final or claim.attempts >= MOST_TRIES
    deliveries.failed(connection, claim, failure.reason, None if dead else now + pause(claim.attempts, failure))
    return "dead" if dead else "failed"


def pause(attempts: int, failure: Failure) -> timedelta:
    """How long to wait after that many tries: twice as long each time, and never shorter than the other side asked for.

    A share of it is left to chance, so that what failed together does not come back together.
    """
    longest = min(FIRST_PAUSE * int(2 ** (attempts - 1)), LONGEST_PAUSE)
    return max(longest * random.uniform(0.5, 1.0), timedelta(seconds=failure.wait_seconds or 0.0))
