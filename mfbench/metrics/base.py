"""The contract of a metric: scores of clips, and the value of any (re)sample of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from mfbench.character.timeline import Timeline
from mfbench.metrics.distances import ClipSets
from mfbench.metrics.observe import Observation

FloatArray = NDArray[np.float32]
Double = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Status = Literal["ok", "not_applicable", "failed_generation", "failed_metric"]
Derived = TypeVar("Derived")
Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Prompts:
    """What every clip was asked to be.

    Attributes:
        timelines: a take of the requested words (words and phones count, times do not), per clip; None where
            it is not known what was asked.
        voice, identity: requested, indices into VOICES and IDENTITIES, [clips].
        prompt: index of the prompt, [clips]; clips of one prompt are not independent.
        seed: sampling seed, [clips].
    """

    timelines: tuple[Timeline | None, ...]
    voice: IntArray
    identity: IntArray
    prompt: IntArray
    seed: IntArray

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"every clip needs one of each, got {lengths}")


@dataclass(frozen=True)
class MetricResult:
    """One number with what it rests on.

    Attributes:
        value: None unless the status is `ok`.
        n: clips that count.
        coverage: share of all clips that count; the others failed or are not applicable.
        per_clip: value of every clip where the metric has one.
    """

    value: float | None
    n: int
    coverage: float
    status: Status
    per_clip: list[float | None]


@dataclass(frozen=True)
class Scores(ABC):
    """What a metric found out about clips; cheap to evaluate on a resample.

    Attributes:
        usable: clips that count, [clips].
        resampled: whether values of resamples tell how uncertain the value is; not of a censored one.
    """

    usable: BoolArray
    resampled: ClassVar[bool] = True

    @abstractmethod
    def value_of(self, clips: IntArray) -> float | None:
        """The metric of usable clips, which may repeat."""

    def value(self, clips: IntArray) -> float | None:
        """The metric of a (re)sample of clips; `None` where too few of them are usable."""
        chosen = clips[self.usable[clips]]
        found = self.value_of(chosen) if len(chosen) else None
        return found if found is not None and np.isfinite(found) else None

    def per_clip(self) -> list[float | None]:
        """Value of every clip, `None` where it has none; set metrics have none at all."""
        return [None] * len(self.usable)


@dataclass(frozen=True)
class MeanScores(Scores):
    """A mean over clips.

    Attributes:
        values: [clips]; nan where a clip has none.
    """

    values: Double

    @classmethod
    def of(cls, values: NDArray[np.floating], intact: BoolArray) -> MeanScores:
        """Values per clip, nan where not applicable."""
        numbers = np.asarray(values, dtype=np.float64)
        return cls(intact & np.isfinite(numbers), numbers)

    def value_of(self, clips: IntArray) -> float | None:
        """Mean."""
        return float(self.values[clips].mean())

    def per_clip(self) -> list[float | None]:
        """Value of every usable clip."""
        return [float(value) if good else None for value, good in zip(self.values, self.usable, strict=True)]


@dataclass(frozen=True)
class RatioScores(Scores):
    """A ratio of sums, as error rates are: long clips weigh more.

    Attributes:
        numerator, denominator: [clips].
    """

    numerator: Double
    denominator: Double

    def value_of(self, clips: IntArray) -> float | None:
        """Ratio of the sums."""
        return float(self.numerator[clips].sum() / self.denominator[clips].sum())

    def per_clip(self) -> list[float | None]:
        """Ratio of every usable clip."""
        return [
            float(a / b) if good else None
            for a, b, good in zip(self.numerator, self.denominator, self.usable, strict=True)
        ]


@dataclass(frozen=True)
class RootScores(RatioScores):
    """The root of a ratio of sums, as root mean squares are."""

    def value_of(self, clips: IntArray) -> float | None:
        """Root of the ratio of the sums."""
        return float(np.sqrt(self.numerator[clips].sum() / self.denominator[clips].sum()))

    def per_clip(self) -> list[float | None]:
        """Root of the ratio of every usable clip."""
        return [None if ratio is None else float(np.sqrt(ratio)) for ratio in super().per_clip()]


class Metric(ABC):
    """Base of every metric; a subclass gives constants and `scores`.

    Attributes:
        name: registered name; `*_lite` and `sync_*` are ours, the field's names are kept for its models.
        version: raise it when the same clips would get another value.
        higher_is_better: None where closeness to the real row is what counts.
        null_by_shuffling: whether pairing a video with another clip's sound changes the metric; the null row
            is not applicable where it does not.
        low, high: values that cannot be exceeded; None where there is no such value.
        worst: value of a failed clip in a strict aggregate; None where no value stands for a failure.
        least_clips: with fewer the value is a hint at best.
        least_s: shorter clips have no value.
        needs: what a clip must have beside its picture: `character` (a face that the readers know), `sound`,
            `words` (what was asked), `identity` (who was asked), `voice` (whose voice was asked), `chunks`
            (borders), `seeds` (several samples of a prompt), `reference` (real clips), `paired` (the true
            clip that it reconstructs).
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = None
    kind: ClassVar[str] = "quality"
    null_by_shuffling: ClassVar[bool] = False
    low: ClassVar[float | None] = None
    high: ClassVar[float | None] = None
    worst: ClassVar[float | None] = None
    least_clips: ClassVar[int] = 32
    least_s: ClassVar[float] = 0.64
    needs: ClassVar[tuple[str, ...]] = ("character", "sound")

    @abstractmethod
    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Scores of candidate clips; `reference` holds other real clips of the same world."""

    def compute(self, candidate: Observation, reference: Observation, prompts: Prompts) -> MetricResult:
        """Value over all clips, with counts and status."""
        if len(prompts.prompt) != candidate.clips:
            raise ValueError(f"{self.name} got {candidate.clips} clips and {len(prompts.prompt)} prompts")
        return summarise(self.scores(candidate, reference, prompts), candidate.intact)


class SetMetric(Metric):
    """A distance between sets of clips: it sees embeddings only, and clips may differ in length."""

    least_clips = 64
    needs: ClassVar[tuple[str, ...]] = ("character", "sound", "reference")

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Of clips of equal length."""
        return self.set_scores(embedded(candidate), embedded(reference), prompts.prompt)

    @abstractmethod
    def set_scores(self, candidate: EmbeddedClips, reference: EmbeddedClips, prompt: IntArray) -> Scores:
        """Scores of candidate clips; `prompt` is the prompt of every candidate, [clips]."""


@dataclass(frozen=True, eq=False)
class EmbeddedClips:
    """Embeddings of the windows of clips; clip i of every set is the same clip.

    Attributes:
        intact: False where a clip could not be generated or read, [clips].
    """

    video: ClipSets
    audio: ClipSets
    joint: ClipSets
    intact: BoolArray

    def whole(self) -> EmbeddedClips:
        """The intact clips."""
        kept = np.flatnonzero(self.intact)
        return EmbeddedClips(
            self.video.select(kept), self.audio.select(kept), self.joint.select(kept), self.intact[kept]
        )


def summarise(scores: Scores, intact: BoolArray) -> MetricResult:
    """The result over all clips of a metric's scores."""
    clips = len(intact)
    usable = int(scores.usable.sum())
    value = scores.value(np.arange(clips))
    status: Status = "ok"
    if not intact.any():
        status = "failed_generation"
    elif value is None:
        status = "not_applicable"
    return MetricResult(
        value=value,
        n=usable,
        coverage=usable / clips,
        status=status,
        per_clip=scores.per_clip(),
    )


def once_per_observation(function: Callable[[Seen], Derived]) -> Callable[[Seen], Derived]:
    """Remember what a function of an observation returned, as long as the observation lives.

    The reference is shared by all cells, and several metrics start from the same curves.
    """
    found: WeakKeyDictionary[Seen, Derived] = WeakKeyDictionary()

    def remembered(observation: Seen) -> Derived:
        if observation not in found:
            found[observation] = function(observation)
        return found[observation]

    return remembered


@once_per_observation
def embedded(observation: Observation) -> EmbeddedClips:
    """The embeddings of an observation as sets."""
    windows = observation.windows
    video, audio, joint = (ClipSets.of(points) for points in (windows.video, windows.audio, windows.joint))
    return EmbeddedClips(video, audio, joint, observation.intact)
