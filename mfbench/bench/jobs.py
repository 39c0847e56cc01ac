"""Group the stages to run into jobs: one process each.

The world's stages are one job, a training and everything sampled from it is one, and all timings are one
that has the machine for itself. A training that others start from is a job of its own, so that they need not
wait behind its samples: the longest chain of trainings decides how long a run takes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfbench import files
from mfbench.bench.plan import Plan
from mfbench.bench.stage import Stage

WORLD, TIMING = "world", "time"
SAMPLES = "/samples"  # the samples of a training that others wait for
TRAININGS = ("pretrain", "train")


@dataclass(frozen=True)
class Settings:
    """What every job of a run shares; none of it changes an id."""

    imports: tuple[str, ...]
    bodies: dict[str, str]
    metrics: tuple[str, ...]
    device: str = "cpu"
    threads: int = 1
    track: str = "none"


@dataclass(frozen=True)
class Job:
    """Stages that one process makes, in this order.

    Attributes:
        exclusive: runs alone and last.
        wide: no other training can run beside it, so it uses all cores. This follows from the plan and not
            from what is left to do: numbers may depend on the threads in the last bit.
    """

    name: str
    stages: tuple[Stage, ...]
    exclusive: bool = False
    wide: bool = False

    @property
    def external(self) -> set[str]:
        """Ids of parents that other jobs make."""
        own = {stage.id for stage in self.stages}
        return {id_ for stage in self.stages for id_ in stage.spec.parents.values()} - own


def group(plan: Plan, todo: list[str]) -> list[Job]:
    """Jobs of the stages to run, in the order of the plan, timings last."""
    grouped: dict[str, list[Stage]] = {}
    waited_for = _waited_for(plan)
    for id_ in todo:
        stage = plan.stages[id_]
        owner = _owner(plan, stage)
        apart = owner in waited_for and stage.id != owner
        grouped.setdefault(f"{owner}{SAMPLES}" if apart else owner, []).append(stage)
    timings = grouped.pop(TIMING, [])
    trunk = _trunk(plan)
    jobs = [
        Job(_name(owner, stages), tuple(stages), wide=owner in trunk) for owner, stages in grouped.items()
    ]
    return [*jobs, *([Job(TIMING, tuple(timings), exclusive=True)] if timings else [])]


def _waited_for(plan: Plan) -> set[str]:
    """Stages that trainings of the plan start from, whether they are done or not."""
    trainings = [stage for stage in plan.stages.values() if stage.kind in TRAININGS]
    return {id_ for stage in trainings for id_ in stage.spec.parents.values()}


def _trunk(plan: Plan) -> set[str]:
    """Trainings that every other training either leads to or starts from, and some start from."""
    trainings = {id_: stage for id_, stage in plan.stages.items() if stage.kind in TRAININGS}
    behind: dict[str, set[str]] = {}

    def ancestors(id_: str) -> set[str]:
        if id_ not in behind:
            parents = set(trainings[id_].spec.parents.values()) & set(trainings)
            behind[id_] = parents.union(*(ancestors(p) for p in parents))
        return behind[id_]

    after = {id_: {other for other in trainings if id_ in ancestors(other)} for id_ in trainings}
    related = {id_: {id_} | ancestors(id_) | after[id_] for id_ in trainings}
    return {id_ for id_ in trainings if after[id_] and related[id_] == set(trainings)}


def _owner(plan: Plan, stage: Stage) -> str:
    if stage.kind == "time":
        return TIMING
    if stage.kind in TRAININGS:
        return stage.id
    if stage.kind == "score" and "generate" in stage.spec.parents:
        return _owner(plan, plan.stages[stage.spec.parents["generate"]])
    return stage.spec.parents.get("train", WORLD)


def _name(owner: str, stages: list[Stage]) -> str:
    if owner == WORLD:
        return WORLD
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", stages[0].label.partition(" ")[2]) + f"-{owner[:6]}"


def write(folder: Path, job: Job, settings: Settings, *, workers: int, preflight: bool) -> None:
    """Write the job file that the hidden command `stage FOLDER` runs."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "name": job.name,
        "stages": [stage.to_json() for stage in job.stages],
        "imports": list(settings.imports),
        "bodies": settings.bodies,
        "metrics": list(settings.metrics),
        "device": settings.device,
        "threads": settings.threads,
        "workers": workers,
        "track": settings.track,
        "preflight": preflight,
    }
    files.write(folder / "job.json", json.dumps(content, indent=1))


def read(folder: Path) -> tuple[Job, Settings, dict[str, Any]]:
    """The job, the shared settings, and the raw content (`workers`, `preflight`)."""
    content = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    job = Job(content["name"], tuple(Stage.from_json(item) for item in content["stages"]))
    settings = Settings(
        imports=tuple(content["imports"]),
        bodies=content["bodies"],
        metrics=tuple(content["metrics"]),
        device=content["device"],
        threads=content["threads"],
        track=content["track"],
    )
    return job, settings, content


def most_urgent_first(planned: list[Job]) -> list[Job]:
    """Jobs with the longest chain of jobs behind them first, then those of most stages.

    So no core waits for the last chain, or for the last long job.
    """
    maker = {stage.id: job for job in planned for stage in job.stages}
    behind: dict[str, list[Job]] = {job.name: [] for job in planned}
    for job in planned:
        for id_ in job.external:
            if id_ in maker:
                behind[maker[id_].name].append(job)
    lengths: dict[str, int] = {}

    def length(job: Job) -> int:
        if job.name not in lengths:
            lengths[job.name] = 1 + max((length(after) for after in behind[job.name]), default=0)
        return lengths[job.name]

    return sorted(planned, key=lambda job: (length(job), len(job.stages)), reverse=True)
