"""A whole office that is given another provider is one decision of the reviewers, not one for each of its people."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from companies import rows, settings_for
from sqlalchemy import Engine

from monitor.jobs.ingest import ingest
from monitor.jobs.score import score
from monitor.jobs.train import train

MOVED = datetime(2026, 3, 2, tzinfo=UTC)
PEOPLE, ADDRESSES, WEEKS, BUDGET = 120, 16, 3, 4
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36"

#: What waits for the reviewers' decision, by the day on which it opened, and how much of it the move caused.
DECISIONS = """
    SELECT extract(day FROM t.opened_at AT TIME ZONE 'UTC')::int AS day, count(*) AS alerts,
           count(DISTINCT coalesce(t.campaign_id, t.alert_id)) AS decisions,
           count(DISTINCT coalesce(t.campaign_id, t.alert_id)) FILTER (WHERE moved.alert_id IS NOT NULL) AS caused
    FROM reporting.alert t
    LEFT JOIN (SELECT DISTINCT alert_id FROM reporting.alert_event WHERE event->>'asn' = '64501') moved USING (alert_id)
    GROUP BY 1 ORDER BY 1
"""


def office(at_home: float) -> pd.DataFrame:
    """Logins of people who work in the office, from any of its addresses, or else at home."""
    rng = np.random.default_rng(5)
    days = [day for day in range(-7 * WEEKS, 3) if day % 7 < 5]
    person, day, number = (part.ravel() for part in np.meshgrid(range(PEOPLE), days, range(3), indexing="ij"))
    home = np.repeat(rng.random(PEOPLE * len(days)) < at_home, 3)
    hours = 8.5 + rng.normal(0, 0.7, PEOPLE)[person] + 2.5 * number + rng.normal(0, 0.4, len(day))
    address = rng.integers(1, ADDRESSES + 1, len(day)).astype(str).astype(object)
    ip = np.where(day < 0, "192.0.2." + address, "198.51.100." + address)
    asn = np.where(day < 0, 64500, 64501)
    return pd.DataFrame(
        {
            "user": [f"user{one}" for one in person],
            "occurred_at": [
                (MOVED + timedelta(days=int(one), hours=float(hour))).isoformat()
                for one, hour in zip(day, hours, strict=True)
            ],
            "ip": np.where(home, [f"203.0.{one}.9" for one in person], ip),
            "asn": np.where(home, 64510 + person % 5, asn),
            "country": "DE",
            "application": np.array(["mail", "crm", "wiki"])[number],
            "device_id": [f"laptop{one}" for one in person],
            "user_agent": CHROME,
        }
    )


@pytest.mark.parametrize("at_home", [0.0, 0.1])
def test_a_change_of_the_offices_provider_asks_for_twice_the_budgets_decisions_at_most_and_hardly_any_the_day_after(
    database: Engine, tmp_path: Path, at_home: float
) -> None:
    office(at_home).to_csv(tmp_path / "office.csv", index=False)
    later = MOVED + timedelta(days=4)
    ingest(database, [tmp_path / "office.csv"], "csv", "vpn", now=later)
    settings = settings_for(database, alerts_per_day=BUDGET)
    train(database, settings, MOVED, "rarity")
    score(database, settings, later)
    asked = rows(database, DECISIONS).set_index("day")
    assert asked["alerts"].max() > 2 * BUDGET, "it was no news"
    assert asked["decisions"].max() <= 2 * BUDGET
    assert asked["caused"].loc[3:].max() <= BUDGET / 2
