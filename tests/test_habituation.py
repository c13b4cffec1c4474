"""Evidence that comes again: what was told once is told more quietly, and is never taken for ordinary."""

import numpy as np
import pandas as pd
import pytest
from organisations import Memory, frame, login

from monitor.features import NAMES, Measured

DAY = 24.0
HOME = {"ip": "192.0.2.1", "asn": 64500, "device_id": "laptop"}
AWAY = {"ip": "198.51.100.9", "asn": 64501, "device_id": "stranger"}


def habit(days: int = 40, **columns: object) -> list[dict[str, object]]:
    return [login(DAY * day + 9, "ada", event_id=f"ada{day}", **{**HOME, **columns}) for day in range(-days, 0)]


def batch(*logins: dict[str, object]) -> pd.DataFrame:
    return frame({"event_id": f"now{i}"} | given for i, given in enumerate(logins))


def strengths(feature: str, measured: Measured) -> np.ndarray:
    return measured.strength[:, NAMES.index(feature)].astype(float)


def unlearned(*batches: pd.DataFrame) -> list[Measured]:
    """Each batch measured in turn, nothing of any of them learned."""
    memory = Memory()
    memory.learn(frame(habit()))
    return [memory.learn(events, ordinary=np.zeros(len(events), bool)) for events in batches]


def test_the_second_login_of_one_odd_night_is_half_as_odd_although_the_first_was_not_learned() -> None:
    (measured,) = unlearned(batch(login(3, **HOME), login(3.05, **HOME), login(3 + 10 * DAY, **HOME)))
    first, second, later = strengths("hour", measured)
    assert second == pytest.approx(first / 2, rel=0.1)
    assert later > 0.8 * first


def test_habituation_goes_on_across_batches() -> None:
    together = strengths("hour", unlearned(batch(login(3, **HOME), login(3.5, **HOME)))[0])
    apart = unlearned(batch(login(3, **HOME)), batch(login(3.5, **HOME)))
    assert [strengths("hour", part)[0] for part in apart] == pytest.approx(together, rel=1e-6)


def test_a_stolen_password_tried_again_and_again_is_never_less_than_half_as_odd() -> None:
    tries = batch(*(login(3 + i / 20, outcome="failure", **AWAY) for i in range(40)))
    failure = strengths("failure", unlearned(tries)[0])
    assert failure.min() >= failure[0] / 2 - 1e-6


def test_a_new_device_is_odd_the_first_time_and_less_so_the_next_day_though_it_was_not_learned() -> None:
    phone = {**HOME, "device_id": "phone"}
    first, next_day, forgotten = strengths(
        "device", unlearned(batch(login(9, **phone), login(9 + DAY, **phone), login(9 + 90 * DAY, **phone)))[0]
    )
    assert next_day < 0.7 * first
    assert forgotten > 0.6 * first > next_day


def test_a_stranger_who_comes_again_is_told_again_where_the_account_has_many_logins_to_tell_strangers_by() -> None:
    def again(days: int, columns: dict[str, object]) -> float:
        memory = Memory()
        memory.learn(frame(habit(days)))
        both = batch(login(9, **columns), login(9 + DAY, **columns))
        first, second = strengths("asn", memory.learn(both, ordinary=np.zeros(2, bool)))
        return float(second / first)

    assert again(200, AWAY) > again(10, AWAY) + 0.1
    assert again(200, {**AWAY, "device_id": "laptop"}) < again(200, AWAY) - 0.1


def test_a_login_that_comes_after_a_later_one_is_as_odd_as_if_both_came_at_once() -> None:
    phone = {**HOME, "device_id": "phone"}
    _, late = unlearned(batch(login(9 + 20 * DAY, **phone)), batch(login(9, **phone)))
    _, after = unlearned(batch(login(9, **phone)), batch(login(9, **phone)))
    assert strengths("device", late) == pytest.approx(strengths("device", after), rel=0.02)
    assert strengths("device", late)[0] > 0.25


def test_an_old_password_tried_all_night_by_a_known_device_is_soon_no_news() -> None:
    def night(columns: dict[str, object]) -> float:
        tries = batch(*(login(22 + i / 4, outcome="failure", **columns) for i in range(60)))
        return strengths("failure", unlearned(tries)[0])[-1]

    assert night(HOME) < night({**HOME, "device_id": None}) / 2


def test_the_owner_at_home_is_not_odd_while_a_stranger_guesses_the_password() -> None:
    guesses = [login(9 + i / 60, outcome="failure", **AWAY) for i in range(30)]
    (measured,) = unlearned(batch(*guesses, login(9.55, **HOME), login(9.6, **AWAY)))
    for feature in ("foreign_failures", "failure_burst", "burst"):
        assert strengths(feature, measured)[30] < 0.2, feature
    assert np.isnan(strengths("address_failures", measured)[30])
    assert strengths("foreign_failures", measured)[31] > 10


def test_an_hour_at_which_nobody_works_is_odder_than_one_at_which_others_do() -> None:
    memory = Memory()
    colleagues = [
        login(DAY * day + 15, f"user{user}", event_id=f"{user}-{day}") for user in range(5) for day in range(-20, 0)
    ]
    memory.learn(frame(habit() + colleagues))
    measured = memory.learn(batch(login(15, **HOME), login(3, **HOME)), ordinary=np.zeros(2, bool))
    at_three, at_fifteen = strengths("hour", measured)
    assert at_three > at_fifteen + 0.5
