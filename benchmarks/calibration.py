"""Do verdicts make the queue better? python -m benchmarks.calibration [--seeds 1,2,3,4,5] [--days 30]

The real jobs on a real database, a day at a time: score what came in, let five simulated reviewers answer every alert
from the labels (one answer in twenty is wrong), calibrate. Beside it the same system without verdicts, and the same
with one reviewer whose answers are wrong in 30 % of cases. Where two are compared, the one that asked for more
decisions is cut to the highest scores of as many. A table, and a plot by day. The target precision is low, so that
the budget sets the number of alerts; it is one decision a day for each hundred accounts, as many as the default is for
two thousand. A queue that shows most attacks without verdicts cannot become much more precise with them: the
``ceiling`` is the ratio of one that shows every attack of those days and, as far as room is left, nothing else.
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
from monitor.jobs.calibrate import LOOK_BACK, calibrate
from monitor.jobs.ingest import ingest
from monitor.jobs.review import decide_all
from monitor.jobs.score import score
from monitor.jobs.train import train
from monitor.review import Verdict
from monitor.simulation import simulate, write
from monitor.store.engine import open_url, reading
from monitor.store.schema import upgrade

START = datetime(2026, 1, 5, tzinfo=UTC)
ACCOUNTS, LEARNED, DAYS, BUDGET = 500, 30, 30, 5.0
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

#: Attack logins that nobody was shown: they did not alert, and their account had no confirmed alert within a day.
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="1,2,3,4,5", help="Seeds of the organisations, by commas.")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--budget", type=float, default=BUDGET, help="Alerts a day.")
    parser.add_argument("--detector", default=None, help="A name from monitor/detectors/__init__.py.")
    arguments = parser.parse_args()
    figures_of, played = {}, []
    chosen = {} if arguments.detector is None else {"detector": arguments.detector}
    audit = arguments.budget / 10
    with fresh_database(
        alerts_per_day=arguments.budget, audit_sample_per_day=audit, target_precision=0.1, **chosen
    ) as (engine, settings):
        for seed in map(int, arguments.seeds.split(",")):
            company = organisation(engine, settings, seed, arguments.accounts, arguments.days)
            figures_of[f"seed {seed}"], pair = measure(engine, settings, company, seed)
            played.append(pair)
            print(
                f"seed {seed}: " + ", ".join(f"{k} {v:.3g}" for k, v in figures_of[f"seed {seed}"].items()), flush=True
            )
    RESULTS.mkdir(exist_ok=True)
    plot(RESULTS / "calibration.png", played, arguments.days, arguments.budget)
    table = pd.DataFrame(figures_of)
    table.insert(0, "mean", table.mean(axis=1))
    rows = [{"figure": str(figure), **row} for figure, row in table.to_dict("index").items()]
    title = f"{arguments.accounts:,} accounts, {arguments.days} days, budget {arguments.budget:g} alerts a day"
    report("calibration", title, rows, detector=settings.detector)


def organisation(engine: Engine, settings: Settings, seed: int, accounts: int, days: int) -> Organisation:
    """Simulate and train one; its database is a template for every treatment."""
    simulated = simulate("corporate", accounts, LEARNED + days, seed, START, attacks_from=LEARNED / (LEARNED + days))
    until = START + timedelta(days=LEARNED)
    with copied(engine, "template0", f"organisation_{seed}", keep=True) as company:
        upgrade(company)
        with TemporaryDirectory() as directory:
            events, _ = write(simulated, Path(directory))
            ingest(company, [events], "csv", "company", now=until)
        train(company, settings, until, settings.detector)
    labels = simulated.labels.merge(simulated.events[["event_id", "occurred_at"]])
    late = labels[labels["is_attack"].astype(bool) & (labels["occurred_at"] >= pd.Timestamp(until))]
    incident = dict(zip(late["event_id"], late["incident"].astype(str), strict=True))
    first = (late.groupby("incident")["occurred_at"].min() - pd.Timestamp(until)) // pd.Timedelta(days=1)
    began = {str(name): int(day) for name, day in first.items()}
    return Organisation(f"organisation_{seed}", until, days, incident, began)


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
    missed: list[tuple[float, float, float, float]] = []
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
                missed += _missed(database, company, now)
        with reading(database) as connection:
            alerts = pd.DataFrame(connection.execute(text(ALERTS)).mappings().all())
    alerts["day"] = ((alerts["opened_at"] - company.until) / timedelta(days=1)).astype(int)
    alerts["found"] = [{company.incident[e] for e in events if e in company.incident} for events in alerts["events"]]
    alerts["right"] = alerts["found"].map(bool)
    return Played(alerts, expected, missed)


def _answer(
    database: Engine, company: Organisation, treatment: Treatment, rng: np.random.Generator, now: datetime
) -> None:
    """Every open alert gets a verdict from one of the reviewers, by chance."""
    with reading(database) as connection:
        rows = connection.execute(text(f"SELECT * FROM ({ALERTS}) a WHERE status = 'open' ORDER BY score DESC")).all()
    given = []
    for row in rows:
        name = REVIEWERS[rng.integers(len(REVIEWERS))]
        wrong = treatment.liar if name == REVIEWERS[-1] else WRONG
        attack = any(event in company.incident for event in row.events) != (rng.random() < wrong)
        given.append(Verdict(row.alert_id, "confirm" if attack else "dismiss", name))
    decide_all(database, given, {}, "benchmark", now)


def _missed(database: Engine, company: Organisation, now: datetime) -> list[tuple[float, float, float, float]]:
    """What the threshold row says of missed attack logins a week, with its interval, and the truth of the same days."""
    with reading(database) as connection:
        row = connection.execute(text(THRESHOLD)).mappings().one()
        values = {"since": now - LOOK_BACK, "until": now, "attacks": list(company.incident)}
        truth = connection.execute(text(MISSED), values).scalar_one() * (timedelta(days=7) / LOOK_BACK)
    return [] if row["missed"] is None else [(row["missed"], row["missed_low"], row["missed_high"], truth)]


def measure(
    engine: Engine, settings: Settings, company: Organisation, seed: int
) -> tuple[dict[str, float], tuple[Played, Played]]:
    """The figures of one organisation, and its days with verdicts and without."""
    ours = play(engine, settings, company, Treatment(True), seed)
    lied = play(engine, settings, company, Treatment(True, LYING), seed)
    alone = play(engine, settings.model_copy(update={"audit_sample_per_day": 0.0}), company, Treatment(False), seed)
    return figures(ours, lied, alone, company), (ours, alone)


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


if __name__ == "__main__":
    main()
