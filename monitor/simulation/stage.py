"""What every attack needs: victims, times, places to come from, machines, and a run of logins."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.simulation.columns import CODE, Rows, logins
from monitor.simulation.devices import LAPTOP, NEVER, PHONE, PROGRAM, add_devices
from monitor.simulation.networks import EXIT
from monitor.simulation.people import AUTH_CODE, World

_DAY = 86_400.0
#: Countries that attackers connect from more often than others do; a third come from anywhere.
_FREQUENT = ("NG", "RU", "CN", "VN", "BR", "RO", "US", "IN", "NL", "UA", "TR", "ID")
#: Where what an attacker wants is, if the organisation has it.
_WANTED = (
    "mail", "payments", "account", "payroll", "cloud-console", "erp", "crm", "admin", "hr", "code", "partner-portal",
)  # fmt: skip


@dataclass
class Stage:
    """The organisation as an attacker meets it, between ``begin`` and ``end`` (seconds since the start)."""

    world: World
    rng: np.random.Generator
    begin: float
    end: float
    counts: NDArray[np.int64]  # ordinary logins before ``begin``, by account
    last_seen: NDArray[np.float64]  # of those, the latest (seconds)
    used: set[int] = field(default_factory=set)

    def victims(self, count: int, allowed: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Different accounts of people, each attacked on its own only once as long as there are enough."""
        people = self.world.people
        day = self.begin / _DAY
        fit = ~people.service & (self.counts >= 5) & (people.left > day) if allowed is None else allowed
        fresh = fit.copy()
        fresh[list(self.used)] = False
        pool = np.flatnonzero(fresh if fresh.sum() >= count else fit if fit.any() else ~people.service)
        chosen = self.rng.choice(pool, size=min(count, len(pool)), replace=False)
        self.used.update(chosen.tolist())
        return np.asarray(chosen)

    def moment(self, account: int, alert: bool | None = None) -> float:
        """A time for an attack: in the victim's waking hours, or at an hour that suits the attacker."""
        day = int(self.rng.uniform(self.begin, self.end) // _DAY)
        awake = self.rng.random() < 0.5 if alert is None else alert
        people = self.world.people
        hour = people.start_hour[account] + self.rng.uniform(0, 10) if awake else self.rng.uniform(0, 24)
        city = int(people.city[account])
        moment = day * _DAY + hour * 3_600 - self.world.offsets[city, min(day, self.world.days - 1)]
        return float(np.clip(moment, self.begin, self.end - 7_200))

    def foreign_city(self, city: int) -> int:
        """A city outside the country of ``city``."""
        places = self.world.atlas
        abroad = places.country != places.country[city]
        favoured = abroad & np.isin(places.country, _FREQUENT)
        return int(self.rng.choice(np.flatnonzero(favoured if self.rng.random() < 0.65 else abroad)))

    def domestic_city(self, city: int) -> int:
        """Another city of the same country (the same one where the atlas has no other)."""
        cities = self.world.atlas.cities_in(str(self.world.atlas.country[city]))
        others = cities[cities != city]
        return int(self.rng.choice(others)) if len(others) else city

    def way_in(self, city: int, kinds: str = "server exit home guest mobile") -> int:
        """A link in ``city`` of one of the named kinds."""
        networks = self.world.networks
        kind = str(self.rng.choice(kinds.split()))
        if kind == "server":
            return networks.server(city)
        if kind == "exit":
            return self._exit(city)
        if kind == "guest":
            return networks.guest(city)
        if kind == "mobile":
            return networks.carrier(networks.provider(city, 2), city)
        return int(networks.proxies(city, 1)[0])

    def _exit(self, city: int) -> int:
        """A VPN exit in ``city``: one that ordinary customers use too, where the service's customers use any."""
        links = self.world.links
        used = np.flatnonzero((links["kind"] == EXIT) & (links["city"] == city))
        if self.world.population == "consumer" and len(used) and self.rng.random() < 0.7:
            return int(self.rng.choice(used))
        return int(self.world.networks.exits(city, 1)[0])

    def own_device(self, account: int, at: float, phone: bool = False) -> int:
        """The device the victim uses at that time."""
        people, day = self.world.people, at / _DAY
        if phone and people.phone[account] >= 0:
            return int(people.phone_after[account] if day >= people.phone_day[account] else people.phone[account])
        return int(people.laptop_after[account] if day >= people.laptop_day[account] else people.laptop[account])

    def own_home(self, account: int, at: float) -> int:
        people = self.world.people
        return int(people.home_after[account] if at / _DAY >= people.move_day[account] else people.home[account])

    def machine(self, program: str | None = None) -> int:
        """An attacker's own machine with a new device id; one in four, and every script, shows none."""
        kind = LAPTOP if self.rng.random() < 0.8 else PHONE
        chosen = None if program is None else np.array([PROGRAM[program]])
        device = add_devices(self.world.devices, self.rng, kind, 1, 0.0, chosen)
        if self.rng.random() < 0.25 or program in ("python", "curl", "go"):
            self.world.devices["identity"][device] = NEVER
        return int(device[0])

    def lookalike(self, device: int) -> int:
        """A machine with the same program and versions as ``device`` but another identity."""
        register, copy = self.world.devices, self.machine()
        for column in ("kind", "program", "lag_days", "epoch", "silent", "no_rtt"):
            register[column][copy] = register[column][device]
        return copy

    def methods(self, account: int, count: int) -> NDArray[np.int64]:
        """How the attacker gets in: as the victim does (phished through), or by the weaker fallback."""
        people = self.world.people
        usual = int(people.auth[account])
        weaker = [AUTH_CODE["password"], AUTH_CODE["password+sms"], AUTH_CODE["password+totp"]]
        first = usual if self.rng.random() < 0.65 else int(self.rng.choice(weaker))
        return np.full(count, first)

    def guessed_methods(self, accounts: NDArray[np.int64]) -> NDArray[np.int64]:
        """What guesses are logged as: an old protocol's plain password, or each account's usual first factor."""
        usual = self.world.people.auth[accounts]
        keys = [AUTH_CODE[name] for name in ("passkey", "client_certificate", "api_key")]
        guessable = np.isin(usual, keys, invert=True)
        legacy = self.rng.random() < 0.4
        return np.where(guessable & (not legacy), usual, AUTH_CODE["password"])

    def goals(self, account: int, count: int, disguise: float = 0.4) -> NDArray[np.int64]:
        """Applications the attacker opens: what is worth something, or (``disguise``) what the victim uses."""
        offer = [self.world.applications.index(name) for name in _WANTED if name in self.world.applications]
        shares = np.diff(self.world.people.applications[account], prepend=0.0).clip(0)
        usual = self.rng.choice(len(shares), size=count, p=shares / shares.sum())
        return np.where(self.rng.random(count) < disguise, usual, self.rng.choice(offer, size=count))

    def detour(self, origin: int, link: int) -> float:
        """Kilometres from where the attacker sits to where the address is."""
        return float(self.world.atlas.distance[origin, self.world.links["city"][link]])

    def run(self, account: int, begin: float, count: int, gap: float, **columns: ArrayLike) -> Rows:
        """``count`` logins from ``begin`` on, ``gap`` seconds apart in the mean; the last stay before the end."""
        seconds = begin + np.concatenate([[0.0], np.cumsum(self.rng.exponential(gap, max(0, count - 1)) + 3.0)])[:count]
        columns.setdefault("auth", self.methods(account, count))
        columns.setdefault("application", self.goals(account, count))
        return logins(account=account, seconds=np.minimum(seconds, self.end - self.rng.uniform(1, 60)), **columns)


def label(rows: Rows, kind: str, incident: int) -> Rows:
    """The rows as one incident of a kind."""
    rows["scenario"][:] = CODE[kind]
    rows["incident"][:] = incident
    return rows
