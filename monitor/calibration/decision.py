"""The next threshold: two forces, the alert budget and the verdicts, put together and held within bounded steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

import numpy as np

from monitor.calibration import budget, missed, precision, weights
from monitor.calibration.budget import LOWEST
from monitor.calibration.evidence import Judgements, Recent
from monitor.columns import Floats
from monitor.rule import SEGMENTS, AlertRule
from monitor.tails import Tail

#: How far verdicts may raise the threshold above what the budget asks within a day, and move a segment's offset.
LARGEST_RISE, LARGEST_SHIFT = 0.25, 0.15

#: Verdicts of a segment that it takes to move its offset.
LEAST_VERDICTS = 10

#: For its precision a threshold is raised until it makes this share of the budget, and no further.
LEAST_SHARE = 0.25

#: Confirmations outweigh dismissals by no more than this.
LARGEST_BALANCE = 8.0


@dataclass(frozen=True)
class Threshold:
    """A rule, and in ``basis`` why, in words; ``missed`` counts attack logins a week. See ``reporting.threshold``."""

    rule: AlertRule
    decided_by: str
    basis: str
    reviews_used: int = 0
    expected_precision: float | None = None
    expected_alerts_per_day: float | None = None
    spread: Mapping[str, float] = field(default_factory=dict)
    precision_low: float | None = None
    precision_high: float | None = None
    missed: float | None = None
    missed_low: float | None = None
    missed_high: float | None = None
    returns_to: int | None = None
    held_until: datetime | None = None


@dataclass(frozen=True)
class Wishes:
    """What an installation asks for: alerts a day, of which ``audit`` are drawn from below, and their precision."""

    alerts: float
    precision: float
    audit: float

    @property
    def audited(self) -> float:
        """Audited logins a day: never more than a fifth of the budget."""
        return min(self.audit, missed.LARGEST_SHARE * self.alerts)


class Expected(NamedTuple):
    """What was expected of the threshold in force: precision, and alerts a day without the audited ones."""

    precision: float | None
    per_day: float | None


def first_threshold(logins_per_day: float, alerts_per_day: float, held: AlertRule | None = None) -> Threshold:
    """The threshold of a new model, before anything was scored: the share of ordinary logins that fits the budget.

    What reviewers taught the rule ``held`` so far stays.
    """
    share = alerts_per_day / max(logins_per_day, 1e-9)
    value = max(LOWEST, -float(np.log10(share)))
    return Threshold(
        AlertRule(value) if held is None else replace(held, value=value),
        decided_by="train",
        basis=(
            f"alert budget: {alerts_per_day:g} alerts a day of {logins_per_day:,.0f} logins a day, "
            f"by the model's calibration"
        ),
        expected_alerts_per_day=logins_per_day * 10**-value,
    )


def decide(
    recent: Recent,
    judged: Judgements,
    tail: Tail,
    held: AlertRule,
    before: AlertRule,
    expected: Expected,
    wishes: Wishes,
    now: datetime,
) -> Threshold:
    """The next threshold after the one ``held``, of which so much was ``expected``; ``before`` is of a day ago."""
    moment = now.timestamp()
    rule = replace(held, weights=_weights(judged, tail, held, before, expected.precision))
    curve = precision.fit(judged, judged.margins(tail, replace(rule, offsets={})), moment)
    rule = replace(rule, offsets=_offsets(judged, curve, held, before))
    margin, given = recent.margins(tail, rule), recent.given(tail, rule)
    room = wishes.alerts - wishes.audited
    standing = budget.Held(held.value, room if expected.per_day is None else expected.per_day)
    lowest = budget.lowest_within(recent, given, room, standing)
    level = precision.lately(judged, moment)
    value, why = _aimed(recent, (margin, given), curve, level[0], lowest, standing, wishes)
    value = min(value, max(lowest, before.value + LARGEST_RISE))
    estimated = missed.estimate(judged, recent, margin, value, missed.wrong_share(judged)) or (None, None, None)
    moved = _relative(recent, margin, curve, value, held.value) if judged.latest.any() else None
    hoped = [float(np.clip(bound * moved, 0, 1)) for bound in level] if moved is not None else [None] * 3
    return Threshold(
        replace(rule, value=value, audit=missed.plan(recent, margin, value, wishes.audited)),
        decided_by="calibrate",
        basis=f"alert budget: {wishes.alerts:g} alerts a day over the last {recent.days:.1f} days; {why}",
        reviews_used=int(judged.latest.sum()),
        expected_precision=hoped[0],
        precision_low=hoped[1],
        precision_high=hoped[2],
        expected_alerts_per_day=budget.per_day(recent, given, value, standing, room) + wishes.audited,
        spread=spread(judged),
        missed=estimated[0],
        missed_low=estimated[1],
        missed_high=estimated[2],
    )


def spread(judged: Judgements) -> dict[str, float]:
    """The verdicts in numbers: how many of which kind, of how many reviewers, and how far they agree."""
    stands = judged.take(judged.latest)
    reviewers = np.unique(judged.reviewer.astype(str), return_counts=True)[1]
    return {
        "confirmed": int(stands.confirmed.sum()),
        "dismissed": int((~stands.confirmed).sum()),
        "audited": int((~stands.alerted).sum()),
        "contradicted": int(stands.contradicted.sum()),
        "reviewers": len(reviewers),
        "largest_share": round(float(reviewers.max() / reviewers.sum()), 3) if len(reviewers) else 0.0,
    }


def oddness_at(tail: Tail, value: float) -> float:
    """The raw oddness that scores ``value``."""
    low, high = float(tail.x[0]), max(float(tail.x[-1]), 1.0)
    while tail(np.array(high)) < value * np.log(10):
        high *= 2
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if tail(np.array(middle)) < value * np.log(10) else (low, middle)
    return max(high, 1e-6)


def balance(precision: float) -> float:
    """How much more a confirmation counts than a dismissal where so large a share of alerts is expected to be right."""
    chance = np.clip(precision, 1e-3, 1 - 1e-3)
    return float(np.clip((1 - chance) / chance, 1.0, LARGEST_BALANCE))


def _weights(
    judged: Judgements, tail: Tail, held: AlertRule, before: AlertRule, expected: float | None
) -> Mapping[str, float]:
    if not judged.current.any():
        return held.weights
    balanced = balance(0.5 if expected is None else expected)
    return weights.learn(judged, oddness_at(tail, held.value), balanced, before.weights, held.weights)


def _offsets(
    judged: Judgements, curve: precision.Curve | None, held: AlertRule, before: AlertRule
) -> Mapping[str, float]:
    if curve is None:
        return held.offsets
    offsets = dict(held.offsets)
    for name in SEGMENTS[1:]:
        if (judged.segment[judged.latest] == name).sum() >= LEAST_VERDICTS:
            was = before.offsets.get(name, 0.0)
            offsets[name] = round(float(np.clip(curve.offsets[name], was - LARGEST_SHIFT, was + LARGEST_SHIFT)), 4)
    return offsets


def _aimed(
    recent: Recent,
    margins: tuple[Floats, Floats],
    curve: precision.Curve | None,
    level: float,
    lowest: float,
    held: budget.Held,
    wishes: Wishes,
) -> tuple[float, str]:
    """The lowest threshold that meets the target precision within reach, and why it is this one.

    Of the ``margins`` those by today's weights say how precise alerts would be, those as given how many there would be.
    """
    if curve is None:
        return lowest, "too few verdicts of either kind to aim at a precision, so the budget decides"
    (margin, given), value = margins, lowest
    while budget.per_day(recent, given, value, held, wishes.alerts) >= LEAST_SHARE * wishes.alerts:
        reached = level * _relative(recent, margin, curve, value, held.value)
        if reached >= wishes.precision:
            if value == lowest:
                return lowest, "the target precision is met within it"
            return value, f"raised for the target precision of {wishes.precision:.0%}"
        value += 0.05
    return (
        lowest,
        f"no threshold within reach meets the target precision of {wishes.precision:.0%}, so the budget decides",
    )


def _relative(recent: Recent, margin: Floats, curve: precision.Curve | None, value: float, held: float) -> float:
    """How much more precise alerts would be at ``value`` than at the threshold ``held``, by the curve."""
    if curve is None:
        return 1.0
    found, was = (budget.peaks(recent, margin, at) for at in (value, held))
    if not len(found) or not len(was):
        return 1.0
    return float(curve(margin[found]).mean() / max(curve(margin[was]).mean(), 1e-6))
