"""The word list of every chunk: what is said, in order, without timing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mfbench.character.lexicon import LEXICON
from mfbench.character.timeline import Timeline

SLOTS = 4
AGES = 4  # announced, begins in this chunk, goes on, goes on for longer
VOCABULARY = len(LEXICON) * AGES


def word_slots(timeline: Timeline, chunk_s: float, chunks: int, slots: int = SLOTS) -> NDArray[np.int64]:
    """Word ids [chunks, slots] in spoken order: 1 + lexicon index + len(LEXICON) * age, 0 if empty.

    A word stands in the chunk before its onset and in every chunk it overlaps, so speech never precedes its
    condition and the timing inside is for audio and video to agree on. The age says for how many chunks
    the word has been listed, which the lists of earlier chunks say as well.

    Raises:
        ValueError: a chunk would hold more words than there are slots.
    """
    out = np.zeros((chunks, slots), np.int64)
    for k in range(chunks):
        begin, end = k * chunk_s, (k + 1) * chunk_s
        here = [
            1 + index + len(LEXICON) * min(k + 1 - int(start / chunk_s + 1e-9), AGES - 1)
            for index, start, stop in timeline.words
            if (start < end and stop > begin) or end <= start < end + chunk_s
        ]
        if len(here) > slots:
            raise ValueError(
                f"chunk {k} ({begin:.2f}-{end:.2f} s) needs {len(here)} word slots and has {slots}; "
                "use a shorter chunk or more slots"
            )
        out[k, : len(here)] = here
    return out
