"""The job ``calibrate``: the next threshold, from the alert budget, the verdicts, and what was scored lately."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, Engine

from monitor.calibration import Expected, Judgements, Recalibration, Threshold, Wishes, decide, recalibration
from monitor.config import Settings
from monitor.events import MonitorError
from monitor.progress import Progress, silent
from monitor.rule import AlertRule
from monitor.store import calibration, insight, models, thresholds
from monitor.store.engine import reading, writing
from monitor.tails import Tail

#: Days of stored scores that the next threshold is read from.
LOOK_BACK = timedelta(days=14)

#: Less history than this says nothing about alerts a day.
LEAST_DAYS = 1.0

#: A decision that would move nothing by as much as this is not made: a new row should mean something.
LEAST_MOVE = 0.02

#: No threshold or weight departs further than the steps of a day allow from what it was this long ago.
STEP = timedelta(days=1)

#: Alerts that are named when they flip.
MOST_SHOWN = 5

Answer = dict[str, int | float | str]


class CalibrationError(MonitorError):
    """Calibration cannot do what was asked; the message says why in one line."""


@dataclass(frozen=True)
class Proposal:
    """The next threshold, or why there is none, beside the one in force; ``recalibrated`` where the score moves too.

    ``weighed`` is what verdicts and budget ask for, also where that is too little to move anything.
    """

    held: thresholds.InForce
    next: Threshold | None
    why: str
    weighed: Threshold | None = None
    recalibrated: Recalibration | None = None
    flips: "Flips | None" = None

    def told(self) -> Iterator[str]:
        """Which past verdicts would flip, and how much evidence would count by now, a line each."""
        if self.flips is not None:
            for what, alerts_ in self.flips._asdict().items():
                shown = ", ".join(alerts_[:MOST_SHOWN]) + (" …" if len(alerts_) > MOST_SHOWN else "")
                yield f"{what.replace('_', ' ')}: {len(alerts_)}" + (f" ({shown})" if shown else "")
        if self.next is not None:
            for name, weight in sorted(self.next.rule.weights.items(), key=lambda one: one[1]):
                yield f"{name.replace('_', ' ')} counts {weight:.2f} times"
            for kind, offset in self.next.rule.offsets.items():
                yield f"{kind} accounts: {offset:+.2f}"


class Flips(NamedTuple):
    """What a proposal would make of past alerts with a verdict: the alerts (ids) that would change."""

    dismissed_that_would_not_alert: list[str]
    confirmed_that_would_not_alert: list[str]
    dismissed_that_would_alert: list[str]
    confirmed_that_would_alert: list[str]


def run(engine: Engine, settings: Settings, now: datetime) -> Answer:
    """The scheduled calibration; waits for the first training, and leaves alone what was set by hand lately."""
    with reading(engine) as connection:
        held = thresholds.in_force(connection)
    if held is None:
        return {"waiting_for": "a model"}
    if held.held_until is not None and held.held_until > now:
        kept: Answer = {
            "threshold": held.rule.value,
            "kept": f"set by hand, held until {held.held_until:%Y-%m-%d %H:%M} UTC",
        }
        return kept | shown(propose(engine, settings, now))
    proposal = _decide(engine, settings, now)
    return answer(proposal) | shown(proposal)


def calibrate(engine: Engine, settings: Settings, now: datetime | None = None, tell: Progress = silent) -> Answer:
    """Decide the next threshold; it stays where it is when there is too little to go by, and the answer says so."""
    return answer(_decide(engine, settings, now or datetime.now(UTC)))


def _decide(engine: Engine, settings: Settings, now: datetime) -> Proposal:
    with writing(engine) as connection:
        proposal = _propose(connection, settings, now)
        if proposal.recalibrated is not None and proposal.held.model_id is not None:
            models.recalibrate(connection, proposal.held.model_id, proposal.recalibrated, now)
        if proposal.next is not None:
            thresholds.decide(connection, proposal.next, now, proposal.held.model_id)
    return proposal


def propose(engine: Engine, settings: Settings, now: datetime) -> Proposal:
    """What ``calibrate`` would decide, and which past verdicts would flip; changes nothing."""
    with reading(engine) as connection:
        return _propose(connection, settings, now)


def answer(proposal: Proposal) -> Answer:
    """The outcome in numbers and words, as a job reports it."""
    was, decided, told = proposal.held.rule.value, proposal.next, dict[str, int | float | str]()
    if proposal.recalibrated is not None:
        told["score_recalibrated"] = f"{proposal.recalibrated.factor:.2f} times as many odd logins as ordinary"
    if decided is None:
        told["threshold"], told["kept"] = was, proposal.why
        return told
    told["threshold"], told["was"], told["reviews"] = round(decided.rule.value, 3), round(was, 3), decided.reviews_used
    if decided.expected_precision is not None:
        told["expected_precision"] = round(decided.expected_precision, 3)
    told["expected_alerts_per_day"] = round(decided.expected_alerts_per_day or 0.0, 1)
    if decided.missed is not None:
        told["missed_a_week"] = f"{decided.missed:.0f} ({decided.missed_low:.0f} to {decided.missed_high:.0f})"
    contradicted = decided.spread.get("contradicted", 0)
    if contradicted:
        told["contradicted"] = int(contradicted)
    told["basis"] = decided.basis
    return told


def shown(proposal: Proposal) -> Answer:
    """What was weighed, for the thresholds page, which reads it from the run's row; alerts that flip by their ids."""
    if proposal.weighed is None or proposal.flips is None:
        return {}
    told: Answer = {"proposed": round(proposal.weighed.rule.value, 3), "proposed_basis": proposal.weighed.basis}
    told["proposed_alerts_per_day"] = round(proposal.weighed.expected_alerts_per_day or 0.0, 1)
    if proposal.weighed.expected_precision is not None:
        told["proposed_precision"] = round(proposal.weighed.expected_precision, 3)
    for what, alerts in proposal.flips._asdict().items():
        told[what], told[f"{what}_first"] = len(alerts), ",".join(alerts[:MOST_SHOWN])
    return told


def _propose(connection: Connection, settings: Settings, now: datetime) -> Proposal:
    held, model = thresholds.in_force(connection), models.active_model(connection)
    if held is None or model is None:
        raise CalibrationError("there is no threshold to move yet: run `monitor train` first")
    held = replace(held, model_id=model.model_id)
    newest = insight.newest_score(connection)
    recent = None
    if newest is not None:
        features, until = model.scorer.features, newest + timedelta(microseconds=1)
        recent = calibration.recent(connection, model.model_id, features, until, LOOK_BACK)
    if recent is None or recent.days < LEAST_DAYS:
        return Proposal(held, None, "less than a day of scores to go by")
    judged = calibration.judgements(connection, model.model_id, recent.features, now)
    tail = model.scorer.calibration
    moved = recalibration(recent, recent.margins(tail, replace(held.rule, offsets={})), tail, held.rule.value)
    if moved is not None:
        tail, recent = moved.tail, replace(recent, same=recent.same & (recent.time >= moved.since.timestamp()))
    before = thresholds.before(connection, now - STEP) or held
    wishes = Wishes(settings.alerts_per_day, settings.target_precision, settings.audit_sample_per_day)
    decided = decide(recent, judged, tail, held.rule, before.rule, _expected(held, wishes), wishes, now)
    flips = _flips(judged, tail, model.scorer.calibration, held.rule, decided.rule)
    numbers = {name: len(found) for name, found in flips._asdict().items()}
    decided = replace(decided, spread={**decided.spread, **numbers})
    if moved is None and _alike(held.rule, decided.rule):
        return Proposal(held, None, "it would hardly move", decided, flips=flips)
    return Proposal(held, decided, decided.basis, decided, moved, flips)


def _expected(held: thresholds.InForce, wishes: Wishes) -> Expected:
    per_day = held.expected_alerts_per_day
    if per_day is not None and held.rule.audit:
        per_day = max(per_day - wishes.audited, 0.0)
    return Expected(held.expected_precision, per_day)


def _alike(one: AlertRule, other: AlertRule) -> bool:
    names = {*one.weights, *other.weights}
    moves = [one.value - other.value]
    moves += [one.weights.get(name, 1.0) - other.weights.get(name, 1.0) for name in names]
    moves += [one.offsets.get(name, 0.0) - other.offsets.get(name, 0.0) for name in {*one.offsets, *other.offsets}]
    return max(map(abs, moves)) < LEAST_MOVE and len(one.audit) == len(other.audit)


def _flips(judged: Judgements, tail: Tail, was: Tail, held: AlertRule, decided: AlertRule) -> Flips:
    """Alerts with a verdict that the next rule would silence, or raise from the audit sample."""
    stands = judged.take(judged.latest)
    before, after = stands.margins(was, held) >= held.value, stands.margins(tail, decided) >= decided.value

    def named(flipped: "np.ndarray", confirmed: bool) -> list[str]:
        return [str(alert) for alert in stands.alert[flipped & (stands.confirmed == confirmed)]]

    silenced, raised = before & ~after, ~before & after
    return Flips(named(silenced, False), named(silenced, True), named(raised, False), named(raised, True))
