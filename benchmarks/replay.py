"""Training and scoring in memory, through the steps that the jobs use: for figures of quality no database is needed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from monitor.baselines import Baselines, Entries
from monitor.calibration import first_threshold
from monitor.columns import LENGTH, Ints, Objects, encode
from monitor.detectors import Progress
from monitor.events import account_id, validate
from monitor.features import NAMES, measure
from monitor.judging import Judged, Reviewed, judge
from monitor.population import Population
from monitor.scoring import HELD_BACK, Scorer
from monitor.sequences import Rows, latest, windows
from monitor.simulation import Simulated
from monitor.training import Examples

Column = TypeVar("Column", bound=np.ndarray)

HALF_LIFE_DAYS, ALERTS_PER_DAY, PATIENCE_DAYS = 60.0, 20.0, 14.0

#: As in training: the first part of the history only fills the baselines; windows are drawn from the rest.
WARM_UP, MOST_WINDOWS = 0.3, 120_000

#: Simulated attacks begin here, but for a few.
TRAINED_ON = 2 / 3


@dataclass(frozen=True)
class History:
    """What was learned from the events before ``later``: baselines, population, and the windows to train on."""

    events: pd.DataFrame
    later: pd.DataFrame
    accounts: Objects
    baselines: Baselines
    population: Population
    examples: Examples
    held_back: float
    strength: Rows  # of all events
    drawn: Ints  # the rows of the examples among the events

    def fit(self, detector: str, seed: int, progress: Progress = lambda *_: None) -> tuple[Scorer, float]:
        """A scorer around the detector, and the seconds it took."""
        begun = time.perf_counter()
        examples = self.examples
        scorer = Scorer.fit(NAMES, examples.windows, examples.time, self.held_back, detector, seed, progress)
        return scorer, time.perf_counter() - begun

    def judge(self, scorer: Scorer, later: pd.DataFrame | None = None) -> list[Judged]:
        """Score the later events as the job does: what alerts, at the threshold of a new model, is not learned."""
        logins = encode(self.later if later is None else later)
        days = np.ptp(self.events["occurred_at"]) / timedelta(days=1)
        rule = first_threshold(len(self.events) / days, ALERTS_PER_DAY).rule
        stored = aligned(self.baselines, self.accounts, logins.accounts)
        return judge(
            logins, stored, self.population, scorer, rule, HALF_LIFE_DAYS, Reviewed.nothing(logins, PATIENCE_DAYS)
        )[0]


def learned(simulated: Simulated, trained_on: float = TRAINED_ON, seed: int = 0) -> History:
    """Learn from the first part of a simulated organisation's events."""
    events = as_stored(simulated.events)
    first, last = events["occurred_at"].min(), events["occurred_at"].max()
    early = events["occurred_at"] < first.normalize() + (last - first).ceil("D") * trained_on
    history, later = events[early].reset_index(drop=True), events[~early].reset_index(drop=True)
    logins = encode(history)
    stored = Baselines.empty(len(logins.accounts), (LENGTH, len(NAMES)))
    measured = measure(logins, stored, Population.empty(), np.ones(len(logins), bool), HALF_LIFE_DAYS)
    begin, end = logins.time.min() + WARM_UP * np.ptp(logins.time), logins.time.max()
    eligible = np.flatnonzero(logins.time >= begin)
    if len(eligible) > MOST_WINDOWS:
        eligible = np.sort(np.random.default_rng(seed).choice(eligible, MOST_WINDOWS, replace=False))
    examples = Examples()
    examples.draw(measured, eligible)
    window = latest(logins, windows(logins, measured.strength, stored.window))
    return History(
        history,
        later,
        logins.accounts,
        measured.past.after(window),
        measured.crowd.after(),
        examples,
        end - HELD_BACK * (end - begin),
        measured.strength,
        eligible,
    )


def as_stored(events: pd.DataFrame) -> pd.DataFrame:
    """Events in canonical columns as a pass reads them from the store, sorted by account and time."""
    checked = validate(events.assign(line=np.arange(len(events))), "benchmark").events
    users, addresses = pd.factorize(checked["user"]), pd.factorize(checked["ip"])
    checked["account_id"] = np.array([str(account_id(user)) for user in users[1]], object)[users[0]]
    prefixes = [str(ip_network(f"{ip}/{48 if ':' in ip else 24}", strict=False)) for ip in addresses[1]]
    checked["network"] = pd.array(np.array([*prefixes, None], object)[addresses[0]], dtype="str")
    return checked.sort_values(["account_id", "occurred_at", "source", "event_id"], ignore_index=True)


def aligned(stored: Baselines, accounts: Objects, wanted: Objects) -> Baselines:
    """The baselines of the accounts ``wanted`` from those of ``accounts``; empty for new ones."""
    position = pd.Index(accounts).get_indexer(pd.Index(wanted))
    known = position >= 0
    number = np.full(len(accounts), -1)
    number[position[known]] = np.flatnonzero(known)
    empty = Baselines.empty(len(wanted), (LENGTH, stored.window.shape[2]))
    entries = {}
    for name, column in stored.entries.items():
        kept = number[column.account] >= 0
        entries[name] = Entries(
            number[column.account[kept]], column.value[kept], column.weight[kept], column.seen[kept]
        )
    empty.window[known] = stored.window[position[known]]
    return Baselines(
        np.where(known, stored.updated[position], np.nan),
        entries,
        {name: np.where(known, column[position], 0.0) for name, column in stored.statistics.items()},
        {name: np.where(known, column[position], np.nan) for name, column in stored.latest.items()},
        empty.window,
    )


def in_order(judged: list[Judged], column: Callable[[Judged], Column]) -> Column:
    """A column of all parts of a judgement, in the order of the batch."""
    rows = np.concatenate([part.rows for part in judged])
    values: Any = np.concatenate([column(part) for part in judged])
    ordered: Column = np.empty_like(values)
    ordered[rows] = values
    return ordered


def strength_of(judged: list[Judged]) -> Rows:
    """The evidence of every login as it was settled, float32 [n, features]."""
    return in_order(judged, lambda part: part.measured.strength[part.within])
