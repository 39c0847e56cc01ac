"""What a drawn face shows, read from its pixels.

A face of unknown identity is named by a linear discriminant of the first second, then its motion is read by
that identity's ridge regression. Drawing the face again from what was read, and comparing, tells whether
there was a face at all. The drawing is compared under the light of the picture, and in a dark picture every
drawing leaves little: so it must also be in the picture, with the contrast of a light that is legal.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from mfbench.character.face import (
    APPEARANCE_PARAMETERS,
    MOTION_PARAMETERS,
    PALETTE,
    RANGES,
    clip_to_ranges,
    render,
)
from mfbench.character.identity import IDENTITIES, identity_parameters
from mfbench.metrics.readers import linear
from mfbench.metrics.readers.images import (
    READ_SIZE_PX,
    FloatArray,
    Pixels,
    coarsen,
    grey,
    region_colours,
    sharpness,
    shrink,
    strength,
    unit,
)

_PIXEL_NOISE = 0.06  # of values in -1..1; keeps the regressions from using single pixels
_PALETTE_JITTER = 0.02
_LIGHT_JITTER = 0.12
_RIDGE = 3e-2
_CHECK_EVERY = 4  # frames; drawing every frame again would cost as much as all the rest
_MOUTH_ROWS = slice(17, 29)  # of READ_SIZE_PX
_MOUTH_COLUMNS = slice(8, 24)
_LIMIT_DRAWS = 400  # real mouths that the limit of `mouth` is taken from
_LIMIT_FACTOR = 1.5  # a mouth this much further off than 99 % of them is no mouth
# Half of what a face has in the darkest legal light: a codec takes up to a third of the contrast of a face
# that dark (0.34 is left at crf 36), and 20 % less brightness still leaves 0.30. One colour and noise have 0;
# halves and slopes that the residual lets pass, at most 0.13. In less light faces are named wrongly anyway.
_LEAST_STRENGTH = RANGES["light"][0] / 2
# Of the strength of the whole face. A mouth painted over with one colour has 0, one that is there has 0.3
# and more after the same codec; so little where a wrong name draws it in the colours of another face.
_LEAST_MOUTH = 0.25

_Values = TypeVar("_Values", FloatArray, Pixels)


@dataclass(frozen=True)
class FaceReading:
    """What the pixels of clips show, per frame unless said otherwise.

    Attributes:
        motion: `character.face.MOTION_PARAMETERS`, [clips, frames, 11].
        identity: index into IDENTITIES of the nearest known character, [clips].
        looks: identity embedding, within-identity spread one, [clips, frames, looks].
        likeness: cosine of `looks` with every known identity's, [clips, frames, identities].
        colours: mean colour of background, shirt, hair and skin regions in 0..255, [clips, frames, 12].
        residual: root mean square difference in grey levels between the frame and the face drawn again,
            every 4th frame, [clips, checked].
        drawn: whether the whole frame shows a drawn face, and is explained by it, every 4th frame,
            [clips, checked].
        mouth: whether the mouth region of a drawn face shows a drawn mouth, and is explained by it, every 4th
            frame, [clips, checked].
        sharpness: log mean squared Laplacian, [clips, frames].
        mouth_image: the grey mouth region, uint8 [clips, frames, 12, 16].
    """

    motion: FloatArray
    identity: NDArray[np.int64]
    looks: FloatArray
    likeness: FloatArray
    colours: FloatArray
    residual: FloatArray
    drawn: NDArray[np.bool_]
    mouth: NDArray[np.bool_]
    sharpness: FloatArray
    mouth_image: Pixels


@dataclass(frozen=True)
class PixelReader:
    """Linear readers of motion (one per known identity) and of identity.

    Attributes:
        weights: [identities, pixels, 11]; `centre` [identities, pixels]; `bias` [identities, 11].
        looks_basis: coarse pixels to identity embedding, [cells, looks]; `looks_centre` [cells].
        looks_means: embedding of every known identity, [identities, looks].
        mouth_limit: largest mouth residual of a face that counts as showing a mouth, in grey levels.
        face_limit: the same for the whole frame.
    """

    weights: FloatArray
    centre: FloatArray
    bias: FloatArray
    looks_basis: FloatArray
    looks_centre: FloatArray
    looks_means: FloatArray
    mouth_limit: FloatArray
    face_limit: FloatArray

    @classmethod
    def fit(cls, face: FloatArray, rng: np.random.Generator, draws: int = 640) -> Self:
        """Calibrate on face parameters [clips, frames, 34] of the training split.

        The motion of the training split, widened by draws over the legal ranges, is drawn with each known
        identity's looks, `draws` times.
        """
        motion = _calibration_motion(face.reshape(-1, face.shape[-1]), rng, draws)
        weights, centre, bias, coarse = [], [], [], []
        for identity in IDENTITIES:
            parameters = _with_looks(motion, identity_parameters(identity), rng)
            pixels = unit(render(parameters, READ_SIZE_PX))
            coarse.append(coarsen(pixels))
            rows = pixels.reshape(draws, -1)
            rows = rows + _PIXEL_NOISE * rng.standard_normal(rows.shape, dtype=np.float32)
            found = linear.ridge(rows, motion, _RIDGE)
            weights.append(found.weights)
            centre.append(found.centre)
            bias.append(found.bias)
        labels = np.repeat(np.arange(len(IDENTITIES)), draws)
        looks = linear.discriminant(np.concatenate(coarse), labels, len(IDENTITIES) - 1, shrinkage=1e-2)
        reader = cls(
            weights=np.stack(weights),
            centre=np.stack(centre),
            bias=np.stack(bias),
            looks_basis=looks.basis,
            looks_centre=looks.centre,
            looks_means=looks.means,
            mouth_limit=np.full(1, np.inf, np.float32),
            face_limit=np.full(1, np.inf, np.float32),
        )
        return reader._with_limits(face, rng)

    def read(
        self, frames: Pixels, frame_rate_hz: float, identity: NDArray[np.int64] | None = None
    ) -> FaceReading:
        """Pixels [clips, frames, size, size, 3] => what they show.

        Without a known `identity` [clips], the first second names it.
        """
        small = shrink(frames)
        clips, count = small.shape[:2]
        pixels = unit(small)
        coarse = coarsen(pixels.reshape(-1, *small.shape[2:]))
        flat_looks = np.asarray((coarse - self.looks_centre) @ self.looks_basis, dtype=np.float32)
        looks = flat_looks.reshape(clips, count, -1)
        if identity is None:
            first = looks[:, : max(1, round(frame_rate_hz))].mean(1)
            identity = ((first[:, None] - self.looks_means[None]) ** 2).sum(-1).argmin(1)
        motion = self._motion(pixels.reshape(clips, count, -1), identity)
        seen = small[:, ::_CHECK_EVERY].astype(np.float32)
        drawn = _drawn_again(motion[:, ::_CHECK_EVERY], identity)
        whole, mouth = _residuals(seen, drawn)
        shows_face, shows_mouth = _shown(seen, drawn)
        return FaceReading(
            motion=motion,
            identity=identity,
            looks=looks,
            likeness=_cosine(looks, self.looks_means),
            colours=region_colours(small),
            residual=whole,
            drawn=shows_face & (whole <= self.face_limit),
            mouth=shows_mouth & (mouth <= self.mouth_limit),
            sharpness=sharpness(small),
            mouth_image=grey(_mouth_of(small)),
        )

    def state(self) -> dict[str, NDArray[np.float32]]:
        """Everything that `fit` found."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def _motion(self, pixels: FloatArray, identity: NDArray[np.int64]) -> FloatArray:
        out = np.empty((*pixels.shape[:2], len(MOTION_PARAMETERS)), np.float32)
        for who in np.unique(identity):
            rows = np.flatnonzero(identity == who)
            offset = self.bias[who] - self.centre[who] @ self.weights[who]
            out[rows] = pixels[rows] @ self.weights[who] + offset
        return out

    def _with_limits(self, face: FloatArray, rng: np.random.Generator) -> Self:
        flat = face.reshape(-1, face.shape[-1])
        picked = flat[rng.choice(len(flat), _LIMIT_DRAWS)]
        frames = render(picked, READ_SIZE_PX)[:, None]
        known = np.stack([identity_parameters(who) for who in IDENTITIES])[:, :15]
        colours = picked[:, None, len(MOTION_PARAMETERS) : len(MOTION_PARAMETERS) + 15]
        identity = np.abs(colours - known).sum(-1).argmin(1)
        motion = self._motion(unit(frames).reshape(_LIMIT_DRAWS, 1, -1), identity)
        limits = [
            np.full(1, _LIMIT_FACTOR * np.quantile(found, 0.99), np.float32)
            for found in _residuals(frames.astype(np.float32), _drawn_again(motion, identity))
        ]
        return type(self)(**{**self.state(), "face_limit": limits[0], "mouth_limit": limits[1]})


def _drawn_again(motion: FloatArray, identity: NDArray[np.int64]) -> FloatArray:
    """Faces of known identities [clips] that move so, [clips, checked, 32, 32, 3] in 0..255."""
    looks = np.stack([identity_parameters(who) for who in IDENTITIES])[identity]
    shown = np.repeat(looks[:, None], motion.shape[1], axis=1)
    parameters = np.concatenate([motion, shown], -1).reshape(-1, motion.shape[-1] + shown.shape[-1])
    pictures = render(clip_to_ranges(parameters), READ_SIZE_PX)
    return pictures.reshape(*motion.shape[:2], *pictures.shape[1:]).astype(np.float32)


def _residuals(seen: FloatArray, drawn: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Root mean square grey-level residuals of the whole frame and of the mouth, [clips, checked]."""
    light = (seen * drawn).sum((2, 3, 4)) / np.maximum((drawn**2).sum((2, 3, 4)), 1.0)
    difference = (seen - light[..., None, None, None] * drawn) ** 2
    mouth = _mouth_of(difference)
    return np.sqrt(difference.mean((2, 3, 4))), np.sqrt(mouth.mean((2, 3, 4)))


def _shown(seen: FloatArray, drawn: FloatArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the drawn face, and its mouth, are in the pictures strongly enough, [clips, checked].

    Where they are not, a residual is small because nothing is shown. A mouth has to belong to a face.
    """
    face, mouth = strength(seen, drawn), strength(_mouth_of(seen), _mouth_of(drawn))
    shows_face = face >= _LEAST_STRENGTH
    return shows_face, shows_face & (mouth >= _LEAST_MOUTH * face)


def _mouth_of(pictures: _Values) -> _Values:
    """The mouth region of [clips, frames, 32, 32, ...]."""
    return pictures[:, :, _MOUTH_ROWS, _MOUTH_COLUMNS]


def _calibration_motion(real: FloatArray, rng: np.random.Generator, draws: int) -> FloatArray:
    """Half from the training split, half uniform over the legal ranges with mouth shapes kept real."""
    picked = real[rng.choice(len(real), draws), : len(MOTION_PARAMETERS)].copy()
    low, high = np.array([RANGES[name] for name in MOTION_PARAMETERS], np.float32).T
    seen_low, seen_high = np.quantile(real[:, : len(MOTION_PARAMETERS)], (0.002, 0.998), axis=0)
    wide = rng.random(picked.shape, dtype=np.float32)
    wide = np.clip(seen_low + (seen_high - seen_low) * (1.3 * wide - 0.15), low, high)
    mouth = [MOTION_PARAMETERS.index(name) for name in ("open", "width", "round", "teeth")]
    wide[:, mouth] = picked[:, mouth]
    picked[::2] = wide[::2]
    return picked


def _with_looks(motion: FloatArray, looks: FloatArray, rng: np.random.Generator) -> FloatArray:
    """One identity's parameters with small changes of colour and light, which reading must not follow."""
    shown = np.repeat(looks[None], len(motion), axis=0)
    colours = 3 * len(PALETTE)
    jitter = rng.random((len(motion), colours), dtype=np.float32) * 2 - 1
    shown[:, :colours] += np.float32(1.7 * _PALETTE_JITTER) * jitter
    light = APPEARANCE_PARAMETERS.index("light")
    shown[:, light] += _LIGHT_JITTER * (2 * rng.random(len(motion), dtype=np.float32) - 1)
    return clip_to_ranges(np.concatenate([motion, shown], 1))


def _cosine(vectors: FloatArray, known: FloatArray) -> FloatArray:
    """Cosine of vectors [..., values] with every known vector [count, values]."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True) * np.linalg.norm(known, axis=-1)
    return np.asarray(vectors @ known.T / (norms + np.float32(1e-6)), dtype=np.float32)
