"""How likely an alert is to be confirmed, by its score and the kind of its account.

A logistic regression on score and segment. Each verdict is weighted by the inverse of its chance to have come into
review, and the older it is the less it counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression

from monitor.calibration.evidence import DAY_S, Judgements
from monitor.columns import Floats
from monitor.rule import SEGMENTS

#: A verdict counts half after this many days: attacks come and go, and the queue gets better.
HALF_LIFE_DAYS = 7.0

#: An audited login stands for many. No verdict outweighs more than so many others all the same: reviewers err, too.
LARGEST_WEIGHT = 20.0

#: Verdicts of either kind that it takes to say how precision depends on the score.
LEAST_EACH = 5

#: Strength of the pull towards one flat curve for all segments, in verdicts.
PULL = 2.0

#: A segment's threshold lies at most so far from that of the others.
LARGEST_OFFSET = 0.75

#: Confirmed and dismissed alerts that are believed in before the first verdict.
PRIOR = (1.0, 1.0)


@dataclass(frozen=True)
class Curve:
    """P(confirmed | score, segment) = logistic(``level`` + ``slope`` · (score − offset of the segment))."""

    level: float
    slope: float
    offsets: Mapping[str, float]

    def __call__(self, margin: Floats) -> Floats:
        """The chance to be confirmed of what scores ``margin`` above its segment's offset."""
        chance: Floats = 1 / (1 + np.exp(-np.clip(self.level + self.slope * margin, -30, 30)))
        return chance


def fit(judged: Judgements, score: Floats, now: float) -> Curve | None:
    """The curve through the verdicts by which alerts stand; None while there are too few, or it does not rise.

    ``score`` [n] is what each would score today, without any offset.
    """
    stands = judged.latest
    if min(judged.confirmed[stands].sum(), (~judged.confirmed)[stands].sum()) < LEAST_EACH:
        return None
    kinds = np.stack([judged.segment == name for name in SEGMENTS[1:]], axis=1).astype(float)
    model = LogisticRegression(C=1 / PULL, max_iter=1_000)
    weights = weight(judged, now)[stands] * np.minimum(1 / judged.chance[stands], LARGEST_WEIGHT)
    model.fit(np.column_stack([score, kinds])[stands], judged.confirmed[stands], sample_weight=weights)
    slope = float(model.coef_[0, 0])
    if slope <= 0:
        return None
    offsets = np.clip(-model.coef_[0, 1:] / slope, -LARGEST_OFFSET, LARGEST_OFFSET)
    return Curve(
        float(model.intercept_[0]), slope, {name: float(o) for name, o in zip(SEGMENTS[1:], offsets, strict=True)}
    )


def weight(judged: Judgements, now: float) -> Floats:
    """How much each verdict counts [n]: the latest most, and a campaign as one."""
    counted: Floats = 0.5 ** (np.maximum(now - judged.time, 0.0) / DAY_S / HALF_LIFE_DAYS) * judged.share
    return counted


def lately(judged: Judgements, now: float) -> tuple[float, float, float]:
    """Precision of the alerts judged lately, with its 95 % interval (Jeffreys', shifted by ``PRIOR``)."""
    counts = weight(judged, now) * (judged.alerted & judged.latest)
    a, b = (float(counts[judged.confirmed == said].sum()) + PRIOR[not said] for said in (True, False))
    return a / (a + b), float(beta.ppf(0.025, a, b)), float(beta.ppf(0.975, a, b))
