"""What thirty played days show: decisions, their precision, the incidents they found, and what could have been."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

#: The last days are compared; from here on the threshold has settled.
LAST, SETTLED = 10, 7


@dataclass
class Played:
    """One treatment of thirty days: the alerts with what they were, and what was expected, by day."""

    alerts: pd.DataFrame
    expected: list[dict[str, Any]] = field(default_factory=list)
    missed: list[tuple[float, float, float, float]] = field(default_factory=list)


@dataclass
class Organisation:
    """A simulated organisation: a database trained on its first half, and the labels of the second.

    ``incident`` names that of each attack login by event_id, ``began`` the day on which each incident began.
    """

    database: str
    until: datetime
    days: int
    incident: dict[str, str]
    began: dict[str, int]


def plot(path: Path, played: list[tuple[Played, Played]], days: int, budget: float) -> None:
    """Decisions a day, and the share of those of seven days that were right, with verdicts and without."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for column, name in enumerate(("verdicts", "verdicts ignored")):
        rows = pd.concat([decisions(pair[column], 0) for pair in played])
        by_day = rows.groupby("day")["right"].agg(["size", "sum"]).reindex(range(days), fill_value=0)
        week = by_day.rolling(7, min_periods=1).sum()
        above.plot(by_day["size"] / len(played), label=name)
        below.plot(week["sum"] / week["size"], label=name)
    above.axhline(budget, color="grey", linestyle=":", label="budget")
    above.set_ylabel("decisions a day")
    below.set_ylabel("precision of seven days")
    below.set_ylim(-0.03, 1.03)
    below.set_xlabel("day")
    below.locator_params(axis="x", integer=True)
    above.legend()
    figure.savefig(path)


def figures(ours: Played, lied: Played, alone: Played, company: Organisation) -> dict[str, float]:
    """The figures of one organisation; nan where there was nothing to measure."""
    late = max(company.days - LAST, 0)
    queue, ignored = _cut(decisions(ours, late), decisions(alone, late))
    everything, all_ignored = _cut(decisions(ours, 0), decisions(alone, 0))
    truthful, lying = _cut(decisions(ours, 0), decisions(lied, 0))
    settled = decisions(ours, SETTLED)
    hoped = np.array([row["expected_precision"] or np.nan for row in ours.expected])[settled["day"]]
    alerting = settled["audit_chance"].isna().to_numpy() & np.isfinite(hoped)
    covered = [low <= truth <= high for _, low, high, truth in ours.missed]
    return {
        "decisions a day": len(decisions(ours, 0)) / company.days,
        "… verdicts ignored": len(decisions(alone, 0)) / company.days,
        "precision, last ten days": queue["right"].mean(),
        "… verdicts ignored, as many": ignored["right"].mean(),
        "… ratio": queue["right"].mean() / max(ignored["right"].mean(), 1e-9),
        "… its ceiling": ceiling(ignored, decisions(alone, late), company, late),
        "incidents found, by as many": recall(everything, company, 0),
        "… found, verdicts ignored": recall(all_ignored, company, 0),
        "… found, of those of the last ten days": recall(queue, company, late),
        "… found of those, verdicts ignored": recall(ignored, company, late),
        "incidents found beside the liar": recall(truthful, company, 0),
        "… found, one reviewer lies": recall(lying, company, 0),
        "precision of alerts from day 7": settled["right"][alerting].mean(),
        "… as expected": float(np.mean(hoped[alerting])) if alerting.any() else np.nan,
        "missed attack logins a week, true": float(np.mean([m[3] for m in ours.missed])) if covered else np.nan,
        "… as estimated": float(np.mean([m[0] for m in ours.missed])) if covered else np.nan,
        "… within the interval": float(np.mean(covered)) if covered else np.nan,
    }


def ceiling(cut: pd.DataFrame, shown: pd.DataFrame, company: Organisation, since: int) -> float:
    """How much more precise than the queue ``cut`` one of as many decisions could be, by the attacks that there were.

    Those are the decisions that were right among all that were ``shown``, and incidents that began and were not.
    """
    missed = begun(company, since) - set().union(*shown["found"])
    return float(min(shown["right"].sum() + len(missed), len(cut)) / max(cut["right"].sum(), 1e-9))


def decisions(played: Played, since: int) -> pd.DataFrame:
    """One row a decision of the days from ``since`` on: its score, whether it was right, the incidents it found."""
    rows = played.alerts[played.alerts["day"] >= since]
    return rows.groupby("decision", as_index=False).agg(
        score=("score", "max"),
        right=("right", "any"),
        day=("day", "min"),
        audit_chance=("audit_chance", "max"),
        found=("found", lambda found: set().union(*found)),
    )


def _cut(one: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both to as many decisions, the highest scores first."""
    fewer = min(len(one), len(other))
    return one.nlargest(fewer, "score"), other.nlargest(fewer, "score")


def recall(rows: pd.DataFrame, company: Organisation, since: int) -> float:
    """Share of the incidents that began on day ``since`` or later that these decisions show."""
    began, found = begun(company, since), set().union(*rows["found"])
    return len(found & began) / len(began) if began else np.nan


def begun(company: Organisation, since: int) -> set[str]:
    """The incidents that began on day ``since`` or later."""
    return {name for name, day in company.began.items() if day >= since}
