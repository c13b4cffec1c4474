"""Connections to public addresses alone, whatever library makes them (server-side request forgery, CWE-918).

Checking a URL, or the address its host name has at the moment, is not enough: a redirect leads elsewhere, and a name
can mean another address a moment later (DNS rebinding). So the check stands where no detour leads around it: Python's
audit event ``socket.connect`` (PEP 578) carries the very address that is about to be connected to.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

#: Well-known prefix of NAT64 (RFC 6052): the last 32 bits are the IPv4 address that is meant.
NAT64 = IPv6Network("64:ff9b::/96")

#: Not for the public, though ``ipaddress`` does not say so: Azure's metadata server, IETF assignments (Oracle's
#: metadata server is among them), local NAT64 (RFC 8215), site-local (RFC 3879).
MORE: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(block) for block in ("168.63.129.16/32", "192.0.0.0/24", "64:ff9b:1::/48", "fec0::/10")
)

_CONNECTING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class RefusedError(OSError):
    """The address is none that may be connected to."""


class _State:
    installed = False
    refused: list[str] | None = None  # None: everything is allowed


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the whole internet can reach that address; IPv4 within IPv6 is looked at as IPv4."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
    special = address.is_multicast or address.is_reserved or any(address in block for block in MORE)
    return address.is_global and not special


@contextmanager
def public_only() -> Iterator[list[str]]:
    """Within the block no thread of this process connects to an address that is not public; yields what was refused.

    For the process that sends notices and does nothing else. A block within a block is none of its own.
    """
    if not _State.installed:
        sys.addaudithook(_watch)  # for good: hooks cannot be removed
        _State.installed = True
    refused: list[str] = []
    _State.refused = refused
    try:
        yield refused
    finally:
        _State.refused = None


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _State.refused is None or event not in _CONNECTING:
        return
    reason = _objection(arguments[1])
    if reason is not None:
        _State.refused.append(reason)
        raise RefusedError(reason)


def _objection(target: object) -> str | None:
    """Why not to connect there; None when all is well, or when the socket is connected already."""
    if target is None:
        return None
    if not isinstance(target, tuple):
        return "a connection within this machine"
    host = str(target[0]).partition("%")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return "a connection by a name that nobody looked up"  # libraries look names up first
    return None if is_public(address) else f"{address}, which is no public address"
