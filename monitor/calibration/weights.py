"""How much each feature's evidence counts, by what reviewers confirmed and dismissed.

A regularised logistic regression of the verdicts on the contributions, with the intercept fixed by the threshold and
every weight within bounds. Let F be its convex objective without a verdict, and g the loss of that verdict: of a
dismissal it grows with the weighted sum w·c of what was dismissed, of a confirmation it falls. From F(w) ≤ F(w′) and
F(w′) + g(c·w′) ≤ F(w) + g(c·w) follows g(c·w′) ≤ g(c·w). So **a dismissal never raises the score of what it dismissed,
and a confirmation never lowers what it confirmed**. It holds because nothing else in F depends on the verdict: how much
a verdict counts is settled by those before it.
"""

from collections.abc import Mapping

import numpy as np
from scipy.optimize import minimize

from monitor.calibration.evidence import Judgements
from monitor.columns import Flags, Floats, Objects
from monitor.sequences import Rows

#: No evidence is ever ignored, and none is worth much more than ordinary history says.
BOUNDS = (0.25, 1.5)

#: How far a weight may move within a day, whatever reviewers said on it.
LARGEST_STEP = 0.15

#: The pull of every weight towards the mean of all, and of that mean towards 1, in verdicts. The latter is the
#: stronger: verdicts say which evidence counts more than other, and how much evidence alerts is for the threshold.
PULL, LEVEL_PULL = 10.0, 100.0

#: A reviewer's verdicts beyond so many count only as far as they stay this share of all.
FREE_VERDICTS, LARGEST_SHARE = 10, 0.34

#: Steepness of the logistic: what is twice as odd as the threshold asks is an attack with odds of e^4.
STEEPNESS = 4.0

#: What is odder than this many thresholds says no more about weights than what is just as odd.
MOST_ODDNESS = 2.0


def influence(reviewer: Objects) -> Floats:
    """How much each verdict [n], the earliest first, counts: 1, or less after many by the same reviewer.

    With others around, a reviewer's verdicts are held to ``LARGEST_SHARE`` of all that was given before.
    """
    given: dict[str, float] = {}
    total, counts = 0.0, np.ones(len(reviewer))
    for i, name in enumerate(reviewer):
        own = given.get(name, 0.0)
        others = total - own
        if others:
            room = max(FREE_VERDICTS, LARGEST_SHARE / (1 - LARGEST_SHARE) * others) - own
            counts[i] = float(np.clip(room, 0.0, 1.0))
        given[name] = own + counts[i]
        total += counts[i]
    return counts


def learn(
    judged: Judgements, oddness: float, balance: float, before: Mapping[str, float], held: Mapping[str, float]
) -> dict[str, float]:
    """The weights by feature, of those that are not 1.

    ``oddness`` is the raw oddness at the threshold: the fixed intercept. A confirmation counts ``balance`` times as
    much as a dismissal, since false alarms are many and attacks few. No weight departs further than ``LARGEST_STEP``
    from what it was a day ``before``. The search begins at those ``held`` now.
    """
    names = judged.features
    low, high = _box(np.array([before.get(name, 1.0) for name in names]))
    evidence = np.maximum(judged.evidence.astype(np.float64), 0.0) / oddness
    counts = influence(judged.reviewer) * np.where(judged.confirmed, balance, 1.0) * judged.current
    counts *= np.minimum(1.0, MOST_ODDNESS / np.maximum(evidence.sum(axis=1), 1e-9))
    start = np.clip([held.get(name, 1.0) for name in names], low, high)
    found = minimize(
        _objective,
        start,
        args=(evidence, judged.confirmed, counts),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low, high, strict=True)),
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1_000},
    ).x
    return {name: round(float(weight), 6) for name, weight in zip(names, found, strict=True) if abs(weight - 1) > 1e-3}


def _box(before: Floats) -> tuple[Floats, Floats]:
    return np.maximum(BOUNDS[0], before - LARGEST_STEP), np.minimum(BOUNDS[1], before + LARGEST_STEP)


def _objective(weights: Floats, evidence: Rows, confirmed: Flags, counts: Floats) -> tuple[float, Floats]:
    margin = STEEPNESS * (evidence @ weights - 1.0)
    wrong = np.where(confirmed, -margin, margin)
    level = weights.mean() - 1.0
    spread = weights - weights.mean()
    pull = PULL * (spread**2).sum() + LEVEL_PULL * len(weights) * level**2
    loss = counts @ np.logaddexp(0.0, wrong) + pull
    slope = counts * 0.5 * (1 + np.tanh(wrong / 2)) * np.where(confirmed, -STEEPNESS, STEEPNESS)
    gradient: Floats = evidence.T @ slope + 2 * PULL * spread + 2 * LEVEL_PULL * level
    return float(loss), gradient
