"""Which metrics are shown where: the main table, figures, and the families of all others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEADLINE = (
    "kavd_lite",
    "kvd_lite",
    "kad_lite",
    "prc_recall",
    "sync_corr",
    "sync_c_norm",
    "sync_lite_auc",
    "av_offset_abs_ms",
    "per",
    "wer_lite",
    "id_sim_lite",
    "chunk_latency_ms",
    "rtf",
    "nfe_per_chunk",
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
DIVERSITY_FIGURES = ("diversity_v", "diversity_a", "motion_magnitude", "loudness_db", "mouth_detect_rate")
SYNC_FIGURES = ("sync_corr", "sync_c_norm", "sync_lite_c", "sync_lite_auc", "onset_f1_80", "av_offset_abs_ms")
SYNC_MORE_FIGURES = ("sync_c", "sync_cca", "av_offset_ms", "viseme_acc")
DRIFT_FIGURES = ("drift_colour", "drift_identity", "drift_loudness", "drift_sync")


@dataclass(frozen=True)
class Family:
    """Metrics that answer one question."""

    title: str
    metrics: tuple[str, ...]


FAMILIES = (
    Family(
        "Distributions: are the clips like real ones, and as various?",
        (
            "kavd_lite",
            "kvd_lite",
            "kad_lite",
            "favd_lite",
            "fvd_lite",
            "fad_lite",
            "favd_lite_inf",
            "fvd_lite_inf",
            "fad_lite_inf",
            "prc_precision",
            "prc_recall",
            "prc_density",
            "prc_coverage",
            "diversity_v",
            "diversity_a",
        ),
    ),
    Family(
        "Sync: do mouth and sound agree?",
        (
            "sync_corr",
            "sync_c",
            "sync_c_norm",
            "sync_d",
            "sync_d0",
            "sync_cca",
            "sync_lite_c",
            "sync_lite_auc",
            "av_offset_ms",
            "av_offset_abs_ms",
            "sync_itu_pass",
            "onset_f1_40",
            "onset_f1_80",
            "closure_recall",
            "viseme_acc",
        ),
    ),
    Family(
        "Speech: are the words said, in the voice asked for?",
        ("per", "wer_lite", "voice_sim", "f0_rmse_st"),
    ),
    Family(
        "Picture: is it the face asked for, and a clean picture?",
        (
            "id_sim_lite",
            "attr_acc",
            "mouth_detect_rate",
            "render_valid",
            "sharpness",
            "colorfulness",
            "clip_frac",
            "noise_sigma",
            "blockiness",
            "mouth_mae",
            "psnr",
            "ssim",
            "msssim",
        ),
    ),
    Family(
        "Motion: does it move as a real talker does?",
        (
            "motion_magnitude",
            "temporal_flicker",
            "warp_error_lite",
            "freeze_frac",
            "repetition",
            "boundary_jump_v",
        ),
    ),
    Family(
        "Sound: is the signal clean?",
        (
            "loudness_db",
            "clip_rate",
            "silence_frac",
            "dc",
            "click_rate",
            "snr_est",
            "modulation_dist",
            "boundary_jump_a",
        ),
    ),
    Family(
        "Long rollouts: what grows with time?",
        (
            "drift_colour",
            "drift_identity",
            "drift_hist",
            "drift_luma",
            "drift_contrast",
            "drift_sat",
            "drift_clip",
            "drift_sharpness",
            "drift_hf_energy",
            "drift_bg",
            "drift_motion",
            "drift_loudness",
            "drift_f0_semitones",
            "drift_spec_centroid",
            "drift_sync",
            "drift_offset_slope_ms_per_s",
            "drift_per",
            "drift_onset_s",
            "consistency_dt",
        ),
    ),
)
OTHERS = "Others"  # metrics from outside


def by_family(metrics: Iterable[str]) -> tuple[Family, ...]:
    """The given metrics in families, empty ones left out; what no family names comes last."""
    given = tuple(dict.fromkeys(metrics))
    known = {metric for family in FAMILIES for metric in family.metrics}
    found = [Family(f.title, tuple(m for m in f.metrics if m in given)) for f in FAMILIES]
    found.append(Family(OTHERS, tuple(m for m in given if m not in known)))
    return tuple(family for family in found if family.metrics)
