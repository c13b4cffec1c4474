"""What follows an alert more quietly: a stranger who was told once, and goes on below the threshold.

What alerts waits for its verdict before a baseline may learn it. So must what the same stranger does next, although it
scores less for having been told already: otherwise a takeover becomes ordinary by its own later logins. A login
follows an alert when it comes from neither a network nor a device that the account is used to, and shows a value (that
device or network, a city, a browser …) which the baseline does not know and a login that alerted showed before. The
owner who is home again with the phone that alerted abroad is no stranger, and the phone is learned.
"""

import numpy as np
import pandas as pd

from monitor.baselines import DAY_S
from monitor.columns import CATEGORICAL, UNKNOWN, Flags, Ints, Logins, Values, first_of_runs, latest_before
from monitor.features import Measured
from monitor.strangers import IDENTIFYING


def followed(measured: Measured, alerted: Flags, waiting: Logins, patience_days: float) -> Ints:
    """Which login that alerted each login [n] follows: a row of ``waiting`` [w], ``w`` + a row of the batch, or -1.

    ``waiting`` are earlier logins that alerted and may not be learned yet; after ``patience_days`` nothing follows
    a login any more. Of several the latest counts. What only follows is followed by nothing.
    """
    logins = measured.past.logins
    strange = ~alerted & logins.learnable
    for feature in IDENTIFYING:
        strange &= _new(measured, feature) | (logins.values[feature].codes == UNKNOWN)
    owner = pd.Index(logins.accounts).get_indexer(pd.Index(waiting.accounts))[waiting.account]
    account, time = np.concatenate([owner, logins.account]), np.concatenate([waiting.time, logins.time])
    odd = np.concatenate([owner >= 0, alerted])
    latest = np.full(len(odd), -1)
    for feature in CATEGORICAL if odd.any() and strange.any() else ():
        value, values = _together(waiting.values[feature], logins.values[feature])
        concerned = odd.copy()
        concerned[len(waiting) :] |= strange & _new(measured, feature)
        rows = np.flatnonzero(concerned & (value != UNKNOWN))
        pair = account[rows] * values + value[rows]
        order = np.argsort(pair, kind="stable")  # of each pair what waits comes first, then the batch in order of time
        rows = rows[order]
        before = latest_before(odd[rows], first_of_runs(pair[order]))
        rows, found = rows[before >= 0], rows[before[before >= 0]]
        near = time[rows] - time[found] <= patience_days * DAY_S
        latest[rows[near]] = np.maximum(latest[rows[near]], found[near])
    return np.where(strange, latest[len(waiting) :], -1)


def _new(measured: Measured, feature: str) -> Flags:
    """Whether a login's value is one that the account's baseline does not know [n]."""
    new = measured.evidence[feature].new
    assert new is not None
    return new


def _together(one: Values, other: Values) -> tuple[Ints, int]:
    """Two columns one after the other in common codes, and how many those are."""
    code, names = pd.factorize(np.concatenate([one.names, other.names]))
    first, second = np.append(code[: len(one.names)], UNKNOWN), np.append(code[len(one.names) :], UNKNOWN)
    return np.concatenate([first[one.codes], second[other.codes]]), len(names)
