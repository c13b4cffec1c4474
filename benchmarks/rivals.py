"""What others would do with the same events: each rival learns from ordinary logins and scores the later ones.

Rivals are given our evidence (nats by feature, unknown as nought) in place of columns of their own, measured against
baselines that learned nothing of what the default detector alerted on; the likelihood ratio and the plain rules read
the events themselves.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyod.models.auto_encoder import AutoEncoder
from pyod.models.ecod import ECOD
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from benchmarks.freeman import likelihood_ratio
from benchmarks.morpheus import fingerprints
from monitor.columns import Floats, Ints, encode
from monitor.geography import distance_km, implied_speed_kmh

#: Ordinary logins that rivals train on at most; the one-class SVM's time grows with their square.
MOST_ROWS, MOST_SUPPORT = 30_000, 5_000

#: The plain rules' bounds.
SPEED_KMH, DISTANCE_KM, FAILURES, BURST_S = 300.0, 100.0, 5, 3600


@dataclass(frozen=True)
class Task:
    """Ordinary logins to learn from and later ones to score, [n, features] with the ``account`` of each row."""

    train: Floats
    train_account: Ints
    test: Floats
    test_account: Ints
    events: pd.DataFrame  # history and later events
    later: Ints  # rows of the later ones among ``events``


@dataclass(frozen=True)
class Outcome:
    """Oddness of the later logins [n], and the seconds that learning and scoring took."""

    score: Floats
    training_s: float
    scoring_s: float


Rival = Callable[[Task, int], Outcome]


def _timed(fit: Callable[[], Callable[[], Floats]]) -> Outcome:
    begun = time.perf_counter()
    score = fit()
    learned = time.perf_counter()
    values = np.asarray(score(), np.float64)
    return Outcome(values, learned - begun, time.perf_counter() - learned)


def isolation_forest(task: Task, seed: int) -> Outcome:
    def fit() -> Callable[[], Floats]:
        forest = IsolationForest(random_state=seed).fit(task.train)
        return lambda: -forest.score_samples(task.test)

    return _timed(fit)


def one_class_svm(task: Task, seed: int) -> Outcome:
    def fit() -> Callable[[], Floats]:
        few = np.random.default_rng(seed).permutation(len(task.train))[:MOST_SUPPORT]
        scaler = StandardScaler().fit(task.train)
        machine = OneClassSVM(nu=0.01).fit(scaler.transform(task.train[few]))
        return lambda: -machine.decision_function(scaler.transform(task.test))

    return _timed(fit)


def ecod(task: Task, seed: int) -> Outcome:
    def fit() -> Callable[[], Floats]:
        model = ECOD(contamination=0.001)
        model.fit(task.train)
        return lambda: model.decision_function(task.test)

    return _timed(fit)


def pyod_autoencoder(task: Task, seed: int) -> Outcome:
    def fit() -> Callable[[], Floats]:
        batch = min(512, len(task.train))  # it leaves out what does not fill a batch
        model = AutoEncoder(contamination=0.001, batch_size=batch, random_state=seed, verbose=0)
        model.fit(task.train)
        return lambda: model.decision_function(task.test)

    return _timed(fit)


def freeman(task: Task, seed: int) -> Outcome:
    return _timed(lambda: lambda: likelihood_ratio(task.events)[task.later])


def morpheus_mean(task: Task, seed: int) -> Outcome:
    return _morpheus(task, seed, 0)


def morpheus_max(task: Task, seed: int) -> Outcome:
    return _morpheus(task, seed, 1)


def _morpheus(task: Task, seed: int, which: int) -> Outcome:
    def fit() -> Callable[[], Floats]:
        scaler = StandardScaler().fit(task.train)
        learned = fingerprints(scaler.transform(task.train), task.train_account, seed)
        return lambda: learned.scores(scaler.transform(task.test), task.test_account)[which]

    return _timed(fit)


def plain_rules(task: Task, seed: int) -> Outcome:
    return _timed(lambda: lambda: broken_rules(task.events)[task.later])


def broken_rules(events: pd.DataFrame) -> Floats:
    """How many rules each event breaks [n]: a country new to the account, impossible travel, a burst of failures."""
    logins = encode(events)
    country = events["country"]
    newcomer = ~events.duplicated("account_id")  # everything is new on an account's first login
    new_country = ~events.duplicated(["account_id", "country"]) & country.notna() & ~newcomer
    placed = np.flatnonzero(np.isfinite(logins.latitude))
    impossible = np.zeros(len(events), bool)
    here, before = placed[1:], placed[:-1]
    kilometres = distance_km(
        logins.latitude[before], logins.longitude[before], logins.latitude[here], logins.longitude[here]
    )
    speed = implied_speed_kmh(kilometres, logins.time[here] - logins.time[before])
    same = logins.account[here] == logins.account[before]
    impossible[here] = same & (speed > SPEED_KMH) & (kilometres > DISTANCE_KM)
    failed = np.cumsum(~logins.success)
    # Rows of all accounts on one axis of time, accounts far apart.
    moment = logins.time - logins.time.min() + logins.account * (np.ptp(logins.time) + 2.0 * BURST_S)
    since = np.searchsorted(moment, moment - BURST_S)
    burst = failed - failed[since] + (~logins.success)[since] >= FAILURES
    rules: Floats = new_country.to_numpy(float) + impossible + burst
    return rules


#: Name in the table → rival.
RIVALS: dict[str, Rival] = {
    "scikit-learn IsolationForest": isolation_forest,
    "scikit-learn OneClassSVM": one_class_svm,
    "PyOD ECOD": ecod,
    "PyOD AutoEncoder": pyod_autoencoder,
    "Freeman et al. likelihood ratio": freeman,
    "Morpheus DFP scheme, mean |z|": morpheus_mean,
    "Morpheus DFP scheme, max |z|": morpheus_max,
    "plain rules": plain_rules,
}
