"""Cases worked out by hand: logins measured after a habit, and the evidence that is made of them."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from organisations import Memory, frame, login

from monitor.features import NAMES, Measured

DAY = 24.0


def habit(days: int = 40, hour: float = 9, user: str = "ada", **columns: object) -> list[dict[str, object]]:
    """A login at the same hour of every day up to the Monday on which each test begins."""
    return [login(DAY * day + hour, user, event_id=f"{user}{day}", **columns) for day in range(-days, 0)]


def after(history: Iterable[dict[str, object]], *logins: dict[str, object]) -> tuple[pd.DataFrame, Measured]:
    """The logins, measured as one batch after the history; the frame says which row is which."""
    memory = Memory()
    memory.learn(frame(history))
    events = frame({"event_id": f"now{i}"} | given for i, given in enumerate(logins))
    return events, memory.learn(events)


def strength(feature: str, history: Iterable[dict[str, object]], *logins: dict[str, object]) -> list[float]:
    """The feature's evidence of each of the logins, in the order given."""
    events, measured = after(history, *logins)
    order = np.argsort(events["event_id"].str.slice(3).astype(int))
    return [float(number) for number in measured.strength[order, NAMES.index(feature)]]


def words(
    feature: str, history: Iterable[dict[str, object]], given: dict[str, object]
) -> tuple[str | None, str | None]:
    _, measured = after(history, given)
    evidence = measured.evidence[feature]
    return evidence.observed(np.array([0]))[0], evidence.usual(np.array([0]))[0]
