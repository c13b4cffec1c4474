"""Can who comes closer step by step talk a baseline down? python -m benchmarks.hygiene [--seeds 1,2,3] [--accounts 500]

Every slow drift of simulated organisations, scored as the job does: whether and when it alerts, and what its last
logins score after all the others and had each of them come alone. What they lose in between is what the others bought.
In memory, without a database.
"""

import argparse
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from benchmarks.common import report
from benchmarks.replay import History, in_order, learned
from monitor.detectors import DEFAULT
from monitor.scoring import Scorer
from monitor.simulation import POPULATIONS, simulate

START = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 90

#: Logins at the end of a drift that are looked at; the oddest of them counts.
LAST = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="1,2,3", help="Seeds of the organisations, by commas.")
    parser.add_argument("--accounts", type=int, default=500)
    parser.add_argument("--detector", default=DEFAULT, help="A name from monitor/detectors/__init__.py.")
    arguments = parser.parse_args()
    found = {
        f"{population} {seed}": drifts(population, arguments.accounts, seed, arguments.detector)
        for population in POPULATIONS
        for seed in map(int, arguments.seeds.split(","))
    }
    rows = [{"organisation": name, **summary(table)} for name, table in found.items()]
    rows.append({"organisation": "all", **summary(pd.concat(found.values()))})
    title = f"Slow drifts, {arguments.accounts:,} accounts each, {DAYS} days"
    report("hygiene", title, rows, detector=arguments.detector)


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """Counts of drifts, and means of scores, over the rows of ``drifts``."""
    return {
        "drifts": len(table),
        "alert": int(table["first"].notna().sum()),
        "… at their first login": int((table["first"] == 0).sum()),
        "silent, would alert alone": int((table["first"].isna() & table["alone_alerts"]).sum()),
        "score of the last logins": float(table["drifted"].mean()),
        "… of each alone": float(table["alone"].mean()),
    }


def drifts(population: str, accounts: int, seed: int, detector: str) -> pd.DataFrame:
    """A row for each slow drift: ``first`` login that alerts (0 the very first, NaN none), the score of its last ones.

    ``drifted`` is after all others, ``alone`` as if each were the only one; ``alone_alerts`` whether one then alerts.
    """
    simulated = simulate(population, accounts, DAYS, seed, START)
    history = learned(simulated, seed=seed)
    scorer, _ = history.fit(detector, seed)
    labels = simulated.labels[simulated.labels["scenario"] == "slow_drift"]
    incident = history.later["event_id"].map(labels.set_index("event_id")["incident"])
    visits = scored(history, scorer, incident, incident.notna()).sort_values("occurred_at")
    number = visits.groupby("incident").cumcount()
    ends = visits[visits["outcome"] == "success"].groupby("incident").tail(LAST)
    place = ends.groupby("incident").cumcount()
    alone = pd.concat(
        scored(history, scorer, incident, incident.index.isin(ends.index[place == k])) for k in range(LAST)
    )
    return pd.DataFrame(
        {
            "first": number[visits["alerted"]].groupby(visits["incident"]).min(),
            "drifted": ends.groupby("incident")["score"].max(),
            "alone": alone.groupby("incident")["score"].max(),
            "alone_alerts": alone.groupby("incident")["alerted"].any(),
        }
    )


def scored(history: History, scorer: Scorer, incident: pd.Series, kept: Any) -> pd.DataFrame:
    """The ``kept`` logins of drifts, judged with all that are none: occurred_at, outcome, incident, score, alerted."""
    later = history.later[incident.isna() | kept]
    judged = history.judge(scorer, later.reset_index(drop=True))
    score = in_order(judged, lambda part: part.scores.score)
    alerted = in_order(judged, lambda part: part.alerted)
    columns = later[["occurred_at", "outcome"]].assign(incident=incident, score=score, alerted=alerted)
    return columns.dropna(subset="incident")


if __name__ == "__main__":
    main()
