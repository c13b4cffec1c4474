"""What single detectors promise beyond the contract that all of them keep."""

from functools import cache

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest as Forest

from monitor.columns import LENGTH
from monitor.detectors import Detector, detector, training_loop
from monitor.detectors.isolation_forest import SAMPLES, TREES, Trees
from monitor.detectors.latent_clusters import LatentClusters
from monitor.detectors.variational_autoencoder import VariationalAutoencoder
from monitor.sequences import Windows

FEATURES = 6


@cache
def ordinary(count: int = 1_500, seed: int = 0) -> Windows:
    """Windows in which the first two features always rise together, and the rest is small."""
    rng = np.random.default_rng(seed)
    rows = rng.exponential(0.3, (count * LENGTH, FEATURES)).astype(np.float32)
    rows[:, 0] = rows[:, 1] = rng.exponential(1.0, len(rows)) * (rng.random(len(rows)) < 0.2)
    return Windows(rows, np.arange(LENGTH - 1, len(rows), LENGTH))


@pytest.fixture(autouse=True)
def short_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_loop, "EPOCHS", 6)
    monkeypatch.setattr(training_loop, "BATCH", 64)


def fitted(name: str, train: Windows | None = None) -> Detector:
    return detector(name).fit(train or ordinary(), ordinary(400, 1), 7, lambda *_: None)


def test_the_isolation_forest_kept_as_arrays_is_that_of_scikit_learn() -> None:
    train, later = ordinary(), ordinary(300, 2)
    values = later.rows[later.last]
    forest = Forest(n_estimators=TREES, max_samples=SAMPLES, random_state=7).fit(train.rows[train.last])
    trees = Trees.of(forest)
    lengths, shortened = trees.worth(FEATURES)
    leaves = np.stack([trees.leaf(int(root), values) for root in trees.roots])
    exponent = np.log2(-forest.score_samples(values))
    expected = lengths[leaves].mean(axis=0) + shortened[leaves].sum(axis=2).mean(axis=0)
    assert np.ptp(expected) < 1e-4, "what the cuts took off and what remained must add up"
    assert lengths[leaves].mean(axis=0) == pytest.approx(exponent * (lengths[leaves].mean(axis=0) / exponent).mean())


def test_the_isolation_forest_orders_logins_nearly_as_the_published_score() -> None:
    train, later = ordinary(), ordinary(300, 2)
    forest = Forest(n_estimators=TREES, max_samples=SAMPLES, random_state=7).fit(train.rows[train.last])
    raw = fitted("isolation_forest").contributions(later).sum(axis=1)
    assert (
        np.corrcoef(np.argsort(np.argsort(raw)), np.argsort(np.argsort(-forest.score_samples(later.rows[later.last]))))[
            0, 1
        ]
        > 0.9
    )


def test_the_isolation_forest_blames_the_feature_that_is_odd() -> None:
    windows = Windows(ordinary(300, 3).rows.copy(), ordinary(300, 3).last)
    blamed = np.arange(len(windows)) % FEATURES
    windows.rows[windows.last, blamed] = 9.0
    first = fitted("isolation_forest").contributions(windows).argmax(axis=1)
    assert (first == blamed).mean() > 0.95


def test_generated_windows_look_like_the_ordinary_ones_they_were_learnt_from() -> None:
    learnt = fitted("variational_autoencoder")
    assert isinstance(learnt, VariationalAutoencoder)
    made = learnt.generate(600, seed=1)
    assert made.shape == (600, LENGTH, FEATURES)
    assert (made == learnt.generate(600, seed=1)).all()
    assert (made >= 0).all()
    real = ordinary().gather()
    assert made.mean(axis=(0, 1)) == pytest.approx(real.mean(axis=(0, 1)), rel=0.5)
    together = [np.corrcoef(windows[:, -1, 0], windows[:, -1, 1])[0, 1] for windows in (made, real)]
    assert together[0] > 0.5 * together[1], "what comes together in life came apart"


def test_fewer_kinds_of_windows_than_clusters_are_enough() -> None:
    few = ordinary()
    same = few.take(np.repeat(np.arange(3), 200))
    learnt = fitted("latent_clusters", same)
    assert isinstance(learnt, LatentClusters)
    assert np.isfinite(learnt.contributions(ordinary(50, 4))).all()
