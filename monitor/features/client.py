"""A known client: the device, the browser and the operating system of a login speak of one thing.

By the chain rule the surprise of a combination is what counts. Adding up that of its parts takes somebody's rarely used
second computer for three oddities at once; so where an account is known to use a combination, its parts are together
no odder than the combination is rare.
"""

import json

import numpy as np

from monitor.columns import UNKNOWN, Floats, Ints, Objects, Values
from monitor.features.evidence import HABIT, Context
from monitor.features.novelty import familiar_share, recency

#: What a client shows of itself.
PARTS = ("device", "browser", "os")


def bounded(context: Context, strength: Floats) -> Floats:
    """Evidence [n, parts] of the ``PARTS``, each less in proportion where the account knows the client as a whole."""
    known = context.past.known("client", _clients([context.logins.values[part] for part in PARTS]))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.minimum(familiar_share(known, recency(context, known)), 1.0)
        rarity = -np.log(share) * HABIT  # as of each of its parts
        rarity = np.where(known.count > 0, rarity, np.inf)
        left: Floats = np.fmin(1.0, rarity / np.nansum(strength, axis=1))  # fmin: of no evidence (0 / 0), all
    return strength * left[:, None]


def _clients(parts: list[Values]) -> Values:
    """The combinations, named as JSON lists, since a part may hold any character; unknown where all parts are."""
    number: Ints = np.zeros(len(parts[0].codes), np.int64)
    for part in parts:
        number = number * (len(part.names) + 1) + part.codes - UNKNOWN
    distinct, codes = np.unique(number, return_inverse=True)
    columns = []
    for part in reversed(parts):
        named: Objects = np.array([None, *part.names], object)
        columns.append(named[distinct % len(named)].tolist())
        distinct = distinct // len(named)
    names = [json.dumps(client) for client in zip(*reversed(columns), strict=True)]
    return Values(np.where(number > 0, codes, UNKNOWN), np.array(names, object))
