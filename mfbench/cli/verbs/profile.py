"""Print speed tables: training step, cached and uncached rollout, cost against the number of chunks.

`x products` is the time over that of the call's own matrix products, each timed alone at its shape.
Timings on a shared machine are ratios within one run.
"""

from __future__ import annotations

import argparse

from mfbench.cli.output import say, table, whole


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("--preset", default="motion", help="preset of the talking character (motion)")
    parser.add_argument("--dim", type=whole(2, 2**16), default=64)
    parser.add_argument("--depth", type=whole(1, 1000), default=4)
    parser.add_argument("--batch", type=whole(1, 10**5), default=16)
    parser.add_argument("--steps", type=whole(1, 1000), default=4, help="denoising steps of the rollouts (4)")
    parser.add_argument("--threads", type=whole(1, 1024), default=1)


def execute(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    import torch

    from mfbench.bench import profile
    from mfbench.data.talking_character import PRESETS
    from mfbench.errors import UsageError
    from mfbench.models.av_transformer import AVTransformer, TransformerSpec

    if arguments.preset not in PRESETS:
        raise UsageError(f"no preset is called {arguments.preset!r}; presets are {', '.join(PRESETS)}")
    torch.set_num_threads(arguments.threads)
    try:
        spec = TransformerSpec(clip=PRESETS[arguments.preset], dim=arguments.dim, depth=arguments.depth)
    except ValueError as error:
        raise UsageError(f"--dim {arguments.dim}: {error}") from error
    network = AVTransformer(spec)
    size = sum(p.numel() for p in network.parameters())
    say(f"{size / 1e6:.2f} M parameters, {arguments.threads} threads")
    rows = [profile.training_step(network, arguments.batch, 8)]
    rows += profile.rollouts(network, arguments.batch, 8, arguments.steps)
    rows += [profile.rollouts(network, arguments.batch, chunks, arguments.steps)[0] for chunks in (2, 4, 16)]
    head = ("what", "ms", "ms of products", "x products", "tokens/s", "us per token")
    say(
        table(
            head,
            [
                (
                    row.name,
                    f"{1e3 * row.seconds:.1f}",
                    f"{1e3 * row.products_s:.1f}",
                    f"{row.ratio:.2f}",
                    f"{row.tokens / row.seconds:.0f}",
                    f"{1e6 * row.seconds / row.tokens:.1f}",
                )
                for row in rows
            ],
        )
    )
    return 0
