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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Engine, text

from benchmarks.common import RESULTS, fresh_database, report
from benchmarks.played import Organisation, Played, figures, plot
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


if __name__ == "__main__":
    main()
