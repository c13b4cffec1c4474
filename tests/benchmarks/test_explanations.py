"""A planted cause must be the only thing that is odd, or its rank says nothing."""

import numpy as np
import pytest

from benchmarks.plants import BURST, FAILURES, KINDS, plant
from benchmarks.replay import as_stored
from monitor.detectors import training_loop
from monitor.features import NAMES
from monitor.simulation import simulate

#: What a kind of plant may change.
MAY_CHANGE = {
    "device": {"device_id"},
    "city": {"city", "region", "latitude", "longitude"},
    "network": {"network", "ip", "asn"},
    "browser": {"browser"},
    "application": {"application"},
    "auth_method": {"auth_method"},
    "hour": {"occurred_at"},
    "burst": set(),
    "failures": set(),
    "rtt": {"rtt_ms"},
}


@pytest.fixture(scope="module")
def organisation() -> tuple:
    events = as_stored(simulate("corporate", 60, 21, 4, attacks_per_kind=0, early_incidents=0).events)
    early = events["occurred_at"] < events["occurred_at"].quantile(0.7)
    return events[early], events[~early]


@pytest.mark.parametrize("kind", KINDS)
def test_a_plant_changes_one_thing_about_an_ordinary_login(kind: str, organisation: tuple) -> None:
    history, later = organisation
    planted = plant(kind, history, later, np.ones(len(later), bool), 15, np.random.default_rng(1))
    assert len(planted.event_ids) > 3
    now = planted.events.set_index("event_id").loc[planted.event_ids]
    was = later.set_index("event_id").loc[planted.event_ids, now.columns]
    changed = {name for name in now if not (now[name].eq(was[name]) | (now[name].isna() & was[name].isna())).all()}
    assert changed <= MAY_CHANGE[kind]
    assert changed or not MAY_CHANGE[kind]
    assert now["account_id"].is_unique
    extra = {"burst": BURST, "failures": FAILURES}.get(kind, 0) * len(now)
    assert len(planted.events) == later["account_id"].isin(now["account_id"]).sum() + extra
    if kind in ("city", "network", "browser", "application", "auth_method"):
        before = history.groupby("account_id")[kind].agg(set)
        assert all(value not in before[account] for account, value in zip(now["account_id"], now[kind], strict=True))


def test_every_kind_names_features_that_exist() -> None:
    assert all(set(kind.features) <= set(NAMES) for kind in KINDS.values())
    assert set(MAY_CHANGE) == set(KINDS)


def test_a_small_run_ranks_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("captum", reason="integrated gradients need the extra `bench`")
    from benchmarks.explanations import explained

    monkeypatch.setattr(training_loop, "EPOCHS", 1)
    rows = explained(simulate("corporate", 60, 21, 4), plants=10, seed=1)
    assert [row["cause"] for row in rows] == list(KINDS)
    for row in rows:
        assert 0 <= row["first"] <= row["first three"] <= 1
        assert 0 <= row["IG first"] <= row["IG first three"] <= 1
    assert np.mean([row["first three"] for row in rows]) > 0.5
