"""The job ``train``: baselines from all history, and a detector on how ordinary logins depart from them.

History is replayed through the same steps that score new logins, batch by batch in order of time, into tables beside
the live ones; so what was confirmed, undone or dismissed since then counts as it stands today. One transaction swaps
everything in: a training that dies leaves nothing behind.
"""

import platform
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine

from monitor import columns, features
from monitor.calibration import first_threshold
from monitor.config import Settings
from monitor.events import MonitorError
from monitor.features import Measured, measure
from monitor.impostors import with_impostors
from monitor.progress import Progress, silent
from monitor.rule import AlertRule
from monitor.scoring import HELD_BACK, Scorer, calibrated
from monitor.sequences import latest, windows
from monitor.store import accounts, models, population, reviews, scores, thresholds, unscored
from monitor.store.engine import writing
from monitor.training import Examples, no_worse, quality

BATCH = 50_000
SEED = 20_170_330

#: Windows that a detector trains on at most, drawn evenly from the history.
MOST_WINDOWS = 120_000

#: The first part of the history only fills the baselines: nearly everything in it is new.
WARM_UP = 0.3

#: Impostors per login in the held-back part, enough to compare two models by.
IMPOSTORS = 0.1


class TooLittleHistoryError(MonitorError):
    """Not enough logins to learn from."""


@dataclass
class Replay:
    """What a replay of history yields: windows of ordinary logins, and of impostors in the held-back part."""

    history: unscored.History
    until: datetime
    learned: int = 0
    ordinary: Examples = field(default_factory=Examples)
    impostors: Examples = field(default_factory=Examples)

    @property
    def begin(self) -> float:
        """When the warm-up ends (s)."""
        return self.history.first.timestamp() + WARM_UP * self.seconds

    @property
    def held_back(self) -> float:
        """When the part begins that no detector trains on (s)."""
        return self.history.last.timestamp() - HELD_BACK * (1 - WARM_UP) * self.seconds

    @property
    def seconds(self) -> float:
        return (self.history.last - self.history.first).total_seconds()


def run(engine: Engine, settings: Settings, now: datetime) -> dict[str, int | float | str]:
    """The scheduled training; waits for history."""
    try:
        return train(engine, settings, now, settings.detector)
    except TooLittleHistoryError as error:
        return {"windows": 0, "waiting_for": str(error)}


def train(
    engine: Engine, settings: Settings, until: datetime, detector_name: str, tell: Progress = silent
) -> dict[str, int | float | str]:
    """Learn from every event before ``until``; raises ``TooLittleHistoryError``. Scoring then starts at ``until``."""
    now = datetime.now(UTC)
    with writing(engine) as connection:
        scores.lock_scoring(connection, wait=True)
        history = unscored.history(connection, until)
        if history is None:
            raise TooLittleHistoryError(f"there are no logins before {until:%Y-%m-%d %H:%M} UTC to learn from")
        replay = Replay(history, until)
        accounts.rebuild_beside(connection)
        _replay(connection, settings, replay, tell)
        scorer = _fit(replay, detector_name, tell)
        accounts.replace_live(connection)
        unscored.learned_until(connection, until)
        unscored.mark_relearned(connection, until, until - timedelta(days=settings.patience_days), now)
        outcome = _install(connection, settings, replay, scorer, now)
    counts = {"events": history.events, "learned": replay.learned, "windows": len(replay.ordinary)}
    return {**counts, **outcome}


def _replay(connection: Connection, settings: Settings, replay: Replay, tell: Progress) -> None:
    """Build the baselines afresh in the tables beside; on the way, draw the windows to train on."""
    rng = np.random.default_rng(SEED)
    share = min(1.0, MOST_WINDOWS / max(replay.history.events * (1 - WARM_UP), 1))
    since, done = replay.history.first, 0
    patience_before = replay.until - timedelta(days=settings.patience_days)
    while done < replay.history.events:
        events = unscored.stored_between(connection, since, replay.until, patience_before, BATCH)
        measured = _measure(connection, settings, events)
        logins = measured.past.logins
        eligible = logins.learnable & (logins.time >= replay.begin) & (rng.random(len(logins)) < share)
        replay.ordinary.draw(measured, np.flatnonzero(eligible))
        replay.learned += int(measured.past.learned.sum())
        if logins.time.max() >= replay.held_back:
            _draw_impostors(connection, settings, replay, events, share, rng)
        _save(connection, measured)
        done += len(events)
        since = events["occurred_at"].max() + timedelta(microseconds=1)
        tell("baselines", done, replay.history.events)


def _measure(connection: Connection, settings: Settings, events: pd.DataFrame) -> Measured:
    """Evidence of a batch against the baselines rebuilt so far, with everything learned that may be."""
    logins = columns.encode(events.assign(vouched=reviews.vouched(connection, events)))
    stored = accounts.load_baselines(connection, logins.accounts, accounts.REBUILT)
    known = population.load_population(connection, logins, accounts.REBUILT)
    return measure(logins, stored, known, np.ones(len(logins), bool), settings.half_life_days)


def _draw_impostors(
    connection: Connection,
    settings: Settings,
    replay: Replay,
    events: pd.DataFrame,
    share: float,
    rng: np.random.Generator,
) -> None:
    """Measure the batch once more with impostors in it, and keep their windows alone."""
    mixed = with_impostors(events, IMPOSTORS * share, rng)
    measured = _measure(connection, settings, mixed)
    late = measured.past.logins.time >= replay.held_back
    replay.impostors.draw(measured, np.flatnonzero(mixed["impostor"].to_numpy(bool) & late))


def _save(connection: Connection, measured: Measured) -> None:
    logins = measured.past.logins
    window = latest(logins, windows(logins, measured.strength, measured.past.stored.window))
    accounts.save_baselines(connection, logins.accounts, measured.past.after(window), accounts.REBUILT)
    population.save_population(connection, measured.crowd.after(), accounts.REBUILT)


def _fit(replay: Replay, detector_name: str, tell: Progress) -> Scorer:
    def progress(epoch: int, epochs: int, loss: float, held_back: float) -> None:
        tell(detector_name, epoch, epochs, f"loss {loss:.4f}, held back {held_back:.4f}")

    examples = replay.ordinary
    if not len(examples):
        raise TooLittleHistoryError(f"{replay.history.events} logins are too few to train on")
    try:
        return Scorer.fit(
            features.NAMES,
            examples.windows,
            examples.time,
            replay.held_back,
            detector_name,
            SEED,
            progress,
        )
    except ValueError as error:
        raise TooLittleHistoryError(f"training {error}; there are {replay.history.events}") from None


def _install(
    connection: Connection, settings: Settings, replay: Replay, scorer: Scorer, now: datetime
) -> dict[str, int | float | str]:
    """Store the model, with a first threshold; it takes over unless the one at work notices more impostors."""
    active, held = models.active_model(connection), thresholds.in_force(connection)
    if held is not None:
        scorer = _weighted(scorer, replay, held.rule)
    mine = quality(scorer, replay.ordinary, replay.impostors, replay.held_back)
    theirs = None
    if active is not None and active.scorer.features == scorer.features:
        theirs = quality(active.scorer, replay.ordinary, replay.impostors, replay.held_back)
    accepted = no_worse(mine, theirs, len(replay.impostors))
    metadata = _metadata(replay, scorer, mine, theirs)
    model_id = models.add_model(connection, scorer, replay.until, metadata, now, accepted=accepted)
    if accepted:
        logins_per_day = unscored.logins_per_day(connection, replay.until)
        decision = first_threshold(logins_per_day, settings.alerts_per_day, held.rule if held else None)
        if held is not None and held.held_until is not None and held.held_until > now:
            basis = "set by hand, and kept for the new model"
            decision = replace(decision, rule=held.rule, basis=basis, held_until=held.held_until)
        thresholds.decide(connection, decision, now, model_id)
    return {"model": str(model_id), "accepted": "yes" if accepted else "no: it notices fewer impostors"} | (
        {"impostors_noticed": round(mine, 3)} if mine is not None else {}
    )


def _weighted(scorer: Scorer, replay: Replay, rule: AlertRule) -> Scorer:
    """The scorer, its score calibrated on evidence that counts as much as reviewers taught it to."""
    if not rule.weights:
        return scorer
    late = np.flatnonzero(replay.ordinary.time >= replay.held_back)
    raw = scorer.score(replay.ordinary.windows.take(late), rule.weight(scorer.features)).raw
    return replace(scorer, calibration=calibrated(raw))


def _metadata(replay: Replay, scorer: Scorer, mine: float | None, theirs: float | None) -> dict[str, Any]:
    libraries = ("torch", "numpy", "pandas", "scikit-learn", "safetensors")
    return {
        "losses": [{"training": training, "held_back": held} for training, held in scorer.detector.losses],
        "first_event_at": replay.history.first.isoformat(),
        "last_event_at": replay.history.last.isoformat(),
        "events": replay.history.events,
        "windows": len(replay.ordinary),
        "seed": SEED,
        "impostors": len(replay.impostors),
        "impostors_noticed": mine,
        "impostors_noticed_by_predecessor": theirs,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in libraries}},
    }
