"""Does the score still mean what it says? If not, its tail is shifted until it does.

A score of 1.5 is three ordinary logins in a hundred. When a new model, other weights or a wave of benign change make it
five, every tail probability is multiplied by the ratio. The order of logins stays, and so does the shape of the tail,
which takes more logins to learn than a day has. The share is measured between that score and the threshold: what
alerts or was confirmed is for reviewers, not for calibration, and an attack that alerts moves nothing. Weekends are odd
every week, so a day is held against the same day of the week before as well.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from monitor.calibration.evidence import DAY_S, Recent
from monitor.columns import Flags, Floats, first_of_runs
from monitor.tails import Tail

#: The score at which the share of ordinary logins is measured.
LEVEL = 1.5

#: Days that a shift is looked for in, the latest first: a jump shows in one, a creep in more. Less than a ``WEEK`` has
#: a week before it to be held against.
SPANS, WEEK = (1, 3, 7), 7

#: Logins whose score has to mean what it does now, of those that a shift is looked for in.
LEAST_SAME = 0.9

#: Narrower than this (score) the band below the threshold says nothing.
LEAST_BAND = 0.25

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


def recalibration(recent: Recent, margin: Floats, tail: Tail, value: float) -> Recalibration | None:
    """A tail by which the latest logins of the model at work score as ordinary ones should; None while they do.

    ``margin`` [n] are their scores by ``tail`` and the weights in force, ``value`` the threshold. Left out are logins
    that alert or were confirmed.
    """
    top = max(value, LEVEL + LEAST_BAND)
    share = 10**-LEVEL - 10**-top
    counted = _counted(recent, margin, top)
    for days in SPANS:
        logins = sum(recent.totals[:days])
        if logins < LEAST_LOGINS or len(recent.totals) < WEEK or not _comparable(recent, days):
            continue
        factor = max(_within(recent, counted, days), 0.5) / (logins * share)
        if days < WEEK:
            factor = _nearer(factor, factor / _usual(recent, counted, days, share))
        error = CLUSTERING / np.sqrt(logins * share)
        if abs(np.log(factor)) > max(np.log(LEAST_FACTOR), LEAST_ERRORS * error):
            factor = float(np.clip(factor, 1 / LARGEST_FACTOR, LARGEST_FACTOR))
            since = max(recent.since, recent.until - timedelta(days=days))
            return Recalibration(since, recent.until, logins, factor, shifted(tail, factor))
    return None


def shifted(tail: Tail, factor: float) -> Tail:
    """The tail with every probability below a tenth multiplied by ``factor``; above, less and less."""
    full = np.log(10)
    return replace(tail, nats=tail.nats - np.log(factor) * np.minimum(tail.nats / full, 1.0))


def _counted(recent: Recent, margin: Floats, top: float) -> Flags:
    """The logins of the band that count for ordinary."""
    band = np.flatnonzero((margin >= LEVEL) & (margin < top) & (recent.standing != "confirmed"))
    day = np.floor(recent.time[band] / DAY_S).astype(np.int64)
    unit = recent.account[band] * 100_000 + day
    order = np.lexsort((margin[band], unit))
    starts = first_of_runs(unit[order])
    place = np.arange(len(order)) - np.flatnonzero(starts)[np.cumsum(starts) - 1] if len(order) else order
    counted = np.zeros(len(recent), bool)
    counted[band[order[place < MOST_A_DAY]]] = True
    return counted


def _comparable(recent: Recent, days: int) -> bool:
    """Whether scores meant the same throughout these days, but for what came in late."""
    lately = recent.time > recent.until.timestamp() - days * DAY_S
    return bool(lately.any()) and float(recent.same[lately].mean()) >= LEAST_SAME


def _within(recent: Recent, counted: Flags, days: int, ago: int = 0) -> float:
    """How many of the ``counted`` logins fell into these days, which ended ``ago`` days before the latest login."""
    age = (recent.until.timestamp() - recent.time) / DAY_S
    return float((counted & (age > ago) & (age <= ago + days)).sum())


def _usual(recent: Recent, counted: Flags, days: int, share: float) -> float:
    """By how much the same days of the week before were off: as far as that is known, and 1 at most improbable."""
    logins = sum(recent.totals[WEEK : WEEK + days])
    known = _within(recent, counted, days, WEEK)
    return (known + 1.0) / (logins * share + 1.0)


def _nearer(one: float, other: float) -> float:
    """Of two factors the one nearer to 1; 1 where they disagree on the direction."""
    if np.log(one) * np.log(other) <= 0:
        return 1.0
    return min(one, other, key=lambda factor: abs(np.log(factor)))
