"""Freeman, Jain, Dürmuth, Biggio & Giacinto, "Who Are You? A Statistical Approach to Measuring User Authenticity",
NDSS 2016: the likelihood ratio of a login under everybody's habits and under the account's own.

Address and user agent are looked at on three levels each (address, network, country; agent, browser, system). The
account's probability of a value interpolates over the levels: what it was seen with on a level, spread over the value
below it as everybody is. Unseen values take a small share, as in the paper's smoothing.
"""

import numpy as np
import pandas as pd

from monitor.columns import Floats

ADDRESS, AGENT = ("ip", "asn", "country"), ("user_agent", "browser", "os")

#: Interpolation weights from the finest level to the coarsest, then for everybody's habits.
WEIGHTS = (0.6, 0.25, 0.1, 0.05)


def likelihood_ratio(events: pd.DataFrame) -> Floats:
    """−log of p(login | account) / p(login) of each event [n], from the successful logins before it.

    An unknown address or agent says nothing.
    """
    ordered = events.sort_values(["occurred_at", "event_id"], kind="stable")
    success = (ordered["outcome"] == "success").to_numpy(float)
    ratio = _ratio(ordered, ADDRESS, success) + _ratio(ordered, AGENT, success)
    in_order: Floats = pd.Series(ratio, ordered.index).reindex(events.index).to_numpy()
    return in_order


def _ratio(ordered: pd.DataFrame, levels: tuple[str, ...], success: Floats) -> Floats:
    known = ordered[levels[0]].notna().to_numpy()
    everybody = np.cumsum(success) - success
    finest = _before([ordered[levels[0]]], success)
    common = (finest + 0.5) / (everybody + 1.0)
    own_total = _before([ordered["account_id"]], success)
    own = WEIGHTS[-1] * common
    for level, weight in zip(levels, WEIGHTS[:-1], strict=True):
        column = ordered[level].astype(str)
        seen = _before([ordered["account_id"], column], success) / np.maximum(own_total, 1.0)
        below = (finest + 0.5) / (_before([column], success) + 1.0)  # everybody's share of the value on this level
        own = own + weight * seen * np.minimum(below, 1.0)
    newcomer = own_total == 0  # the paper does not score accounts without history
    return np.where(known & ~newcomer, np.log(common) - np.log(own), 0.0)


def _before(keys: list[pd.Series], success: Floats) -> Floats:
    """Successful logins with the same keys before each row [n], rows in order of time."""
    counted = pd.Series(success, keys[0].index)
    running = counted.groupby([key.to_numpy(object) for key in keys], dropna=False).cumsum()
    earlier: Floats = running.to_numpy() - success
    return earlier
