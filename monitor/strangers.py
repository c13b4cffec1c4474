"""Who comes with nothing of the owner's, while the owner is about: such logins are not learned, alerted or not.

Somebody who stays below the threshold would otherwise teach the baseline, login by login, that he is usual (poisoning;
Rubinstein et al., IMC 2009). A stranger's login comes from a network and with a device that the account is not used
to; to send no device id is as strange, where the owner's logins have one. It is learned once one of both is tied to the
account: the new phone comes on the home network, or the known laptop on the new one. What is never tied is a matter of
patience: a second computer that stays in the cottage is learned when it has come for ``PATIENCE_DAYS``, and the new
phone of somebody who moved house when the old things have been gone for as long. Nobody is a stranger to a newcomer,
nor is whom reviewers vouched for.
"""

import numpy as np
import pandas as pd

from monitor.baselines import DAY_S, Baselines
from monitor.columns import UNKNOWN, Flags, Floats, Logins, Values, latest_before
from monitor.past import Past

#: Whoever shows one of these that the account is used to is no stranger.
IDENTIFYING = ("network", "device")

#: Logins that an account has learned before anybody is a stranger to it.
ESTABLISHED = 10.0

#: Share of an account's logins that have a device id before one without is strange.
IDENTIFIED = 0.8

#: Days without the owner, or with the stranger, after which he is believed.
PATIENCE_DAYS = 14.0

#: Rounds after which the last answer stands. Most accounts need two, and one more for each tie of a batch that rests on
#: another; new ones as many as strangers come again to them before they are established.
MOST_ROUNDS = 100


def without_strangers(logins: Logins, stored: Baselines, ordinary: Flags, half_life_days: float) -> Past:
    """What was known before each login [n], when of the ``ordinary`` ones all are learned but strangers'."""
    strange = strangers(logins, stored, ordinary, half_life_days)
    past = Past(logins, stored, ordinary & ~strange, half_life_days)
    _since(past, ordinary & strange)
    return past


def strangers(logins: Logins, stored: Baselines, ordinary: Flags, half_life_days: float) -> Flags:
    """Which of the logins [n] come from strangers, when of the others the ``ordinary`` ones are learned.

    Who is one depends on what was learned before, and that on who was: the answer is found in rounds, each of which
    settles at least one login more of an account, so that how logins are cut into batches does not matter.
    """
    answer = np.zeros(len(logins), bool)
    rows = np.arange(len(logins))
    assumed = np.ones(len(logins), bool)
    unsettled = logins.accounts_where(_unknown(logins, stored))
    for _ in range(MOST_ROUNDS):
        kept = unsettled[logins.account]
        if not kept.any():
            break
        rows, assumed, ordinary = rows[kept], assumed[kept], ordinary[kept]
        logins, stored = logins.of(unsettled), stored.of(unsettled)
        past = Past(logins, stored, ordinary & ~assumed, half_life_days)
        found = _strange(past, _since(past, ordinary & assumed))
        answer[rows] = found
        unsettled = logins.accounts_where(ordinary & logins.success & (found != assumed))
        assumed = found
    return answer


def _unknown(logins: Logins, stored: Baselines) -> Flags:
    """Whether the account knew neither the network nor the device of a login before the batch [n]."""
    unknown: Flags = logins.values["network"].codes != UNKNOWN
    for feature in IDENTIFYING:
        unknown &= ~_in_use(logins, stored, feature)
    return unknown


def _in_use(logins: Logins, stored: Baselines, feature: str) -> Flags:
    """Whether the value of a login is one that the account was used to before the batch [n]."""
    values, entries = logins.values[feature], stored.entries[feature]
    codes = pd.Index(values.names).get_indexer(pd.Index(entries.value))
    used = (entries.weight > 0) & (codes >= 0)
    pairs = entries.account[used] * len(values.names) + codes[used]
    in_use: Flags = np.isin(logins.account * len(values.names) + values.codes, pairs) & (values.codes != UNKNOWN)
    return in_use


def _since(past: Past, strange: Flags) -> Floats:
    """Since when each login's stranger comes, by the device or else the network (s) [n]; NaN at his first login.

    ``strange`` [n] marks the logins of strangers in the batch; from now on the account remembers them.
    """
    network, device = (past.logins.values[name] for name in IDENTIFYING)
    by_network = np.where(network.codes == UNKNOWN, UNKNOWN, network.codes + len(device.names))
    codes = np.where(device.codes == UNKNOWN, by_network, device.codes)
    who = Values(codes, np.concatenate([device.names, network.names]))
    return past.since("stranger", who, strange & past.logins.success)


def _strange(past: Past, since: Floats) -> Flags:
    """Who is a stranger [n], by what was learned before each login, and ``since`` when he comes."""
    logins = past.logins
    network, device = (past.known(name, logins.values[name]) for name in IDENTIFYING)
    history, identified = past.sum("logins", np.ones(len(logins))), past.total("device", logins.values["device"])
    unidentified = np.isnan(device.count) & (identified >= IDENTIFIED * history)
    new = (network.count == 0) & (network.total > 0) & ((device.count == 0) & (identified > 0) | unidentified)
    owner = _owner_seen(past, (network.count > 0) | (device.count > 0))
    lately = logins.time - np.fmin(owner, since) <= PATIENCE_DAYS * DAY_S
    strange: Flags = new & (history >= ESTABLISHED) & lately & ~logins.vouched
    return strange


def _owner_seen(past: Past, own: Flags) -> Floats:
    """When the account last came with a network or device of its own, before each login [n] (s); -inf if never."""
    logins = past.logins
    seen, identified = np.full(len(logins.accounts), -np.inf), np.zeros(len(logins), bool)
    for name in IDENTIFYING:
        entries = past.stored.entries[name]
        used = entries.weight > 0
        np.maximum.at(seen, entries.account[used], entries.seen[used])
        identified |= logins.values[name].codes != UNKNOWN
    latest = latest_before(own | past.learned & identified, past.first)
    last_seen: Floats = np.maximum(seen[logins.account], np.where(latest >= 0, logins.time[latest], -np.inf))
    return last_seen
