"""Head motion, gaze, brows, blinks and light: slow random tracks with a blink every 1 to 3 s."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfbench.character.streams import Float, ticks, wander

BLINK_HALF_S = 0.10
LIGHT_SWING = 0.08


@dataclass(frozen=True)
class Motion:
    """Tracks at 5 ms; ranges as `face` draws them."""

    time_s: Float
    tx: Float
    ty: Float
    roll: Float
    yaw: Float
    blink: Float
    brow: Float
    gaze: Float
    light: Float


def natural_motion(duration_s: float, rng: np.random.Generator) -> Motion:
    """Smooth head motion, gaze and light, and blinks of 200 ms."""
    time = ticks(duration_s)
    count = len(time)
    return Motion(
        time_s=time,
        tx=wander(rng, count, 0.9, 0.06),
        ty=wander(rng, count, 0.9, 0.04),
        roll=wander(rng, count, 1.1, 0.09),
        yaw=wander(rng, count, 1.0, 0.08),
        brow=wander(rng, count, 0.7, 1.0),
        gaze=wander(rng, count, 0.6, 1.0),
        light=1.0 + wander(rng, count, 1.5, LIGHT_SWING),
        blink=_blinks(time, duration_s, rng),
    )


def _blinks(time: Float, duration_s: float, rng: np.random.Generator) -> Float:
    blink = np.zeros(len(time))
    at = 0.2 + 1.2 * float(rng.random())
    while at < duration_s - BLINK_HALF_S:
        blink = np.maximum(blink, np.clip(1.35 - np.abs(time - at) / BLINK_HALF_S, 0, 1))
        at += 1.0 + 2.2 * float(rng.random())
    return blink
