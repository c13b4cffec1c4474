"""A hybrid: the LSTM autoencoder finds what windows are made of, clusters in its codes find which kinds there are.

After training, k-means groups the codes of ordinary windows (deep clustering in two steps, as in Xie et al. 2016).
A window is then written back not from its own code but from the centre of its cluster: what exceeds the typical
window of the nearest kind is odd, and a code far from every kind makes for much of that.
"""

from typing import ClassVar

import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor, nn

from monitor.columns import LENGTH
from monitor.detectors import lstm_autoencoder
from monitor.detectors.lstm_autoencoder import BOTTLENECK
from monitor.detectors.reconstruction import Reconstruction
from monitor.detectors.training_loop import FORWARD, inputs, parts
from monitor.sequences import Windows

CLUSTERS, MOST_CODES = 64, 30_000


class Network(lstm_autoencoder.Network):
    """The LSTM autoencoder's network; outside of training codes are replaced by their nearest centre."""

    centres: Tensor
    clustered: Tensor  # 1 once there are centres

    def __init__(self, features: int) -> None:
        super().__init__(features)
        self.register_buffer("centres", torch.zeros(CLUSTERS, BOTTLENECK))
        self.register_buffer("clustered", torch.tensor(0.0))

    def forward(self, windows: Tensor, length: int = LENGTH) -> Tensor:
        """The reconstruction of the latest ``length`` logins, newest first, [n, length, features]."""
        code = self.encode(windows)
        if self.clustered:
            code = self.centres[torch.cdist(code, self.centres).argmin(dim=1)]
        return self.decode(code, length)


class LatentClusters(Reconstruction):
    """Excess over the typical window of the nearest kind."""

    name: ClassVar[str] = "latent_clusters"
    network_type: ClassVar[type[nn.Module]] = Network
    network: Network

    def finish(self, train: Windows, seed: int) -> None:
        """Find the kinds of ordinary windows."""
        drawn = np.random.default_rng(seed).permutation(len(train))[:MOST_CODES]
        with torch.inference_mode():
            codes = torch.cat(
                [self.network.encode(torch.cat(inputs(part), dim=2)) for part in parts(train.take(drawn), FORWARD)]
            ).numpy()
        count = min(CLUSTERS, len(np.unique(codes, axis=0)))
        found = MiniBatchKMeans(count, random_state=seed, n_init=3, batch_size=FORWARD).fit(codes).cluster_centers_
        filled = np.resize(found, (CLUSTERS, BOTTLENECK)).astype(np.float32)  # fewer kinds than places repeat
        self.network.centres.copy_(torch.from_numpy(filled))
        self.network.clustered.fill_(1.0)
