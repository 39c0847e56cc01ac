from __future__ import annotations

import numpy as np
import pytest
from full_world import sound
from python_speech_features import mfcc as published
from python_speech_features.base import get_filterbanks

from mfbench.metrics.full.mfcc import mel_filters, mfcc, to_int16_scale


@pytest.mark.parametrize("samples", [1, 399, 400, 401, 560, 561, 12_345])
def test_cepstra_equal_the_package_of_the_published_pipeline(samples):
    integers = to_int16_scale(sound(1.0)[:samples])
    np.testing.assert_allclose(mfcc(integers), published(integers.astype(np.int16), 16_000), atol=1e-8)


def test_silence_has_finite_cepstra_equal_to_the_package():
    np.testing.assert_allclose(mfcc(np.zeros(2000)), published(np.zeros(2000), 16_000), atol=1e-8)


def test_filters_equal_the_package():
    np.testing.assert_allclose(mel_filters(), get_filterbanks(26, 512, 16_000), atol=1e-12)


def test_integers_are_those_of_a_sound_file():
    wave = np.array([0.0, 0.5, -1.0, 1.0, 2.0, 0.4 / 32_768], np.float32)
    assert to_int16_scale(wave).tolist() == [0, 16_384, -32_768, 32_767, 32_767, 0]


def test_nothing_has_no_cepstra():
    with pytest.raises(ValueError, match="no samples"):
        mfcc(np.zeros(0))
