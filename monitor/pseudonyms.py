"""Pseudonyms in place of user names and addresses, made at ingestion with a secret key.

A keyed hash (BLAKE2b, RFC 7693) gives the same name the same pseudonym, so that everything about an account stays
together and detection finds just as much; without the key nobody can go back, nor try names. This is
pseudonymisation, not anonymisation (GDPR, article 4.5): places, devices and times stay as they are.
"""

import ipaddress
import re
from base64 import b32encode
from collections.abc import Callable
from hashlib import blake2b

import pandas as pd

from monitor import fields

#: An event id that was derived from the content: guesses of the content could be tried on it.
_DERIVED = re.compile(r"[0-9a-f]{32}")

#: Where pseudonymous addresses lie: unique local addresses (RFC 4193), which no network routes.
_LOCAL = 0xFD

#: Digits of a pseudonym: 80 bits, so that a billion names give two the same with a chance below one in a million.
_NAME_BYTES = 10


def fingerprint(key: bytes) -> bytes:
    """A check value, by which another key is told apart."""
    return _hash(key, "check", "", 16)


def user(key: bytes, name: str) -> str:
    """The pseudonym of a user name: "p-" and 16 letters and digits."""
    return f"p-{b32encode(_hash(key, 'user', name, _NAME_BYTES)).decode().lower()}"


def address(key: bytes, ip: str) -> str:
    """The pseudonym of an address, itself an IPv6 address.

    What detection takes for one network, an IPv4 /24 or an IPv6 /48, becomes one /48: two addresses share the
    network of their pseudonyms just when they shared theirs.
    """
    given = ipaddress.ip_address(ip)
    network = ipaddress.ip_network((given, 24 if given.version == 4 else 48), strict=False)
    prefix = bytes([_LOCAL]) + _hash(key, "network", str(network), 5)
    return str(ipaddress.IPv6Address(prefix + _hash(key, "address", str(given), 10)))


def pseudonymous(events: pd.DataFrame, key: bytes | None) -> pd.DataFrame:
    """Validated events (``monitor.events.EVENT_COLUMNS``) with pseudonyms; as they are without a key."""
    if key is None or events.empty:
        return events

    def event_id(given: str) -> str:
        return _hash(key, "event", given, 16).hex() if _DERIVED.fullmatch(given) else given

    return events.assign(
        user=_each(events["user"], lambda name: user(key, name)),
        ip=_each(events["ip"], lambda ip: address(key, ip)),
        event_id=_each(events["event_id"], event_id),
    )


def withheld(rejects: pd.DataFrame, key: bytes | None) -> pd.DataFrame:
    """Rejected records without what they say: who they name is not known. As they are without a key."""
    if key is None or rejects.empty:
        return rejects
    return rejects.assign(
        reason=_each(rejects["reason"], lambda reason: re.sub("'.*'", "'…'", reason, flags=re.DOTALL)),
        record=_each(rejects["record"], lambda record: f"withheld {_hash(key, 'record', record, 16).hex()}"),
    )


def as_written(value: str) -> str:
    """A name as ``monitor.events`` would have it; raises ``ValueError`` with the reason why it is none."""
    fields.refuse_unstorable(value)
    return fields.user_name(value)


def _hash(key: bytes, kind: str, value: str, size: int) -> bytes:
    return blake2b(value.encode(), key=key, person=kind.encode(), digest_size=size).digest()


def _each(column: "pd.Series[str]", change: Callable[[str], str]) -> "pd.Series[str]":
    """The column with each distinct value changed once; unknown stays unknown."""
    codes, values = pd.factorize(column)
    changed = pd.array([*map(change, values), None], dtype="str")
    return pd.Series(changed.take(codes % (len(values) + 1)), index=column.index)
