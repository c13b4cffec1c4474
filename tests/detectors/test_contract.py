"""What every registered detector promises; a new one is tested here as soon as it is registered."""

from dataclasses import dataclass

import numpy as np
import pytest
from organisations import Organisation, batches, organisation
from safetensors.numpy import load, save

from monitor.columns import LENGTH
from monitor.detectors import DEFAULT, REGISTRY, Detector, detector, training_loop
from monitor.features import NAMES
from monitor.sequences import Windows
from monitor.training import Examples


@dataclass(frozen=True)
class Evidence:
    """Windows in nats: ordinary ones to learn from, and later ones with planted attacks."""

    train: Windows
    valid: Windows
    later: Windows
    attack: np.ndarray


@pytest.fixture(scope="module")
def company() -> Organisation:
    return organisation(accounts=40, days=28, seed=4)


@pytest.fixture(scope="module")
def evidence(company: Organisation) -> Evidence:
    memory, later, attack = company.memory.copy(), Examples(), []
    for part in batches(company.later, 300):
        measured = memory.learn(part)
        later.draw(measured, np.arange(len(part)))
        attack.append(part["event_id"].isin(company.attacks).to_numpy())
    early = np.flatnonzero(company.ordinary.time < company.held_back)
    held_back = np.flatnonzero(company.ordinary.time >= company.held_back)
    ordinary = in_nats(company, company.ordinary)
    return Evidence(ordinary.take(early), ordinary.take(held_back), in_nats(company, later), np.concatenate(attack))


def in_nats(company: Organisation, examples: Examples) -> Windows:
    windows = examples.windows
    columns = [tail(windows.rows[:, i].astype(float)) for i, tail in enumerate(company.scorer.tails)]
    return Windows(np.stack(columns, axis=1).astype(np.float32), windows.last)


def fit(name: str, evidence: Evidence, seed: int = 1) -> Detector:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_loop, "EPOCHS", 4)
        patch.setattr(training_loop, "BATCH", 64)
        return detector(name).fit(evidence.train, evidence.valid, seed, lambda *_: None)


@pytest.fixture(scope="module", params=REGISTRY)
def fitted(request: pytest.FixtureRequest, evidence: Evidence) -> Detector:
    return fit(request.param, evidence)


def raw(fitted: Detector, windows: Windows) -> np.ndarray:
    return fitted.contributions(windows).sum(axis=1, dtype=np.float64)


def test_it_is_found_under_its_own_name(fitted: Detector) -> None:
    assert detector(fitted.name) is type(fitted)
    assert DEFAULT in REGISTRY


def test_each_feature_contributes_a_finite_amount_that_is_not_negative(fitted: Detector, evidence: Evidence) -> None:
    contributions = fitted.contributions(evidence.later)
    assert contributions.shape == (len(evidence.later), len(NAMES))
    assert contributions.dtype == np.float32
    assert np.isfinite(contributions).all()
    assert (contributions >= 0).all()


def test_odder_evidence_is_odder(fitted: Detector, evidence: Evidence) -> None:
    quiet = np.flatnonzero(~evidence.attack)[:200]
    medians = []
    for least in (0.0, 3.0, 8.0, 11.0):
        rows = evidence.later.rows.copy()
        latest = evidence.later.last[quiet]
        rows[latest] = np.maximum(np.nan_to_num(rows[latest]), least)
        medians.append(np.median(raw(fitted, Windows(rows, latest))))
    assert (np.diff(medians) >= 0).all()  # a forest has nothing more to say beyond the last of its splits
    assert medians[0] < medians[1] < medians[2]


def test_it_beats_chance_on_planted_attacks(fitted: Detector, evidence: Evidence) -> None:
    oddness = raw(fitted, evidence.later)
    rank = oddness.argsort().argsort()
    attack = evidence.attack
    auc = (rank[attack].mean() - (attack.sum() - 1) / 2) / (~attack).sum()
    assert auc > 0.8


def test_it_is_the_same_after_it_was_stored(fitted: Detector, evidence: Evidence) -> None:
    loaded = type(fitted).load(load(save({name: np.ascontiguousarray(t) for name, t in fitted.dump().items()})))
    assert loaded.contributions(evidence.later) == pytest.approx(
        fitted.contributions(evidence.later), rel=1e-5, abs=1e-5
    )


def test_equal_input_and_seed_give_an_equal_detector(fitted: Detector, evidence: Evidence) -> None:
    again = fit(fitted.name, evidence)
    assert again.contributions(evidence.later) == pytest.approx(fitted.contributions(evidence.later), abs=1e-6)
    assert np.allclose(again.losses, fitted.losses)


def test_the_order_of_the_batch_and_the_neighbours_in_it_do_not_matter(fitted: Detector, evidence: Evidence) -> None:
    some = np.array([30, 7, 200, 8])
    together = fitted.contributions(evidence.later)[some]
    assert fitted.contributions(evidence.later.take(some)) == pytest.approx(together, rel=1e-3, abs=1e-3)
    assert fitted.contributions(evidence.later.take(some[:0])).shape == (0, len(NAMES))


def test_what_is_unknown_is_no_evidence(fitted: Detector, evidence: Evidence) -> None:
    rows = evidence.later.rows.copy()
    unknown = [NAMES.index(name) for name in ("country", "device", "travel", "rtt")]
    rows[:, unknown] = np.nan
    contributions = fitted.contributions(Windows(rows, evidence.later.last))
    assert (contributions[:, unknown] < 1e-9).all()
    assert np.isfinite(contributions).all()


def test_where_there_is_no_evidence_nothing_is_odd(fitted: Detector, evidence: Evidence) -> None:
    without = evidence.later.rows[evidence.later.last] == 0
    assert without.any()
    assert (fitted.contributions(evidence.later)[without] == 0).all()


def test_the_first_login_of_an_account_has_a_window_too(fitted: Detector) -> None:
    rows = np.full((LENGTH, len(NAMES)), np.nan, np.float32)
    assert np.isfinite(fitted.contributions(Windows(rows, np.array([LENGTH - 1])))).all()
    rows[-1, 0] = 5.0
    assert raw(fitted, Windows(rows, np.array([LENGTH - 1])))[0] > 0
