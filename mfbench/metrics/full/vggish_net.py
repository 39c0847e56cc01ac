"""VGGish, with the parameter names of the widely used torch conversion."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

_CHANNELS = ((64,), (128,), (256, 256), (512, 512))
_FLAT = 6 * 4 * 512  # a patch of 96 x 64 after four halvings


class VGGishNetwork(nn.Module):
    """Patches of 0.96 s into 128 values, before the last activation.

    Source: Hershey et al. 2017. The Frechet audio distance was defined on these values before the activation,
    without the principal components and the quantisation of the published embeddings.
    """

    def __init__(self, hidden: int = 4096, width: int = 128) -> None:
        super().__init__()
        self.features = nn.Sequential(*_convolutions())
        self.embeddings = nn.Sequential(
            nn.Linear(_FLAT, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, width),
        )

    def forward(self, patches: Float[Tensor, "n 1 96 64"]) -> Float[Tensor, "n width"]:
        """Embeddings of log-mel patches."""
        maps = self.features(patches)
        found: Tensor = self.embeddings(
            maps.permute(0, 2, 3, 1).flatten(1)
        )  # channels last, as in the original
        return found


def _convolutions() -> list[nn.Module]:
    layers: list[nn.Module] = []
    inputs = 1
    for group in _CHANNELS:
        for outputs in group:
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2, 2))
    return layers
