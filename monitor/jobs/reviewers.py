"""Accounts of the review pages, as the operator manages them."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from monitor.credentials import hashed, new_password, new_secret
from monitor.events import MonitorError
from monitor.store import audit, reviewers
from monitor.store.engine import reading, writing
from monitor.vault import Vault

#: What each role may do: every role all that the ones before it may.
ROLES = ("viewer", "reviewer", "admin")


class ReviewerError(MonitorError):
    """An account that cannot be made or changed like this."""


@dataclass(frozen=True)
class Credentials:
    """What a reviewer needs to sign in; shown once, stored only as hash and secret."""

    name: str
    password: str
    secret: str


def add_reviewer(engine: Engine, vault: Vault, name: str, role: str, now: datetime) -> Credentials:
    """Make an account with a one-time password, which has to be changed at the first sign-in."""
    name = name.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]{0,99}", name):
        raise ReviewerError("a name has letters, digits, and . _ @ -, 100 characters at most")
    if role not in ROLES:
        raise ReviewerError(f"{role!r} is no role; one of {', '.join(ROLES)}")
    made = Credentials(name, new_password(), new_secret())
    values = {"role": role, "password_hash": hashed(made.password), "totp_secret": vault.seal(made.secret)}
    with writing(engine) as connection:
        reviewers.lock_name(connection, name)
        if reviewers.find_reviewer(connection, name) is not None:
            raise ReviewerError(f"there is a reviewer {name} already")
        reviewers.add_reviewer(connection, name, values, now)
        audit.record(connection, "operator", "reviewer added", name, {"role": role}, audit.COMMAND_LINE)
    return made


def reset_reviewer(engine: Engine, vault: Vault, name: str, now: datetime) -> Credentials:
    """A new one-time password and TOTP secret; every session ends, and a disabled account is enabled again.

    Failed tries are forgotten: whoever keeps guessing at a name does not keep its owner out.
    """
    made = Credentials(name.strip().lower(), new_password(), new_secret())
    values = {
        "password_hash": hashed(made.password),
        "totp_secret": vault.seal(made.secret),
        "totp_counter": 0,
        "must_change": True,
        "password_changed_at": now,
        "disabled_at": None,
    }
    _change(engine, made.name, "reviewer reset", values)
    with writing(engine) as connection:
        reviewers.forget_failures(connection, made.name)
    return made


def disable_reviewer(engine: Engine, name: str, now: datetime) -> None:
    """Sign a reviewer out everywhere, and let them in no more; what they did stays."""
    _change(engine, name.strip().lower(), "reviewer disabled", {"disabled_at": now})


def reseal(engine: Engine, vault: Vault) -> int:
    """Seal every TOTP secret with the newest key; returns how many. After it, older keys can go from the file."""
    with writing(engine) as connection:
        found = reviewers.list_reviewers(connection)
        for one in found:
            secret = vault.seal(vault.open(one.totp_secret))
            reviewers.change_reviewer(connection, one.name, totp_secret=secret)
        audit.record(connection, "operator", "secrets sealed anew", "reviewers", {}, audit.COMMAND_LINE)
    return len(found)


def check_secrets(engine: Engine, vault: Vault) -> None:
    """Raise ``VaultError`` when the key does not open what is stored: nobody could sign in."""
    with reading(engine) as connection:
        for one in reviewers.list_reviewers(connection):
            vault.open(one.totp_secret)


def _change(engine: Engine, name: str, action: str, values: dict[str, object]) -> None:
    with writing(engine) as connection:
        if reviewers.find_reviewer(connection, name, lock=True) is None:
            raise ReviewerError(f"there is no reviewer {name}")
        reviewers.change_reviewer(connection, name, **values)
        reviewers.end_sessions(connection, name)
        audit.record(connection, "operator", action, name, {}, audit.COMMAND_LINE)
