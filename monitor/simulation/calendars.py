"""Who is where on which day: working days, leave, trips, the office or home, late evenings. Matrices [account, day]."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from monitor.simulation.columns import choose
from monitor.simulation.people import World

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Calendar:
    present: Flags  # has the account, and is not on leave
    working: Flags
    trip: NDArray[np.int32]  # number of the trip, -1: not travelling
    trip_city: NDArray[np.int64]  # by trip
    trip_link: NDArray[np.int32]  # hotel, or the company's office there
    at_office: Flags
    late: Flags  # worked into the night
    expected: NDArray[np.float64]  # logins


def calendar(world: World, rng: np.random.Generator) -> Calendar:
    """The diary of every account for the whole period."""
    people, days = world.people, world.days
    day = np.arange(days)[None, :]
    weekday = np.array([(world.start + timedelta(days=d)).weekday() for d in range(days)])
    employed = (day >= people.joined[:, None]) & (day < people.left[:, None])
    on_leave = (day >= people.leave_from[:, None]) & (day < people.leave_to[:, None])
    present = employed & ~on_leave
    free_weekday = np.where(np.isin(world.atlas.country[people.city], ["AE", "SA", "EG", "IL"]), 4, 5)
    free = (weekday[None] == free_weekday[:, None]) | (weekday[None] == free_weekday[:, None] + 1)
    working = present & ~free & (rng.random((len(people), days)) > 0.03)
    trips = _trips(world, working, rng)
    trip = _by_day(trips, working.shape)
    link = _trip_links(world, trips, rng)
    travelling = trip >= 0
    at_office = working & ~travelling & (people.office[:, None] >= 0)
    at_office &= rng.random(working.shape) < people.office_days[:, None]
    late = present & (rng.random(working.shape) < (0.008 if world.population == "corporate" else 0.015))
    expected = people.rate[:, None] * np.where(working, 1.0, people.weekend[:, None]) * present
    on_holiday = travelling & ~np.append(trips.business, False)[trip]
    expected = expected * np.where(on_holiday, 0.3 if world.population == "corporate" else 0.8, 1.0)
    expected[people.service] = 0.0  # services have a clock of their own
    return Calendar(present, working, trip, trips.city, link, at_office, late, expected)


@dataclass(frozen=True)
class _Trips:
    who: NDArray[np.int64]
    first: NDArray[np.int64]  # day
    nights: NDArray[np.int64]
    city: NDArray[np.int64]
    business: Flags


def _trips(world: World, working: Flags, rng: np.random.Generator) -> _Trips:
    """Everybody's own trips, and in a company a meeting to which a tenth of it travels on the same days."""
    people, days = world.people, world.days
    starts = (rng.random(working.shape) < people.travels[:, None]) & ~people.service[:, None]
    who, first = np.nonzero(starts)
    business = rng.random(len(who)) < (0.55 if world.population == "corporate" else 0.25)
    length = np.where(business, rng.integers(1, 5, len(who)), rng.integers(3, 13, len(who)))
    own = _Trips(who, first, length, _destinations(world, people.city[who], business, rng), business)
    if world.population != "corporate":
        return own
    invited = np.flatnonzero(~people.service & (rng.random(len(people)) < 0.1))
    day = int(days * rng.uniform(0.75, 0.9))
    place = int(_destinations(world, people.city[:1], np.array([False]), rng)[0])
    meeting = (invited, day + rng.integers(0, 2, len(invited)), rng.integers(2, 4, len(invited)))
    columns = (*meeting, np.full(len(invited), place), np.ones(len(invited), bool))
    return _Trips(*(np.concatenate(pair) for pair in zip(vars(own).values(), columns, strict=True)))


def _by_day(trips: _Trips, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """The number of the trip each account is on each day; the later named wins where two overlap."""
    day = np.full(shape, -1, np.int32)
    spans = zip(trips.who.tolist(), trips.first.tolist(), trips.nights.tolist(), strict=True)
    for number, (account, first, nights) in enumerate(spans):
        day[account, first : first + nights] = number
    return day


def _destinations(
    world: World, home: NDArray[np.int64], business: Flags, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Near cities are likelier than far ones, one's own country likelier than abroad, own offices likelier at work."""
    places = world.atlas
    far = rng.random(len(home)) < 0.2
    city = np.empty(len(home), np.int64)
    for origin in np.unique(home):
        for distant in (False, True):
            members = np.flatnonzero((home == origin) & (far == distant))
            reach = np.exp(-places.distance[origin] / (6_000.0 if distant else 600.0)) * places.weight**0.4
            reach *= (places.distance[origin] > 60) * np.where(places.country == places.country[origin], 2.0, 1.0)
            city[members] = choose(rng, reach, len(members))
    if world.population == "corporate" and len(world.offices) > 1:
        to_office = business & (rng.random(len(home)) < 0.4)
        own = np.array([office[0] for office in world.offices])
        chosen = own[rng.integers(len(own), size=len(home))]
        city = np.where(to_office & (chosen != home), chosen, city)
    return city


def _trip_links(world: World, trips: _Trips, rng: np.random.Generator) -> NDArray[np.int32]:
    """Where a traveller connects from: the company's office there, or one of the city's hotels."""
    own = world.offices if world.population == "corporate" else []
    offices = {office[0]: number for number, office in enumerate(own)}
    hotels: dict[tuple[int, int], int] = {}
    links = np.empty(len(trips.city), np.int32)
    for number, (where, at_work) in enumerate(zip(trips.city.tolist(), trips.business.tolist(), strict=True)):
        if at_work and where in offices:
            links[number] = world.office_line(offices[where], float(trips.first[number]))
            continue
        key = (where, int(rng.integers(5)))
        if key not in hotels:
            hotels[key] = world.networks.guest(where)
        links[number] = hotels[key]
    return links
