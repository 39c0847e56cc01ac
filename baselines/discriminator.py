"""A discriminator of noised clips: a bidirectional network whose output is read as one logit per clip."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mfbench.methods import objectives
from mfbench.methods.scores import whole
from mfbench.models.av_transformer import AVTransformer
from mfbench.types import AV, Condition

WIDTH = 32


class Discriminator(nn.Module):
    """Logit of a clip being real: mean over tokens of a small network on (x_t, f), summed over modalities."""

    def __init__(self, network: AVTransformer) -> None:
        super().__init__()
        self.network = network
        clip = network.spec.clip
        channels = {"video": clip.video_channels, "audio": clip.audio_channels}
        self.read_out = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Linear(2 * n, WIDTH), nn.SiLU(), nn.Linear(WIDTH, 1))
                for name, n in channels.items()
            }
        )

    def forward(self, x_t: AV, t: AV, condition: Condition) -> Tensor:
        """Float[batch]."""
        f = whole(self.network, condition)(x_t, t, objectives.zeros(t)).parts()
        logits = [
            self.read_out[name](torch.cat([x, f[name]], -1)).mean(dim=(1, 2, 3))
            for name, x in x_t.parts().items()
        ]
        return torch.stack(logits).sum(0)
