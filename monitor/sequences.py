"""Each account's recent activity as windows: the latest logins, the one to score last.

Windows are never copied out as a whole: rows of all accounts lie in one array (what was stored, then the batch), and
a window is a range of its rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.baselines import Window
from monitor.columns import LENGTH, Ints, Logins

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Windows:
    """``n`` windows over ``rows`` float32 [m, features]; ``last`` [n] is the row of each window's latest login.

    A window covers the ``LENGTH`` rows up to and including ``last``; rows of NaN alone are padding.
    """

    rows: Rows
    last: Ints

    def __len__(self) -> int:
        return len(self.last)

    def take(self, which: Ints) -> "Windows":
        return Windows(self.rows, self.last[which])

    def gather(self) -> Rows:
        """The windows themselves, float32 [n, LENGTH, features]."""
        gathered: Rows = self.rows[self.last[:, None] + np.arange(1 - LENGTH, 1)]
        return gathered


def windows(logins: Logins, strength: Rows, stored: Window) -> Windows:
    """Windows of the ``n`` logins of a batch, reaching back into the ``stored`` windows [a, LENGTH, features]."""
    accounts, _, features = stored.shape
    rows = np.empty((accounts * LENGTH + len(strength), features), np.float32)
    last = np.arange(len(strength)) + (logins.account + 1) * LENGTH
    rows[last] = strength
    heads = logins.starts + np.arange(accounts) * LENGTH
    rows[(heads[:, None] + np.arange(LENGTH)).ravel()] = stored.reshape(-1, features)
    return Windows(rows, last)


def latest(logins: Logins, made: Windows) -> Window:
    """The window of each account after the batch [a, LENGTH, features], to be stored."""
    ends = np.append(logins.starts[1:], len(logins)) - 1
    return made.take(ends).gather()
