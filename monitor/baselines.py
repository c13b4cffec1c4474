"""What is usual for one account, as it is stored.

A baseline is a set of decayed counts: how often the account was seen with a value (``entries``), and decayed sums from
which rates and means follow (``statistics``). Counts halve every ``half_life_days``; ``monitor.past`` says what they
were before each login of a batch, and what they become by it. Only ordinary logins are learned; others leave a touch
(an entry of weight 0): seen, but not usual.
"""

from dataclasses import dataclass

import numpy as np

from monitor.columns import CATEGORICAL, Flags, Floats, Ints, Objects

DAY_S = 86_400.0

Window = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

#: What an account's entries describe; the later ones are derived from several columns, from coordinates and from time.
#: A stranger's entry was never learned, and says since when he comes.
BASELINE_FEATURES = (*CATEGORICAL, "client", "place", "hour", "weekday", "stranger")


@dataclass(frozen=True)
class Entries:
    """Values seen for one feature, in columns: ``account`` code, ``value``, decayed ``weight`` and ``seen`` (s)."""

    account: Ints
    value: Objects
    weight: Floats
    seen: Floats

    @classmethod
    def none(cls) -> "Entries":
        return cls(np.zeros(0, np.int64), np.zeros(0, object), np.zeros(0), np.zeros(0))


@dataclass(frozen=True)
class Baselines:
    """The stored state of ``a`` accounts; weights and statistics hold as of ``updated`` [a] (s, NaN for a new account).

    ``statistics`` are decayed sums and ``latest`` facts about the latest login (replaced, not decayed), each [a] by
    name. ``window`` float32 [a, length, features] holds the evidence of the latest logins, the newest last, NaN where
    there was none.
    """

    updated: Floats
    entries: dict[str, Entries]
    statistics: dict[str, Floats]
    latest: dict[str, Floats]
    window: Window

    def of(self, accounts: Flags) -> "Baselines":
        """The baselines of the accounts for which the flag [a] is set, renumbered in order."""
        number = np.cumsum(accounts) - 1
        entries = {}
        for name, column in self.entries.items():
            kept = accounts[column.account]
            entries[name] = Entries(
                number[column.account[kept]], column.value[kept], column.weight[kept], column.seen[kept]
            )
        return Baselines(
            self.updated[accounts],
            entries,
            {name: column[accounts] for name, column in self.statistics.items()},
            {name: column[accounts] for name, column in self.latest.items()},
            self.window[accounts],
        )

    @classmethod
    def joined(cls, parts: "list[tuple[Ints, Baselines]]") -> "Baselines":
        """The baselines of all accounts from parts of them: the numbers [k] of a part's accounts, and their baselines.

        The parts hold each account once, and know the same statistics.
        """
        numbers, held = [number for number, _ in parts], [part for _, part in parts]
        order = np.argsort(np.concatenate(numbers))

        def column(values: list[Floats]) -> Floats:
            return np.concatenate(values)[order]

        entries = {
            name: Entries(
                np.concatenate([number[part.entries[name].account] for number, part in parts]),
                np.concatenate([part.entries[name].value for part in held]),
                np.concatenate([part.entries[name].weight for part in held]),
                np.concatenate([part.entries[name].seen for part in held]),
            )
            for name in held[0].entries
        }
        return cls(
            column([part.updated for part in held]),
            entries,
            {name: column([part.statistics[name] for part in held]) for name in held[0].statistics},
            {name: column([part.latest[name] for part in held]) for name in held[0].latest},
            np.concatenate([part.window for part in held])[order],
        )

    @classmethod
    def empty(cls, accounts: int, window: tuple[int, int]) -> "Baselines":
        return cls(
            updated=np.full(accounts, np.nan),
            entries={name: Entries.none() for name in BASELINE_FEATURES},
            statistics={},
            latest={},
            window=np.full((accounts, *window), np.nan, np.float32),
        )
