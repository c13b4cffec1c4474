"""When a channel may speak: its quiet hours and its digest's hour, by its own wall clock, daylight saving included."""

from datetime import date, datetime, time, timedelta

from monitor.channels.settings import ChannelSettings


def is_quiet(settings: ChannelSettings, now: datetime) -> bool:
    """Whether the channel's clock shows a quiet hour: when it is turned back that hour may come twice."""
    if settings.quiet_hours is None:
        return False
    since, until = settings.quiet_hours
    clock = now.astimezone(settings.zone).time()
    return since <= clock < until if since <= until else clock >= since or clock < until


def digest_due(settings: ChannelSettings, now: datetime) -> date | None:
    """The day whose digest the channel should have by now; None before its hour, or where it wants none."""
    local = now.astimezone(settings.zone)
    if settings.digest_at is None or local.time() < settings.digest_at:
        return None
    return local.date()


def digest_span(settings: ChannelSettings, day: date) -> tuple[datetime, datetime]:
    """From the digest's hour on the day before until its hour on that day: 23 or 25 hours when clocks change."""
    at = settings.digest_at or time()
    until = datetime.combine(day, at, settings.zone)
    return datetime.combine(day - timedelta(days=1), at, settings.zone), until
