"""A film and the true film that a manifest names as its target, read side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mfbench.bench.scoring.piece import Piece
from mfbench.data.media_facts import MediaError
from mfbench.data.streaming import Block, Grid, open_media
from mfbench.metrics.comparison import Comparison, UnequalError
from mfbench.metrics.observe import Observation, Readers
from mfbench.registry import METRICS


class PairedFilm:
    """What is wrong with a target costs the metrics of pairs only, and they say what it is.

    Args:
        target: the true film; None where there is none.
        grid: of both films.
        limit_s: a longer target is refused.
        readers: fitted judges.
    """

    def __init__(self, target: Path | None, grid: Grid, limit_s: float, readers: Readers) -> None:
        self.target, self.grid, self.limit_s = target, grid, limit_s
        self.problem = ""
        self._comparison = Comparison(self._blocks(target), grid.fps, readers) if target else None

    def passing(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks of the film as they are, compared on their way."""
        return iter(blocks) if self._comparison is None else self._comparison.passing(blocks)

    def beside(self, seen: Observation) -> Observation:
        """What was read from the film, with the comparison where there is one."""
        if self._comparison is None or self.problem:
            return seen
        try:
            return self._comparison.beside(seen)
        except UnequalError as error:
            self.problem = f"unequal: {error}"
            return seen

    def failed_pieces(self, shown: Callable[[str], str]) -> dict[str, Piece]:
        """A failed piece for every metric of pairs, where a target is named and cannot be used.

        Args:
            shown: a message as it may be shown.
        """
        if not self.problem:
            return {}
        failed = Piece("failed_metric", reason=shown(f"target: {self.problem}"))
        return {name: failed for name in METRICS.names() if "paired" in METRICS.get(name).needs}

    def _blocks(self, target: Path) -> Iterator[Block]:
        try:
            yield from open_media(target, self.grid, limit_s=self.limit_s)
        except MediaError as error:
            self.problem = f"{error.reason}: {error}"
