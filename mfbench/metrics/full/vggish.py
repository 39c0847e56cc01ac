"""VGGish: the Frechet audio distance of the field, `fad`, and its kernel sibling, `kad`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mfbench.metrics.full import sets, vggish_mel
from mfbench.metrics.full.base import (
    NO_OPTIONS,
    Adapter,
    ClipMedia,
    ClipReading,
    FloatArray,
    MetricInfo,
    Needs,
    WeightFile,
)
from mfbench.metrics.full.weights import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

    from mfbench.metrics.full.vggish_net import VGGishNetwork

_KAD_SCALE = 100
_FIRST, _LAST = "embeddings.0.weight", "embeddings.4.weight"


class VGGish(Adapter):
    """Distances between sets of sounds by VGGish, one row of 128 values per 0.96 s."""

    name = "vggish"
    protocol = (
        "16 kHz, 64 mel bands 125-7500 Hz, log(x + 0.01), successive 0.96 s, before the last activation, no "
        "principal components; unbiased covariance; _inf: 15 sizes from N/4 to N clips, least squares; kad: "
        "Gaussian kernel, median distance of the reference, x100"
    )
    metrics = (
        MetricInfo("fad", "", False, (0.0, None), 500, set_metric=True),
        MetricInfo("fad_inf", "", False, (None, None), 500, set_metric=True),
        MetricInfo("kad", "x100", False, (None, 200.0), 128, set_metric=True),
    )
    weight_files = (
        WeightFile(
            key="vggish",
            file="vggish-10086976.pth",
            what="VGGish, torch state dict",
            code_licence="Apache-2.0 (torchvggish)",
            weights_licence="Apache-2.0 (AudioSet models)",
            how="the releases of the project torchvggish have the file",
        ),
    )
    needs = Needs(
        frames=False,
        fps=None,
        size_px=None,
        fit="whole",
        sample_rate_hz=vggish_mel.SAMPLE_RATE_HZ,
        min_duration_s=vggish_mel.SHORTEST_SAMPLES / vggish_mel.SAMPLE_RATE_HZ,
    )

    def __init__(self, network: VGGishNetwork, *, device: str = "cpu") -> None:
        self._network = network
        self._device = device

    @classmethod
    def load(
        cls, weights: Mapping[str, Path], *, options: Mapping[str, str] = NO_OPTIONS, device: str = "cpu"
    ) -> Self:
        """From a state dict; the parameters of a postprocessor, if it has them, are left out."""
        from mfbench.metrics.full.loading import fill, load_state

        del options
        path = weights["vggish"]
        state = {n: value for n, value in load_state(path).items() if not n.startswith("pproc.")}
        network = _sized(state, path)
        fill(network, state, path)
        return cls(network.to(device).eval(), device=device)

    def read(self, media: ClipMedia) -> ClipReading:
        """One row per 0.96 s, the same for all three metrics."""
        import torch

        if media.waveform is None:
            return ClipReading(not_applicable=dict.fromkeys(self.names(), "the clip has no sound"))
        patches = vggish_mel.patches(media.waveform)
        if len(patches) == 0:
            reason = f"{len(media.waveform)} samples; wanted at least {vggish_mel.SHORTEST_SAMPLES}"
            return ClipReading(not_applicable=dict.fromkeys(self.names(), reason))
        with torch.inference_mode():
            rows = self._network(torch.from_numpy(patches)[:, None].to(self._device)).cpu().numpy()
        return ClipReading(features=dict.fromkeys(self.names(), rows))

    def value(self, metric: str, candidate: Sequence[FloatArray], reference: Sequence[FloatArray]) -> float:
        """`fad`, its extrapolation to endless sets, or the kernel distance times 100."""
        if metric == "fad":
            return sets.frechet(candidate, reference)
        if metric == "fad_inf":
            return sets.extrapolate(candidate, reference).intercept
        if metric == "kad":
            return _KAD_SCALE * sets.gaussian_mmd(candidate, reference)
        return super().value(metric, candidate, reference)


def _sized(state: Mapping[str, Tensor], path: Path) -> VGGishNetwork:
    """A network as wide as the file's own layers."""
    from mfbench.metrics.full.vggish_net import VGGishNetwork

    if _FIRST not in state or _LAST not in state:
        raise WeightsError(
            f"{path} is no VGGish: it lacks {_FIRST} or {_LAST}; wanted torchvggish's state dict"
        )
    return VGGishNetwork(hidden=state[_FIRST].shape[0], width=state[_LAST].shape[0])
