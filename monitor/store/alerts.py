"""Alerts and the logins in them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, insert, text

from monitor.alerting import CAMPAIGN_ACCOUNTS, CAMPAIGN_PAUSE_S
from monitor.columns import KEY, Objects
from monitor.store import tables
from monitor.store.copy import copy_in


@dataclass(frozen=True)
class OpenAlert:
    """The latest open alert of an account."""

    alert_id: UUID
    last_event_at: datetime
    score: float
    severity: str
    headline: str
    segment: str | None


def open_alerts(connection: Connection, accounts: Objects) -> dict[str, OpenAlert]:
    """The latest open alert by account (UUID text), for those that have one; locked against verdicts.

    What was audited did not alert, and nothing continues it.
    """
    rows = connection.execute(
        text(
            """
            SELECT account_id::text AS account_id, alert_id, last_event_at, score, severity, headline, segment
            FROM monitor.alert
            WHERE status = 'open' AND audit_chance IS NULL AND account_id = ANY(CAST(:accounts AS uuid[]))
            ORDER BY last_event_at, alert_id FOR UPDATE
            """
        ),
        {"accounts": list(accounts)},
    )
    return {row.account_id: OpenAlert(*row[1:]) for row in rows}


def add_alerts(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Open alerts."""
    if rows:
        connection.execute(insert(tables.alert), [row | {"status": "open"} for row in rows])


def extend_alerts(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Add logins to open alerts, and what they worsened."""
    if rows:
        connection.execute(
            text(
                """
                UPDATE monitor.alert SET event_count = event_count + :added, opened_at = least(opened_at, :first),
                    last_event_at = greatest(last_event_at, :last), score = :score, severity = :severity,
                    headline = :headline, segment = :segment, updated_at = :now
                WHERE alert_id = :alert
                """
            ),
            rows,
        )


#: Columns of ``alert_event`` that the encoder writes in their own type; the documents follow as text.
_PLAIN = {
    "source": pa.string(),
    "event_id": pa.string(),
    "occurred_at": pa.timestamp("us", "UTC"),
    "score": pa.float32(),
    "threshold_id": pa.int64(),
}


def alerts_of(connection: Connection, logins: pd.DataFrame) -> list[UUID]:
    """The alert that each of these logins is in."""
    query = text(
        """
        SELECT v.alert_id
        FROM unnest(CAST(:account_id AS uuid[]), CAST(:source AS text[]), CAST(:event_id AS text[]),
            CAST(:occurred_at AS timestamptz[])) WITH ORDINALITY AS n (account_id, source, event_id, occurred_at, place)
        JOIN monitor.alert_event v USING (account_id, source, event_id, occurred_at)
        ORDER BY n.place
        """
    )
    times = [moment.to_pydatetime() for moment in logins["occurred_at"]]
    values = {name: logins[name].tolist() for name in KEY} | {"occurred_at": times}
    return list(connection.scalars(query, values))


def add_alert_events(
    connection: Connection, rows: list[dict[str, Any]], learned_at: datetime | None = None, *, follows: bool = False
) -> None:
    """Copy logins into their alerts; one that is in an alert stays there.

    ``learned_at``: they were learned already. ``follows``: they did not alert, but follow what did.
    """
    columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in _PLAIN.items()}
    columns["account_id"] = pa.array([UUID(row["account_id"]).bytes for row in rows], pa.binary(16))
    columns["alert_id"] = pa.array([row["alert_id"].bytes for row in rows], pa.binary(16))
    columns["learned_at"] = pa.array([learned_at] * len(rows), pa.timestamp("us", "UTC"))
    columns["follows"] = pa.array([follows] * len(rows), pa.bool_())
    for name in ("event", "attribution"):
        columns[name] = pa.array([json.dumps(row[name]) for row in rows], pa.string())
    names = ", ".join(columns)
    connection.execute(
        text(f"CREATE TEMPORARY TABLE copied ON COMMIT DROP AS SELECT {names} FROM monitor.alert_event LIMIT 0")
    )
    connection.execute(text("ALTER TABLE copied ALTER COLUMN event TYPE text, ALTER COLUMN attribution TYPE text"))
    copy_in(connection, "copied", pa.RecordBatch.from_pydict(columns))
    values = ", ".join(f"{name}::jsonb" if name in ("event", "attribution") else name for name in columns)
    connection.execute(
        text(f"INSERT INTO monitor.alert_event ({names}) SELECT {values} FROM copied ON CONFLICT DO NOTHING")
    )
    connection.execute(text("DROP TABLE copied"))


#: The /24 or /48 in which the address of an alert's login lies.
_NETWORK = "network(set_masklen((event->>'ip')::inet, CASE WHEN event->>'ip' LIKE '%:%' THEN 48 ELSE 24 END))"


def assign_campaigns(connection: Connection, alert_ids: list[UUID]) -> int:
    """Bind alerts of several accounts that belong to one attack (see ``CAMPAIGN_ACCOUNTS``); returns how many.

    They came from one network within a day, or failed to a login by one program within ``CAMPAIGN_PAUSE_S`` of each
    other. An account where a login succeeded is not bound by its program. Of several attacks an alert belongs to the
    one that began first.
    """
    return connection.execute(
        text(
            f"""
            WITH span AS (
                SELECT min(occurred_at) - interval '1 day' AS since, max(occurred_at) + interval '1 day' AS until
                FROM monitor.alert_event WHERE alert_id = ANY(:alerts) AND NOT follows
            ), seen AS MATERIALIZED (
                SELECT v.account_id, v.alert_id, v.occurred_at, {_NETWORK}::text AS network,
                       CASE WHEN t.audit_chance IS NULL AND NOT EXISTS (
                           SELECT FROM monitor.alert_event o
                           WHERE o.alert_id = v.alert_id AND NOT o.follows AND o.event->>'outcome' <> 'failure'
                       ) THEN v.event->>'user_agent' END AS program
                FROM span JOIN monitor.alert_event v ON v.occurred_at BETWEEN span.since AND span.until
                JOIN monitor.alert t USING (alert_id) WHERE NOT v.follows
            ), marks AS (
                SELECT seen.*, mark.*, lag(occurred_at) OVER own IS NULL OR
                       occurred_at - lag(occurred_at) OVER own > pause AS begins
                FROM seen CROSS JOIN LATERAL (VALUES
                    ('network', network, interval '1 day'), ('program', program, :pause * interval '1 second')
                ) AS mark (kind, value, pause) WHERE value IS NOT NULL
                WINDOW own AS (PARTITION BY kind, value ORDER BY occurred_at, alert_id)
            ), runs AS (
                SELECT *, count(*) FILTER (WHERE begins) OVER (
                    PARTITION BY kind, value ORDER BY occurred_at, alert_id) AS run FROM marks
            ), shared AS (
                SELECT kind, value, min(occurred_at) AS began, array_agg(DISTINCT alert_id) AS alerts
                FROM runs GROUP BY kind, value, run
                HAVING count(DISTINCT account_id) >= :accounts AND bool_or(alert_id = ANY(:alerts))
            ), named AS (
                SELECT kind, value, began, alerts, coalesce(
                    (SELECT k.campaign_id FROM monitor.alert k
                     WHERE k.alert_id = ANY(shared.alerts) AND k.campaign_id IS NOT NULL
                     ORDER BY k.opened_at, k.account_id LIMIT 1),
                    md5(concat_ws(' ', 'campaign', kind, value, extract(epoch FROM began)))::uuid) AS campaign_id
                FROM shared
            ), first AS (
                SELECT DISTINCT ON (m.alert_id) m.alert_id, campaign_id
                FROM named CROSS JOIN LATERAL unnest(alerts) AS m (alert_id)
                ORDER BY m.alert_id, began, kind, value
            )
            UPDATE monitor.alert t SET campaign_id = first.campaign_id FROM first
            WHERE t.alert_id = first.alert_id AND t.campaign_id IS NULL
            """
        ),
        {"alerts": alert_ids, "accounts": CAMPAIGN_ACCOUNTS, "pause": CAMPAIGN_PAUSE_S},
    ).rowcount
