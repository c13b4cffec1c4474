"""Simulated organisations: login events of people and services, with labelled attacks, for demos and measurements.

``simulate`` is pure and deterministic: the same arguments give the same events. Two populations: ``corporate`` (a
company with offices, home offices, a VPN and service accounts) and ``consumer`` (customers of an online service in
many countries). Attacks lie in the last part of the period except for a few, as real training data has them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from monitor.simulation.attacks import attack_logins
from monitor.simulation.calendars import calendar
from monitor.simulation.columns import ATTACKS, BENIGN, stack
from monitor.simulation.consumer import consumer
from monitor.simulation.corporate import corporate
from monitor.simulation.ordinary import people_logins
from monitor.simulation.people import World
from monitor.simulation.render import render
from monitor.simulation.services import service_logins

__all__ = ["ATTACKS", "BENIGN", "DEFAULT_START", "POPULATIONS", "Simulated", "simulate", "write"]

POPULATIONS = {"corporate": corporate, "consumer": consumer}
DEFAULT_START = datetime(2025, 9, 1, tzinfo=UTC)  # a Monday; daylight saving ends within the default period


@dataclass(frozen=True)
class Simulated:
    """``events``: canonical columns in order of time. ``labels``: event_id, is_attack, incident, scenario of each."""

    events: pd.DataFrame
    labels: pd.DataFrame


def simulate(
    population: str = "corporate",
    accounts: int = 1_000,
    days: int = 60,
    seed: int = 7,
    start: datetime = DEFAULT_START,
    attacks_per_kind: int | None = None,
    attacks_from: float = 2 / 3,
    early_incidents: int = 2,
) -> Simulated:
    """A population's logins over ``days`` days from ``start`` (taken as midnight UTC of that day).

    ``attacks_per_kind`` incidents of each kind (default: grows with the root of the accounts) begin at the share
    ``attacks_from`` of the period or later; ``early_incidents`` of random kinds lie before. ``ValueError`` says which
    argument is impossible.
    """
    _check(population, accounts, days, attacks_per_kind, attacks_from)
    midnight = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    def rng(part: str) -> np.random.Generator:
        return np.random.default_rng([seed, crc32(part.encode())])

    world = POPULATIONS[population](midnight, days, accounts, rng("world"))
    _update_geography(world, rng("geography"))
    diary = calendar(world, rng("calendar"))
    ordinary = stack([people_logins(world, diary, rng("people")), service_logins(world, rng("services"))])
    per_kind = max(2, round(2 * (accounts / 100) ** 0.5)) if attacks_per_kind is None else attacks_per_kind
    attacks = attack_logins(world, ordinary, per_kind, attacks_from, early_incidents, rng("attacks"))
    return Simulated(*render(world, stack([ordinary, attacks]), seed, rng("render")))


def write(simulated: Simulated, directory: Path) -> tuple[Path, Path]:
    """Write ``events.csv`` (times in ISO 8601, empty fields for unknown) and ``labels.csv``; returns both paths."""
    directory.mkdir(parents=True, exist_ok=True)
    events, labels = directory / "events.csv", directory / "labels.csv"
    times = simulated.events["occurred_at"].dt.strftime("%Y-%m-%dT%H:%M:%S.%f").str[:-3] + "Z"
    for path, frame in ((events, simulated.events.assign(occurred_at=times)), (labels, simulated.labels)):
        table = pa.Table.from_pandas(frame.replace("", None), preserve_index=False)
        csv.write_csv(table, path, csv.WriteOptions(quoting_style="needed", quoting_header="none"))
    return events, labels


def _check(population: str, accounts: int, days: int, per_kind: int | None, attacks_from: float) -> None:
    if population not in POPULATIONS:
        raise ValueError(f"population is one of {', '.join(POPULATIONS)}, not {population!r}")
    if accounts < 20:
        raise ValueError(f"an organisation needs at least 20 accounts, not {accounts}")
    if days < 7:
        raise ValueError(f"a simulation needs at least 7 days, not {days}")
    if per_kind is not None and per_kind < 0:
        raise ValueError(f"attacks_per_kind cannot be negative, as {per_kind} is")
    if not 0 <= attacks_from * days <= days - 2:
        raise ValueError(f"attacks_from is a share of the period that leaves two days for attacks, not {attacks_from}")


def _update_geography(world: World, rng: np.random.Generator) -> None:
    """The address database moves a provider's customers in one city to a near one: news about many at once."""
    home = np.flatnonzero(world.links["kind"] == 1)
    near = np.where(world.atlas.distance < 250, world.atlas.distance, np.inf)
    np.fill_diagonal(near, np.inf)
    pools = world.links["asn"][home] * 1_000 + world.links["city"][home]
    for pool in rng.choice(np.unique(pools), size=3):
        members = home[pools == pool]
        city = int(pool % 1_000)
        if np.isfinite(near[city].min()):
            world.links["drift_day"][members] = int(world.days * rng.uniform(0.4, 0.95))
            world.links["drift_city"][members] = int(near[city].argmin())
