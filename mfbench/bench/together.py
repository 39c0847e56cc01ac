"""What the values of an experiment must be beside each other: clips and chunks, heads and sizes, names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mfbench.bench import latents
from mfbench.bench.settings import Experiment, MethodEntry
from mfbench.clip_spec import ClipSpec
from mfbench.models.av_transformer import TransformerSpec
from mfbench.options import Fault, Keys, shown, unknown
from mfbench.registry import WORLDS

ALWAYS_REPEATED = 8  # a suite of fewer prompts repeats all that it has

# What a record holds beside the metrics of clips: names that `report.pareto` may have, too.
TIMINGS = (
    *("chunk_latency_ms", "chunk_latency_ms_p95", "chunk_latency_ms_p99", "chunk_latency_ms_max"),
    *("jitter_ms", "jitter_ms_p99", "jitter_ms_max", "latency_growth"),
    *("ttfc_s", "ttfc_cold_s", "ttfc_chunks", "rtf", "fps", "stall_ratio", "min_buffer_s"),
    *("stage_ms_denoise", "stage_ms_cache_write", "stage_ms_video_decode", "stage_ms_vocoder"),
    "stage_ms_host_copy",
    *("peak_mem_mb", "peak_device_mem_mb", "params_m"),
    *("j_per_media_s", "tflops_per_media_s", "tflops_decode_per_media_s"),
)
COSTS = (
    *("nfe_per_chunk", "nfe_cache_per_chunk", "nfe_per_media_s"),
    *("train_network_evaluations", "train_flops", "train_seconds", "train_peak_memory_mb", "train_networks"),
)
WIDE = "wide_"  # timings of the larger network


def faults(experiment: Experiment) -> list[Fault]:
    """Everything that cannot be as it is, in an experiment whose values are good by themselves."""
    spec = _world(experiment)
    found = [spec] if isinstance(spec, Fault) else []
    found += _network(("model",), experiment.model)
    found += _suite(experiment)
    found += _timing(experiment)
    if isinstance(spec, ClipSpec):
        found += [*_lengths(experiment, spec), *_budgets(experiment, spec)]
    return [*found, *_steps(experiment), *_report(experiment)]


def _world(experiment: Experiment) -> ClipSpec | Fault | None:
    """Geometry of the training clips; None where a world has none."""
    try:
        world = WORLDS.build(dict(experiment.world))
    except ValueError as error:
        return Fault(("world", "seconds") if "seconds" in experiment.world else ("world",), str(error))
    spec = getattr(world, "spec", None)
    if not isinstance(spec, ClipSpec):
        return None
    try:
        latents.make(getattr(world, "preset", ""), spec)
    except ValueError as error:
        return Fault(("world", "preset"), str(error))
    return spec


def _network(keys: Keys, sizes: dict[str, Any]) -> Iterator[Fault]:
    try:
        TransformerSpec(**sizes)
    except ValueError as error:
        for name in ("dim", "heads"):
            if name in sizes:
                yield Fault((*keys, name), str(error))


def _suite(experiment: Experiment) -> Iterator[Fault]:
    suite = experiment.suite
    most = max(suite.prompts, ALWAYS_REPEATED)
    if suite.repeats and suite.repeated_prompts > most:
        text = f"wanted at most prompts={suite.prompts}, got {suite.repeated_prompts}"
        yield Fault(("suite", "repeated_prompts"), text)


def _timing(experiment: Experiment) -> Iterator[Fault]:
    timing, keys = experiment.suite.timing, ("suite", "timing")
    names = [entry.name for entry in experiment.methods]
    for index, name in enumerate(timing.wide_methods):
        if name not in names:
            yield Fault((*keys, "wide_methods", index), unknown(name, names))
    if bool(timing.wide) != bool(timing.wide_methods):
        yield Fault(
            (*keys, "wide"), "wide and wide_methods go together: what is larger, and of which methods"
        )
    if timing.wide:
        yield from _network((*keys, "wide"), {**experiment.model, **timing.wide})


def _lengths(experiment: Experiment, spec: ClipSpec) -> Iterator[Fault]:
    suite = experiment.suite
    lengths = {
        ("suite", "seconds"): suite.seconds,
        ("suite", "long_seconds"): suite.long_seconds if suite.long_prompts else spec.duration_s,
        ("suite", "timing", "seconds"): suite.timing.seconds,
    }
    for keys, seconds in lengths.items():
        try:
            spec.chunks_in(seconds)
        except ValueError as error:
            yield Fault(keys, str(error))


def _budgets(experiment: Experiment, spec: ClipSpec) -> Iterator[Fault]:
    places: list[tuple[Keys, dict[str, int | float]]] = [(("budget",), experiment.budget)]
    places += [(("methods", i, "budget"), entry.budget) for i, entry in enumerate(experiment.methods)]
    for keys, budget in places:
        least = budget.get("min_chunks", 1 if keys[0] == "methods" else 4)
        if least > spec.chunks:
            text = f"training clips of {spec.duration_s:g} s have {spec.chunks} chunks, min_chunks is {least}"
            yield Fault((*keys, "min_chunks"), text)


def _cells(experiment: Experiment, entry: MethodEntry) -> tuple[int, ...]:
    """Step counts at which a method is measured."""
    item = experiment.catalog.methods[entry.type]
    if item.constant("stage", "train") == "pretrain":
        return ()
    legal = tuple(item.constant("steps", ()))
    return tuple(s for s in entry.steps or experiment.axes.steps if not legal or s in legal)


def _steps(experiment: Experiment) -> Iterator[Fault]:
    if not any(_cells(experiment, entry) for entry in experiment.methods):
        asked = sorted({s for entry in experiment.methods for s in entry.steps or experiment.axes.steps})
        yield Fault(
            ("axes", "steps"), f"none of the methods is measured at {', '.join(map(str, asked))} steps"
        )


def _report(experiment: Experiment) -> Iterator[Fault]:
    report = experiment.report
    known = {*experiment.catalog.metrics, *TIMINGS, *COSTS}
    for index, metric in enumerate(report.pareto):
        if "pareto" in report.model_fields_set and metric.removeprefix(WIDE) not in known:
            yield Fault(("report", "pareto", index), unknown(metric, known))
    cells = {entry.name: _cells(experiment, entry) for entry in experiment.methods}
    for name in report.baseline:
        fault = _baseline(name, cells)
        if fault:
            yield Fault(("report", "baseline"), fault)
    if report.claims and not report.pilot:
        text = "claims need pilot='../reports/NAME', the report that margins are measured on"
        yield Fault(("report", "claims"), text)


def _baseline(name: str, cells: dict[str, tuple[int, ...]]) -> str:
    method, at, steps = name.partition("@")
    if method not in cells:
        return unknown(method, cells)
    if at and steps not in map(str, cells[method]):
        measured = ", ".join(map(str, cells[method])) or "no steps"
        return f"{method} is not measured at {shown(steps)} steps but at {measured}"
    return ""
