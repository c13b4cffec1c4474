"""What was usual for an account just before each of its logins in a batch, and what the batch adds.

Counts are kept by *forward decay* (Cormode, Shkapenyuk, Srivastava & Xu, ICDE 2009): every login counts
``2 ** (time / half_life)`` from a landmark on, so that decayed counts before each login are plain cumulative sums, and
division by the same factor gives their value at any time.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from monitor.baselines import DAY_S, Baselines, Entries, Window
from monitor.columns import UNKNOWN, Flags, Floats, Ints, Logins, Objects, Values, before, first_of_runs, latest_before

#: Most values remembered for an account and feature: a carrier that hops, or an attacker, must not grow it for ever.
MOST_VALUES = 64


@dataclass(frozen=True)
class Known:
    """What the account knew of a login's value beforehand, all [n]; NaN where the value is unknown.

    ``count`` is the decayed count of this value, ``total`` of all values. Learned or not: ``seen`` is when the account
    last came with the value (s), ``met`` whether it ever came with any.
    """

    count: Floats
    total: Floats
    seen: Floats
    met: Flags

    @property
    def touched(self) -> Flags:
        return np.isfinite(self.seen)


@dataclass
class Past:
    """Answers what was known before each login of a batch, and gathers what the batch adds.

    ``learned`` [n] marks the logins that enter the baseline: ordinary, and successful.
    """

    logins: Logins
    stored: Baselines
    ordinary: Flags
    half_life_days: float
    sums: dict[str, Floats] = field(default_factory=dict)  # every decayed sum that was asked for, [n] by slot
    _entries: dict[str, Entries] = field(default_factory=dict)
    _statistics: dict[str, Floats] = field(default_factory=dict)
    _latest: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.learned: Flags = self.ordinary & self.logins.success
        self.first: Flags = self.logins.first
        self._landmark = float(self.logins.time[0]) if len(self.logins) else 0.0
        self.growth = self._growth(self.logins.time)
        known = np.isfinite(self.stored.updated)
        self._stored_growth = np.where(known, self._growth(np.where(known, self.stored.updated, 0.0)), 0.0)
        last_rows = np.append(self.logins.starts[1:], len(self.logins)) - 1
        last_time = self.logins.time[last_rows] if len(self.logins) else np.zeros(0)
        self.updated: Floats = np.fmax(self.stored.updated, last_time)

    def _growth(self, time: Floats) -> Floats:
        return np.exp2((time - self._landmark) / (self.half_life_days * DAY_S))

    def sum(self, slot: str, amounts: Floats, where: Flags | None = None) -> Floats:
        """Decayed sum of a statistic before each login [n]; adds this batch's ``amounts`` where learned."""
        learned = self.learned if where is None else where
        added = np.where(learned, amounts, 0.0) * self.growth
        held = self.stored.statistics.get(slot, np.zeros(len(self._stored_growth))) * self._stored_growth
        totals = np.bincount(self.logins.account, added, minlength=len(held))
        self._statistics[slot] = (held + totals) / self._growth(self.updated)
        self.sums[slot] = (held[self.logins.account] + before(added, self.first)) / self.growth
        return self.sums[slot]

    def known(self, feature: str, values: Values) -> Known:
        """Decayed counts of each login's value before it; the batch's values become entries of the feature."""
        rows = np.flatnonzero(values.codes != UNKNOWN)
        held = self.stored.entries[feature]
        code, names = pd.factorize(np.concatenate([held.value, values.names]))
        held_code, login_code = code[: len(held.value)], code[len(held.value) :][values.codes[rows]]
        account = self.logins.account[rows]
        pair = np.concatenate([held.account, account]) * len(names) + np.concatenate([held_code, login_code])
        group, pairs = pd.factorize(pair)
        held_group, login_group = group[: len(held.value)], group[len(held.value) :]

        weight, seen = np.zeros(len(pairs)), np.full(len(pairs), -np.inf)
        weight[held_group] = held.weight * self._stored_growth[held.account]
        seen[held_group] = held.seen
        amounts = np.where(self.learned, self.growth, 0.0)[rows]
        order = np.argsort(login_group, kind="stable")
        starts = first_of_runs(login_group[order])
        earlier = np.empty(len(rows))
        earlier[order] = before(amounts[order], starts)
        time = self.logins.time[rows]
        previous = np.empty(len(rows))
        previous[order] = np.where(starts, seen[login_group[order]], np.roll(time[order], 1))

        count = np.full(len(self.logins), np.nan)
        count[rows] = (weight[login_group] + earlier) / self.growth[rows]
        last_seen = np.full(len(self.logins), -np.inf)
        last_seen[rows] = previous
        total = np.where(values.codes == UNKNOWN, np.nan, self.total(feature, values))

        weight += np.bincount(login_group, amounts, minlength=len(pairs))
        np.maximum.at(seen, login_group, time)
        owner = (pairs // len(names)).astype(np.int64) if len(names) else np.zeros(0, np.int64)
        value = names[pairs % len(names)] if len(names) else np.zeros(0, object)
        entries = Entries(owner, np.asarray(value, object), weight / self._growth(self.updated)[owner], seen)
        self._entries[feature] = _most_used(entries)
        return Known(count, total, last_seen, self._met(held, values))

    def total(self, feature: str, values: Values) -> Floats:
        """Decayed count of the account's values before each login [n], whether the login has one or not."""
        held = self.stored.entries[feature]
        weight = held.weight * self._stored_growth[held.account]
        totals = np.bincount(held.account, weight, minlength=len(self.logins.accounts))
        added = np.where(self.learned & (values.codes != UNKNOWN), self.growth, 0.0)
        return (totals[self.logins.account] + before(added, self.first)) / self.growth

    def _met(self, held: Entries, values: Values) -> Flags:
        """Whether the account came with any value before each login [n]."""
        stored = np.bincount(held.account, minlength=len(self.logins.accounts)) > 0
        return stored[self.logins.account] | (latest_before(values.codes != UNKNOWN, self.first) >= 0)

    def since(self, feature: str, values: Values, where: Flags) -> Floats:
        """When the account first came with each login's value where the flag held, before the login [n]; NaN if never.

        Keeps these times as entries of the feature that weigh nothing.
        """
        held, rows = self.stored.entries[feature], np.flatnonzero(where & (values.codes != UNKNOWN))
        value = np.concatenate([values.names, np.array([None], object)])[values.codes]  # the last is UNKNOWN's
        account, met, seen = (
            np.concatenate([stored, column[rows]])
            for stored, column in (
                (held.account, self.logins.account),
                (held.value, value),
                (held.seen, self.logins.time),
            )
        )
        first = pd.Series(seen).groupby([account, met]).min()
        since = first.reindex([self.logins.account, value]).to_numpy()
        owner, name = (np.asarray(first.index.get_level_values(level)) for level in (0, 1))
        entries = Entries(owner.astype(np.int64), name.astype(object), np.zeros(len(first)), first.to_numpy())
        self._entries[feature] = _most_used(entries)
        return np.where(since < self.logins.time, since, np.nan)

    def histogram(self, feature: str, bins: Ints, names: Objects) -> Floats:
        """Decayed count of every bin of a small circular feature before each login [n, bins]."""
        held = self.stored.entries[feature]
        stored = np.zeros((len(self.logins.accounts), len(names)))
        position = pd.Index(names).get_indexer(pd.Index(held.value))
        stored[held.account, position] = held.weight * self._stored_growth[held.account]
        added = np.zeros((len(self.logins), len(names)))
        added[np.arange(len(self.logins)), bins] = np.where(self.learned, self.growth, 0.0)
        counts = (stored[self.logins.account] + before(added, self.first)) / self.growth[:, None]

        after = np.bincount(
            self.logins.account * len(names) + bins, np.where(self.learned, self.growth, 0.0), stored.size
        ).reshape(stored.shape)
        seen = np.full(stored.shape, -np.inf)
        seen[held.account, position] = held.seen
        np.maximum.at(seen, (self.logins.account, bins), np.where(self.learned, self.logins.time, -np.inf))
        owner, column = np.nonzero((stored + after > 0) & np.isfinite(seen))
        weight = (stored + after)[owner, column] / self._growth(self.updated)[owner]
        self._entries[feature] = Entries(owner, names[column], weight, seen[owner, column])
        return counts

    def last(self, name: str) -> Floats:
        """A fact about the latest login before the batch, for each login's account [n]; NaN where there was none."""
        if name not in self.stored.latest:
            return np.full(len(self.logins), np.nan)
        return self.stored.latest[name][self.logins.account]

    def keep(self, name: str, rows: Ints, column: Floats) -> None:
        """Make ``column`` [n] at ``rows`` [a] the new latest fact of each account.

        Row -1 keeps what is stored, and so does a login that came late: the latest stays the latest.
        """
        held = self.stored.latest.get(name, np.full(len(rows), np.nan))
        if not len(column):
            self._latest[name] = held
            return
        late = self.logins.time[rows] < np.nan_to_num(self.stored.updated, nan=-np.inf)
        self._latest[name] = np.where((rows >= 0) & ~(late & np.isfinite(held)), column[rows], held)

    def after(self, window: Window) -> Baselines:
        """The baselines once the batch is learned."""
        return Baselines(self.updated, dict(self._entries), dict(self._statistics), dict(self._latest), window)


def _most_used(entries: Entries) -> Entries:
    """At most ``MOST_VALUES`` entries of each account: the heaviest, then the latest."""
    if not len(entries.account) or np.bincount(entries.account).max() <= MOST_VALUES:
        return entries
    order = np.lexsort((-entries.seen, -entries.weight, entries.account))
    owner = entries.account[order]
    starts = np.searchsorted(owner, owner)
    kept = order[np.arange(len(order)) - starts < MOST_VALUES]
    return Entries(entries.account[kept], entries.value[kept], entries.weight[kept], entries.seen[kept])
