"""A pass must judge each login by what came before it, and by nothing else: not by its neighbours in the batch."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from organisations import Memory, Organisation, batches, frame, in_order, login, organisation

from monitor.columns import encode
from monitor.judging import judge
from monitor.rule import AlertRule
from monitor.strangers import strangers

THRESHOLD = 2.5

#: More than 32-bit evidence needs; a login that is learned or not changes scores by a hundred times as much.
TOLERANCE = 1e-4

INTRUDER = {
    "outcome": "success",
    "ip": "203.0.113.7",
    "network": "203.0.113.0/24",
    "country": "KP",
    "city": "Pyongyang",
    "region": None,
    "latitude": 39.0,
    "longitude": 125.8,
    "asn": 131279,
    "device_id": "intruder",
}


@pytest.fixture(scope="module")
def company() -> Organisation:
    return organisation()


@pytest.fixture(scope="module")
def at_once(company: Organisation) -> pd.DataFrame:
    return company.scored(company.later, len(company.later), THRESHOLD)


def difference(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """The largest difference of any number, of logins that must be the same."""
    assert list(one.index) == list(other.index)
    flags = ["alerted", "held"]
    assert (one[flags] == other[flags]).all(axis=None)
    return float((one.drop(columns=flags) - other.drop(columns=flags)).abs().max(axis=None))


@pytest.mark.parametrize(("size", "first", "last"), [(1, 0, 40), (1, 600, 640), (7, 300, 600), (250, 0, 2_000)])
def test_scores_are_the_same_however_the_events_are_cut_into_batches(
    company: Organisation, at_once: pd.DataFrame, size: int, first: int, last: int
) -> None:
    queue = in_order(company.later)
    memory = company.memory.copy()
    memory.score(batches(queue.iloc[:first], len(queue))[0], company.scorer, THRESHOLD) if first else None
    parts = batches(queue.iloc[first:last], size)
    scored = pd.concat([memory.score(part, company.scorer, THRESHOLD) for part in parts]).sort_index()
    assert scored["alerted"].any()
    assert size < 250 or (scored["held"] & ~scored["alerted"]).any(), "nothing followed an alert"
    assert difference(scored, at_once.loc[scored.index]) < TOLERANCE


def test_a_batch_that_takes_many_rounds_to_settle_is_scored_as_if_logins_came_one_by_one(
    company: Organisation,
) -> None:
    """Each odd city makes the next one look ordinary, unless it alerts: every login hangs on those before it."""
    usual = [login(24.0 * day, "bob", city="Berlin", device_id="a", event_id=f"u{day}") for day in range(-60, 0)]
    cities = ["Oslo", "Rome", "Lima", "Kyiv", "Bonn", "Graz", "Linz", "Nice", "York", "Bari", "Pisa", "Lyon"]
    odd = [
        login(168 + 60.0 * i, "bob", city=city, device_id="a" if i % 3 else f"d{i // 9}", event_id=f"x{i:02}")
        for i, city in enumerate(cities * 4)
    ]
    memory = company.memory.copy()
    memory.learn(frame(usual))
    logins = encode(frame(odd))
    judged, _ = judge(
        logins, memory.load(logins.accounts), memory.population(logins), company.scorer, AlertRule(1.0), 60.0
    )
    assert len(judged) > 4
    once, one_by_one = memory.copy(), memory.copy()
    together = once.score(frame(odd), company.scorer, 1.0).sort_index()
    singly = pd.concat([one_by_one.score(part, company.scorer, 1.0) for part in batches(frame(odd), 1)]).sort_index()
    assert difference(together, singly) < TOLERANCE


def test_every_login_of_a_batch_is_settled_exactly_once(company: Organisation) -> None:
    logins = encode(company.later)
    stored, population = company.memory.load(logins.accounts), company.memory.population(logins)
    judged, _ = judge(logins, stored, population, company.scorer, AlertRule(THRESHOLD), 60.0)
    rows = np.concatenate([part.rows for part in judged])
    assert sorted(rows) == list(range(len(logins)))
    held = np.zeros(len(logins), bool)
    held[rows] = np.concatenate([part.alerted | (part.follows >= 0) for part in judged])
    ordinary = ~held & ~strangers(logins, stored, ~held, 60.0)
    for part in judged:
        learned = part.measured.past.ordinary[part.within]
        assert (learned == ordinary[part.rows]).all(), "what alerted was learned, or what was ordinary was left out"


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(data=st.data())
def test_changing_or_removing_a_login_never_changes_the_score_of_an_earlier_one(
    company: Organisation, at_once: pd.DataFrame, data: st.DataObject
) -> None:
    position = data.draw(st.integers(0, len(company.later) - 1))
    changed = company.later.copy()
    moment = changed["occurred_at"].iloc[position]
    if data.draw(st.booleans(), label="removed"):
        changed = changed.drop(index=position).reset_index(drop=True)
    else:
        for name, value in INTRUDER.items():
            changed.loc[position, name] = value
    scored = company.scored(changed, len(changed), THRESHOLD)
    earlier = company.later.loc[company.later["occurred_at"] < moment, "event_id"].sort_values()
    if len(earlier):
        assert difference(scored.loc[earlier], at_once.loc[earlier]) < TOLERANCE


def test_a_changed_login_does_change_its_own_score_and_later_ones(company: Organisation, at_once: pd.DataFrame) -> None:
    """Otherwise the test above could not fail."""
    position = int(np.flatnonzero(~at_once["alerted"].loc[company.later["event_id"]].to_numpy())[0])
    changed = company.later.copy()
    for name, value in INTRUDER.items():
        changed.loc[position, name] = value
    moved = (company.scored(changed, len(changed), THRESHOLD)["score"] - at_once["score"]).abs() > TOLERANCE
    assert moved[changed["event_id"].iloc[position]]
    assert moved.sum() > 1


def usual_weights(memory: Memory, user_id: str) -> dict[tuple[str, str], float]:
    entries = memory.accounts[user_id].entries
    return {
        (feature, value): weight
        for feature, (values, weights, _) in entries.items()
        for value, weight in zip(values, weights, strict=True)
        if weight > 0
    }


def test_what_alerts_is_not_learned_and_alerts_again_the_next_time(company: Organisation) -> None:
    habit = frame(
        login(24.0 * day + 9, "eve", country="DE", city="Bonn", device_id="own", event_id=f"u{day}")
        for day in range(-50, 0)
    )
    theft = [
        login(24.0 * day + 9, "eve", country="KP", city="Pyongyang", device_id="stolen", event_id=f"t{day}")
        for day in range(1, 9)
    ]
    start = company.memory.copy()
    start.learn(habit)
    guarded, careless = start.copy(), start.copy()
    kept = guarded.score(frame(theft), company.scorer, -1.0)  # everything alerts
    learned = careless.score(frame(theft), company.scorer, 99.0)  # nothing does
    user = habit["account_id"].iloc[0]
    assert kept["alerted"].all()
    assert ("country", "KP") in usual_weights(careless, user)
    assert usual_weights(guarded, user).keys() == usual_weights(start, user).keys()
    assert kept["score"].iloc[-1] > learned["score"].iloc[-1] + 0.1
    assert kept["country"].iloc[-1] == pytest.approx(kept["country"].iloc[1], rel=0.05), "it became usual all the same"
