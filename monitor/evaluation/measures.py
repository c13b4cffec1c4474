"""From judged logins to figures.

The bootstrap resamples what is independent: incidents with all their events, and accounts with all their ordinary
logins (Efron and Tibshirani 1993, clusters). Intervals are the middle 95 % of the resamples.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from monitor.evaluation.labels import Judged
from monitor.evaluation.ranking import Floats, Ranking
from monitor.evaluation.result import AtBudget, AttackKind, BenignKind, Evaluation, Measure

#: Shares of ordinary logins that may be false alarms.
BUDGETS = (0.001, 0.002, 0.005, 0.01)
#: Events of an incident within which it must be found.
FIRST_EVENTS = 3
RESAMPLES = 200

_NO_ATTACKS = "no attack among the measured logins"
_NO_ORDINARY = "no ordinary login among the measured ones"
_NO_INTERVAL = "an interval needs at least two incidents and two accounts"
_NONE_FOUND = "no incident is found at this budget"


@dataclass(frozen=True)
class _Incidents:
    """Columns over incidents, in the order of their numbers, and the events behind them."""

    best: Floats  # highest score of the first three events
    first: NDArray[np.intp]  # position of the first event among the attacks
    size: NDArray[np.int64]
    turn: NDArray[np.int64]  # of each attack event within its incident, from 0
    number: NDArray[np.int64]  # incident of each attack event
    minute: Floats  # of each attack event


@dataclass(frozen=True)
class _Resamples:
    """Figures of every resample: [resample], and [resample, budget] for ``found``."""

    roc_auc: Floats
    average_precision: Floats
    found: Floats


def evaluate(
    judged: Judged, budgets: tuple[float, ...] = BUDGETS, resamples: int = RESAMPLES, seed: int = 0
) -> Evaluation:
    """Measure scores against labels. Deterministic for a ``seed``; higher scores are taken as odder."""
    ordinary, attack = judged.score[~judged.attack], judged.score[judged.attack]
    incidents = _incidents(judged)
    reason = _NO_ATTACKS if not len(attack) else _NO_ORDINARY if not len(ordinary) else None
    ranking = Ranking.of(ordinary, attack)
    samples = None if reason else _resample(judged, ranking, incidents, budgets, resamples, seed)
    bars = [
        ranking.bar(ranking.cumulative(np.ones(len(ordinary))), budget) if len(ordinary) else None for budget in budgets
    ]
    rows = tuple(
        _at_budget(budget, bar, judged, incidents, None if samples is None else samples.found[:, column])
        for column, (budget, bar) in enumerate(zip(budgets, bars, strict=True))
    )
    return Evaluation(
        begin=None if judged.begin is None else judged.begin.isoformat(),
        end=None if judged.end is None else judged.end.isoformat(),
        labelled=judged.labelled,
        ordinary_logins=len(ordinary),
        ordinary_accounts=len(np.unique(judged.account[~judged.attack])),
        attack_events=len(attack),
        incidents=len(incidents.best),
        roc_auc=_ranked(roc_auc_score, judged, reason, None if samples is None else samples.roc_auc),
        average_precision=_ranked(
            average_precision_score, judged, reason, None if samples is None else samples.average_precision
        ),
        budgets=rows,
        alerted_found=_alerted_found(judged, incidents),
        alerted_false_alarm_rate=_share(judged.alerted[~judged.attack], _NO_ORDINARY),
        attacks=_attack_kinds(judged, incidents, bars),
        benign=_benign_kinds(judged, bars),
        notes=(*judged.notes, *_notes(len(ordinary), budgets)),
    )


def _incidents(judged: Judged) -> _Incidents:
    number = judged.incident[judged.attack]
    order = np.argsort(number, kind="stable")  # logins are in order of time, so events of an incident stay so
    _, start, size = np.unique(number[order], return_index=True, return_counts=True)
    turn = np.empty(len(number), np.int64)
    turn[order] = np.arange(len(number)) - np.repeat(start, size)
    best = np.full(len(size), -np.inf)
    early = turn < FIRST_EVENTS
    np.maximum.at(best, number[early], judged.score[judged.attack][early])
    return _Incidents(best, order[start], size, turn, number, judged.minute[judged.attack])


def _resample(
    judged: Judged, ranking: Ranking, incidents: _Incidents, budgets: tuple[float, ...], resamples: int, seed: int
) -> _Resamples | None:
    """None where there is too little to resample: an interval from one incident or one account means nothing."""
    accounts, account = np.unique(judged.account[~judged.attack], return_inverse=True)
    count = len(incidents.best)
    if count < 2 or len(accounts) < 2 or not resamples:
        return None
    rng = np.random.default_rng(seed)
    auc, precision = np.empty(resamples), np.empty(resamples)
    found = np.empty((resamples, len(budgets)))
    for row in range(resamples):
        drawn = rng.multinomial(count, np.full(count, 1 / count)).astype(float)
        weight = rng.multinomial(len(accounts), np.full(len(accounts), 1 / len(accounts))).astype(float)[account]
        cumulative = ranking.cumulative(weight)
        auc[row] = ranking.roc_auc(cumulative, drawn[incidents.number])
        precision[row] = ranking.average_precision(cumulative, drawn[incidents.number])
        for column, budget in enumerate(budgets):
            found[row, column] = (drawn * (incidents.best > ranking.bar(cumulative, budget))).sum() / count
    return _Resamples(auc, precision, found)


def _at_budget(
    budget: float, bar: float | None, judged: Judged, incidents: _Incidents, samples: Floats | None
) -> AtBudget:
    reason = _NO_ORDINARY if bar is None else None if len(incidents.best) else _NO_ATTACKS
    if bar is None:
        nothing = Measure(None, reason=reason)
        return AtBudget(budget, None, 0, None, nothing, nothing, nothing, nothing)
    above = judged.score > bar
    alarms = int((above & ~judged.attack).sum())
    threshold = float(judged.score[above].min()) if above.any() else None
    rate = alarms / int((~judged.attack).sum())
    if reason:
        nothing = Measure(None, reason=reason)
        return AtBudget(budget, threshold, alarms, rate, nothing, nothing, nothing, nothing)
    turns, minutes = _detections(above[judged.attack], incidents)
    found = incidents.best > bar
    late = np.isfinite(turns)
    return AtBudget(
        budget, threshold, alarms, rate,
        _with_interval(float(found.mean()), samples),
        Measure(float(late.mean())),
        Measure(float(np.median(turns[late]))) if late.any() else Measure(None, reason=_NONE_FOUND),
        Measure(float(np.median(minutes[late]))) if late.any() else Measure(None, reason=_NONE_FOUND),
    )  # fmt: skip


def _detections(above: NDArray[np.bool_], incidents: _Incidents) -> tuple[Floats, Floats]:
    """Per incident the number of its first event above the bar (from 1) and the minutes until then; infinite: none."""
    turns, minutes = np.full(len(incidents.best), np.inf), np.full(len(incidents.best), np.inf)
    begin = incidents.minute[incidents.first]
    np.minimum.at(turns, incidents.number[above], incidents.turn[above] + 1.0)
    np.minimum.at(minutes, incidents.number[above], incidents.minute[above] - begin[incidents.number[above]])
    return turns, minutes


def detection_minutes(judged: Judged, threshold: float | None) -> Floats:
    """Minutes from each incident's first event to the first at or above ``threshold`` (infinite: never)."""
    above = np.zeros(int(judged.attack.sum()), bool) if threshold is None else judged.score[judged.attack] >= threshold
    return _detections(above, _incidents(judged))[1]


def _alerted_found(judged: Judged, incidents: _Incidents) -> Measure:
    if not len(incidents.best):
        return Measure(None, reason=_NO_ATTACKS)
    hit = np.zeros(len(incidents.best), bool)
    hit[incidents.number[judged.alerted[judged.attack] & (incidents.turn < FIRST_EVENTS)]] = True
    return Measure(float(hit.mean()))


def _attack_kinds(judged: Judged, incidents: _Incidents, bars: list[float | None]) -> tuple[AttackKind, ...]:
    scenario = judged.scenario[judged.attack]
    of_incident = scenario[incidents.first]  # an incident has the kind of its first event
    kinds = []
    for name in sorted(set(of_incident.tolist())):
        members = of_incident == name
        found = tuple(None if bar is None else float((incidents.best[members] > bar).mean()) for bar in bars)
        kinds.append(AttackKind(name, int(members.sum()), int(incidents.size[members].sum()), found))
    return tuple(kinds)


def _benign_kinds(judged: Judged, bars: list[float | None]) -> tuple[BenignKind, ...]:
    scenario, score = judged.scenario[~judged.attack], judged.score[~judged.attack]
    kinds = []
    for name in sorted(set(scenario.tolist())):
        own = score[scenario == name]
        alarms = tuple(None if bar is None else int((own > bar).sum()) for bar in bars)
        rates = tuple(None if count is None else count / len(own) for count in alarms)
        kinds.append(BenignKind(name, len(own), alarms, rates))
    return tuple(kinds)


def _ranked(metric: Callable[..., float], judged: Judged, reason: str | None, samples: Floats | None) -> Measure:
    if reason:
        return Measure(None, reason=reason)
    return _with_interval(float(metric(judged.attack, judged.score)), samples)


def _share(flags: NDArray[np.bool_], reason: str) -> Measure:
    return Measure(float(flags.mean())) if len(flags) else Measure(None, reason=reason)


def _with_interval(value: float, samples: Floats | None) -> Measure:
    if samples is None:
        return Measure(value, reason=_NO_INTERVAL)
    low, high = np.quantile(samples, [0.025, 0.975])
    return Measure(value, float(low), float(high))


def _notes(ordinary: int, budgets: tuple[float, ...]) -> list[str]:
    """What the numbers themselves cannot say."""
    coarse = [f"{budget:.1%}" for budget in budgets if 0 < ordinary < 1 / budget]
    if not coarse:
        return []
    return [f"{ordinary:,} ordinary logins are too few to allow one false alarm at {' and '.join(coarse)}"]
