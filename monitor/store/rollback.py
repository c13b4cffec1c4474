"""The one way in which the review pages may change a threshold; the database's own function does it."""

from datetime import timedelta

from sqlalchemy import Connection, text


def rollback(connection: Connection, threshold_id: int, actor: str, hold: timedelta) -> int | None:
    """Return to an earlier decision, for ``hold`` at least; the new decision's id, None where there is no such one."""
    found: int | None = connection.scalar(
        text("SELECT monitor.threshold_rollback(:target, :actor, :hold)"),
        {"target": threshold_id, "actor": actor, "hold": hold},
    )
    return found
