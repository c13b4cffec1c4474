"""How many decisions a day a threshold asks of the reviewers."""

from typing import NamedTuple

import numpy as np

from monitor.alerting import INCIDENT_GAP_S
from monitor.calibration.evidence import DAY_S, Recent
from monitor.columns import Flags, Floats, Ints, first_of_runs

#: Never alert on what one ordinary login in a hundred exceeds, however large the budget.
LOWEST = 2.0

#: Days that the expectation of the threshold in force is worth: the few logins of a day cannot overrule it.
TRUST_DAYS = 1.0

#: Budgets that one day counts with at most, or this many decisions where the budget is small.
MOST_A_DAY, LEAST_A_DAY = 3.0, 10.0


class Held(NamedTuple):
    """The threshold in force, and the decisions a day that were expected of it."""

    value: float
    per_day: float


def decisions(recent: Recent, margin: Floats, value: float) -> Ints:
    """Incidents that a threshold at ``value`` would have made of the recent logins, by day; a campaign is one."""
    odd, starts = _incidents(recent, margin, value)
    counts = np.zeros(int(np.ceil(recent.days - 1e-6)), np.int64)
    if not len(odd):
        return counts
    first = np.flatnonzero(starts)
    campaign = np.maximum.reduceat(recent.campaign[odd], first)
    day = ((recent.time[odd[first]] - recent.since.timestamp()) // DAY_S).astype(np.int64)
    alone = campaign < 0
    np.add.at(counts, day[alone], 1)
    np.add.at(counts, day[~alone][np.unique(campaign[~alone], return_index=True)[1]], 1)
    return counts


def peaks(recent: Recent, margin: Floats, value: float) -> Ints:
    """The oddest login of each incident that a threshold at ``value`` would have made."""
    odd, starts = _incidents(recent, margin, value)
    order = np.lexsort((-margin[odd], np.cumsum(starts)))
    return odd[order[np.flatnonzero(starts)]]


def per_day(recent: Recent, margin: Floats, value: float, held: Held, budget: float) -> float:
    """Decisions a day to expect: those seen, and ``TRUST_DAYS`` of those that were expected of the threshold ``held``.

    ``margin`` [n] is what they scored then, since weights that verdicts on these logins set make too little of them. Of
    the latter a threshold lowered by one makes ten times as many, as the score says. A day counts with no more than
    ``MOST_A_DAY`` budgets: one great attack must not blind the fortnight after it.
    """
    believed = TRUST_DAYS * held.per_day * 10 ** (held.value - value)
    seen = np.minimum(decisions(recent, margin, value), max(MOST_A_DAY * budget, LEAST_A_DAY)).sum()
    return float((seen + believed) / (recent.days + TRUST_DAYS))


def lowest_within(recent: Recent, margin: Floats, budget: float, held: Held) -> float:
    """The lowest threshold that keeps the decisions a day to expect within the ``budget``."""
    low, high = LOWEST, max(LOWEST, held.value, float(margin.max(initial=LOWEST))) + 3.0
    if per_day(recent, margin, low, held, budget) <= budget:
        return low
    while high - low > 1e-3:
        middle = (low + high) / 2
        within = per_day(recent, margin, middle, held, budget) <= budget
        low, high = (low, middle) if within else (middle, high)
    return high


def _incidents(recent: Recent, margin: Floats, value: float) -> tuple[Ints, Flags]:
    """The logins that would alert, and which of them begin an incident.

    What follows soon after a verdict is one more alert to decide on, so two alerts are two.
    """
    odd = np.flatnonzero(margin >= value)
    starts, alert = first_of_runs(recent.account[odd]), recent.alert[odd]
    starts[1:] |= np.diff(recent.time[odd]) > INCIDENT_GAP_S
    starts[1:] |= (alert[1:] != alert[:-1]) & (alert[1:] >= 0) & (alert[:-1] >= 0)
    return odd, starts
