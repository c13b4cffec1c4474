"""Device, browser and operating system of a known client are one oddity; what the account never combined stays odd."""

import numpy as np
import pytest
from organisations import Memory, frame, login

from monitor.features import LEAST_NATS, NAMES
from monitor.features.client import PARTS
from monitor.features.evidence import HABIT

DAY = 24.0
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15"
WORK, HOME = {"device_id": "work", "user_agent": EDGE}, {"device_id": "home", "user_agent": SAFARI}


def parts(now: dict[str, object], rare: dict[str, object] = HOME) -> list[float]:
    """Evidence of device, browser and system of one login after 40 days of work, two of which were ``rare`` instead."""
    memory = Memory()
    history = [
        login(DAY * day + 9, event_id=str(day), **(rare if day in (-10, -20) else WORK)) for day in range(-40, 0)
    ]
    memory.learn(frame(history))
    strength = memory.learn(frame([login(9, event_id="now", **now)])).strength[0]
    return [float(strength[NAMES.index(part)]) for part in PARTS]


def test_a_rarely_used_computer_is_odd_once_and_not_for_its_browser_and_system_as_well() -> None:
    together = parts(HOME)
    assert all(part > LEAST_NATS for part in together)
    assert sum(together) / HABIT == pytest.approx(-np.log(2 / 40), abs=0.3)


def test_parts_that_are_known_but_never_came_together_stay_as_odd_as_each_is() -> None:
    mixed = parts({"device_id": "work", "user_agent": SAFARI})
    assert sum(mixed[1:]) > 1.3 * sum(parts(HOME))


def test_a_new_device_is_as_odd_with_the_usual_browser_as_it_was() -> None:
    new = parts({"device_id": "new", "user_agent": EDGE})
    assert new[0] > 3
    assert new[1:] == [0.0, 0.0]


def test_a_client_without_a_device_is_known_by_what_else_it_shows() -> None:
    bare = {"user_agent": SAFARI}
    device, *agent = parts(bare, rare=bare)
    assert np.isnan(device)
    assert sum(agent) / HABIT == pytest.approx(-np.log(2 / 40), abs=0.3)


def test_a_part_may_hold_any_character_and_no_two_clients_are_taken_for_one() -> None:
    joined = {"device_id": 'home", "Safari', "user_agent": EDGE}
    assert parts(joined, rare=joined)[0] > LEAST_NATS
    assert parts(joined)[0] > parts(HOME)[0] + 1
