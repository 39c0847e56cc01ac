"""One body for every kind: hashes its inputs into an artifact, takes a little time, fails on request."""

import errno
import hashlib
import json
import os
import random
import signal
import sys
import time

from mfbench.bench.stage import StageContext, StageResult, canonical

VERSION = 1


def run(context: StageContext) -> StageResult:
    fault = context.fields.get("options", {}).get("fault", "") if context.spec.kind == "train" else ""
    if fault == "generate":
        fault = ""
    _work(context)
    _misbehave(fault)
    text = canonical([context.spec.to_json(), {role: p.result.values for role, p in context.parents.items()}])
    digest = hashlib.sha256(text.encode()).hexdigest()
    (context.out / "data.txt").write_text(digest)
    metrics = {}
    if context.spec.kind == "score":
        metrics["toy"] = metric(int(digest[:6], 16) / 2**24, "quality")
    if context.spec.kind == "time":
        metrics["latency_ms"] = metric(random.random(), "timing")
    if context.spec.kind in ("train", "pretrain"):
        metrics["train_calls"] = metric(10.0, "cost") | {"combine": "sum"}
        metrics["peak_mb"] = metric(5.0, "cost") | {"combine": "max"}
    media = []
    if context.spec.kind == "generate":
        (context.out / "clip.mp4").write_text("film")
        media = [{"path": "clip.mp4", "prompt": 0}]
    return StageResult({"digest": digest}, metrics, media)


def metric(value: float, kind: str) -> dict[str, object]:
    entry = {"value": value, "unit": "", "kind": kind, "higher_is_better": True, "n": 1, "coverage": 1.0}
    return {**entry, "status": "ok", "per_clip": [value]}


def _work(context: StageContext) -> None:
    """Counts to its budget; a checkpoint in scratch survives a kill."""
    total = int(context.fields.get("budget", {}).get("optimiser_steps", 2))
    path = context.scratch / "checkpoint.json"
    done = json.loads(path.read_text()) if path.is_file() else 0
    pause = float(os.environ.get("TOY_PAUSE_S", "0"))
    while done < total:
        time.sleep(pause)
        done += 1
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(done))
        temporary.replace(path)
        context.progress(done, total, "loss 0.1")


def _misbehave(fault: str) -> None:
    if fault == "raise":
        raise ValueError("/somewhere/absolute/toy.py says no")
    if fault == "exit":
        sys.exit(7)
    if fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
