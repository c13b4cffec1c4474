"""Trained models and thresholds, and which of them are in force."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from safetensors.numpy import load, save
from sqlalchemy import Connection, insert, select, update
from uuid_utils.compat import uuid7

from monitor.calibration import Threshold
from monitor.scoring import Scorer
from monitor.store import tables


@dataclass(frozen=True)
class StoredModel:
    """A trained scorer as it is stored; ``metadata`` says what it was trained on and how well it did."""

    model_id: UUID
    detector: str
    trained_until: datetime
    metadata: dict[str, Any]
    scorer: Scorer


def active_model(connection: Connection) -> StoredModel | None:
    """The model that scores now; None before the first training."""
    row = connection.execute(select(tables.model).where(tables.model.c.status == "active")).first()
    if row is None:
        return None
    scorer = Scorer.load(tuple(row.features), row.detector, load(row.weights))
    return StoredModel(row.model_id, row.detector, row.trained_until, row.metadata, scorer)


def active_model_id(connection: Connection) -> UUID | None:
    found: UUID | None = connection.scalar(select(tables.model.c.model_id).where(tables.model.c.status == "active"))
    return found


def add_model(
    connection: Connection,
    scorer: Scorer,
    trained_until: datetime,
    metadata: dict[str, Any],
    created_at: datetime,
    *,
    accepted: bool,
) -> UUID:
    """Store a trained scorer; an accepted one takes the place of the active model."""
    model_id = uuid7()
    if accepted:
        connection.execute(update(tables.model).where(tables.model.c.status == "active").values(status="retired"))
    connection.execute(
        insert(tables.model).values(
            model_id=model_id,
            detector=scorer.detector.name,
            status="active" if accepted else "refused",
            features=list(scorer.features),
            weights=save(scorer.dump()),
            metadata=metadata,
            trained_until=trained_until,
            created_at=created_at,
        )
    )
    return model_id


def threshold_in_force(connection: Connection) -> float | None:
    """The latest decision, whatever the clocks of those who decided said; None before the first training."""
    column = tables.threshold.c
    found: float | None = connection.scalar(select(column.value).order_by(column.threshold_id.desc()).limit(1))
    return found


def decide_threshold(connection: Connection, decision: Threshold, decided_at: datetime, model_id: UUID | None) -> None:
    connection.execute(
        insert(tables.threshold).values(
            value=decision.value,
            decided_at=decided_at,
            decided_by=decision.decided_by,
            basis=decision.basis,
            reviews_used=decision.reviews_used,
            expected_precision=decision.expected_precision,
            expected_alerts_per_day=decision.expected_alerts_per_day,
            model_id=model_id,
        )
    )
