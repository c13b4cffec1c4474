"""How fast, and in how much memory: python -m benchmarks.throughput

One run on the same simulated events: ingestion, the features alone, the bare LSTM forward, and the whole scoring pass
(read, features, model, attributions, alerts, baselines, write). Then the same new events once more, after ten times
the history. Every row is events a second.
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from sqlalchemy import Engine

from benchmarks.common import fresh_database, report
from monitor import columns
from monitor.config import Settings, isolated_environment
from monitor.detectors import training_loop
from monitor.detectors.training_loop import FORWARD
from monitor.features import measure
from monitor.jobs.ingest import ingest
from monitor.jobs.score import score
from monitor.jobs.train import train
from monitor.sequences import windows
from monitor.simulation import simulate
from monitor.store import accounts, models, population, unscored
from monitor.store.engine import reading

SCORED, ACCOUNTS, DAYS = 200_000, 5_000, 28
NEW = 20_000
START = datetime(2026, 1, 5, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=SCORED)
    arguments = parser.parse_args()
    training_loop.EPOCHS = 1  # how well it is trained does not change how fast it scores
    simulated = simulate("corporate", ACCOUNTS, DAYS, 1, START)
    events = simulated.events.sort_values("occurred_at", kind="stable").reset_index(drop=True)
    rows, facts = throughput(events, arguments.events)
    facts |= history_costs(events)
    report("throughput", f"{arguments.events:,} events of {ACCOUNTS:,} accounts, two cores", rows, **facts)


def throughput(events: pd.DataFrame, count: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Events a second of each step, on the last ``count`` events."""
    history, fresh = events.iloc[:-count], events.iloc[-count:]
    until = _moment(fresh["occurred_at"].iloc[0])
    with fresh_database() as (engine, settings):
        _load(engine, history)
        train(engine, settings, until, "lstm_autoencoder")
        spent = {"ingest (parse, validate, store)": _load(engine, fresh)}
        spent |= _steps(engine, settings, until)
        begun = time.perf_counter()
        done = score(engine, settings, datetime.now(UTC))
        spent["score (the whole pass)"] = time.perf_counter() - begun
    rows = [{"step": step, "seconds": seconds, "events/s": count / seconds} for step, seconds in spent.items()]
    forward, whole = spent["bare LSTM forward"], spent["score (the whole pass)"]
    return rows, {"whole_pass_over_bare_forward": forward / whole, "alerts": done["alerts"]}


def _steps(engine: Engine, settings: Settings, until: datetime) -> dict[str, float]:
    """Seconds for the features, and for the network alone, on what the pass will score; nothing is written."""
    spent = {}
    with reading(engine) as connection:
        model = models.active_model(connection)
    assert model is not None
    network = model.scorer.detector.network  # type: ignore[attr-defined]
    with engine.connect() as connection, connection.begin() as transaction:
        events = unscored.next_unscored(connection, datetime.now(UTC), 10**9)
        logins = columns.encode(events)
        stored = accounts.load_baselines(connection, logins.accounts)
        known = population.load_population(connection, logins)
        begun = time.perf_counter()
        measured = measure(logins, stored, known, np.ones(len(logins), bool), settings.half_life_days)
        spent["features"] = time.perf_counter() - begun
        transaction.rollback()
    made = windows(logins, measured.strength, stored.window)

    def forward(start: int) -> None:
        with torch.inference_mode():
            network(passes[start], length=1)

    passes = {}
    for start in range(0, len(made), FORWARD):
        part = torch.from_numpy(np.nan_to_num(made.take(np.arange(start, min(start + FORWARD, len(made)))).gather()))
        passes[start] = torch.cat([part, torch.zeros_like(part[:, :, :1])], dim=2)
    begun = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as cores:
        list(cores.map(forward, passes))
    spent["bare LSTM forward"] = time.perf_counter() - begun
    return spent


def history_costs(events: pd.DataFrame) -> dict[str, float]:
    """Seconds to score the same new events after some history and after ten times as much, as ``monitor score`` does.

    Each pass is a process of its own, whose peak memory is reported too; its start-up is taken off by a pass over
    nothing.
    """
    middle = len(events) * 2 // 3
    fresh = events.iloc[middle : middle + NEW]
    until = _moment(fresh["occurred_at"].iloc[0])
    long = events.iloc[:middle]
    short = long.iloc[-len(long) // 10 :]
    spent, peaks = {}, {}
    for name, history in (("short", short), ("long", long)):
        with fresh_database() as (engine, settings):
            _load(engine, history)
            train(engine, settings, until, "lstm_autoencoder")
            nothing, _ = _score_process(settings)
            _load(engine, fresh)
            seconds, peaks[name] = _score_process(settings)
            spent[name] = seconds - nothing
    return {
        f"seconds_for_{NEW}_events_after_{len(short)}": spent["short"],
        f"seconds_for_{NEW}_events_after_{len(long)}": spent["long"],
        "cost_of_ten_times_the_history": spent["long"] / spent["short"],
        "peak_memory_of_scoring_mib": max(peaks.values()),
    }


def _score_process(settings: Settings) -> tuple[float, float]:
    """Seconds that ``monitor score`` takes, and its peak memory in MiB."""
    begun, peak = time.perf_counter(), 0.0
    environment = isolated_environment(data_dir=str(settings.data_dir))
    process = subprocess.Popen([sys.executable, "-m", "monitor", "score"], env=environment, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        # Not getrusage: a child starts out with the peak of the parent that it was forked from.
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = max([peak, *(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))])
        time.sleep(0.02)
    if process.returncode != 0:
        raise RuntimeError("monitor score failed")
    return time.perf_counter() - begun, peak


def _load(engine: Engine, events: pd.DataFrame) -> float:
    """Ingest events from a CSV file; returns the seconds that took."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "events.csv"
        events.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%S.%fZ")
        begun = time.perf_counter()
        ingest(engine, [path], "csv", "benchmark", now=datetime.now(UTC))
        return time.perf_counter() - begun


def _moment(time_: pd.Timestamp) -> datetime:
    moment: datetime = time_.to_pydatetime() - timedelta(microseconds=1)
    return moment.astimezone(UTC)


if __name__ == "__main__":
    main()
