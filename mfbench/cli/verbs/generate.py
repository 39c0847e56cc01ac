"""Stream a clip of any length from a trained method, chunk by chunk, into an mp4.

python -m mfbench generate runs/steps_sweep --method MutualForcing --steps 4 --words "maa biy" --out clip.mp4
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mfbench.cli.output import say, seconds, whole


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder with the finished training")
    parser.add_argument("--method", default="MutualForcing", help="registered method (MutualForcing)")
    parser.add_argument("--steps", type=whole(1, 1000), default=4, help="denoising steps per chunk (4)")
    parser.add_argument("--words", default="", help="words of the lexicon; random ones if left out")
    parser.add_argument("--voice", type=int, default=0, help="voice 0..7 (0)")
    parser.add_argument("--identity", type=int, default=0, help="identity 0..15 (0)")
    parser.add_argument("--seconds", type=seconds, default=5.12, help="length, rounded to chunks (5.12)")
    parser.add_argument("--seed", type=whole(0), default=0, help="initial noise (0)")
    parser.add_argument(
        "--size", type=whole(32, 4096), default=256, help="side of the picture in pixels (256)"
    )
    parser.add_argument("--threads", type=whole(1, 1024), default=1, help="threads (1)")
    parser.add_argument("--import", action="append", default=["baselines"], dest="imports", metavar="MODULE")
    parser.add_argument("--out", type=Path, required=True, help="mp4 to write; must not exist")


def execute(arguments: argparse.Namespace) -> int:
    """Stream, report the pace, write the file."""
    from mfbench.errors import UsageError
    from mfbench.files import check_writable

    if arguments.out.exists():
        raise UsageError(f"{arguments.out} exists; nothing is overwritten, choose another --out")
    if arguments.size % 2:
        raise UsageError(f"--size {arguments.size}: wanted an even side, which yuv420p needs")
    check_writable(arguments.out.parent, "the folder of --out")
    import numpy as np
    import torch

    from mfbench.bench.playback import play
    from mfbench.bench.serve import prompt, serve
    from mfbench.data.media import write_mp4

    torch.set_num_threads(arguments.threads)
    served = serve(arguments.run, arguments.method, arguments.steps, arguments.imports)
    condition = prompt(
        served,
        arguments.words.split(),
        arguments.voice,
        arguments.identity,
        arguments.seconds,
        arguments.seed,
    )
    played = list(play(served.sampler, served.codecs, condition, arguments.seed, arguments.size))
    spec = served.codecs.spec.with_chunks(len(played))
    write_mp4(
        arguments.out,
        np.concatenate([chunk.frames for chunk in played]),
        np.concatenate([chunk.waveform for chunk in played]),
        fps=spec.frame_rate_hz,
        sample_rate_hz=spec.sample_rate_hz,
    )
    first, total = played[0].ready_s, played[-1].ready_s
    say(f"{arguments.out}: {spec.duration_s:.2f} s in {len(played)} chunks")
    say(f"time to first chunk {1000 * first:.0f} ms, real-time factor {total / spec.duration_s:.3f}")
    return 0
