"""What a feature is given, and what it returns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from monitor.columns import Flags, Floats, Ints, Logins, leaky_sum
from monitor.past import Known, Past
from monitor.population import Crowd

#: Texts for the logins at ``rows``: what happened, or what is usual for the account.
Describe = Callable[[Ints], list[str | None]]

#: Pseudo-logins with which an account's own rate is shrunk towards the population's.
PRIOR_LOGINS = 5.0

#: A rank makes much even of next to nothing, where most logins have nothing: evidence is worth at most this many times
#: its own nats, and more where it says how unlike the account's own values and times those of a login are.
MOST_WORTH, MOST_UNLIKE = 2.0, 4.0

#: Part of its evidence that a value keeps which the account came with before: worth half a nat for each of its own
#: rarity. Not all of it: whoever has one thing in twenty logins has others, and any of them is more frequent than each.
HABIT = 0.5 / MOST_UNLIKE

#: Logins of an account at which a stranger is believed half as much, and at twice as many a fifth: one who comes with
#: neither a network nor a device of the account's own may be somebody else, who must not talk his own evidence down by
#: coming again.
DOUBTED = 50.0

#: Share of attempts that fail where nothing is known of the account yet.
PRIOR_FAILURES = 0.05


@dataclass(frozen=True)
class Evidence:
    """Oddness of one feature: ``strength`` [n] ≥ 0, in nats, NaN where unknown; and its words.

    ``new`` [n] marks values that the account was never seen with, where the feature has values.
    """

    strength: Floats
    observed: Describe
    usual: Describe
    new: Flags | None = None


@dataclass
class Context:
    """One batch of logins, what each account and the population knew before, and results that features share."""

    logins: Logins
    past: Past
    crowd: Crowd
    known: dict[str, Known] = field(default_factory=dict)
    _lately: dict[str, Floats] = field(default_factory=dict)

    def familiarity(self, feature: str) -> Known:
        """The account's knowledge of each login's value, looked up once per batch."""
        if feature not in self.known:
            self.known[feature] = self.past.known(feature, self.logins.values[feature])
        return self.known[feature]

    @cached_property
    def history(self) -> Floats:
        """Decayed number of learned logins of the account before each login [n]."""
        return self.past.sum("logins", np.ones(len(self.logins)))

    @cached_property
    def foreign(self) -> Flags:
        """Whether neither the network nor the device of a login is one that the account is used to [n]."""
        network, device = self.familiarity("network"), self.familiarity("device")
        elsewhere: Flags = (network.count == 0) & (network.total > 0) & ~(device.count > 0)
        return elsewhere

    @cached_property
    def believed(self) -> Floats:
        """How far each login is taken for the account's own [n]: a stranger less, the more logins there are to tell."""
        return np.where(self.foreign, 1.0 / (1.0 + (self.history / DOUBTED) ** 2), 1.0)

    @cached_property
    def trusted(self) -> Flags:
        """Logins whose rhythm and failures are learned [n]: the ordinary, and all from a device the account is used to.

        A mail client that keeps trying an old password all night is soon no news, though it alerted once.
        """
        return self.past.ordinary | (self.familiarity("device").count > 0)

    @cached_property
    def failure_habit(self) -> Floats:
        """The account's decayed failure rate before each login [n]."""
        failed = (~self.logins.success).astype(float)
        failures = self.past.sum("failures", failed, self.trusted)
        attempts = self.past.sum("attempts", np.ones(len(failed)), self.trusted)
        return (failures + PRIOR_LOGINS * PRIOR_FAILURES) / (attempts + PRIOR_LOGINS)

    def lately(self, name: str, amounts: Floats, lifetime: float) -> Floats:
        """Sum of the account's amounts up to and with each login [n], each fading as exp(-age / lifetime)."""
        if name not in self._lately:
            held = np.nan_to_num(self.past.last(name)) * self.fading(lifetime)
            self._lately[name] = leaky_sum(amounts, self.logins.time, self.past.first, lifetime) + held
            self.past.keep(name, self.last_rows(), self._lately[name])
        return self._lately[name]

    def fading(self, lifetime: float) -> Floats:
        """What is left, of all there was at the account's latest attempt before the batch, at each login [n]."""
        return np.where(np.isfinite(self._age), np.exp(-self._age / lifetime), 0.0)

    @cached_property
    def _age(self) -> Floats:
        """Seconds from the account's latest attempt before the batch to each login [n]; NaN where there was none."""
        self.past.keep("attempt_time", self.last_rows(), self.logins.time)
        return np.maximum(self.logins.time - self.past.last("attempt_time"), 0.0)

    def last_rows(self, where: Flags | None = None) -> Ints:
        """The row of each account's last login in the batch for which ``where`` holds, or -1 [a]."""
        if where is None:
            return np.append(self.logins.starts[1:], len(self.logins)) - 1
        rows = np.full(len(self.logins.accounts), -1)
        np.maximum.at(rows, self.logins.account[where], np.flatnonzero(where))
        return rows

    def beyond_usual(self, feature: str, surprise: Floats, total: Floats) -> Floats:
        """The part of a surprise above the account's own mean: an erratic account is not odd for being erratic."""
        heard = np.isfinite(surprise)
        mean = self.past.sum(f"{feature}:surprise", np.where(heard, surprise, 0.0), self.past.learned & heard)
        return np.maximum(surprise - mean / (np.nan_to_num(total) + PRIOR_LOGINS), 0.0)


#: What is left of a fading count, less than this is nothing: at any rate worth less than ``LEAST_NATS``.
NEARLY_NONE = 0.01


def whole(fading: float) -> int:
    """A fading count as a number of things: what is left of one failure is still one failure."""
    return max(round(fading), int(fading > NEARLY_NONE))


def counted(number: float, noun: str) -> str:
    """A count, perhaps fading, as people say it: "1 failure", "147 failures"."""
    things = whole(number)
    return f"{things} {noun}" if things == 1 else f"{things} {noun}s"


def span(seconds: float) -> str:
    """A length of time as people say it: "40 minutes", "3 hours", "12 days"."""
    for unit, size in (("day", 86_400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}s"
    return f"{max(seconds, 0.0):.0f} seconds"
