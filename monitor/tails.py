"""The tail of a distribution of ordinary values: how large a share of them is at least this high?

One idea serves twice: it turns each feature's evidence into comparable nats, and the raw oddness of a login into its
calibrated score. Shares are empirical as far as the ordinary values reach; beyond, a generalized Pareto tail
(Pickands 1975; used for thresholds in SPOT, Siffer et al., KDD 2017) extrapolates them, so nothing saturates.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from monitor.columns import Floats

#: Knots kept of an empirical tail: enough that interpolation errs by less than one per cent of a nat.
KNOTS = 512

#: The Pareto tail is fitted to this share of the values and joins the empirical part where ``LEAST`` values remain.
PARETO_SHARE, LEAST = 0.02, 10

#: Beyond the highest ordinary value by this much (nats), a value is odder than any: half a login is reckoned up there.
LEAST_STEP = 1e-3

#: A shape above one half has no variance; below zero the tail would end, and a score would saturate.
LARGEST_SHAPE = 0.5


@dataclass(frozen=True)
class Tail:
    """−ln P(ordinary value ≥ x) as a function of x: interpolated at ``x`` / ``nats`` [k], extrapolated beyond."""

    x: Floats
    nats: Floats
    scale: float
    shape: float

    @classmethod
    def fit(cls, values: Floats, least_scale: float = 1.0) -> "Tail":
        """Fit to finite ordinary values [n]; with none, every value is at nought nats.

        Beyond what ordinary values reach, ``least_scale`` of the value counts for one nat at most: the default says
        that values are nats themselves, or close to it, and that no extrapolation makes more of them.
        """
        values = np.sort(values[np.isfinite(values)])
        if not len(values):
            return cls(np.zeros(1), np.zeros(1), np.inf, 0.0)
        distinct, first = np.unique(values, return_index=True)
        nats = -np.log((len(values) - first) / len(values))
        # As far as LEAST values remain, and one value more: where all but a few are nought, the few are what is rare.
        reached = max(int(np.searchsorted(nats, np.log(len(values) / LEAST) + 1e-9, side="right")), 1) + 1
        if reached > len(distinct):
            distinct = np.append(distinct, distinct[-1] + LEAST_STEP)
            nats = np.append(nats, np.log(2 * len(values)))
        distinct, nats = distinct[:reached], nats[:reached]
        kept = np.unique(np.append(np.searchsorted(nats, np.linspace(0.0, nats[-1], KNOTS)), reached - 1))
        join = distinct[-1]
        scale, shape = _pareto(values, join) if (values > join).any() else (max(float(np.ptp(values)), 1.0), 0.0)
        scale = max(scale, least_scale)
        return cls(distinct[kept], nats[kept], scale, shape)

    def __call__(self, values: Floats) -> Floats:
        """Nats of each value, any shape; NaN stays NaN."""
        inside = np.interp(values, self.x, self.nats)
        excess = np.maximum(np.nan_to_num(values) - self.x[-1], 0.0) / self.scale
        beyond = np.log1p(self.shape * excess) / self.shape if self.shape > 1e-9 else excess
        nats: Floats = np.where(np.isnan(values), np.nan, inside + beyond)
        return nats

    def dump(self, name: str) -> dict[str, np.ndarray]:
        """The tail as tensors under ``name``, for safetensors."""
        return {f"{name}.x": self.x, f"{name}.nats": self.nats, f"{name}.pareto": np.array([self.scale, self.shape])}

    @classmethod
    def load(cls, name: str, tensors: Mapping[str, np.ndarray]) -> "Tail":
        scale, shape = (float(number) for number in tensors[f"{name}.pareto"])
        return cls(tensors[f"{name}.x"], tensors[f"{name}.nats"], scale, shape)


def _pareto(values: Floats, join: float) -> tuple[float, float]:
    """Scale and shape beyond ``join`` by probability-weighted moments (Hosking & Wallis 1987)."""
    threshold = min(float(np.quantile(values, 1 - PARETO_SHARE)), join)
    excess = values[values > threshold] - threshold
    rank = (np.arange(len(excess)) + 0.35) / len(excess)
    mean, weighted = float(excess.mean()), float(((1 - rank) * excess).mean())
    shape = float(np.clip(2 - mean / max(mean - 2 * weighted, 1e-12), 0.0, LARGEST_SHAPE))
    scale = max(mean * (1 - shape), 1e-6)
    return scale + shape * (join - threshold), shape
