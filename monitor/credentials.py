"""Passwords and one-time codes: argon2id (RFC 9106) by argon2-cffi, TOTP (RFC 6238) by pyotp."""

import secrets
from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from pyotp import TOTP, random_base32

from monitor.events import MonitorError

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200

#: Seconds that one code is good for; the ones before and after are taken as well, since clocks differ.
STEP_S = 30


class PasswordError(MonitorError):
    """A new password that is not good enough."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # RFC 9106, second recommended option: 64 MiB, 3 passes


def new_password() -> str:
    """A one-time password: 96 random bits."""
    return secrets.token_urlsafe(12)


def hashed(password: str) -> str:
    return _hasher().hash(password)


@cache
def _nobodys_hash() -> str:
    return hashed(new_password())


def matches(password: str, password_hash: str | None) -> bool:
    """Whether it is the password. Takes as long for nobody (None), so that time does not tell which names exist."""
    try:
        return (
            _hasher().verify(password_hash or _nobodys_hash(), password[:LONGEST_PASSWORD])
            and password_hash is not None
        )
    except (Argon2Error, InvalidHashError):
        return False


def check_new_password(password: str, name: str, old: str) -> None:
    """Raise ``PasswordError`` unless it may become the password of ``name``."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise PasswordError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    if len(set(password)) < 5 or name.lower() in password.lower():
        raise PasswordError("this password is too easy to guess")
    if password == old:
        raise PasswordError("the new password is the old one")


def new_secret() -> str:
    """A TOTP secret in base32, as authenticator apps take it."""
    return random_base32()


def provisioning_uri(name: str, secret: str) -> str:
    """The ``otpauth:`` address that authenticator apps read."""
    return TOTP(secret).provisioning_uri(name=name, issuer_name="Login anomaly monitor")


def used_step(code: str, secret: str, last_step: int, now: datetime) -> int | None:
    """The time step whose code this is; None for a wrong code, and for one that was used before (RFC 6238, 5.2)."""
    digits = "".join(code.split())
    current = int(now.timestamp()) // STEP_S
    generator = TOTP(secret, interval=STEP_S)
    found = [
        step
        for step in (current - 1, current, current + 1)
        if digits.isascii() and secrets.compare_digest(generator.generate_otp(step), digits) and step > last_step
    ]
    return found[0] if found else None
