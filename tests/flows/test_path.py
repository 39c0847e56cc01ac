"""The algebra of the path against its definitions."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from mfbench.flows import path
from mfbench.types import AV

times = st.floats(0.05, 1.0)


def _pair(seed: int) -> tuple[AV, AV]:
    g = torch.Generator().manual_seed(seed)

    def draw() -> AV:
        return AV(
            torch.randn(2, 3, 4, 5, generator=g, dtype=torch.float64),
            torch.randn(2, 3, 1, 7, generator=g, dtype=torch.float64),
        )

    return draw(), draw()


def _full(value: float) -> AV:
    return AV.both(torch.full((2, 3), value, dtype=torch.float64))


def _close(a: AV, b: AV) -> bool:
    return all(
        torch.allclose(x, y, atol=1e-10) for x, y in zip(a.parts().values(), b.parts().values(), strict=True)
    )


def test_ends_of_the_path_are_data_and_noise() -> None:
    x_0, noise = _pair(0)
    assert _close(path.interpolate(x_0, noise, _full(0.0)), x_0)
    assert _close(path.interpolate(x_0, noise, _full(1.0)), noise)


@given(t=times, fraction=st.floats(0.01, 1.0))
def test_exact_head_jumps_along_the_line(t: float, fraction: float) -> None:
    """With f = x_0 a jump from x_t lands on x_{t-d} of the same line, for every d up to t."""
    x_0, noise = _pair(1)
    d = t * fraction
    landed = path.jump(path.interpolate(x_0, noise, _full(t)), x_0, _full(t), _full(d))
    assert _close(landed, path.interpolate(x_0, noise, _full(t - d)))


@given(t=times)
def test_head_and_velocity_are_inverse(t: float) -> None:
    x_t, u = _pair(2)
    f = path.head_target(x_t, u, _full(t))
    assert _close(path.velocity_of_head(x_t, f, _full(t)), u)


def test_mean_velocity_of_the_line_is_its_velocity() -> None:
    x_0, noise = _pair(3)
    x_t, y = (path.interpolate(x_0, noise, _full(t)) for t in (0.8, 0.3))
    assert _close(path.mean_velocity(x_t, y, _full(0.5)), path.velocity(x_0, noise))


@given(t=times)
def test_squared_error_is_the_velocity_error(t: float) -> None:
    """The weight 1/t^2 turns ||f - f*||^2 into ||u - u*||^2 (above the clamp)."""
    x_t, u = _pair(4)
    _, other = _pair(5)
    f, g = (path.head_target(x_t, v, _full(t)) for v in (u, other))
    errors = path.squared_error(f, g, _full(t))
    expected = (u - other).map(lambda e: e.pow(2).mean(dim=(1, 2, 3))).parts()
    for name, value in errors.items():
        assert torch.allclose(value, expected[name], rtol=1e-8)


def test_the_loss_weight_is_clamped_near_data() -> None:
    assert float(path.loss_weight(torch.tensor(1e-6))) == float(path.loss_weight(torch.tensor(0.05)))
