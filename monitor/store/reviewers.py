"""Who may sign in to the review pages, their sessions, and their tries to sign in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from uuid_utils.compat import uuid7

from monitor.store import tables
from monitor.store.engine import find_one, statement


@dataclass(frozen=True)
class Reviewer:
    """One account of the review pages; ``totp_counter`` is the time step of the last code that was used."""

    name: str
    role: str
    password_hash: str
    totp_secret: str
    totp_counter: int
    must_change: bool
    created_at: datetime
    password_changed_at: datetime
    disabled_at: datetime | None


def find_reviewer(connection: Connection, name: str, *, lock: bool = False) -> Reviewer | None:
    query = select(tables.reviewer).where(tables.reviewer.c.name == name)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return None if row is None else Reviewer(**row._mapping)


def list_reviewers(connection: Connection) -> list[Reviewer]:
    rows = connection.execute(select(tables.reviewer).order_by(tables.reviewer.c.name))
    return [Reviewer(**row._mapping) for row in rows]


def active_names(connection: Connection) -> list[str]:
    """Those an alert may be assigned to."""
    column = tables.reviewer.c
    query = select(column.name).where(column.disabled_at.is_(None), column.role != "viewer").order_by(column.name)
    return list(connection.scalars(query))


def add_reviewer(connection: Connection, name: str, values: dict[str, Any], now: datetime) -> None:
    connection.execute(
        insert(tables.reviewer).values(name=name, created_at=now, password_changed_at=now, must_change=True, **values)
    )


def change_reviewer(connection: Connection, name: str, **values: Any) -> None:
    connection.execute(update(tables.reviewer).where(tables.reviewer.c.name == name).values(**values))


def lock_name(connection: Connection, name: str) -> None:
    """Let tries under one name wait for each other, whether anybody has the name or not."""
    connection.execute(statement("SELECT pg_advisory_xact_lock(hashtextextended(:name, 1))"), {"name": name})


def add_try(connection: Connection, name: str, address: str, now: datetime, *, succeeded: bool) -> None:
    table = tables.sign_in_try
    connection.execute(
        insert(table).values(try_id=uuid7(), reviewer=name, address=address, succeeded=succeeded, tried_at=now)
    )


def forget_tries(connection: Connection, before: datetime) -> None:
    connection.execute(delete(tables.sign_in_try).where(tables.sign_in_try.c.tried_at < before))


def forget_failures(connection: Connection, name: str) -> None:
    """Let the owner of a name try again at once."""
    table = tables.sign_in_try
    connection.execute(delete(table).where(table.c.reviewer == name, ~table.c.succeeded))


@dataclass(frozen=True)
class Tries:
    """Recent failures to sign in, newest first, as an answer to "may this one try again?"

    ``of_name`` are of this name: from this address if the owner has signed in from it lately, else from all addresses
    that are strangers to the name. ``of_address`` are from this address under any name.
    """

    of_name: Sequence[datetime]
    of_address: Sequence[datetime]


def recent_tries(connection: Connection, name: str, address: str, now: datetime, known: timedelta) -> Tries:
    """Failures of the last hour. A stranger's tries do not use up those of an address the owner has used before."""
    table = tables.sign_in_try.c
    since = now - timedelta(hours=1)
    homes = select(table.address).where(table.reviewer == name, table.succeeded, table.tried_at > now - known)
    at_home = address in set(connection.scalars(homes))
    failed = select(table.tried_at).where(~table.succeeded, table.tried_at > since).order_by(table.tried_at.desc())
    there = table.address == address if at_home else table.address.not_in(homes)
    return Tries(
        connection.scalars(failed.where(table.reviewer == name, there).limit(100)).all(),
        connection.scalars(failed.where(table.address == address).limit(1_000)).all(),
    )


def open_session(connection: Connection, token_hash: bytes, name: str, address: str, now: datetime) -> None:
    connection.execute(
        insert(tables.web_session).values(
            token_hash=token_hash, reviewer=name, created_at=now, seen_at=now, address=address
        )
    )


def session_of(connection: Connection, token_hash: bytes) -> Any | None:
    """The session with its reviewer's name, role and must_change; None when it ended or its owner was disabled."""
    return find_one(
        connection,
        """
        SELECT s.created_at, s.seen_at, r.name, r.role, r.must_change
        FROM monitor.web_session s JOIN monitor.reviewer r ON r.name = s.reviewer
        WHERE s.token_hash = :token AND r.disabled_at IS NULL
        """,
        {"token": token_hash},
    )


def touch_session(connection: Connection, token_hash: bytes, now: datetime) -> None:
    table = tables.web_session
    connection.execute(update(table).where(table.c.token_hash == token_hash).values(seen_at=now))


def end_session(connection: Connection, token_hash: bytes) -> None:
    connection.execute(delete(tables.web_session).where(tables.web_session.c.token_hash == token_hash))


def end_sessions(connection: Connection, name: str) -> int:
    """Sign a reviewer out everywhere."""
    return connection.execute(delete(tables.web_session).where(tables.web_session.c.reviewer == name)).rowcount


def forget_sessions(connection: Connection, created_before: datetime, seen_before: datetime) -> None:
    table = tables.web_session
    connection.execute(delete(table).where((table.c.created_at < created_before) | (table.c.seen_at < seen_before)))


def web_secret(connection: Connection) -> bytes:
    """The key that signs cookies and forms."""
    return bytes(connection.execute(select(tables.web_secret.c.secret)).scalar_one())
