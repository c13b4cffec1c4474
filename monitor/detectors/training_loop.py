"""The training that networks here share: shuffled batches, clipped gradients, the epoch that generalised best."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from monitor.detectors import Progress
from monitor.sequences import Windows

#: Nats are capped and scaled before they enter a network: beyond twelve nothing gets more extreme.
MOST_NATS, NATS_SCALE = 12.0, 4.0

EPOCHS, PATIENCE, BATCH, WINDOWS_PER_EPOCH = 10, 2, 512, 30_000
LEARNING_RATE, LARGEST_GRADIENT = 2e-3, 1.0

#: Windows in one forward pass without gradients: large enough for a core, small enough for its cache.
FORWARD = 2048

#: Each core takes passes of its own. The library's way, several threads to one operation, has them wait for each
#: other many times a pass: on a machine that is also busy with something else it was ten times slower than one thread.
torch.set_num_threads(1)

#: The loss of scaled evidence [n, LENGTH, features] and padding marks [n, LENGTH, 1], a scalar.
Loss = Callable[[Tensor, Tensor], Tensor]


def inputs(windows: Windows) -> tuple[Tensor, Tensor]:
    """Scaled evidence [n, LENGTH, features] and padding marks [n, LENGTH, 1] as tensors."""
    nats = torch.from_numpy(windows.gather())
    padding = torch.isnan(nats).all(dim=2, keepdim=True).float()
    return torch.nan_to_num(nats).clamp_(max=MOST_NATS).div_(NATS_SCALE), padding


def squared_error(rebuilt: Tensor, nats: Tensor, padding: Tensor) -> Tensor:
    """Mean squared error of a reconstruction (newest login first) over the logins that are there."""
    present = (1 - padding).flip(1)
    error: Tensor = ((rebuilt - nats.flip(1)).square() * present).sum()
    return error / (present.sum() * nats.shape[2]).clamp(min=1)


def train_network(
    network: nn.Module, loss: Loss, train: Windows, valid: Windows, seed: int, progress: Progress
) -> list[tuple[float, float]]:
    """Minimise ``loss`` over ``train``; the network ends as it was after the epoch that suited ``valid`` best.

    Returns (training loss, validation loss) per epoch.
    """
    shuffle = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    losses: list[tuple[float, float]] = []
    best, best_state = np.inf, copy.deepcopy(network.state_dict())
    for epoch in range(EPOCHS):
        order = torch.randperm(len(train), generator=shuffle)[:WINDOWS_PER_EPOCH].numpy()
        training = _train_epoch(network, loss, optimizer, train.take(order))
        losses.append((training, _mean_loss(network, loss, valid)))
        progress(epoch + 1, EPOCHS, *losses[-1])
        if losses[-1][1] < best:
            best, best_state = losses[-1][1], copy.deepcopy(network.state_dict())
        elif len(losses) > PATIENCE and losses[-1 - PATIENCE][1] == best:
            break
    network.load_state_dict(best_state)
    network.eval()
    return losses


def parts(windows: Windows, size: int) -> list[Windows]:
    """The windows cut into passes of at most ``size``."""
    return [Windows(windows.rows, windows.last[i : i + size]) for i in range(0, len(windows), size)]


def _train_epoch(network: nn.Module, loss: Loss, optimizer: torch.optim.Optimizer, windows: Windows) -> float:
    network.train()
    total = 0.0
    for part in parts(windows, BATCH):
        value = loss(*inputs(part))
        optimizer.zero_grad()
        torch.autograd.backward(value)
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        total += value.item() * len(part)
    return total / max(len(windows), 1)


def _mean_loss(network: nn.Module, loss: Loss, windows: Windows) -> float:
    network.eval()
    with torch.inference_mode():
        total = sum(loss(*inputs(part)).item() * len(part) for part in parts(windows, FORWARD))
    return total / max(len(windows), 1)
