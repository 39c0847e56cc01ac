from __future__ import annotations

import torch

from baselines.ode_init import ODEInit
from mfbench.clip_spec import ClipSpec
from mfbench.flows import path
from mfbench.flows.rollout import bind
from mfbench.methods.base import Parents
from mfbench.types import AV, AVBatch
from tests.conftest import make_network


def test_the_states_of_ode_init_follow_the_teachers_velocity(batch: AVBatch, clip_spec: ClipSpec) -> None:
    """Each state is the one before moved by Euler steps of the teacher between the student's levels."""
    net = make_network(clip_spec)
    parents = Parents(net, {"TeacherForcing": net, "Bidirectional": net})
    method = ODEInit(parents, teacher_steps=4, levels=4)
    states = method.trajectory(batch, torch.Generator().manual_seed(0))
    assert len(states) == 5
    denoiser = bind(net, batch.condition, 0, net.new_cache(), "full")
    for k, (t, s) in enumerate(zip(method.levels[:-1], method.levels[1:], strict=True)):
        now, size = (AV.both(torch.full((4, 5), value)) for value in (t, t - s))
        zero = now.map(torch.zeros_like)
        with torch.no_grad():
            wanted = path.jump(states[k], denoiser(states[k], now, zero), now, size)
        for name, value in wanted.parts().items():
            torch.testing.assert_close(states[k + 1].parts()[name], value, atol=1e-5, rtol=1e-4)


def test_every_chunk_gets_the_state_of_its_own_level(batch: AVBatch, clip_spec: ClipSpec) -> None:
    """The loss of a teacher that the student already equals at t = 1 is finite and reproducible."""
    net = make_network(clip_spec)
    method = ODEInit(Parents(net, {"TeacherForcing": net, "Bidirectional": net}), teacher_steps=4)
    draws = (torch.Generator().manual_seed(3) for _ in range(2))
    losses = [float(method.loss(batch, 0, g).losses["generator"].detach()) for g in draws]
    assert losses[0] == losses[1] > 0
