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
    trip_business: Flags
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
    trip, city, business = _trips(world, working, rng)
    link = _trip_links(world, city, business, rng)
    travelling = trip >= 0
    at_office = working & ~travelling & (people.office[:, None] >= 0)
    at_office &= rng.random(working.shape) < people.office_days[:, None]
    late = present & (rng.random(working.shape) < (0.008 if world.population == "corporate" else 0.015))
    expected = people.rate[:, None] * np.where(working, 1.0, people.weekend[:, None]) * present
    on_holiday = travelling & ~np.append(business, False)[trip]
    expected = expected * np.where(on_holiday, 0.3 if world.population == "corporate" else 0.8, 1.0)
    expected[people.service] = 0.0  # services have a clock of their own
    return Calendar(present, working, trip, city, business, link, at_office, late, expected)


def _trips(world: World, working: Flags, rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.int64], Flags]:
    people, days = world.people, world.days
    starts = (rng.random(working.shape) < people.travels[:, None]) & ~people.service[:, None]
    who, first = np.nonzero(starts)
    business = rng.random(len(who)) < (0.55 if world.population == "corporate" else 0.25)
    length = np.where(business, rng.integers(1, 5, len(who)), rng.integers(3, 13, len(who)))
    trip = np.full(working.shape, -1, np.int32)
    for number, (account, begin, nights) in enumerate(zip(who.tolist(), first.tolist(), length.tolist(), strict=True)):
        trip[account, begin : min(days, begin + nights)] = number
    return trip, _destinations(world, people.city[who], business, rng), business


def _destinations(world: World, home: NDArray[np.int64], business: Flags, rng: np.random.Generator) -> NDArray[np.int64]:
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


def _trip_links(world: World, city: NDArray[np.int64], business: Flags, rng: np.random.Generator) -> NDArray[np.int32]:
    offices = {office[0]: office[1] for office in world.offices} if world.population == "corporate" else {}
    hotels: dict[tuple[int, int], int] = {}
    links = np.empty(len(city), np.int32)
    for number, (where, at_work) in enumerate(zip(city.tolist(), business.tolist(), strict=True)):
        if at_work and where in offices:
            links[number] = offices[where]
            continue
        key = (where, int(rng.integers(5)))
        if key not in hotels:
            hotels[key] = world.networks.guest(where)
        links[number] = hotels[key]
    return links
