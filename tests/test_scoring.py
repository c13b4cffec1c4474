"""A score is −log10 of the share of ordinary logins at least this odd; its parts add up."""

import numpy as np
import pytest
from safetensors.numpy import load, save

from monitor.columns import LENGTH
from monitor.detectors import training_loop
from monitor.features import worth_of
from monitor.scoring import HELD_BACK, Scorer
from monitor.sequences import Windows

FEATURES = ("one", "two", "three", "silent")


def ordinary(count: int, seed: int) -> Windows:
    """Windows of evidence as most logins have it: mostly nothing, sometimes a little; the last column is unknown."""
    rng = np.random.default_rng(seed)
    rows = (rng.exponential(1, (count * LENGTH, 4)) * (rng.random((count * LENGTH, 4)) < 0.3)).astype(np.float32)
    rows[:, 3] = np.nan
    return Windows(rows, np.arange(LENGTH - 1, len(rows), LENGTH))


def fitted(detector: str, count: int = 24_000) -> Scorer:
    windows = ordinary(count, 0)
    time = np.arange(count, dtype=float)
    return Scorer.fit(FEATURES, windows, time, (1 - HELD_BACK) * count, detector, seed=1, progress=lambda *_: None)


@pytest.fixture(scope="module", params=["rarity", "lstm_autoencoder"])
def scorer(request: pytest.FixtureRequest) -> Scorer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_loop, "EPOCHS", 1)
        return fitted(request.param)


def test_one_ordinary_login_in_a_hundred_scores_two_and_one_in_a_thousand_three(scorer: Scorer) -> None:
    windows = ordinary(20_000, 1)
    score = scorer.score(windows).score
    assert (score > 1).mean() == pytest.approx(0.1, rel=0.15)
    assert (score > 2).mean() == pytest.approx(0.01, rel=0.3)
    assert 0.0003 < (score > 3).mean() < 0.0025  # read from the six highest of six thousand logins


def test_contributions_add_up_and_the_unknown_contributes_nothing(scorer: Scorer) -> None:
    windows = ordinary(500, 3)
    scores = scorer.score(windows)
    assert scores.contribution.sum(axis=1) == pytest.approx(scores.raw, rel=1e-4)
    assert (scores.contribution >= 0).all()
    assert (scores.contribution[:, 3] == 0).all()


def test_odder_evidence_scores_higher_without_end(scorer: Scorer) -> None:
    windows = ordinary(5, 4)
    scores = []
    for nats in (2.0, 8.0, 30.0, 100.0, 1000.0):
        rows = windows.rows.copy()
        rows[windows.last, 0] = nats
        scores.append(scorer.score(Windows(rows, windows.last)).score)
    assert (np.diff(scores, axis=0) > 0).all()
    assert np.isfinite(scores).all()


def test_a_scorer_is_the_same_after_it_was_stored(scorer: Scorer) -> None:
    windows = ordinary(300, 5)
    again = Scorer.load(FEATURES, scorer.detector.name, load(save(scorer.dump())))
    one, other = scorer.score(windows), again.score(windows)
    assert one.score == pytest.approx(other.score, abs=1e-6)
    assert one.contribution == pytest.approx(other.contribution, abs=1e-5)


def test_without_logins_before_or_after_the_held_back_part_there_is_nothing_to_fit() -> None:
    windows = ordinary(50, 6)
    for held_back in (-1.0, 99.0):
        with pytest.raises(ValueError, match="different times"):
            Scorer.fit(FEATURES, windows, np.zeros(50), held_back, "rarity", 1, lambda *_: None)


def test_next_to_nothing_stays_little_however_rarely_there_is_anything() -> None:
    windows = ordinary(8_000, 0)
    rare = np.random.default_rng(5).random(len(windows.rows)) < 0.001
    windows.rows[:, 2] = np.where(rare, 0.2, 0.0)
    fit = Scorer.fit(FEATURES, windows, np.arange(8_000.0), 6_000.0, "rarity", 1, lambda *_: None)
    rows = np.zeros_like(ordinary(1, 6).rows)
    rows[:, 3] = np.nan
    rows[-1, 2] = 0.2
    little = fit.score(Windows(rows, np.array([LENGTH - 1])))
    assert little.contribution[0, 2] == pytest.approx((0.2 * worth_of(FEATURES[2])) ** 1.5, rel=0.01)
    assert little.score[0] < 1
