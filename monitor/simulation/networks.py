"""Who carries whose traffic: providers per country, and the addresses each hands out in each city.

A *link* is one way onto the internet as a login service sees it: an office line, a household's connection, a
carrier's gateway in a city, a hotel, a VPN exit, a rented server. Providers and their autonomous system numbers are
real ones where known; the addresses are made up, but a provider's addresses in a city always lie together.
"""

from ipaddress import IPv6Address

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.simulation.atlas import Atlas
from monitor.simulation.columns import Register, mix

#: Autonomous systems by country: fixed lines | mobile carriers, the largest first.
_PROVIDERS = """
US 7922 7018 701 20115 22773|21928 6167 20057
CA 577 812 6327 852|852 577 812
MX 8151 11888 28545|28403 8151
BR 28573 26599 7738|26615 28573
AR 7303 22927|11664 22927
CO 10620 13489|27831 10620
GB 2856 5089 5607 13285|12576 25135 206067
IE 5466 6830|13280 15502
FR 3215 12322 15557 5410|51207 3215 15557
DE 3320 3209 8881 6805|3320 3209 6805
NL 1136 33915 50266|31615 1136
BE 5432 6848 12392|5432 47377
CH 3303 6730 13030|3303 15796
AT 8447 8412|8447 25255
ES 3352 12479 12430 15704|3352 12430
PT 3243 2860 12353|12353 3243
IT 3269 30722 12874 1267|16232 1267
PL 5617 9141 12741|39603 8374
CZ 5610 16019|13036 5610
SE 3301 2119 39651|44034 1257
NO 2119 29695 41164|2119 15659
DK 3292 9158|9158 3292
FI 1759 719 16086|719 16086
RO 8708 9050|8953 12302
GR 6799 1241 3329|29247 3329
UA 15895 25229|21497 15895
TR 47331 12735 34984|16135 15897
IL 8551 1680|12400 8551
AE 5384 15802|5384 15802
SA 25019 39891|35819 43766
EG 8452 24863|36992 24835
NG 29465 36873 37282|29465 36873
KE 33771 36866|33771 36926
ZA 37457 3741|29975 16637
IN 9829 24560 17488|55836 45609
PK 17557 9541|45669 24499
BD 45245 17494|24389 45245
ID 17974 23700|23693 24203
MY 4788 9930|9534 10030
SG 9506 55430|4773 9506
TH 17552 45758 7470|131445 24378
VN 45899 7552 18403|7552 45899
PH 9299 4775|10139 132199
JP 4713 17676 2516|9605 2516
KR 4766 9318 3786|9644 4766
AU 1221 4804 7545|1221 133612
NZ 4771 9500|9500 4771
RU 12389 8402 25513|8359 25159
CN 4134 4837|9808 4837
HK 4760 9269|17924 9269
"""
_SHARES = np.array([0.44, 0.27, 0.16, 0.09, 0.04])
#: Carriers that sell lines to companies everywhere.
BUSINESS = np.array([8220, 3356, 174, 1299, 2914, 6461, 3257])
HOSTING = np.array([16509, 8075, 15169, 14061, 16276, 24940, 20473, 63949, 51167, 53667, 200019, 49981])
VPN = np.array([9009, 60068, 212238, 62240, 136787, 39351, 147049])

OFFICE, HOME, MOBILE, GUEST, EXIT, SERVER, PROXY = range(7)
_FOREVER = 1e9
_BLOCK = 1 << 20  # addresses a provider owns in one piece (a /12)


class Networks:
    """The register of links and the address plan behind them."""

    def __init__(self, world: Atlas, rng: np.random.Generator) -> None:
        self.atlas = world
        self._rng = rng
        self._fixed: dict[str, NDArray[np.int64]] = {}
        self._mobile: dict[str, NDArray[np.int64]] = {}
        for entry in _PROVIDERS.strip().splitlines():
            fixed, _, mobile = entry.partition("|")
            country, *numbers = fixed.split()
            self._fixed[country] = np.array(numbers, np.int64)
            self._mobile[country] = np.array(mobile.split(), np.int64)
        self._blocks = iter(rng.permutation(_public_blocks()).tolist())
        self._cursor: dict[int, tuple[int, int]] = {}  # asn → next free address, end of its block
        self._pools: dict[tuple[int, int, int], int] = {}  # (asn, city, kind) → first address
        self._carrier: dict[tuple[int, int], int] = {}  # (carrier, city) → link
        self.links = Register(
            kind=np.int8(0), asn=np.int64(0), city=np.int16(0), base=np.int64(0), span=np.int64(1),
            stride=np.int64(1), lease_s=np.float64(_FOREVER), key=np.int64(0), v6=np.False_, lag_ms=np.float32(10.0),
            drift_day=np.int32(1 << 30), drift_city=np.int16(-1),
        )  # fmt: skip

    def provider(self, city: int, kind: int) -> int:
        """A provider for a new customer in ``city``, by market share."""
        country = str(self.atlas.country[city])
        offer = (self._mobile if kind == MOBILE else self._fixed)[country]
        if kind == OFFICE and self._rng.random() < 0.5:
            return int(self._rng.choice(BUSINESS))
        shares = _SHARES[: len(offer)]
        return int(offer[self._rng.choice(len(offer), p=shares / shares.sum())])

    def pool(self, asn: int, city: int, kind: int, size: int) -> int:
        """First of ``size`` consecutive addresses that ``asn`` uses for ``kind`` in ``city``; stable."""
        key = (asn, city, kind)
        if key not in self._pools:
            first, end = self._cursor.get(asn, (0, 0))
            if first + size > end:
                first = int(next(self._blocks)) * _BLOCK
                end = first + _BLOCK
            self._cursor[asn] = (first + size, end)
            self._pools[key] = first
        return self._pools[key]

    def households(self, cities: NDArray[np.int64]) -> NDArray[np.int32]:
        """One home connection per entry: own lease of an address, or an IPv6 prefix, at a local provider."""
        count = len(cities)
        rng = self._rng
        asn = np.array([self.provider(int(city), HOME) for city in cities], np.int64)
        base = np.array([self.pool(int(a), int(c), HOME, 16_384) for a, c in zip(asn, cities, strict=True)], np.int64)
        lease_days = rng.choice([1.0, 5.0, 21.0, 90.0, _FOREVER], size=count, p=[0.1, 0.15, 0.3, 0.25, 0.2])
        return self.links.add(
            count,
            kind=HOME,
            asn=asn,
            city=self._located(cities),
            base=base,
            span=16_384,
            lease_s=lease_days * 86_400,
            key=rng.integers(1 << 40, size=count),
            v6=(asn % 3 == 0) & (rng.random(count) < 0.6),
            lag_ms=rng.gamma(4.0, 3.5, count),
        )

    def _located(self, cities: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the address database puts a home: in the city, or (one in ten) in a near one."""
        near = np.where(self.atlas.distance < 120, self.atlas.distance, np.inf)
        np.fill_diagonal(near, np.inf)
        wrong = (self._rng.random(len(cities)) < 0.1) & np.isfinite(near.min(axis=1)[cities])
        return np.where(wrong, near.argmin(axis=1)[cities], cities)

    def office(self, city: int) -> int:
        """A company's line: a handful of addresses that everyone inside shares."""
        asn = self.provider(city, OFFICE)
        base = self.pool(asn, city, OFFICE, 16_384) + 8 * int(self._rng.integers(2_000))
        return int(self.links.add(1, kind=OFFICE, asn=asn, city=city, base=base, span=4, lease_s=0.0, lag_ms=3.0)[0])

    def carrier(self, asn: int, city: int) -> int:
        """A mobile carrier's gateway in a city: thousands of shared addresses, another one at every turn."""
        if (asn, city) not in self._carrier:
            base = self.pool(asn, city, MOBILE, 65_536)
            self._carrier[asn, city] = int(
                self.links.add(
                    1,
                    kind=MOBILE,
                    asn=asn,
                    city=city,
                    base=base,
                    span=1_700,
                    stride=37,
                    lease_s=2_400.0,
                    v6=asn % 4 == 1,
                    lag_ms=38.0,
                )[0]
            )
        return self._carrier[asn, city]

    def guest(self, city: int) -> int:
        """A hotel, café, fair or airport: one shared address at a local provider."""
        asn = self.provider(city, HOME)
        base = self.pool(asn, city, GUEST, 4_096) + int(self._rng.integers(4_096))
        return int(self.links.add(1, kind=GUEST, asn=asn, city=city, base=base, lag_ms=self._rng.gamma(4.0, 5.0))[0])

    def exits(self, city: int, count: int, asn: int | None = None) -> NDArray[np.int32]:
        """Exits of one VPN in a city: shared addresses at a hoster."""
        owner = int(self._rng.choice(VPN)) if asn is None else asn
        base = self.pool(owner, city, EXIT, 4_096) + 16 * self._rng.choice(256, count, replace=False)
        return self.links.add(count, kind=EXIT, asn=owner, city=city, base=base, span=6, lease_s=7_200.0, lag_ms=4.0)

    def server(self, city: int) -> int:
        """A rented machine with an address of its own."""
        asn = int(self._rng.choice(HOSTING))
        base = self.pool(asn, city, SERVER, 16_384) + int(self._rng.integers(16_384))
        return int(self.links.add(1, kind=SERVER, asn=asn, city=city, base=base, lag_ms=1.5)[0])

    def proxies(self, city: int, count: int) -> NDArray[np.int32]:
        """Other people's home connections rented by an attacker: ordinary addresses among their neighbours'."""
        owners = [self.provider(city, HOME) for _ in range(count)]
        base = [self.pool(owner, city, HOME, 16_384) + int(self._rng.integers(16_384)) for owner in owners]
        lag = self._rng.gamma(5.0, 4.0, count)
        return self.links.add(count, kind=PROXY, asn=owners, city=city, base=base, lag_ms=lag)


def address_numbers(
    links: Register, link: NDArray[np.int32], account: ArrayLike, seconds: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The IPv4 address of each login as a number: leased ones change with time, shared ones with the session."""
    lease = links["lease_s"][link]
    turn = np.where(lease > 0, seconds // np.maximum(lease, 1.0), seconds // 900)
    private = links["kind"][link] == HOME  # a household's lease does not depend on who of it logs in
    who = np.where(private, links["key"][link], np.asarray(account, np.int64))
    drawn = (mix(link, who, turn) % links["span"][link].astype(np.uint64)).astype(np.int64)
    return np.asarray(links["base"][link] + drawn * links["stride"][link], np.int64)


def address_texts(numbers: NDArray[np.int64]) -> NDArray[np.object_]:
    """Dotted quads."""
    unique, back = np.unique(numbers, return_inverse=True)
    texts = [f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in unique.tolist()]
    return np.array(texts, dtype=object)[back]


def address6_texts(
    pools: NDArray[np.int64], subscribers: NDArray[np.uint64], interfaces: NDArray[np.uint64]
) -> NDArray[np.object_]:
    """IPv6 addresses: provider's pool (/40), subscriber (/64), and an interface part that privacy extensions renew."""
    triples = np.column_stack([pools.astype(np.uint64), subscribers % np.uint64(1 << 24), interfaces])
    unique, back = np.unique(triples, axis=0, return_inverse=True)
    texts = []
    for pool, who, part in unique.tolist():
        number = 0x2A << 120 | pool << 88 | who << 64 | part
        texts.append(str(IPv6Address(number)))
    return np.array(texts, dtype=object)[back.ravel()]


def _public_blocks() -> NDArray[np.int64]:
    """The /12 blocks that may carry public addresses (RFC 6890 leaves these out)."""
    reserved = {0, 10, 100, 127, 169, 172, 192, 198, 203}
    octets = [octet for octet in range(1, 224) if octet not in reserved]
    return np.array([octet * 16 + part for octet in octets for part in range(16)], np.int64)
