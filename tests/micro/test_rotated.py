"""The discretisation: adjoint pair, null modes, exact inverse on a homogeneous medium."""

from __future__ import annotations

import pytest
import torch

from scalebridge.micro.rve.cg import ConjugateGradients
from scalebridge.micro.rve.composite import Composite
from scalebridge.micro.rve.equilibrium import Control, Equilibrium
from scalebridge.micro.rve.phases import Elastic
from scalebridge.micro.rve.reference import ReferenceMedium
from scalebridge.micro.rve.rotated import STRAIN_FACTORS, RotatedStencil

CPU = torch.device("cpu")
GRIDS = [(8, 8), (7, 9), (8, 5), (5, 8), (1, 6), (6, 1), (2, 2)]


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shape", GRIDS)
def test_divergence_is_the_adjoint_of_the_gradient(shape: tuple[int, int]) -> None:
    stencil = RotatedStencil(2, shape, CPU)
    u, t = noise(2, 2, *shape), noise(2, 3, *shape)
    work = (stencil.gradient(u, torch.empty_like(t)) * t).sum((1, 2, 3))
    same = (stencil.divergence(t, torch.empty_like(u)) * u).sum((1, 2, 3))
    torch.testing.assert_close(work, same, rtol=1e-12, atol=1e-12)


def test_gradient_is_exact_for_a_displacement_that_is_linear_inside_the_cell() -> None:
    u = torch.zeros((1, 2, 6, 6), dtype=torch.float64)
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(6.0), indexing="ij")
    u[0, 0], u[0, 1] = 0.2 * x + 0.5 * y, -0.3 * y + 0.1 * x
    g = RotatedStencil(1, (6, 6), CPU).gradient(u, torch.empty((1, 3, 6, 6), dtype=torch.float64))
    inside = g[0, :, :-1, :-1] * torch.tensor(STRAIN_FACTORS, dtype=torch.float64).view(3, 1, 1)
    expected = torch.tensor([0.2, -0.3, 0.6 / 2**0.5], dtype=torch.float64)
    torch.testing.assert_close(inside, expected.view(3, 1, 1).expand_as(inside), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("shape", GRIDS)
def test_reference_medium_inverts_its_own_equilibrium(shape: tuple[int, int]) -> None:
    law = Elastic(2.0, 0.3)
    image = torch.zeros(shape, dtype=torch.int64).numpy()
    eq = Equilibrium(Composite(image, [law], CPU), law.lame, 1, Control())
    eq.evaluate(torch.zeros((1, 3), dtype=torch.float64), torch.zeros((1, 2, *shape), dtype=torch.float64))
    eq.linearise()
    force = eq.apply(noise(1, 2, *shape), torch.empty((1, 2, *shape), dtype=torch.float64))
    u = eq.reference.solve(force, torch.empty_like(force))
    torch.testing.assert_close(eq.apply(u, torch.empty_like(u)), force, rtol=1e-10, atol=1e-10)


def test_checkerboard_displacement_strains_nothing_and_is_left_out_of_the_inverse_on_even_grids() -> None:
    shape = (6, 8)
    y, x = torch.meshgrid(torch.arange(6), torch.arange(8), indexing="ij")
    hourglass = ((-1.0) ** (x + y)).to(torch.float64).expand(1, 2, 6, 8).contiguous()
    g = RotatedStencil(1, shape, CPU).gradient(hourglass, torch.empty((1, 3, *shape), dtype=torch.float64))
    assert float(g.abs().max()) == 0.0
    reference = ReferenceMedium((1.0, 1.0), 1, shape, CPU)
    answer = reference.solve(hourglass, torch.empty_like(hourglass))
    assert torch.isfinite(answer).all()
    assert float(answer.abs().max()) < 1e-14


def test_a_zero_right_hand_side_beside_others_stays_zero_and_finite() -> None:
    a = torch.diag(torch.arange(1.0, 13.0, dtype=torch.float64))

    def apply(p: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        return out.copy_((p.flatten(1) @ a).view_as(p))

    def same(p: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        return out.copy_(p)

    right = noise(3, 2, 2, 3)
    right[1] = 0.0
    x, residual = torch.zeros_like(right), right.clone()
    target = torch.tensor([1e-12, 0.0, 1e-12], dtype=torch.float64)
    outcome = ConjugateGradients(x).solve(apply, same, residual, x, target, 50)
    assert outcome.converged.tolist() == [True, True, True]
    assert int(outcome.iterations[1]) == 0
    assert float(x[1].abs().max()) == 0.0
    torch.testing.assert_close(apply(x, torch.empty_like(x)), right, rtol=1e-10, atol=1e-11)


def test_a_system_that_is_not_definite_is_reported_and_leaves_its_neighbours_alone() -> None:
    def apply(p: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        return out.copy_(p * torch.tensor([2.0, -1.0], dtype=torch.float64).view(2, 1, 1, 1))

    right = noise(2, 2, 2, 2)
    x = torch.zeros_like(right)
    target = torch.full((2,), 1e-10, dtype=torch.float64)
    outcome = ConjugateGradients(x).solve(apply, lambda p, out: out.copy_(p), right.clone(), x, target, 20)
    assert outcome.converged.tolist() == [True, False]
    torch.testing.assert_close(x[0], right[0] / 2.0, rtol=1e-12, atol=1e-12)
    assert float(x[1].abs().max()) == 0.0


def test_work_fields_are_float64_everywhere() -> None:
    law = Elastic(2.0, 0.3)
    eq = Equilibrium(Composite(torch.zeros((4, 4), dtype=torch.int64).numpy(), [law], CPU), law.lame, 2, Control())
    outcome = eq.newton(torch.full((2, 3), 0.01, dtype=torch.float64), torch.zeros((2, 2, 4, 4), dtype=torch.float64))
    assert outcome.relative.dtype == torch.float64
    found = {v.dtype for v in vars(eq).values() if isinstance(v, torch.Tensor)}
    assert found == {torch.float64}
