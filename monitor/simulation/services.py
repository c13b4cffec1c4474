"""Service accounts: one host, one program, one key, by the clock."""

import numpy as np

from monitor.simulation.columns import CODE, Rows, logins, stack
from monitor.simulation.devices import ALWAYS, MACHINE, NEVER, PROGRAM, add_devices
from monitor.simulation.people import AUTH_CODE, NEVER_DAY, World, sometimes

_DAY = 86_400.0
_JOBS = ("backup", "etl", "deploy", "monitoring", "sync", "report", "billing", "scanner")
_PROGRAMS = np.array([PROGRAM[name] for name in ("python", "curl", "go", "java")])


def add_services(world: World, rng: np.random.Generator, count: int, domain: str) -> None:
    """Turn ``count`` of the accounts into services: half in a data centre, half behind an office line."""
    people = world.people
    chosen = rng.choice(len(people), size=count, replace=False)
    people.service[chosen] = True
    for number, account in enumerate(chosen.tolist()):
        city, line, *_ = world.offices[int(people.office[account])]
        if rng.random() < 0.5:
            city = int(world.datacentres[rng.integers(len(world.datacentres))])
            people.home[account], people.home_after[account] = world.networks.server(city), world.networks.server(city)
        else:
            people.home[account] = people.home_after[account] = line
        hosts = add_devices(world.devices, rng, MACHINE, 2, 0.0, np.repeat(rng.choice(_PROGRAMS), 2))
        people.name[account] = f"svc-{_JOBS[number % len(_JOBS)]}-{number}{domain}"
        people.city[account] = people.city_after[account] = city
        people.laptop[account], people.laptop_after[account] = hosts
        method = "api_key" if rng.random() < 0.8 else "client_certificate"
        people.auth[account] = people.auth_after[account] = AUTH_CODE[method]
        people.auth_day[account] = NEVER_DAY
        world.devices["identity"][hosts] = rng.choice([ALWAYS, NEVER])
    people.leave_from[chosen] = NEVER_DAY
    people.phone[chosen] = people.second[chosen] = people.shared[chosen] = -1
    people.move_day[chosen] = sometimes(rng, count, 0.04 * world.days / 30, world.days)


def service_logins(world: World, rng: np.random.Generator) -> Rows:
    """Every login of every service account; hosts move rarely, clocks jitter, runs fail now and then."""
    people, batches = world.people, []
    rhythms = [1_800.0, 3_600.0, 4 * 3_600.0, 8 * 3_600.0, _DAY]
    for account in np.flatnonzero(people.service).tolist():
        every = float(rng.choice(rhythms, p=[0.1, 0.25, 0.2, 0.15, 0.3]))
        seconds = np.arange(rng.uniform(0, every), world.days * _DAY, every)
        seconds = seconds + rng.exponential(rng.choice([1.0, 4.0, 40.0]), len(seconds))
        day = seconds // _DAY
        runs = (rng.random(len(seconds)) > 0.01) & (day < people.left[account]) & (day >= people.joined[account])
        seconds, day = seconds[runs], day[runs]
        if not len(seconds):
            continue
        moved = day >= people.move_day[account]
        fresh = moved & (day < people.move_day[account] + 3)
        batches.append(
            logins(
                account=account,
                seconds=seconds,
                success=rng.random(len(seconds)) > 0.004,
                auth=people.auth[account],
                link=np.where(moved, people.home_after[account], people.home[account]),
                device=np.where(moved, people.laptop_after[account], people.laptop[account]),
                application=int(rng.integers(len(world.applications))),
                scenario=np.where(fresh, CODE["host_migration"], 0),
            )
        )
    return stack(batches)
