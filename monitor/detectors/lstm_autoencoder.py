"""The LSTM autoencoder: what this login adds to the account's recent run of logins that ordinary runs do not hold.

An encoder LSTM reads the window of evidence; a bottleneck of a few numbers must suffice for a decoder LSTM to write
the window back, newest login first (Malhotra et al. 2016, EncDec-AD). Trained on ordinary runs only, it reproduces
what ordinarily comes together (a trip: new country, city, network at once) and fails on what does not.
"""

from typing import ClassVar

from torch import Tensor, nn

from monitor.columns import LENGTH
from monitor.detectors.reconstruction import Reconstruction

HIDDEN, BOTTLENECK = 64, 16


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
        return self.decode(self.encode(windows), length)

    def encode(self, windows: Tensor) -> Tensor:
        """The code of each window [n, BOTTLENECK]."""
        encoded, _ = self.encoder(windows)
        code: Tensor = self.bottleneck(encoded[:, -1])
        return code

    def decode(self, code: Tensor, length: int = LENGTH) -> Tensor:
        """The latest ``length`` logins that a code stands for, newest first, [n, length, features]."""
        decoded, _ = self.decoder(code[:, None].expand(-1, length, -1))
        output: Tensor = self.output(decoded)
        return output


class LSTMAutoencoder(Reconstruction):
    """The default detector."""

    name: ClassVar[str] = "lstm_autoencoder"
    network_type: ClassVar[type[nn.Module]] = Network
