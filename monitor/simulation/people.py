"""The accounts: who they are, where they live, what they log in with, and when they do."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from monitor.simulation.atlas import Atlas, atlas
from monitor.simulation.columns import Register
from monitor.simulation.devices import device_register
from monitor.simulation.networks import Networks

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NEVER_DAY = 1 << 30  # a day that does not come

AUTH = (
    "password", "password+totp", "password+push", "password+sms", "sso", "passkey", "biometric", "refresh_token",
    "api_key", "client_certificate",
)  # fmt: skip
AUTH_CODE = {name: code for code, name in enumerate(AUTH)}


@dataclass
class People:
    """Columns over accounts. Links, devices and cities are row numbers of their registers; -1 is none."""

    name: NDArray[np.object_]
    service: NDArray[np.bool_]
    city: Ints  # where home is, and from ``move_day`` on ``city_after``
    city_after: Ints
    home: Ints
    home_after: Ints
    move_day: Ints
    office: Ints  # number of the office or workplace, -1: none
    carrier: Ints  # autonomous system of the mobile contract
    vpn_first: Ints  # first exit this account uses, and how many it chooses from
    vpn_count: Ints
    vpn_share: Floats  # of laptop logins away from the office
    laptop: Ints
    laptop_after: Ints
    laptop_day: Ints
    phone: Ints
    phone_after: Ints
    phone_day: Ints
    second: Ints  # a second browser or tablet
    shared: Ints  # a device used by several accounts
    rate: Floats  # logins on a working day
    weekend: Floats  # share of that on a day off
    start_hour: Floats
    span_hours: Floats
    leisure: Floats  # share of logins outside working hours
    office_days: Floats  # share of working days spent at the office
    phone_share: Floats
    travels: Floats  # chance of leaving for a trip, per day
    typo: Floats  # chance that a password login fails at first
    auth: Ints  # usual method
    auth_after: Ints
    auth_day: Ints
    applications: NDArray[np.float32]  # cumulative shares, [account, application]
    new_application: Ints
    new_application_day: Ints
    joined: Ints
    left: Ints
    leave_from: Ints
    leave_to: Ints
    night_worker: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.name)


@dataclass
class World:
    """Everything that stands before the first login."""

    population: str
    start: datetime
    days: int
    atlas: Atlas
    networks: Networks
    devices: Register
    offices: list[tuple[int, int, int, int]]  # city, link, link after, day of the change
    applications: tuple[str, ...]
    datacentres: Ints  # cities; a login goes to the nearest
    vpn_exits: NDArray[np.int32]
    offsets: Floats  # seconds ahead of UTC, [city, day]
    people: People

    @property
    def links(self) -> Register:
        return self.networks.links

    def office_line(self, office: int, day: float) -> int:
        """The link of an office on a day."""
        _, before, after, change = self.offices[office]
        return after if day >= change else before


def foundations(start: datetime, days: int, rng: np.random.Generator) -> tuple[Atlas, Networks, Register, Floats]:
    """The parts that both kinds of population share."""
    places = atlas()
    return places, Networks(places, rng), device_register(), places.offsets(start, days)


def sometimes(rng: np.random.Generator, count: int, share: float, days: int) -> Ints:
    """A day within the period for about ``share`` of ``count`` accounts, otherwise never."""
    day = rng.integers(1, max(2, days), size=count)
    return np.where(rng.random(count) < share, day, NEVER_DAY)


def application_shares(rng: np.random.Generator, profiles: Floats, role: Ints, spread: float) -> NDArray[np.float32]:
    """Each account's own mix of applications around its role's profile; some are never used by some people."""
    weights = profiles[role] * rng.gamma(spread, 1.0, (len(role), profiles.shape[1]))
    weights *= (rng.random(weights.shape) < 0.75) | (profiles[role] > 0.3)
    weights[:, 0] += 0.05
    cumulative = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    return np.asarray(cumulative, np.float32)


_FIRST = """
anna ben carla david elena felix grace henry ines jonas karin leo maria nils olga paul quentin rosa stefan tara
umar vera walter xenia yusuf zoe amir beatriz chen diego emma farid giulia hiro isabel jan katja lars mei noah
oscar priya rafael sofia tomas ulla victor wanda yan zara aisha bruno chloe dmitri eva fatima george hana ivan julia
kofi lucia marco nadia omar petra ravi sara thabo ursula vikram wei yara amelia carlos deborah erik fiona
gustav helena ibrahim jana kenji lina mateo nora otto pia"""
_LAST = """
adams bauer costa dietrich evans fischer garcia hansen ivanova jensen keller lopez meyer nguyen olsen petrov
quinn rossi schmidt tanaka ueda vogel weber xu yilmaz zimmermann abbas bianchi cohen dubois eriksen fernandez
gupta hoffmann ito johansson kowalski larsen moreau novak okafor patel ramirez silva taylor usman virtanen walsh
yamada ziegler ahmed bakker chen diaz edwards franke gruber hughes ibarra jones kim lee martin nielsen ortiz
pereira reid santos thomas urban vargas wagner young zhang almeida becker clark dahl"""


def names(rng: np.random.Generator, count: int, domain: str) -> NDArray[np.object_]:
    """Distinct user names, ``first.last`` and a number from the second of a name on."""
    given, family = _FIRST.split(), _LAST.split()
    first, last = rng.integers(len(given), size=count), rng.integers(len(family), size=count)
    seen: dict[str, int] = {}
    found = []
    for a, b in zip(first.tolist(), last.tolist(), strict=True):
        stem = f"{given[a]}.{family[b]}"
        seen[stem] = seen.get(stem, 0) + 1
        found.append(f"{stem}{seen[stem] if seen[stem] > 1 else ''}{domain}")
    return np.array(found, dtype=object)
