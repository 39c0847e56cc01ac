"""Whether what is said gets harder to understand, or leaves the text, over a long rollout."""

from __future__ import annotations

import numpy as np

from mfbench.character.timeline import Timeline
from mfbench.metrics.base import Double, MeanScores, Metric, Prompts, Scores
from mfbench.metrics.drift import LEAST_WINDOWS, WINDOW_S, slope_per_10_s
from mfbench.metrics.observe import Observation
from mfbench.metrics.phone_places import PlacedPhones, place_errors
from mfbench.registry import METRICS

_LEAST_SHARE = 0.5


def error_rates(placed: PlacedPhones, windows: int) -> Double:
    """Errors over wanted phones in every window, [windows]; nan where there is neither.

    A window with fewer wanted phones than half the mean counts as having half: what is babbled after the last
    word is an error, but not an endless one.
    """
    edges = WINDOW_S * np.arange(windows + 1)
    wanted, errors = (np.histogram(times, edges)[0] for times in (placed.wanted_s, placed.errors_s))
    if not len(placed.wanted_s):
        return np.full(windows, np.nan)
    usual = np.maximum(wanted, _LEAST_SHARE * max(1.0, wanted.mean()))
    return np.where(wanted + errors > 0, errors / usual, np.nan)


def window_rates(observation: Observation, timelines: tuple[Timeline | None, ...]) -> Double:
    """`error_rates` of every clip, [clips, windows]; nan where it is not known what was asked."""
    windows = int(observation.duration_s / WINDOW_S + 1e-6)
    rates = np.full((observation.clips, windows), np.nan)
    for clip, timeline in enumerate(timelines):
        if timeline is not None and windows:
            stretch = observation.duration_s / timeline.duration_s
            spoken = [(name, start) for name, start, _ in timeline.phones if name != "SIL"]
            placed = place_errors(
                [name for name, _ in spoken],
                [start * stretch for _, start in spoken],
                observation.speech.phones[clip],
                observation.speech.phone_onsets_s[clip],
                observation.duration_s,
            )
            rates[clip] = error_rates(placed, windows)
    return rates


@METRICS.register_module(name="drift_per")
class DriftPhoneErrors(Metric):
    """Growth of the phone error rate per window over that of the first: positive = more errors with time.

    Nobody says when a word has to be spoken, so the phones of the whole clip are aligned with the wanted ones
    once, and errors belong to the window in which they were heard (`phone_places`). The slope runs over all
    windows: what is taken off for the first one does not change it.
    """

    name = "drift_per"
    unit = "share/10 s"
    higher_is_better = None
    needs = ("character", "sound", "words")
    least_clips = 16
    least_s = 15.36

    def scores(self, candidate: Observation, reference: Observation, prompts: Prompts) -> Scores:
        """Slope per clip; windows in which nothing was wanted or said are left out."""
        del reference
        if candidate.duration_s < LEAST_WINDOWS * WINDOW_S - 1e-6:
            return MeanScores.of(np.full(candidate.clips, np.nan), candidate.intact)
        return MeanScores.of(slope_per_10_s(window_rates(candidate, prompts.timelines)), candidate.intact)

    @staticmethod
    def self_test() -> None:
        """Four phones of which the last two are swallowed, in a clip of two windows."""
        placed = place_errors("abcd", [1.0, 2.0, 6.0, 7.0], "ab", [1.0, 2.0], 2 * WINDOW_S)
        found = error_rates(placed, 2).tolist()
        if found != [0.0, 1.0]:
            raise AssertionError(f"errors of the second window alone have the rates {found}")
