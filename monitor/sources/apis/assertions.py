"""Assertions: what a client signs with its private key to be given an access token (RFC 7523)."""

import time
from collections.abc import Mapping
from uuid import uuid4

import jwt

from monitor.sources.http import ApiError

LIFETIME_SECONDS = 300


def signed(claims: Mapping[str, str], key: str, key_id: str | None = None) -> str:
    """The claims as a JWT that is good for five minutes, signed (RS256) with a private key in PEM."""
    now = int(time.time())
    stamped = {**claims, "iat": now, "exp": now + LIFETIME_SECONDS, "jti": str(uuid4())}
    try:
        return jwt.encode(stamped, key, algorithm="RS256", headers={"kid": key_id} if key_id else None)
    except (jwt.PyJWTError, ValueError, TypeError):
        raise ApiError("its secret is no RSA private key in PEM (-----BEGIN PRIVATE KEY-----)") from None
