"""What libav says of a file while it reads on: damage that it conceals raises no error, it is logged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import av

Message = tuple[int, str, str]  # level, who, text


@contextmanager
def listening() -> Iterator[list[Message]]:
    """Collect libav's error messages of this thread; others are left out.

    They are off outside, where nobody reads them. A message that repeats the one before it counts as well,
    because the one before may be another packet's.
    """
    level, once = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture(local=True) as messages:
            yield messages
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(once)


def about(who: str, messages: list[Message]) -> int:
    """Messages of one part of libav, by its name: reading packets also wakes parsers and decoders."""
    return sum(name == who for _, name, _ in messages)
