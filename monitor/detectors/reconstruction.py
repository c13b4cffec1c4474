"""What detectors share that learn to write ordinary windows back: only the network differs from one to the next.

Trained on ordinary runs of logins, a network reproduces what ordinarily comes together and fails on what does not.
Only the part of the latest login that exceeds its reconstruction counts (an unusually quiet login is not odd), since
an average over the window would hide it. Reconstruction and rarity find different attacks and are added, each on the
scale of its mean over ordinary logins.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from monitor.detectors import Progress, Tensors
from monitor.detectors.rarity import rarity
from monitor.detectors.training_loop import FORWARD, inputs, squared_error, train_network
from monitor.sequences import Rows, Windows

#: Where a short history was all alike, its mean says nothing of what errors are large.
LEAST_MEAN = 0.1


class Reconstruction:
    """A detector around a network that is made from the number of features.

    Called with windows [n, LENGTH, features + 1], whose last input marks padding, the network returns the latest
    ``length`` logins as it would write them, newest first [n, length, features]; its last layer is named ``output``.
    """

    name: ClassVar[str]
    network_type: ClassVar[type[nn.Module]]

    def __init__(self, network: nn.Module) -> None:
        self.network = network.eval()
        self.losses: list[tuple[float, float]] = []
        self.scales = (1.0, 1.0)  # mean rarity and mean excess error of ordinary logins

    @classmethod
    def fit(cls, train: Windows, valid: Windows, seed: int, progress: Progress) -> Self:
        torch.manual_seed(seed)
        fitted = cls(cls.network_type(train.rows.shape[1]))
        fitted.losses = train_network(fitted.network, fitted.loss, train, valid, seed, progress)
        fitted.finish(train, seed)
        fitted.scales = fitted._mean_parts(valid)
        return fitted

    def loss(self, nats: Tensor, padding: Tensor) -> Tensor:
        """What training minimises."""
        return squared_error(self.network(torch.cat([nats, padding], dim=2)), nats, padding)

    def finish(self, train: Windows, seed: int) -> None:
        """Learn what can only be learnt once the network is trained; nothing, for most."""

    def contributions(self, windows: Windows) -> Rows:
        rare, excess = self._parts(windows)
        total: Rows = rare / np.float32(self.scales[0]) + excess / np.float32(self.scales[1])
        return total

    def _parts(self, windows: Windows) -> tuple[Rows, Rows]:
        """Rarity, and squared excess over the reconstruction, of each latest login [n, features]."""
        excess = np.empty((len(windows), windows.rows.shape[1]), np.float32)

        def fill(start: int) -> None:
            part = slice(start, start + FORWARD)
            nats, padding = inputs(Windows(windows.rows, windows.last[part]))
            with torch.inference_mode():
                rebuilt = self.network(torch.cat([nats, padding], dim=2), length=1)
                # Evidence is never negative: what is written below nought is noise, and no excess over it is odd.
                excess[part] = (nats[:, -1] - rebuilt[:, 0].clamp(min=0.0)).clamp_(min=0.0).square_().numpy()

        with ThreadPoolExecutor(os.cpu_count()) as cores:
            list(cores.map(fill, range(0, len(windows), FORWARD)))
        excess[np.isnan(windows.rows[windows.last])] = 0.0
        return rarity(windows.rows[windows.last]), excess

    def _mean_parts(self, windows: Windows) -> tuple[float, float]:
        rare, excess = (max(float(part.sum(axis=1).mean()), LEAST_MEAN) for part in self._parts(windows))
        return rare, excess

    def dump(self) -> dict[str, np.ndarray]:
        state = {name: tensor.numpy() for name, tensor in self.network.state_dict().items()}
        return state | {"scales": np.array(self.scales)}

    @classmethod
    def load(cls, tensors: Tensors) -> Self:
        network = cls.network_type(int(tensors["output.bias"].shape[0]))
        network.load_state_dict({name: torch.from_numpy(tensors[name]) for name in network.state_dict()})
        loaded = cls(network)
        loaded.scales = (float(tensors["scales"][0]), float(tensors["scales"][1]))
        return loaded
