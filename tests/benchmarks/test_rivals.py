"""Rivals must get a fair chance: what they are said to do is what they do."""

import numpy as np
import pandas as pd
import pytest
from organisations import frame, login

from benchmarks.freeman import likelihood_ratio
from benchmarks.morpheus import LEAST, fingerprints

VIENNA = {"country": "AT", "latitude": 48.2, "longitude": 16.4}
LIMA = {"country": "PE", "latitude": -12.0, "longitude": -77.0}


def habit(user: str, ip: str, days: int = 30, **columns: object) -> list[dict[str, object]]:
    return [
        login(24.0 * day + 9, user, ip=ip, asn=64500, event_id=f"{user}{day}", **(VIENNA | columns))
        for day in range(days)
    ]


def rules(events: pd.DataFrame) -> pd.Series:
    pytest.importorskip("pyod", reason="the rivals need the extra `bench`")
    from benchmarks.rivals import broken_rules

    return pd.Series(broken_rules(events), events["event_id"])


def test_each_plain_rule_is_broken_by_what_it_forbids_and_by_nothing_else() -> None:
    journey = login(24.0 * 29 + 10, "ada", ip="192.0.2.9", event_id="far", **LIMA)
    guesses = [
        login(24.0 * 31 + i / 60, "bob", outcome="failure", ip="192.0.2.2", event_id=f"g{i}", **VIENNA)
        for i in range(6)
    ]
    broken = rules(frame([*habit("ada", "192.0.2.1"), journey, *habit("bob", "192.0.2.2"), *guesses]))
    assert broken["far"] == 2
    assert broken["g3"] == 0
    assert broken["g5"] == 1
    assert broken.drop(["far", "g4", "g5"]).sum() == 0


def test_the_likelihood_ratio_finds_a_strange_address_odder_than_the_usual_one() -> None:
    strange = login(24.0 * 29 + 10, "ada", ip="198.51.100.1", asn=64999, event_id="strange", **LIMA)
    events = frame([*habit("ada", "192.0.2.1"), *habit("bob", "198.51.100.1", country="PE"), strange])
    ratio = pd.Series(likelihood_ratio(events), events["event_id"])
    assert ratio["strange"] > 1.0 > ratio["ada29"]


def test_the_likelihood_ratio_looks_at_nothing_that_came_later() -> None:
    events = frame([*habit("ada", "192.0.2.1"), *habit("bob", "192.0.2.2")])
    early = events["occurred_at"] < events["occurred_at"].quantile(0.5)
    alone = likelihood_ratio(events[early].reset_index(drop=True))
    assert likelihood_ratio(events)[early.to_numpy()] == pytest.approx(alone)


def test_fingerprints_are_an_accounts_own_and_newcomers_share_one() -> None:
    rng = np.random.default_rng(0)
    account = np.repeat(np.arange(4), [3 * LEAST, 3 * LEAST, 3 * LEAST, 5])
    values = rng.normal(account[:, None] % 2 * 3.0, 0.2, (len(account), 6))
    learned = fingerprints(values, account, seed=1)
    assert set(learned.network) == {0, 1, 2}
    borrowed = values[account == 1][:40]
    mean, largest = learned.scores(np.concatenate([values[account == 0][:40], borrowed]), np.zeros(80, int))
    assert mean[40:].mean() > 2 * mean[:40].mean()
    assert (largest >= mean).all()
    assert np.isfinite(learned.scores(values[:3], np.array([3, 3, 99]))[0]).all()
