"""The full tier: metrics of the field's pretrained models, whose weights the user gives as local files.

One module per model. Nothing is fetched from anywhere: a metric whose weights were not given has no value.
Importing this package imports no model, no torch and no optional package.
"""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING

from mfbench.errors import UsageError

if TYPE_CHECKING:
    from mfbench.metrics.full.base import Adapter

ADAPTERS = {
    "syncnet": "mfbench.metrics.full.syncnet:SyncNet",
    "i3d": "mfbench.metrics.full.i3d:I3D",
    "clip": "mfbench.metrics.full.clip:Clip",
    "dinov2": "mfbench.metrics.full.dinov2:DINOv2",
    "whisper": "mfbench.metrics.full.whisper:Whisper",
    "vggish": "mfbench.metrics.full.vggish:VGGish",
    "arcface": "mfbench.metrics.full.arcface:ArcFace",
}

# Names that are kept for these models, so that nothing else can carry them before an adapter exists.
LATER = {
    "synchformer": ("desync", "desync_cont", "desync_win"),
    "vbench": (
        "subject_consistency",
        "background_consistency",
        "motion_smoothness",
        "dynamic_degree",
        "aesthetic_quality",
        "imaging_quality",
    ),
}


def adapter(name: str) -> type[Adapter]:
    """The adapter class of a model.

    Raises:
        UsageError: if there is none of this name; the text has the nearest ones.
    """
    if name not in ADAPTERS:
        near = difflib.get_close_matches(name, ADAPTERS, n=3, cutoff=0.5) or list(ADAPTERS)
        raise UsageError(f"no adapter of the full tier is called {name!r}; did you mean {', '.join(near)}?")
    module, _, attribute = ADAPTERS[name].partition(":")
    found: type[Adapter] = getattr(importlib.import_module(module), attribute)
    return found
