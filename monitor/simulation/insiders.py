"""Attacks with accounts that are trusted, forgotten or not meant for people."""

import numpy as np

from monitor.simulation.columns import Rows, stack
from monitor.simulation.people import AUTH_CODE
from monitor.simulation.stage import Stage

_DAY = 86_400.0
_SENSITIVE = (
    "payroll", "admin", "cloud-console", "erp", "hr", "crm", "code", "contracts", "payments", "partner-portal",
    "support",
)  # fmt: skip


def insider_night(stage: Stage) -> Rows:
    """One's own device at one's own place, at night, in applications that are not one's business."""
    rng, world = stage.rng, stage.world
    people = world.people
    fit = ~people.service & ~people.night_worker & (stage.counts >= 10) & (people.left > stage.begin / _DAY)
    account = int(stage.victims(1, fit)[0])
    nights = np.sort(rng.uniform(stage.begin / _DAY, stage.end / _DAY - 1, int(rng.integers(1, 4)))).astype(int)
    shares = np.diff(people.applications[account], prepend=0.0)
    offer = [world.applications.index(name) for name in _SENSITIVE if name in world.applications]
    unusual = sorted(offer, key=lambda application: float(shares[application]))[:3]
    runs = []
    for night in nights.tolist():
        offset = world.offsets[int(people.city[account]), min(night, world.days - 1)]
        begin = night * _DAY + rng.uniform(0.3, 4.2) * 3_600 - offset
        count = int(rng.integers(2, 7))
        begin = max(begin, stage.begin)
        runs.append(
            stage.run(
                account,
                begin,
                count,
                500.0,
                link=stage.own_home(account, begin),
                device=stage.own_device(account, begin),
                auth=int(people.auth[account]),
                application=rng.choice(unusual, count),
            )
        )
    return stack(runs)


def dormant_account(stage: Stage) -> Rows:
    """An account nobody has used for weeks comes back to life elsewhere."""
    rng, world = stage.rng, stage.world
    people = world.people
    quiet = (stage.begin - stage.last_seen) / _DAY
    enough = ~people.service & (stage.counts >= 3)
    longest = np.sort(np.where(enough, quiet, -np.inf))[::-1]
    least = max(longest[min(len(quiet) - 1, 3 + len(quiet) // 60)], 0.0)
    account = int(stage.victims(1, enough & (quiet >= least))[0])
    begin = stage.moment(account)
    city = int(people.city[account])
    where = (
        city if rng.random() < 0.2 else stage.domestic_city(city) if rng.random() < 0.5 else stage.foreign_city(city)
    )
    link = stage.way_in(where)
    device = stage.lookalike(stage.own_device(account, begin)) if rng.random() < 0.4 else stage.machine()
    return stage.run(
        account, begin, int(rng.integers(2, 10)), float(rng.choice([300.0, 5_000.0])), link=link, device=device
    )


def service_account_interactive(stage: Stage) -> Rows:
    """A person signs in with a service's account: a browser, another network, no clock behind it."""
    rng, world = stage.rng, stage.world
    people = world.people
    account = int(stage.victims(1, people.service & (stage.counts >= 5))[0])
    begin = stage.moment(account)
    city = int(people.city[account])
    draw = rng.random()
    if draw < 0.3:  # a colleague at an office
        link = world.office_line(int(rng.integers(len(world.offices))), begin / _DAY)
    else:
        link = stage.way_in(stage.domestic_city(city) if draw < 0.6 else stage.foreign_city(city))
    program = "curl" if rng.random() < 0.2 else None
    method = int(people.auth[account]) if rng.random() < 0.4 else AUTH_CODE["password"]
    return stage.run(
        account, begin, int(rng.integers(2, 9)), 240.0, link=link, device=stage.machine(program), auth=method
    )
