"""The stored population: touches of values by accounts, and the traffic of addresses and networks."""

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, text

from monitor.columns import Logins, Objects
from monitor.population import LIFETIMES, TOTALS, TRAFFIC, Population, Traffic, Weights, network_names
from monitor.store.accounts import LIVE, moments
from monitor.store.copy import arrow, copy_in, copy_out


def load_population(connection: Connection, logins: Logins, namespace: str = LIVE) -> Population:
    """What the population knows of the values in this batch, and its totals."""
    wanted = {name: values.names for name, values in logins.values.items()}
    traffic_wanted = {"address": logins.address.names, "network": network_names(logins)}
    _want(connection, wanted | traffic_wanted)
    touches = copy_out(
        connection,
        f"""
        SELECT p.feature, p.value, p.weight, extract(epoch FROM p.updated_at)::double precision
        FROM {namespace}.population_state p JOIN wanted_value w USING (feature, value)
        UNION ALL
        SELECT feature, value, weight, extract(epoch FROM updated_at)::double precision
        FROM {namespace}.population_state WHERE feature = '{TOTALS}'
        """,
        {"feature": pa.string(), "value": pa.string(), "weight": pa.float64(), "updated": pa.float64()},
    ).to_pandas()
    traffic = copy_out(
        connection,
        f"""
        SELECT t.kind, t.value, t.attempts, t.failures, t.accounts,
               extract(epoch FROM t.updated_at)::double precision
        FROM {namespace}.traffic_state t JOIN wanted_value w ON (w.feature, w.value) = (t.kind, t.value)
        """,
        {"kind": pa.string(), "value": pa.string(), **dict.fromkeys(TRAFFIC, pa.float64()), "updated": pa.float64()},
    ).to_pandas()
    connection.execute(text("DROP TABLE wanted_value"))
    return Population(
        {
            str(feature): Weights(part["value"].to_numpy(object), part["weight"].to_numpy(), part["updated"].to_numpy())
            for feature, part in touches.groupby("feature")
        },
        {
            str(kind): Traffic(
                part["value"].to_numpy(object), part[list(TRAFFIC)].to_numpy(), part["updated"].to_numpy()
            )
            for kind, part in traffic.groupby("kind")
        },
    )


def _want(connection: Connection, wanted: dict[str, Objects]) -> None:
    feature = np.repeat(np.arange(len(wanted)), [len(names) for names in wanted.values()])
    batch = {
        "feature": pa.array(list(wanted), pa.string()).take(pa.array(feature)),
        "value": pa.array(np.concatenate(list(wanted.values())), pa.string()),
    }
    connection.execute(text("CREATE TEMPORARY TABLE wanted_value (feature text, value text) ON COMMIT DROP"))
    copy_in(connection, "wanted_value", pa.RecordBatch.from_pydict(batch))
    connection.execute(text("ANALYZE wanted_value"))


def save_population(connection: Connection, changed: Population, namespace: str = LIVE) -> None:
    """Store the rows that a batch changed."""
    touches = pd.concat(
        [
            pd.DataFrame({"feature": feature, "value": part.value, "weight": part.weight, "updated": part.updated})
            for feature, part in changed.touches.items()
        ]
    )
    batch = {
        "feature": arrow(touches["feature"], pa.string()),
        "value": arrow(touches["value"], pa.string()),
        "weight": pa.array(touches["weight"].to_numpy(np.float64)),
        "updated_at": moments(touches["updated"].to_numpy(np.float64)),
    }
    _upsert(connection, f"{namespace}.population_state", "feature, value", batch)
    for kind in LIFETIMES:
        part = changed.traffic.get(kind, Traffic.none())
        columns = {"kind": pa.array([kind] * len(part.value), pa.string()), "value": pa.array(part.value, pa.string())}
        columns |= {name: pa.array(part.sums[:, i]) for i, name in enumerate(TRAFFIC)}
        _upsert(
            connection, f"{namespace}.traffic_state", "kind, value", columns | {"updated_at": moments(part.updated)}
        )


def _upsert(connection: Connection, table: str, key: str, columns: dict[str, pa.Array]) -> None:
    if not len(next(iter(columns.values()))):
        return
    names = ", ".join(columns)
    connection.execute(text(f"CREATE TEMPORARY TABLE changed ON COMMIT DROP AS SELECT {names} FROM {table} LIMIT 0"))
    copy_in(connection, "changed", pa.RecordBatch.from_pydict(columns))
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key.split(", "))
    connection.execute(
        text(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM changed ORDER BY {key} "
            f"ON CONFLICT ({key}) DO UPDATE SET {changes}"
        )
    )
    connection.execute(text("DROP TABLE changed"))
