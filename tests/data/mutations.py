"""Seeded damage to files."""

from __future__ import annotations

import random

FIELDS = (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x01")
KINDS = ("flip", "zero", "cut", "swap", "field", "insert")


def mutated(content: bytes, seed: int) -> bytes:
    """One to five changes of one kind, the same for the same seed."""
    draw = random.Random(seed)
    out = bytearray(content)
    kind = KINDS[seed % len(KINDS)]
    for _ in range(1 if kind == "cut" else draw.choice((1, 1, 2, 5))):
        _change(out, kind, draw)
    return bytes(out)


def _change(out: bytearray, kind: str, draw: random.Random) -> None:
    at = draw.randrange(len(out) - 4)
    if kind == "flip":
        for _ in range(draw.choice((1, 8, 64))):
            out[draw.randrange(len(out))] ^= 1 << draw.randrange(8)
    elif kind == "zero":
        size = min(draw.choice((4, 64, 1000, 4000)), len(out) - at)
        out[at : at + size] = bytes(size)
    elif kind == "cut":
        del out[max(at, 8) :]
    elif kind == "swap":
        size = draw.choice((16, 200, 1000))
        first, second = sorted(draw.randrange(len(out) - size) for _ in range(2))
        one, other = out[first : first + size], out[second : second + size]
        out[first : first + size], out[second : second + size] = other, one
    elif kind == "field":
        header = draw.choice((range(min(len(out) - 4, 1200)), range(max(len(out) - 1500, 0), len(out) - 4)))
        at = draw.choice(header)
        out[at : at + 4] = draw.choice((*FIELDS, draw.randbytes(4)))
    else:
        out[at:at] = draw.randbytes(draw.choice((1, 10, 500)))
