"""From decoded pictures to upright RGB of one size, each pixel the mean of the source pixels below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from PIL import Image

from mfbench.data.media_facts import MAX_PIXELS, MediaError

Fit = Literal["centre-square", "whole"]
FITS: tuple[Fit, ...] = get_args(Fit)
MAX_PIXEL_ASPECT = 10.0  # wider or higher pixels are no picture format but a damaged header
ABORTING = ("yaf32be", "yaf32le")  # libswscale 9.5 fails an assertion on grey floats with alpha


@dataclass(frozen=True)
class _Cut:
    """A region of the stored picture in pixels, and the size it is scaled to before it is turned."""

    left: float
    top: float
    across: float
    high: float
    width: int
    height: int


class Shaper:
    """Scales the pictures of one stream; all of them get the shape of the first.

    Args:
        size_px: side of the square, or the short side where the picture is kept whole.
        fit: "centre-square" cuts the largest centred square out of the displayed picture; "whole" keeps all.
        pixel_aspect: width / height of a stored pixel.

    Raises:
        MediaError: pixels too wide or too high to be true.
    """

    def __init__(self, size_px: int, fit: Fit, pixel_aspect: float) -> None:
        if not 1 / MAX_PIXEL_ASPECT <= pixel_aspect <= MAX_PIXEL_ASPECT:
            raise MediaError(
                f"has pixels of aspect {pixel_aspect:.4g} (wanted {1 / MAX_PIXEL_ASPECT:g} to "
                f"{MAX_PIXEL_ASPECT:g}); write the file anew with a sane pixel aspect",
                "damaged",
            )
        self.size_px, self.fit, self.pixel_aspect = size_px, fit, pixel_aspect
        self._colours = VideoReformatter()  # keeps its tables from picture to picture
        self._size: tuple[int, int] | None = None  # of the first picture, upright

    def __call__(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Upright RGB uint8 [height, width, 3].

        Raises:
            MediaError: pixels of an unknown kind, or too many, in the file or in the result.
        """
        if frame.width * frame.height > MAX_PIXELS:
            raise MediaError(
                f"holds a picture of {frame.width} x {frame.height}; scale it first", "too_large"
            )
        turns = quarter_turns(frame)
        cut = self._square(frame) if self.fit == "centre-square" else self._whole(frame, turns)
        rgb = self._rgb(frame)
        return np.ascontiguousarray(np.rot90(_scaled(rgb, cut), turns))

    def _rgb(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        try:
            if frame.format.name in ABORTING:
                raise ValueError("libav would end the process")
            coloured = self._colours.reformat(frame, format="rgb24", threads=1)
        except (av.error.FFmpegError, ValueError) as error:
            text = f"holds {frame.format.name} pictures, which cannot be converted ({error}); encode it anew"
            raise MediaError(text, "unreadable") from error
        rgb: NDArray[np.uint8] = coloured.to_ndarray().astype(np.uint8, copy=False)
        return rgb

    def _square(self, frame: av.VideoFrame) -> _Cut:
        side = min(frame.width * self.pixel_aspect, frame.height)
        across = side / self.pixel_aspect
        left, top = (frame.width - across) / 2, (frame.height - side) / 2
        return _Cut(left, top, across, side, self.size_px, self.size_px)

    def _whole(self, frame: av.VideoFrame, turns: int) -> _Cut:
        if self._size is None:
            self._size = self._upright_size(frame, turns)
        height, width = self._size if turns % 2 == 0 else self._size[::-1]
        return _Cut(0, 0, frame.width, frame.height, width, height)

    def _upright_size(self, frame: av.VideoFrame, turns: int) -> tuple[int, int]:
        stored = frame.height, frame.width * self.pixel_aspect
        scale = self.size_px / min(stored)
        height, width = (max(round(side * scale), 1) for side in stored)
        if height * width > MAX_PIXELS:
            raise MediaError(
                f"holds a picture of {frame.width} x {frame.height}, which would become {width} x {height} "
                f"with a short side of {self.size_px}, more than {MAX_PIXELS} pixels; cut it first",
                "too_large",
            )
        return (height, width) if turns % 2 == 0 else (width, height)


def quarter_turns(frame: av.VideoFrame) -> int:
    """Counter-clockwise turns that make it upright, as `np.rot90` turns."""
    return round((frame.rotation or 0) / 90) % 4


def square(frame: av.VideoFrame, size_px: int, pixel_aspect: float) -> NDArray[np.uint8]:
    """Upright RGB [size, size, 3]: the centre square in display shape, averaged over source pixels."""
    return Shaper(size_px, "centre-square", pixel_aspect)(frame)


def _scaled(rgb: NDArray[np.uint8], cut: _Cut) -> NDArray[np.uint8]:
    """The region at its new size.

    libav's own scaler is faster, but its area mode thins out the columns of the colour planes: 19 grey levels
    from the mean on coloured noise of 8 x 8 source pixels per pixel.
    """
    whole_pixels = all(float(value).is_integer() for value in (cut.left, cut.top, cut.across, cut.high))
    if whole_pixels:
        left, top, across, high = int(cut.left), int(cut.top), int(cut.across), int(cut.high)
        inside = rgb[top : top + high, left : left + across]
        if (high, across) == (cut.height, cut.width):
            return inside
        if high % cut.height == 0 and across % cut.width == 0:
            picture = Image.fromarray(np.ascontiguousarray(inside))
            return np.asarray(picture.reduce((across // cut.width, high // cut.height)), np.uint8)
    smaller = cut.high >= cut.height and cut.across >= cut.width
    method = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    box = (cut.left, cut.top, cut.left + cut.across, cut.top + cut.high)
    resized = Image.fromarray(rgb).resize((cut.width, cut.height), method, box=box)
    return np.asarray(resized, dtype=np.uint8)
