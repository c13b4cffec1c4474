"""Where the threshold stands: as low as the reviewers' alert budget allows, and never among the ordinary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from monitor.columns import Floats
from monitor.rule import AlertRule
from monitor.tails import Tail

#: Never alert on what one ordinary login in a hundred exceeds, however large the budget.
LOWEST = 2.0


@dataclass(frozen=True)
class Threshold:
    """A rule, and in ``basis`` why, in words."""

    rule: AlertRule
    decided_by: str
    basis: str
    reviews_used: int = 0
    expected_precision: float | None = None
    expected_alerts_per_day: float | None = None
    spread: Mapping[str, float] = field(default_factory=dict)
    precision_low: float | None = None
    precision_high: float | None = None
    missed: float | None = None
    missed_low: float | None = None
    missed_high: float | None = None
    returns_to: int | None = None
    held_until: datetime | None = None


@dataclass(frozen=True)
class Recalibration:
    """A tail fitted anew to ``logins`` logins of [since, until), a ``share`` of which scored 2 and more before."""

    since: datetime
    until: datetime
    logins: int
    share: float
    tail: Tail


def first_threshold(logins_per_day: float, alerts_per_day: float) -> Threshold:
    """The threshold of a new model, before anything was scored: the share of ordinary logins that fits the budget."""
    share = alerts_per_day / max(logins_per_day, 1e-9)
    value = max(LOWEST, -float(np.log10(share)))
    expected = logins_per_day * 10**-value
    return Threshold(
        AlertRule(value),
        decided_by="train",
        basis=(
            f"alert budget: {alerts_per_day:g} alerts a day of {logins_per_day:,.0f} logins a day, "
            f"by the model's calibration"
        ),
        expected_alerts_per_day=expected,
    )


def budget_threshold(highest: Floats, days: float, alerts_per_day: float, confirmed: int, dismissed: int) -> Threshold:
    """The lowest threshold at which the alerts of the last ``days`` would have stayed within the budget.

    ``highest`` holds the highest score of each account (or campaign) and day: one decision each. ``confirmed`` and
    ``dismissed`` are the alerts with a verdict; their share is the precision to expect, with a pseudo-verdict for
    either.
    """
    ordered = np.sort(highest)[::-1]
    within = int(alerts_per_day * days)
    value = LOWEST if len(ordered) <= within else float(np.nextafter(ordered[within], np.inf))
    value = max(value, LOWEST)
    reviews = confirmed + dismissed
    return Threshold(
        AlertRule(value),
        decided_by="calibrate",
        basis=f"alert budget: {alerts_per_day:g} alerts a day over the last {days:.1f} days",
        reviews_used=reviews,
        expected_precision=(confirmed + 1) / (reviews + 2) if reviews else None,
        expected_alerts_per_day=float((ordered >= value).sum()) / max(days, 1e-9),
    )
