"""The job ``calibrate``: the next threshold, from the alert budget and what was scored lately."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from monitor.calibration import budget_threshold
from monitor.config import Settings
from monitor.events import MonitorError
from monitor.progress import Progress, silent
from monitor.store import alerts, models, thresholds
from monitor.store.engine import reading, writing

#: Days of stored scores that the next threshold is read from.
LOOK_BACK = timedelta(days=14)

#: Less history than this says nothing about alerts a day.
LEAST_DAYS = 1.0

#: A threshold that would move by less than this stays: a new row should mean something.
LEAST_MOVE = 0.01


def run(engine: Engine, settings: Settings, now: datetime) -> dict[str, int | float | str]:
    """The scheduled calibration; waits for the first training."""
    with reading(engine) as connection:
        if thresholds.in_force(connection) is None:
            return {"waiting_for": "a model"}
    return calibrate(engine, settings, now)


def calibrate(
    engine: Engine, settings: Settings, now: datetime | None = None, tell: Progress = silent
) -> dict[str, int | float | str]:
    """Decide the next threshold; it stays where it is when there is too little to go by, and the answer says so."""
    with writing(engine) as connection:
        standing, model_id = thresholds.in_force(connection), models.active_model_id(connection)
        if standing is None or model_id is None:
            raise MonitorError("there is no threshold to move yet: run `monitor train` first")
        held = standing.rule.value
        span = alerts.scored_span(connection, LOOK_BACK)
        if span is None or span.days < LEAST_DAYS:
            return {"threshold": held, "kept": "less than a day of scores to go by"}
        highest = alerts.highest_by_decision_and_day(connection, span.since, span.until)
        confirmed, dismissed = alerts.verdict_counts(connection)
        decision = budget_threshold(highest, span.days, settings.alerts_per_day, confirmed, dismissed)
        if abs(decision.rule.value - held) < LEAST_MOVE:
            return {"threshold": held, "kept": "it would hardly move"}
        thresholds.decide(connection, decision, now or datetime.now(UTC), model_id)
    return {"threshold": round(decision.rule.value, 3), "was": round(held, 3), "reviews": decision.reviews_used}
