"""Attacks on many accounts at once. One campaign is one incident; every login of it is an attack, also what failed."""

import numpy as np
from numpy.typing import NDArray

from monitor.simulation.columns import Rows, logins, stack
from monitor.simulation.stage import Stage


def credential_stuffing(stage: Stage) -> Rows:
    """Leaked pairs tried once or twice each from a botnet; a few work and are used."""
    rng = stage.rng
    targets = _targets(stage, 25, 160)
    bots = _links(stage, int(rng.integers(6, 40)), "home home server mobile", abroad=0.8)
    programs = rng.choice(["python", "go", "chrome windows", "chrome android", "firefox windows"], 3)
    machines = np.array([stage.machine(str(program)) for program in programs])
    tries = np.repeat(targets, rng.integers(1, 3, len(targets)))
    begin = rng.uniform(stage.begin, stage.end - 8 * 3_600)
    seconds = begin + rng.uniform(0, rng.uniform(0.5, 7.0) * 3_600, len(tries))
    guesses = logins(
        account=tries, seconds=seconds, success=False, auth=stage.guessed_methods(tries),
        link=rng.choice(bots, len(tries)), device=rng.choice(machines, len(tries)),
        application=stage.goals(int(targets[0]), 1),
    )  # fmt: skip
    return _with_successes(stage, guesses, 0.03, bots)


def password_spray_fast(stage: Stage) -> Rows:
    """A few common passwords against many accounts from one or two machines within the hour."""
    return _spray(stage, _targets(stage, 30, 200), pace=float(stage.rng.uniform(2.0, 25.0)), links=(1, 3))


def password_spray_slow(stage: Stage) -> Rows:
    """The same below every lock-out rule: minutes to an hour between tries, for days, through changing exits."""
    targets = _targets(stage, 15, 60)
    longest = (stage.end - stage.begin) * 0.6 / len(targets)
    pace = min(float(stage.rng.uniform(600.0, 3_600.0)), longest)
    return _spray(stage, targets, pace=pace, links=(3, 12))


def _spray(stage: Stage, targets: NDArray[np.int64], pace: float, links: tuple[int, int]) -> Rows:
    rng = stage.rng
    exits = _links(stage, int(rng.integers(*links)), "server exit exit home", abroad=0.6)
    device = stage.machine(str(rng.choice(["python", "chrome windows", "edge windows", "safari iphone", "curl"])))
    gaps = np.cumsum(rng.exponential(pace, len(targets)))
    begin = rng.uniform(stage.begin, max(stage.begin + 1, stage.end - gaps[-1] - 7_200))
    turn = np.arange(len(targets)) // max(1, len(targets) // len(exits)) % len(exits)
    guesses = logins(
        account=targets, seconds=np.minimum(begin + gaps, stage.end - 1), success=False,
        auth=stage.guessed_methods(targets), link=exits[turn], device=device,
        application=stage.goals(int(targets[0]), 1),
    )  # fmt: skip
    return _with_successes(stage, guesses, 0.015, exits)


def _targets(stage: Stage, least: int, most: int) -> NDArray[np.int64]:
    """Accounts tried: at most a sixth of the people, who may be attacked again by others."""
    people = stage.world.people
    pool = np.flatnonzero(~people.service & (people.joined * 86_400.0 < stage.begin))
    count = int(np.clip(stage.rng.integers(least, most), 3, max(3, len(pool) // 6)))
    return np.asarray(stage.rng.choice(pool, size=min(count, len(pool)), replace=False))


def _links(stage: Stage, count: int, kinds: str, abroad: float) -> NDArray[np.int64]:
    home = int(np.bincount(stage.world.people.city).argmax())
    foreign = stage.rng.random(count) < abroad
    cities = [stage.foreign_city(home) if far else stage.domestic_city(home) for far in foreign]
    return np.array([stage.way_in(city, kinds) for city in cities], np.int64)


def _with_successes(stage: Stage, guesses: Rows, share: float, links: NDArray[np.int64]) -> Rows:
    """Turn a few guesses into hits, and let the attacker come back to each within the day."""
    rng = stage.rng
    hits = np.flatnonzero(rng.random(len(guesses["account"])) < share)
    guesses["success"][hits] = True
    visits = []
    for hit in hits.tolist():
        account, at = int(guesses["account"][hit]), float(guesses["seconds"][hit])
        link = int(guesses["link"][hit]) if rng.random() < 0.5 else int(rng.choice(links))
        device = int(guesses["device"][hit]) if rng.random() < 0.5 else stage.machine()
        back, times, auth = at + float(rng.exponential(6_000.0)), int(rng.integers(1, 5)), int(guesses["auth"][hit])
        visits.append(stage.run(account, back, times, 300.0, link=link, device=device, auth=auth))
    return stack([guesses, *visits])
