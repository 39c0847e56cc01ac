"""How numbers and metrics are called on the page: order, arrows, decimals, one-line explanations."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

HEADLINE = (
    "kavd_lite",
    "kvd_lite",
    "kad_lite",
    "sync_corr",
    "sync_c_norm",
    "av_offset_abs_ms",
    "per",
    "wer_lite",
    "id_sim_lite",
    "prc_recall",
    "chunk_latency_ms",
    "rtf",
    "nfe",
)
QUALITY_FIGURES = (
    "kavd_lite",
    "kvd_lite",
    "kad_lite",
    "favd_lite",
    "per",
    "wer_lite",
    "id_sim_lite",
    "prc_recall",
)
DIVERSITY_FIGURES = ("diversity_v", "diversity_a", "motion_magnitude", "audio_rms", "mouth_detect_rate")
SYNC_FIGURES = ("sync_corr", "sync_c", "sync_c_norm", "av_offset_abs_ms", "av_offset_ms")

EXPLAINED = {
    "kavd_lite": "unbiased MMD on the joint audio-video embedding; may fall below 0",
    "kvd_lite": "unbiased MMD on the video embedding; may fall below 0",
    "kad_lite": "unbiased MMD on the audio embedding; may fall below 0",
    "favd_lite": "Fréchet distance on the joint embedding; biased upwards, compare at equal n only",
    "prc_recall": "share of real clips that lie on the generated manifold (mode coverage)",
    "prc_precision": "share of generated clips that lie on the real manifold",
    "fvd_lite": "Fréchet distance on the video embedding; biased upwards, compare at equal n only",
    "fad_lite": "Fréchet distance on the audio embedding; biased upwards, compare at equal n only",
    "favd_lite_inf": "`favd_lite` extrapolated to infinitely many clips",
    "fvd_lite_inf": "`fvd_lite` extrapolated to infinitely many clips",
    "fad_lite_inf": "`fad_lite` extrapolated to infinitely many clips",
    "sync_d": "smallest distance of the mouth seen and heard over lags",
    "sync_d0": "distance of the mouth seen and heard at the same time",
    "sync_itu_pass": "share of clips whose offset viewers do not notice (ITU-R BT.1359)",
    "sync_cca": "sync confidence of the canonical-correlation judge; unrelated pairs are above 0",
    "sync_lite_c": "sync confidence of three contrastive judges; unrelated pairs are above 0",
    "sync_lite_auc": "how often contrastive judges prefer the sound of the moment to sound 200 ms away",
    "onset_f1_40": "mouth openings seen and heard within 40 ms, corrected for chance",
    "onset_f1_80": "mouth openings seen and heard within 80 ms, corrected for chance",
    "closure_recall": "share of p, b and m heard with the mouth seen closed; high by chance (null row)",
    "viseme_acc": "share of speech with the mouth seen as open as the mouth heard",
    "attr_acc": "share of frames that show the requested character",
    "render_valid": "share of frames that a drawn face explains",
    "sharpness": "log mean squared Laplacian; close to real is good",
    "colorfulness": "Hasler and Suesstrunk's measure; close to real is good",
    "clip_frac": "share of colour values at 0 or 255",
    "noise_sigma": "spread of pixel noise and fine texture",
    "blockiness": "steps across 8 x 8 borders over those inside, minus 1",
    "temporal_flicker": "255 less the mean change between frames, over 255; a still picture has 1",
    "freeze_frac": "share of time in which nothing changes for 0.2 s and more",
    "boundary_jump_v": "change of the picture across chunk borders over that inside; 1 is no seam",
    "boundary_jump_a": "change of loudness across chunk borders over that inside; 1 is no seam",
    "repetition": "largest likeness of two windows at least 2 s apart; near 1 is a loop",
    "diversity_v": "spread of the video over clips; close to real is good",
    "diversity_a": "spread of the audio over clips; close to real is good",
    "sync_corr": "correlation of the mouth in the picture with the mouth in the sound, at zero lag",
    "sync_c": "sync confidence over lags; unrelated pairs are above 0, see the null row",
    "sync_c_norm": "sync confidence relative to the null and the real row",
    "av_offset_ms": "signed lag of best agreement, positive when audio leads",
    "av_offset_abs_ms": "size of the lag of best agreement",
    "per": "phoneme error rate against the script",
    "wer_lite": "word error rate against the script, closed lexicon",
    "id_sim_lite": "agreement of the shown character with the requested one",
    "mouth_detect_rate": "share of frames in which a mouth can be read; gates the others",
    "motion_magnitude": "mean motion of face and head; close to real is good",
    "nfe": "network evaluations per chunk while denoising, counted by a hook; a guided step counts 2",
    "nfe_cache": "extra passes per chunk that write the history cache",
    "chunk_latency_ms": "time to the next finished chunk in the stream",
    "ttfc_s": "time to first chunk",
    "ttfc_chunks": "time to first chunk over the duration of a chunk",
    "ttfc_cold_s": "time to first chunk of the first rollout after loading, before warm-up; libraries are "
    "cold too only in the first cell that a process times",
    "chunk_latency_ms_max": "longest wait for a chunk in the stream; a p99 needs 1000 chunks, a p95 200",
    "jitter_ms": "inter-quartile range of the time between chunks",
    "jitter_ms_p99": "99th percentile of the time between chunks less its median",
    "jitter_ms_max": "longest time between chunks less the median; a p99 needs 1000 chunks",
    "stall_ratio": "stalled time over media time when playing starts with the first chunk; 0 never stalls",
    "min_buffer_s": "smallest delay after the first chunk with which no timed rollout stalls",
    "flops_per_media_s": "floating-point operations of the network per second of media, two per multiply-add",
    "flops_decode_per_media_s": "operations of the decoders per second of media, as far as they run in torch",
    "peak_memory_mb": "largest resident memory of the process while timed",
    "peak_device_memory_mb": "largest memory allocated on the graphics processor while timed",
    "stage_ms_denoise": "time per chunk from noise to latents, in the breakdown",
    "stage_ms_cache_write": "time per chunk to write the chunk before into the history, in the breakdown",
    "stage_ms_video_decode": "time per chunk from video latents to pixels, in the breakdown",
    "stage_ms_vocoder": "time per chunk from audio latents to samples, in the breakdown",
    "stage_ms_host_copy": "time per chunk to bring it to host memory, in the breakdown",
    "latency_growth": "time per chunk late in a rollout over that once the history is full; 1 is flat",
    "rtf": "seconds of computing per second of media; below 1 is faster than real time",
    "fps": "decoded frames per second of computing",
}

WIDE = "wide_"  # timings of a larger network

Better = bool | None  # a record's `higher_is_better`
_ARROWS: dict[Better, str] = {True: "↑", False: "↓", None: "≈"}
_DIRECTIONS: dict[Better, str] = {
    True: "higher is better",
    False: "lower is better",
    None: "closer to real is better",
}
_SI = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def arrow(better: Better) -> str:
    """Direction of better: up, down, or neither."""
    return _ARROWS[better]


def direction(better: Better) -> str:
    """The arrow in words."""
    return _DIRECTIONS[better]


def explain(metric: str) -> str:
    """One line about a metric; percentiles and windows share the line of their stem."""
    stem = re.sub(r"_(p\d+|slope|excess|end)$", "", metric)
    if metric.startswith(WIDE):
        plain = explain(metric.removeprefix(WIDE))
        return f"{plain}; for the larger network of `suite.timing.wide`" if plain else ""
    return EXPLAINED.get(metric) or EXPLAINED.get(stem, "")


def resolve(metric: str, known: Iterable[str]) -> str | None:
    """A metric's recorded name: itself, or its median where only percentiles are recorded."""
    names = set(known)
    return next((name for name in (metric, f"{metric}_p50") if name in names), None)


def pick(wanted: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """The wanted metrics that were recorded, in the wanted order."""
    names = tuple(known)
    return tuple(dict.fromkeys(found for name in wanted if (found := resolve(name, names))))


def decimals(values: Iterable[float]) -> int:
    """Decimals for a column: three significant digits for a value between its median and its largest."""
    sizes = sorted(abs(value) for value in values if value and math.isfinite(value))
    if not sizes:
        return 0
    middle = math.sqrt(sizes[len(sizes) // 2] * sizes[-1])
    if all(size == int(size) for size in sizes):
        return 0
    return min(max(2 - math.floor(math.log10(middle)), 0), 4)


def number(value: float, places: int) -> str:
    """A number with fixed decimals, or with an SI letter where it is long; minus is a real minus sign."""
    if abs(value) >= 1e5:
        return compact(value)
    text = f"{value:.{places}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "\N{MINUS SIGN}")


def compact(value: float) -> str:
    """Three significant digits and, from 10 000, an SI letter."""
    scale, letter = next(((scale, letter) for scale, letter in _SI if abs(value) >= scale), (1.0, ""))
    scale, letter = (scale, letter) if abs(value) >= 1e4 else (1.0, "")
    text = f"{value / scale:.3g}" if abs(value / scale) < 1000 else f"{value / scale:.0f}"
    return f"{text}{letter}".replace("-", "\N{MINUS SIGN}")


def p_value(p: float) -> str:
    """A p-value, short."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
