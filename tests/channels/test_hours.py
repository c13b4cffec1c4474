"""Quiet hours and digests keep to the channel's wall clock, also when clocks are changed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from receivers import settings

from monitor.channels import hours


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        ("2026-01-10T20:59", False),
        ("2026-01-10T21:00", True),  # 22:00 in Berlin
        ("2026-01-11T05:59", True),
        ("2026-01-11T06:00", False),  # 07:00
        ("2026-07-10T20:00", True),  # 22:00 in summer
        ("2026-07-11T05:00", False),
    ],
)
def test_quiet_hours_go_over_midnight_and_follow_summer_time(moment: str, quiet: bool) -> None:
    channel = settings("jsonl", "x", quiet_hours="22:00-07:00", time_zone="Europe/Berlin")
    assert hours.is_quiet(channel, at(moment)) is quiet


def test_a_quiet_hour_that_comes_twice_is_quiet_both_times_and_one_that_is_skipped_never() -> None:
    channel = settings("jsonl", "x", quiet_hours="02:00-03:00", time_zone="Europe/Berlin")

    def quiet_minutes(day: str) -> int:
        return sum(hours.is_quiet(channel, at(day) + timedelta(minutes=minute)) for minute in range(24 * 60))

    assert quiet_minutes("2026-10-25T00:00") == 120
    assert quiet_minutes("2026-03-29T00:00") == 0
    assert quiet_minutes("2026-05-05T00:00") == 60


def test_without_quiet_hours_it_is_never_quiet() -> None:
    assert not hours.is_quiet(settings("jsonl", "x"), at("2026-01-01T03:00"))


def test_the_digest_of_a_day_is_due_from_its_hour_on() -> None:
    channel = settings("jsonl", "x", digest_at="08:00", time_zone="America/New_York")
    assert hours.digest_due(channel, at("2026-01-10T12:59")) is None
    assert hours.digest_due(channel, at("2026-01-10T13:00")) == date(2026, 1, 10)
    assert hours.digest_due(channel, at("2026-01-11T04:59")) == date(2026, 1, 10)
    assert hours.digest_due(settings("jsonl", "x"), at("2026-01-10T13:00")) is None


def test_a_digest_whose_hour_is_skipped_is_due_after_the_gap() -> None:
    channel = settings("jsonl", "x", digest_at="02:30", time_zone="Europe/Berlin")
    assert hours.digest_due(channel, at("2026-03-29T00:59")) is None
    assert hours.digest_due(channel, at("2026-03-29T01:00")) == date(2026, 3, 29)


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-05-05", 24)])
def test_digests_follow_each_other_without_gap_or_overlap(day: str, length: int) -> None:
    channel = settings("jsonl", "x", digest_at="08:00", time_zone="Europe/Berlin")
    since, until = hours.digest_span(channel, date.fromisoformat(day))
    assert until.astimezone(UTC) - since.astimezone(UTC) == timedelta(hours=length)
    assert hours.digest_span(channel, date.fromisoformat(day) + timedelta(days=1))[0] == until
