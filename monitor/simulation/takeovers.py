"""Attacks on one account from outside. Each function plays one incident and returns its logins, the first one first."""

import numpy as np

from monitor.simulation.columns import Rows, logins, stack
from monitor.simulation.people import AUTH_CODE
from monitor.simulation.stage import Stage

_DAY = 86_400.0


def takeover_abroad(stage: Stage) -> Rows:
    """Stolen credentials used from another country; some attackers copy the browser or keep the victim's hours."""
    account = int(stage.victims(1)[0])
    begin = stage.moment(account)
    where = stage.foreign_city(int(stage.world.people.city[account]))
    return _session(stage, account, begin, stage.way_in(where), where, match=0.4)


def takeover_same_country(stage: Stage) -> Rows:
    """The attacker sits, or rents an exit, in another city of the victim's country."""
    account = int(stage.victims(1)[0])
    begin = stage.moment(account)
    city = int(stage.world.people.city[account])
    link = stage.way_in(stage.domestic_city(city), "home home mobile guest exit server")
    origin = int(stage.world.links["city"][link]) if stage.rng.random() < 0.5 else stage.foreign_city(city)
    return _session(stage, account, begin, link, origin, match=0.55)


def takeover_residential_proxy(stage: Stage) -> Rows:
    """A rented home connection in the victim's own city, the victim's browser and mostly hours; only slower."""
    account = int(stage.victims(1)[0])
    begin = stage.moment(account, alert=stage.rng.random() < 0.7)
    city = int(stage.world.links["city"][stage.own_home(account, begin)])
    link = int(stage.world.networks.proxies(city, 1)[0])
    return _session(stage, account, begin, link, stage.foreign_city(city), match=0.9)


def _session(stage: Stage, account: int, begin: float, link: int, origin: int, match: float) -> Rows:
    """Some failures, then logins over minutes to days from one place; ``match``: chance to copy the browser."""
    rng = stage.rng
    own = stage.own_device(account, begin, phone=rng.random() < 0.4)
    device = stage.lookalike(own) if rng.random() < match else stage.machine()
    count = int(rng.integers(2, 9))
    tries = int(rng.choice([0, 1, 2, 4], p=[0.6, 0.2, 0.12, 0.08]))
    gap = float(rng.choice([120.0, 1_500.0, 14_000.0]))
    detour = stage.detour(origin, link)
    common = {"link": link, "device": device, "detour_km": detour}
    wrong = stage.run(account, begin, tries, 20.0, success=False, **common)
    return stack([wrong, stage.run(account, begin + 25.0 * tries + 10, count, gap, **common)])


def brute_force(stage: Stage) -> Rows:
    """Dozens to hundreds of guesses at one account from one or two machines, half of them successful in the end."""
    rng = stage.rng
    account = int(stage.victims(1)[0])
    begin = stage.moment(account)
    city = int(stage.world.people.city[account])
    where = city if rng.random() < 0.2 else stage.foreign_city(city)
    links = np.array([stage.way_in(where, "server exit home") for _ in range(int(rng.integers(1, 3)))])
    device = stage.machine(str(rng.choice(["python", "go", "chrome windows", "firefox windows"])))
    count = int(rng.integers(30, 250))
    pace = float(rng.choice([2.0, 12.0, 90.0], p=[0.4, 0.4, 0.2]))
    auth = stage.guessed_methods(np.array([account]))
    guesses = stage.run(
        account, begin, count, pace, success=False, auth=auth, device=device, link=rng.choice(links, count)
    )
    if rng.random() < 0.5:
        return guesses
    after = float(guesses["seconds"][-1]) + 5.0
    visits = int(rng.integers(1, 5))
    return stack([guesses, stage.run(account, after, visits, 300.0, device=device, link=links[0], auth=auth)])


def session_token_theft(stage: Stage) -> Rows:
    """A stolen cookie replayed: the victim's device id and user agent, from another network, between own logins."""
    rng = stage.rng
    account = int(stage.victims(1)[0])
    begin = stage.moment(account)
    city = int(stage.world.people.city[account])
    where = stage.domestic_city(city) if rng.random() < 0.5 else stage.foreign_city(city)
    link = stage.way_in(where, "server exit exit home guest")
    auth = AUTH_CODE["refresh_token"] if rng.random() < 0.6 else int(stage.world.people.auth[account])
    return stage.run(
        account, begin, int(rng.integers(2, 8)), float(rng.choice([200.0, 3_000.0, 20_000.0])), auth=auth, link=link,
        device=stage.own_device(account, begin, phone=rng.random() < 0.2), application=stage.goals(account, 1, 0.5),
        detour_km=stage.detour(stage.foreign_city(city), link),
    )  # fmt: skip


def mfa_fatigue(stage: Stage) -> Rows:
    """The password is known; push prompts come until the tired victim accepts one (often at night)."""
    rng = stage.rng
    account = int(stage.victims(1)[0])
    begin = stage.moment(account, alert=rng.random() < 0.4)
    city = int(stage.world.people.city[account])
    where = stage.domestic_city(city) if rng.random() < 0.4 else stage.foreign_city(city)
    link = stage.way_in(where)
    own = stage.own_device(account, begin)
    common = {"link": link, "device": stage.lookalike(own) if rng.random() < 0.4 else stage.machine()}
    prompts = int(rng.integers(4, 26))
    push = AUTH_CODE["password+push"]
    pause = float(rng.choice([40.0, 150.0, 600.0]))
    tired = stage.run(account, begin, prompts, pause, success=False, auth=push, **common)
    if rng.random() < 0.3:
        return tired
    after = float(tired["seconds"][-1]) + 20.0
    return stack([tired, stage.run(account, after, int(rng.integers(1, 6)), 400.0, auth=push, **common)])


def slow_drift(stage: Stage) -> Rows:
    """Poisoning: first a rare login close to the victim's habits, then step by step more and more of the attacker's."""
    rng, world = stage.rng, stage.world
    account = int(stage.victims(1)[0])
    city = int(world.people.city[account])
    patient = stage.end - (stage.end - stage.begin) * rng.uniform(0.7, 1.0)
    days = np.sort(rng.beta(1.6, 1.0, int(rng.integers(10, 30)))) * (stage.end - patient) / _DAY + patient / _DAY
    progress = (days - days[0]) / max(days[-1] - days[0], 1e-9)
    origin = stage.foreign_city(city)
    near = int(world.networks.proxies(city, 1)[0])
    middle, far = stage.way_in(stage.domestic_city(city), "home exit"), stage.way_in(origin, "home exit server")
    own = stage.own_device(account, patient)
    lookalike, machine = stage.lookalike(own), stage.machine()
    hour = world.people.start_hour[account] + rng.uniform(0, 8, len(days)) + progress * rng.uniform(2, 9)
    offset = world.offsets[city, np.minimum(days.astype(int), world.days - 1)]
    seconds = np.clip(np.floor(days) * _DAY + hour * 3_600 - offset, stage.begin, stage.end - 1)
    link = np.select([progress < 0.4, progress < 0.75], [near, middle], far)
    return logins(
        account=account, seconds=np.sort(seconds), link=link, device=np.where(progress < 0.55, lookalike, machine),
        auth=int(world.people.auth[account]), application=stage.goals(account, len(days), 0.8),
        detour_km=world.atlas.distance[origin, world.links["city"][link]],
    )  # fmt: skip
