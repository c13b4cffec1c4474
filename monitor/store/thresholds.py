"""Decided thresholds: what alerts, why, and which decision is in force."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select

from monitor.calibration import Threshold
from monitor.rule import AlertRule, Stratum
from monitor.store import tables


@dataclass(frozen=True)
class InForce:
    """The decision that scoring obeys; set by hand, it stands until ``held_until``."""

    threshold_id: int
    rule: AlertRule
    model_id: UUID | None
    expected_precision: float | None
    expected_alerts_per_day: float | None
    held_until: datetime | None


def in_force(connection: Connection) -> InForce | None:
    """The latest decision, whatever the clocks of those who decided said; None before the first training."""
    row = connection.execute(select(tables.threshold).order_by(tables.threshold.c.threshold_id.desc()).limit(1)).first()
    return None if row is None else _decision(row)


def before(connection: Connection, moment: datetime) -> InForce | None:
    """The decision that was in force at ``moment``, or the first one ever; None before the first training."""
    table = tables.threshold.c
    latest = select(tables.threshold).where(table.decided_at <= moment).order_by(table.threshold_id.desc()).limit(1)
    row = connection.execute(latest).first()
    if row is None:
        row = connection.execute(select(tables.threshold).order_by(table.threshold_id).limit(1)).first()
    return None if row is None else _decision(row)


def rules(connection: Connection, threshold_ids: Sequence[int]) -> dict[int, AlertRule]:
    """The rules of several decisions by their ids."""
    rows = connection.execute(select(tables.threshold).where(tables.threshold.c.threshold_id.in_(threshold_ids)))
    return {row.threshold_id: _rule(row) for row in rows}


def decide(connection: Connection, decided: Threshold, decided_at: datetime, model_id: UUID | None) -> int:
    """Put a decision in force; returns its id."""
    values = asdict(decided)
    rule: dict[str, Any] = values.pop("rule")
    values |= rule | {"decided_at": decided_at, "model_id": model_id}
    row = connection.execute(insert(tables.threshold).values(values).returning(tables.threshold.c.threshold_id))
    threshold_id: int = row.scalar_one()
    return threshold_id


def _decision(row: Row[Any]) -> InForce:
    return InForce(
        row.threshold_id, _rule(row), row.model_id, row.expected_precision, row.expected_alerts_per_day, row.held_until
    )


def _rule(row: Row[Any]) -> AlertRule:
    audit = tuple(Stratum(part["depth"], part["chance"]) for part in row.audit)
    return AlertRule(row.value, row.offsets, row.weights, audit)
