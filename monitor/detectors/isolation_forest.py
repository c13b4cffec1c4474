"""Isolation Forest on the evidence of the latest login: what random cuts set apart quickly is odd (Liu et al. 2008).

A feature contributes what the cuts on it took off the expected length of the path, on average over the trees: every
cut is worth the expected length before it less that after it (Saabas's walk down the tree), so that all features
together make up the difference between expected and real length, the published score's exponent. A feature whose cuts
lengthened the path contributes nothing. Trees are kept as arrays of numbers.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from sklearn.ensemble import IsolationForest as Forest

from monitor.columns import Floats, Ints
from monitor.detectors import Progress, Tensors
from monitor.sequences import Rows, Windows

TREES, SAMPLES = 100, 256

#: Logins sent through a tree together; small enough for a core's cache.
TOGETHER = 8192

EULER = 0.5772156649015329


@dataclass(frozen=True)
class Trees:
    """All trees behind each other: of every node its cut (``feature``, ``threshold``), children, and samples.

    ``children`` [nodes, 2]; a leaf is its own child. ``samples`` [nodes] is how many training logins got there.
    """

    roots: Ints
    feature: Ints
    threshold: Floats
    children: Ints
    samples: Ints

    @classmethod
    def of(cls, forest: Forest) -> "Trees":
        trees = [estimator.tree_ for estimator in forest.estimators_]
        sizes = [tree.node_count for tree in trees]
        roots = np.cumsum([0, *sizes[:-1]])
        children = []
        for root, tree in zip(roots, trees, strict=True):
            both = np.stack([tree.children_left, tree.children_right], axis=1)
            itself = np.arange(tree.node_count)[:, None]
            children.append(root + np.where(both < 0, itself, both))
        return cls(
            roots.astype(np.int64),
            np.concatenate([np.maximum(tree.feature, 0) for tree in trees]).astype(np.int64),
            np.concatenate([tree.threshold for tree in trees]),
            np.concatenate(children).astype(np.int64),
            np.concatenate([tree.n_node_samples for tree in trees]).astype(np.int64),
        )

    def leaf(self, root: int, values: Rows) -> Ints:
        """The node where each row of ``values`` [n, features] ends."""
        node, rows = np.full(len(values), root), np.arange(len(values))
        while True:
            right = values[rows, self.feature[node]] > self.threshold[node]
            below = self.children[node, right.astype(np.int64)]
            if (below == node).all():
                return node
            node = below

    def worth(self, features: int) -> tuple[Rows, Rows]:
        """For each leaf its path length [nodes], and how much the cuts on each feature shortened it [nodes, features].

        Other nodes hold what is so on the way to a leaf.
        """
        depth, shortened = np.zeros(len(self.feature)), np.zeros((len(self.feature), features))
        order = self._from_the_top()
        parents = [node for node in order if self.children[node, 0] != node]
        for node in parents:
            depth[self.children[node]] = depth[node] + 1
        length = depth + _average_path(self.samples)
        expected = length.copy()
        for node in reversed(parents):
            both = self.children[node]
            expected[node] = (expected[both] * self.samples[both]).sum() / self.samples[node]
        for node in parents:
            for child in self.children[node]:
                shortened[child] = shortened[node]
                shortened[child, self.feature[node]] += expected[node] - expected[child]
        return length.astype(np.float32), shortened.astype(np.float32)

    def _from_the_top(self) -> list[int]:
        order: list[int] = self.roots.tolist()
        for node in order:
            order.extend(child for child in self.children[node].tolist() if child != node)
        return order


class IsolationForest:
    """scikit-learn's forest, read as arrays."""

    name: ClassVar[str] = "isolation_forest"

    def __init__(self, trees: Trees, features: int) -> None:
        self.losses: list[tuple[float, float]] = []
        self.trees, self.features = trees, features
        _, self._shortened = trees.worth(features)

    @classmethod
    def fit(cls, train: Windows, valid: Windows, seed: int, progress: Progress) -> Self:
        values = np.nan_to_num(train.rows[train.last])
        forest = Forest(n_estimators=TREES, max_samples=min(SAMPLES, len(values)), random_state=seed).fit(values)
        return cls(Trees.of(forest), values.shape[1])

    def contributions(self, windows: Windows) -> Rows:
        values = windows.rows[windows.last]
        parts = [self._shorter(values[i : i + TOGETHER]) for i in range(0, len(values), TOGETHER)]
        return np.concatenate([np.empty((0, self.features), np.float32), *parts])

    def _shorter(self, values: Rows) -> Rows:
        shortened, evident = np.zeros(values.shape), values > 0
        values = np.nan_to_num(values)
        for root in self.trees.roots:
            shortened += self._shortened[self.trees.leaf(int(root), values)]
        contributions: Rows = (np.maximum(shortened, 0.0) * evident / len(self.trees.roots)).astype(np.float32)
        return contributions

    def dump(self) -> dict[str, np.ndarray]:
        return {**vars(self.trees), "features": np.array([self.features])}

    @classmethod
    def load(cls, tensors: Tensors) -> Self:
        kept = ("roots", "feature", "threshold", "children", "samples")
        return cls(Trees(*(tensors[name] for name in kept)), int(tensors["features"][0]))


def _average_path(samples: Ints) -> Floats:
    """Expected further cuts to set apart one of this many logins: the mean depth of a binary search tree."""
    n = np.maximum(samples, 2).astype(np.float64)
    average = 2 * (np.log(n - 1) + EULER) - 2 * (n - 1) / n
    many: Floats = np.where(samples > 2, average, np.where(samples == 2, 1.0, 0.0))
    return many
