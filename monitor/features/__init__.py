"""How unusual is each login, feature by feature: evidence in nats, zero and up, unknown where the source is silent.

Each module measures one kind of evidence against what the account's baseline was *before* the login. To add a
feature, write a module with a function ``(Context) -> Evidence`` and name it in ``REGISTRY``; training learns from
ordinary history what the new evidence is worth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from monitor.baselines import Baselines, Past
from monitor.columns import CATEGORICAL, Flags, Floats, Logins
from monitor.features import cadence, clock, crowd, failures, latency, movement, novelty
from monitor.features.evidence import Context, Evidence
from monitor.population import Crowd, Population

__all__ = ["NAMES", "REGISTRY", "Context", "Evidence", "Measured", "measure"]

#: Every feature, in the order of all stored vectors.
REGISTRY: dict[str, Callable[[Context], Evidence]] = {
    **{name: partial(novelty.measure, name) for name in CATEGORICAL},
    "hour": clock.hour,
    "weekday": clock.weekday,
    "travel": movement.travel,
    "distance": movement.distance,
    "gap": cadence.gap,
    "burst": cadence.burst,
    "failure": failures.failure,
    "failure_burst": failures.burst,
    "address_accounts": crowd.address_accounts,
    "address_failures": crowd.address_failures,
    "network_failures": crowd.network_failures,
    "rtt": latency.rtt,
}

NAMES: tuple[str, ...] = tuple(REGISTRY)


@dataclass(frozen=True)
class Measured:
    """Evidence of ``n`` logins and all that follows from learning them.

    ``strength`` is float32 [n, len(NAMES)], NaN where unknown; ``history`` [n] the decayed number of logins the
    account's baseline held before.
    """

    strength: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"
    history: Floats
    evidence: dict[str, Evidence]
    past: Past
    crowd: Crowd


def measure(
    logins: Logins, stored: Baselines, population: Population, ordinary: Flags, half_life_days: float
) -> Measured:
    """Measure every feature of a batch; ``ordinary`` [n] marks the logins that may enter the baselines."""
    past = Past(logins, stored, ordinary & logins.learnable, half_life_days)
    context = Context(logins, past, Crowd(logins, past, population))
    evidence = {name: feature(context) for name, feature in REGISTRY.items()}
    strength = np.stack([evidence[name].strength for name in NAMES], axis=1).astype(np.float32)
    return Measured(strength, context.history, evidence, past, context.crowd)
