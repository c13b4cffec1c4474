"""Distances on the sphere, and journeys judged in favour of the traveller."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.geography import certain_distance_km, distance_km, implied_speed_kmh

BERLIN, LONDON, SYDNEY = (52.52, 13.405), (51.5072, -0.1276), (-33.8688, 151.2093)
places = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def between(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(distance_km(*(np.array([number]) for number in (*one, *other)))[0])


@pytest.mark.parametrize(
    ("one", "other", "kilometres"), [(BERLIN, LONDON, 931.6), (LONDON, SYDNEY, 16_994), ((0, 179.9), (0, -179.9), 22.2)]
)
def test_distances_agree_with_the_atlas(
    one: tuple[float, float], other: tuple[float, float], kilometres: float
) -> None:
    assert between(one, other) == pytest.approx(kilometres, rel=2e-3)


@given(places, places)
def test_a_distance_is_the_same_both_ways_and_at_most_half_the_globe(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    assert between(one, other) == pytest.approx(between(other, one), abs=1e-6)
    assert 0 <= between(one, other) <= 20_016


def test_an_unknown_place_has_no_distance_and_no_speed() -> None:
    kilometres = distance_km(np.array([np.nan]), np.array([13.4]), np.array([51.5]), np.array([-0.1]))
    assert np.isnan(kilometres).all()
    assert np.isnan(implied_speed_kmh(kilometres, np.array([3600.0]))).all()


def test_a_speed_concedes_a_hundred_kilometres_and_five_minutes() -> None:
    # Looked-up places may each be 50 km off, clocks 5 minutes.
    assert implied_speed_kmh(np.array([931.6]), np.array([3_300.0])) == pytest.approx(831.6)
    assert implied_speed_kmh(np.array([99.0]), np.array([0.0])) == 0
    assert implied_speed_kmh(np.array([200.0]), np.array([0.0])) == pytest.approx(100 * 12)
    assert implied_speed_kmh(np.array([200.0]), np.array([-50.0])) == pytest.approx(100 * 12)
    assert list(certain_distance_km(np.array([40.0, 100.0, 160.0]))) == [0, 0, 60]
