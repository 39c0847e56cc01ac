"""A realistic run folder without a run: five methods, six step counts, three sampling seeds, anchors, media.

python -m tests.report.synthetic FOLDER writes one, to look at the report that it gives.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

METHODS = ("MutualForcing", "TeacherForcing", "ContinuedTeacherForcing", "Bidirectional", "SelfForcing")
STEPS = (1, 2, 4, 8, 16, 50)
SEEDS = (0, 1, 2)
PROMPTS = 24
REPLICATES = 200
FEW_STEP = {"MutualForcing": 0.25, "SelfForcing": 0.45}
LEVEL = {"Bidirectional": 0.9, "TeacherForcing": 1.0, "ContinuedTeacherForcing": 0.95, "SelfForcing": 1.1}
MEAN_METRICS: dict[str, tuple[str, bool | None, float, float, float]] = {
    # name: unit, direction, real value, null value, damage at one step
    "sync_corr": ("correlation", True, 0.97, 0.05, -0.5),
    "sync_c": ("", True, 2.2, 0.6, -1.0),
    "sync_c_norm": ("", True, 1.0, 0.0, -0.6),
    "av_offset_ms": ("ms", None, 2.0, -3.0, -30.0),
    "av_offset_abs_ms": ("ms", False, 9.0, 480.0, 90.0),
    "per": ("phonemes", False, 0.04, 0.92, 0.45),
    "wer_lite": ("words", False, 0.05, 0.98, 0.6),
    "id_sim_lite": ("cosine", True, 0.99, 0.40, -0.2),
    "motion_magnitude": ("px/frame", None, 0.61, 0.61, -0.3),
    "audio_rms_db": ("dB", None, -22.0, -22.0, -9.0),
}
SET_METRICS = {"kavd_lite": 24.0, "kvd_lite": 12.0, "kad_lite": 17.0, "favd_lite": 30.0}


@dataclass(frozen=True)
class Plan:
    """How large the run folder is."""

    methods: tuple[str, ...] = METHODS
    steps: tuple[int, ...] = STEPS
    seeds: tuple[int, ...] = SEEDS
    prompts: int = PROMPTS
    media: bool = True
    extras: bool = True
    failing: bool = True


def write_run(folder: Path, plan: Plan | None = None) -> Path:
    """Write `records/`, `media/` and `experiment.json`; the same every time."""
    plan = plan or Plan()
    (folder / "records").mkdir(parents=True)
    clip = tiny_mp4(folder / "clip.mp4").read_bytes() if plan.media else b""
    effect = np.random.default_rng(1).normal(0, 1, (len(MEAN_METRICS), plan.prompts))
    for anchor in ("real", "null"):
        _write(folder, _anchor(anchor, plan, effect), clip)
    for method in plan.methods:
        for steps in plan.steps:
            for seed in plan.seeds:
                _write(folder, _cell(method, steps, seed, plan, effect), clip)
    (folder / "clip.mp4").unlink(missing_ok=True)
    (folder / "experiment.json").write_text(json.dumps(_settings(plan), indent=1))
    return folder


def _settings(plan: Plan) -> dict[str, Any]:
    return {
        "schema": 1,
        "experiment": "steps_sweep",
        "report": {"baseline": "TeacherForcing@50", "pareto": ["chunk_latency_ms", "kavd_lite"]},
        "methods": list(plan.methods),
        "starts": {"MutualForcing": "TeacherForcing", "SelfForcing": "TeacherForcing"},
        "skipped": [
            {"cell": "SelfForcing@50", "reason": "SelfForcing can be sampled at 1, 2, 4, 8, 16 steps only"}
        ],
        "off_design": [f"SelfForcing@{steps}" for steps in plan.steps if steps not in (1, 2, 4, 8)],
    }


def damage(method: str, steps: int) -> float:
    """How much is lost at a step count: 1 for teacher forcing at one step, falling with steps."""
    return (
        LEVEL.get(method, 1.0)
        * FEW_STEP.get(method, 1.0)
        * (steps ** (-0.9 if method not in FEW_STEP else -0.5))
    )


def _anchor(name: str, plan: Plan, effect: NDArray[np.float64]) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    metrics: dict[str, Any] = {}
    for row, (metric, (unit, up, real, null, hurt)) in zip(effect, MEAN_METRICS.items(), strict=True):
        clips = (real if name == "real" else null) + 0.05 * abs(hurt) * (
            row + rng.normal(0, 0.5, plan.prompts)
        )
        metrics[metric] = _mean_metric(clips, unit, up)
    for metric, scale in SET_METRICS.items():
        if name == "real":
            metrics[metric] = _set_metric(0.01 * scale, 0.004 * scale, rng)
        else:
            metrics[metric] = entry(None, "x100", False, status="not_applicable")
    record = _record(name, name, None, None, metrics)
    if name == "real" and plan.extras:
        record["drift"] = _drift("real", 4, rng)
        record["codec_floor"] = {
            "MotionCodec": {"psnr": {"value": 41.2, "unit": "dB"}, "sync_corr": {"value": 0.969, "unit": ""}},
            "LinearMelCodec": {
                "lsd": {"value": 1.31, "unit": "dB"},
                "per": {"value": 0.061, "unit": "phonemes"},
            },
        }
    return record


def _cell(method: str, steps: int, seed: int, plan: Plan, effect: NDArray[np.float64]) -> dict[str, Any]:
    rng = np.random.default_rng([METHODS.index(method), steps, seed])
    if plan.failing and (method, steps, seed) == ("SelfForcing", 50, 2):
        return _failed(method, steps, seed)
    lost = damage(method, steps)
    metrics: dict[str, Any] = {}
    for row, (metric, (unit, up, real, _, hurt)) in zip(effect, MEAN_METRICS.items(), strict=True):
        noise = 0.12 * abs(hurt) * (row + rng.normal(0, 0.7, plan.prompts))
        clips: list[float | None] = list(real + hurt * lost + noise)
        if metric == "per" and method == "SelfForcing":
            clips[3] = None
        metrics[metric] = _mean_metric(clips, unit, up)
    shared = np.random.default_rng(3).normal(0, 1, REPLICATES)
    for metric, scale in SET_METRICS.items():
        value = scale * (lost * 0.9 + 0.03) + 0.01 * scale * rng.normal()
        spread = 0.04 * value
        metrics[metric] = _set_metric(value, spread, rng, shared)
    metrics |= _timing(method, steps) | _costs(method, steps)
    record = _record(f"{method}@{steps}-t0-s{seed}", method, steps, seed, metrics)
    if plan.extras:
        curve = [[s, float(0.4 + 0.8 * np.exp(-s / 600) + 0.01 * rng.normal())] for s in range(50, 3001, 50)]
        record["costs"] = [
            {
                "stage": "pretrain Unimodal-t0",
                "method": "Unimodal",
                "train_flops": 1.1e14,
                "train_seconds": 70.0,
            },
            {"stage": f"train {method}-t0", "method": method, "train_flops": 2.3e14, "train_seconds": 140.0},
        ]
        gap = [[s, float(0.9 * np.exp(-s / 600))] for s in range(300, 3001, 300)]
        record["curves"] = {"flow_matching": curve, "probe_mode_gap": gap}
        if steps in (1, 4) or (method == "Bidirectional" and steps == 50):
            record["drift"] = _drift(method, steps, rng)
    if plan.media and seed == 0:
        record["media"] = [_media(record["cell"], role, index) for index, role in enumerate(ROLE_NAMES)]
    return record


ROLE_NAMES = ("best", "median", "worst")


def _media(cell: str, role: str, index: int) -> dict[str, Any]:
    caption = f"prompt {index * 7 + 2}, kavd share {0.2 + 0.3 * index:.2f}"
    return {"path": f"media/{cell}/{role}.mp4", "role": role, "clip": index * 7 + 2, "caption": caption}


def _timing(method: str, steps: int) -> dict[str, Any]:
    calls = 2 if method in ("TeacherForcing", "Bidirectional", "ContinuedTeacherForcing") else 1
    latency = (4.1 * calls * steps + 6.0) * (16 if method == "Bidirectional" else 1)
    values = {
        "chunk_latency_ms_p50": (latency, "ms", False),
        "chunk_latency_ms_p95": (latency * 1.2, "ms", False),
        "ttfc_s": (latency / 900, "s", False),
        "rtf": (latency / 320, "", False),
        "fps": (25 * 320 / latency, "frames/s", True),
    }
    found = {n: entry(v, unit, up, kind="timing", n=3) for n, (v, unit, up) in values.items()}
    found["nfe_per_chunk"] = entry(float(calls * steps), "network calls per chunk", False, kind="cost", n=1)
    return found


def _costs(method: str, steps: int) -> dict[str, Any]:
    factor = 1 + METHODS.index(method) * 0.6
    values = {
        "train_network_evaluations": (1.9e6 * factor, "chunk evaluations"),
        "train_flops": (3.4e14 * factor, "FLOP"),
        "train_seconds": (210 * factor, "s"),
        "train_peak_memory_mb": (900 + 100 * factor, "MB"),
        "train_networks": (2.0 + (method == "SelfForcing"), "networks"),
    }
    return {name: entry(v, unit, False, kind="cost", n=1) for name, (v, unit) in values.items()}


def _drift(method: str, steps: int, rng: np.random.Generator) -> dict[str, Any]:
    middles = [2.56 * (k + 0.5) for k in range(10)]
    slope = {"real": 0.0, "MutualForcing": 0.004, "SelfForcing": 0.006}.get(method, 0.02)
    found = {}
    for name, start, sign in (
        ("sync_corr", 0.95, -1),
        ("id_sim_lite", 0.98, -1),
        ("loudness_db", -22.0, -20),
    ):
        mean = np.array([start + sign * slope * k for k in range(10)])
        clips = mean + abs(sign) * 0.02 * rng.normal(size=(8, 10))
        found[name] = {
            "window_mid_s": middles,
            "values": [float(v) for v in clips.mean(axis=0)],
            "per_clip": clips.tolist(),
        }
    return found


def _failed(method: str, steps: int, seed: int) -> dict[str, Any]:
    record = _record(f"{method}@{steps}-t0-s{seed}", method, steps, seed, {})
    trace = "Traceback (most recent call last):\n" + "\n".join(
        f'  File "mfbench/x.py", line {k}' for k in range(30)
    )
    error = {
        "stage": f"generate {record['cell']}",
        "type": "FloatingPointError",
        "message": "chunk 3 of clip 17 is not finite; lower the step count or retrain",
        "traceback": trace + "\nFloatingPointError: chunk 3 of clip 17 is not finite\n",
    }
    return record | {"status": "failed", "error": error}


def entry(
    value: float | None,
    unit: str,
    up: bool | None,
    *,
    kind: str = "quality",
    n: int | None = None,
    status: str = "ok",
) -> dict[str, Any]:
    """A metric entry of a record."""
    return {
        "value": value,
        "unit": unit,
        "kind": kind,
        "higher_is_better": up,
        "n": n,
        "coverage": 1.0,
        "status": status,
        "per_clip": None,
    }


def _mean_metric(clips: Any, unit: str, up: bool | None) -> dict[str, Any]:
    listed = [None if clip is None else float(clip) for clip in clips]
    present = [clip for clip in listed if clip is not None]
    made = entry(float(np.mean(present)), unit, up, n=len(present))
    return made | {"per_clip": listed, "coverage": len(present) / len(listed)}


def _set_metric(
    value: float, spread: float, rng: np.random.Generator, shared: NDArray[np.float64] | None = None
) -> dict[str, Any]:
    own = rng.normal(0, 1, REPLICATES)
    replicates = value + spread * (own if shared is None else 0.8 * shared + 0.6 * own)
    bootstrap = {"scheme": "prompts", "values": [float(v) for v in replicates]}
    return entry(value, "x100", False, n=PROMPTS) | {"bootstrap": bootstrap}


def _record(
    cell: str, method: str, steps: int | None, seed: int | None, metrics: dict[str, Any]
) -> dict[str, Any]:
    return {
        "schema": 1,
        "experiment": "steps_sweep",
        "cell": cell,
        "method": method,
        "steps": steps,
        "train_seed": None if steps is None else 0,
        "sample_seed": seed,
        "status": "ok",
        "error": None,
        "metrics": metrics,
        "stages": {"score": "abc"},
        "artifacts": {},
        "media": [],
        "provenance": {
            "git": "0123456789abcdef0123456789abcdef01234567",
            "dirty": False,
            "code_digest": "feedbeef",
            "packages": {"torch": "2.11.0", "numpy": "2.3.1"},
            "python": "3.11.9",
            "hardware": {"cpu": "Some CPU at 2.1 GHz", "cores": 2, "memory_gb": 24, "gpus": []},
            "threads": 1,
            "device": "cpu",
            "argv": ["python", "-m", "mfbench", "run", "experiments/steps_sweep.py", "--strict-code"],
            "started": "2026-11-20T10:00:00+00:00",
            "finished": "2026-11-20T10:24:10+00:00",
        },
    }


def _write(folder: Path, record: dict[str, Any], clip: bytes) -> None:
    if clip and record["cell"] == "real":
        record["media"] = [_media("real", f"real{k}", k) for k in range(3)]
    for media in record["media"]:
        path = folder / media["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clip)
    path = folder / "records" / f"{record['cell']}.json"
    path.write_text(json.dumps(record, sort_keys=True, allow_nan=False))


def tiny_mp4(path: Path, size_px: int = 64, frames: int = 64, fps: int = 25) -> Path:
    """A coloured square that moves, with a tone."""
    import av

    rate = 16_000
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps)
        video.width = video.height = size_px
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=rate, layout="mono")
        for k in range(frames):
            image = np.full((size_px, size_px, 3), (70, 110, 160), np.uint8)
            image[20:44, (k % 40) : (k % 40) + 24] = (240, 190, 120)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode())
        time_s = np.arange(rate * frames // fps) / rate
        tone = (0.2 * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32)
        sound = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
        sound.sample_rate = rate
        container.mux(audio.encode(sound))
        container.mux(audio.encode())
    return path


if __name__ == "__main__":
    write_run(Path(sys.argv[1]))
