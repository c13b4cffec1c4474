"""What lies below the threshold: how the audit sample is drawn, and what it says of missed attacks."""

from itertools import pairwise

import numpy as np

from monitor.calibration.evidence import Judgements, Recent
from monitor.columns import Floats
from monitor.rule import Stratum

#: How far below the threshold each stratum begins, and its share of the sample: most attacks are missed narrowly.
STRATA = ((0.0, 0.5), (0.5, 0.3), (1.0, 0.2))

#: No more of the budget goes into the audit sample than this.
LARGEST_SHARE = 0.2

#: Share of answers that are wrong, and verdicts that this is worth before reviewers contradict each other or do not.
WRONG, TRUST = 0.05, 20.0

#: Shares of attacks that are thought possible, each power of ten as likely as another: how rare they are is not known.
SHARES = np.logspace(-5, 0, 501)

DRAWS, LEAST_DRAWS, SEED, DAYS = 20_000, 200, 20_170_330, 7.0


def plan(recent: Recent, margin: Floats, value: float, a_day: float) -> tuple[Stratum, ...]:
    """The chances at which ``a_day`` logins below the threshold enter the queue."""
    return tuple(
        Stratum(depth, min(1.0, share * a_day / max(count, 1e-9) * recent.days))
        for (depth, share), count in zip(STRATA, _counts(recent, margin, value), strict=True)
        if a_day > 0 and count > 0
    )


def wrong_share(judged: Judgements) -> float:
    """Share of answers that are wrong, by how often two reviewers of one alert disagree."""
    alerts, at = np.unique(judged.alert[judged.current].astype(str), return_inverse=True)
    twice = np.bincount(at, minlength=len(alerts)) > 1
    disagreed = np.bincount(at, judged.contradicted[judged.current], len(alerts)) > 0
    return float((disagreed.sum() / 2 + TRUST * WRONG) / (twice.sum() + TRUST))


def estimate(
    judged: Judgements, recent: Recent, margin: Floats, value: float, wrong: float
) -> tuple[float, float, float] | None:
    """Attack logins a week below the threshold that nobody was shown: estimate and 95 % interval; None unaudited.

    Wrong answers among few make ordinary logins look like attacks, and a stratum has thousands: of each possible share
    it is asked how likely the answers were, ``wrong`` ones among them. Shares do not grow with the depth, since a
    higher score is odder. The interval is that of the sum, the estimate its median.
    """
    audited = judged.take(~judged.alerted & judged.latest)
    if not len(audited):
        return None
    stratum = np.searchsorted([depth for depth, _ in STRATA[1:]], -audited.margin)
    logins = _counts(recent, margin, value) * DAYS / recent.days
    rng = np.random.default_rng(SEED)
    drawn = []
    for number in range(len(STRATA)):
        own = stratum == number
        attacks = int((own & audited.confirmed & ~audited.found).sum())
        drawn.append(rng.choice(SHARES, DRAWS, p=_likely(attacks, int(own.sum()), wrong)))
    shares = np.array(drawn)
    ordered = np.all(np.diff(shares, axis=0) <= 0, axis=0)
    total = logins @ shares[:, ordered if ordered.sum() >= LEAST_DRAWS else slice(None)]
    low, best, high = (float(bound) for bound in np.quantile(total, [0.025, 0.5, 0.975]))
    return best, low, high


def _likely(attacks: int, answers: int, wrong: float) -> Floats:
    """How likely each of the ``SHARES`` is, by so many answers of which so many said attack."""
    said = np.clip(SHARES * (1 - wrong) + (1 - SHARES) * wrong, 1e-12, 1 - 1e-12)
    likely = attacks * np.log(said) + (answers - attacks) * np.log1p(-said)
    weights = np.exp(likely - likely.max())
    normed: Floats = weights / weights.sum()
    return normed


def _counts(recent: Recent, margin: Floats, value: float) -> Floats:
    """Logins of each stratum within the recent span; what is not listed there lies deepest."""
    depth = value - margin
    edges = [*(depth_ for depth_, _ in STRATA), np.inf]
    counts = np.array([((depth > low) & (depth <= high)).sum() for low, high in pairwise(edges)])
    counts[-1] += sum(recent.totals) - len(recent)
    return counts.astype(float)
