"""Health probes of the networks in training: is d ignored, do the modes agree, which modality learns?

They draw from generators of their own and count towards no cost, so a probed training ends in the same
weights.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mfbench.flows.samplers import fresh_noise, sample
from mfbench.flows.times import grid
from mfbench.methods.contexts import few_step_spec, on_history
from mfbench.models.av_transformer import BRANCH_PARTS, AVTransformer
from mfbench.types import AV, AVBatch, SamplerSpec

FEW, MANY = 4, 16


@torch.no_grad()
def jump_cosine(network: AVTransformer, batch: AVBatch, generator: torch.Generator) -> float:
    """cos(u(x_1, 1, d=0), u(x_1, 1, d=1)) on real history; 1 means that the network ignores d."""
    noise = fresh_noise(batch.latents, generator)
    ones = noise.map(lambda x: torch.ones(x.shape[:2], dtype=x.dtype, device=x.device))
    denoiser = on_history(network, batch.latents, batch.condition)
    still = denoiser(noise, ones, ones.map(torch.zeros_like))
    jump = denoiser(noise, ones, ones)
    return float(functional.cosine_similarity(_flat(still), _flat(jump), dim=0))


@torch.no_grad()
def mode_gap(network: AVTransformer, batch: AVBatch, generator: torch.Generator) -> float:
    """RMS distance of 4-jump samples from 16-step samples of the same noise, over the RMS of the latter."""
    noise = fresh_noise(batch.latents, generator)
    denoiser = on_history(network, batch.latents, batch.condition)
    few = sample(denoiser, noise, few_step_spec(FEW), generator)
    many = sample(denoiser, noise, SamplerSpec(solver="euler", times=grid(MANY)), generator)
    return float((_flat(few) - _flat(many)).square().mean().sqrt() / _flat(many).square().mean().sqrt())


def gradient_share(network: AVTransformer, modality: str = "audio") -> float | None:
    """Norm of the gradient of one branch over the sum of both branches' norms; None before `backward`."""
    found: dict[str, list[Tensor]] = {"audio": [], "video": []}
    for name, parameter in network.named_parameters():
        part, _, rest = name.partition(".")
        owner = rest.partition(".")[0]
        if part in BRANCH_PARTS and parameter.grad is not None:
            found[owner].append(parameter.grad)
    if not all(found.values()):
        return None
    norms = {name: float(torch.stack(torch._foreach_norm(g)).norm()) for name, g in found.items()}
    total = sum(norms.values())
    return norms[modality] / total if total > 0 else None


def _flat(x: AV) -> Tensor:
    return torch.cat([z.flatten() for z in x.parts().values()])
