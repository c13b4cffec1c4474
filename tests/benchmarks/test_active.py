"""What is asked about, and what a verdict answers for: without these, counts of incidents found would mean little."""

import numpy as np
import pytest

pytest.importorskip("coniferest")

from benchmarks.active import Active, Ours, Pool, incidents_found
from monitor.features import NAMES


def pool() -> Pool:
    """Sixty accounts of five logins: odd in their first feature for nothing, ten incidents odd in the second."""
    rng = np.random.default_rng(1)
    evidence = rng.gamma(0.5, 1.0, (300, len(NAMES))).astype(np.float32) / 10
    evidence[::5, 0] += 12.0
    evidence[4:50:5, 1] += 11.0
    incident = np.full(300, "", object)
    incident[4:50:5] = [f"theft {i}" for i in range(10)]
    account, time = np.repeat(np.arange(60), 5), np.tile(np.arange(5.0), 60) * 86_400
    return Pool(evidence, account, time, incident, incident != "", oddness=10.0)


def test_verdicts_bring_incidents_forward_and_none_is_counted_twice() -> None:
    taught, untaught = incidents_found(pool(), Ours(pool())), incidents_found(pool(), Ours(pool(), refits=False))
    assert taught[39] > untaught[39]
    assert max(taught) == 10


def test_the_forest_is_asked_for_the_odd_ones_first() -> None:
    found = incidents_found(pool(), Active(pool(), seed=1))
    assert found[59] > 10 * 60 / 300, "no better than chance"


def test_a_verdict_answers_for_the_incident_or_else_for_the_logins_close_to_it() -> None:
    asked = pool()
    asked.time[:3] = 0.0
    assert np.flatnonzero(asked.covered(0)).tolist() == [0, 1, 2]
    assert np.flatnonzero(asked.covered(4)).tolist() == [4]
