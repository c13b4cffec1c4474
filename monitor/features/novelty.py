"""Categorical evidence: how surprising is this country, network, device … for this account?

The account's predictive probability of a value mixes its own decayed counts with the chance of something new: its own
rate of novelty, shrunk to the population's, times the value's share among what is new to others. A well-known carrier
is thus less surprising than an exotic one, but a new value never becomes cheap only because it is popular.
"""

import numpy as np

from monitor.baselines import DAY_S
from monitor.columns import UNKNOWN, Floats, Ints
from monitor.features.evidence import HABIT, PRIOR_LOGINS, Context, Evidence
from monitor.past import Known

#: Values that are named as usual, the most frequent first.
MOST_USUAL = 3

#: Share that a value has at least just after the account came with it, and the days in which that halves. Whoever has
#: a new phone keeps using it; and what was told once, learned or not, need not be told again at full strength.
AGAIN, AGAIN_DAYS = 0.05, 7.0


def measure(name: str, context: Context) -> Evidence:
    """Surprise of one categorical column beyond the account's usual surprise."""
    past, values = context.past, context.logins.values[name]
    known = context.familiarity(name)
    share = context.crowd.share(name, values, known)
    total = np.nan_to_num(known.total)
    new = (known.count == 0) & (total > 0)
    # What others met, not what they learned: it must not depend on which of their logins alerted.
    heard = known.met & (values.codes != UNKNOWN)
    typical = context.crowd.mean(f"{name}:novel", ~known.touched, heard & past.learned, prior=0.05, strength=20.0)
    own = past.sum(f"{name}:novel", new.astype(float))
    # Of an account with more values than are kept, what was new once may outnumber what is known.
    novelty = np.minimum((own + PRIOR_LOGINS * typical) / (total + PRIOR_LOGINS), 1.0)
    trust = total / (total + 1.0)
    habit, lately = trust * (1 - novelty), recency(context, known)
    probability = habit * familiar_share(known, lately) + (1 - habit) * share
    surprise = np.where(np.isfinite(known.count), -np.log(np.maximum(probability, 1e-12)), np.nan)
    beyond_first = np.maximum(surprise - (1 - trust) * _usual_at_first(name, context, share), 0.0)
    strength = context.beyond_usual(name, beyond_first, known.total)
    # What the account came with before is worth its rarity here, however rare such a share is elsewhere.
    strength *= 1 - (1 - HABIT) * np.where(known.count > 0, 1.0, lately)

    def usual(rows: Ints) -> list[str | None]:
        return usual_values(context, name, rows)

    return Evidence(strength, values.text, usual, new)


def familiar_share(known: Known, lately: Floats) -> Floats:
    """The value's share of the account's own logins; more if it came with it ``lately``, learned or not [n]."""
    total = np.nan_to_num(known.total)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.where(total > 0, known.count / np.where(total > 0, total, 1.0), 0.0)
    return np.maximum(own, AGAIN * lately)


def recency(context: Context, known: Known) -> Floats:
    """1 just after the account came with the value, or before for a login that came late; then less, 0 if never [n].

    Less for strangers, too, as far as they are not ``believed``.
    """
    age = np.maximum(context.logins.time - known.seen, 0.0)
    lately: Floats = np.exp2(-age / (AGAIN_DAYS * DAY_S)) * context.believed
    return lately


def _usual_at_first(name: str, context: Context, share: Floats) -> Floats:
    """Mean surprise of the values that others met for the first time [n].

    All that a newcomer comes with is new, and has to be: only what is rarer than what others were new to is odd.
    """
    touching = context.crowd.touching(context.logins.values[name], context.familiarity(name))
    return context.crowd.mean(f"{name}:first", -np.log(share), touching, prior=2.0, strength=20.0)


def usual_values(context: Context, name: str, rows: Ints) -> list[str | None]:
    """The account's most frequent values with shares, as stored before the batch: "DE 93 %, AT 5 %"."""
    entries = context.past.stored.entries[name]
    accounts, which = np.unique(context.logins.account[rows], return_inverse=True)
    wanted = np.zeros(len(context.logins.accounts), bool)
    wanted[accounts] = True
    kept = np.flatnonzero((entries.weight > 0) & wanted[entries.account])
    kept = kept[np.lexsort((-entries.weight[kept], entries.account[kept]))]
    owner, weight = entries.account[kept], entries.weight[kept]
    share = weight / np.bincount(owner, weight, len(wanted))[owner]
    top = np.arange(len(owner)) - np.searchsorted(owner, owner) < MOST_USUAL
    said = [f"{value} {100 * part:.0f} %" for value, part in zip(entries.value[kept][top], share[top], strict=True)]
    low, high = (np.searchsorted(owner[top], accounts, side).tolist() for side in ("left", "right"))
    texts = [", ".join(said[i:j]) or "nothing yet" for i, j in zip(low, high, strict=True)]
    return [texts[i] for i in which.tolist()]
