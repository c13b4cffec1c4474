"""Habituation: what was odd a moment ago is less odd when it comes again.

The fiftieth try of a mail client with an old password, or the third login of one long night, tells little that the
first did not, although none of them was learned. So evidence counts for less when the account showed as much of it
lately, in logins learned or not. It never falls below half, and recovers within days.
"""

from collections.abc import Sequence

import numpy as np

from monitor.columns import Floats, leaky_max
from monitor.features.evidence import Context

#: Share of the evidence shown before that is taken off, and how long that is remembered (s).
HABIT, LIFETIME_S = 0.5, 86_400.0


def habituated(context: Context, strength: Floats, names: Sequence[str]) -> Floats:
    """Evidence [n, features] less what the account showed of it before; ``names`` are the features'."""
    past, time = context.past, context.logins.time
    shown = np.nan_to_num(strength)
    stored = np.stack([np.nan_to_num(past.last(f"shown:{name}")) for name in names], axis=1)
    stored *= context.fading(LIFETIME_S)[:, None]
    running = np.maximum(leaky_max(shown, time, past.first, LIFETIME_S), stored)
    for column, name in enumerate(names):
        past.keep(f"shown:{name}", context.last_rows(), running[:, column])
    since = np.diff(time, prepend=time[:1])
    before = np.roll(running, 1, axis=0) * np.exp(-np.maximum(since, 0.0) / LIFETIME_S)[:, None]
    before = np.where(past.first[:, None], stored, before)
    left: Floats = strength - HABIT * np.minimum(before, shown)
    return left
