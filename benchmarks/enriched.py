"""Does it help accounts with thin history to train on windows that nobody made?"""

from typing import ClassVar, Self

import numpy as np

from monitor.columns import LENGTH
from monitor.detectors import Progress
from monitor.detectors.lstm_autoencoder import LSTMAutoencoder
from monitor.detectors.variational_autoencoder import VariationalAutoencoder
from monitor.sequences import Windows

#: Generated windows per real one that is padded.
ENRICHMENT = 1.0


class EnrichedLSTMAutoencoder(LSTMAutoencoder):
    """The default detector, trained also on short windows that a variational autoencoder generated.

    Generated windows are cut to the lengths that windows of thin accounts really have.
    """

    name: ClassVar[str] = "lstm_autoencoder + generated"

    @classmethod
    def fit(cls, train: Windows, valid: Windows, seed: int, progress: Progress) -> Self:
        return super().fit(enriched(train, valid, seed, progress), valid, seed, progress)


def enriched(train: Windows, valid: Windows, seed: int, progress: Progress) -> Windows:
    """The windows and generated short ones."""
    real = train.gather()
    missing = np.isnan(real).all(axis=2).sum(axis=1)
    short = missing[missing > 0]
    count = round(len(short) * ENRICHMENT)
    if not count:
        return train
    made = VariationalAutoencoder.fit(train, valid, seed, progress).generate(count, seed)
    cut = np.random.default_rng(seed).choice(short, count)
    made[np.arange(LENGTH) < cut[:, None]] = np.nan
    unknown = np.isnan(real).all(axis=(0, 1))
    made[:, :, unknown] = np.nan
    together = np.concatenate([real, made])
    return Windows(together.reshape(-1, real.shape[2]), np.arange(len(together)) * LENGTH + LENGTH - 1)
