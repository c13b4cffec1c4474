"""The job ``score``: every event that has no score yet, oldest first, in batches that commit as a whole.

A batch is one transaction: scores, alerts, baselines and the queue change together or not at all, so that a pass may
be killed anywhere and the next one goes on as if nothing had happened.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError

from monitor import columns, features
from monitor.config import Settings
from monitor.events import CLOCK_SKEW, MonitorError
from monitor.jobs.alert import audit, follow, raise_alerts
from monitor.judging import WORTH_EXPLAINING, Judgement, Reviewed, judge, learn
from monitor.population import Population
from monitor.progress import Progress, silent
from monitor.rule import drawn
from monitor.store import accounts, models, population, reviews, scores, thresholds, unscored
from monitor.store.engine import explain, reading, writing

#: Events in one transaction: bounds memory and the work that a crash repeats.
BATCH = 50_000


class NoModelError(MonitorError):
    """Nothing can be scored before the first training."""


@dataclass(frozen=True)
class Pass:
    """What stays the same for all batches of one pass."""

    model: models.StoredModel
    threshold: thresholds.InForce
    settings: Settings
    now: datetime


def run(engine: Engine, settings: Settings, now: datetime) -> dict[str, int | float | str]:
    """The scheduled pass; before the first training, and while another process scores or trains, it waits."""
    with reading(engine) as connection:
        if models.active_model_id(connection) is None:
            return {"scored": 0, "waiting_for": "a model"}
    return score(engine, settings, now, wait=False)


def score(
    engine: Engine,
    settings: Settings,
    now: datetime,
    until: datetime | None = None,
    tell: Progress = silent,
    *,
    wait: bool = True,
) -> dict[str, int | float | str]:
    """Score everything unscored before ``until``; returns counts. Raises ``NoModelError`` before the first training."""
    limit = min(until, now + CLOCK_SKEW) if until else now + CLOCK_SKEW
    with reading(engine) as connection:
        pass_ = _prepare(connection, settings, now)
        total = unscored.count_unscored(connection, limit)
    counts = Counter({"scored": 0, "alerts": 0, "alerted": 0, "quarantined": 0, "learned_late": 0, "audited": 0})
    events = _read(engine, limit)
    with ThreadPoolExecutor(1) as reader:  # the next batch is read while this one is scored
        while True:
            with writing(engine) as connection:
                if not scores.lock_scoring(connection, wait=wait):
                    return {**counts, "waiting_for": "another process that scores or trains"}
                events = _take(connection, events, limit)
                more = len(events) >= BATCH
                ahead = reader.submit(_read, engine, limit, events["occurred_at"].max()) if more else None
                _score_batch(connection, events, pass_, counts)
            done = counts["scored"] + counts["quarantined"]
            tell("score", done, max(total, done))
            if ahead is None:
                return dict(counts)
            events = ahead.result()


def _prepare(connection: Connection, settings: Settings, now: datetime) -> Pass:
    model, threshold = models.active_model(connection), thresholds.in_force(connection)
    if model is None or threshold is None:
        raise NoModelError("there is no model yet: run `monitor train` first")
    if model.scorer.features != features.NAMES:
        raise NoModelError("the active model was trained by another version: run `monitor train`")
    return Pass(model, threshold, settings, now)


def _read(engine: Engine, limit: datetime, after: datetime | None = None) -> pd.DataFrame:
    """The oldest unscored events, beginning ``after`` the newest of the batch that is being scored."""
    with reading(engine) as connection:
        return unscored.next_unscored(connection, limit, BATCH, after)


def _take(connection: Connection, events: pd.DataFrame, limit: datetime) -> pd.DataFrame:
    """Take events off the queue; if some are gone since they were read, take what is the oldest now."""
    with connection.begin_nested() as savepoint:
        if unscored.no_longer_unscored(connection, events) == len(events):
            return events
        savepoint.rollback()
    events = unscored.next_unscored(connection, limit, BATCH)
    unscored.no_longer_unscored(connection, events)
    return events


def _score_batch(connection: Connection, events: pd.DataFrame, pass_: Pass, counts: Counter[str]) -> None:
    """Score one batch, and learn what may be learned late by then."""
    until = events["occurred_at"].max() if len(events) else pass_.now
    counts["learned_late"] += _learn_late(connection, pass_, until)
    if len(events):
        _score(connection, events, pass_, counts)


def _score(connection: Connection, events: pd.DataFrame, pass_: Pass, counts: Counter[str]) -> None:
    """Score and store events; what cannot be scored is found by halving, and set aside with the reason."""
    try:
        with connection.begin_nested():  # whatever a failed step leaves half done is taken back
            counts.update(_score_together(connection, events, pass_))
    except (ArithmeticError, ValueError, LookupError, TypeError, DataError) as error:
        if len(events) == 1:
            unscored.quarantine(connection, events, explain(error), pass_.now)
            counts["quarantined"] += 1
            return
        half = len(events) // 2
        _score(connection, events.iloc[:half].reset_index(drop=True), pass_, counts)
        _score(connection, events.iloc[half:].reset_index(drop=True), pass_, counts)


def _score_together(connection: Connection, events: pd.DataFrame, pass_: Pass) -> dict[str, int]:
    """Score events, and store their scores, the alerts and all that was learned; returns counts."""
    logins = columns.encode(events.assign(vouched=reviews.vouched(connection, events)))
    since = events["occurred_at"].min() - timedelta(days=pass_.settings.patience_days)
    waiting = unscored.waiting_for_verdicts(connection, logins.accounts, since)
    judged, changes = _judge(connection, events, logins, waiting, pass_)
    chances = pass_.threshold.rule.chances(judged.scores.score, judged.threshold)
    held = judged.alerted | (judged.follows >= 0)
    audited = drawn(events, chances, pass_.model.model_id.hex) & ~held
    explained = np.flatnonzero((judged.scores.score >= WORTH_EXPLAINING) | held | audited)
    words = judged.words(explained)
    threshold_id = pass_.threshold.threshold_id
    scores.add_scores(
        connection,
        events,
        judged,
        scores.Texts(explained, words.observed, words.usual),
        threshold_id=threshold_id,
        model_id=pass_.model.model_id,
        scored_at=pass_.now,
    )
    opened = raise_alerts(connection, events, judged, explained, words, threshold_id, pass_.now)
    follow(connection, events, judged, explained, words, waiting, threshold_id)
    audit(connection, events, judged, explained, words, audited, chances, threshold_id, pass_.now)
    accounts.save_baselines(connection, logins.accounts, judged.after)
    population.save_population(connection, changes)
    alerted = int(judged.alerted.sum())
    return {"scored": len(events), "alerts": opened, "alerted": alerted, "audited": int(audited.sum())}


def _judge(
    connection: Connection, events: pd.DataFrame, logins: columns.Logins, waiting: pd.DataFrame, pass_: Pass
) -> tuple[Judgement, Population]:
    """Read what is known of the events' accounts and values, and score them; ``ValueError`` on a score that is none."""
    stored = accounts.load_baselines(connection, logins.accounts)
    known = population.load_population(connection, logins)
    reviewed = Reviewed(columns.encode(waiting), pass_.settings.patience_days)
    parts, changes = judge(
        logins, stored, known, pass_.model.scorer, pass_.threshold.rule, pass_.settings.half_life_days, reviewed
    )
    judged = Judgement.of(parts)
    if not np.isfinite(judged.scores.score).all():
        raise ValueError("the score is no finite number")
    return judged, changes


def _learn_late(connection: Connection, pass_: Pass, until: datetime) -> int:
    """Learn what was dismissed since, and what nobody reviewed for too long, as of the time that is being scored."""
    moment = min(until, pass_.now)
    patience = timedelta(days=pass_.settings.patience_days)
    events = unscored.due_for_learning(connection, moment - patience, moment)
    if len(events) == 0:
        return 0
    logins = columns.encode(events)
    stored = accounts.load_baselines(connection, logins.accounts)
    known = population.load_population(connection, logins)
    learned = learn(logins, stored, known, pass_.settings.half_life_days)
    accounts.save_baselines(connection, logins.accounts, learned)
    unscored.mark_learned(connection, events, pass_.now)
    return len(events)
