"""Trained models, which of them is at work, and how its score is calibrated by now."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from safetensors.numpy import load, save
from sqlalchemy import Connection, insert, select, update
from uuid_utils.compat import uuid7

from monitor.calibration import Recalibration
from monitor.scoring import Scorer
from monitor.store import tables
from monitor.tails import Tail


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
    tail = _recalibrated(connection, row.model_id)
    if tail is not None:
        scorer = replace(scorer, calibration=tail)
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


def recalibrate(connection: Connection, model_id: UUID, found: Recalibration, decided_at: datetime) -> None:
    """Let the model's score be read off another tail from now on."""
    values = asdict(found) | {"model_id": model_id, "decided_at": decided_at, "tail": _plain(found.tail)}
    connection.execute(insert(tables.recalibration).values(values))


def _recalibrated(connection: Connection, model_id: UUID) -> Tail | None:
    table = tables.recalibration.c
    query = select(table.tail).where(table.model_id == model_id).order_by(table.recalibration_id.desc()).limit(1)
    stored: dict[str, Any] | None = connection.scalar(query)
    if stored is None:
        return None
    return Tail(np.array(stored["x"]), np.array(stored["nats"]), stored["scale"], stored["shape"])


def _plain(tail: Tail) -> dict[str, Any]:
    return {"x": tail.x.tolist(), "nats": tail.nats.tolist(), "scale": tail.scale, "shape": tail.shape}
