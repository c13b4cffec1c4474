"""Do verdicts make the queue better? python -m benchmarks.calibration [--seeds 1,2,3,4,5] [--days 30]

The real jobs on a real database, a day at a time: score what came in, let five simulated reviewers answer every alert
from the labels (one answer in twenty is wrong), calibrate. Beside it the same system without verdicts, cut to as many
alerts, and the same with one reviewer whose answers are wrong in 30 % of cases. A table, and a plot by day.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sqlalchemy import Engine, text

from benchmarks.common import RESULTS, fresh_database, report
from monitor.config import Settings
from monitor.jobs.calibrate import calibrate
from monitor.jobs.ingest import ingest
from monitor.jobs.review import decide_all
from monitor.jobs.score import score
from monitor.jobs.train import train
from monitor.review import Verdict
from monitor.simulation import simulate, write
from monitor.store.engine import open_url, reading
from monitor.store.schema import upgrade

START = datetime(2026, 1, 5, tzinfo=UTC)
ACCOUNTS, LEARNED, DAYS, PER_KIND = 500, 30, 30, 1
REVIEWERS = ("ada", "bob", "cleo", "dan", "eve")
WRONG, LYING = 0.05, 0.30
LAST, SETTLED = 10, 7

#: An alert a reviewer has to decide on; those of a campaign are one decision.
ALERTS = """
    SELECT t.alert_id, coalesce(t.campaign_id, t.alert_id) AS decision, t.score, t.status, t.opened_at,
           t.audit_chance, array_agg(v.event_id) AS events
    FROM monitor.alert t JOIN monitor.alert_event v USING (alert_id) GROUP BY t.alert_id
"""
THRESHOLD = "SELECT * FROM reporting.threshold ORDER BY threshold_id DESC LIMIT 1"

#: Attack logins of a week that nobody was shown, though their account had no alert of its own nearby.
MISSED = """
    SELECT count(*) FROM monitor.login_score s
    WHERE s.occurred_at >= :since AND s.occurred_at < :until AND NOT s.alerted AND s.event_id = ANY(:attacks)
      AND NOT EXISTS (
        SELECT FROM monitor.alert t WHERE t.account_id = s.account_id AND t.audit_chance IS NULL
          AND t.status = 'confirmed'
          AND s.occurred_at BETWEEN t.opened_at - interval '1 day' AND t.last_event_at + interval '1 day')
"""


class Treatment(NamedTuple):
    """What becomes of verdicts: whether any are given, and how often the last reviewer's are wrong."""

    reviewed: bool
    liar: float = WRONG


@dataclass
class Played:
    """One treatment of thirty days: the alerts with what they were, and what was expected, by day."""

    alerts: pd.DataFrame
    expected: list[dict[str, Any]] = field(default_factory=list)
    missed: list[tuple[float, float, float, int]] = field(default_factory=list)


@dataclass
class Organisation:
    """A simulated organisation: a database trained on its first half, and the labels of the second."""

    database: str
    until: datetime
    days: int
    incident: dict[str, int]

    @property
    def incidents(self) -> int:
        return len(set(self.incident.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="1,2,3,4,5", help="Seeds of the organisations, by commas.")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--budget", type=float, default=10.0)
    arguments = parser.parse_args()
    rows, played = [], []
    with fresh_database(
        alerts_per_day=arguments.budget, audit_sample_per_day=arguments.budget / 10, target_precision=0.1
    ) as (
        engine,
        settings,
    ):
        for seed in map(int, arguments.seeds.split(",")):
            company = organisation(engine, settings, seed, arguments.days)
            row, pair = measure(engine, settings, company, seed)
            rows.append(row)
            played.append(pair)
    RESULTS.mkdir(exist_ok=True)
    plot(RESULTS / "calibration.png", played, arguments.days, arguments.budget)
    report("calibration", f"{arguments.days} days, budget {arguments.budget:g} alerts a day", rows)


def organisation(engine: Engine, settings: Settings, seed: int, days: int) -> Organisation:
    """Simulate and train one; its database is a template for every treatment."""
    simulated = simulate("corporate", ACCOUNTS, LEARNED + days, seed, START, PER_KIND, LEARNED / (LEARNED + days))
    until = START + timedelta(days=LEARNED)
    with copied(engine, "template0", f"organisation_{seed}", keep=True) as company:
        upgrade(company)
        with TemporaryDirectory() as directory:
            events, _ = write(simulated, Path(directory))
            ingest(company, [events], "csv", "company", now=until)
        train(company, settings, until, settings.detector)
    labels = simulated.labels.merge(simulated.events[["event_id", "occurred_at"]])
    late = labels[labels["is_attack"].astype(bool) & (labels["occurred_at"] >= pd.Timestamp(until))]
    incident = dict(zip(late["event_id"], late["incident"], strict=True))
    return Organisation(f"organisation_{seed}", until, days, incident)


@contextmanager
def copied(engine: Engine, template: str, name: str, *, keep: bool = False) -> Iterator[Engine]:
    """A database of its own on the server of ``engine``."""
    server = engine.execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    made = open_url(engine.url.set(database=name).render_as_string(hide_password=False))
    try:
        yield made
    finally:
        made.dispose()
        if not keep:
            with server.connect() as connection:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def play(engine: Engine, settings: Settings, company: Organisation, treatment: Treatment, seed: int) -> Played:
    """Thirty days of one treatment, by the jobs as they run in production."""
    rng = np.random.default_rng([seed, 1])
    expected: list[dict[str, Any]] = []
    missed: list[tuple[float, float, float, int]] = []
    with copied(engine, company.database, "played") as database:
        for day in range(company.days):
            now = company.until + timedelta(days=day + 1)
            with reading(database) as connection:
                row = connection.execute(text(THRESHOLD)).mappings().one()
            score(database, settings, now, until=now)
            expected.append(
                {
                    name: row[name]
                    for name in ("value", "expected_precision", "expected_alerts_per_day", "weights", "offsets")
                }
            )
            if treatment.reviewed:
                _answer(database, company, treatment, rng, now)
            calibrate(database, settings, now)
            if treatment.reviewed and day >= 13 and day % 7 == 6:
                missed.append(_missed(database, company, now))
        with reading(database) as connection:
            alerts = pd.DataFrame(connection.execute(text(ALERTS)).mappings().all())
    alerts["day"] = ((alerts["opened_at"] - company.until) / timedelta(days=1)).astype(int)
    alerts["found"] = [{company.incident[e] for e in events if e in company.incident} for events in alerts["events"]]
    alerts["right"] = alerts["found"].map(bool)
    return Played(alerts, expected, missed)


def _answer(
    database: Engine, company: Organisation, treatment: Treatment, rng: np.random.Generator, now: datetime
) -> None:
    """Every open alert gets a verdict from one of the reviewers, in turn."""
    with reading(database) as connection:
        rows = connection.execute(text(f"SELECT * FROM ({ALERTS}) a WHERE status = 'open' ORDER BY score DESC")).all()
    given = []
    for number, row in enumerate(rows):
        name = REVIEWERS[number % len(REVIEWERS)]
        wrong = treatment.liar if name == REVIEWERS[-1] else WRONG
        attack = any(event in company.incident for event in row.events) != (rng.random() < wrong)
        given.append(Verdict(row.alert_id, "confirm" if attack else "dismiss", name))
    decide_all(database, given, {}, "benchmark", now)


def _missed(database: Engine, company: Organisation, now: datetime) -> tuple[float, float, float, int]:
    with reading(database) as connection:
        row = connection.execute(text(THRESHOLD)).mappings().one()
        values = {"since": now - timedelta(days=7), "until": now, "attacks": list(company.incident)}
        truth = int(connection.execute(text(MISSED), values).scalar_one())
    return row["missed"] or 0.0, row["missed_low"] or 0.0, row["missed_high"] or 0.0, truth


def measure(
    engine: Engine, settings: Settings, company: Organisation, seed: int
) -> tuple[dict[str, Any], tuple[Played, Played]]:
    """The figures of one organisation, and its days with verdicts and without."""
    ours = play(engine, settings, company, Treatment(True), seed)
    lied = play(engine, settings, company, Treatment(True, LYING), seed)
    alone = play(engine, settings.model_copy(update={"audit_sample_per_day": 0.0}), company, Treatment(False), seed)
    return {"seed": seed} | figures(ours, lied, alone, company), (ours, alone)


def plot(path: Path, played: list[tuple[Played, Played]], days: int, budget: float) -> None:
    """Decisions a day, and the share of them that were right, with verdicts and without; a dot for each week."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for column, name in enumerate(("verdicts", "verdicts ignored")):
        rows = pd.concat([decisions(pair[column], 0) for pair in played])
        by_day = rows.groupby("day")["right"].agg(["size", "mean"]).reindex(range(days))
        above.plot(by_day["size"].fillna(0) / len(played), label=name)
        below.plot(by_day["mean"].rolling(7, min_periods=1).mean(), label=name)
    above.axhline(budget, color="grey", linestyle=":", label="budget")
    above.set_ylabel("decisions a day")
    below.set_ylabel("precision, mean of seven days")
    below.set_xlabel("day")
    above.legend()
    figure.savefig(path)


def figures(ours: Played, lied: Played, alone: Played, company: Organisation) -> dict[str, Any]:
    late = company.days - LAST
    queue = decisions(ours, late)
    rival = decisions(alone, late).nlargest(len(queue), "score")
    settled = decisions(ours, SETTLED)
    alerting = settled[settled["audit_chance"].isna()]
    hoped = np.array([row["expected_precision"] or np.nan for row in ours.expected])[alerting["day"]]
    return {
        "alerts_per_day": len(decisions(ours, 0)) / company.days,
        "ignored_per_day": len(decisions(alone, 0)) / company.days,
        "precision": queue["right"].mean(),
        "ignored_precision": rival["right"].mean(),
        "ratio": queue["right"].mean() / max(rival["right"].mean(), 1e-9),
        "recall": recall(ours, company, 0),
        "ignored_recall": recall(alone, company, 0),
        "late_recall": recall(ours, company, late),
        "ignored_late_recall": recall(alone, company, late),
        "lied_recall": recall(lied, company, 0),
        "realised": alerting["right"].mean(),
        "expected": float(np.nanmean(hoped)),
        "covered": f"{sum(low <= truth <= high for _, low, high, truth in ours.missed)}/{len(ours.missed)}",
    }


def decisions(played: Played, since: int) -> pd.DataFrame:
    """One row a decision of the days from ``since`` on: its score, whether it was right, the incidents it found."""
    rows = played.alerts[played.alerts["day"] >= since]
    return rows.groupby("decision", as_index=False).agg(
        score=("score", "max"), right=("right", "any"), day=("day", "min"), audit_chance=("audit_chance", "max")
    )


def recall(played: Played, company: Organisation, since: int) -> float:
    """Share of incidents that some alert of the days from ``since`` on shows."""
    rows = played.alerts[played.alerts["day"] >= since]
    found: set[int] = set().union(*rows["found"])
    return len(found) / company.incidents


if __name__ == "__main__":
    main()
