"""Our detectors beside others on the same events: python -m benchmarks.peers [--accounts 1000 --days 60 --seed 1]

For both simulated populations: the share of incidents found within their first three events when a given share of
ordinary logins may be false alarms, average precision, the same for accounts with thin history, and what it costs.
Every detector of ours learns the baselines anew and does not learn what it alerts on itself. All are compared on one
organisation of each population; the default detector's mean over several more stands in a row of its own.
"""

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common import report
from benchmarks.replay import History, in_order, learned, strength_of
from benchmarks.rivals import MOST_ROWS, RIVALS, Outcome, Task
from monitor.columns import Flags, Floats, encode
from monitor.detectors import DEFAULT, REGISTRY
from monitor.evaluation import BUDGETS, clean_labels, evaluate
from monitor.evaluation import judge as beside_labels
from monitor.judging import Judged
from monitor.rule import THIN_HISTORY
from monitor.scoring import Scorer
from monitor.sequences import Rows, windows
from monitor.simulation import POPULATIONS, Simulated, simulate

ENRICHED = {"lstm_autoencoder + generated": "benchmarks.enriched:EnrichedLSTMAutoencoder"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--population", choices=[*POPULATIONS, "both"], default="both")
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=5, help="organisations, from --seed on, for the default's mean")
    parser.add_argument("--only", nargs="*", help="names in the table; the default detector always runs")
    options = parser.parse_args()
    REGISTRY.update(ENRICHED)
    populations = list(POPULATIONS) if options.population == "both" else [options.population]
    rows = []
    for population in populations:
        found = []
        for seed in range(options.seed, options.seed + options.seeds):
            simulated = simulate(population, options.accounts, options.days, seed)
            found.append(compared(simulated, seed, options.only if seed == options.seed else [DEFAULT]))
        if len(found) > 1:
            found[0].insert(1, mean(f"{DEFAULT} (ours), mean of {len(found)}", [table[0] for table in found]))
        rows += [{"population": population, **row} for row in found[0]]
    title = f"{options.accounts:,} accounts, {options.days} days, seed {options.seed}: incidents found in three events"
    report("peers", title, rows, accounts=options.accounts, days=options.days, seed=options.seed)


def mean(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A row of the mean of each figure, or of those that could be computed."""
    figures = pd.DataFrame(rows).drop(columns="detector").astype(float).mean()
    return {"detector": name, **{column: None if np.isnan(value) else value for column, value in figures.items()}}


def compared(simulated: Simulated, seed: int, only: list[str] | None = None) -> list[dict[str, Any]]:
    """A row for every detector and rival, the default first."""
    history = learned(simulated)
    measure = Measure(simulated, history)
    rows, settled = [], None
    for name in sorted(REGISTRY, key=lambda name: name != DEFAULT):
        if only and name not in only and name != DEFAULT:
            continue
        scorer, seconds = history.fit(name, seed)
        judged = history.judge(scorer)
        if settled is None:
            settled = judged
            measure.thin = in_order(judged, lambda part: part.history) < THIN_HISTORY
        outcome = Outcome(in_order(judged, _score), seconds, _scoring_seconds(history, scorer, judged))
        rows.append({"detector": f"{name} (ours)", **measure(outcome)})
        print(f"{name} is done", flush=True)
    assert settled is not None
    task = task_of(history, strength_of(settled), seed)
    for name, rival in RIVALS.items():
        if not only or name in only:
            rows.append({"detector": name, **measure(rival(task, seed))})
            print(f"{name} is done", flush=True)
    return rows


def _score(part: Judged) -> Floats:
    return part.scores.score


def _scoring_seconds(history: History, scorer: Scorer, judged: list[Judged]) -> float:
    """Seconds to score the later logins once their evidence is measured."""
    logins = encode(history.later)
    made = windows(logins, judged[0].measured.strength, judged[0].measured.past.stored.window)
    begun = time.perf_counter()
    scorer.score(made)
    return time.perf_counter() - begun


def task_of(history: History, later_strength: Rows, seed: int) -> Task:
    """What the rivals get: evidence of ordinary logins after the warm-up, and of the later logins."""
    train = history.strength[history.drawn]
    few = np.sort(np.random.default_rng(seed).permutation(len(train))[:MOST_ROWS])
    both = pd.concat([history.events, history.later], ignore_index=True)
    ordered = both.sort_values(["account_id", "occurred_at", "source", "event_id"], kind="stable")
    place = np.empty(len(both), np.int64)
    place[ordered.index] = np.arange(len(both))
    account = pd.factorize(both["account_id"])[0]
    return Task(
        np.nan_to_num(train[few]).astype(np.float64),
        account[: len(history.events)][history.drawn[few]],
        np.nan_to_num(later_strength).astype(np.float64),
        account[len(history.events) :],
        ordered.reset_index(drop=True),
        place[len(history.events) :],
    )


class Measure:
    """Figures of an outcome, against the labels."""

    def __init__(self, simulated: Simulated, history: History) -> None:
        self.labels = clean_labels(simulated.labels.astype("str"))
        later = history.later
        self.frame = later[["event_id", "source", "occurred_at"]].assign(user_name=later["user"], alerted=False)
        self.thin: Flags = np.zeros(len(later), bool)

    def __call__(self, outcome: Outcome) -> dict[str, Any]:
        everyone = evaluate(beside_labels(self.labels, self.frame.assign(score=outcome.score)), resamples=0)
        row: dict[str, Any] = {f"at {at.budget:.1%}": at.found.value for at in everyone.budgets}
        row["average precision"] = everyone.average_precision.value
        row |= {"thin: at 0.5%": self._thin(outcome)}
        row["training s"] = outcome.training_s
        row["events/s"] = len(self.frame) / max(outcome.scoring_s, 1e-9)
        return row

    def _thin(self, outcome: Outcome) -> float | None:
        """Found at 0.5 % among the logins of accounts with thin history alone."""
        if not self.thin.any():
            return None
        frame = self.frame.assign(score=outcome.score)[self.thin]
        found = evaluate(beside_labels(self.labels, frame), budgets=(BUDGETS[2],), resamples=0).budgets[0].found
        return found.value


if __name__ == "__main__":
    main()
