"""Signing in to the review pages and out again. What limits guessing is stored, so it holds across processes."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, Engine

from monitor.credentials import check_new_password, hashed, matches, used_step
from monitor.events import MonitorError
from monitor.store import audit, reviewers
from monitor.store.engine import writing
from monitor.vault import Vault

#: Failures in an hour after which a name, or an address, has to wait.
MOST_TRIES, MOST_TRIES_OF_ADDRESS = 10, 50

#: Failures that cost no waiting; from then on the wait doubles: 1, 2, 4 … 64 seconds.
FREE_TRIES = 3

#: An address from which the owner signed in this lately keeps tries of its own, whatever strangers do.
KNOWN_ADDRESS = timedelta(days=30)

#: A session ends after this long without a request, and after this long in any case.
IDLE, LONGEST = timedelta(hours=1), timedelta(hours=12)

#: A request moves the end of its session if the last move is older than this: not every page costs a write.
TOUCH = timedelta(minutes=1)

LONGEST_INPUT = 200


class SignInError(MonitorError):
    """Not signed in; ``retry_seconds`` says how long to wait before another try can succeed."""

    def __init__(self, message: str, retry_seconds: int = 0) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


def sign_in(engine: Engine, vault: Vault, name: str, password: str, code: str, address: str, now: datetime) -> str:
    """Check name, password and one-time code together; returns the token of a new session. Raises ``SignInError``."""
    name = name.strip().lower()[:LONGEST_INPUT].replace("\0", "")
    with writing(engine) as connection:
        # Tries under one name wait for each other: guesses in parallel are counted like guesses in a row.
        reviewers.lock_name(connection, name)
        wait = _wait(reviewers.recent_tries(connection, name, address, now, KNOWN_ADDRESS), now)
        token = "" if wait else _try(connection, vault, name, password, code, address, now)
    if wait:
        raise SignInError(f"too many tries; wait {_words(wait)}", wait)
    if not token:
        raise SignInError("name, password or code is wrong")
    return token


def _try(connection: Connection, vault: Vault, name: str, password: str, code: str, address: str, now: datetime) -> str:
    """One try, recorded; the token, or "" when it failed."""
    found = reviewers.find_reviewer(connection, name, lock=True)
    right = matches(password, found.password_hash if found else None)
    step = used_step(code, vault.open(found.totp_secret), found.totp_counter, now) if found else None
    succeeded = found is not None and found.disabled_at is None and right and step is not None
    reviewers.add_try(connection, name, address, now, succeeded=succeeded)
    audit.record(connection, name, "sign in" if succeeded else "sign in refused", name, {}, address)
    if not succeeded:
        return ""
    reviewers.change_reviewer(connection, name, totp_counter=step)
    reviewers.forget_tries(connection, now - KNOWN_ADDRESS)
    reviewers.forget_sessions(connection, now - LONGEST, now - IDLE)
    return open_session(connection, name, address, now)


def open_session(connection: Connection, name: str, address: str, now: datetime) -> str:
    """Start a session of somebody whose identity is proven; returns its token, which is stored as a hash only."""
    token = secrets.token_urlsafe(32)
    reviewers.open_session(connection, _hash(token), name, address, now)
    return token


def _hash(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()


def _wait(tries: reviewers.Tries, now: datetime) -> int:
    """Seconds until the next try counts; 0 when it may be now."""
    waits = [0.0]
    if len(tries.of_name) >= FREE_TRIES:
        pause = 2.0 ** min(len(tries.of_name) - FREE_TRIES, 6)
        waits.append(pause - (now - tries.of_name[0]).total_seconds())
    for failures, most in ((tries.of_name, MOST_TRIES), (tries.of_address, MOST_TRIES_OF_ADDRESS)):
        if len(failures) >= most:
            waits.append(3600 - (now - failures[most - 1]).total_seconds())
    return int(-(-max(waits) // 1))


def _words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} minutes"


@dataclass(frozen=True)
class Session:
    """Whose session it is; ``stale`` asks for ``keep_awake``, since not every page should cost a write."""

    name: str
    role: str
    must_change: bool
    stale: bool


def find_session(connection: Connection, token: str, now: datetime) -> Session | None:
    """The session of whoever holds this token; None when it is over."""
    found = reviewers.session_of(connection, _hash(token))
    if found is None or found.created_at <= now - LONGEST or found.seen_at <= now - IDLE:
        return None
    return Session(found.name, found.role, found.must_change, stale=found.seen_at <= now - TOUCH)


def keep_awake(engine: Engine, token: str, now: datetime) -> None:
    """Let the idle time of a session begin anew."""
    with writing(engine) as connection:
        reviewers.touch_session(connection, _hash(token), now)


def sign_out(engine: Engine, token: str, name: str, address: str) -> None:
    with writing(engine) as connection:
        reviewers.end_session(connection, _hash(token))
        audit.record(connection, name, "sign out", name, {}, address)


def change_password(engine: Engine, name: str, old: str, new: str, address: str, now: datetime) -> str:
    """Change one's own password; every session ends, and the token of a new one is returned.

    Raises ``SignInError`` when the old password is wrong, ``PasswordError`` when the new one will not do.
    """
    with writing(engine) as connection:
        reviewers.lock_name(connection, name)
        found = reviewers.find_reviewer(connection, name, lock=True)
        wait = _wait(reviewers.recent_tries(connection, name, address, now, KNOWN_ADDRESS), now)
        right = not wait and found is not None and matches(old, found.password_hash)
        if right:
            check_new_password(new, name, old)
            values = {"password_hash": hashed(new), "must_change": False, "password_changed_at": now}
            reviewers.change_reviewer(connection, name, **values)
            reviewers.end_sessions(connection, name)
            audit.record(connection, name, "password changed", name, {}, address)
            token = open_session(connection, name, address, now)
        elif not wait:
            reviewers.add_try(connection, name, address, now, succeeded=False)
            audit.record(connection, name, "password change refused", name, {}, address)
    if wait:
        raise SignInError(f"too many tries; wait {_words(wait)}", wait)
    if not right:
        raise SignInError("the old password is wrong")
    return token
