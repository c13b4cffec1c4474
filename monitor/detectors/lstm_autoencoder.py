"""The LSTM autoencoder: what this login adds to the account's recent run of logins that ordinary runs do not hold.

An encoder LSTM reads the window of evidence; a bottleneck of a few numbers must suffice for a decoder LSTM to write
the window back, newest login first (Malhotra et al. 2016, EncDec-AD). Trained on ordinary runs only, it reproduces
what ordinarily comes together (a trip: new country, city, network at once) and fails on what does not. Only the part
of the latest login that exceeds its reconstruction counts (an unusually quiet login is not odd), since an average
over the window would hide it. Reconstruction and rarity find different attacks and are added, each on the scale of
its mean over ordinary logins.
"""

import copy
import os
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from monitor.columns import LENGTH
from monitor.detectors import Progress, Tensors
from monitor.detectors.rarity import rarity
from monitor.sequences import Rows, Windows

HIDDEN, BOTTLENECK = 64, 16

#: Nats are capped and scaled before they enter the network: beyond twelve nothing gets more extreme.
MOST_NATS, NATS_SCALE = 12.0, 4.0

EPOCHS, PATIENCE, BATCH, WINDOWS_PER_EPOCH = 10, 2, 512, 30_000
LEARNING_RATE, LARGEST_GRADIENT = 2e-3, 1.0

#: Windows in one forward pass when scoring: large enough for a core, small enough for its cache.
FORWARD = 2048

#: Each core takes passes of its own. The library's way, several threads to one operation, has them wait for each
#: other many times a pass: on a machine that is also busy with something else it was ten times slower than one thread.
torch.set_num_threads(1)


class Network(nn.Module):
    """Encoder, bottleneck, decoder over windows float32 [n, LENGTH, features + 1]; the last input marks padding."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.encoder = nn.LSTM(features + 1, HIDDEN, batch_first=True)
        self.bottleneck = nn.Linear(HIDDEN, BOTTLENECK)
        self.decoder = nn.LSTM(BOTTLENECK, HIDDEN, batch_first=True)
        self.output = nn.Linear(HIDDEN, features)

    def forward(self, windows: Tensor, length: int = LENGTH) -> Tensor:
        """The reconstruction of the latest ``length`` logins, newest first, [n, length, features]."""
        encoded, _ = self.encoder(windows)
        code = self.bottleneck(encoded[:, -1])
        decoded, _ = self.decoder(code[:, None].expand(-1, length, -1))
        output: Tensor = self.output(decoded)
        return output


def inputs(windows: Windows) -> tuple[Tensor, Tensor]:
    """Scaled evidence [n, LENGTH, features] and padding marks [n, LENGTH, 1] as tensors."""
    nats = torch.from_numpy(windows.gather())
    padding = torch.isnan(nats).all(dim=2, keepdim=True).float()
    return torch.nan_to_num(nats).clamp_(max=MOST_NATS).div_(NATS_SCALE), padding


class LSTMAutoencoder:
    """The default detector."""

    name: ClassVar[str] = "lstm_autoencoder"

    def __init__(self, network: Network) -> None:
        self.network = network.eval()
        self.losses: list[tuple[float, float]] = []
        self.scales = (1.0, 1.0)  # mean rarity and mean excess error of ordinary logins

    @classmethod
    def fit(cls, train: Windows, valid: Windows, seed: int, progress: Progress) -> Self:
        torch.manual_seed(seed)
        shuffle = torch.Generator().manual_seed(seed)
        network = Network(train.rows.shape[1])
        optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
        losses: list[tuple[float, float]] = []
        best, best_state = np.inf, copy.deepcopy(network.state_dict())
        for epoch in range(EPOCHS):
            order = torch.randperm(len(train), generator=shuffle)[:WINDOWS_PER_EPOCH].numpy()
            training = _train_epoch(network, optimizer, train.take(order))
            losses.append((training, _mean_loss(network, valid)))
            progress(epoch + 1, EPOCHS, *losses[-1])
            if losses[-1][1] < best:
                best, best_state = losses[-1][1], copy.deepcopy(network.state_dict())
            elif len(losses) > PATIENCE and losses[-1 - PATIENCE][1] == best:
                break
        network.load_state_dict(best_state)
        fitted = cls(network)
        fitted.losses = losses
        fitted.scales = fitted._mean_parts(valid)
        return fitted

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
                excess[part] = (nats[:, -1] - rebuilt[:, 0]).clamp_(min=0.0).square_().numpy()

        with ThreadPoolExecutor(os.cpu_count()) as cores:
            list(cores.map(fill, range(0, len(windows), FORWARD)))
        excess[np.isnan(windows.rows[windows.last])] = 0.0
        return rarity(windows.rows[windows.last]), excess

    def _mean_parts(self, windows: Windows) -> tuple[float, float]:
        rare, excess = (max(float(part.sum(axis=1).mean()), 1e-6) for part in self._parts(windows))
        return rare, excess

    def dump(self) -> dict[str, np.ndarray]:
        state = {name: tensor.numpy() for name, tensor in self.network.state_dict().items()}
        return state | {"scales": np.array(self.scales)}

    @classmethod
    def load(cls, tensors: Tensors) -> Self:
        network = Network(int(tensors["output.bias"].shape[0]))
        network.load_state_dict({name: torch.from_numpy(tensors[name]) for name in network.state_dict()})
        loaded = cls(network)
        loaded.scales = (float(tensors["scales"][0]), float(tensors["scales"][1]))
        return loaded


def _loss(network: Network, windows: Windows) -> Tensor:
    """Mean squared error of the reconstruction over the logins that are there."""
    nats, padding = inputs(windows)
    error = network(torch.cat([nats, padding], dim=2)) - nats.flip(1)
    present = (1 - padding).flip(1)
    loss: Tensor = (error.square() * present).sum() / (present.sum() * nats.shape[2]).clamp(min=1)
    return loss


def _train_epoch(network: Network, optimizer: torch.optim.Optimizer, windows: Windows) -> float:
    network.train()
    total = 0.0
    for start in range(0, len(windows), BATCH):
        part = Windows(windows.rows, windows.last[start : start + BATCH])
        loss = _loss(network, part)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        total += loss.item() * len(part)
    return total / max(len(windows), 1)


def _mean_loss(network: Network, windows: Windows) -> float:
    network.eval()
    with torch.inference_mode():
        parts = [Windows(windows.rows, windows.last[i : i + FORWARD]) for i in range(0, len(windows), FORWARD)]
        return sum(_loss(network, part).item() * len(part) for part in parts) / max(len(windows), 1)
