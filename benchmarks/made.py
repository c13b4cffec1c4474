"""A masked autoencoder for distributions of categories (MADE: Germain, Gregor, Murray & Larochelle, ICML 2015).

Inputs and outputs are the columns of a table, one symbol each. Masks see to it that a column is written back from the
columns before it alone, so that the network's outputs are conditional distributions, and the surprises of the columns
add up to −log of the probability of the row: a reconstruction error in nats, which nothing can be copied around.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

from monitor.columns import Floats, Ints

torch.set_num_threads(1)

HIDDEN, BATCH, RATE, LARGEST_GRADIENT = 256, 512, 6e-3, 5.0

#: Share of inputs that are hidden while training, so that the symbol for "never seen" means something.
HIDDEN_INPUTS = 0.05

FORWARD = 4096


class Made(nn.Module):
    """Two hidden layers; ``sizes`` [columns] symbols each, of which 0 is "never seen"."""

    def __init__(self, sizes: Ints) -> None:
        super().__init__()
        self.sizes, self.offsets = sizes.tolist(), torch.from_numpy(np.cumsum(sizes) - sizes)
        column = torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes))
        degree = torch.arange(HIDDEN) % max(len(sizes) - 1, 1)
        self.masks = (
            (column[:, None] <= degree).float(),
            (degree[:, None] <= degree).float(),
            (degree[:, None] < column).float(),
        )
        total = int(sizes.sum())
        self.read = nn.Parameter(torch.randn(total, HIDDEN) * 0.3)
        self.think = nn.Parameter(torch.randn(HIDDEN, HIDDEN) * 0.08)
        self.write = nn.Parameter(torch.randn(HIDDEN, total) * 0.05)
        self.offset = nn.ParameterList([torch.zeros(HIDDEN), torch.zeros(HIDDEN), torch.zeros(total)])

    def forward(self, symbols: Tensor) -> list[Tensor]:
        """Logarithm of the probability of every symbol, for rows [n, columns]: one [n, size] a column."""
        first = torch.relu(
            embedding_bag(symbols + self.offsets, self.read * self.masks[0], mode="sum") + self.offset[0]
        )
        second = torch.relu(first @ (self.think * self.masks[1]) + self.offset[1]) + first
        written = second @ (self.write * self.masks[2]) + self.offset[2]
        return [logits.log_softmax(dim=1) for logits in written.split(self.sizes, dim=1)]


def fit(symbols: Ints, sizes: Ints, epochs: int, seed: int) -> Made:
    """Train on rows of symbols [n, columns]."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Made(sizes)
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    steps = epochs * -(-len(symbols) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for epoch in range(epochs):
        order = rng.permutation(len(symbols))
        total = 0.0
        for start in range(0, len(order), BATCH):
            part = symbols[order[start : start + BATCH]]
            hidden = np.where(rng.random(part.shape) < HIDDEN_INPUTS, 0, part)
            loss = _surprise(network(torch.from_numpy(hidden)), torch.from_numpy(part)).sum(dim=1).mean()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(part)
        print(f"epoch {epoch + 1} of {epochs}: {total / len(symbols):.2f} nats a row", flush=True)
    return network


def surprises(network: Made, symbols: Ints) -> tuple[Floats, Floats]:
    """Surprise of each column of each row in nats, and the surprise that was to be expected there [n, columns]."""
    parts = []
    with torch.inference_mode():
        for start in range(0, len(symbols), FORWARD):
            part = torch.from_numpy(symbols[start : start + FORWARD])
            distributions = network(part)
            expected = torch.stack([-(d.exp() * d).sum(dim=1) for d in distributions], dim=1)
            parts.append((_surprise(distributions, part), expected))
    first, second = (torch.cat(column).double().numpy() for column in zip(*parts, strict=True))
    return first, second


def _surprise(distributions: list[Tensor], symbols: Tensor) -> Tensor:
    columns = [-d.gather(1, symbols[:, i : i + 1]) for i, d in enumerate(distributions)]
    return torch.cat(columns, dim=1)
