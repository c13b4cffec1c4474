"""Rarity: the evidence of the latest login, added up. No memory, nothing learnt: the floor for all others."""

from typing import ClassVar, Self

import numpy as np

from monitor.detectors import Progress, Tensors
from monitor.sequences import Rows, Windows

#: Between the sum of all features (1), which counts twice what several features say, and the largest alone (∞).
POWER = 1.5


def rarity(nats: Rows) -> Rows:
    """Evidence of each feature, raised so that one strong reason outweighs several weak ones [n, features]."""
    raised: Rows = np.nan_to_num(nats) ** np.float32(POWER)
    return raised


class Rarity:
    """Sum of powered nats of the latest login."""

    name: ClassVar[str] = "rarity"

    def __init__(self) -> None:
        self.losses: list[tuple[float, float]] = []

    @classmethod
    def fit(cls, train: Windows, valid: Windows, seed: int, progress: Progress) -> Self:
        return cls()

    def contributions(self, windows: Windows) -> Rows:
        return rarity(windows.rows[windows.last])

    def dump(self) -> dict[str, np.ndarray]:
        return {}

    @classmethod
    def load(cls, tensors: Tensors) -> Self:
        return cls()
