"""Returning to an earlier threshold: by hand, held for a while, and written down."""

from datetime import timedelta

from sqlalchemy import Engine

from monitor.events import MonitorError
from monitor.store import audit
from monitor.store.engine import writing
from monitor.store.rollback import rollback

#: How long the scheduled calibration leaves a threshold alone that somebody returned to.
HOLD = timedelta(days=7)


class RollbackError(MonitorError):
    """There is no such threshold to return to."""


def roll_back(engine: Engine, threshold_id: int, by: str, address: str = audit.COMMAND_LINE) -> int:
    """Return to the values of an earlier decision; the new decision's id. Raises ``RollbackError``."""
    with writing(engine) as connection:
        made = rollback(connection, threshold_id, by, HOLD)
        if made is None:
            raise RollbackError(f"there is no threshold {threshold_id}")
        audit.record(connection, by, "rollback", str(made), {"to": threshold_id}, address)
        return made
