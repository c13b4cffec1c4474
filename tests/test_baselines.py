"""What is usual for an account, in cases small enough to count by hand."""

import numpy as np
import pandas as pd
import pytest
from organisations import Memory, frame, login

from monitor.baselines import Baselines
from monitor.columns import LENGTH, encode
from monitor.features import NAMES
from monitor.past import MOST_VALUES, Known, Past

DAY = 24.0


def past_of(events: pd.DataFrame, memory: Memory | None = None, half_life_days: float = 60.0) -> Past:
    logins = encode(events)
    stored = (memory or Memory()).load(logins.accounts)
    return Past(logins, stored, np.ones(len(logins), bool), half_life_days)


def known(events: pd.DataFrame, feature: str, memory: Memory | None = None, half_life_days: float = 60.0) -> Known:
    past = past_of(events, memory, half_life_days)
    return past.known(feature, past.logins.values[feature])


def test_a_count_halves_after_the_half_life() -> None:
    eight = [login(0, country="DE", event_id=f"e{i}") for i in range(8)]
    found = known(frame([*eight, login(60 * DAY, country="DE")]), "country")
    assert list(found.count[:3]) == [0, 1, 2]
    assert found.count[8] == pytest.approx(4)
    assert found.total[8] == pytest.approx(4)


def test_a_stored_count_halves_after_the_half_life_as_well() -> None:
    memory = Memory()
    memory.learn(frame([login(0, country="DE", event_id=f"e{i}") for i in range(8)]))
    assert known(frame([login(60 * DAY, country="DE")]), "country", memory).count[0] == pytest.approx(4)
    assert known(frame([login(120 * DAY, country="FR")]), "country", memory).total[0] == pytest.approx(2)
    half = known(frame([login(7 * DAY, country="DE")]), "country", memory, half_life_days=7)
    assert half.count[0] == pytest.approx(4)


def test_counts_are_of_the_same_account_and_value_before_the_login() -> None:
    events = frame(
        [
            login(1, "ada", country="DE"),
            login(2, "ada", country="FR"),
            login(3, "bob", country="DE"),
            login(4, "ada", country="DE"),
            login(5, "ada"),
        ]
    )
    found = known(events, "country")
    by_hour = {
        round(hour): row for row, hour in enumerate((encode(events).time - encode(events).time.min()) / 3600 + 1)
    }
    assert found.count[by_hour[4]] == pytest.approx(1, abs=0.01)
    assert found.total[by_hour[4]] == pytest.approx(2, abs=0.01)
    assert found.count[by_hour[3]] == found.total[by_hour[3]] == 0
    assert not found.met[by_hour[3]]
    assert found.met[by_hour[2]] and not found.touched[by_hour[2]]


def test_an_unknown_value_is_neither_counted_nor_held_against_the_account() -> None:
    found = known(frame([login(1, country="DE"), login(2), login(3, country="DE")]), "country")
    assert np.isnan(found.count[1])
    assert np.isnan(found.total[1])
    assert found.total[2] == pytest.approx(1, abs=0.01)


def test_a_failed_login_leaves_a_touch_but_teaches_nothing() -> None:
    memory = Memory()
    memory.learn(frame([login(1, country="DE"), login(2, country="KP", outcome="failure")]))
    found = known(frame([login(3, country="KP")]), "country", memory)
    assert found.count[0] == 0
    assert found.total[0] == pytest.approx(1, abs=0.01)
    assert found.touched[0]


def test_shares_follow_from_the_counts() -> None:
    memory = Memory()
    events = frame([login(i / 100, country="DE" if i % 4 else "AT", event_id=f"e{i}") for i in range(40)])
    memory.learn(events)
    values, weights, _ = memory.accounts[events["account_id"].iloc[0]].entries["country"]
    shares = dict(zip(values, weights / weights.sum(), strict=True))
    assert shares == {"AT": pytest.approx(0.25, abs=0.01), "DE": pytest.approx(0.75, abs=0.01)}


def test_a_history_learned_in_parts_is_the_history_learned_at_once() -> None:
    events = frame(
        login(9.0 * i, f"user{i % 3}", country=["CH", "DE"][i % 2], device_id=f"d{i % 5}", event_id=f"{i:02}")
        for i in range(60)
    )
    once, parts = Memory(), Memory()
    once.learn(events)
    for start in range(0, 60 * 9, 90):
        hours = (encode(events).time - encode(events).time.min()) / 3600
        parts.learn(events[(hours >= start) & (hours < start + 90)].reset_index(drop=True))
    for name, account in once.accounts.items():
        other = parts.accounts[name]
        assert account.updated == other.updated
        assert account.statistics == pytest.approx(other.statistics, abs=1e-5)
        assert account.latest == pytest.approx(other.latest, abs=1e-6, nan_ok=True)
        for feature, (values, weights, seen) in account.entries.items():
            theirs = dict(zip(other.entries[feature][0], zip(*other.entries[feature][1:], strict=True), strict=True))
            mine = dict(zip(values, zip(weights, seen, strict=True), strict=True))
            assert mine.keys() == theirs.keys()
            assert all(mine[value] == pytest.approx(theirs[value]) for value in mine)
        np.testing.assert_allclose(account.window, other.window, atol=1e-5)


def test_a_late_login_is_counted_as_of_its_own_time_and_moves_no_latest_fact_back() -> None:
    memory = Memory()
    events = frame([login(60 * DAY, country="DE", latitude=52.5, longitude=13.4)])
    memory.learn(events)
    account = events["account_id"].iloc[0]
    before = memory.accounts[account]
    memory.learn(frame([login(0, country="FR", latitude=48.8, longitude=2.3, event_id="late")]))
    after = memory.accounts[account]
    assert after.updated == before.updated
    assert after.latest["login_time"] == before.latest["login_time"]
    assert after.latest["latitude"] == pytest.approx(52.5)
    weights = dict(zip(*after.entries["country"][:2], strict=True))
    assert weights == {"DE": pytest.approx(1), "FR": pytest.approx(0.5)}
    assert after.statistics["logins"] == pytest.approx(1.5)


def test_an_account_remembers_a_bounded_number_of_values_the_most_used_ones() -> None:
    memory = Memory()
    often = [login(i / 10, device_id="own", event_id=f"own{i}") for i in range(20)]
    events = frame([*often, *(login(3 + i / 10, device_id=f"d{i}", event_id=f"d{i}") for i in range(300))])
    memory.learn(events)
    values = memory.accounts[events["account_id"].iloc[0]].entries["device"][0]
    assert len(values) == MOST_VALUES
    assert {"own", "d299", "d298"} <= set(values)


def test_an_account_whose_logins_lie_decades_before_anothers_is_counted_alike() -> None:
    """Weights of one batch that span many half-lives must not drown each other."""
    years = [0, *(20 * 365 * DAY + i for i in range(50))]
    old = [login(i, "old", country="DE", event_id=f"old{i}") for i in range(10)]
    new = [login(at, user, country="DE", event_id=f"{user}{at}") for user in ("ada", "bob", "cy") for at in years]
    events = frame(old + new)
    found = known(events, "country", half_life_days=30)
    of_old = (events["user"] == "old").to_numpy()
    assert found.count[of_old] == pytest.approx(np.arange(10), rel=0.02)
    assert found.count[~of_old].reshape(3, -1)[:, 1:] == pytest.approx(np.tile(np.arange(50.0), (3, 1)), rel=0.05)


def test_a_baseline_of_nobody_is_empty() -> None:
    assert len(Baselines.empty(0, (LENGTH, len(NAMES))).updated) == 0
