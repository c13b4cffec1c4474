"""The stored baseline of each account: one row each, in and out in columns.

``namespace`` is the schema the table lives in: training builds baselines afresh in a temporary one.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, text

from monitor.baselines import BASELINE_FEATURES, Baselines, Entries
from monitor.columns import LENGTH, Flags, Floats, Objects
from monitor.events import MonitorError
from monitor.features import NAMES, summary_names
from monitor.store.copy import copy_in, copy_out, cursor_of
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
    baselines = _load_rows(connection, len(accounts), namespace)
    entries = copy_out(
        connection,
        f"""
        SELECT w.position, part.feature, part.value, part.weight, extract(epoch FROM part.seen)::double precision
        FROM wanted w JOIN {namespace}.account_state s USING (account_id)
        CROSS JOIN LATERAL unnest(s.feature, s.value, s.weight, s.last_seen_at) AS part (feature, value, weight, seen)
        """,
        {
            "account": pa.int64(),
            "feature": pa.dictionary(pa.int32(), pa.string()),
            "value": pa.string(),
            "weight": pa.float64(),
            "seen": pa.float64(),
        },
    )
    connection.execute(text("DROP TABLE wanted"))
    columns = entries.to_pandas()
    by_feature = {
        str(feature): Entries(
            part["account"].to_numpy(),
            part["value"].to_numpy(object),
            part["weight"].to_numpy(),
            part["seen"].to_numpy(),
        )
        for feature, part in columns.groupby("feature", observed=True)
    }
    baselines.entries.update({name: by_feature[name] for name in BASELINE_FEATURES if name in by_feature})
    return baselines


def _load_rows(connection: Connection, accounts: int, namespace: str) -> Baselines:
    """Everything but the entries: the statistics, the latest facts and the windows."""
    empty = Baselines.empty(accounts, (LENGTH, len(NAMES)))
    statistics, latest = summary_names()
    with cursor_of(connection, binary=True) as cursor:
        cursor.execute(
            f"""
            SELECT w.position, extract(epoch FROM s.updated_at)::double precision, s.summary, s."window"
            FROM wanted w JOIN {namespace}.account_state s USING (account_id)
            """
        )
        rows = cursor.fetchall()
    if not rows:
        return empty
    position = np.array([row[0] for row in rows])
    names = (*statistics, *latest)
    if any(len(row[2]) != len(names) or len(row[3]) != empty.window[0].nbytes for row in rows):
        raise StaleBaselinesError("the baselines were kept by another version: run `monitor train`")
    summary = np.full((accounts, len(names)), np.nan)
    summary[:, : len(statistics)] = 0.0
    summary[position] = np.array([row[2] for row in rows])
    empty.updated[position] = [row[1] for row in rows]
    empty.window[position] = np.frombuffer(b"".join(row[3] for row in rows), np.float32).reshape(-1, LENGTH, len(NAMES))
    columns = dict(zip(names, summary.T, strict=True))
    return Baselines(
        empty.updated,
        empty.entries,
        {name: columns[name] for name in statistics},
        {name: columns[name] for name in latest},
        empty.window,
    )


def save_baselines(
    connection: Connection, accounts: Objects, baselines: Baselines, which: Flags, namespace: str = LIVE
) -> None:
    """Store the baselines of the accounts for which ``which`` [a] holds, in place of what was stored."""
    kept = np.flatnonzero(which)
    if not len(kept):
        return
    lists = _entry_lists(baselines, which)
    statistics, latest = summary_names()
    summary = np.stack(
        [baselines.statistics[name][kept] for name in statistics] + [baselines.latest[name][kept] for name in latest], 1
    )
    flat = pa.array(summary.ravel(), pa.float64())
    offsets = pa.array(np.arange(len(kept) + 1, dtype=np.int32) * summary.shape[1])
    batch = pa.RecordBatch.from_pydict(
        {
            "account_id": uuid_array(accounts[kept]),
            "updated_at": moments(baselines.updated[kept]),
            **lists,
            "summary": pa.ListArray.from_arrays(offsets, flat),
            "window": pa.array([window.tobytes() for window in baselines.window[kept]], pa.binary()),
        }
    )
    connection.execute(text(f"CREATE TEMPORARY TABLE learned (LIKE {namespace}.account_state) ON COMMIT DROP"))
    # The encoder writes lists of moments without their zone; sessions keep UTC, so the cast back is exact.
    connection.execute(text("ALTER TABLE learned ALTER COLUMN last_seen_at TYPE timestamp[]"))
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


def _entry_lists(baselines: Baselines, which: Flags) -> dict[str, pa.Array]:
    """The entries as one list per account and column, in the order of the accounts."""
    present = [name for name in BASELINE_FEATURES if len(baselines.entries[name].account)]
    feature = np.repeat(np.arange(len(present)), [len(baselines.entries[name].account) for name in present])
    account, value, weight, seen = (
        np.concatenate([getattr(baselines.entries[name], column) for name in present] or [np.zeros(0)])
        for column in ("account", "value", "weight", "seen")
    )
    rows = np.flatnonzero(which[account.astype(np.int64)])
    rows = rows[np.argsort(account[rows], kind="stable")]
    counts = np.bincount(account[rows].astype(np.int64), minlength=len(which))[which]
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    names = pa.array(present, pa.string()).take(pa.array(feature[rows]))
    columns = {
        "feature": names,
        "value": pa.array(value[rows], pa.string()),
        "weight": pa.array(weight[rows], pa.float32()),
        "last_seen_at": moments(seen[rows]),
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


def user_names(connection: Connection, accounts: Objects) -> "pd.Series[str]":
    """User name by account id."""
    rows = connection.execute(
        text("SELECT account_id::text, user_name FROM monitor.account WHERE account_id = ANY(CAST(:ids AS uuid[]))"),
        {"ids": list(accounts)},
    )
    return pd.Series(dict(rows.tuples().all()), dtype="str")
