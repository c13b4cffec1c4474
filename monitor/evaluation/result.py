"""The result of an evaluation, as plain values."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """A figure and its 95 % interval. ``reason`` says why there is no figure, or no interval where one is usual."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class AtBudget:
    """What a threshold finds that lets at most ``budget`` of the ordinary logins through as false alarms.

    ``threshold`` is the smallest score that fits the budget (None: no login scores so high); ``false_alarms`` ordinary
    logins lie at or above it. ``found`` is the share of incidents of which one of the first three events does;
    ``found_ever`` of which any event does. The medians are over the incidents found ever.
    """

    budget: float
    threshold: float | None
    false_alarms: int
    false_alarm_rate: float | None
    found: Measure
    found_ever: Measure
    events_to_detection: Measure
    minutes_to_detection: Measure


@dataclass(frozen=True)
class AttackKind:
    """One kind of attack; ``found`` by budget, as the shares of its incidents found within the first three events."""

    scenario: str
    incidents: int
    events: int
    found: tuple[float | None, ...]


@dataclass(frozen=True)
class BenignKind:
    """One kind of ordinary login; ``false_alarms`` and their share of its logins, by budget."""

    scenario: str
    logins: int
    false_alarms: tuple[int | None, ...]
    false_alarm_rate: tuple[float | None, ...]


@dataclass(frozen=True)
class Evaluation:
    """All figures. ``alerted_found`` and ``alerted_false_alarm_rate`` are those of the alerts really raised."""

    begin: str | None
    end: str | None
    labelled: int
    ordinary_logins: int
    ordinary_accounts: int
    attack_events: int
    incidents: int
    roc_auc: Measure
    average_precision: Measure
    budgets: tuple[AtBudget, ...]
    alerted_found: Measure
    alerted_false_alarm_rate: Measure
    attacks: tuple[AttackKind, ...]
    benign: tuple[BenignKind, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values only; a figure that is not finite would be a fault and raises ``ValueError``."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a figure is not finite")
    return value
