"""Do the readers of the character know who speaks, who is shown, what is said, and what is no face at all?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mfbench.bench.judging.check import Check, at_least, at_most, info
from mfbench.bench.judging.kit import FRAME_RATE_HZ, Kit
from mfbench.bench.judging.nuisances import through_codec
from mfbench.bench.judging.sync_checks import auc
from mfbench.bench.judging.takes import Takes, draw, hear
from mfbench.character.face import LIGHT, RANGES
from mfbench.data.streaming import Block
from mfbench.metrics.base import FloatArray, Metric
from mfbench.metrics.film import Film, observe_film
from mfbench.metrics.observe import Observation
from mfbench.metrics.readers.images import Pixels
from mfbench.registry import METRICS

GAINS_DB = (-12.0, 12.0)
NOISE_DB = 20.0  # below the sound
# on real clips, where every reading has a right answer
LEAST = {"id_sim_lite": 0.95, "attr_acc": 0.95, "render_valid": 0.95, "mouth_detect_rate": 0.95}
MOST = {"per": 0.1, "wer_lite": 0.1, "f0_rmse_st": 2.0}

SIZE_PX = 64  # of what is no face, as films are scored
CODED_PX = 128  # of real takes, some of which go through the codec
QUALITY = 36  # x264's crf
DARKER = 0.8  # of the brightness
FAINT = 0.05  # of the brightness; in 8 bits hardly a picture any more
FLAT: dict[str, int | tuple[int, int, int]] = {
    "black": 0,
    "dark (8)": 8,
    "dark (16)": 16,
    "dark grey (48)": 48,
    "grey (60)": 60,
    "grey (128)": 128,
    "white": 255,
    "one colour, a skin's": (98, 62, 42),
}
NOISY = {  # grey level and standard deviation
    "noise around grey": (128.0, 30.0),
    "faint noise around grey": (128.0, 3.0),
    "faint noise on dark grey": (48.0, 6.0),
    "faint noise on black": (0.0, 3.0),
}
# shares of frames of real takes that were a drawn face, and a mouth, before a face had to be shown with a
# least strength: what keeps empty pictures out must not cost a real one
KEPT = {
    "real takes": (0.999, 0.999),
    "the darkest legal light": (0.916, 0.999),
    "brightness -20 %": (0.999, 0.999),
    "H.264 at crf 36": (0.99, 0.99),  # 0.9974; other builds of the codec may lose another frame
}


def readings(kit: Kit, takes: Takes, seen: Observation) -> Iterator[Check]:
    """Values of real clips, voices told apart, and voices that are louder, softer or in hiss."""
    for name, least in LEAST.items():
        yield at_least(f"{name} of real clips", _value(name, takes, seen), least)
    for name, most in MOST.items():
        yield at_most(f"{name} of real clips", _value(name, takes, seen), most)
    own, others = _likeness(takes, seen)
    yield at_least("voices named right", float((own > others.max(1)).mean()), 0.95)
    yield at_least("AUC of the voice that speaks against all others", auc(own, others.ravel()), 0.98)
    for gain_db in GAINS_DB:
        louder = (takes.sound() * 10 ** (gain_db / 20)).astype(np.float32)
        moved = _likeness(takes, hear(kit, seen, louder))[0].mean() - own.mean()
        yield at_most(f"gain {gain_db:+.0f} dB moves voice_sim by", float(abs(moved)), 0.05)
    sound = takes.sound()
    level = np.sqrt((sound**2).mean(1, keepdims=True)) * 10 ** (-NOISE_DB / 20)
    hiss = (level * np.random.default_rng(0).standard_normal(sound.shape)).astype(np.float32)
    moved = _likeness(takes, hear(kit, seen, sound + hiss))[0].mean() - own.mean()
    yield info(f"noise at {NOISE_DB:.0f} dB SNR moves voice_sim by", float(moved))


def no_faces(kit: Kit, takes: Takes) -> Iterator[Check]:
    """Films without a face under real speech, which must not pass for one; real faces, which still must."""
    for name, frames in without_face(takes):
        film = watched(kit, frames, takes.sound()[0])
        yield at_most(f"{name}: share of frames that are a drawn face", float(film.seen.face.drawn.mean()), 0)
        yield at_most(f"{name}: share of frames that show a mouth", float(film.seen.face.mouth.mean()), 0)
        yield at_most(f"{name}: counts as a character", float(film.is_character), 0)
    for name, pictures in _still_faces(takes):
        read = kit.readers.pixels.read(pictures, FRAME_RATE_HZ)
        drawn, mouth = KEPT[name]
        yield at_least(f"{name}: share of frames that are a drawn face", float(read.drawn.mean()), drawn)
        yield at_least(f"{name}: share of frames that show a mouth", float(read.mouth.mean()), mouth)


def watched(kit: Kit, frames: Pixels, sound: FloatArray) -> Film:
    """A film as `score` reads it."""
    return observe_film([Block(0.0, frames, sound)], FRAME_RATE_HZ, kit.readers)


def without_face(takes: Takes) -> Iterator[tuple[str, Pixels]]:
    """Films that show nothing, noise, plain shapes, or the first take so dark that nothing is left of it."""
    real = takes.pictures(SIZE_PX)[0]
    rng = np.random.default_rng(0)
    for name, colour in FLAT.items():
        yield name, np.full(real.shape, colour, np.uint8)
    yield "uniform noise", rng.integers(0, 256, real.shape, dtype=np.uint8)
    for name, (level, spread) in NOISY.items():
        noise = rng.standard_normal(real.shape, dtype=np.float32)
        yield name, np.clip(level + spread * noise, 0, 255).astype(np.uint8)
    rows = np.linspace(0, 1, SIZE_PX)[:, None, None]
    yield "a slope that is nearly black", np.broadcast_to(16 * rows, real.shape).astype(np.uint8)
    yield "two dark halves", np.broadcast_to(np.where(rows < 0.5, 10, 20), real.shape).astype(np.uint8)
    yield f"a face at {FAINT:.0%} of its brightness", (FAINT * real).astype(np.uint8)


def _still_faces(takes: Takes) -> Iterator[tuple[str, Pixels]]:
    """Real takes as they are, and as far from it as legal light, light of the room and a codec take them."""
    dark = takes.face.copy()
    dark[..., LIGHT] = RANGES["light"][0]
    real = takes.pictures(CODED_PX)
    yield "real takes", real
    yield "the darkest legal light", draw(dark, CODED_PX)
    yield "brightness -20 %", (DARKER * real).astype(np.uint8)
    yield f"H.264 at crf {QUALITY}", through_codec(real, QUALITY)


def _value(name: str, takes: Takes, seen: Observation) -> float:
    metric = METRICS.build({"type": name})
    assert isinstance(metric, Metric)
    found = metric.compute(seen, seen, takes.prompts()).value
    return float("nan") if found is None else found


def _likeness(takes: Takes, seen: Observation) -> tuple[FloatArray, FloatArray]:
    """Of the voice that speaks [clips], and of all others [clips, voices - 1]."""
    clips = np.arange(len(takes.voice))
    found = seen.voice.likeness
    other = np.ones(found.shape, dtype=np.bool_)
    other[clips, takes.voice] = False
    return found[clips, takes.voice], found[other].reshape(len(clips), -1)
