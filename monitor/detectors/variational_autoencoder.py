"""The variational autoencoder: codes are clouds instead of points, so that every code near nought means something.

The encoder gives each window a mean and a variance; the decoder must write the window back from a draw between them,
while the clouds are held near a standard normal (Kingma & Welling 2014; for anomalies An & Cho 2015). Scored from the
mean of the code. Since any normal draw is a plausible code, the decoder can also *generate* ordinary windows.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from monitor.columns import LENGTH
from monitor.detectors import lstm_autoencoder
from monitor.detectors.lstm_autoencoder import BOTTLENECK, HIDDEN
from monitor.detectors.reconstruction import Reconstruction
from monitor.detectors.training_loop import FORWARD, MOST_NATS, NATS_SCALE, inputs, parts, squared_error
from monitor.sequences import Rows, Windows

#: Weight of the divergence from the normal, beside the mean squared error of one number: beyond, codes say nothing.
DIVERGENCE = 1e-3

#: Rows of residuals kept to generate from.
RESIDUALS = 2_000


class Network(lstm_autoencoder.Network):
    """The LSTM autoencoder's network with a spread for every number of the code, and residuals to generate from."""

    residuals: Tensor

    def __init__(self, features: int) -> None:
        super().__init__(features)
        self.spread = nn.Linear(HIDDEN, BOTTLENECK)
        self.register_buffer("residuals", torch.zeros(RESIDUALS, features))

    def cloud(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of each window's code, [n, BOTTLENECK] both."""
        encoded, _ = self.encoder(windows)
        return self.bottleneck(encoded[:, -1]), self.spread(encoded[:, -1])


class VariationalAutoencoder(Reconstruction):
    """An autoencoder that can generate."""

    name: ClassVar[str] = "variational_autoencoder"
    network_type: ClassVar[type[nn.Module]] = Network
    network: Network

    def loss(self, nats: Tensor, padding: Tensor) -> Tensor:
        mean, log_variance = self.network.cloud(torch.cat([nats, padding], dim=2))
        code = mean
        if self.network.training:
            code = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean() / 2
        return squared_error(self.network.decode(code), nats, padding) + DIVERGENCE * divergence

    def finish(self, train: Windows, seed: int) -> None:
        """Keep what ordinary latest logins differ by from their reconstruction."""
        drawn = np.random.default_rng(seed).choice(len(train), RESIDUALS)
        with torch.inference_mode():
            rows = []
            for part in parts(train.take(drawn), FORWARD):
                nats, padding = inputs(part)
                rows.append(nats[:, -1] - self.network(torch.cat([nats, padding], dim=2), length=1)[:, 0])
            self.network.residuals.copy_(torch.cat(rows))

    def generate(self, count: int, seed: int) -> Rows:
        """Ordinary windows that nobody made, in nats, float32 [count, LENGTH, features], without padding.

        Each is decoded from a normal code; every login gets the residual of a real one, all features together, for
        a reconstruction alone is smoother than life.
        """
        rng = np.random.default_rng(seed)
        code = torch.from_numpy(rng.standard_normal((count, BOTTLENECK)).astype(np.float32))
        with torch.inference_mode():
            newest_first = torch.cat([self.network.decode(part) for part in torch.split(code, FORWARD)])
            noise = self.network.residuals[torch.from_numpy(rng.choice(RESIDUALS, (count, LENGTH)))]
            scaled = newest_first.flip(1) + noise
            nats: Rows = scaled.mul_(NATS_SCALE).clamp_(0.0, MOST_NATS).numpy()
        return nats
