"""How unusual is each login, feature by feature: evidence in nats, zero and up, unknown where the source is silent.

Each module measures one kind of evidence against what the account's baseline was *before* the login. To add a
feature, write a module with a function ``(Context) -> Evidence`` and name it in ``REGISTRY`` with its theme; training
learns from ordinary history what the new evidence is worth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from monitor.baselines import Baselines
from monitor.columns import FRAME_NUMBERS, FRAME_TEXTS, LENGTH, Flags, Floats, Logins, encode
from monitor.features import cadence, client, clock, crowd, failures, latency, movement, novelty
from monitor.features.evidence import MOST_UNLIKE, MOST_WORTH, Context, Evidence
from monitor.features.habituation import habituated
from monitor.past import Past
from monitor.population import Crowd, Population
from monitor.strangers import without_strangers

__all__ = [
    "NAMES",
    "REGISTRY",
    "Context",
    "Evidence",
    "Feature",
    "Measured",
    "measure",
    "remeasure",
    "summary_names",
    "theme_of",
    "worth_of",
]


class Feature(NamedTuple):
    """A kind of evidence: features of one ``theme`` say much the same, and are weighed together.

    A nat of it is ``worth`` that many nats at most, however rare among ordinary logins.
    """

    theme: str
    measure: Callable[[Context], Evidence]
    worth: float = MOST_WORTH


def _novelty(theme: str, *names: str) -> dict[str, Feature]:
    return {name: Feature(theme, partial(novelty.measure, name), MOST_UNLIKE) for name in names}


#: Every feature, in the order of all stored vectors.
REGISTRY: dict[str, Feature] = {
    **_novelty("place", "country", "region", "city", "asn", "network"),
    **_novelty("device", "device"),
    **_novelty("agent", "browser", "os"),
    **_novelty("auth_method", "auth_method"),
    **_novelty("application", "application"),
    "hour": Feature("time", clock.hour, MOST_UNLIKE),
    "weekday": Feature("time", clock.weekday, MOST_UNLIKE),
    "travel": Feature("place", movement.travel),
    "distance": Feature("place", movement.distance),
    "gap": Feature("time", cadence.gap, MOST_UNLIKE),
    "burst": Feature("time", cadence.burst, MOST_UNLIKE),
    "failure": Feature("failures", failures.failure),
    "failure_burst": Feature("failures", failures.burst),
    "foreign_failures": Feature("crowd", failures.foreign),
    "address_accounts": Feature("crowd", crowd.address_accounts),
    "address_failures": Feature("crowd", crowd.address_failures),
    "network_failures": Feature("crowd", crowd.network_failures),
    "rtt": Feature("rtt", latency.rtt),
}

NAMES: tuple[str, ...] = tuple(REGISTRY)

#: Features that get used to themselves: an odd hour lasts, and is told once. What is new wears off by being seen, and
#: what piles up does so on purpose.
HABITUAL = tuple(NAMES.index(name) for name in ("hour", "weekday", "gap", "failure"))

#: Features that a known client explains together.
CLIENT = tuple(NAMES.index(name) for name in client.PARTS)

#: Less than this (nats) is no evidence: sums that fade never quite end, and rounding must not look like a rarity.
LEAST_NATS = 0.1


def theme_of(name: str) -> str:
    """The theme of a feature; one that this version does not have is a theme of its own."""
    return REGISTRY[name].theme if name in REGISTRY else name


def worth_of(name: str) -> float:
    """Nats that one nat of a feature's evidence is worth at most."""
    return REGISTRY[name].worth if name in REGISTRY else MOST_WORTH


@dataclass(frozen=True)
class Measured:
    """Evidence of ``n`` logins and all that follows from learning them.

    ``strength`` is float32 [n, len(NAMES)], NaN where unknown; ``history`` [n] the decayed number of logins the
    account's baseline held before, and ``regular`` [n] whether they came like clockwork.
    """

    strength: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"
    history: Floats
    regular: Flags
    evidence: dict[str, Evidence]
    past: Past
    crowd: Crowd


def measure(
    logins: Logins, stored: Baselines, population: Population, ordinary: Flags, half_life_days: float
) -> Measured:
    """Measure every feature of a batch; ``ordinary`` [n] marks the logins that may enter the baselines."""
    past = without_strangers(logins, stored, ordinary & logins.learnable, half_life_days)
    return _measured(Context(logins, past, Crowd(logins, past, population)))


def remeasure(before: Measured, accounts: Flags, ordinary: Flags) -> Measured:
    """Measure some accounts of a batch again, with other logins taken for ordinary.

    What the population did stays as it was found: it counts every login that may be learned, alerted or not, so that
    it depends neither on thresholds nor on how events are cut into batches. ``ordinary`` is of the remaining logins.
    """
    logins = before.past.logins.of(accounts)
    stored, may = before.past.stored.of(accounts), ordinary & logins.learnable
    past = without_strangers(logins, stored, may, before.past.half_life_days)
    return _measured(Context(logins, past, before.crowd.of(accounts[before.past.logins.account], logins, past)))


def _measured(context: Context) -> Measured:
    evidence = {name: feature.measure(context) for name, feature in REGISTRY.items()}
    exact = np.stack([evidence[name].strength for name in NAMES], axis=1)
    exact[:, CLIENT] = client.bounded(context, exact[:, CLIENT])
    exact[:, HABITUAL] = habituated(context, exact[:, HABITUAL], [NAMES[i] for i in HABITUAL])
    strength = exact.astype(np.float32)
    strength[strength < LEAST_NATS] = 0.0
    return Measured(strength, context.history, cadence.regular(context), evidence, context.past, context.crowd)


@cache
def summary_names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of every account's statistics and latest facts, as the features of this version keep them."""
    nobody = pd.DataFrame({name: pd.Series([], dtype="str") for name in FRAME_TEXTS})
    nobody["occurred_at"] = pd.Series([], dtype="datetime64[us, UTC]")
    for name in FRAME_NUMBERS:
        nobody[name] = pd.Series([], dtype="float64")
    stored = Baselines.empty(0, (LENGTH, len(NAMES)))
    measured = measure(encode(nobody), stored, Population.empty(), np.zeros(0, bool), half_life_days=1.0)
    after = measured.past.after(stored.window)
    return tuple(sorted(after.statistics)), tuple(sorted(after.latest))
