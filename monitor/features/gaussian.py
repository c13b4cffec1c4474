"""Numbers that vary around an account's own mean: how far above it is this one?"""

import numpy as np

from monitor.columns import Floats
from monitor.past import Past

#: Pseudo-logins of the prior mean and deviation.
PRIOR = 3.0

#: Least deviation, in units of the (logarithmic) number.
FLOOR = 0.3

#: Evidence is capped here, in nats: a number a hundred deviations away is not odder than one at ten.
MOST_NATS = 50.0


def one_sided(
    past: Past, name: str, number: Floats, prior_mean: float | None, prior_deviation: float
) -> tuple[Floats, Floats]:
    """Half the squared z-score of ``number`` [n] above the account's decayed mean, in nats, and that mean.

    With no ``prior_mean`` an account without history has no evidence (NaN).
    """
    heard = np.isfinite(number)
    learned, value = past.learned & heard, np.where(heard, number, 0.0)
    count = past.sum(f"{name}:count", np.ones(len(number)), learned)
    total = past.sum(f"{name}:sum", value, learned)
    square = past.sum(f"{name}:square", value**2, learned)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.where(count > 0, total / count, np.nan if prior_mean is None else prior_mean)
        spread = np.maximum(square - total**2 / count, 0.0)
    centre = own if prior_mean is None else (count * own + PRIOR * prior_mean) / (count + PRIOR)
    variance = (np.nan_to_num(spread) + PRIOR * prior_deviation**2) / (count + PRIOR)
    z = (number - centre) / np.maximum(np.sqrt(variance), FLOOR)
    return np.minimum(np.maximum(z, 0.0) ** 2 / 2, MOST_NATS), centre


def deviation(past: Past, name: str) -> Floats:
    """The account's own deviation of a number that ``one_sided`` has measured, before each login [n]; NaN for none."""
    count, total, square = (past.sums[f"{name}:{part}"] for part in ("count", "sum", "square"))
    with np.errstate(invalid="ignore", divide="ignore"):
        spread: Floats = np.sqrt(np.maximum(square / count - (total / count) ** 2, 0.0))
    return spread
