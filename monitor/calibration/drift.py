"""Does the score still mean what it says? If not, its tail is shifted until it does.

A score of 1.5 is three ordinary logins in a hundred. When a new model, other weights or a wave of benign change make it
five, every tail probability is multiplied by the ratio. The order of logins stays, and so does the shape of the tail,
which takes more logins to learn than a day has. The share is measured well below the threshold, and no account counts
with more than a few logins a day: an attack that alerts cannot move it far.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from monitor.calibration.evidence import DAY_S, Recent
from monitor.columns import Flags, Floats, first_of_runs
from monitor.tails import Tail

#: The score at which the share of ordinary logins is measured.
LEVEL = 1.5

#: Days that a shift is looked for in, the latest first: a jump shows in one, a creep in more.
SPANS = (1, 3, 7)

#: Logins of an account and day that count at most.
MOST_A_DAY = 3

#: A shift is acted on from this factor and so many standard errors; logins of an account come in clusters.
LEAST_FACTOR, LEAST_ERRORS, CLUSTERING = 1.25, 3.0, 1.5

#: No more than this at once: who could raise it at will could hide behind it.
LARGEST_FACTOR = 4.0

#: Fewer logins than this say nothing.
LEAST_LOGINS = 500


@dataclass(frozen=True)
class Recalibration:
    """A tail for the ``logins`` of [since, until): ``factor`` times as many as should have scored above ``LEVEL``."""

    since: datetime
    until: datetime
    logins: int
    factor: float
    tail: Tail


def recalibration(recent: Recent, margin: Floats, tail: Tail, budget: float) -> Recalibration | None:
    """A tail by which the latest logins of the model at work score as ordinary ones should; None while they do.

    ``margin`` [n] are their scores by ``tail`` and the weights in force. Left out are logins that were confirmed, and
    unreviewed alerts beyond what ``budget`` decisions a day explain.
    """
    counted = _counted(recent, margin, budget)
    for days in SPANS:
        since = max(recent.since, recent.until - timedelta(days=days))
        logins = sum(recent.own[:days])
        if logins < LEAST_LOGINS:
            continue
        nominal = logins * 10**-LEVEL
        above = counted & (recent.time >= since.timestamp())
        factor = max(float(above.sum()), 0.5) / nominal
        error = CLUSTERING / np.sqrt(nominal)
        if abs(np.log(factor)) > max(np.log(LEAST_FACTOR), LEAST_ERRORS * error):
            factor = float(np.clip(factor, 1 / LARGEST_FACTOR, LARGEST_FACTOR))
            return Recalibration(since, recent.until, logins, factor, shifted(tail, factor))
    return None


def shifted(tail: Tail, factor: float) -> Tail:
    """The tail with every probability below a tenth multiplied by ``factor``; above, less and less."""
    full = np.log(10)
    return replace(tail, nats=tail.nats - np.log(factor) * np.minimum(tail.nats / full, 1.0))


def _counted(recent: Recent, margin: Floats, budget: float) -> Flags:
    """The logins above the level that count for ordinary."""
    above = np.flatnonzero((margin >= LEVEL) & recent.same & (recent.standing != "confirmed"))
    day = np.floor(recent.time[above] / DAY_S).astype(np.int64)
    unit = recent.account[above] * 100_000 + day
    order = np.lexsort((margin[above], unit))
    starts = first_of_runs(unit[order])
    place = np.arange(len(order)) - np.flatnonzero(starts)[np.cumsum(starts) - 1] if len(order) else order
    few = above[order[place < MOST_A_DAY]]
    waiting = few[recent.standing[few] == "open"]
    explained = waiting[np.argsort(margin[waiting], kind="stable")][: int(budget * recent.days)]
    counted = np.zeros(len(recent), bool)
    counted[few[recent.standing[few] != "open"]] = True
    counted[explained] = True
    return counted
