"""The contract of the full tier: what a model needs, what it is given, what it says about one clip."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]
SideInformation = Literal["caption", "transcript", "reference_image", "faces"]
NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class WeightFile:
    """A file or folder that the user has to bring.

    Attributes:
        key: its name in `weights.yaml`.
        file: what its publisher calls it.
        what: the model and the format, in a few words.
        code_licence, weights_licence: as published; whoever uses the file checks that it covers the use.
        how: where it is found, in words.
        options: further keys that its entry in `weights.yaml` may have.
    """

    key: str
    file: str
    what: str
    code_licence: str
    weights_licence: str
    how: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Needs:
    """How a clip must be prepared; the caller decodes and resamples, an adapter only checks.

    Attributes:
        frames: whether pictures are needed at all; without, `ClipMedia.frames` may be empty.
        fps: rate of the frames; None: the rate of the source.
        size_px: side of the square, or the shorter side where `fit` is "whole"; None: as large as the source.
        fit: "centre-square" cuts the largest centred square, then scales it; "whole" keeps the picture.
        sample_rate_hz: of the mono waveform; None: no sound is needed.
        min_duration_s: shorter clips are `not_applicable`.
        side: side information that is used where it is there; `read` says what is missing without it.
    """

    frames: bool
    fps: float | None
    size_px: int | None
    fit: Literal["centre-square", "whole"]
    sample_rate_hz: int | None
    min_duration_s: float
    side: tuple[SideInformation, ...] = ()


@dataclass(frozen=True, eq=False)
class ClipMedia:
    """One clip, decoded as `Needs` says.

    Attributes:
        frames: RGB, [frames, height, width, 3].
        waveform: mono in [-1, 1], [samples]; None: the clip has no sound.
        caption: what was asked for, in words.
        transcript: the words that should be heard.
        reference_image: RGB, [height, width, 3].
        faces: boxes (left, top, right, bottom) in pixels of `frames`, [frames, 4]; nan where no face is.
        reference_face: the box of the face in `reference_image`, [4].
    """

    frames: ByteArray
    waveform: FloatArray | None = None
    caption: str | None = None
    transcript: str | None = None
    reference_image: ByteArray | None = None
    faces: FloatArray | None = None
    reference_face: FloatArray | None = None


@dataclass(frozen=True)
class MetricInfo:
    """What a number means.

    Attributes:
        higher_is_better: None where closeness to the real row is what counts.
        range: least and greatest value possible; None: unbounded.
        min_n: clips below which the number should not be quoted.
        set_metric: it compares sets of clips: `features` and `value` instead of a mean over clips.
    """

    name: str
    unit: str
    higher_is_better: bool | None
    range: tuple[float | None, float | None]
    min_n: int
    set_metric: bool = False


@dataclass(frozen=True)
class Ratio:
    """Counts of one clip; the value of several clips is the sum of numerators over that of denominators."""

    numerator: float
    denominator: float


def corpus_ratio(ratios: Sequence[Ratio]) -> float:
    """Sum over sum: the error rate of a corpus, in which long clips weigh more.

    Raises:
        ValueError: if the denominators add up to nothing.
    """
    total = sum(ratio.denominator for ratio in ratios)
    if total <= 0:
        raise ValueError(f"{len(ratios)} clips with a denominator of {total}; wanted more than 0")
    return sum(ratio.numerator for ratio in ratios) / total


@dataclass(frozen=True, eq=False)
class ClipReading:
    """What a model says about one clip. Every metric of the adapter is in `values`, `features` or the rest.

    Attributes:
        values: number of the clip by metric.
        features: rows of the clip by set metric, [rows, dim].
        ratios: counts by metric, for metrics whose value over clips is sum over sum.
        not_applicable: reason by metric.
        notes: what a reader of the numbers must know about how this clip was read.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    features: Mapping[str, FloatArray] = field(default_factory=dict)
    ratios: Mapping[str, Ratio] = field(default_factory=dict)
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def status(self, metric: str) -> Literal["ok", "not_applicable"]:
        """Whether a metric has something to say.

        Raises:
            KeyError: if the reading knows nothing of this metric.
        """
        if metric in self.values or metric in self.features:
            return "ok"
        if metric in self.not_applicable:
            return "not_applicable"
        raise KeyError(f"a reading without {metric!r}; it has {sorted({*self.values, *self.features})}")


class Adapter(ABC):
    """One pretrained model and the metrics that it gives.

    Exceptions of `read` are the caller's `failed_metric`.

    Attributes:
        name: key in ADAPTERS.
        version: raise it when the same clip would get another number.
        protocol: everything that changes the numbers and is not in the weights; part of their identity.
        packages: optional packages by the name under which they are imported.
        needs: an instance may narrow the class's needs, as the size of the picture depends on the weights.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    protocol: ClassVar[str]
    metrics: ClassVar[tuple[MetricInfo, ...]]
    weight_files: ClassVar[tuple[WeightFile, ...]]
    packages: ClassVar[tuple[str, ...]] = ()
    needs: Needs

    @classmethod
    @abstractmethod
    def load(
        cls, weights: Mapping[str, Path], *, options: Mapping[str, str] = NO_OPTIONS, device: str = "cpu"
    ) -> Self:
        """Build the model from local files.

        Args:
            weights: path by key of `weight_files`.
            options: what the entry in `weights.yaml` says beside path and digest.
            device: where torch computes; onnxruntime stays on the processor.

        Raises:
            WeightsError: if a file is no such model.
            PackageMissingError: if an optional package is not installed.
        """

    @abstractmethod
    def read(self, media: ClipMedia) -> ClipReading:
        """What the model says about one clip.

        Raises:
            ValueError: if the media are not as `needs` asks.
        """

    def value(self, metric: str, candidate: Sequence[FloatArray], reference: Sequence[FloatArray]) -> float:
        """A set metric from the features of candidate and reference clips, [rows, dim] each.

        Raises:
            ValueError: if this is no set metric of the adapter, or the sets are too small.
        """
        del candidate, reference
        raise ValueError(f"{metric} is no set metric of {self.name}; its value is the mean over clips")

    @classmethod
    def names(cls, *, set_metrics: bool | None = None) -> tuple[str, ...]:
        """Names of the metrics; only set metrics, or only the others, where asked."""
        return tuple(m.name for m in cls.metrics if set_metrics is None or m.set_metric == set_metrics)
