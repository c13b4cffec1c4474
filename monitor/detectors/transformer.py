"""The transformer autoencoder: every login of the window looks at every other at once, however far apart.

An encoder of self-attention (Vaswani et al. 2017) reads the window; what it makes of the latest login passes a
bottleneck, and each login is written back from that code and its place in the window alone, so that nothing can be
copied from input to output.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from monitor.columns import LENGTH
from monitor.detectors.reconstruction import Reconstruction

WIDTH, HEADS, LAYERS, BOTTLENECK = 32, 4, 2, 16


class Network(nn.Module):
    """Attention, bottleneck, decoder over windows float32 [n, LENGTH, features + 1]; the last input marks padding."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(features + 1, WIDTH)
        self.place = nn.Parameter(torch.randn(LENGTH, WIDTH) * 0.1)
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 2 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.bottleneck = nn.Linear(WIDTH, BOTTLENECK)
        self.decoder = nn.Linear(BOTTLENECK, 2 * WIDTH)
        self.decoder_place = nn.Parameter(torch.randn(LENGTH, 2 * WIDTH) * 0.1)  # newest first
        self.output = nn.Linear(2 * WIDTH, features)

    def forward(self, windows: Tensor, length: int = LENGTH) -> Tensor:
        """The reconstruction of the latest ``length`` logins, newest first, [n, length, features]."""
        padding = windows[:, :, -1] > 0
        padding = padding & ~padding.all(dim=1, keepdim=True)  # attention to nothing at all would be undefined
        seen = self.encoder(self.embedding(windows) + self.place, src_key_padding_mask=padding)
        code = self.decoder(self.bottleneck(seen[:, -1]))
        output: Tensor = self.output(nn.functional.gelu(code[:, None] + self.decoder_place[:length]))
        return output


class Transformer(Reconstruction):
    """Self-attention in place of memory."""

    name: ClassVar[str] = "transformer"
    network_type: ClassVar[type[nn.Module]] = Network
