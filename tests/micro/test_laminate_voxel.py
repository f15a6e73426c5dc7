"""Composite voxels: exact laminates, bounds, derivatives, and the balance of tractions in nonlinear phases."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import root

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.phases.conductor import Conductor
from scalebridge.micro.rve.phases.elastic import Elastic
from scalebridge.micro.rve.phases.j2 import J2
from scalebridge.micro.rve.phases.neo_hooke import NeoHooke
from scalebridge.micro.rve.phases.phase import HistoryPhase, Phase
from scalebridge.micro.rve.phases.power_law import PowerLaw
from scalebridge.micro.rve.phases.void import Void
from scalebridge.micro.rve.voxels.laminate import (
    Laminate,
    LaminateHistory,
    laminate_conductivity,
    laminate_stiffness,
)
from tests.micro.mandel import gradients, rotations, row_jacobian, strains, to_tensor, turned

X = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)


def stiffness(E: float, nu: float = 0.3) -> torch.Tensor:
    return Elastic(E, nu).tangent(torch.zeros((1, 6), dtype=torch.float64))[0].clone()


def anisotropic(seed: int) -> torch.Tensor:
    a = np.random.default_rng(seed).normal(size=(6, 6))
    return torch.as_tensor(a @ a.T + np.eye(6))


def geometry(m: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Fractions ``[m]`` and unit normals ``[m, 3]``."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=(m, 3))
    return torch.as_tensor(rng.uniform(0.02, 0.98, m)), torch.as_tensor(
        normal / np.linalg.norm(normal, axis=1)[:, None]
    )


def test_laminate_of_two_isotropic_phases_has_the_exact_constants() -> None:
    c = laminate_stiffness(stiffness(1.0), stiffness(10.0), torch.tensor(0.5), X)
    exact = {(0, 0): 2.44755245, (0, 1): 1.04895105, (1, 1): 6.49350649, (1, 2): 2.26273726}
    for (i, j), value in exact.items():
        assert float(c[i, j]) == pytest.approx(value, abs=5e-9)
    assert float(c[5, 5]) / 2 == pytest.approx(0.69930070, abs=5e-9)
    assert float(c[3, 3]) / 2 == pytest.approx(2.11538462, abs=5e-9)
    torch.testing.assert_close(c, c.mT, rtol=0.0, atol=1e-15)


def test_turning_phases_and_normal_turns_the_laminate() -> None:
    q = rotations(1)[0]
    basis = turned(torch.eye(6, dtype=torch.float64), q).mT  # columns: turned unit strains
    first, second, (f, n) = anisotropic(1), anisotropic(2), geometry(1)
    straight = laminate_stiffness(first, second, f[0], n[0])
    tilted = laminate_stiffness(basis @ first @ basis.mT, basis @ second @ basis.mT, f[0], q @ n[0])
    torch.testing.assert_close(tilted, basis @ straight @ basis.mT, rtol=1e-12, atol=1e-12)


def test_laminate_lies_between_the_bounds_of_reuss_and_voigt() -> None:
    f, n = geometry(50)
    first, second = anisotropic(3), anisotropic(4)
    c = laminate_stiffness(first, second, f, n)
    w = f[:, None, None]
    voigt = (1 - w) * first + w * second
    reuss = torch.linalg.inv((1 - w) * torch.linalg.inv(first) + w * torch.linalg.inv(second))
    assert float(torch.linalg.eigvalsh(voigt - c).min()) > -1e-12
    assert float(torch.linalg.eigvalsh(c - reuss).min()) > -1e-12


def test_pure_voxels_and_equal_phases_take_the_stiffness_of_the_phase() -> None:
    first, second, (_, n) = anisotropic(5), anisotropic(6), geometry(4)
    void = torch.zeros_like(first)
    for fraction, other, expected in (
        (0.0, second, first),
        (1.0, second, second),
        (0.3, first, first),
        (0.0, void, first),
    ):
        made = laminate_stiffness(first, other, torch.full((4,), fraction, dtype=torch.float64), n)
        torch.testing.assert_close(made, expected.expand(4, 6, 6), rtol=1e-14, atol=1e-14)


def test_laminate_with_a_void_carries_nothing_across_and_is_finite() -> None:
    first, (f, n) = anisotropic(7), geometry(6)
    made = laminate_stiffness(first, torch.zeros_like(first), f, n)
    traction = to_tensor(made.mT) @ n[:, None, :, None]
    assert float(traction.abs().max()) < 1e-13
    assert float(torch.linalg.eigvalsh(made).min()) > -1e-13
    torch.testing.assert_close(made, laminate_stiffness(torch.zeros_like(first), first, 1 - f, n))
    assert not bool(laminate_stiffness(0 * first, 0 * first, f, n).any())


def test_stiffness_of_a_laminate_is_differentiable_by_everything() -> None:
    f, n = geometry(2)
    first, second = anisotropic(8).expand(2, 6, 6).clone(), anisotropic(9).expand(2, 6, 6).clone()
    inputs = [x.requires_grad_(True) for x in (first, second, f, n)]
    assert torch.autograd.gradcheck(laminate_stiffness, inputs)
    assert torch.autograd.gradcheck(lambda a, b, c: laminate_stiffness(a, 0.0 * a, b, c), (first, f, n))


def test_conductors_are_in_series_across_and_in_parallel_along() -> None:
    one = torch.eye(3, dtype=torch.float64)
    k = laminate_conductivity(one, 10 * one, torch.tensor(0.25), X)
    exact = torch.diag(torch.tensor([1 / (0.75 + 0.025), 3.25, 3.25], dtype=torch.float64))
    torch.testing.assert_close(k, exact, rtol=1e-14, atol=1e-15)
    f, n = geometry(3)
    inputs = [x.requires_grad_(True) for x in (one.clone(), 3 * one, f, n)]
    assert torch.autograd.gradcheck(laminate_conductivity, inputs)


def pairs() -> list[tuple[Phase, Phase, Callable[..., torch.Tensor]]]:
    power = PowerLaw(E=3.5, nu=0.35, yield_stress=0.05, n=0.15)

    def fields(count: int) -> torch.Tensor:
        return strains(count)[:, :3]

    return [
        (Elastic(1.0, 0.3), Elastic(100.0, 0.2), strains),
        (Elastic(72.0, 0.22), power, strains),
        (PowerLaw(1.0, 0.1, 0.02, 0.4), power, strains),
        (NeoHooke(1.0, 0.3), NeoHooke(20.0, 0.4), gradients),
        (Conductor(1.0), Conductor(50.0), fields),
    ]


def composite(first: Phase, second: Phase, m: int = 20) -> Laminate:
    return Laminate(first, second, *geometry(m))


IDS = [f"{a.name}-{b.name}" for a, b, _ in pairs()]


@pytest.mark.parametrize(("first", "second", "measures"), pairs(), ids=IDS)
def test_energy_stress_and_tangent_of_a_composite_belong_together(
    first: Phase, second: Phase, measures: Callable[..., torch.Tensor]
) -> None:
    law, x = composite(first, second), measures(20)
    assert isinstance(law, Phase)
    free = x.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(law.energy(free).sum(), free)
    stress, tangent = law.stress(x), law.tangent(x)
    scale = float(stress.abs().max())
    torch.testing.assert_close(stress, gradient, rtol=1e-10, atol=1e-12 * scale)
    jacobian = row_jacobian(law.stress, x)
    torch.testing.assert_close(tangent, jacobian, rtol=1e-9, atol=1e-10 * float(jacobian.abs().max()))
    torch.testing.assert_close(tangent, tangent.mT, rtol=1e-12, atol=1e-12 * float(tangent.abs().max()))


@pytest.mark.parametrize(("first", "second", "measures"), pairs(), ids=IDS)
def test_parts_average_to_the_measure_and_their_tractions_agree(
    first: Phase, second: Phase, measures: Callable[..., torch.Tensor]
) -> None:
    law, x = composite(first, second), measures(40).unflatten(0, (2, 20))
    parts = law.parts(x)
    f = law.fraction[:, None]
    torch.testing.assert_close((1 - f) * parts[0] + f * parts[1], x, rtol=0.0, atol=1e-15)
    tractions = []
    for phase, part in zip((first, second), parts, strict=True):
        stress = phase.stress(part)
        if stress.shape[-1] == 3:
            tractions.append((stress * law.normal).sum(-1))
        else:
            full = to_tensor(stress) if stress.shape[-1] == 6 else stress.unflatten(-1, (3, 3))
            tractions.append((full @ law.normal[..., None])[..., 0])
    torch.testing.assert_close(*tractions, rtol=1e-10, atol=1e-12 * float(law.stress(x).abs().max()))


def test_one_linear_phase_after_another_gives_the_closed_form() -> None:
    law = composite(Elastic(1.0, 0.3), Elastic(10.0, 0.2))
    exact = laminate_stiffness(stiffness(1.0), stiffness(10.0, 0.2), law.fraction, law.normal)
    x = strains(20)
    torch.testing.assert_close(law.tangent(x), exact, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(law.stress(x), (exact @ x[..., None])[..., 0], rtol=1e-12, atol=1e-15)
    assert law.linear and law.even


def neo_hooke_stress(F: np.ndarray[Any, Any], E: float, nu: float) -> np.ndarray[Any, Any]:
    mu, lam = E / (2 * (1 + nu)), E * nu / ((1 + nu) * (1 - 2 * nu))
    inverse = np.linalg.inv(F).T
    return np.asarray(mu * (F - inverse) + lam * np.log(np.linalg.det(F)) * inverse)


def test_neo_hookean_laminate_agrees_with_an_independent_solution() -> None:
    f, n = 0.35, np.array([1.0, 2.0, -1.0]) / math.sqrt(6.0)
    law = Laminate(
        NeoHooke(1.0, 0.3), NeoHooke(20.0, 0.4), torch.tensor([f], dtype=torch.float64), torch.as_tensor(n)[None]
    )
    for F in gradients(10).numpy().reshape(-1, 3, 3):

        def both(a: np.ndarray[Any, Any], F: np.ndarray[Any, Any] = F) -> list[np.ndarray[Any, Any]]:
            jump = np.outer(a, n)
            return [neo_hooke_stress(F - f * jump, 1.0, 0.3), neo_hooke_stress(F + (1 - f) * jump, 20.0, 0.4)]

        solution = root(lambda a, both=both: (both(a)[1] - both(a)[0]) @ n, np.zeros(3), tol=1e-12)
        assert np.linalg.norm(solution.fun) < 1e-10
        one, two = both(solution.x)
        found = law.stress(torch.as_tensor(F).reshape(1, 1, 9)).numpy().reshape(3, 3)
        np.testing.assert_allclose(found, (1 - f) * one + f * two, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", ["small", "finite"])
def test_nothing_happens_in_a_composite_at_rest(kind: str) -> None:
    if kind == "small":
        law, rest = (
            composite(Elastic(1.0, 0.3), PowerLaw(3.5, 0.35, 0.05, 0.15)),
            torch.zeros((20, 6), dtype=torch.float64),
        )
    else:
        law = composite(NeoHooke(1.0, 0.3), NeoHooke(20.0, 0.4))
        rest = torch.eye(3, dtype=torch.float64).flatten().expand(20, 9)
    assert float(law.energy(rest).abs().max()) == 0.0
    assert float(law.stress(rest).abs().max()) == 0.0


def test_gradients_by_the_constants_of_the_phases_and_by_the_geometry_agree_with_differences() -> None:
    f, n = geometry(3)
    x = strains(3)

    def response(E: torch.Tensor, q: torch.Tensor, f: torch.Tensor, n: torch.Tensor) -> torch.Tensor:
        elastic, power = Elastic(1.0, 0.3), PowerLaw(3.5, 0.35, 0.05, 0.15)
        object.__setattr__(elastic, "E", E)
        object.__setattr__(power, "yield_stress", q)
        law = Laminate(elastic, power, f, n)
        return torch.cat([law.stress(x).flatten(), law.energy(x).flatten(), law.tangent(x).flatten()])

    constants = torch.tensor(10.0, dtype=torch.float64), torch.tensor(0.05, dtype=torch.float64)
    inputs = [v.requires_grad_(True) for v in (*constants, f, n)]
    assert torch.autograd.gradcheck(response, inputs, eps=1e-7, atol=1e-5, rtol=1e-5)


def test_composite_of_steel_and_its_elastic_self_is_elastic_below_yield() -> None:
    law = LaminateHistory(Elastic(200.0, 0.3), J2(200.0, 0.3, 0.25), *geometry(20))
    assert isinstance(law, HistoryPhase)
    assert law.state_size == 13 and len(law.state0()) == 13
    state = torch.tensor(law.state0(), dtype=torch.float64).expand(20, 13)
    x = 1e-5 * strains(20)
    made = law.advance(x, state, 1.0)
    torch.testing.assert_close(made.stress, Elastic(200.0, 0.3).stress(x), rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(made.state, state)


def test_plastic_composite_balances_tractions_along_a_path_with_the_consistent_tangent() -> None:
    plastic, elastic = J2(70.0, 0.3, 0.1, hardening=1.0, kinematic=0.5), Elastic(400.0, 0.2)
    law = LaminateHistory(plastic, elastic, *geometry(20))
    state = torch.tensor(law.state0(), dtype=torch.float64).expand(20, law.state_size)
    target = strains(20)
    for part in (0.3, 1.0, 0.2, -0.6):
        x = part * target
        made = law.advance(x, state, 1.0)
        jacobian = row_jacobian(lambda e, old=state: law.advance(e, old, 1.0).stress, x)
        torch.testing.assert_close(made.tangent, jacobian, rtol=1e-8, atol=1e-8 * float(jacobian.abs().max()))
        assert made.state.shape == state.shape and bool(torch.isfinite(made.stress).all())
        state = made.state
    assert float(state[:, 12].min()) > 0.0


def test_phases_in_parallel_take_the_measure_of_the_voxel() -> None:
    power, (f, n) = PowerLaw(3.5, 0.35, 0.05, 0.15), geometry(20)
    law, x = Laminate(power, Void(), f, n, parallel=True), strains(20)
    torch.testing.assert_close(law.energy(x), (1 - f) * power.energy(x))
    torch.testing.assert_close(law.stress(x), (1 - f)[:, None] * power.stress(x))
    torch.testing.assert_close(law.tangent(x), (1 - f)[:, None, None] * power.tangent(x))
    plastic = J2(70.0, 0.3, 0.1)
    with_history = LaminateHistory(plastic, Void(), f, n, parallel=True)
    state = torch.tensor(with_history.state0(), dtype=torch.float64).expand(20, 13)
    made, alone = with_history.advance(x, state, 1.0), plastic.advance(x, state, 1.0)
    torch.testing.assert_close(made.tangent, (1 - f)[:, None, None] * alone.tangent)
    torch.testing.assert_close(made.state, alone.state)


def test_laminate_law_with_a_void_is_the_closed_form() -> None:
    law, x = composite(Elastic(1.0, 0.3), Void()), strains(20)
    exact = laminate_stiffness(stiffness(1.0), 0 * stiffness(1.0), law.fraction, law.normal)
    torch.testing.assert_close(law.tangent(x), exact, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(law.stress(x), (exact @ x[..., None])[..., 0], rtol=1e-10, atol=1e-15)
    nonlinear = composite(PowerLaw(3.5, 0.35, 0.05, 0.15), Void())
    assert bool(torch.isfinite(nonlinear.stress(x)).all())


def test_single_precision_stays_single_and_agrees() -> None:
    law, x = composite(Elastic(72.0, 0.22), PowerLaw(3.5, 0.35, 0.05, 0.15)), strains(20)
    single = law.stress(x.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), law.stress(x), rtol=1e-3, atol=1e-5)


def test_point_without_a_balance_is_not_a_number() -> None:
    law = composite(NeoHooke(1.0, 0.3), NeoHooke(20.0, 0.4), m=1)
    inverted = torch.diag(torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)).reshape(1, 9)
    assert bool(law.stress(inverted).isnan().all())


def test_phases_that_do_not_fit_are_refused_in_a_sentence() -> None:
    f, n = geometry(3)
    with pytest.raises(InputError, match="cannot join 'elastic'"):
        Laminate(Elastic(1.0, 0.3), NeoHooke(1.0, 0.3), f, n)
    with pytest.raises(ShapeError, match="one normal of three components per voxel"):
        LaminateHistory(Elastic(1.0, 0.3), J2(1.0, 0.3, 0.1), f, n[:, :2])
