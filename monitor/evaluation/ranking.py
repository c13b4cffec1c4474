"""Weighted arithmetic on ranked scores: what ROC AUC, average precision and a false-alarm budget rest on.

Weights let the bootstrap resample accounts and incidents without copying logins: a resample is a weight per login.
Ties are handled honestly: equal scores share one threshold, so all of them are above it or none is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """Scores of ordinary logins and of attacks, sorted once; methods take weights in the order of the input."""

    order: NDArray[np.intp]  # ordinary logins, lowest score first
    ordinary: Floats  # their scores, ascending
    attack: Floats  # scores of attacks, as given
    below: NDArray[np.intp]  # for each attack, how many ordinary scores are smaller …
    upto: NDArray[np.intp]  # … and how many are not greater

    @classmethod
    def of(cls, ordinary: Floats, attack: Floats) -> "Ranking":
        order = np.argsort(ordinary, kind="stable")
        ascending = ordinary[order]
        return cls(
            order,
            ascending,
            attack,
            np.searchsorted(ascending, attack, "left"),
            np.searchsorted(ascending, attack, "right"),
        )

    def cumulative(self, weight: Floats) -> Floats:
        """Weight of the n lowest ordinary logins, for n = 0 … all."""
        return np.concatenate([[0.0], np.cumsum(weight[self.order])])

    def roc_auc(self, cumulative: Floats, weight: Floats) -> float:
        """The chance that an attack scores higher than an ordinary login, ties counting half (Mann and Whitney)."""
        wins = (cumulative[self.below] + cumulative[self.upto]) / 2
        return float((weight * wins).sum() / (weight.sum() * cumulative[-1]))

    def average_precision(self, cumulative: Floats, weight: Floats) -> float:
        """Precision averaged over the recall that each distinct score of an attack adds."""
        order = np.argsort(-self.attack, kind="stable")
        score = self.attack[order]
        last = np.append(score[1:] != score[:-1], True)  # of each group of equal scores
        found = np.cumsum(weight[order])[last]
        alarms = cumulative[-1] - cumulative[self.below[order][last]]
        precision = np.divide(found, found + alarms, out=np.zeros_like(found), where=found > 0)
        return float((np.diff(found, prepend=0.0) * precision).sum() / found[-1])

    def bar(self, cumulative: Floats, budget: float) -> float:
        """A score must be greater than this for at most the share ``budget`` of ordinary logins to reach it.

        It is the highest ordinary score that too many ordinary logins reach; minus infinity where none is.
        """
        fits = cumulative[-1] * (1 - budget * (1 + 1e-12))  # weight below a score that keeps the budget
        too_many = int(np.searchsorted(cumulative, fits, "left"))
        return float(self.ordinary[too_many - 1]) if too_many else -np.inf
