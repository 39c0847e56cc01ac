from __future__ import annotations

import torch

from baselines.error_recycling import ErrorRecycling, Residuals
from mfbench.clip_spec import ClipSpec
from mfbench.methods.base import Parents
from mfbench.types import AV, AVBatch
from tests.conftest import make_network


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_errors_come_back_at_their_own_chunk() -> None:
    """Chunk k of the first clip is stored with value k + 1 and only ever drawn for chunk k."""
    memory = Residuals({"video": (1, 1), "audio": (2, 1)}, positions=3, levels=1, slots=1)
    value = (torch.arange(3) + 1.0)[None, :, None, None].expand(2, 3, 1, 1)
    errors = AV(value, value.expand(2, 3, 2, 1))
    t = AV.both(torch.full((2, 3), 0.5))
    before = memory.draw(errors, _generator())
    assert float(before.any.abs().max()) == 0.0
    memory.keep(errors, t, _generator())
    for name, drawn in memory.draw(errors, _generator()).parts().items():
        assert torch.equal(drawn, errors.parts()[name])


def test_the_memory_fills_and_changes_the_next_loss(batch: AVBatch, clip_spec: ClipSpec) -> None:
    """The first step is teacher forcing; with errors in memory the same draws give another loss."""
    parents = Parents(make_network(clip_spec), {"TeacherForcing": make_network(clip_spec, 1)})
    method = ErrorRecycling(parents, levels=1, slots=1, clean_share=0.0, context_share=1.0)
    losses = [float(method.loss(batch, 0, _generator()).losses["generator"].detach()) for _ in range(2)]
    assert losses[0] != losses[1]
    assert float(method.residuals.video.abs().min()) > 0
    clean = ErrorRecycling(parents, levels=1, slots=1, clean_share=1.0)
    losses = [float(clean.loss(batch, 0, _generator()).losses["generator"].detach()) for _ in range(2)]
    assert losses[0] == losses[1]


def test_errors_are_part_of_the_state(batch: AVBatch, clip_spec: ClipSpec) -> None:
    parents = Parents(make_network(clip_spec), {"TeacherForcing": make_network(clip_spec, 1)})
    method = ErrorRecycling(parents)
    method.loss(batch, 0, _generator())
    again = ErrorRecycling(parents)
    again.load_state_dict(method.state_dict())
    assert torch.equal(again.residuals.audio, method.residuals.audio)
    assert float(again.residuals.audio.abs().max()) > 0
