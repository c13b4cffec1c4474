"""The adversarial autoencoder: a critic sees to it that ordinary codes fill a normal distribution without holes.

While the autoencoder learns to write windows back, a critic learns to tell their codes from normal draws, and the
encoder to deceive it (Makhzani et al. 2015, after Goodfellow et al.'s generative adversarial networks, 2014). An odd
window is thereby pressed into the place of an ordinary one, and comes back as that.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, leaky_relu

from monitor.detectors.lstm_autoencoder import BOTTLENECK, Network
from monitor.detectors.reconstruction import Reconstruction
from monitor.detectors.training_loop import squared_error

CRITIC_HIDDEN, CRITIC_RATE = 64, 1e-3

#: Weight of deceiving the critic beside the reconstruction.
DECEPTION = 0.01


class Critic(nn.Module):
    """How far a code looks like a normal draw, as a logit [n, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(BOTTLENECK, CRITIC_HIDDEN)
        self.verdict = nn.Linear(CRITIC_HIDDEN, 1)
        self.optimizer = torch.optim.Adam(self.parameters(), CRITIC_RATE)

    def forward(self, code: Tensor) -> Tensor:
        verdict: Tensor = self.verdict(leaky_relu(self.hidden(code), 0.2))
        return verdict

    def learn(self, code: Tensor) -> None:
        """One step towards telling these codes from as many normal draws."""
        logits = self(torch.cat([torch.randn_like(code), code]))
        truth = torch.cat([torch.ones(len(code), 1), torch.zeros(len(code), 1)])
        self.optimizer.zero_grad()
        torch.autograd.backward(binary_cross_entropy_with_logits(logits, truth))
        self.optimizer.step()


class AdversarialAutoencoder(Reconstruction):
    """The LSTM autoencoder, trained against a critic; the critic is of no use afterwards and not kept."""

    name: ClassVar[str] = "adversarial_autoencoder"
    network_type: ClassVar[type[nn.Module]] = Network
    network: Network

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        self.critic = Critic()

    def loss(self, nats: Tensor, padding: Tensor) -> Tensor:
        code = self.network.encode(torch.cat([nats, padding], dim=2))
        reconstruction = squared_error(self.network.decode(code), nats, padding)
        if not self.network.training:
            return reconstruction
        self.critic.learn(code.detach())
        deceived = binary_cross_entropy_with_logits(self.critic(code), torch.ones(len(code), 1))
        return reconstruction + DECEPTION * deceived
