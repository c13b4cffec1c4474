"""Detectors: an account's latest logins in, the raw oddness of the last one out, feature by feature.

To add a detector, write a module with a class that follows ``Detector`` and name it in ``REGISTRY``. Modules are
imported when first used, so that choosing one does not load the libraries of the others.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import ClassVar, Protocol, Self

import numpy as np

from monitor.sequences import Rows, Windows

#: Told after every epoch: (epoch, epochs, training loss, validation loss).
Progress = Callable[[int, int, float, float], None]

Tensors = Mapping[str, np.ndarray]


class Detector(Protocol):
    """What every detector does. Windows hold nats per feature (see ``monitor.tails``); NaN rows are padding."""

    name: ClassVar[str]
    #: (training loss, validation loss) per epoch; empty for detectors that are not trained step by step.
    losses: list[tuple[float, float]]

    @classmethod
    def fit(cls, train: Windows, valid: Windows, seed: int, progress: Progress) -> Self:
        """Learn from ordinary windows; ``valid`` comes later in time than ``train``. Equal input, equal result."""
        ...

    def contributions(self, windows: Windows) -> Rows:
        """How much each feature of the latest login adds to its raw oddness, float32 [n, features].

        ≥ 0, and 0 where there is no evidence (0 or NaN nats): a rank is made of it, and any noise has high ranks too.
        """
        ...

    def dump(self) -> dict[str, np.ndarray]: ...

    @classmethod
    def load(cls, tensors: Tensors) -> Self: ...


#: Name → module:class.
REGISTRY: dict[str, str] = {
    "lstm_autoencoder": "monitor.detectors.lstm_autoencoder:LSTMAutoencoder",
    "variational_autoencoder": "monitor.detectors.variational_autoencoder:VariationalAutoencoder",
    "adversarial_autoencoder": "monitor.detectors.adversarial_autoencoder:AdversarialAutoencoder",
    "transformer": "monitor.detectors.transformer:Transformer",
    "convolutional": "monitor.detectors.convolutional:Convolutional",
    "latent_clusters": "monitor.detectors.latent_clusters:LatentClusters",
    "isolation_forest": "monitor.detectors.isolation_forest:IsolationForest",
    "rarity": "monitor.detectors.rarity:Rarity",
}

DEFAULT = "lstm_autoencoder"


def detector(name: str) -> type[Detector]:
    """The detector class of that name; ``KeyError`` for an unknown one."""
    module, class_name = REGISTRY[name].split(":")
    found: type[Detector] = getattr(import_module(module), class_name)
    return found
