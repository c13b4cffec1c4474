"""What a feature is given, and what it returns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from monitor.baselines import Known, Past
from monitor.columns import Flags, Floats, Ints, Logins, leaky_sum
from monitor.population import Crowd

#: Texts for the logins at ``rows``: what happened, or what is usual for the account.
Describe = Callable[[Ints], list[str | None]]

#: Pseudo-logins with which an account's own rate is shrunk towards the population's.
PRIOR_LOGINS = 5.0

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
    def failure_habit(self) -> Floats:
        """The account's decayed failure rate before each login [n]."""
        failed = (~self.logins.success).astype(float)
        failures = self.past.sum("failures", failed, self.past.ordinary)
        attempts = self.past.sum("attempts", np.ones(len(failed)), self.past.ordinary)
        return (failures + PRIOR_LOGINS * PRIOR_FAILURES) / (attempts + PRIOR_LOGINS)

    def lately(self, name: str, amounts: Floats, lifetime: float) -> Floats:
        """Sum of the account's amounts up to and with each login [n], each fading as exp(-age / lifetime)."""
        if name not in self._lately:
            logins, past = self.logins, self.past
            age = np.maximum(logins.time - past.last("attempt_time"), 0.0)
            fading = np.where(np.isfinite(age), np.exp(-age / lifetime), 0.0)
            held = np.nan_to_num(past.last(name)) * fading
            self._lately[name] = leaky_sum(amounts, logins.time, past.first, lifetime) + held
            last = np.append(logins.starts[1:], len(logins)) - 1
            past.keep("attempt_time", last, logins.time)
            past.keep(name, last, self._lately[name])
        return self._lately[name]

    def beyond_usual(self, feature: str, surprise: Floats, total: Floats) -> Floats:
        """The part of a surprise above the account's own mean: an erratic account is not odd for being erratic."""
        heard = np.isfinite(surprise)
        mean = self.past.sum(f"{feature}:surprise", np.where(heard, surprise, 0.0), self.past.learned & heard)
        return np.maximum(surprise - mean / (np.nan_to_num(total) + PRIOR_LOGINS), 0.0)


def counted(number: float, noun: str) -> str:
    """A count as people say it: "1 failure", "147 failures"."""
    whole = round(number)
    return f"{whole} {noun}" if whole == 1 else f"{whole} {noun}s"


def span(seconds: float) -> str:
    """A length of time as people say it: "40 minutes", "3 hours", "12 days"."""
    for unit, size in (("day", 86_400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}s"
    return f"{max(seconds, 0.0):.0f} seconds"
