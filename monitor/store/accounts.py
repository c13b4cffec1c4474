"""The stored baseline of each account: one row each, in and out in columns.

``namespace`` is the schema the table lives in: training builds baselines afresh in a temporary one.
"""

from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, text

from monitor.baselines import BASELINE_FEATURES, Baselines, Entries
from monitor.columns import LENGTH, Floats, Ints, Objects
from monitor.events import MonitorError
from monitor.features import NAMES, summary_names
from monitor.store.copy import copy_in, cursor_of
from monitor.store.unscored import uuid_array

LIVE, REBUILT = "monitor", "pg_temp"


class StaleBaselinesError(MonitorError):
    """The stored baselines were kept by another version of the features."""


def load_baselines(connection: Connection, accounts: Objects, namespace: str = LIVE) -> Baselines:
    """The baselines of ``accounts`` (UUID texts) [a], empty for new ones; raises ``StaleBaselinesError``."""
    wanted = {"position": pa.array(np.arange(len(accounts), dtype=np.int32)), "account_id": uuid_array(accounts)}
    connection.execute(text("CREATE TEMPORARY TABLE wanted (position int, account_id uuid) ON COMMIT DROP"))
    copy_in(connection, "wanted", pa.RecordBatch.from_pydict(wanted))
    connection.execute(text("ANALYZE wanted"))
    with cursor_of(connection, binary=True) as cursor:
        cursor.execute(
            f"""
            SELECT w.position, extract(epoch FROM s.updated_at)::double precision, s.summary, s."window",
                   s.feature, s.value, s.weight, s.last_seen
            FROM wanted w JOIN {namespace}.account_state s USING (account_id)
            """
        )
        rows = cursor.fetchall()
    connection.execute(text("DROP TABLE wanted"))
    baselines = Baselines.empty(len(accounts), (LENGTH, len(NAMES)))
    return _filled(baselines, list(zip(*rows, strict=True))) if rows else baselines


def _filled(baselines: Baselines, columns: list[tuple[Any, ...]]) -> Baselines:
    """The baselines of new accounts with stored rows, in columns, put in their places."""
    position, updated, summaries, windows, *lists = columns
    at = np.array(position)
    statistics, latest = summary_names()
    names = len(statistics) + len(latest)
    if any(len(summary) != names for summary in summaries) or any(
        len(window) != baselines.window[0].nbytes for window in windows
    ):
        raise StaleBaselinesError("the baselines were kept by another version: run `monitor train`")
    summary = np.full((len(baselines.updated), names), np.nan)
    summary[:, : len(statistics)] = 0.0
    summary[at] = summaries
    baselines.updated[at] = updated
    baselines.window[at] = np.frombuffer(b"".join(windows), np.float32).reshape(-1, *baselines.window.shape[1:])
    return Baselines(
        baselines.updated,
        baselines.entries | _entries(at, *lists),
        dict(zip(statistics, summary.T, strict=False)),
        dict(zip(latest, summary.T[len(statistics) :], strict=True)),
        baselines.window,
    )


def _entries(
    position: Ints,
    features: tuple[list[str], ...],
    values: tuple[list[str], ...],
    weights: tuple[list[float], ...],
    seen: tuple[list[float], ...],
) -> dict[str, Entries]:
    """One list per account and column, as entries by feature."""
    account = np.repeat(position, [len(part) for part in features])
    code, names = pd.factorize(np.array(list(chain.from_iterable(features)), object))
    value = np.array(list(chain.from_iterable(values)), object)
    numbers = [np.fromiter(chain.from_iterable(column), np.float64, len(account)) for column in (weights, seen)]
    order = np.argsort(code, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(code, minlength=len(names)))[:-1])
    return {
        str(name): Entries(account[rows], value[rows], numbers[0][rows], numbers[1][rows])
        for name, rows in zip(names, parts, strict=True)
        if name in BASELINE_FEATURES
    }


def save_baselines(connection: Connection, accounts: Objects, baselines: Baselines, namespace: str = LIVE) -> None:
    """Store the baselines of ``accounts`` [a] in place of what was stored."""
    statistics, latest = summary_names()
    summary = np.stack(
        [baselines.statistics[name] for name in statistics] + [baselines.latest[name] for name in latest], 1
    )
    flat = pa.array(summary.ravel(), pa.float64())
    offsets = pa.array(np.arange(len(accounts) + 1, dtype=np.int32) * summary.shape[1])
    batch = pa.RecordBatch.from_pydict(
        {
            "account_id": uuid_array(accounts),
            "updated_at": moments(baselines.updated),
            **_entry_lists(baselines),
            "summary": pa.ListArray.from_arrays(offsets, flat),
            "window": pa.array([window.tobytes() for window in baselines.window], pa.binary()),
        }
    )
    connection.execute(
        text(f"CREATE TEMPORARY TABLE learned (LIKE {namespace}.account_state INCLUDING STORAGE) ON COMMIT DROP")
    )
    copy_in(connection, "learned", batch)
    columns = ", ".join(f'"{name}" = excluded."{name}"' for name in batch.schema.names[1:])
    connection.execute(
        text(
            f"""
            INSERT INTO {namespace}.account_state SELECT * FROM learned ORDER BY account_id
            ON CONFLICT (account_id) DO UPDATE SET {columns}
            """
        )
    )
    connection.execute(text("DROP TABLE learned"))


def _entry_lists(baselines: Baselines) -> dict[str, pa.Array]:
    """The entries as one list per account and column, in the order of the accounts."""
    present = [name for name in BASELINE_FEATURES if len(baselines.entries[name].account)]
    feature = np.repeat(np.arange(len(present)), [len(baselines.entries[name].account) for name in present])
    account, value, weight, seen = (
        np.concatenate([getattr(baselines.entries[name], column) for name in present] or [np.zeros(0)])
        for column in ("account", "value", "weight", "seen")
    )
    rows = np.argsort(account, kind="stable")
    counts = np.bincount(account.astype(np.int64), minlength=len(baselines.updated))
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    names = pa.array(present, pa.string()).take(pa.array(feature[rows]))
    columns = {
        "feature": names,
        "value": pa.array(value[rows], pa.string()),
        "weight": pa.array(weight[rows], pa.float32()),
        "last_seen": pa.array(seen[rows], pa.float64()),
    }
    return {name: pa.ListArray.from_arrays(offsets, column) for name, column in columns.items()}


def moments(seconds: Floats) -> pa.Array:
    return pa.array(np.round(seconds * 1e6).astype(np.int64)).cast(pa.timestamp("us", "UTC"))


def rebuild_beside(connection: Connection) -> None:
    """Make empty temporary tables beside the live ones, for training to fill."""
    for table in ("account_state", "population_state", "traffic_state"):
        connection.execute(
            text(f"CREATE TEMPORARY TABLE {table} (LIKE monitor.{table} INCLUDING INDEXES) ON COMMIT DROP")
        )


def replace_live(connection: Connection) -> None:
    """Put the rebuilt baselines in place of the live ones; readers see the old ones until the commit."""
    for table in ("account_state", "population_state", "traffic_state"):
        connection.execute(text(f"DELETE FROM monitor.{table}"))
        connection.execute(text(f"INSERT INTO monitor.{table} SELECT * FROM pg_temp.{table}"))
