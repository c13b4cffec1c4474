"""A company: offices in several countries, home offices, a VPN, roles with their applications, service accounts."""

from datetime import datetime

import numpy as np

from monitor.simulation.columns import Register, choose
from monitor.simulation.devices import LAPTOP, PHONE, SHARED, add_devices
from monitor.simulation.networks import VPN, Networks
from monitor.simulation.people import (
    AUTH_CODE,
    NEVER_DAY,
    Floats,
    Ints,
    People,
    World,
    application_shares,
    foundations,
    names,
    sometimes,
)
from monitor.simulation.services import add_services

APPLICATIONS = (
    "mail", "calendar", "chat", "wiki", "tickets", "crm", "erp", "payroll", "code", "ci", "cloud-console", "vpn", "hr",
    "expenses", "bi", "design", "contracts", "admin", "travel", "assistant",
)  # fmt: skip
_ROLES = {  # role → applications it lives in; the rest is occasional
    "engineering": ("code", "ci", "chat", "tickets", "wiki", "cloud-console"),
    "sales": ("crm", "mail", "calendar", "contracts", "bi"),
    "finance": ("erp", "bi", "mail", "expenses", "payroll"),
    "operations": ("tickets", "admin", "cloud-console", "chat", "vpn"),
    "support": ("tickets", "crm", "chat", "wiki"),
    "people": ("hr", "payroll", "mail", "calendar", "contracts"),
    "design": ("design", "chat", "wiki", "calendar"),
    "management": ("mail", "calendar", "bi", "hr", "erp"),
}
_ROLE_SHARES = np.array([0.3, 0.17, 0.09, 0.1, 0.14, 0.05, 0.05, 0.1])
_SENSITIVE = ("payroll", "admin", "cloud-console", "erp", "hr")  # hardly used outside the roles above
_OFFICE_CITIES = (
    "Frankfurt am Main", "London", "New York", "Munich", "Amsterdam", "Madrid", "Warsaw", "Singapore", "Bengaluru",
    "Toronto", "Stockholm", "Paris", "Sao Paulo", "San Francisco", "Zurich", "Dublin",
)  # fmt: skip


def corporate(start: datetime, days: int, accounts: int, rng: np.random.Generator) -> World:
    """The company with ``accounts`` accounts, about one in sixty of them a service."""
    places, networks, devices, offsets = foundations(start, days, rng)
    cities = rng.choice(_OFFICE_CITIES, size=min(8, 2 + accounts // 120), replace=False)
    offices = _offices(networks, [places.city(str(city)) for city in cities], days, rng)
    exits = np.concatenate([networks.exits(city, 2, int(VPN[0])) for city, *_ in offices[:2]])
    office = choose(rng, 1.0 / (1 + np.arange(len(offices))) ** 0.8, accounts)
    office_city = np.array([city for city, *_ in offices])[office]
    home_city = _commuters(networks, office_city, rng)
    moved_to = _commuters(networks, office_city, rng)
    role = choose(rng, _ROLE_SHARES, accounts)
    hours = rng.normal(8.6, 0.9, accounts) + 1.2 * (role == 0)
    night = rng.random(accounts) < 0.03
    hours = np.where(night, rng.choice([14.0, 21.5, 22.0, 5.5], accounts), hours)
    methods = [AUTH_CODE[name] for name in ("sso", "password+push", "password+totp", "passkey")]
    people = People(
        name=names(rng, accounts, "@corp.example"),
        service=np.zeros(accounts, bool),
        city=home_city,
        city_after=moved_to,
        home=networks.households(home_city).astype(np.int64),
        home_after=networks.households(moved_to).astype(np.int64),
        move_day=sometimes(rng, accounts, 0.012 * days / 30, days),
        office=np.where(rng.random(accounts) < 0.07, -1, office),  # fully remote
        carrier=_contracts(networks, office_city, rng),
        vpn_first=np.full(accounts, exits[0], np.int64) + rng.integers(0, 2, accounts),
        vpn_count=np.full(accounts, len(exits) - 1, np.int64),
        vpn_share=np.where(rng.random(accounts) < 0.35, rng.beta(2, 3, accounts), rng.choice([0.0, 0.02], accounts)),
        laptop=add_devices(devices, rng, LAPTOP, accounts, 0.12).astype(np.int64),
        laptop_after=add_devices(devices, rng, LAPTOP, accounts, 0.12).astype(np.int64),
        laptop_day=sometimes(rng, accounts, 0.025 * days / 30, days),
        phone=add_devices(devices, rng, PHONE, accounts, 0.25).astype(np.int64),
        phone_after=add_devices(devices, rng, PHONE, accounts, 0.25).astype(np.int64),
        phone_day=sometimes(rng, accounts, 0.03 * days / 30, days),
        second=np.where(rng.random(accounts) < 0.3, add_devices(devices, rng, LAPTOP, accounts, 0.3), -1),
        shared=_meeting_rooms(devices, office, rng),
        rate=np.clip(rng.lognormal(0.55, 0.55, accounts), 0.2, 9.0),
        weekend=rng.choice([0.0, 0.03, 0.12, 0.5], accounts, p=[0.35, 0.35, 0.25, 0.05]),
        start_hour=hours,
        span_hours=rng.normal(8.6, 0.8, accounts).clip(5, 11),
        leisure=rng.beta(1.2, 9.0, accounts),
        office_days=rng.choice([0.1, 0.4, 0.6, 0.8, 1.0], accounts, p=[0.15, 0.25, 0.25, 0.2, 0.15]),
        phone_share=rng.beta(1.5, 5.0, accounts),
        travels=rng.gamma(0.7, 0.011, accounts) + 0.003,
        typo=rng.beta(1.3, 28.0, accounts),
        auth=rng.choice(methods, accounts, p=[0.35, 0.35, 0.2, 0.1]),
        auth_after=np.full(accounts, AUTH_CODE["passkey"]),
        auth_day=sometimes(rng, accounts, 0.02 * days / 30, days),
        applications=application_shares(rng, _profiles(), role, 1.2),
        new_application=rng.integers(len(APPLICATIONS), size=accounts),
        new_application_day=sometimes(rng, accounts, 0.1 * days / 30, days),
        joined=np.where(rng.random(accounts) < 0.02 * days / 30, rng.integers(0, days, accounts), -1),
        left=sometimes(rng, accounts, 0.01 * days / 30, days),
        leave_from=sometimes(rng, accounts, 0.05 * days / 30, days),
        leave_to=np.zeros(accounts, np.int64),
        night_worker=night,
    )
    people.leave_to = people.leave_from + rng.integers(12, 40, accounts)
    _launch_application(people, days, rng)
    world = World(
        "corporate", start, days, places, networks, devices, offices, APPLICATIONS,
        np.array([places.city("Frankfurt am Main"), places.city("Ashburn")]), exits, offsets, people,
    )  # fmt: skip
    add_services(world, rng, max(1, accounts // 60), "@corp.example")
    return world


def _offices(
    networks: Networks, cities: list[int], days: int, rng: np.random.Generator
) -> list[tuple[int, int, int, int]]:
    """Each office with its line, and for one of them the line it changes to in the middle of the period."""
    changing = int(rng.integers(min(3, len(cities))))
    day = int(days * rng.uniform(0.68, 0.8))
    return [
        (city, networks.office(city), networks.office(city), day if number == changing else NEVER_DAY)
        for number, city in enumerate(cities)
    ]


def _commuters(networks: Networks, office_city: Ints, rng: np.random.Generator) -> Ints:
    """Home cities within reach of the office city, a few anywhere in the same country."""
    places = networks.atlas
    homes = np.empty(len(office_city), np.int64)
    for city in np.unique(office_city):
        members = np.flatnonzero(office_city == city)
        domestic = places.cities_in(str(places.country[city]))
        reach = np.exp(-places.distance[city, domestic] / 25.0) * places.weight[domestic] ** 0.3 + 0.004
        homes[members] = domestic[choose(rng, reach, len(members))]
    return homes


def _contracts(networks: Networks, city: Ints, rng: np.random.Generator) -> Ints:
    return np.array([networks.provider(int(c), 2) for c in city], np.int64)


def _meeting_rooms(devices: Register, office: Ints, rng: np.random.Generator) -> Ints:
    """A machine everyone at an office shares, for the one in eight who ever uses it."""
    rooms = add_devices(devices, rng, SHARED, int(office.max()) + 1, 0.0)
    return np.where(rng.random(len(office)) < 0.12, rooms[office], -1)


def _profiles() -> Floats:
    profiles = np.full((len(_ROLES), len(APPLICATIONS)), 0.03)
    profiles[:, [APPLICATIONS.index(name) for name in _SENSITIVE]] = 0.002
    for row, main in enumerate(_ROLES.values()):
        profiles[row, [APPLICATIONS.index(name) for name in ("mail", "calendar", "chat")]] += 0.25
        for rank, name in enumerate(main):
            profiles[row, APPLICATIONS.index(name)] += 0.6 / (1 + rank)
    profiles[:, APPLICATIONS.index("assistant")] = 0.0  # launched during the period
    return profiles


def _launch_application(people: People, days: int, rng: np.random.Generator) -> None:
    """One application comes to a quarter of the company within a week: news to many on the same days."""
    day = int(days * rng.uniform(0.7, 0.85))
    invited = rng.random(len(people)) < 0.25
    people.new_application = np.where(invited, APPLICATIONS.index("assistant"), people.new_application)
    people.new_application_day = np.where(invited, day + rng.integers(0, 7, len(people)), people.new_application_day)
