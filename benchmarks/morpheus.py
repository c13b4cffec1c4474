"""The scheme of NVIDIA Morpheus's digital fingerprinting, after its documentation; own implementation.

Each account with enough history has a dense autoencoder of its own, trained to undo swapped values (denoising); other
accounts share a generic one. A login's error on each feature becomes a z-score by the errors of the account's own
training logins; the published scores are the mean and the largest of the absolute z-scores. All accounts' networks
train side by side, as one batched multiplication.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from monitor.columns import Floats, Ints

torch.set_num_threads(1)

#: Logins below which an account has no network of its own, and logins a network trains on at most.
LEAST, MOST = 30, 128

HIDDEN, CODE, STEPS, RATE, SWAPPED = 32, 12, 150, 3e-3, 0.2


@dataclass(frozen=True)
class Fingerprints:
    """Networks of ``m`` accounts, the generic one last: weights, and the error's mean and deviation [m, features]."""

    weights: list[Tensor]
    centre: Tensor
    spread: Tensor
    network: dict[int, int]

    def scores(self, values: Floats, account: Ints) -> tuple[Floats, Floats]:
        """Mean and largest absolute z-score of each login [n]."""
        generic = len(self.centre) - 1
        number = np.array([self.network.get(int(one), generic) for one in account])
        z = np.empty(values.shape)
        for one in np.unique(number):
            rows = np.flatnonzero(number == one)
            inputs = torch.from_numpy(values[rows]).float()[None]
            own = [weight[one : one + 1] for weight in self.weights]
            with torch.inference_mode():
                error = (_rebuilt(own, inputs) - inputs).square()[0]
                z[rows] = ((error - self.centre[one]) / self.spread[one]).abs().numpy()
        return z.mean(axis=1), z.max(axis=1)


def fingerprints(values: Floats, account: Ints, seed: int) -> Fingerprints:
    """Train on ordinary logins [n, features] of accounts [n]."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    rows = {int(one): np.flatnonzero(account == one) for one in np.unique(account)}
    owners = [one for one, own in rows.items() if len(own) >= LEAST]
    drawn = np.stack([*(rng.choice(rows[one], MOST) for one in owners), rng.choice(len(values), MOST)])
    inputs = torch.from_numpy(values[drawn]).float()
    weights = _weights(len(drawn), values.shape[1])
    optimizer = torch.optim.Adam(weights, RATE)
    for _ in range(STEPS):
        noisy = torch.where(torch.rand(inputs.shape) < SWAPPED, inputs[:, torch.randperm(MOST)], inputs)
        # The sum over accounts: each network gets the gradient of its own mean.
        loss = (_rebuilt(weights, noisy) - inputs).square().mean(dim=(1, 2)).sum()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    with torch.inference_mode():
        error = (_rebuilt(weights, inputs) - inputs).square()
    frozen = [weight.detach() for weight in weights]
    return Fingerprints(
        frozen, error.mean(dim=1), error.std(dim=1).clamp(min=1e-3), dict(zip(owners, range(len(owners)), strict=True))
    )


def _weights(networks: int, features: int) -> list[Tensor]:
    """Matrices and offsets of four layers, for all networks."""
    sizes = (features, HIDDEN, CODE, HIDDEN, features)
    weights = []
    for wide, narrow in pairwise(sizes):
        weights.append((torch.randn(networks, wide, narrow) / wide**0.5).requires_grad_())
        weights.append(torch.zeros(networks, 1, narrow).requires_grad_())
    return weights


def _rebuilt(weights: list[Tensor], inputs: Tensor) -> Tensor:
    """What the networks make of inputs [networks, n, features]."""
    value = inputs
    for layer in range(0, len(weights), 2):
        value = torch.baddbmm(weights[layer + 1], value, weights[layer])
        if layer < len(weights) - 2:
            value = torch.relu(value)
    return value
