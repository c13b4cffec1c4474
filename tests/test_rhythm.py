"""When an account comes, and how often: hour, weekday, pauses and bursts, in cases worked out by hand."""

import pytest
from organisations import login
from worked import DAY, habit, strength, words

from monitor.features.evidence import span


def test_the_day_is_round_half_an_hour_after_midnight_is_near_half_an_hour_before() -> None:
    late = habit(hour=23.5)
    before, past, noon = (strength("hour", late, login(hour))[0] for hour in (22.5, 24.5, 36.0))
    assert before == pytest.approx(past, abs=0.05)
    assert noon > past + 1


def test_a_weekend_is_odd_for_one_who_works_on_weekdays() -> None:
    weekdays = [given for day, given in enumerate(habit(42)) if day % 7 < 5]
    monday, saturday = strength("weekday", weekdays, login(9), login(5 * DAY + 9))
    assert monday < 0.3
    assert saturday > 1.5


def test_an_account_of_all_hours_is_not_odd_for_coming_at_any() -> None:
    restless = [login(-7.3 * i, event_id=f"r{i}") for i in range(1, 200)]
    assert strength("hour", restless, login(3))[0] < 0.5
    assert strength("hour", habit(199), login(3))[0] > 1.5


def test_a_long_silence_is_odd_for_a_daily_account_and_ordinary_for_a_weekly_one() -> None:
    weekly = [login(-7 * DAY * week, event_id=f"w{week}") for week in range(1, 15)]
    assert strength("gap", habit(), login(7 * DAY))[0] > 1
    assert strength("gap", weekly, login(0.5))[0] < 0.4
    assert strength("gap", habit(), login(9))[0] < 0.1
    assert words("gap", habit(), login(30 * DAY)) == ("31 days since the last login", "about every 24 hours")


def test_more_logins_in_an_hour_than_the_account_makes_are_odd() -> None:
    once, *_, twentieth = strength("burst", habit(), *(login(9 + i / 60) for i in range(20)))
    assert once < 0.1
    assert twentieth > 1
    busy = [login(-i / 20, event_id=f"busy{i}") for i in range(1, 800)]
    assert max(strength("burst", busy, *(login(i / 20) for i in range(20)))) < 0.2


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 seconds"),
        (59, "59 seconds"),
        (60, "60 seconds"),
        (2400, "40 minutes"),
        (7200, "2 hours"),
        (2e6, "23 days"),
    ],
)
def test_lengths_of_time_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert span(seconds) == said
