"""What the whole population does: the values new to accounts, and the traffic of addresses and networks.

Two kinds of evidence need more than one account. *Touches*: whenever an account meets a value for the first time,
the value's weight grows; the share of a value among all touches is what an account backs off to. *Traffic*: how many
attempts, failures and new accounts one address or network carried lately, each fading over ``lifetime``.
Touches count successful logins only, so that guessing passwords makes no network popular.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from monitor.baselines import DAY_S
from monitor.columns import UNKNOWN, Flags, Floats, Ints, Logins, Objects, Values, before, first_of_runs, leaky_sum
from monitor.past import Known, Past

#: Pseudo-counts of an unseen value; half a touch, as in the Krichevsky–Trofimov estimator.
UNSEEN = 0.5

#: How long traffic is remembered (s): password guessing from one address, and slow spraying from one network.
LIFETIMES = {"address": 3600.0, "network": DAY_S}

TRAFFIC = ("attempts", "failures", "accounts")


@dataclass(frozen=True)
class Weights:
    """Stored weights by value, as of ``updated`` (s), in columns."""

    value: Objects
    weight: Floats
    updated: Floats

    @classmethod
    def none(cls) -> "Weights":
        return cls(np.zeros(0, object), np.zeros(0), np.zeros(0))

    def at(self, names: Objects, time: float, half_life_days: float) -> Floats:
        """Weight of each name decayed to ``time``; 0 for one never stored."""
        position = pd.Index(self.value).get_indexer(pd.Index(names))
        faded = self.weight * np.exp2(-(time - self.updated) / (half_life_days * DAY_S))
        return np.where(position >= 0, np.append(faded, 0.0)[position], 0.0)


@dataclass(frozen=True)
class Traffic:
    """Fading sums of an address or network as of ``updated`` (s): ``sums`` [k, len(TRAFFIC)]."""

    value: Objects
    sums: Floats
    updated: Floats

    @classmethod
    def none(cls) -> "Traffic":
        return cls(np.zeros(0, object), np.zeros((0, len(TRAFFIC))), np.zeros(0))


@dataclass(frozen=True)
class Population:
    """The stored population: ``touches`` by feature (``TOTALS`` holds the sums), ``traffic`` by kind."""

    touches: dict[str, Weights]
    traffic: dict[str, Traffic]

    @classmethod
    def empty(cls) -> "Population":
        return cls({}, {})


#: The feature name under which totals and rates are stored beside the touches.
TOTALS = "(totals)"


def network_of(logins: Logins) -> Values:
    """The network a login came through: its autonomous system or, where that is unknown, its address prefix."""
    asn, prefix = logins.values["asn"], logins.values["network"]
    by_prefix = np.where(prefix.codes == UNKNOWN, UNKNOWN, prefix.codes + len(asn.names))
    return Values(np.where(asn.codes == UNKNOWN, by_prefix, asn.codes), network_names(logins))


def network_names(logins: Logins) -> Objects:
    """The names behind ``network_of``: "AS64500", "192.0.2.0/24"."""
    asn, prefix = logins.values["asn"], logins.values["network"]
    return np.concatenate([np.array([f"AS{name}" for name in asn.names], object), prefix.names])


@dataclass
class Crowd:
    """Answers what the population did before each login of a batch, and gathers what the batch adds."""

    logins: Logins
    past: Past
    stored: Population
    touches: dict[str, Weights] = field(default_factory=dict)
    traffic: dict[str, Traffic] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_time: Ints = np.argsort(self.logins.time, kind="stable")
        self._start = float(self.logins.time.min()) if len(self.logins) else 0.0
        self._end = float(self.logins.time.max()) if len(self.logins) else 0.0
        self.growth: Floats = self._growth(self.logins.time)
        self._totals: dict[str, float] = {}
        self._totals_before: dict[str, Floats] = {}
        self._touched: dict[str, Floats] = {}
        self._sums: dict[str, Floats] = {}

    def of(self, rows: Flags, logins: Logins, past: Past) -> "Crowd":
        """The same answers for some of the logins, as they were found with all of them."""
        part = Crowd(logins, past, self.stored)
        part._totals_before = {name: column[rows] for name, column in self._totals_before.items()}
        part._touched = {name: column[rows] for name, column in self._touched.items()}
        part._sums = {name: column[rows] for name, column in self._sums.items()}
        return part

    def touching(self, values: Values, known: Known) -> Flags:
        """Which logins are the first of their account with their value, and may count as touches [n]."""
        first: Flags = self.logins.success & self.logins.learnable & ~known.touched & (values.codes != UNKNOWN)
        return first

    def touches_before(self, feature: str, values: Values, known: Known) -> Floats:
        """Decayed number of accounts that met each login's value before it [n]; garbage where it is unknown."""
        if feature in self._touched:
            return self._touched[feature]
        counted = self.touching(values, known)
        held = self.stored.touches.get(feature, Weights.none()).at(values.names, self._start, self.past.half_life_days)
        order = self.by_time[np.argsort(values.codes[self.by_time], kind="stable")]
        amounts = np.where(counted, self.growth, 0.0)
        earlier = np.empty(len(order))
        earlier[order] = before(amounts[order], first_of_runs(values.codes[order]))
        added = np.bincount(values.codes[counted], self.growth[counted], minlength=len(held))
        changed = np.flatnonzero(added)
        self.touches[feature] = Weights(
            values.names[changed],
            (held + added)[changed] / self._growth(self._end),
            np.full(len(changed), self._end),
        )
        self._running(feature, amounts)
        # UNKNOWN is -1, the appended last weight
        self._touched[feature] = (np.append(held, 0.0)[values.codes] + earlier) / self.growth
        return self._touched[feature]

    def share(self, feature: str, values: Values, known: Known) -> Floats:
        """Share of each login's value among the population's touches before it [n]."""
        touches = self.touches_before(feature, values, known)
        return (touches + UNSEEN) / (self._totals_before[feature] + 2 * UNSEEN)

    def mean(self, name: str, amounts: Floats | Flags, among: Flags, prior: float, strength: float) -> Floats:
        """Decayed mean of ``amounts`` ``among`` the population's logins before each [n], shrunk to ``prior``."""
        hit = self._running(f"{name}:hits", np.where(among, amounts * self.growth, 0.0))
        every = self._running(f"{name}:all", np.where(among, self.growth, 0.0))
        return (hit + prior * strength) / (every + strength)

    def _running(self, name: str, amounts: Floats) -> Floats:
        """Stored total plus what came earlier in time [n], as of each login; the total is stored again."""
        if name in self._totals_before:
            return self._totals_before[name]
        stored = self.stored.touches.get(TOTALS, Weights.none())
        held = stored.at(np.array([name], object), self._start, self.past.half_life_days)[0]
        total = np.cumsum(np.append(0.0, amounts[self.by_time]))
        earlier = np.empty(len(amounts))
        earlier[self.by_time] = total[:-1]
        self._totals[name] = float((held + total[-1]) / self._growth(self._end))
        self._totals_before[name] = (held + earlier) / self.growth
        return self._totals_before[name]

    def _growth(self, time: Any) -> Any:
        return np.exp2((time - self._start) / (self.past.half_life_days * DAY_S))

    def lately(self, kind: str, values: Values, seen: Floats) -> Floats:
        """Fading attempts, failures and new accounts of each login's address or network [n, 3], this login included.

        ``seen`` [n] is when the account itself was last there (s, -inf for never): accounts count when they are new.
        """
        if kind in self._sums:
            return self._sums[kind]
        sums = self._sums[kind] = np.full((len(self.logins), len(TRAFFIC)), np.nan)
        known = values.codes[self.by_time] != UNKNOWN
        order = self.by_time[known][np.argsort(values.codes[self.by_time][known], kind="stable")]
        if not len(order):
            return sums
        codes, time = values.codes[order], self.logins.time[order]
        starts = first_of_runs(codes)
        held, age = self._faded(kind, values, codes, time)
        new = ~np.isfinite(seen[order])
        for column, amounts in enumerate((np.ones(len(order)), ~self.logins.success[order], new)):
            leaking = leaky_sum(amounts.astype(float), time, starts, LIFETIMES[kind])
            sums[order, column] = leaking + held[:, column] * age
        last = np.append(np.flatnonzero(starts)[1:], len(order)) - 1
        self.traffic[kind] = Traffic(values.names[codes[last]], sums[order[last]], time[last])
        return sums

    def _faded(self, kind: str, values: Values, codes: Ints, time: Floats) -> tuple[Floats, Floats]:
        stored = self.stored.traffic.get(kind, Traffic.none())
        position = pd.Index(stored.value).get_indexer(pd.Index(values.names))[codes]
        padded = np.vstack([stored.sums, np.zeros(len(TRAFFIC))])
        updated = np.append(stored.updated, -np.inf)
        return padded[position], np.exp(-np.maximum(time - updated[position], 0.0) / LIFETIMES[kind])

    def after(self) -> Population:
        """The rows of the population that the batch changed."""
        totals = Weights(
            np.array(list(self._totals), object),
            np.array(list(self._totals.values())),
            np.full(len(self._totals), self._end),
        )
        return Population({**self.touches, TOTALS: totals}, self.traffic)
