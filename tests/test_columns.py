"""Grouped sums in columns must equal what a loop over logins would have added up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from organisations import frame, login

from monitor.columns import UNKNOWN, before, encode, first_of_runs, latest_before, leaky_max, leaky_sum

HOUR = 3600.0

#: Groups of (time, amount): each group is an account, its rows in order of time.
groups = st.lists(
    st.lists(st.tuples(st.floats(0, 3e8), st.sampled_from([0.0, 0.5, 1.0, 40.0])), min_size=1, max_size=8).map(sorted),
    min_size=1,
    max_size=6,
)


def columns(given_groups: list[list[tuple[float, float]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    group = np.repeat(np.arange(len(given_groups)), [len(rows) for rows in given_groups])
    time, amount = np.array([row for rows in given_groups for row in rows]).T
    return time, amount, first_of_runs(group)


@given(groups)
def test_a_leaky_sum_equals_the_loop_that_lets_each_amount_fade(given_groups: list[list[tuple[float, float]]]) -> None:
    time, amount, starts = columns(given_groups)
    expected = [
        sum(a * np.exp(-(now - then) / HOUR) for then, a in rows[: position + 1])
        for rows in given_groups
        for position, (now, _) in enumerate(rows)
    ]
    assert leaky_sum(amount, time, starts, HOUR) == pytest.approx(np.array(expected), rel=1e-6, abs=1e-12)


@given(groups)
def test_a_leaky_maximum_equals_the_loop_that_lets_each_amount_fade(
    given_groups: list[list[tuple[float, float]]],
) -> None:
    time, amount, starts = columns(given_groups)
    expected = [
        max(a * np.exp(-(now - then) / HOUR) for then, a in rows[: position + 1])
        for rows in given_groups
        for position, (now, _) in enumerate(rows)
    ]
    both = leaky_max(np.stack([amount, 2 * amount], axis=1), time, starts, HOUR)
    assert both[:, 0] == pytest.approx(np.array(expected), rel=1e-6, abs=1e-12)
    assert both[:, 1] == pytest.approx(2 * np.array(expected), rel=1e-6, abs=1e-12)


def test_leaking_of_nothing_is_empty() -> None:
    assert len(leaky_sum(np.zeros(0), np.zeros(0), np.zeros(0, bool), HOUR)) == 0
    assert leaky_max(np.zeros((0, 2)), np.zeros(0), np.zeros(0, bool), HOUR).shape == (0, 2)


@given(groups)
def test_what_came_before_equals_the_loop_within_each_group(given_groups: list[list[tuple[float, float]]]) -> None:
    _, amount, starts = columns(given_groups)
    expected = [sum(a for _, a in rows[:position]) for rows in given_groups for position in range(len(rows))]
    assert before(amount, starts) == pytest.approx(np.array(expected))
    assert before(np.stack([amount, 2 * amount], axis=1), starts)[:, 1] == pytest.approx(2 * np.array(expected))


def test_before_a_groups_first_amount_there_is_exactly_nothing() -> None:
    """Rounding must not make a value that was never learned look as if it had been seen: 1e-13 times is not nought."""
    rng = np.random.default_rng(1)
    amount = rng.uniform(1, 3, 10_000) * (rng.random(10_000) < 0.5)
    group = np.sort(rng.integers(0, 2_000, 10_000))
    sums = before(amount, first_of_runs(group))
    learned_before = np.array([amount[group == g][:i].any() for g in range(2_000) for i in range((group == g).sum())])
    assert ((sums != 0) == learned_before).all()


@given(groups, st.randoms(use_true_random=False))
def test_the_latest_earlier_row_equals_the_loop(given_groups: list[list[tuple[float, float]]], random: object) -> None:
    _, amount, starts = columns(given_groups)
    flags = amount > 0
    expected, row = [], 0
    for rows in given_groups:
        latest = -1
        for _ in rows:
            expected.append(latest)
            latest = row if flags[row] else latest
            row += 1
    assert list(latest_before(flags, starts)) == expected


def test_a_place_name_is_told_apart_by_its_country() -> None:
    paris = [login(hour, country=country, city="Paris") for hour, country in enumerate(["FR", "US", None])]
    logins = encode(frame([*paris, login(4)]))
    cities = logins.values["city"]
    assert cities.text(np.arange(4)) == ["Paris, FR", "Paris, US", "Paris", None]
    assert cities.codes[3] == UNKNOWN


def test_columns_that_a_source_does_not_have_are_unknown_in_every_row() -> None:
    logins = encode(frame([login(1), login(2, "bob")]))
    assert all((values.codes == UNKNOWN).all() for values in logins.values.values())
    assert (logins.address.codes == UNKNOWN).all()
    assert np.isnan(logins.latitude).all()
    assert np.isnan(logins.rtt_ms).all()


def test_logins_of_some_accounts_are_those_logins_with_the_accounts_renumbered() -> None:
    logins = encode(frame([login(i, f"user{i % 3}", device_id=f"d{i % 2}") for i in range(9)]))
    part = logins.of(np.array([False, True, True]))
    kept = logins.account >= 1
    assert list(part.accounts) == list(logins.accounts[1:])
    assert (part.time == logins.time[kept]).all()
    assert part.values["device"].text(np.arange(6)) == logins.values["device"].text(np.flatnonzero(kept))
    assert (part.account == logins.account[kept] - 1).all()
