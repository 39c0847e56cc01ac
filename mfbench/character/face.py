"""The drawn character: 34 numbers per frame in, pixels out.

Palette, shape, light and style are parameters of every frame like the motion is, so a model that generates
them can drift in identity and colour.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mfbench.character.canvas import Array, Canvas, ellipse, slab, step_edge

MOTION_PARAMETERS: tuple[str, ...] = (
    "open", "width", "round", "teeth", "tx", "ty", "roll", "yaw", "blink", "brow", "gaze",
)  # fmt: skip
PALETTE: tuple[str, ...] = ("skin", "hair", "shirt", "background", "iris")
STYLE_PARAMETERS: tuple[str, ...] = ("style_0", "style_1", "style_2", "style_3")
APPEARANCE_PARAMETERS: tuple[str, ...] = (
    *(f"{part}_{channel}" for part in PALETTE for channel in "rgb"),
    "aspect", "eye_spacing", "brow_weight", "light", *STYLE_PARAMETERS,
)  # fmt: skip
FACE_PARAMETERS: tuple[str, ...] = MOTION_PARAMETERS + APPEARANCE_PARAMETERS
LIGHT = FACE_PARAMETERS.index("light")

# legal range of every parameter; a decoder clips to it
RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(FACE_PARAMETERS, (0.0, 1.0)),
    "tx": (-0.15, 0.15),
    "ty": (-0.12, 0.12),
    "roll": (-0.25, 0.25),
    "yaw": (-0.2, 0.2),
    "brow": (-1.5, 1.5),
    "gaze": (-1.5, 1.5),
    "aspect": (0.8, 1.2),
    "eye_spacing": (0.18, 0.35),
    "brow_weight": (-0.5, 1.5),
    "light": (0.5, 1.5),
    **dict.fromkeys(STYLE_PARAMETERS, (-1.0, 2.0)),
}

DARK = np.array((52, 8, 20), np.float32)
TEETH = np.array((248, 248, 242), np.float32)
TONGUE = np.array((196, 72, 84), np.float32)
WHITE = np.array((252, 252, 252), np.float32)
LIP = np.array((205, 40, 70), np.float32)
BLOCK = 64  # frames drawn at a time, to stay in cache


def clip_to_ranges(parameters: NDArray[np.float32]) -> NDArray[np.float32]:
    """Parameters [..., 34] within their legal ranges."""
    low, high = np.array([RANGES[name] for name in FACE_PARAMETERS], np.float32).T
    return np.clip(parameters, low, high)


def render(parameters: NDArray[np.float32], size_px: int) -> NDArray[np.uint8]:
    """Frames [n, size, size, 3] of parameters [n, 34] (out-of-range values are clipped)."""
    if parameters.ndim != 2 or parameters.shape[1] != len(FACE_PARAMETERS):
        raise ValueError(
            f"render takes [frames, {len(FACE_PARAMETERS)}] parameters in the order of FACE_PARAMETERS, "
            f"got shape {parameters.shape}"
        )
    values = clip_to_ranges(np.asarray(parameters, np.float32))
    style = values[:, -len(STYLE_PARAMETERS) :].argmax(1)
    out = np.empty((len(values), size_px, size_px, 3), np.uint8)
    for kind in np.unique(style):
        rows = np.flatnonzero(style == kind)
        for block in np.split(rows, range(BLOCK, len(rows), BLOCK)):
            out[block] = _Face(values[block], int(kind), size_px).draw()
    return out


class _Face:
    """One block of frames of one hair style."""

    def __init__(self, values: Array, style: int, size_px: int) -> None:
        self.p = {name: values[:, i, None, None] for i, name in enumerate(FACE_PARAMETERS)}
        start = len(MOTION_PARAMETERS)
        self.colour = {
            part: values[:, start + 3 * i : start + 3 * i + 3] * 255 for i, part in enumerate(PALETTE)
        }
        self.style = style
        self.canvas = Canvas(np.empty((len(values), size_px, size_px, 3), np.float32))
        self.axis = self.canvas.axis()
        self.cos, self.sin = np.cos(self.p["roll"]), np.sin(self.p["roll"])

    def draw(self) -> NDArray[np.uint8]:
        """Back to front."""
        shade = 1 - 0.10 * self.axis[:, None, None]
        self.canvas.image[:] = self.colour["background"][:, None, None, :] * shade
        self._body()
        self._head()
        self._eyes()
        self._mouth()
        lit = self.canvas.image * self.p["light"][..., None]
        return np.asarray(np.clip(lit + 0.5, 0, 255), np.uint8)

    def _coordinates(self, rows: slice, columns: slice) -> tuple[Array, Array]:
        """Head coordinates: shifted, then rolled about the neck."""
        x = self.axis[None, None, columns] - self.p["tx"]
        y = self.axis[None, rows, None] - self.p["ty"] - np.float32(0.5)
        return self.cos * x + self.sin * y, -self.sin * x + self.cos * y + np.float32(0.5)

    def _oval(
        self,
        rows: slice,
        xy: tuple[Array, Array],
        centre: tuple[object, object],
        radii: tuple[object, object],
        colour: Array,
    ) -> None:
        cover = ellipse(*xy, _pair(centre), _pair(radii), self.canvas.pixel)
        self.canvas.paint(rows, slice(None), cover, colour)

    def _body(self) -> None:
        """Shirt and neck follow the head by less than half."""
        rows = self.canvas.rows(0.5, 1.0)
        x = self.axis[None, None, :] - 0.4 * self.p["tx"]
        y = self.axis[None, rows, None] - 0.4 * self.p["ty"]
        self._oval(rows, (x, y), (0, 1.28), (0.95, 0.52), self.colour["shirt"])
        self._oval(rows, (x, y), (0, 0.72), (0.22, 0.20), self.colour["skin"] * 0.82)

    def _head(self) -> None:
        whole = slice(None)
        xy, aspect = self._coordinates(whole, whole), self.p["aspect"]
        skin, hair = self.colour["skin"], self.colour["hair"]
        if self.style in (1, 3):  # long, bob
            self._oval(whole, xy, (0, -0.02), (0.70 * aspect, 0.80 if self.style == 1 else 0.72), hair)
        else:
            self._oval(whole, xy, (0, -0.16), (0.64 * aspect, 0.72), hair)
            for side in (-1, 1):
                ear = side * 0.60 * aspect - 0.3 * self.p["yaw"]
                self._oval(whole, xy, (ear, 0.02), (0.09, 0.14), skin * 0.9)
        self._oval(whole, xy, (0, 0.06), (0.585 * aspect, 0.735), skin)
        rows = self.canvas.rows(-1, -0.12)
        x, y = xy[0][:, rows], xy[1][:, rows]
        crown = ellipse(x, y, _pair((0, -0.12)), _pair((0.62 * aspect, 0.70)), self.canvas.pixel)
        self.canvas.paint(rows, whole, crown * step_edge(self._fringe(x, y), self.canvas.pixel), hair)
        rows = self.canvas.rows(-0.15, 0.36)
        near = (xy[0][:, rows], xy[1][:, rows])
        self._oval(rows, near, (1.25 * self.p["yaw"], 0.13), (0.055, 0.075), skin * 0.86)

    def _fringe(self, x: Array, y: Array) -> Array:
        """Signed distance below which the forehead is covered, per style."""
        if self.style == 0:
            return np.asarray(y + 0.42 + 0.10 * x)
        if self.style == 1:
            return np.asarray(y + 0.50 - 0.55 * np.abs(x - 0.12))
        return np.asarray(y + (0.56 if self.style == 2 else 0.36))

    def _eyes(self) -> None:
        rows, whole, pixel = self.canvas.rows(-0.5, 0.25), slice(None), self.canvas.pixel
        x, y = self._coordinates(rows, whole)
        blink = self.p["blink"]
        for side in (-1, 1):
            cx = side * self.p["eye_spacing"] + self.p["yaw"]
            height = np.float32(0.115) * (1 - blink) + np.float32(1e-4)
            eye = slab(x, y, _pair((cx, -0.08)), _pair((0.125, height)), pixel)
            self.canvas.paint(rows, whole, eye, WHITE)
            pupil = ellipse(x, y, _pair((cx + 0.035 * self.p["gaze"], -0.075)), _pair((0.062, 0.072)), pixel)
            self.canvas.paint(rows, whole, eye * pupil, self.colour["iris"])
            lid = np.clip(1.3 - np.abs(y + 0.08) / 0.028, 0, 1) * step_edge(
                _f32(np.abs(x - cx) - 0.12), pixel
            )
            shut = np.clip(1.5 * blink - 0.5, 0, 1)
            self.canvas.paint(rows, whole, (lid * shut).astype(np.float32), self.colour["skin"] * 0.5)
            lift = -0.275 - 0.035 * self.p["brow"]
            thick = 0.030 + 0.018 * self.p["brow_weight"]
            arc = step_edge(_f32(np.abs(y - lift - 0.10 * (x - cx) * side) - thick), pixel)
            brow = _f32(arc * step_edge(_f32(np.abs(x - cx) - 0.125), pixel))
            self.canvas.paint(rows, whole, brow, self.colour["hair"] * 0.75)

    def _mouth(self) -> None:
        rows, columns, pixel = self.canvas.rows(0.0, 0.9), self.canvas.rows(-0.62, 0.62), self.canvas.pixel
        x, y = self._coordinates(rows, columns)
        half_height, half_width = mouth_size(self.p["open"], self.p["width"], self.p["round"])
        cx, cy = 0.9 * self.p["yaw"], np.float32(0.43)
        lip_radii = (half_width + 0.055, half_height + 0.062 + 0.02 * self.p["round"])
        lips = ellipse(x, y, _pair((cx, cy)), _pair(lip_radii), pixel)
        self.canvas.paint(rows, columns, lips, self.colour["skin"] * 0.45 + LIP * 0.55)
        inside = slab(x, y, _pair((cx, cy)), _pair((half_width, half_height)), pixel)
        self.canvas.paint(rows, columns, inside, DARK)
        edge = step_edge(y - cy + half_height * (1 - 0.75 * self.p["teeth"]), pixel)
        self.canvas.paint(rows, columns, inside * edge * np.clip(4 * self.p["teeth"], 0, 1), TEETH)
        tongue_centre = (cx, cy + 0.95 * half_height + 0.03)
        tongue_radii = (0.62 * half_width, 0.42 * half_height + np.float32(1e-3))
        tongue = ellipse(x, y, _pair(tongue_centre), _pair(tongue_radii), pixel)
        self.canvas.paint(rows, columns, inside * tongue, TONGUE)


def mouth_size(opening: Array, width: Array, rounding: Array) -> tuple[Array, Array]:
    """Half height and half width of the mouth opening, in coordinate units."""
    return 0.235 * opening, (0.15 + 0.155 * width) * (1 - 0.30 * rounding)


def _pair(values: tuple[object, object]) -> tuple[Array, Array]:
    return _f32(values[0]), _f32(values[1])


def _f32(values: object) -> Array:
    return np.asarray(values, np.float32)
