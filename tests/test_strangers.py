"""Who comes with nothing of the owner's while the owner is about is not learned; who is tied to the account is."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from organisations import HALF_LIFE_DAYS, Memory, batches, frame, login

from monitor.strangers import ESTABLISHED, IDENTIFIED, PATIENCE_DAYS, strangers

DAY = 24.0
HOME, LAPTOP = {"ip": "192.0.2.7"}, {"device_id": "laptop"}
AWAY, PHONE = {"ip": "198.51.100.7"}, {"device_id": "phone"}


def owner(logins: int = 20, **columns: object) -> list[dict[str, object]]:
    """A login a day from home; the last one on the day before the Monday."""
    return [login(DAY * (day - logins) + 9, event_id=f"own{day}", **columns) for day in range(logins)]


def learned(*later: dict[str, object], before: list[dict[str, object]] | None = None, size: int = 1) -> list[bool]:
    """Which of the ``later`` logins are learned, in order of time, scored ``size`` at a time."""
    memory = Memory()
    memory.learn(frame(owner(**HOME, **LAPTOP) if before is None else before))
    found: dict[str, bool] = {}
    for part in batches(frame(later), size):
        past = memory.learn(part).past
        found |= dict(zip(part["event_id"], past.learned, strict=True))
    return [found[str(one["event_id"])] for one in later]


@pytest.mark.parametrize("size", [1, 2, 99])
def test_a_stranger_is_not_learned_however_often_he_comes_until_a_tie(size: int) -> None:
    both = AWAY | PHONE
    visits = [login(DAY * day + 12, event_id=f"visit{day}", **both) for day in range(5)]
    owners = [login(DAY * day + 9, event_id=f"owner{day}", **HOME, **LAPTOP) for day in range(7)]
    tie = login(DAY * 5 + 12, event_id="tie", **HOME, **PHONE)
    after = login(DAY * 6 + 12, event_id="after", **both)
    assert learned(*visits, tie, after, *owners, size=size) == [False] * 5 + [True] * 9


def test_one_thing_that_the_account_is_used_to_is_enough() -> None:
    new_phone = login(9, event_id="phone", **HOME, **PHONE)
    elsewhere = login(12, event_id="elsewhere", **AWAY, **LAPTOP)
    without_id = login(15, event_id="without", **HOME)
    assert learned(new_phone, elsewhere, without_id) == [True, True, True]


def test_a_login_without_a_device_id_is_strange_only_where_the_owner_sends_one() -> None:
    visit = login(12, event_id="visit", **AWAY)
    assert learned(visit) == [False]
    assert learned(visit, before=owner(**HOME)) == [True]
    mixed = owner(14, **HOME, **LAPTOP) + [login(DAY * -6 + hour, event_id=f"bare{hour}", **HOME) for hour in range(6)]
    assert learned(visit, before=mixed) == [True]


def test_a_source_without_networks_or_devices_has_no_strangers() -> None:
    visit = login(12, event_id="visit", **PHONE)
    assert learned(visit, before=owner(**LAPTOP)) == [True]
    assert learned(login(12, event_id="visit", **AWAY | PHONE), before=owner(**HOME)) == [True]


def test_who_moved_house_with_a_new_phone_is_learned_once_the_old_things_are_gone_for_two_weeks() -> None:
    days = [0, 6, 12, 14, 15]  # the last login of old was a day before the first
    moved = [login(DAY * day + 9, event_id=f"day{day}", **AWAY, **PHONE) for day in days]
    assert learned(*moved) == [False, False, False, True, True]
    still_there = [login(DAY * day + 8, event_id=f"own{day}", **HOME, **LAPTOP) for day in days]
    assert learned(*moved[:4], *still_there) == [False] * 4 + [True] * 5


@pytest.mark.parametrize("size", [1, 3, 99])
def test_a_second_computer_that_stays_in_the_cottage_is_learned_when_it_has_come_for_two_weeks(size: int) -> None:
    days = [0, 7, 14, 15, 16]
    cottage = [login(DAY * day + 9, event_id=f"day{day}", **AWAY, **PHONE) for day in days]
    at_home = [login(DAY * day + 8, event_id=f"own{day}", **HOME, **LAPTOP) for day in range(17)]
    assert learned(*cottage, *at_home, size=size)[:5] == [False, False, False, True, True]


def test_a_newcomer_may_come_with_anything() -> None:
    visit = login(12, event_id="visit", **AWAY, **PHONE)
    assert learned(visit, before=owner(8, **HOME, **LAPTOP)) == [True]


def test_whom_reviewers_vouched_for_is_learned_and_so_is_what_he_does_next() -> None:
    memory = Memory()
    memory.learn(frame(owner(**HOME, **LAPTOP)))
    visits = frame(login(12 + hour, event_id=f"{hour}", **AWAY, **PHONE) for hour in range(3))
    measured = memory.learn(visits.assign(vouched=[False, True, False]))
    assert measured.past.learned.tolist() == [False, True, True]


def by_hand(events: pd.DataFrame) -> list[bool]:
    """The rule read aloud, login by login: who is a stranger."""
    found = []
    counts: dict[str, dict[str, float]] = {"network": {}, "device_id": {}}
    history, owner_seen, before = 0.0, -np.inf, 0.0
    came: dict[tuple[str, str], float] = {}
    for event in events.itertuples():
        now: float = event.occurred_at.timestamp() / 86_400
        fade = 0.5 ** ((now - before) / HALF_LIFE_DAYS) if before else 1.0
        history *= fade
        counts = {name: {value: count * fade for value, count in held.items()} for name, held in counts.items()}
        before = now
        shown: dict[str, Any] = {name: getattr(event, name) for name in counts if isinstance(getattr(event, name), str)}
        known = any(value in counts[name] for name, value in shown.items())
        identified = sum(counts["device_id"].values())
        odd_device = identified > 0 if "device_id" in shown else identified >= IDENTIFIED * history
        odd = not known and "network" in shown and counts["network"] and odd_device
        who = next(((name, shown[name]) for name in ("device_id", "network") if name in shown), ("", ""))
        recent = now - min(owner_seen, came.get(who, np.inf)) <= PATIENCE_DAYS
        strange = bool(odd and history >= ESTABLISHED and recent and not event.vouched)
        found.append(strange)
        if strange and event.outcome == "success":
            came.setdefault(who, now)
        learns = not strange and event.outcome == "success"
        if known or (learns and shown):
            owner_seen = now
        if learns:
            history += 1
            for name, value in shown.items():
                counts[name][value] = counts[name].get(value, 0.0) + 1
    return found


visits = st.lists(
    st.tuples(
        st.sampled_from([0.5, 5.0, 24.0, 24.0 * 10]),  # hours since the one before
        st.sampled_from([1, 1, 1, 2, 3, None]),
        st.sampled_from(["a", "a", "a", "b", "c", None]),
        st.sampled_from(["success", "success", "success", "failure"]),
        st.sampled_from([False] * 9 + [True]),
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(drawn=visits, size=st.integers(1, 60))
def test_however_logins_are_cut_into_batches_the_answer_is_that_of_one_by_one(drawn: list[Any], size: int) -> None:
    at = np.cumsum([hours for hours, *_ in drawn])
    events = frame(
        login(float(hour), event_id=f"{number:03}", ip=net and f"198.51.{net}.9", device_id=device, outcome=outcome)
        for number, (hour, (_, net, device, outcome, _)) in enumerate(zip(at, drawn, strict=True))
    ).assign(vouched=[vouched for *_, vouched in drawn])
    expected = by_hand(events)
    memory, found = Memory(), []
    for part in batches(events, size):
        found += (~memory.learn(part).past.ordinary).tolist()
    assert found == expected


def test_an_account_flooded_with_oddities_does_not_take_a_round_for_each() -> None:
    memory = Memory()
    memory.learn(frame(owner(**HOME, **LAPTOP)))
    flood = frame(login(12 + number / 60, event_id=f"{number}", **AWAY, **PHONE) for number in range(300))
    past = memory.learn(flood).past
    assert not past.learned.any()
    assert strangers(past.logins, past.stored, past.logins.learnable, HALF_LIFE_DAYS).all()
