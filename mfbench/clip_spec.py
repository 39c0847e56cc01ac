"""Rates and chunk geometry of a clip; every length in mfbench is a property of `ClipSpec`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from fractions import Fraction

ROUNDING = Fraction(1, 10**6)  # of a chunk, by which a written duration may be off


def _whole(value: Fraction, what: str) -> int:
    if value.denominator != 1:
        raise ValueError(
            f"{what} would be {float(value):g}, which is not a whole number; "
            "choose rates and a chunk length whose borders coincide"
        )
    return int(value)


@dataclass(frozen=True, kw_only=True)
class ClipSpec:
    """Geometry shared by data, codecs, models and metrics.

    A chunk holds the video latents and the audio latents of the same wall-clock interval. Mel frame k
    covers [k, k+1) * hop samples; video frame k shows the scene at (k + 0.5) / fps.

    Attributes:
        video_channels: channels of one video token (all `frames_per_video_token` frames of one patch).
        audio_channels: channels of one audio token (`mel_frames_per_audio_token` mel frames).
        video_grid: spatial tokens (rows, columns) of one video token row in time.
    """

    chunks: int = 16
    chunk_s: str = "8/25"  # 0.32 s, kept as an exact fraction so that lengths stay whole
    fps: str = "25/2"
    frame_size_px: int = 32
    sample_rate_hz: int = 16000
    hop_samples: int = 320
    mel_bands: int = 64
    frames_per_video_token: int = 1
    video_grid: tuple[int, int] = (1, 1)
    video_channels: int = 34
    mel_frames_per_audio_token: int = 4
    audio_channels: int = 48

    def __post_init__(self) -> None:
        if self.chunks < 1:
            raise ValueError(f"a clip needs at least one chunk, got chunks={self.chunks}")
        if self.mel_frames_per_chunk * self.hop_samples != self.samples_per_chunk:
            raise ValueError("mel frames do not tile the chunk; change hop_samples or chunk_s")
        _ = self.video_tokens_per_chunk, self.audio_tokens_per_chunk

    def with_chunks(self, chunks: int) -> ClipSpec:
        """The same geometry with another number of chunks."""
        return replace(self, chunks=chunks)

    def chunks_in(self, seconds: float) -> int:
        """Number of chunks in a duration, which must be a whole number of chunks but for rounding.

        Raises:
            ValueError: for any other duration.
        """
        chunks = Fraction(str(seconds)) / Fraction(self.chunk_s)
        if round(chunks) < 1 or abs(chunks - round(chunks)) > ROUNDING:
            below, above = (float(n * Fraction(self.chunk_s)) for n in (max(int(chunks), 1), int(chunks) + 1))
            raise ValueError(
                f"{seconds:g} s are {float(chunks):g} chunks of {self.chunk_seconds:g} s, wanted is a whole "
                f"number of them; try {below:g} or {above:g}"
            )
        return round(chunks)

    @property
    def chunk_seconds(self) -> float:
        """Duration of one chunk in seconds."""
        return float(Fraction(self.chunk_s))

    @property
    def duration_s(self) -> float:
        """Duration of the clip in seconds."""
        return float(self.chunks * Fraction(self.chunk_s))

    @property
    def frame_rate_hz(self) -> float:
        """Video frames per second."""
        return float(Fraction(self.fps))

    @property
    def mel_rate_hz(self) -> float:
        """Mel frames per second."""
        return self.sample_rate_hz / self.hop_samples

    @property
    def frames_per_chunk(self) -> int:
        """Video frames of one chunk."""
        return _whole(Fraction(self.chunk_s) * Fraction(self.fps), "video frames per chunk")

    @property
    def samples_per_chunk(self) -> int:
        """Audio samples of one chunk."""
        return _whole(Fraction(self.chunk_s) * self.sample_rate_hz, "audio samples per chunk")

    @property
    def mel_frames_per_chunk(self) -> int:
        """Mel frames of one chunk."""
        return _whole(Fraction(self.chunk_s) * self.sample_rate_hz / self.hop_samples, "mel frames per chunk")

    @property
    def video_rows_per_chunk(self) -> int:
        """Time positions of video tokens in one chunk."""
        return _whole(Fraction(self.frames_per_chunk, self.frames_per_video_token), "video rows per chunk")

    @property
    def video_tokens_per_chunk(self) -> int:
        """Video tokens of one chunk (time rows x spatial grid)."""
        return self.video_rows_per_chunk * self.video_grid[0] * self.video_grid[1]

    @property
    def audio_tokens_per_chunk(self) -> int:
        """Audio tokens of one chunk."""
        return _whole(
            Fraction(self.mel_frames_per_chunk, self.mel_frames_per_audio_token), "audio tokens per chunk"
        )

    @property
    def frames(self) -> int:
        """Video frames of the clip."""
        return self.chunks * self.frames_per_chunk

    @property
    def samples(self) -> int:
        """Audio samples of the clip."""
        return self.chunks * self.samples_per_chunk

    @property
    def mel_frames(self) -> int:
        """Mel frames of the clip."""
        return self.chunks * self.mel_frames_per_chunk

    def to_json(self) -> dict[str, object]:
        """Plain values for a record or a checkpoint; `ClipSpec.from_json` reads them back."""
        return {**asdict(self), "video_grid": list(self.video_grid)}

    @classmethod
    def from_json(cls, values: dict[str, object]) -> ClipSpec:
        """Rebuild a spec written by `to_json`."""
        fields = dict(values)
        grid = fields["video_grid"]
        if not isinstance(grid, list | tuple):
            raise ValueError(f"video_grid must be a pair, got {grid!r}")
        fields["video_grid"] = tuple(grid)
        return cls(**fields)  # type: ignore[arg-type]
