"""Login events as they come in: stored once, queued for scoring in the same transaction."""

from datetime import datetime
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from monitor.columns import KEY
from monitor.events import account_id, shard
from monitor.store import tables
from monitor.store.copy import arrow, copy_in
from monitor.store.partitions import ensure_months

# Arrow type of each column that is copied, and PostgreSQL's. An Arrow value of 16 bytes travels as a uuid does.
COPIED: dict[str, tuple[pa.DataType, str]] = {
    "account_id": (pa.binary(16), "uuid"),
    "source": (pa.string(), "text"),
    "event_id": (pa.string(), "text"),
    "occurred_at": (pa.timestamp("us", "UTC"), "timestamptz"),
    "shard": (pa.int16(), "smallint"),
    "outcome": (pa.string(), "text"),
    "ip": (pa.string(), "text"),
    "country": (pa.string(), "text"),
    "region": (pa.string(), "text"),
    "city": (pa.string(), "text"),
    "latitude": (pa.float64(), "double precision"),
    "longitude": (pa.float64(), "double precision"),
    "asn": (pa.int64(), "bigint"),
    "user_agent": (pa.string(), "text"),
    "browser": (pa.string(), "text"),
    "os": (pa.string(), "text"),
    "device_id": (pa.string(), "text"),
    "auth_method": (pa.string(), "text"),
    "application": (pa.string(), "text"),
    "rtt_ms": (pa.float32(), "real"),
    "accuracy_km": (pa.float32(), "real"),
    "network_kind": (pa.string(), "text"),
    "user_name": (pa.string(), "text"),
}

MOST_MONTHS = 36  # to make in one transaction: each new partition takes locks, of which a server has some thousands

_STORED = [name for name in COPIED if name != "user_name"]
_KEY = ", ".join(KEY)


def add_events(connection: Connection, events: pd.DataFrame, received_at: datetime) -> int:
    """Store the events (`monitor.events.EVENT_COLUMNS`) that are not stored yet, and queue just those for scoring.

    Returns how many were new; what happened before its account was forgotten is left out (``store.erasure``). Call it
    once in a transaction: rows are locked in the order of their keys, so that two loads of the same events wait for
    each other instead of deadlocking.
    """
    if events.empty:
        return 0
    ensure_months(connection, _months(events["occurred_at"]))
    columns = ", ".join(f"{name} {kind}" for name, (_, kind) in COPIED.items())
    connection.execute(text(f"CREATE TEMPORARY TABLE incoming_event ({columns}) ON COMMIT DROP"))
    copy_in(connection, "incoming_event", _arrow(events))
    stored = connection.execute(_INSERT, {"received_at": received_at}).all()
    connection.execute(text("DROP TABLE incoming_event"))
    # The last statement, so that other loads of the same source wait for the commit alone.
    if stored:
        connection.execute(_COUNT, [{**row._mapping, "rejected": 0, "at": received_at} for row in stored])
    return sum(row.stored for row in stored)


# What is erased is told in the very statement that stores: one that waited for an erasure sees its receipt.
_INSERT = text(
    f"""
    WITH taken AS (
        SELECT * FROM incoming_event AS incoming WHERE NOT EXISTS (
            SELECT FROM monitor.erasure AS gone
            WHERE gone.account_id = incoming.account_id AND gone.forgotten_at >= incoming.occurred_at)
    ), fresh AS (
        INSERT INTO monitor.login_event ({", ".join(_STORED)}, received_at)
        SELECT {", ".join("ip::inet" if name == "ip" else name for name in _STORED)}, :received_at
        FROM taken
        ORDER BY {_KEY}
        ON CONFLICT DO NOTHING
        RETURNING {_KEY}
    ), queued AS (
        INSERT INTO monitor.unscored_event ({_KEY}) SELECT {_KEY} FROM fresh
    ), met AS (
        INSERT INTO monitor.account (account_id, user_name, shard, first_seen_at)
        SELECT account_id, min(user_name), min(shard), min(occurred_at)
        FROM taken AS incoming
        WHERE NOT EXISTS (SELECT FROM monitor.account AS known WHERE known.account_id = incoming.account_id)
        GROUP BY account_id
        ORDER BY account_id
        ON CONFLICT DO NOTHING
    )
    SELECT source, count(*) AS stored, max(occurred_at) AS newest FROM fresh GROUP BY source ORDER BY source
    """
)

_COUNT = text(
    """
    INSERT INTO monitor.source_total AS total (source, stored, rejected, last_received_at, last_occurred_at)
    VALUES (:source, :stored, :rejected, :at, :newest)
    ON CONFLICT (source) DO UPDATE
    SET stored = total.stored + excluded.stored, rejected = total.rejected + excluded.rejected,
        last_received_at = greatest(total.last_received_at, excluded.last_received_at),
        last_occurred_at = greatest(total.last_occurred_at, excluded.last_occurred_at)
    """
)


def pieces(events: pd.DataFrame) -> list[pd.DataFrame]:
    """The events cut so that no piece needs more than `MOST_MONTHS` months: one transaction each."""
    months = events["occurred_at"].dt.tz_localize(None).to_numpy().astype("datetime64[M]")
    distinct, position = np.unique(months, return_inverse=True)
    if len(distinct) <= MOST_MONTHS:
        return [events]
    return [part for _, part in events.groupby(position // MOST_MONTHS)]


def _months(times: pd.Series) -> list[datetime]:
    months = np.unique(times.dt.tz_localize(None).to_numpy().astype("datetime64[M]"))
    return [month.to_pydatetime() for month in pd.to_datetime(months).tz_localize("UTC")]


def _arrow(events: pd.DataFrame) -> pa.RecordBatch:
    codes, users = pd.factorize(events["user"])
    accounts = [account_id(user) for user in users]
    ids = pa.array([account.bytes for account in accounts], pa.binary(16))
    columns: dict[str, pa.Array] = {
        "account_id": ids.take(pa.array(codes)),
        "shard": pa.array(np.array([shard(account) for account in accounts], dtype=np.int16)[codes]),
        "user_name": arrow(events["user"], pa.string()),
    }
    for name, (kind, _) in COPIED.items():
        if name not in columns:
            columns[name] = arrow(events[name], kind)
    return pa.RecordBatch.from_pydict({name: columns[name] for name in COPIED})


def add_rejects(connection: Connection, source: str, rejects: pd.DataFrame, rejected_at: datetime) -> None:
    """Keep rejected records (line, reason, record) with their reasons; the same record again changes nothing."""
    if rejects.empty:
        return
    said = (rejects["reason"] + "\n" + rejects["record"]).tolist()
    rows = {
        "source": source,
        "hashes": [blake2b(entry.encode(), digest_size=16).digest() for entry in said],
        "lines": rejects["line"].tolist(),
        "reasons": rejects["reason"].tolist(),
        "records": rejects["record"].tolist(),
        "rejected_at": rejected_at,
    }
    rejected = connection.execute(_INSERT_REJECTS, rows).rowcount
    if rejected:
        counted = {"source": source, "stored": 0, "rejected": rejected, "at": None, "newest": None}
        connection.execute(_COUNT, counted)


_INSERT_REJECTS = text(
    """
    INSERT INTO monitor.rejected_record (source, record_hash, line, reason, record, rejected_at)
    SELECT CAST(:source AS text), record_hash, line, reason, record, :rejected_at
    FROM unnest(CAST(:hashes AS bytea[]), CAST(:lines AS bigint[]), CAST(:reasons AS text[]), CAST(:records AS text[]))
        AS rejected (record_hash, line, reason, record)
    ORDER BY record_hash
    ON CONFLICT DO NOTHING
    """
)


def source_cursor(connection: Connection, source: str) -> dict[str, Any] | None:
    """Where the incremental pull of a source stands; None before its first."""
    table = tables.source_cursor
    cursor: dict[str, Any] | None = connection.scalar(select(table.c.cursor).where(table.c.source == source))
    return cursor


def set_source_cursor(connection: Connection, source: str, cursor: dict[str, Any], updated_at: datetime) -> None:
    """Move a pull on; in the transaction that stores what it has read, so that both happen or neither."""
    values = {"cursor": cursor, "updated_at": updated_at}
    statement = insert(tables.source_cursor).values(source=source, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["source"], set_=values))
