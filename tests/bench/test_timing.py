"""The time stage on a small real world: what it reports, and what it knows of the machine."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mfbench import provenance
from mfbench.bench import clips, latents, machine, record
from mfbench.bench.bodies import time as body
from mfbench.bench.bodies.time import Protocol, Timed, measure, numbers
from mfbench.bench.energy import Energy, packages
from mfbench.bench.flops import FlopMeter, RolloutFlops, rollout_flops
from mfbench.bench.playback import STAGES
from mfbench.bench.sampling import Sampler, conditions, sampler_of
from mfbench.bench.stage import Parent, StageContext, StageSpec
from mfbench.bench.together import TIMINGS
from mfbench.data.talking_character import TalkingCharacter
from mfbench.models.av_transformer import AVTransformer, TransformerSpec
from mfbench.registry import import_tree
from mfbench.types import Condition

import_tree("baselines")
CALM = machine.Load(0.1, 0.2, 1.0, 1, 2, None)
METERED = Energy("a meter", "", (32.0, 48.0, 16.0), 4.2, 11.0)
CHUNKS = 5  # in 1.6 s


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    made = TalkingCharacter(train_clips=12, seconds=2.56)
    real = clips.from_character(made.arrays("train", 12, 2.56))
    codecs = latents.make("motion", made.spec)
    codecs.video.fit(real.face)
    codecs.audio.fit(real.mel)
    given = conditions(real, codecs.encode(real).frame_reference[:, 0])
    condition = Condition(given.reference, given.words[:, :CHUNKS], given.null)
    return Protocol(codecs, condition, warmup=1, rollouts=3, device="cpu")


def sampler(protocol: Protocol, method: str = "MutualForcing", steps: int = 2, **options: Any) -> Sampler:
    torch.manual_seed(0)
    codecs = protocol.codecs
    spec = TransformerSpec(
        clip=codecs.spec, dim=16, depth=1, heads=2, reference_channels=codecs.reference_channels + 5
    )
    return sampler_of(method, options, AVTransformer(spec), steps)


def scripted(protocol: Protocol, ready_s: np.ndarray) -> Timed:
    stage_s = np.tile(np.array([0.010, 0.004, 0.003, 0.002, 0.001]), (2, ready_s.shape[1], 1))
    stage_s[:, :2] = 7.0  # the first chunks are not steady
    return Timed(1.5, ready_s, stage_s, CALM, METERED, 800.0, None, RolloutFlops(3.2e9, 1.6e9, ("_fft_r2c",)))


@pytest.mark.parametrize("chunks", [1, 2])
def test_rollouts_without_a_steady_state_tell_their_first_chunk_only(protocol: Protocol, chunks: int) -> None:
    ready_s = np.tile([0.5, 0.1], (3, 1)).cumsum(axis=1)[:, :chunks]
    found = numbers(scripted(protocol, ready_s), protocol.codecs, sampler(protocol))
    assert found["ttfc_s"].value == 0.5
    assert found["chunk_latency_ms"].value is None
    assert {found[f"stage_ms_{name}"].value for name in STAGES} == {None}
    entries = {name: body._entry(number, 3) for name, number in found.items()}
    assert entries["chunk_latency_ms"]["status"] == "not_applicable"


def test_every_timing_that_is_recorded_may_be_an_axis_of_the_report(protocol: Protocol) -> None:
    ready_s = np.tile(np.full(1200, 0.1), (3, 1)).cumsum(axis=1)
    found = numbers(scripted(protocol, ready_s), protocol.codecs, sampler(protocol))
    few = numbers(scripted(protocol, ready_s[:, :CHUNKS]), protocol.codecs, sampler(protocol))
    assert set(found) | set(few) | {"peak_device_mem_mb"} == set(TIMINGS)


def test_scripted_times_give_the_numbers_of_their_closed_forms(protocol: Protocol) -> None:
    latencies = np.tile([0.5, 0.1, 0.2, 0.4, 0.2], (3, 1))
    assert latencies.shape[1] == CHUNKS
    latencies[2, 0] = 0.9
    found = numbers(scripted(protocol, latencies.cumsum(axis=1)), protocol.codecs, sampler(protocol))
    values = {name: number.value for name, number in found.items()}
    assert values["ttfc_s"] == 0.5  # the median of 0.5, 0.5, 0.9
    assert values["ttfc_cold_s"] == 1.5
    assert values["ttfc_chunks"] == pytest.approx(0.5 / 0.32)
    assert values["chunk_latency_ms"] == pytest.approx(200)
    assert values["chunk_latency_ms_max"] == pytest.approx(400)
    assert values["jitter_ms"] == pytest.approx(200)  # a third of the chunks take 400 ms
    assert values["jitter_ms_max"] == pytest.approx(200)
    assert values["rtf"] == pytest.approx(1.4 / 1.6)
    assert values["fps"] == pytest.approx(20 / 1.4)
    assert values["stall_ratio"] == 0.0
    assert values["min_buffer_s"] == 0.0
    assert values["j_per_media_s"] == pytest.approx(20)  # 32 J per rollout of 1.6 s
    assert found["j_per_media_s"].per_rollout == pytest.approx([20, 30, 10])
    assert values["tflops_per_media_s"] == pytest.approx(2e-3)
    assert values["tflops_decode_per_media_s"] == pytest.approx(1e-3)
    assert [values[f"stage_ms_{name}"] for name in STAGES] == pytest.approx([10, 4, 3, 2, 1])
    assert "latency_growth" not in values  # too short to tell
    assert "peak_device_mem_mb" not in values


def test_the_buffer_is_enough_for_the_worst_rollout(protocol: Protocol) -> None:
    latencies = np.full((3, CHUNKS), 0.32)
    latencies[1, 3] += 0.5
    found = numbers(scripted(protocol, latencies.cumsum(axis=1)), protocol.codecs, sampler(protocol))
    assert found["min_buffer_s"].value == pytest.approx(0.5)
    assert found["stall_ratio"].value == pytest.approx(0.0, abs=1e-9)  # of the median rollout
    assert found["stall_ratio"].per_rollout == pytest.approx([0.0, 0.5 / 1.6, 0.0], abs=1e-9)


def test_without_a_counter_energy_is_not_applicable_and_says_why(
    protocol: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "source_of", lambda _: packages(tmp_path))
    found = measure(protocol, sampler(protocol), lambda *_: None)
    assert found.energy.reason == "no RAPL counters (Linux, powercap)"
    entry = body._entry(numbers(found, protocol.codecs, sampler(protocol))["j_per_media_s"], 3)
    assert (entry["value"], entry["status"], entry["n"], entry["coverage"]) == (
        None,
        "not_applicable",
        0,
        0.0,
    )
    assert entry["per_clip"] is None
    assert entry["higher_is_better"] is False


def test_a_sampler_of_whole_clips_has_no_chunk_latency(protocol: Protocol) -> None:
    found = numbers(
        scripted(protocol, np.ones((1, CHUNKS)).cumsum(axis=1)),
        protocol.codecs,
        sampler(protocol, "Bidirectional"),
    )
    assert not [name for name in found if name.startswith(("chunk_latency", "jitter"))]
    assert found["stage_ms_denoise"].value == pytest.approx((2 * 7000 + 3 * 10) / 5)


def test_the_passes_are_what_they_should_be(protocol: Protocol) -> None:
    said: list[tuple[int, int, str]] = []
    found = measure(protocol, sampler(protocol), lambda *now: said.append(now))
    assert [done for done, _, _ in said] == [1, 2, 3, 4, 5, 6]
    assert [note for _, _, note in said] == ["warm-up"] + 3 * ["rollouts timed"] + 2 * [
        "rollouts broken down"
    ]
    assert found.ready_s.shape == (3, CHUNKS)
    assert (np.diff(found.ready_s, axis=1) > 0).all()
    assert found.stage_s.shape == (2, CHUNKS, len(STAGES))
    assert (found.stage_s[:, 0, STAGES.index("cache_write")] == 0).all()
    assert (found.stage_s[:, 1:] > 0).all()
    assert found.cold_s > 0
    assert found.host_mb > 50
    assert found.device_mb is None
    assert found.load.threads == torch.get_num_threads()


@pytest.mark.parametrize(
    ("method", "options"), [("TeacherForcing", {"guidance": 3.0}), ("Bidirectional", {})]
)
def test_flops_by_shape_are_those_of_torchs_counter_over_everything(
    protocol: Protocol, method: str, options: dict[str, float]
) -> None:
    chosen = sampler(protocol, method, 4, **options)
    one = Condition(
        protocol.condition.reference[:1], protocol.condition.words[:1], protocol.condition.null[:1]
    )
    found = rollout_flops(chosen, protocol.codecs, one)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        chosen.clip(one, chosen.noise(1, CHUNKS, 0), 0)
    assert found.network == pytest.approx(counter.get_total_flops(), rel=0.01)
    assert found.decoding > 0
    assert {"_fft_r2c", "native_layer_norm"} <= set(found.uncounted)
    assert not {"mul", "cat", "view", "mm", "bmm", "transpose_", "clone"} & set(found.uncounted)


def test_twice_the_steps_are_about_twice_the_flops(protocol: Protocol) -> None:
    one = Condition(
        protocol.condition.reference[:1], protocol.condition.words[:1], protocol.condition.null[:1]
    )
    two, four = (rollout_flops(sampler(protocol, steps=n), protocol.codecs, one).network for n in (2, 4))
    assert 1.5 < four / two < 2.0  # writing the history costs the same


def test_the_meter_counts_products_and_names_what_it_cannot_count() -> None:
    with FlopMeter() as meter, torch.no_grad():
        nn.functional.linear(torch.ones(3, 5), torch.ones(7, 5)).relu().cumsum(0)
    assert meter.flops == 2 * 3 * 5 * 7
    assert meter.uncounted == {"cumsum"}


def test_a_thread_that_waits_does_not_hold_a_processor() -> None:
    asleep = machine.LoadWatch("cpu")
    time.sleep(0.1)
    assert asleep.seen().held < 0.3
    assert machine.LoadWatch("cuda").seen().held is None  # it may wait for the device


def test_the_load_is_that_of_scripted_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, thread, load = iter([10.0, 30.0]), iter([1.0, 19.0]), iter([(0.5, 9.0, 9.0), (1.25, 9.0, 9.0)])
    monkeypatch.setattr(machine.time, "perf_counter", lambda: next(wall))
    monkeypatch.setattr(machine.time, "thread_time", lambda: next(thread))
    monkeypatch.setattr(machine.os, "getloadavg", lambda: next(load))
    seen = machine.LoadWatch("cpu").seen()
    assert seen.held == pytest.approx(0.9)
    assert (seen.before, seen.after, seen.gpu_processes) == (0.5, 1.25, None)
    assert (seen.threads, seen.cores) == (torch.get_num_threads(), provenance.cores())


def test_memory_peaks_begin_anew() -> None:
    """Where the system cannot reset them, the peak of the whole process stays."""
    block = np.ones(2**24)  # 128 MiB
    held = machine.host_memory_peak_mb()
    del block
    machine.reset_memory_peak("cpu")
    after = machine.host_memory_peak_mb()
    assert held > 128
    assert after <= held
    again = np.ones(2**24)
    assert machine.host_memory_peak_mb() == pytest.approx(held, rel=0.1)
    assert again.nbytes == 2**27


def _context(protocol: Protocol, out: Path, memory: dict[str, Any]) -> StageContext:
    timing = {"rollouts": 1, "warmup": 0, "seconds": 1.6, "threads": 1, "wide": {"dim": 32}}
    spec = StageSpec("time", "MutualForcing", (body.VERSION,), {"steps": 2, "options": {}, "timing": timing})
    parents: dict[str, Parent] = {}
    return StageContext(
        spec, parents, out, out, out, "cpu", 1, 1, "none", lambda done, total, note: None, memory
    )


def test_the_stage_makes_entries_of_records_and_tells_the_load(
    protocol: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "source_of", lambda _: packages(tmp_path))
    monkeypatch.setattr(body, "load_sampler", lambda _: sampler(protocol))
    monkeypatch.setattr(body, "_protocol", lambda _: replace(protocol, rollouts=1, warmup=0))
    memory: dict[str, Any] = {}
    made = body.run(_context(protocol, tmp_path, memory))
    for entry in made.metrics.values():
        assert set(record.METRIC_KEYS) <= set(entry)
        assert entry["kind"] == "timing"
        assert (entry["value"] is None) == (entry["status"] == "not_applicable")
        assert entry["value"] is None or np.isfinite(entry["value"])
    assert [name for name, entry in made.metrics.items() if entry["value"] is None] == [
        "j_per_media_s",
        "wide_j_per_media_s",
    ]
    assert "timing" in record.EXTRAS
    facts = made.values["timing"]
    assert facts["first_of_process"] is True
    assert {"load", "flops", "energy", "wide_load", "wide_flops", "wide_energy"} < set(facts)
    assert facts["wide_flops"]["network"] > facts["flops"]["network"]
    assert "_fft_r2c" in facts["flops"]["uncounted"]
    assert {"ttfc_cold_s", "peak_mem_mb", "wide_ttfc_s", "wide_stage_ms_denoise"} < set(made.metrics)
    assert not {"wide_ttfc_cold_s", "wide_peak_mem_mb"} & set(made.metrics)
    assert np.array(made.values["ready_s"]).shape == (1, CHUNKS)
    assert np.array(made.values["wide_stage_s"]).shape == (1, CHUNKS, len(STAGES))
    again = body.run(_context(protocol, tmp_path, memory))
    assert again.values["timing"]["first_of_process"] is False
