"""Six controls that every metric has to order rightly, as far as it claims to see them.

The real clips; `shuffled`, each picture with the sound of another clip; `codec`, the clips after H.264;
`early`, the sound 80 ms early; `frozen`, the first frame held under running sound; `ramp`, films of 20 s
whose brightness moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mfbench.bench.judging.check import Check, above
from mfbench.bench.judging.kit import Kit
from mfbench.bench.judging.nuisances import through_codec
from mfbench.bench.judging.sync_checks import strangers
from mfbench.bench.judging.takes import real_takes, view
from mfbench.metrics.base import Metric, Prompts
from mfbench.metrics.observe import Observation
from mfbench.registry import METRICS

CLIPS = 32
LONG_CLIPS, LONG_S = 6, 20.48
EARLY_MS = 80.0
QUALITY = 28  # x264's crf
RAMP = 0.35  # of the brightness, by the end of the film
SIZE_PX = 64

# control -> metrics that must tell it from the real clips. Those of sync see every mismatch of time; set
# distances see what leaves the distribution; the others what their name says.
SYNC = ("sync_corr", "sync_d0", "onset_f1_40")
SEES: dict[str, tuple[str, ...]] = {
    "shuffled": (
        *SYNC,
        "sync_c",
        "sync_c_norm",
        "sync_d",
        "sync_cca",
        "sync_lite_c",
        "sync_lite_auc",
        "onset_f1_80",
        "closure_recall",
        "viseme_acc",
        "sync_itu_pass",
        "av_offset_abs_ms",
        "per",
        "wer_lite",
        "kavd_lite",
        "favd_lite",
        "favd_lite_inf",
        "prc_precision",
        "prc_density",
        "prc_coverage",
    ),
    "early": (*SYNC, "av_offset_abs_ms", "sync_itu_pass", "viseme_acc", "kavd_lite"),
    "frozen": ("freeze_frac", "kavd_lite", "kvd_lite", "fvd_lite", "favd_lite", "prc_recall"),
    "codec": (),
}
LONG_SEES = ("drift_luma", "drift_colour", "drift_hist")
# a codec is a lesser harm than each of these
ABOVE_CODEC = {
    "kavd_lite": ("shuffled", "frozen"),
    "favd_lite": ("shuffled", "frozen"),
    "kvd_lite": ("frozen",),
    "fvd_lite": ("frozen",),
    "sync_corr": ("shuffled", "early"),
    "sync_d0": ("shuffled", "early"),
    "onset_f1_40": ("shuffled", "early"),
}


@dataclass(frozen=True)
class Controls:
    """Views of the controls and of real reference clips."""

    views: dict[str, Observation]
    reference: Observation
    prompts: Prompts


def make(kit: Kit) -> Controls:
    """Draw, damage and read the clips."""
    takes, other = real_takes(CLIPS, 5.12), real_takes(2 * CLIPS, 5.12, "reference")
    pictures, sound = takes.pictures(SIZE_PX), takes.sound()
    frozen = np.repeat(pictures[:, :1], pictures.shape[1], axis=1)
    views = {
        "real": view(kit, pictures, sound),
        "shuffled": view(kit, pictures, sound[strangers(takes)]),
        "codec": view(kit, through_codec(pictures, QUALITY), sound),
        "early": view(kit, pictures, takes.sound(EARLY_MS)),
        "frozen": view(kit, frozen, sound),
    }
    return Controls(views, view(kit, other.pictures(SIZE_PX), other.sound()), takes.prompts())


def checks(kit: Kit) -> Iterator[Check]:
    """One row per control and metric that claims to see it: the real clips must be better."""
    made = make(kit)
    for control, names in SEES.items():
        for name in names:
            yield above(f"{name}: real better than {control}", _better(made, name, "real", control), 0.0)
    for name, worse in ABOVE_CODEC.items():
        for control in worse:
            yield above(f"{name}: codec better than {control}", _better(made, name, "codec", control), 0.0)
    yield from _ramp(kit)


def _better(made: Controls, name: str, one: str, other: str) -> float:
    """By how much the first control is better than the second, in the metric's own direction.

    Where the second has no value (a frozen face has no sync) it cannot be better: infinity.
    """
    metric = METRICS.build({"type": name})
    assert isinstance(metric, Metric)
    first, second = (
        metric.compute(made.views[view], made.reference, made.prompts).value for view in (one, other)
    )
    if first is None:
        return float("nan")
    if second is None:
        return float("inf")
    return (first - second) * (1.0 if metric.higher_is_better else -1.0)


def _ramp(kit: Kit) -> Iterator[Check]:
    """Long films whose brightness moves, against the same films as they are."""
    takes = real_takes(LONG_CLIPS, LONG_S)
    pictures = takes.pictures(SIZE_PX)
    factor = 1 + RAMP * np.linspace(0, 1, pictures.shape[1])
    moved = np.clip(pictures * factor[None, :, None, None, None], 0, 255).astype(np.uint8)
    real, ramp = view(kit, pictures, takes.sound()), view(kit, moved, takes.sound())
    for name in LONG_SEES:
        metric = METRICS.build({"type": name})
        values = [metric.compute(seen, real, takes.prompts()).value for seen in (real, ramp)]
        difference = float("nan") if None in values else values[1] - abs(values[0])
        yield above(f"{name}: real better than ramp", difference, 0.0)
