"""What calibration goes by: the logins scored lately, and the verdicts given so far. Plain columns."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Self

import numpy as np

from monitor.columns import Flags, Floats, Ints, Objects
from monitor.rule import AlertRule
from monitor.sequences import Rows
from monitor.tails import Tail

DAY_S = 86_400.0

#: Logins by the 24 hours they fell into, the latest first.
Counts = tuple[int, ...]


@dataclass(frozen=True)
class Logins:
    """Scored logins [n]: ``evidence`` float32 [n, features] holds their contributions before any weights.

    ``raw`` is the sum by the weights of then, and ``score`` what it meant. ``same`` marks logins for which it still
    means that: the model at work scored them, and its score was not calibrated anew after them.
    """

    features: tuple[str, ...]
    time: Floats
    evidence: Rows
    raw: Floats
    score: Floats
    same: Flags
    segment: Objects

    def __len__(self) -> int:
        return len(self.time)

    def take(self, which: Flags) -> Self:
        """Some of the logins."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        kept: dict[str, Any] = {
            name: column[which] for name, column in columns.items() if isinstance(column, np.ndarray)
        }
        return replace(self, **kept)

    def margins(self, tail: Tail, rule: AlertRule) -> Floats:
        """What each would score by a rule's weights, less its segment's offset: what ``rule.value`` is held to."""
        now = tail(self.evidence.astype(np.float64) @ rule.weight(self.features)) / np.log(10)
        # A score that meant something else is kept, and moved by as much as the weights would move it now.
        return self._less_offset(np.where(self.same, now, self.score + now - tail(self.raw) / np.log(10)), rule)

    def given(self, tail: Tail, rule: AlertRule) -> Floats:
        """The margins by the weights of then. Verdicts that set today's were given on these very logins."""
        return self._less_offset(np.where(self.same, tail(self.raw) / np.log(10), self.score), rule)

    def _less_offset(self, scores: Floats, rule: AlertRule) -> Floats:
        margins: Floats = scores - (rule.thresholds(self.segment) - rule.value)
        return margins


@dataclass(frozen=True)
class Recent(Logins):
    """The oddest logins scored in [since, until), sorted by account and time.

    ``alert`` numbers the alert that a login is in, and ``campaign`` that alert's campaign, −1 for none; ``standing`` is
    its status, "" outside. Logins that were vouched for in advance are left out. ``totals`` counts all logins, odd or
    not, by the 24 hours they fell into, the latest first.
    """

    account: Ints
    alert: Ints
    campaign: Ints
    standing: Objects
    totals: Counts
    since: datetime
    until: datetime

    @property
    def days(self) -> float:
        return max((self.until - self.since).total_seconds() / DAY_S, 1e-9)


@dataclass(frozen=True)
class Judgements(Logins):
    """Every confirmation and dismissal ever given [n], the earliest first; ``time`` is when, the login the oddest one.

    ``margin`` is how far it scored above its threshold. What has not ``alerted`` by itself was drawn for the audit
    sample with this ``chance``, which is 1 for all else; ``share`` is one over the alerts of its campaign. A verdict is
    ``current`` until its reviewer gives the alert another one; by the ``latest`` the alert stands. On ``contradicted``
    alerts reviewers disagree. ``found`` marks audited logins whose account had an alert of its own confirmed within a
    day.
    """

    alert: Objects
    reviewer: Objects
    confirmed: Flags
    margin: Floats
    alerted: Flags
    chance: Floats
    share: Floats
    current: Flags
    latest: Flags
    contradicted: Flags
    found: Flags
