from __future__ import annotations

import numpy as np
import pytest
import torch

from mfbench.character.performance import perform
from mfbench.clip_spec import ClipSpec
from mfbench.codecs.linear_mel import LinearMelCodec
from mfbench.mel import LOG_FLOOR, log_mel

SPEC = ClipSpec(chunks=4, mel_frames_per_audio_token=8, audio_channels=48)


@pytest.fixture(scope="module")
def mel() -> np.ndarray:
    waves = np.stack([perform(0, "train", i, 1.28, 12.5).waveform for i in range(24)])
    return log_mel(torch.tensor(waves)).numpy()


def test_tokens_and_round_trip(mel: np.ndarray) -> None:
    codec = LinearMelCodec(SPEC).fit(mel)
    latents = codec.encode(mel)
    assert latents.shape == (24, 4, 2, 48)
    decoded = codec.decode(latents)
    assert decoded.shape == mel.shape
    error_db = 20 / np.log(10) * np.sqrt(np.mean((decoded - mel) ** 2))
    assert error_db < 4
    assert decoded.min() >= np.float32(LOG_FLOOR)
    # a projection: decoding what was decoded changes nothing but the clipped floor
    np.testing.assert_allclose(codec.decode(codec.encode(decoded)), decoded, atol=0.6)


@pytest.mark.parametrize("whitening", [0.0, 0.5, 1.0])
def test_scaling(mel: np.ndarray, whitening: float) -> None:
    codec = LinearMelCodec(SPEC, whitening).fit(mel)
    spread = codec.encode(mel).reshape(-1, 48).std(0)
    if whitening == 1.0:
        torch.testing.assert_close(spread, torch.ones(48), rtol=1e-3, atol=1e-3)
    assert float((spread**2).mean()) == pytest.approx(1.0, rel=1.0)
    assert torch.all(spread[:-1] >= spread[1:] - 1e-3)
    plain = LinearMelCodec(SPEC, 0.0).fit(mel)
    np.testing.assert_allclose(codec.decode(codec.encode(mel)), plain.decode(plain.encode(mel)), atol=1e-3)


def test_chunks_are_coded_alone(mel: np.ndarray) -> None:
    codec = LinearMelCodec(SPEC).fit(mel)
    np.testing.assert_allclose(codec.encode(mel[:, 16:32])[:, 0], codec.encode(mel)[:, 1], atol=1e-5)


def test_state_restores_the_codec(mel: np.ndarray) -> None:
    codec = LinearMelCodec(SPEC).fit(mel)
    fresh = LinearMelCodec(SPEC).load(codec.state())
    torch.testing.assert_close(fresh.encode(mel), codec.encode(mel))


def test_errors(mel: np.ndarray) -> None:
    with pytest.raises(RuntimeError, match="call fit or load"):
        LinearMelCodec(SPEC).encode(mel)
    with pytest.raises(ValueError, match=r"wanted is \[batch, k \* 16, 64\]"):
        LinearMelCodec(SPEC).fit(mel[..., :40])
    with pytest.raises(ValueError, match="more training clips or fewer channels"):
        LinearMelCodec(SPEC).fit(mel[:1])
    with pytest.raises(ValueError, match="lacks"):
        LinearMelCodec(SPEC).load({"mean": torch.zeros(3)})
