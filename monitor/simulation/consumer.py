"""The customers of an online service: many countries, mostly phones, households, workplaces, travellers, VPN users."""

from datetime import datetime

import numpy as np

from monitor.simulation.columns import choose
from monitor.simulation.devices import LAPTOP, PHONE, SHARED, add_devices
from monitor.simulation.networks import MOBILE
from monitor.simulation.people import (
    AUTH_CODE,
    NEVER_DAY,
    Ints,
    People,
    World,
    application_shares,
    foundations,
    names,
    sometimes,
)
from monitor.simulation.services import add_services

APPLICATIONS = ("shop", "account", "payments", "streaming", "support", "partner-portal")
_PROFILES = np.array(  # shoppers, viewers, sellers
    [[0.5, 0.2, 0.15, 0.12, 0.02, 0.0], [0.15, 0.1, 0.05, 0.65, 0.02, 0.0], [0.4, 0.3, 0.2, 0.05, 0.05, 0.35]]
)
_DATACENTRES = ("Frankfurt am Main", "Ashburn", "Singapore", "Sao Paulo")
_VPN_CITIES = (
    "Amsterdam", "New York", "London", "Frankfurt am Main", "Zurich", "Singapore", "Los Angeles", "Stockholm", "Paris",
    "Toronto", "Tokyo", "Madrid", "Bucharest", "Warsaw", "Sydney", "Miami", "Milan", "Dallas", "Hong Kong", "Sao Paulo",
)  # fmt: skip


def consumer(start: datetime, days: int, accounts: int, rng: np.random.Generator) -> World:
    """``accounts`` customers; how often they come is heavy-tailed, from once a fortnight to many times a day."""
    places, networks, devices, offsets = foundations(start, days, rng)
    markets = np.unique(places.country.astype(str))
    market_weight = dict(zip(markets, rng.lognormal(0.0, 1.0, len(markets)), strict=True))
    weight = places.weight**0.6 * np.array([market_weight[str(country)] for country in places.country])
    city = choose(rng, weight, accounts)
    moved_to = np.array([rng.choice(places.cities_in(str(places.country[c]))) for c in city.tolist()], np.int64)
    exits = np.concatenate([networks.exits(places.city(name), 4) for name in _VPN_CITIES])
    partner = _households(city, rng)
    home = networks.households(city).astype(np.int64)[partner]
    city = city[partner]
    workplaces, workplace = _workplaces(city, rng)
    offices = [(int(c), networks.office(int(c)), networks.office(int(c)), NEVER_DAY) for c in workplaces]
    phone_only = rng.random(accounts) < 0.35
    laptop = add_devices(devices, rng, LAPTOP, accounts, 0.35).astype(np.int64)
    phone = add_devices(devices, rng, PHONE, accounts, 0.3).astype(np.int64)
    people = People(
        name=names(rng, accounts, "@mail.example"),
        service=np.zeros(accounts, bool),
        city=city,
        city_after=moved_to,
        home=home,
        home_after=networks.households(moved_to).astype(np.int64),
        move_day=sometimes(rng, accounts, 0.015 * days / 30, days),
        office=np.where(rng.random(accounts) < 0.45, workplace, -1),
        carrier=np.array([networks.provider(int(c), MOBILE) for c in city], np.int64),
        vpn_first=np.full(accounts, exits[0], np.int64) + 4 * rng.integers(0, len(_VPN_CITIES), accounts),
        vpn_count=np.where(rng.random(accounts) < 0.6, 4, 8),
        vpn_share=np.where(rng.random(accounts) < 0.08, rng.beta(1.0, 1.5, accounts), 0.0),
        laptop=np.where(phone_only, phone, laptop),
        laptop_after=add_devices(devices, rng, LAPTOP, accounts, 0.35).astype(np.int64),
        laptop_day=sometimes(rng, accounts, 0.03 * days / 30, days),
        phone=phone,
        phone_after=add_devices(devices, rng, PHONE, accounts, 0.3).astype(np.int64),
        phone_day=sometimes(rng, accounts, 0.035 * days / 30, days),
        second=np.where(rng.random(accounts) < 0.2, add_devices(devices, rng, LAPTOP, accounts, 0.4), -1),
        shared=np.where(rng.random(accounts) < 0.25, add_devices(devices, rng, SHARED, accounts, 0.3)[partner], -1),
        rate=np.clip(rng.lognormal(-0.6, 1.35, accounts), 1 / 14, 18.0),
        weekend=rng.uniform(0.6, 1.6, accounts),
        start_hour=rng.normal(9.0, 1.4, accounts),
        span_hours=rng.normal(9.0, 1.2, accounts).clip(5, 12),
        leisure=rng.beta(4.0, 3.0, accounts),
        office_days=rng.choice([0.2, 0.7, 1.0], accounts),
        phone_share=rng.beta(4.0, 2.0, accounts),
        travels=rng.gamma(0.6, 0.012, accounts) + 0.002,
        typo=rng.beta(1.3, 14.0, accounts),
        auth=rng.choice(
            [AUTH_CODE[name] for name in ("password", "password+sms", "password+totp", "passkey", "sso")],
            accounts,
            p=[0.52, 0.2, 0.08, 0.08, 0.12],
        ),
        auth_after=rng.choice([AUTH_CODE["passkey"], AUTH_CODE["password+sms"]], accounts),
        auth_day=sometimes(rng, accounts, 0.03 * days / 30, days),
        applications=application_shares(rng, _PROFILES, choose(rng, np.array([0.6, 0.36, 0.04]), accounts), 1.0),
        new_application=rng.integers(len(APPLICATIONS) - 1, size=accounts),
        new_application_day=sometimes(rng, accounts, 0.08 * days / 30, days),
        joined=np.where(rng.random(accounts) < 0.06 * days / 30, rng.integers(0, days, accounts), -1),
        left=sometimes(rng, accounts, 0.02 * days / 30, days),
        leave_from=sometimes(rng, accounts, 0.06 * days / 30, days),
        leave_to=np.zeros(accounts, np.int64),
        night_worker=rng.random(accounts) < 0.05,
    )
    people.laptop_after = np.where(phone_only, people.phone_after, people.laptop_after)
    people.laptop_day = np.where(phone_only, people.phone_day, people.laptop_day)
    people.leave_to = people.leave_from + rng.integers(12, 40, accounts)
    people.start_hour = np.where(people.night_worker, rng.choice([14.0, 20.0, 22.0], accounts), people.start_hour)
    centres = np.array([places.city(name) for name in _DATACENTRES])
    world = World(
        "consumer", start, days, places, networks, devices, offices, APPLICATIONS, centres, exits, offsets, people
    )
    add_services(world, rng, max(1, accounts // 150), "@partner.example")
    return world


def _households(city: Ints, rng: np.random.Generator) -> Ints:
    """For each account the account whose home it shares: mostly itself, for one in five somebody before it."""
    own = np.arange(len(city))
    other = np.maximum(own - rng.integers(1, 4, len(city)), 0)
    other = np.where(rng.random(len(city)) < 0.2, other, own)
    return np.asarray(other[other])  # two steps, so that three or four may live together


def _workplaces(city: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Cities of the workplaces, and each account's workplace in its own city (about six accounts to one)."""
    codes = city * 1_000 + rng.integers(0, np.maximum(1, np.bincount(city, minlength=city.max() + 1)[city] // 6))
    unique, which = np.unique(codes, return_inverse=True)
    return unique // 1_000, which
