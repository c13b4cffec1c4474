"""Forgetting one person: every row of their account goes, and their name goes from what else mentions it.

Every table with an ``account_id`` or ``alert_id`` is among those that are emptied, so that a new one is too. Free text
is searched for the name as a word, in lower case, as people and logs write it.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, Text, delete, func, insert, or_, select, text, update
from uuid_utils.compat import uuid7

from monitor.fields import storable
from monitor.store import tables

#: What stands where a name stood.
FORGOTTEN = "(forgotten)"

#: How long to wait for writers that hold on to the queue, while new ones wait behind.
PATIENCE = "30s"

#: Text in which people and programs name somebody; the name is overwritten.
_TOLD = (tables.comment.c.body, tables.review.c.note, tables.job_run.c.error, tables.delivery.c.error)

#: What has to stay: the audit log is chained, reviewers are accounts of their own (`monitor reviewer disable`).
_KEPT = (tables.audit.c.details, tables.audit.c.subject, tables.audit.c.actor, tables.reviewer.c.name)


def hold_writers(connection: Connection) -> None:
    """Let nobody store events or decide on notices until this transaction ends, having waited for those who do.

    Hold the lock of scoring before (``store.scores.lock_scoring``).
    """
    connection.execute(text("SELECT set_config('lock_timeout', :patience, true)"), {"patience": PATIENCE})
    connection.execute(text("LOCK TABLE monitor.unscored_event, monitor.delivery IN SHARE ROW EXCLUSIVE MODE"))
    connection.execute(text("SET LOCAL lock_timeout = 0"))


def forgotten_before(connection: Connection, account: UUID) -> list[datetime]:
    """When an account was forgotten, the latest time first."""
    table = tables.erasure
    query = select(table.c.forgotten_at).where(table.c.account_id == account)
    return list(connection.scalars(query.order_by(table.c.forgotten_at.desc())))


def add_receipt(
    connection: Connection, account: UUID, now: datetime, counts: dict[str, int], kept: dict[str, int]
) -> UUID:
    receipt = uuid7()
    values = {"erasure_id": receipt, "account_id": account, "forgotten_at": now, "counts": counts, "kept": kept}
    connection.execute(insert(tables.erasure).values(values))
    return receipt


def delete_account(connection: Connection, account: UUID) -> dict[str, int]:
    """Delete all rows of an account; how many, by table."""
    counts: dict[str, int] = {}
    lock = text("SELECT alert_id FROM monitor.alert WHERE account_id = :account ORDER BY alert_id FOR UPDATE")
    alerts = list(connection.scalars(lock, {"account": account}))
    every = [table for table in tables.metadata.sorted_tables if table is not tables.erasure]
    of_alerts = [table for table in every if "alert_id" in table.c and "account_id" not in table.c]
    of_account = [table for table in every if "account_id" in table.c]
    for table in of_alerts:
        counts[table.name] = connection.execute(delete(table).where(table.c.alert_id.in_(alerts))).rowcount
    for table in of_account:
        counts[table.name] = connection.execute(delete(table).where(table.c.account_id == account)).rowcount
    return counts


def delete_from_population(connection: Connection, account: UUID) -> dict[str, int]:
    """Delete the values that no other account is known to have used: a device, an address. Call it before the rest.

    A value that others share is a number without a name, and stays. Reads every account's values once.
    """
    touched = connection.execute(
        text(
            """
            WITH own AS (
                SELECT DISTINCT part.feature, part.value FROM monitor.account_state s
                CROSS JOIN LATERAL unnest(s.feature, s.value) AS part (feature, value)
                WHERE s.account_id = :account
            ), shared AS (
                SELECT DISTINCT part.feature, part.value FROM monitor.account_state s
                CROSS JOIN LATERAL unnest(s.feature, s.value) AS part (feature, value)
                JOIN own ON (own.feature, own.value) = (part.feature, part.value)
                WHERE s.account_id <> :account
            )
            DELETE FROM monitor.population_state p USING (TABLE own EXCEPT TABLE shared) AS alone
            WHERE (p.feature, p.value) = (alone.feature, alone.value)
            """
        ),
        {"account": account},
    ).rowcount
    traffic = connection.execute(
        text(
            """
            DELETE FROM monitor.traffic_state t USING (
                SELECT DISTINCT ip,
                       network(set_masklen(ip, least(masklen(ip), CASE family(ip) WHEN 4 THEN 24 ELSE 48 END)))
                           AS network
                FROM monitor.login_event WHERE account_id = :account AND ip IS NOT NULL
            ) AS own
            WHERE (t.kind = 'address' AND t.value = host(own.ip) AND NOT EXISTS (
                    SELECT FROM monitor.login_event other WHERE other.ip = own.ip AND other.account_id <> :account))
               OR (t.kind = 'network' AND t.value = own.network::text AND NOT EXISTS (
                    SELECT FROM monitor.login_event other
                    WHERE other.ip >= host(own.network)::inet AND other.ip <= host(broadcast(own.network))::inet
                      AND other.account_id <> :account))
            """
        ),
        {"account": account},
    ).rowcount
    return {"population_state": touched, "traffic_state": traffic}


_IDLE = """
    NOT EXISTS (SELECT FROM monitor.login_event e WHERE e.account_id = a.account_id)
    AND NOT EXISTS (SELECT FROM monitor.alert t WHERE t.account_id = a.account_id)
    AND NOT EXISTS (SELECT FROM monitor.alert_event v WHERE v.account_id = a.account_id)
"""


def idle_accounts(connection: Connection, before: datetime) -> list[UUID]:
    """Accounts first seen ``before`` of which neither a login nor an alert is left."""
    query = text(f"SELECT account_id FROM monitor.account a WHERE first_seen_at < :before AND {_IDLE}")
    return list(connection.scalars(query, {"before": before}))


def delete_idle(connection: Connection, accounts: Sequence[UUID]) -> int:
    """Delete those of the accounts that are idle still, and their baselines; returns how many."""
    query = text(f"DELETE FROM monitor.account a WHERE account_id = ANY(:accounts) AND {_IDLE} RETURNING account_id")
    gone = list(connection.scalars(query, {"accounts": list(accounts)}))
    table = tables.account_state
    connection.execute(delete(table).where(table.c.account_id.in_(gone)))
    return len(gone)


def delete_mentions(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """Delete rejected records that hold one of the names, and overwrite it in text; how many rows, by table."""
    word = _word(names)
    counts: dict[str, int] = {}
    table = tables.rejected_record
    for row in _candidates(connection, table, (table.c.record, table.c.reason), names):
        if word.search(row.record) or word.search(row.reason):
            same = (table.c.source == row.source) & (table.c.record_hash == row.record_hash)
            counts[table.name] = counts.get(table.name, 0) + connection.execute(delete(table).where(same)).rowcount
    for column in _TOLD:
        for row in _candidates(connection, column.table, (column,), names):
            said = row._mapping[column.name]
            cleaned = word.sub(FORGOTTEN, said)
            if cleaned != said:
                same = [key == row._mapping[key.name] for key in column.table.primary_key]
                connection.execute(update(column.table).where(*same).values({column.name: cleaned}))
                counts[column.table.name] = counts.get(column.table.name, 0) + 1
    return counts


def count_kept(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """Rows that mention one of the names and stay, by table."""
    word = _word(names)
    found: dict[str, int] = {}
    for table in dict.fromkeys(column.table for column in _KEPT):
        columns = [column for column in _KEPT if column.table is table]
        for row in _candidates(connection, table, columns, names):
            values = [row._mapping[column.name] for column in columns]
            if any(word.search(said if isinstance(said, str) else json.dumps(said)) for said in values):
                found[table.name] = found.get(table.name, 0) + 1
    return found


def _candidates(
    connection: Connection, table: Table, columns: Sequence[Any], names: Sequence[str]
) -> Sequence[Row[Any]]:
    """Rows that hold one of the names anywhere, be it within a word."""
    holds = [
        func.strpos(func.lower(column.cast(Text)), func.lower(form)) > 0 for column in columns for form in _forms(names)
    ]
    return connection.execute(select(table).where(or_(*holds))).all()


def _forms(names: Sequence[str]) -> list[str]:
    """Each name as it is, as kept records write it, and as JSON does."""
    return list(dict.fromkeys(form for name in names for form in (name, storable(name), json.dumps(name)[1:-1])))


def _word(names: Sequence[str]) -> re.Pattern[str]:
    """One of the names, not within a longer word: "ann" is not in "anna", but in "ann@example.com"."""
    forms = "|".join(re.escape(form) for form in _forms(names))
    return re.compile(rf"(?<![^\W_])(?:{forms})(?![^\W_])", re.IGNORECASE)
