"""What an address says of a login beyond what its source says: place, network, and the kind of network.

Places and networks come from files in MaxMind's format (GeoLite2, GeoIP2, DB-IP, …), kinds from lists of ranges that
the operator names (VPN providers, Tor exits, relays, hosting) and from the registry of special addresses. What an event
carries itself is never overwritten, and not completed by a place that contradicts it.
"""

import ipaddress
import shutil
import socket
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Generic, TypeAlias, TypeVar

import maxminddb
import numpy as np
import pandas as pd
import structlog

from monitor import fields
from monitor.events import MonitorError

log = structlog.stdlib.get_logger("monitor.enrichment")

#: Addresses that lie nowhere in particular (IANA special-purpose registries). No place is made up for them.
SPECIAL: Mapping[str, tuple[str, ...]] = {
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),  # RFC 1918, RFC 4193
    "carrier": ("100.64.0.0/10",),  # RFC 6598: behind a carrier's address translation
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link_local": ("169.254.0.0/16", "fe80::/10"),
}

#: Coordinates less certain than this stand for a country or a region: nobody was there, and nobody travelled there.
MOST_ACCURACY_KM = 200.0

PLACE = ("country", "region", "city", "latitude", "longitude", "accuracy_km")

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Kept = TypeVar("Kept")


class EnrichmentError(MonitorError):
    """A file that enrichment is to read cannot be used."""


class Ranges:
    """A set of addresses as disjoint ranges, each end as the 16 bytes of IPv6 (IPv4 within ::ffff:0:0/96)."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._begins: list[bytes] = []
        self._ends: list[bytes] = []
        for begin, end in sorted((_packed(net.network_address), _packed(net.broadcast_address)) for net in networks):
            if self._ends and begin <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._begins.append(begin)
                self._ends.append(end)

    def __contains__(self, packed: bytes) -> bool:
        at = bisect_right(self._begins, packed) - 1
        return at >= 0 and packed <= self._ends[at]


_MAPPED = bytes(10) + b"\xff\xff"


def _packed(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bytes:
    return address.packed if address.version == 6 else _MAPPED + address.packed


def packed(address: str) -> bytes:
    """An address in its canonical text as 16 bytes; this costs a fifth of what ``ipaddress`` does."""
    return socket.inet_pton(socket.AF_INET6, address) if ":" in address else _MAPPED + socket.inet_aton(address)


_SPECIAL = {kind: Ranges(ipaddress.ip_network(text) for text in texts) for kind, texts in SPECIAL.items()}


class _File(Generic[Kept]):
    """What a file says; read again when it was replaced. A replacement that cannot be read leaves what was before."""

    def __init__(self, path: Path, read: Callable[[Path], Kept]) -> None:
        self._path, self._read = path, read
        self._stamp: tuple[int, ...] = ()
        self._kept: Kept | None = None
        self._lock = Lock()

    def content(self) -> Kept:
        with self._lock:
            stamp = self._stamp_now()
            if self._kept is None or stamp != self._stamp:
                try:
                    self._kept = self._read(self._path)
                except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
                    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
                    if self._kept is None:
                        raise EnrichmentError(f"{self._path} cannot be used: {reason}") from None
                    log.warning("file not replaced", path=str(self._path), error=reason)
                self._stamp = stamp
            return self._kept

    def _stamp_now(self) -> tuple[int, ...]:
        try:
            status = self._path.stat()
        except OSError:
            return (0,)
        return (status.st_ino, status.st_size, status.st_mtime_ns)


def _open(path: Path) -> maxminddb.Reader:
    """Open a copy: the reader maps its file into memory, and one that is cut short there would end the process."""
    with TemporaryDirectory(prefix="monitor-") as directory:
        return maxminddb.open_database(shutil.copyfile(path, Path(directory) / "copy.mmdb"))


def _listed(path: Path) -> Ranges:
    """A list of addresses and ranges, one a line; comments (#) and what follows on the line are left aside."""
    networks: list[Network] = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            text = line.split("#")[0].replace(",", " ").replace(";", " ").split()
            try:
                if text:
                    networks.append(ipaddress.ip_network(text[0], strict=False))
            except ValueError:
                raise ValueError(f"line {number} is no address and no range") from None
    return Ranges(networks)


class Enricher:
    """Completes events by their addresses; ``lists`` names kinds of networks, the first that holds an address counts.

    Safe to be used by several threads.
    """

    def __init__(
        self, city: Path | None = None, asn: Path | None = None, lists: Iterable[tuple[str, Path]] = ()
    ) -> None:
        self._city = _File(city, _open) if city else None
        self._asn = _File(asn, _open) if asn else None
        self._lists = [(kind, _File(path, _listed)) for kind, path in lists]

    def __call__(self, events: pd.DataFrame) -> pd.DataFrame:
        """The events (`monitor.events.EVENT_COLUMNS`) with what their addresses say; looked up once per address."""
        codes, found = pd.factorize(events["ip"])
        addresses = [str(address) for address in found]
        kinds = self._kinds(addresses)
        events = events.assign(network_kind=_texts(kinds, codes))
        public = [None if kind in SPECIAL else address for kind, address in zip(kinds, addresses, strict=True)]
        if self._asn:
            numbers = _numbers([_asn(_look_up(self._asn.content(), address)) for address in public], codes)
            events["asn"] = events["asn"].fillna(pd.Series(numbers, index=events.index).astype("Int64"))
        if self._city:
            reader = self._city.content()
            events = _placed(events, [_place(_look_up(reader, address)) for address in public], codes)
        return events

    def _kinds(self, addresses: list[str]) -> list[str | None]:
        ranges = [(kind, file.content()) for kind, file in self._lists] + list(_SPECIAL.items())
        return [
            next((kind for kind, range_ in ranges if address in range_), None) for address in map(packed, addresses)
        ]


@lru_cache(maxsize=8)
def _shared(city: Path | None, asn: Path | None, lists: tuple[tuple[str, Path], ...]) -> Enricher:
    return Enricher(city, asn, lists)


def enricher(city: Path | None, asn: Path | None, lists: Mapping[str, Path]) -> Enricher:
    """The enricher of these files, the same one each time: what it has read is kept from one pull to the next."""
    return _shared(city, asn, tuple(lists.items()))


def _look_up(reader: maxminddb.Reader, address: str | None) -> Any:
    try:
        return reader.get(address) if address else None
    except (ValueError, maxminddb.InvalidDatabaseError):  # an IPv6 address, in a file that knows IPv4 only
        return None


def _at(record: Any, *path: str | int) -> Any:
    for key in path:
        try:
            record = record[key]
        except (KeyError, IndexError, TypeError):
            return None
    return record


def _clean(name: str, value: Any) -> Any:
    """A value of a file as the column takes it; None if it does not."""
    cleaner = fields.TEXT.get(name) or fields.NUMBERS.get(name) or fields.number(0, 50_000)
    try:
        fields.refuse_unstorable(str(value))
        return cleaner(str(value)) if value not in (None, "") else None
    except ValueError:
        return None


def _asn(record: Any) -> float | None:
    number: float | None = _clean("asn", _at(record, "autonomous_system_number"))
    return number


def _place(record: Any) -> dict[str, Any]:
    """What a record of a city or country file says of the place, by column."""
    said = {
        "country": _at(record, "country", "iso_code"),
        "region": _at(record, "subdivisions", 0, "names", "en"),
        "city": _at(record, "city", "names", "en"),
        "latitude": _at(record, "location", "latitude"),
        "longitude": _at(record, "location", "longitude"),
        "accuracy_km": _at(record, "location", "accuracy_radius"),
    }
    place = {name: _clean(name, value) for name, value in said.items()}
    if place["latitude"] is None or place["longitude"] is None or (place["accuracy_km"] or 0.0) > MOST_ACCURACY_KM:
        place |= dict.fromkeys(("latitude", "longitude", "accuracy_km"))
    return place


def _placed(events: pd.DataFrame, places: "list[dict[str, Any]]", codes: "np.ndarray[Any, Any]") -> pd.DataFrame:
    """The events with what they do not say of their places themselves."""
    known = {name: [place[name] for place in places] for name in PLACE}
    texts = {name: pd.Series(_texts(known[name], codes), index=events.index) for name in ("country", "region", "city")}
    numbers = {name: pd.Series(_numbers(known[name], codes), index=events.index) for name in PLACE[3:]}
    agrees = pd.Series(True, index=events.index)
    for name in ("country", "city"):
        own, other = events[name], texts[name]
        agrees &= own.isna() | other.isna() | (own.str.casefold() == other.str.casefold())
    bare = events["latitude"].isna() & agrees
    filled = {name: events[name].where(events[name].notna() | ~agrees, text) for name, text in texts.items()}
    return events.assign(**filled, **{name: events[name].where(~bare, number) for name, number in numbers.items()})


def _texts(values: Iterable[str | None], codes: "np.ndarray[Any, Any]") -> Any:
    """A column of texts from distinct values; code -1, an unknown address, takes the last."""
    return pd.array([*values, None], dtype="str")[codes]


def _numbers(values: Iterable[float | None], codes: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    column: np.ndarray[Any, Any] = np.array([*values, None], dtype=np.float64)[codes]
    return column


#: For whoever has no files: recognises special addresses.
WITHOUT_FILES = Enricher()
