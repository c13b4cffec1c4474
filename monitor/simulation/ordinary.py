"""Ordinary logins: what people do on an ordinary day, on trips, with new devices, and what services do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.simulation.calendars import Calendar
from monitor.simulation.columns import CODE, Rows, choose_rows, logins, mix, stack, take
from monitor.simulation.devices import PHONE
from monitor.simulation.people import AUTH_CODE, Floats, Ints, World

Flags = NDArray[np.bool_]
_DAY = 86_400.0
_PASSWORDS = np.array([AUTH_CODE[name] for name in ("password", "password+totp", "password+push", "password+sms")])


@dataclass(frozen=True)
class Moment:
    """Columns over logins about to happen: who, which day, at which local second, where the person is."""

    account: Ints
    day: Ints
    second: Floats  # since local midnight
    leisure: Flags
    late: Flags
    trip: NDArray[np.int32]
    city: Ints


def people_logins(world: World, diary: Calendar, rng: np.random.Generator) -> Rows:
    """Every ordinary login of every person, with the failures that come before some of them."""
    moments = _moments(world, diary, rng)
    device = _devices(world, moments, rng)
    link, away = _places(world, diary, moments, device, rng)
    link, city, detour, vpn = _tunnels(world, moments, device, link, away, rng)
    auth = _methods(world, moments, device, rng)
    application, new = _applications(world, moments, rng)
    utc = moments.day * _DAY + moments.second - world.offsets[moments.city, np.clip(moments.day, 0, world.days - 1)]
    rows = logins(
        account=moments.account, seconds=utc, link=link, city=city, device=device, auth=auth, application=application,
        detour_km=detour,
    )  # fmt: skip
    rows["scenario"] = _scenarios(world, diary, moments, device, link, vpn, new)
    rows = _with_companions(world, rows, rng)
    rows = stack([rows, _typos(rows, world, rng), _stale_passwords(world, rows, rng)])
    return take(rows, (rows["seconds"] >= 0) & (rows["seconds"] < world.days * _DAY))


def _moments(world: World, diary: Calendar, rng: np.random.Generator) -> Moment:
    people = world.people
    counts = rng.poisson(diary.expected)
    who, day = np.nonzero(counts)
    repeat = counts[who, day]
    account, day = np.repeat(who, repeat), np.repeat(day, repeat)
    size = len(account)
    first = np.diff(account * (world.days + 1) + day, prepend=-1) != 0
    works = diary.working[account, day]
    leisure = (rng.random(size) < people.leisure[account]) | ~works
    daily = (mix(account, day, 11) % np.uint64(10_000)).astype(float) / 10_000 - 0.5
    begin = people.start_hour[account] + 1.2 * daily
    inside = np.where(first, rng.exponential(0.15, size), people.span_hours[account] * rng.beta(1.05, 1.3, size))
    evening = np.where(rng.random(size) < 0.6, rng.normal(20.3, 1.7, size), rng.uniform(7.0, 24.0, size))
    shifted = people.night_worker[account]
    hour = np.where(leisure, np.where(shifted, evening + people.start_hour[account] - 9, evening), begin + inside)
    late = diary.late[account, day] & (rng.random(size) < 0.4)
    hour = np.where(late, 24 + rng.gamma(2.0, 0.9, size), hour)
    trip = diary.trip[account, day]
    moved = day >= people.move_day[account]
    city = np.where(moved, people.city_after[account], people.city[account])
    city = np.where(trip >= 0, np.append(diary.trip_city, 0)[trip], city)
    return Moment(account, day, hour * 3_600.0, leisure, late, trip, city)


def _devices(world: World, now: Moment, rng: np.random.Generator) -> Ints:
    people, account = world.people, now.account
    laptop = np.where(now.day >= people.laptop_day[account], people.laptop_after[account], people.laptop[account])
    phone = np.where(now.day >= people.phone_day[account], people.phone_after[account], people.phone[account])
    share = people.phone_share[account]
    device = np.where(rng.random(len(account)) < np.where(now.leisure, share**0.5, share), phone, laptop)
    draw = rng.random(len(account))
    device = np.where((draw < 0.04) & (people.second[account] >= 0), people.second[account], device)
    in_place = (now.trip < 0) & (people.shared[account] >= 0)
    return np.where((draw > 0.96) & in_place, people.shared[account], device)


def _places(world: World, diary: Calendar, now: Moment, device: Ints, rng: np.random.Generator) -> tuple[Ints, Flags]:
    """The link each login comes through, and whether that is away from a desk at the office."""
    people, account = world.people, now.account
    size = len(account)
    line = np.array([office[1:] for office in world.offices], np.int64)
    office = people.office[account]
    desk = np.where(now.day >= line[office, 2], line[office, 1], line[office, 0])
    home = np.where(now.day >= people.move_day[account], people.home_after[account], people.home[account])
    inside = diary.at_office[account, now.day] & ~now.leisure & ~now.late
    link = np.where(inside, desk, home)
    travelling = now.trip >= 0
    link = np.where(travelling, np.append(diary.trip_link, 0)[now.trip], link)
    phone = world.devices["kind"][device] == PHONE
    draw = rng.random(size)
    roaming = travelling & phone & (draw < 0.5)  # roaming traffic leaves through the home carrier's gateway
    mobile = np.where(travelling, roaming, phone & (draw < np.where(inside, 0.45, 0.35))) | (~phone & (draw < 0.012))
    gateway = np.where(now.day >= people.move_day[account], people.city_after[account], people.city[account])
    link = np.where(mobile, _gateways(world, account, gateway, rng), link)
    guest = ~mobile & ~travelling & ~inside & (rng.random(size) < 0.012)
    link = np.where(guest, _guests(world, now.city, account, rng), link)
    return link, ~inside


def _gateways(world: World, account: Ints, city: Ints, rng: np.random.Generator) -> Ints:
    """The carrier's gateway: mostly the one near home, now and then another of the same country."""
    places, networks = world.atlas, world.networks
    carrier = world.people.carrier[account]
    domestic = places.country[:, None] == places.country[None, :]
    central = np.where(domestic, places.weight, 0).argmax(axis=1)
    shares = (np.cumsum(domestic, axis=1) / domestic.sum(axis=1, keepdims=True)).astype(np.float32)
    draw = rng.random(len(account))
    elsewhere = choose_rows(rng.random(len(account)), shares[city])
    where = np.where(draw < 0.62, city, np.where(draw < 0.86, central[city], elsewhere))
    keys, back = np.unique(carrier * 1_000 + where, return_inverse=True)
    links = np.array([networks.carrier(int(key // 1_000), int(key % 1_000)) for key in keys], np.int64)
    return links[back]


def _guests(world: World, city: Ints, account: Ints, rng: np.random.Generator) -> Ints:
    """A café or a friend's place in the city; everyone has a few."""
    size = len(world.atlas.name)
    cafes = np.array([[world.networks.guest(where) for _ in range(12)] for where in range(size)], np.int64)
    favourite = (mix(account, rng.integers(3, size=len(account))) % np.uint64(12)).astype(np.int64)
    return cafes[city, favourite]


def _tunnels(
    world: World, now: Moment, device: Ints, link: Ints, away: Flags, rng: np.random.Generator
) -> tuple[Ints, Ints, Floats, Flags]:
    """Logins through a VPN show its exit; roaming and tunnels make the packets travel further."""
    people, account = world.people, now.account
    vpn = away & (world.devices["kind"][device] != PHONE) & (rng.random(len(account)) < people.vpn_share[account])
    exits = people.vpn_first[account] + rng.integers(1 << 30, size=len(account)) % people.vpn_count[account]
    exits = np.where(exits > world.vpn_exits[-1], world.vpn_exits[0], exits)
    shown = np.where(vpn, exits, link)
    city = _thought_to_be(world, shown, now.day)
    detour = world.atlas.distance[now.city, world.links["city"][shown]]
    return shown, city, detour, vpn


def _thought_to_be(world: World, link: Ints, day: Ints) -> Ints:
    """Where the address database puts the link that day (-1: where the link's own column says)."""
    return np.where(day >= world.links["drift_day"][link], world.links["drift_city"][link], -1)


def _methods(world: World, now: Moment, device: Ints, rng: np.random.Generator) -> Ints:
    people, account = world.people, now.account
    usual = np.where(now.day >= people.auth_day[account], people.auth_after[account], people.auth[account])
    draw = rng.random(len(account))
    phone = world.devices["kind"][device] == PHONE
    usual = np.where(phone & (draw < 0.35), AUTH_CODE["refresh_token"], usual)
    usual = np.where(phone & (draw > 0.75), AUTH_CODE["biometric"], usual)
    usual = np.where(~phone & (draw < 0.08), AUTH_CODE["refresh_token"], usual)  # "stay signed in"
    fallback = AUTH_CODE["password+totp" if world.population == "corporate" else "password+sms"]
    usual = np.where((draw > 0.4) & (draw < 0.42), fallback, usual)
    return np.where((draw > 0.42) & (draw < 0.426), AUTH_CODE["password"], usual)


def _applications(world: World, now: Moment, rng: np.random.Generator) -> tuple[Ints, Flags]:
    people, account = world.people, now.account
    chosen = choose_rows(rng.random(len(account)), people.applications[account]).astype(np.int64)
    new = (now.day >= people.new_application_day[account]) & (rng.random(len(account)) < 0.15)
    return np.where(new, people.new_application[account], chosen), new


def _scenarios(
    world: World, diary: Calendar, now: Moment, device: Ints, link: Ints, vpn: Flags, new: Flags
) -> NDArray[np.int8]:
    """The benign kind of each login; of several the first named wins."""
    people, account, day = world.people, now.account, now.day

    def since(start: Ints, length: int) -> Flags:
        return (day >= start[account]) & (day < start[account] + length)

    change = np.array([office[3] for office in world.offices])[people.office[account]]
    moved_line = np.array([office[2] for office in world.offices])[people.office[account]] == link
    replaced = ((device == people.laptop_after[account]) & since(people.laptop_day, 5)) | (
        (device == people.phone_after[account]) & since(people.phone_day, 5)
    )
    drift = world.links["drift_day"][link]
    cases = {
        "trip": now.trip >= 0,
        "house_move": since(people.move_day, 10) & (link == people.home_after[account]),
        "provider_change": moved_line & (day >= change) & (day < change + 7),
        "geolocation_update": (day >= drift) & (day < drift + 5),
        "new_device": replaced,
        "newcomer": (people.joined[account] >= 0) & since(people.joined, 7),
        "return_from_leave": since(people.leave_to, 3),
        "night_work": now.late,
        "new_application": new & since(people.new_application_day, 10),
        "new_auth_method": since(people.auth_day, 5),
        "vpn": vpn,
        "guest_network": world.links["kind"][link] == 3,
    }
    return np.select(list(cases.values()), [np.int8(CODE[name]) for name in cases], np.int8(0)).astype(np.int8)


def _with_companions(world: World, rows: Rows, rng: np.random.Generator) -> Rows:
    """One sign-in is often followed within minutes by sign-ins to the other applications of the morning."""
    share = 0.45 if world.population == "corporate" else 0.12
    extra = np.where(rng.random(len(rows["account"])) < share, rng.geometric(0.6, len(rows["account"])), 0)
    copies = take(rows, np.repeat(np.arange(len(extra)), extra))
    copies["seconds"] = copies["seconds"] + rng.exponential(90.0, len(copies["seconds"])) + 2.0
    shares = world.people.applications[copies["account"]]
    copies["application"] = choose_rows(rng.random(len(shares)), shares)
    return stack([rows, copies])


def _typos(rows: Rows, world: World, rng: np.random.Generator) -> Rows:
    """Mistyped passwords: one or two before the login that works, rarely a handful, some given up."""
    typed = np.isin(rows["auth"], _PASSWORDS) | (rows["auth"] == AUTH_CODE["sso"])
    back = rows["scenario"] == CODE["return_from_leave"]
    chance = world.people.typo[rows["account"]] * np.where(back, 4.0, 1.0) * typed
    hit = np.flatnonzero(rng.random(len(chance)) < chance)
    many = rng.random(len(hit)) < 0.06
    number = np.where(many, rng.integers(3, 9, len(hit)), rng.geometric(0.75, len(hit)))
    wrong = take(rows, np.repeat(hit, number))
    turn = np.concatenate([np.arange(n, 0, -1) for n in number]) if len(hit) else np.empty(0)
    wrong["seconds"] = wrong["seconds"] - turn * rng.uniform(5.0, 25.0, len(turn))
    wrong["success"][:] = False
    burst = np.repeat(number >= 3, number) & (wrong["scenario"] == 0)
    wrong["scenario"] = np.where(burst, CODE["typo_burst"], wrong["scenario"]).astype(np.int8)
    return wrong


def _stale_passwords(world: World, rows: Rows, rng: np.random.Generator) -> Rows:
    """After a password change a forgotten mail client keeps trying the old one, by the clock, for hours."""
    people = world.people
    often = 0.0008 if world.population == "corporate" else 0.00025
    count = rng.poisson(often * world.days * len(people))
    own = np.flatnonzero(~people.service & (people.phone >= 0))
    if not count or not len(own):
        return stack([])
    who = rng.choice(own, count)
    tries = rng.integers(8, 50, count)
    begin = rng.uniform(0, world.days * _DAY, count)
    every = rng.choice([120.0, 300.0, 900.0], count)
    which = np.repeat(np.arange(count), tries)
    turn = np.concatenate([np.arange(n) for n in tries])
    present = (begin // _DAY >= people.joined[who]) & (begin // _DAY < people.left[who])
    batch = logins(
        account=who[which], seconds=begin[which] + turn * every[which] + rng.normal(0, 1.0, len(which)), success=False,
        link=people.home[who][which], device=people.phone[who][which], auth=AUTH_CODE["password"], application=0,
        scenario=CODE["stale_password"],
    )  # fmt: skip
    return take(batch, present[which])
