"""Incidents found by asking: ours beside active anomaly discovery. python -m benchmarks.active [--seeds 1,2,3,4,5]

Every method ranks the same later logins by the same contributions of features, and asks about the first of them that
was not answered for yet. AADForest (coniferest's; Das et al., arXiv:1708.09441) learns anew after each verdict, as its
authors have it; ours after each ten, a day's worth, as ``monitor calibrate`` does. Answers come from the labels, one in
twenty of them wrong, and the same for everyone. In memory, without a database.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from coniferest.aadforest import AADForest
from coniferest.label import Label

from benchmarks.common import report
from benchmarks.replay import in_order, learned
from monitor.alerting import INCIDENT_GAP_S
from monitor.calibration import Judgements, first_threshold
from monitor.calibration.decision import balance, oddness_at
from monitor.calibration.weights import learn
from monitor.columns import Flags, Floats, Ints, Objects, encode
from monitor.detectors import DEFAULT
from monitor.features import NAMES
from monitor.sequences import Rows
from monitor.simulation import POPULATIONS, simulate

START = datetime(2026, 1, 5, tzinfo=UTC)
DAYS, LEARNED = 60, 0.5
WRONG, A_DAY = 0.05, 10
ASKED = (60, 100)


@dataclass(frozen=True)
class Pool:
    """Logins to ask about [n]: contributions, ``incident`` ("" of ordinary ones), and reviewers' ``answer``."""

    evidence: Rows
    account: Ints
    time: Floats
    incident: Objects
    answer: Flags
    oddness: float

    def covered(self, row: int) -> Flags:
        """What a verdict on one login answers for: its incident, or else its account's logins close to it."""
        if self.incident[row]:
            same: Flags = self.incident == self.incident[row]
            return same
        near: Flags = (self.account == self.account[row]) & (np.abs(self.time - self.time[row]) <= INCIDENT_GAP_S)
        return near


@dataclass
class Ours:
    """The sum of contributions, by weights that are refitted after a day's verdicts."""

    pool: Pool
    weights: dict[str, float] = field(default_factory=dict)
    refits: bool = True

    def score(self) -> Floats:
        scores: Floats = self.pool.evidence @ np.array([self.weights.get(name, 1.0) for name in NAMES])
        return scores

    def learn(self, asked: list[int]) -> None:
        if self.refits and len(asked) % A_DAY == 0:
            judged = judgements(self.pool, np.array(asked))
            expected = (judged.confirmed.sum() + 1) / (len(asked) + 2)
            self.weights = learn(judged, self.pool.oddness, balance(expected), self.weights, self.weights)


class Active:
    """AADForest, refitted after every verdict."""

    def __init__(self, pool: Pool, seed: int, **settings: Any) -> None:
        self.pool = pool
        self.data = pool.evidence.astype(np.float64)
        self.forest = AADForest(random_seed=seed, n_jobs=1, **settings).fit(self.data)

    def score(self) -> Floats:
        scores: Floats = -self.forest.score_samples(self.data)  # lower is odder there
        return scores

    def learn(self, asked: list[int]) -> None:
        labels = np.where(self.pool.answer[asked], Label.ANOMALY, Label.REGULAR)
        self.forest.fit_known(self.data, self.data[asked], labels)


#: Name in the table → method. The second forest has the tau of its authors' examples, and is held to its first weights.
METHODS: dict[str, Callable[[Pool, int], Ours | Active]] = {
    "ours": lambda pool, _: Ours(pool),
    "ours, verdicts ignored": lambda pool, _: Ours(pool, refits=False),
    "AADForest": Active,
    "AADForest, tau 0.03, prior 0.5": lambda pool, seed: Active(pool, seed, budget=0.03, prior_influence=0.5),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="1,2,3,4,5", help="Seeds of the organisations, by commas.")
    parser.add_argument("--population", choices=list(POPULATIONS), default="corporate")
    parser.add_argument("--accounts", type=int, default=500)
    parser.add_argument("--detector", default=DEFAULT, help="A name from monitor/detectors/__init__.py.")
    arguments = parser.parse_args()
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for seed in map(int, arguments.seeds.split(",")):
        pool = pool_of(arguments.population, arguments.accounts, seed, arguments.detector)
        for name, method in METHODS.items():
            found = incidents_found(pool, method(pool, seed))
            for asked in ASKED:
                row = rows.setdefault((name, asked), {"method": name, "verdicts": asked})
                row[f"seed {seed}"] = found[asked - 1]
        print(f"seed {seed}: {len(pool.time):,} logins, {len(set(pool.incident) - {''})} incidents", flush=True)
    title = f"Incidents found, {arguments.accounts:,} accounts, {arguments.population}"
    report("active", title, list(rows.values()), detector=arguments.detector)


def pool_of(population: str, accounts: int, seed: int, detector: str) -> Pool:
    """Learn from the first half of a simulated organisation; the second is asked about."""
    simulated = simulate(population, accounts, DAYS, seed, START, attacks_from=LEARNED)
    history = learned(simulated, LEARNED, seed)
    scorer, _ = history.fit(detector, seed)
    judged = history.judge(scorer)
    logins = encode(history.later)
    attacks = simulated.labels[simulated.labels["is_attack"].astype(bool)]
    named = dict(zip(attacks["event_id"], attacks["incident"].astype(str), strict=True))
    incident = history.later["event_id"].map(named).fillna("").to_numpy(object)
    threshold = first_threshold(len(history.events) / (DAYS * LEARNED), A_DAY).rule.value
    return Pool(
        in_order(judged, lambda part: part.scores.contribution),
        logins.account,
        logins.time,
        incident,
        (incident != "") != (np.random.default_rng([seed, 2]).random(len(incident)) < WRONG),
        oddness_at(scorer.calibration, threshold),
    )


def incidents_found(pool: Pool, method: Ours | Active) -> list[int]:
    """Incidents shown to the reviewers after each verdict."""
    asked: list[int] = []
    found: list[int] = []
    seen: set[str] = set()
    answered = np.zeros(len(pool.time), bool)
    for _ in range(max(ASKED)):
        row = int(np.argmax(np.where(answered, -np.inf, method.score())))
        answered |= pool.covered(row)
        asked.append(row)
        seen |= {pool.incident[row]} - {""}
        found.append(len(seen))
        method.learn(asked)
    return found


def judgements(pool: Pool, asked: Ints) -> Judgements:
    """The verdicts as calibration takes them: given by a reviewer each in turn, all standing."""
    yes, no = np.ones(len(asked), bool), np.zeros(len(asked), bool)
    return Judgements(
        NAMES,
        time=np.arange(len(asked), dtype=float),
        evidence=pool.evidence[asked],
        raw=pool.evidence[asked].sum(axis=1, dtype=np.float64),
        score=np.zeros(len(asked)),
        same=yes,
        segment=np.full(len(asked), "people", object),
        alert=asked.astype(object),
        reviewer=np.array(["ada", "bob", "cleo", "dan", "eve"], object)[np.arange(len(asked)) % 5],
        confirmed=pool.answer[asked],
        margin=np.zeros(len(asked)),
        alerted=yes,
        chance=np.ones(len(asked)),
        share=np.ones(len(asked)),
        current=yes,
        latest=yes,
        contradicted=no,
        found=no,
    )


if __name__ == "__main__":
    main()
