"""The queue of events that wait for their score, and the frame of columns in which a pass reads them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, text

from monitor.columns import KEY, Objects
from monitor.store.copy import arrow, copy_in, copy_out

_KEY = ", ".join(KEY)

#: What a pass reads of an event; ``network`` is the /24 or /48 that the address lies in.
_SELECTED = {
    "account_id": ("e.account_id", pa.string()),
    "source": ("e.source", pa.string()),
    "event_id": ("e.event_id", pa.string()),
    "occurred_us": ("(extract(epoch FROM e.occurred_at) * 1000000)::bigint", pa.int64()),
    "outcome": ("e.outcome", pa.string()),
    "ip": ("host(e.ip)", pa.string()),
    "network": (
        "network(set_masklen(e.ip, least(masklen(e.ip), CASE family(e.ip) WHEN 4 THEN 24 ELSE 48 END)))::text",
        pa.string(),
    ),
    "country": ("e.country", pa.string()),
    "region": ("e.region", pa.string()),
    "city": ("e.city", pa.string()),
    "latitude": ("e.latitude", pa.float64()),
    "longitude": ("e.longitude", pa.float64()),
    "asn": ("e.asn", pa.int64()),
    "user_agent": ("e.user_agent", pa.string()),
    "browser": ("e.browser", pa.string()),
    "os": ("e.os", pa.string()),
    "device_id": ("e.device_id", pa.string()),
    "auth_method": ("e.auth_method", pa.string()),
    "application": ("e.application", pa.string()),
    "rtt_ms": ("e.rtt_ms", pa.float64()),
}


def next_unscored(connection: Connection, until: datetime, limit: int, after: datetime | None = None) -> pd.DataFrame:
    """The oldest unscored events after ``after`` and before ``until``, sorted by account and time.

    About ``limit``: events of the same moment come together.
    """
    return _events(
        connection,
        """
        SELECT account_id, source, event_id, occurred_at, true, false FROM monitor.unscored_event
        WHERE occurred_at > %(after)s AND occurred_at < %(until)s
        ORDER BY occurred_at FETCH FIRST %(limit)s ROWS WITH TIES
        """,
        {"after": after or "-infinity", "until": until, "limit": limit},
    )


def stored_between(
    connection: Connection, since: datetime, until: datetime, patience_before: datetime, limit: int
) -> pd.DataFrame:
    """The oldest stored events in [since, until) for training, in whole moments: about ``limit`` of them.

    ``learnable`` is false for the logins of alerts that were confirmed, or still wait for a verdict and patience;
    ``vouched`` is true for those that had to wait, and need not any longer.
    """
    return _events(
        connection,
        f"""
        SELECT e.account_id, e.source, e.event_id, e.occurred_at,
               v.alert_id IS NULL OR {_may_be_learned("%(patience_before)s")},
               coalesce({_vouched_for("%(patience_before)s")}, false)
        FROM monitor.login_event e
        LEFT JOIN monitor.alert_event v USING (account_id, source, event_id, occurred_at)
        LEFT JOIN monitor.alert t ON t.alert_id = v.alert_id
        WHERE e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
        ORDER BY e.occurred_at FETCH FIRST %(limit)s ROWS WITH TIES
        """,
        {"since": since, "until": until, "patience_before": patience_before, "limit": limit},
    )


def _may_be_learned(patience_before: str) -> str:
    """Whether a login ``v`` of an alert ``t`` may be learned, as SQL; ``patience_before`` is the placeholder of a time.

    What was only audited never alerted, and waits for nothing.
    """
    return f"({_vouched_for(patience_before)} OR t.status = 'open' AND t.audit_chance IS NOT NULL)"


def _vouched_for(patience_before: str) -> str:
    """Whether a login ``v`` that alerted, of an alert ``t``, was dismissed, or nobody reviewed it for too long."""
    return f"""(t.status = 'dismissed'
        OR t.status = 'open' AND t.audit_chance IS NULL AND v.occurred_at < {patience_before})"""


def due_for_learning(connection: Connection, patience_before: datetime, until: datetime) -> pd.DataFrame:
    """Logins of alerts that may be learned now: dismissed, or unreviewed and older than ``patience_before``."""
    return _events(
        connection,
        f"""
        SELECT v.account_id, v.source, v.event_id, v.occurred_at, true, {_vouched_for("%(patience_before)s")}
        FROM monitor.alert_event v JOIN monitor.alert t USING (alert_id)
        WHERE v.learned_at IS NULL AND v.occurred_at < %(until)s AND {_may_be_learned("%(patience_before)s")}
        """,
        {"patience_before": patience_before, "until": until},
    )


def waiting_for_verdicts(connection: Connection, accounts: Objects, since: datetime) -> pd.DataFrame:
    """Logins of these accounts (UUID texts) since then that alerted and may not be learned yet.

    Of many that look the same, as when passwords are guessed, the latest.
    """
    return _events(
        connection,
        """
        SELECT DISTINCT ON (v.account_id, v.event->>'ip', v.event->>'device_id', v.event->>'user_agent')
            v.account_id, v.source, v.event_id, v.occurred_at, true, false
        FROM monitor.alert_event v JOIN monitor.alert t USING (alert_id)
        WHERE v.learned_at IS NULL AND NOT v.follows AND t.status <> 'dismissed' AND v.occurred_at >= %(since)s
            AND v.account_id = ANY(%(accounts)s::uuid[])
        ORDER BY v.account_id, v.event->>'ip', v.event->>'device_id', v.event->>'user_agent', v.occurred_at DESC
        """,
        {"accounts": list(accounts), "since": since},
    )


def _events(connection: Connection, keys: str, parameters: dict[str, object]) -> pd.DataFrame:
    """The events whose keys a query selects, flagged as ``learnable`` and ``vouched``, sorted by account and time."""
    names = [*_SELECTED, "learnable", "vouched"]
    columns = ", ".join(f"{expression} AS {name}" for name, (expression, _) in _SELECTED.items())
    events = copy_out(
        connection,
        f"""
        WITH chosen ({_KEY}, learnable, vouched) AS MATERIALIZED ({keys})
        SELECT {columns}, chosen.learnable, chosen.vouched FROM chosen JOIN monitor.login_event e USING ({_KEY})
        WHERE e.occurred_at BETWEEN (SELECT min(occurred_at) FROM chosen) AND (SELECT max(occurred_at) FROM chosen)
        ORDER BY e.account_id, e.occurred_at, e.source, e.event_id
        """,
        dict(zip(names, [kind for _, kind in _SELECTED.values()] + [pa.bool_(), pa.bool_()], strict=True)),
        parameters,
    ).to_pandas()
    events["occurred_at"] = pd.to_datetime(events.pop("occurred_us"), unit="us", utc=True)
    events["asn"] = events["asn"].astype("Int64")
    events["user"] = events["account_id"].map(_user_names(connection, events["account_id"].unique()))
    return events


def _user_names(connection: Connection, accounts: Objects) -> dict[str, str]:
    """User name by account id."""
    rows = connection.execute(
        text("SELECT account_id::text, user_name FROM monitor.account WHERE account_id = ANY(CAST(:ids AS uuid[]))"),
        {"ids": list(accounts)},
    )
    return {str(account): str(name) for account, name in rows}


def key_columns(events: pd.DataFrame) -> dict[str, pa.Array]:
    """The key of each event as Arrow columns."""
    return {
        "account_id": uuid_array(events["account_id"]),
        "source": arrow(events["source"], pa.string()),
        "event_id": arrow(events["event_id"], pa.string()),
        "occurred_at": arrow(events["occurred_at"], pa.timestamp("us", "UTC")),
    }


def uuid_array(column: "pd.Series[str]") -> pa.Array:
    """UUID texts as 16 bytes each, converted once per distinct one."""
    codes, names = pd.factorize(column)
    return pa.array([bytes.fromhex(name.replace("-", "")) for name in names], pa.binary(16)).take(pa.array(codes))


def no_longer_unscored(connection: Connection, events: pd.DataFrame) -> int:
    """Take events off the queue, in the transaction that stores what becomes of them; returns how many were there."""
    return _for_each(connection, events, f"DELETE FROM monitor.unscored_event t USING named {_NAMED}")


def _for_each(connection: Connection, events: pd.DataFrame, statement: str, **parameters: object) -> int:
    """Run a statement that joins the keys of ``events`` as the table ``named``; returns the rows it changed."""
    connection.execute(
        text(f"CREATE TEMPORARY TABLE named ON COMMIT DROP AS SELECT {_KEY} FROM monitor.unscored_event LIMIT 0")
    )
    copy_in(connection, "named", pa.RecordBatch.from_pydict(key_columns(events)))
    changed = connection.execute(text(statement), parameters).rowcount
    connection.execute(text("DROP TABLE named"))
    return changed


_NAMED = (
    "WHERE (t.account_id, t.source, t.event_id, t.occurred_at)"
    " = (named.account_id, named.source, named.event_id, named.occurred_at)"
)


@dataclass(frozen=True)
class History:
    """How many events are stored before a moment, and from when to when."""

    events: int
    first: datetime
    last: datetime


def history(connection: Connection, until: datetime) -> History | None:
    """The stored events before ``until``; None when there are none."""
    query = text(
        "SELECT count(*), min(occurred_at), max(occurred_at) FROM monitor.login_event WHERE occurred_at < :until"
    )
    count, first, last = connection.execute(query, {"until": until}).one()
    return History(count, first, last) if count else None


def logins_per_day(connection: Connection, until: datetime, days: float = 14.0) -> float:
    """Stored events a day over the last ``days`` before ``until``, or over as many as there are."""
    query = text(
        """
        SELECT count(*), extract(epoch FROM max(occurred_at) - min(occurred_at))::double precision / 86400
        FROM monitor.login_event WHERE occurred_at >= :since AND occurred_at < :until
        """
    )
    count, seen = connection.execute(query, {"since": until - timedelta(days=days), "until": until}).one()
    return float(count) / max(float(seen or 0.0), 1.0)


def count_unscored(connection: Connection, until: datetime) -> int:
    query = text("SELECT count(*) FROM monitor.unscored_event WHERE occurred_at < :until")
    return int(connection.execute(query, {"until": until}).scalar_one())


def quarantine(connection: Connection, events: pd.DataFrame, reason: str, at: datetime) -> None:
    """Set events aside that cannot be scored, with the reason."""
    rows = events[list(KEY)].to_dict("records")
    connection.execute(
        text(
            f"""
            INSERT INTO monitor.quarantined_event ({_KEY}, reason, quarantined_at)
            VALUES (:account_id, :source, :event_id, :occurred_at, :reason, :at) ON CONFLICT DO NOTHING
            """
        ),
        [row | {"reason": reason, "at": at} for row in rows],
    )


def learned_until(connection: Connection, until: datetime) -> int:
    """Take everything before ``until`` off the queue: training has learned it."""
    return connection.execute(
        text("DELETE FROM monitor.unscored_event WHERE occurred_at < :until"), {"until": until}
    ).rowcount


def mark_learned(connection: Connection, events: pd.DataFrame, at: datetime) -> None:
    """Remember that these logins of alerts entered their baselines."""
    _for_each(connection, events, f"UPDATE monitor.alert_event t SET learned_at = :at FROM named {_NAMED}", at=at)


def mark_relearned(connection: Connection, until: datetime, patience_before: datetime, at: datetime) -> None:
    """Bring ``learned_at`` in line with what training, which starts afresh, has just learned before ``until``."""
    connection.execute(
        text(
            f"""
            UPDATE monitor.alert_event v SET learned_at =
                CASE WHEN {_may_be_learned(":patience_before")} THEN CAST(:at AS timestamptz) END
            FROM monitor.alert t WHERE t.alert_id = v.alert_id AND v.occurred_at < :until
            """
        ),
        {"until": until, "patience_before": patience_before, "at": at},
    )
