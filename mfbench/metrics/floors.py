"""What a codec loses: real clips against the same clips after encoding and decoding."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from mfbench.metrics.base import Metric, Prompts
from mfbench.metrics.intelligibility import PhoneErrorRate
from mfbench.metrics.lip_sync import SyncCorr
from mfbench.metrics.observe import FloatArray, Readers, observe
from mfbench.metrics.readers.images import Pixels


@dataclass(frozen=True)
class ReconstructionFloors:
    """Best values that any model using these codecs can expect; `None` where not applicable.

    Attributes:
        psnr_db: of the frames; None where they are reproduced exactly.
        log_spectral_distance_db: of the mel.
        per, sync_corr: after decoding; `real_*` before.
    """

    psnr_db: float | None
    log_spectral_distance_db: float
    per: float | None
    real_per: float | None
    sync_corr: float | None
    real_sync_corr: float | None

    def to_json(self) -> dict[str, float | None]:
        """Plain values."""
        return asdict(self)


def psnr_db(frames: Pixels, again: Pixels) -> float | None:
    """Peak signal-to-noise ratio over all pixels; None where they are equal."""
    error = np.mean((frames.astype(np.float32) - again.astype(np.float32)) ** 2, dtype=np.float64)
    return float(10 * np.log10(255.0**2 / error)) if error > 0 else None


def log_spectral_distance_db(mel: FloatArray, again: FloatArray) -> float:
    """Root mean square over bands of the difference in decibels, averaged over frames."""
    difference = (mel.astype(np.float64) - again) * (20 / np.log(10))
    return float(np.sqrt((difference**2).mean(-1)).mean())


def reconstruction_floors(
    frames: Pixels,
    mel: FloatArray,
    again_frames: Pixels,
    again_mel: FloatArray,
    prompts: Prompts,
    readers: Readers,
) -> ReconstructionFloors:
    """Compare real clips with their reconstructions.

    Args:
        frames: of real clips, as `observe` takes them.
        mel: their log-mel.
        again_frames: the frames after encoding and decoding.
        again_mel: the log-mel after encoding and decoding (and vocoding, where that is asked).
        prompts: what the real clips show.
        readers: fitted judges.
    """
    before, after = observe(frames, mel, readers), observe(again_frames, again_mel, readers)

    def value(metric: Metric, reconstructed: int) -> float | None:
        return metric.compute((before, after)[reconstructed], before, prompts).value

    return ReconstructionFloors(
        psnr_db=psnr_db(frames, again_frames),
        log_spectral_distance_db=log_spectral_distance_db(mel, again_mel),
        per=value(PhoneErrorRate(), 1),
        real_per=value(PhoneErrorRate(), 0),
        sync_corr=value(SyncCorr(), 1),
        real_sync_corr=value(SyncCorr(), 0),
    )
