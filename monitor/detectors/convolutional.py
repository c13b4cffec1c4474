"""The convolutional autoencoder: short motifs of logins, and motifs of those.

Strided convolutions along time halve the window until a bottleneck remains; transposed ones write it back (as in the
anomaly detectors of Zhang et al. 2019, MSCRED, in one dimension). It sees what happened in a row, not how long ago.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from monitor.columns import LENGTH
from monitor.detectors.reconstruction import Reconstruction

CHANNELS, BOTTLENECK = 32, 16

#: What remains of the window after two halvings.
QUARTER = LENGTH // 4


class Network(nn.Module):
    """Two convolutions, bottleneck, and back, over windows float32 [n, LENGTH, features + 1]."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.shorten = nn.Conv1d(features + 1, CHANNELS, kernel_size=4, stride=2, padding=1)
        self.shorten_again = nn.Conv1d(CHANNELS, CHANNELS, kernel_size=4, stride=2, padding=1)
        self.bottleneck = nn.Linear(CHANNELS * QUARTER + features + 1, BOTTLENECK)
        self.widen = nn.Linear(BOTTLENECK, CHANNELS * QUARTER)
        self.lengthen = nn.ConvTranspose1d(CHANNELS, CHANNELS, kernel_size=4, stride=2, padding=1)
        self.output = nn.ConvTranspose1d(CHANNELS, features, kernel_size=4, stride=2, padding=1)

    def forward(self, windows: Tensor, length: int = LENGTH) -> Tensor:
        """The reconstruction of the latest ``length`` logins, newest first, [n, length, features]."""
        motifs = relu(self.shorten_again(relu(self.shorten(windows.transpose(1, 2)))))
        # The latest login also enters as it is: convolutions blur the end of the window, which is what counts.
        code = self.bottleneck(torch.cat([motifs.flatten(1), windows[:, -1]], dim=1))
        wide = relu(self.lengthen(relu(self.widen(code)).view(-1, CHANNELS, QUARTER)))
        output: Tensor = self.output(wide).transpose(1, 2).flip(1)
        return output[:, :length]


class Convolutional(Reconstruction):
    """Convolutions in place of memory."""

    name: ClassVar[str] = "convolutional"
    network_type: ClassVar[type[nn.Module]] = Network
