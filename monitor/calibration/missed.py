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

DRAWS, SEED, DAYS = 20_000, 20_170_330, 7.0


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

    In each stratum the share of attacks has a Beta distribution (Jeffreys); shares do not grow with the depth, since a
    higher score is odder; ``wrong`` answers are taken off (Rogan & Gladen 1978). The interval is that of the sum.
    """
    audited = judged.take(~judged.alerted & judged.latest)
    if not len(audited):
        return None
    stratum = np.searchsorted([depth for depth, _ in STRATA[1:]], -audited.margin)
    logins = _counts(recent, margin, value) * DAYS / recent.days
    rng = np.random.default_rng(SEED)
    shares, best = [], 0.0
    for number in range(len(STRATA)):
        own = stratum == number
        attacks, others = int((own & audited.confirmed & ~audited.found).sum()), int(own.sum())
        shares.append(rng.beta(attacks + 0.5, others - attacks + 0.5, DRAWS))
        best += logins[number] * _corrected(np.array([attacks / max(others, 1)]), wrong)[0]
    ordered = np.all(np.diff(shares, axis=0) <= 0, axis=0)
    total = logins @ _corrected(np.array(shares)[:, ordered if ordered.sum() >= 200 else slice(None)], wrong)
    low, high = (float(bound) for bound in np.quantile(total, [0.025, 0.975]))
    return float(np.clip(best, low, high)), low, high


def _counts(recent: Recent, margin: Floats, value: float) -> Floats:
    """Logins of each stratum within the recent span; what is not listed there lies deepest."""
    depth = value - margin
    edges = [*(depth_ for depth_, _ in STRATA), np.inf]
    counts = np.array([((depth > low) & (depth <= high)).sum() for low, high in pairwise(edges)])
    counts[-1] += sum(recent.totals) - len(recent)
    return counts.astype(float)


def _corrected(share: Floats, wrong: float) -> Floats:
    corrected: Floats = np.clip((share - wrong) / (1 - 2 * wrong), 0.0, 1.0)
    return corrected
