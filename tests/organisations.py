"""Small organisations for tests of the steps: logins as a pass reads them, and baselines kept in memory.

``Memory`` does for the steps what the database does for the jobs: it holds the state of every account and of the
population between batches. Tests of the steps thus need no server, and can cut a history into any batches they like.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import numpy as np
import pandas as pd

from monitor.baselines import BASELINE_FEATURES, Baselines, Entries
from monitor.columns import LENGTH, Flags, Floats, Logins, Objects, encode, seconds
from monitor.events import CANONICAL_COLUMNS, account_id, validate
from monitor.features import NAMES, Measured, measure
from monitor.judging import Judged, Reviewed, judge
from monitor.population import TOTALS, TRAFFIC, Population, Traffic, Weights, network_names
from monitor.rule import AlertRule
from monitor.scoring import HELD_BACK, Scorer
from monitor.sequences import latest, windows
from monitor.simulation import simulate
from monitor.training import Examples

HALF_LIFE_DAYS, PATIENCE_DAYS = 60.0, 14.0
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def login(at: float, user: str = "ada", **columns: object) -> dict[str, object]:
    """One login ``at`` hours after a Monday's midnight (UTC)."""
    return {"occurred_at": (MONDAY + timedelta(hours=at)).isoformat(), "user": user} | columns


def frame(logins: Iterable[dict[str, object]]) -> pd.DataFrame:
    """Logins as a pass reads them from the store, sorted by account and time."""
    records = pd.DataFrame(
        [{name: None if value is None else str(value) for name, value in login.items()} for login in logins],
        dtype=object,
    )
    records["line"] = np.arange(len(records))
    return stored(records)


def stored(records: pd.DataFrame) -> pd.DataFrame:
    """Raw records (text columns, or those of a simulation) as a pass reads them from the store."""
    validated = validate(records, "test")
    assert not len(validated.rejects), validated.rejects.iloc[0].to_dict()
    events = validated.events
    events["account_id"] = [str(account_id(user)) for user in events["user"]]
    prefixes = {ip: _network(ip) for ip in events["ip"].dropna().unique()}
    events["network"] = pd.array([prefixes.get(ip) for ip in events["ip"]], dtype="str")
    return events.sort_values(["account_id", "occurred_at", "source", "event_id"]).reset_index(drop=True)


def _network(ip: str) -> str:
    return str(ip_network(f"{ip}/{48 if ':' in ip else 24}", strict=False))


def in_order(events: pd.DataFrame) -> pd.DataFrame:
    """The events as the queue gives them: the oldest first."""
    return events.sort_values(["occurred_at", "account_id", "source", "event_id"]).reset_index(drop=True)


def batches(events: pd.DataFrame, size: int) -> list[pd.DataFrame]:
    """The events in order of time, in batches that are each sorted by account and time."""
    queue = in_order(events)
    parts = [queue.iloc[start : start + size] for start in range(0, len(queue), size)]
    return [part.sort_values(["account_id", "occurred_at", "source", "event_id"], ignore_index=True) for part in parts]


@dataclass
class Account:
    """The stored state of one account."""

    updated: float
    entries: dict[str, tuple[Objects, Floats, Floats]]
    statistics: dict[str, float]
    latest: dict[str, float]
    window: Any


@dataclass
class Memory:
    """Baselines and population between batches."""

    accounts: dict[str, Account] = field(default_factory=dict)
    touches: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    traffic: dict[tuple[str, str], tuple[Floats, float]] = field(default_factory=dict)
    waiting: list[pd.DataFrame] = field(default_factory=list)  # what alerted, and waits for verdicts

    def copy(self) -> "Memory":
        return Memory(dict(self.accounts), dict(self.touches), dict(self.traffic), list(self.waiting))

    def load(self, names: Objects) -> Baselines:
        """The baselines of the accounts ``names`` [a]."""
        held = [self.accounts.get(name) for name in names]
        empty = Baselines.empty(len(names), (LENGTH, len(NAMES)))
        known = [(number, account) for number, account in enumerate(held) if account is not None]
        if not known:
            return empty
        for number, account in known:
            empty.updated[number], empty.window[number] = account.updated, account.window
        for feature in BASELINE_FEATURES:
            parts = [(number, *account.entries[feature]) for number, account in known]
            empty.entries[feature] = Entries(
                np.concatenate([np.full(len(part[1]), part[0]) for part in parts]).astype(np.int64),
                *(np.concatenate([part[column] for part in parts]) for column in (1, 2, 3)),
            )
        some = known[0][1]
        return Baselines(
            empty.updated,
            empty.entries,
            {name: np.array([a.statistics[name] if a else 0.0 for a in held]) for name in some.statistics},
            {name: np.array([a.latest[name] if a else np.nan for a in held]) for name in some.latest},
            empty.window,
        )

    def save(self, names: Objects, after: Baselines, which: Flags) -> None:
        """Keep the baselines of the accounts for which ``which`` [a] holds."""
        for number in np.flatnonzero(which):
            rows = {feature: np.flatnonzero(after.entries[feature].account == number) for feature in BASELINE_FEATURES}
            self.accounts[names[number]] = Account(
                after.updated[number],
                {
                    feature: tuple(
                        getattr(after.entries[feature], c)[rows[feature]] for c in ("value", "weight", "seen")
                    )
                    for feature in BASELINE_FEATURES
                },
                {name: float(column[number]) for name, column in after.statistics.items()},
                {name: float(column[number]) for name, column in after.latest.items()},
                after.window[number].copy(),
            )

    def population(self, logins: Logins) -> Population:
        """What the population knows of the values of these logins."""
        wanted = {name: set(values.names) for name, values in logins.values.items()}
        wanted[TOTALS] = {value for feature, value in self.touches if feature == TOTALS}
        touches = {
            name: [(value, *self.touches[name, value]) for value in values if (name, value) in self.touches]
            for name, values in wanted.items()
        }
        places = {"address": set(logins.address.names), "network": set(network_names(logins))}
        traffic = {
            kind: [(value, *self.traffic[kind, value]) for value in values if (kind, value) in self.traffic]
            for kind, values in places.items()
        }
        return Population(
            {name: Weights(*_columns(rows)) for name, rows in touches.items() if rows},
            {kind: Traffic(*_columns(rows)) for kind, rows in traffic.items() if rows},
        )

    def add(self, changes: Population) -> None:
        for feature, part in changes.touches.items():
            for value, weight, updated in zip(part.value, part.weight, part.updated, strict=True):
                self.touches[feature, value] = (weight, updated)
        for kind, traffic in changes.traffic.items():
            assert traffic.sums.shape[1] == len(TRAFFIC)
            for value, sums, updated in zip(traffic.value, traffic.sums, traffic.updated, strict=True):
                self.traffic[kind, value] = (sums, updated)

    def learn(
        self, events: pd.DataFrame, half_life_days: float = HALF_LIFE_DAYS, ordinary: Flags | None = None
    ) -> Measured:
        """Measure a batch and learn all of it that may be learned, or what is ``ordinary`` [n]."""
        logins = encode(events)
        everyone = np.ones(len(logins.accounts), bool)
        learned = np.ones(len(logins), bool) if ordinary is None else ordinary
        measured = measure(logins, self.load(logins.accounts), self.population(logins), learned, half_life_days)
        window = latest(logins, windows(logins, measured.strength, measured.past.stored.window))
        self.save(logins.accounts, measured.past.after(window), everyone)
        self.add(measured.crowd.after())
        return measured

    def score(self, events: pd.DataFrame, scorer: Scorer, threshold: float) -> pd.DataFrame:
        """Score a batch and learn what was ordinary; score, raw, alerted and contributions by event_id."""
        logins = encode(events)
        reviewed = Reviewed.nothing(logins, PATIENCE_DAYS)
        if self.waiting:
            waiting = pd.concat(self.waiting).sort_values(["account_id", "occurred_at"])
            reviewed = replace(reviewed, waiting=encode(waiting))
        judged, changes = judge(
            logins,
            self.load(logins.accounts),
            self.population(logins),
            scorer,
            AlertRule(threshold),
            HALF_LIFE_DAYS,
            reviewed,
        )
        alerted = np.concatenate([part.rows[part.alerted] for part in judged])
        self.waiting += [events.iloc[alerted]] if len(alerted) else []
        for part in judged:
            self.save(part.measured.past.logins.accounts, part.after, part.settled)
        self.add(changes)
        return results(events, judged)


def _columns(rows: list[tuple[str, Any, float]]) -> tuple[Objects, Floats, Floats]:
    value, amount, updated = zip(*rows, strict=True)
    return np.array(value, object), np.array(amount), np.array(updated)


def results(events: pd.DataFrame, judged: list[Judged]) -> pd.DataFrame:
    """All parts of a judgement by event_id."""
    parts = [
        pd.DataFrame(
            {
                "score": part.scores.score,
                "raw": part.scores.raw,
                "alerted": part.alerted,
                "held": part.alerted | (part.follows >= 0),
            },
            index=pd.Index(events["event_id"].iloc[part.rows], name="event_id"),
        ).join(pd.DataFrame(part.scores.contribution, columns=list(NAMES), index=events["event_id"].iloc[part.rows]))
        for part in judged
    ]
    return pd.concat(parts)


@dataclass(frozen=True)
class Organisation:
    """A simulated organisation: a model trained on the first part, the state after it, and the events that follow."""

    history: pd.DataFrame
    later: pd.DataFrame
    attacks: set[str]
    memory: Memory
    scorer: Scorer
    ordinary: Examples
    held_back: float

    def scored(self, events: pd.DataFrame, size: int, threshold: float = 2.5) -> pd.DataFrame:
        """The events scored in batches of ``size`` after the training period, in order of event_id."""
        memory = self.memory.copy()
        return pd.concat([memory.score(part, self.scorer, threshold) for part in batches(events, size)]).sort_index()


def trained(events: pd.DataFrame, detector: str, seed: int = 1) -> tuple[Memory, Scorer, Examples, float]:
    """Replay events into fresh baselines and fit a scorer, as the job does."""
    memory, examples = Memory(), Examples()
    time = seconds(events["occurred_at"])
    begin, end = np.quantile(time, 0.3), time.max()
    held_back = end - HELD_BACK * (end - begin)
    for part in batches(events, 1_000):
        measured = memory.learn(part)
        examples.draw(measured, np.flatnonzero(measured.past.logins.time >= begin))
    scorer = Scorer.fit(NAMES, examples.windows, examples.time, held_back, detector, seed, lambda *_: None)
    return memory, scorer, examples, held_back


def organisation(
    population: str = "corporate", accounts: int = 40, days: int = 28, seed: int = 3, detector: str = "rarity"
) -> Organisation:
    """A simulated organisation, trained on the first two thirds (which hold no attacks)."""
    simulated = simulate(population, accounts, days, seed, early_incidents=0)
    attacks = set(simulated.labels.loc[simulated.labels["is_attack"].astype(bool), "event_id"])
    events = stored(simulated.events.assign(line=np.arange(len(simulated.events))))
    until = events["occurred_at"].min().normalize() + timedelta(days=days * 2 / 3)
    early = events["occurred_at"] < until
    history, later = events[early].reset_index(drop=True), events[~early].reset_index(drop=True)
    return Organisation(history, later, attacks, *trained(history, detector))


def canonical(events: pd.DataFrame) -> pd.DataFrame:
    """The columns that a source would give of the events."""
    return events[CANONICAL_COLUMNS]
