"""Whisper through transformers: are the wanted words heard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from mfbench.metrics.full.base import (
    NO_OPTIONS,
    Adapter,
    ClipMedia,
    ClipReading,
    FloatArray,
    MetricInfo,
    Needs,
    Ratio,
    WeightFile,
)
from mfbench.metrics.full.folders import from_folder, part_from_folder
from mfbench.metrics.full.packages import require
from mfbench.metrics.full.transcripts import basic_v1, count_errors
from mfbench.metrics.full.weights import WeightsError

SAMPLE_RATE_HZ = 16_000
LONGEST_S = 30  # what the model hears at once
_ERRORS = ("wer", "cer", "wer_capped")


class Whisper(Adapter):
    """Word and character errors of what Whisper hears, against the transcript."""

    name = "whisper"
    protocol = (
        "greedy, temperature 0, no timestamps, at most 30 s, language as given (en), normaliser basic-v1"
    )
    metrics = (
        MetricInfo("wer", "", False, (0.0, None), 100),
        MetricInfo("cer", "", False, (0.0, None), 100),
        MetricInfo("wer_capped", "", False, (0.0, 1.0), 100),
        MetricInfo("empty_rate", "", False, (0.0, 1.0), 100),
    )
    weight_files = (
        WeightFile(
            key="whisper",
            file="folder with config.json, model.safetensors, the tokenizer and preprocessor_config.json",
            what="Whisper (large-v3 is usual), folder in the format of transformers",
            code_licence="Apache-2.0 (transformers)",
            weights_licence="MIT",
            how="the README of the project whisper by OpenAI names the sizes; save the whole model "
            "in the format of transformers as a folder; `language:` is en unless given",
            options=("language",),
        ),
    )
    packages = ("transformers", "jiwer")
    needs = Needs(
        frames=False,
        fps=None,
        size_px=None,
        fit="whole",
        sample_rate_hz=SAMPLE_RATE_HZ,
        min_duration_s=0.1,
        side=("transcript",),
    )

    def __init__(
        self, network: Any, tokenizer: Any, extractor: Any, *, language: str = "en", device: str = "cpu"
    ) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._extractor = extractor
        self._language = language
        self._device = device

    @classmethod
    def load(
        cls, weights: Mapping[str, Path], *, options: Mapping[str, str] = NO_OPTIONS, device: str = "cpu"
    ) -> Self:
        """From a folder of transformers; `options["language"]` is a code such as en."""
        transformers, folder = require("transformers", cls.name), weights["whisper"]
        require("jiwer", cls.name)
        network = from_folder(transformers.WhisperForConditionalGeneration, folder).to(device).eval()
        if getattr(network.generation_config, "is_multilingual", None) is None:
            raise WeightsError(
                f"{folder} lacks generation_config.json, or it is not Whisper's; save the whole folder"
            )
        return cls(
            network,
            part_from_folder(transformers.WhisperTokenizer, folder),
            part_from_folder(transformers.WhisperFeatureExtractor, folder),
            language=options.get("language", "en"),
            device=device,
        )

    def read(self, media: ClipMedia) -> ClipReading:
        """Errors as counts, so that the value over clips is sum over sum; `values` has the clip's rates."""
        if media.waveform is None:
            return ClipReading(not_applicable=dict.fromkeys(self.names(), "the clip has no sound"))
        if len(media.waveform) > LONGEST_S * SAMPLE_RATE_HZ:
            reason = (
                f"{len(media.waveform) / SAMPLE_RATE_HZ:.1f} s are more than the {LONGEST_S} s heard at once"
            )
            return ClipReading(not_applicable=dict.fromkeys(self.names(), reason))
        heard = basic_v1(self.transcribe(media.waveform))
        empty = {"empty_rate": float(not heard)}
        wanted = basic_v1(media.transcript or "")
        if not wanted:
            reason = (
                "the clip has no transcript" if media.transcript is None else "the transcript has no words"
            )
            return ClipReading(empty, not_applicable=dict.fromkeys(_ERRORS, reason))
        errors = count_errors(wanted, heard)
        ratios = {
            "wer": Ratio(errors.word_errors, errors.words),
            "cer": Ratio(errors.character_errors, errors.characters),
            "wer_capped": Ratio(min(errors.word_errors, errors.words), errors.words),
        }
        rates = {name: ratio.numerator / ratio.denominator for name, ratio in ratios.items()}
        return ClipReading({**rates, **empty}, ratios=ratios, notes=(f"heard: {heard}",))

    def transcribe(self, waveform: FloatArray) -> str:
        """The most likely words, one token at a time, of at most 30 s at 16 kHz, [samples]."""
        import torch

        heard = self._extractor(
            waveform, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt", return_attention_mask=True
        )
        many = bool(self._network.generation_config.is_multilingual)
        speech = {"language": self._language, "task": "transcribe"} if many else {}
        with torch.inference_mode():
            tokens = self._network.generate(
                input_features=heard.input_features.to(self._device),
                attention_mask=heard.attention_mask.to(self._device),
                do_sample=False,
                num_beams=1,
                return_timestamps=False,
                **speech,
            )
        text: str = self._tokenizer.decode(tokens[0], skip_special_tokens=True)
        return text
