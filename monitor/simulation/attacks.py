"""All kinds of attack by name, and when each incident is played."""

from collections.abc import Callable

import numpy as np

from monitor.simulation import campaigns, insiders, takeovers
from monitor.simulation.columns import ATTACKS, Rows, stack, take
from monitor.simulation.people import World
from monitor.simulation.stage import Stage, label

_DAY = 86_400.0
Attack = Callable[[Stage], Rows]
PLAYS: dict[str, Attack] = {
    name: next(getattr(module, name) for module in (takeovers, campaigns, insiders) if hasattr(module, name))
    for name in ATTACKS
}


def attack_logins(
    world: World, ordinary: Rows, per_kind: int, attacks_from: float, early: int, rng: np.random.Generator
) -> Rows:
    """``per_kind`` incidents of every kind from the share ``attacks_from`` of the period on, and ``early`` before."""
    begin, end = attacks_from * world.days * _DAY, world.days * _DAY
    stage = _stage(world, ordinary, begin, end, rng)
    played, incident = [], 0
    for kind in ATTACKS:
        for _ in range(per_kind):
            played.append(label(PLAYS[kind](stage), kind, incident))
            incident += 1
    if early and attacks_from * world.days >= 14:
        before = _stage(world, ordinary, 0.4 * begin, begin, rng)
        before.used = stage.used
        for kind in rng.choice(ATTACKS, early, replace=True):
            played.append(label(PLAYS[str(kind)](before), str(kind), incident))
            incident += 1
    rows = stack(played)
    return take(rows, (rows["seconds"] >= 0) & (rows["seconds"] < end))


def _stage(world: World, ordinary: Rows, begin: float, end: float, rng: np.random.Generator) -> Stage:
    before = ordinary["seconds"] < begin
    accounts = len(world.people)
    counts = np.bincount(ordinary["account"][before], minlength=accounts)
    last = np.full(accounts, -np.inf)
    np.maximum.at(last, ordinary["account"][before], ordinary["seconds"][before])
    return Stage(world, rng, begin, end, counts, last)
