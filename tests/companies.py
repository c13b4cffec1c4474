"""A trained organisation in a database: tests of the jobs start from copies of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from pydantic import SecretStr
from sqlalchemy import Engine, text

from monitor.calibration import Threshold
from monitor.config import Settings
from monitor.jobs import score as job
from monitor.jobs.ingest import ingest
from monitor.jobs.train import train
from monitor.rule import AlertRule
from monitor.simulation import simulate, write
from monitor.store import thresholds
from monitor.store.engine import open_url, reading, writing

DAYS = 20
START = datetime(2026, 3, 2, tzinfo=UTC)
UNTIL = START + timedelta(days=16)
NOW = START + timedelta(days=DAYS + 1)

SCORES = """
    SELECT user_name, event_id, occurred_at, outcome, score, raw, threshold, alerted
    FROM reporting.login_score ORDER BY event_id
"""


@dataclass(frozen=True)
class Trained:
    """A database with 20 days of a small company: 16 are learned, four wait for their scores."""

    database: str
    labels: pd.DataFrame


def settings_for(engine_or_url: Engine | str, **changes: object) -> Settings:
    """Default settings on a database, with the detector that trains in no time."""
    url = engine_or_url if isinstance(engine_or_url, str) else url_of(engine_or_url)
    return Settings.model_validate({"database_url": SecretStr(url), "detector": "rarity"} | changes)


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def trained_company(url: str) -> Trained:
    """Fill the database at ``url``; nobody is connected to it afterwards, so that it can be copied."""
    simulated = simulate("corporate", 25, DAYS, seed=5, start=START, attacks_per_kind=1, attacks_from=0.8)
    engine = open_url(url)
    with TemporaryDirectory() as directory:
        events, _ = write(simulated, Path(directory))
        report = ingest(engine, [events], "csv", "company", now=NOW)
    assert (report.stored, report.rejected) == (len(simulated.events), 0)
    train(engine, settings_for(url), UNTIL, "rarity")
    engine.dispose()
    assert engine.url.database is not None
    return Trained(engine.url.database, simulated.labels)


def rows(engine: Engine, query: str, **parameters: object) -> pd.DataFrame:
    """What a query finds."""
    with reading(engine) as connection:
        found = connection.execute(text(query), parameters)
        return pd.DataFrame(found.all(), columns=list(found.keys()))


def number(engine: Engine, query: str, **parameters: object) -> float:
    """The one number that a query finds."""
    return float(rows(engine, query, **parameters).iloc[0, 0])


def score(engine: Engine, now: datetime = NOW, **changes: object) -> dict[str, int | float | str]:
    return job.score(engine, settings_for(engine, **changes), now)


def alert_from(engine: Engine, value: float, now: datetime = NOW) -> None:
    """From now on whatever scores so much alerts."""
    with writing(engine) as connection:
        thresholds.decide(connection, Threshold(AlertRule(value), "test", "as the test needs it"), now, None)
