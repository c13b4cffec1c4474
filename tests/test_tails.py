"""A tail tells how rare a value is among ordinary ones, as far as they reach and beyond."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.tails import Tail

samples = st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=300).map(np.array)


def test_the_nats_of_exponential_values_are_the_values_themselves() -> None:
    tail = Tail.fit(np.random.default_rng(0).exponential(1.0, 50_000))
    assert tail(np.array([0.5, 2.0, 5.0])) == pytest.approx([0.5, 2.0, 5.0], abs=0.1)
    assert tail(np.array([15.0]))[0] == pytest.approx(15, rel=0.3), "extrapolated by half as far again"


def test_a_share_is_of_ordinary_values_at_least_as_high() -> None:
    tail = Tail.fit(np.repeat([0.0, 1.0, 2.0], [900, 90, 10]))
    assert tail(np.array([0.0, 1.0, 2.0])) == pytest.approx([0, np.log(10), np.log(100)])


@given(samples)
def test_a_tail_rises_with_the_value_and_never_ends(values: np.ndarray) -> None:
    tail = Tail.fit(values)
    x = np.sort(np.concatenate([values, np.linspace(0, 2 * values.max() + 1, 50)]))
    nats = tail(x)
    assert (nats >= 0).all()
    assert (np.diff(nats) >= 0).all()
    far = tail(values.max() + np.array([1.0, 10.0, 1e3, 1e6, 1e9]) * (np.ptp(values) + 1))
    assert np.isfinite(far).all()
    assert (np.diff(far) > 0).all()


def test_what_hardly_ever_happens_is_as_rare_as_it_is_and_what_never_happened_rarer_than_once() -> None:
    hardly = Tail.fit(np.concatenate([np.zeros(9_996), np.full(4, 7.0)]))
    assert hardly(np.array([0.0, 7.0])) == pytest.approx([0, np.log(2_500)])
    never = Tail.fit(np.zeros(10_000))
    assert never(np.array([0.0]))[0] == 0
    assert np.log(10_000) < never(np.array([0.5]))[0] < np.log(10_000) + 2


@given(samples)
def test_an_ordinary_value_is_about_as_rare_as_it_was(values: np.ndarray) -> None:
    tail = Tail.fit(values)
    share = np.array([(values >= value).mean() for value in values])
    certain = share * len(values) >= 10  # beyond the ten highest the share is extrapolated
    assert np.exp(-tail(values))[certain] == pytest.approx(share[certain], rel=0.02)


def test_unknown_stays_unknown_and_without_ordinary_values_nothing_is_rare() -> None:
    assert np.isnan(Tail.fit(np.arange(9.0))(np.array([np.nan]))).all()
    nothing = Tail.fit(np.full(9, np.nan))
    assert nothing(np.array([0.0, 1e9])).tolist() == [0, 0]
    assert np.isnan(nothing(np.array([np.nan]))).all()


def test_a_tail_is_the_same_after_it_was_stored() -> None:
    rng = np.random.default_rng(2)
    tail = Tail.fit(rng.exponential(1, 3_000))
    x = rng.exponential(3, 200)
    assert (Tail.load("name", tail.dump("name"))(x) == tail(x)).all()
