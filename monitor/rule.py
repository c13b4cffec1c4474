"""What alerts: a threshold on the score, where it stands for each kind of account, and how much evidence counts.

A rule is what calibration decides and scoring obeys. It holds no reasons; ``monitor.calibration.Threshold`` does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from monitor.columns import KEY, Floats, Objects
from monitor.features import Measured

#: With fewer (decayed) logins than this in its baseline an account has thin history, and its alerts say so.
THIN_HISTORY = 12.0

#: Kinds of account, each with its own place of the threshold: accounts with history, newcomers, and machines.
SEGMENTS = ("people", "thin", "service")


@dataclass(frozen=True)
class Stratum:
    """Logins whose score lies at least ``depth`` below the threshold: each is audited with this ``chance``."""

    depth: float
    chance: float


@dataclass(frozen=True)
class AlertRule:
    """Logins alert that score at least ``value`` plus the ``offset`` of their segment.

    ``weights`` say how much the evidence of a feature counts (absent: 1). ``audit`` holds the strata of the audit
    sample, nearest first: logins that do not alert, of which a few are shown to reviewers all the same.
    """

    value: float
    offsets: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    audit: Sequence[Stratum] = ()

    def thresholds(self, segment: Objects) -> Floats:
        """The threshold of each login [n], by its segment."""
        moved = np.array([self.value + self.offsets.get(name, 0.0) for name in SEGMENTS])
        placed: Floats = moved[pd.Index(SEGMENTS).get_indexer(pd.Index(segment))]
        return placed

    def weight(self, features: Sequence[str]) -> Floats:
        """The weight of each feature, in order."""
        return np.array([self.weights.get(name, 1.0) for name in features])

    def chances(self, score: Floats, threshold: Floats) -> Floats:
        """The chance of each login [n] to be audited; nought for what alerts."""
        chance = np.zeros(len(score))
        for stratum in self.audit:
            below = threshold - score
            chance[(below > 0) & (below >= stratum.depth)] = stratum.chance
        return chance


def segments(measured: Measured) -> Objects:
    """The kind of each login's account as of just before it [n]; see ``SEGMENTS``.

    A service account is told by its behaviour: its logins follow each other as regularly as a clock does.
    """
    kinds = np.where(measured.history < THIN_HISTORY, 1, np.where(measured.regular, 2, 0))
    return np.array(SEGMENTS, object)[kinds]


def drawn(events: pd.DataFrame, chances: Floats, key: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    """Which logins [n] the audit sample takes: by a hash under ``key``, so that a repeated pass draws the same.

    ``key`` is kept from those who log in: who could foresee the draw could stay out of it.
    """
    hashed = pd.util.hash_pandas_object(events[list(KEY)], index=False, hash_key=key[-16:].rjust(16, "0"))
    taken: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = hashed.to_numpy() / 2.0**64 < chances
    return taken
