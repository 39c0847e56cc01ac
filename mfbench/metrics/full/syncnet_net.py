"""The two networks of SyncNet, with the parameter names of its published file `syncnet_v2.model`."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

FRAMES, SIZE_PX = 5, 224
STEPS, COEFFICIENTS = 20, 13  # 0.2 s of cepstra
WIDTH = 1024


class SyncNetwork(nn.Module):
    """Pictures of a mouth and the sound of 0.2 s into one space.

    Source: Chung and Zisserman 2016, in the sizes of the published weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_conv2d(1, 64),
            nn.MaxPool2d(1, 1),
            *_conv2d(64, 192),
            nn.MaxPool2d(3, (1, 2)),
            *_conv2d(192, 384),
            *_conv2d(384, 256),
            *_conv2d(256, 256),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(256, 512, (5, 4)),
            nn.BatchNorm2d(512),
            nn.ReLU(),
        )
        self.netfcaud = _head()
        self.netfclip = _head()
        self.netcnnlip = nn.Sequential(
            *_conv3d(3, 96, (FRAMES, 7, 7), stride=2, padding=0),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_conv3d(96, 256, (1, 5, 5), stride=2, padding=1),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_conv3d(256, 256, (1, 3, 3), stride=1, padding=1),
            *_conv3d(256, 256, (1, 3, 3), stride=1, padding=1),
            *_conv3d(256, 256, (1, 3, 3), stride=1, padding=1),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_conv3d(256, 512, (1, 6, 6), stride=1, padding=0),
        )

    def sound(self, cepstra: Float[Tensor, "n 1 coefficients steps"]) -> Float[Tensor, "n 1024"]:
        """Embeddings of 20 frames of 13 cepstra each."""
        found: Tensor = self.netfcaud(self.netcnnaud(cepstra).flatten(1))
        return found

    def lips(self, video: Float[Tensor, "channels frames height width"]) -> Float[Tensor, "windows 1024"]:
        """Embeddings of every 5 successive frames, BGR in 0-255 at 224 x 224.

        Only the first layer reaches over time, so a longer clip gives the same as its windows one by one.
        """
        found: Tensor = self.netfclip(self.netcnnlip(video[None])[0, :, :, 0, 0].T)
        return found


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, WIDTH))


def _conv2d(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()


def _conv3d(
    inputs: int, outputs: int, kernel: tuple[int, int, int], *, stride: int, padding: int
) -> tuple[nn.Module, ...]:
    layer = nn.Conv3d(inputs, outputs, kernel, (1, stride, stride), (0, padding, padding))
    return layer, nn.BatchNorm3d(outputs), nn.ReLU()
