"""What the distilled baselines condition on, and where their gradients go."""

from __future__ import annotations

import pytest
import torch

from baselines.caus_vid import CausVid
from baselines.causal_consistency import CausalConsistency
from baselines.discriminator import Discriminator
from baselines.self_forcing import SelfForcing, SelfForcingCausal, SelfForcingGAN
from mfbench.clip_spec import ClipSpec
from mfbench.methods.base import Parents
from mfbench.methods.contexts import on_history, on_itself
from mfbench.models.av_transformer import AVTransformer
from mfbench.types import AV, AVBatch
from tests.conftest import make_network


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _parents(clip_spec: ClipSpec, *names: str) -> Parents:
    return Parents(
        make_network(clip_spec), {name: make_network(clip_spec, i) for i, name in enumerate(names)}
    )


def test_two_pass_self_forcing_trains_alike(batch: AVBatch, clip_spec: ClipSpec) -> None:
    gradients = []
    for two_pass in (False, True):
        method = SelfForcing(_parents(clip_spec, "ODEInit", "Bidirectional"), two_pass=two_pass)
        for p in method.fake.parameters():
            p.data += 0.1 * torch.randn(p.shape, generator=_generator())
        method.loss(batch, 0, _generator()).losses["generator"].backward()
        gradients.append([p.grad.clone() for p in method.student.parameters() if p.grad is not None])
    assert len(gradients[0]) == len(gradients[1]) > 10
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-6)


def test_causal_scores_do_not_see_later_chunks(batch: AVBatch, clip_spec: ClipSpec) -> None:
    """Moving the last chunk of a rollout leaves causal scores of the others, not bidirectional ones."""
    changed = {}
    for kind, parent in ((SelfForcing, "Bidirectional"), (SelfForcingCausal, "TeacherForcing")):
        method = kind(_parents(clip_spec, "ODEInit", parent))
        x = batch.latents
        moved = x.map(lambda z: torch.cat([z[:, :-1], z[:, -1:] + 1], 1))
        t = x.map(lambda z: torch.full(z.shape[:2], 0.5))
        outs = [
            [score(y, t, t.map(torch.zeros_like)).slice(0, x.chunks - 1) for score in scores]
            for y, scores in ((y, method.scores(y, batch.condition)) for y in (x, moved))
        ]
        changed[kind.__name__] = [not torch.equal(a.any, b.any) for a, b in zip(*outs, strict=True)]
    assert changed == {"SelfForcing": [True, True], "SelfForcingCausal": [False, False]}


def test_diffusion_forcing_sees_the_past_as_noisy_as_it_is(network: AVTransformer, batch: AVBatch) -> None:
    """Earlier chunks move later outputs, later ones do not move earlier outputs."""
    denoiser = on_itself(network, batch.condition)
    x = batch.latents
    t = x.map(lambda z: torch.full(z.shape[:2], 0.5))
    zero = t.map(torch.zeros_like)

    def at(k: int) -> torch.Tensor:
        moved = x.map(lambda z: z + (torch.arange(z.shape[1]) == k)[None, :, None, None])
        return (denoiser(moved, t, zero) - denoiser(x, t, zero)).any.abs().amax(dim=(0, 2, 3))

    assert bool((at(2)[:2] == 0).all())
    assert bool((at(2)[2:] > 0).all())


def test_clean_chunks_of_caus_vid_stay_and_others_are_predicted(batch: AVBatch, clip_spec: ClipSpec) -> None:
    method = CausVid(_parents(clip_spec, "ODEInit", "Bidirectional"), levels=1)
    x = method._predictions(batch, _generator())
    kept = (x - batch.latents).any.abs().amax(dim=(2, 3)) == 0
    assert 0 < int(kept.sum()) < kept.numel()


def test_an_exact_consistency_model_has_no_loss(batch: AVBatch, clip_spec: ClipSpec) -> None:
    """One constant answer satisfies f(x_t, t) = f(x_s, s); at s = 0, x_s is the teacher's answer."""
    method = CausalConsistency(_parents(clip_spec, "TeacherForcing"), teacher_guidance=1.0)
    answers = {role: AV(torch.tensor(0.3), torch.tensor(-0.2)) for role in ("student", "teacher", "ema")}
    for role, answer in answers.items():
        net = getattr(method, role)
        net.forward = _Constant(answer, net.forward)
    assert float(method.loss(batch, 0, _generator()).losses["generator"]) < 1e-10
    method.ema.forward.answer = AV(torch.tensor(0.4), torch.tensor(-0.2))
    assert float(method.loss(batch, 0, _generator()).losses["generator"]) > 1e-3


class _Constant:
    """A network forward whose head output is a constant; history passes stay real."""

    def __init__(self, answer: AV, forward: object) -> None:
        self.answer, self.forward = answer, forward

    def __call__(self, x: AV, *rest: object) -> object:
        out = self.forward(x, *rest)  # type: ignore[operator]
        if not isinstance(out, AV):
            return out
        return out.zip(self.answer, lambda z, a: torch.zeros_like(z) + a)


def test_the_discriminator_learns_to_tell_and_the_student_gets_a_gradient(
    batch: AVBatch, clip_spec: ClipSpec
) -> None:
    method = SelfForcingGAN(_parents(clip_spec, "ODEInit", "Bidirectional"), shift=0.2)  # little noise
    assert isinstance(method.fake, Discriminator)
    samples = batch.latents.map(lambda z: 0.3 * torch.randn(z.shape, generator=_generator(1)))
    optimiser = torch.optim.Adam(method.fake.parameters(), 1e-2)
    losses = []
    for i in range(60):
        optimiser.zero_grad()
        loss = method.critic_loss(samples, batch, _generator(i))
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    x = samples.map(lambda z: z.clone().requires_grad_())
    method.generator_loss(x, batch, _generator()).backward()
    assert x.video is not None
    assert x.video.grad is not None
    assert float(x.video.grad.abs().max()) > 0


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_on_history_is_the_causal_score_with_gradient(
    network: AVTransformer, batch: AVBatch, guidance: float
) -> None:
    from mfbench.methods.scores import causal_score

    x = batch.latents
    t = x.map(lambda z: torch.full(z.shape[:2], 0.5))
    zero = t.map(torch.zeros_like)
    score = causal_score(network, x, batch.condition, guidance)(x, t, zero)
    assert not score.any.requires_grad
    cond = on_history(network, x, batch.condition)(x, t, zero)
    null = on_history(network, x, batch.condition.without_words())(x, t, zero)
    wanted = null + (cond - null).map(lambda z: guidance * z)
    torch.testing.assert_close(score.any, wanted.any, rtol=1e-4, atol=1e-5)
