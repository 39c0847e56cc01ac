"""The section on the health of trainings: probes that tell a collapse from a slow start."""

from __future__ import annotations

from mfbench.report import names, style
from mfbench.report.cost import CRITICS, curves, first_with, is_probe
from mfbench.report.document import Block, Column, Details, Figures, Section, Table, Text, Value
from mfbench.report.load import Study

CRITIC = "critic"
LEAD = (
    "Probes of four fixed training clips, taken during training with the weights that are sampled; the table "
    "shows the last ones. What each tells:"
)
TELLS = {
    "probe_jump_cosine": "cosine of u(d = 0) and u(d = 1) at t = 1; near 1 the network ignores the jump size",
    "probe_mode_gap": "distance of 4-jump samples from 16-step samples of the same noise, relative",
    CRITIC: "loss of the fake score (or discriminator) on fresh samples; it lags where this rises",
    "gradient_share_audio": "share of the audio branch in the norm of the gradient",
    "probe_latent_mean_audio": "mean of the audio latents",
    "probe_latent_rms_audio": "RMS of the audio latents",
    "probe_latent_mean_video": "mean of the video latents",
    "probe_latent_rms_video": "RMS of the video latents",
    "probe_audio_rms_db": "loudness of the samples; a collapse to silence shows here",
    "probe_motion_energy": "mean change from frame to frame; a collapse to a still shows here",
    "probe_saturation_drift": "saturation in the last quarter of a clip minus the first",
    "probe_contrast_drift": "contrast in the last quarter of a clip minus the first",
}


def health(study: Study) -> Section | None:
    """The last probes of every method and their course; None where nothing was probed."""
    figures = curves(study, is_probe)
    if not figures:
        return None
    lines = "; ".join(f"`{_short(name)}`: {text}" for name, text in TELLS.items())
    blocks: list[Block] = [Text(LEAD), Text(f"{lines}."), _table(study)]
    blocks.append(Details("Course of the probes", (Figures(figures),)))
    return Section("health", "Health of the trainings", tuple(blocks))


def _short(name: str) -> str:
    return name.removeprefix("probe_")


def _role(name: str) -> str:
    return CRITIC if name in CRITICS else name


def _table(study: Study) -> Table:
    looks = style.looks(study.methods)
    rows = []
    for method in study.methods:
        cell = first_with(study, method, "curves")
        found = {name: points for name, points in cell.extra["curves"].items() if points} if cell else {}
        if any(is_probe(name) for name in found):
            last = {_role(name): float(points[-1][1]) for name, points in found.items()}
            values = [Value(names.number(last[n], 3) if n in last else "–") for n in TELLS]
            rows.append((Value(method, colour=looks[method].colour), *values))
    columns = (Column("method", numeric=False), *(Column(_short(name)) for name in TELLS))
    return Table(columns, (("", tuple(rows)),))
