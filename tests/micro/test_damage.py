"""Isotropic damage and its averaging: curves in closed form, irreversibility, the periodic Helmholtz equation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.averaging import HelmholtzAverage
from scalebridge.micro.rve.grid import Grid
from scalebridge.micro.rve.phases.damage import IsotropicDamage, NonlocalPhase
from scalebridge.micro.rve.phases.phase import HistoryPhase, with_parameters
from tests.micro.mandel import rotations, row_jacobian, strains, turned

E, NU, START, FAILURE = 20e3, 0.2, 1e-4, 1e-3
LAW = IsotropicDamage(E, NU, START, FAILURE, length=2.0, strength_ratio=8.0, residual=0.0)


def virgin(count: int) -> torch.Tensor:
    return torch.tensor(LAW.state0(), dtype=torch.float64).expand(count, 2)


def bar(axial: torch.Tensor) -> torch.Tensor:
    """Strains of a bar free to contract; damage leaves Poisson's ratio as it is."""
    return axial[:, None] * torch.tensor([1.0, -NU, -NU, 0.0, 0.0, 0.0], dtype=torch.float64)


def test_law_is_nonlocal_and_cannot_be_taken_for_a_local_one() -> None:
    assert isinstance(LAW, NonlocalPhase)
    assert not isinstance(LAW, HistoryPhase)
    assert [p.name for p in LAW.parameters] == list(LAW.__dataclass_fields__)
    assert {p.name: p.unit for p in LAW.parameters}["length"] == "m"


def test_equivalent_strain_is_the_axial_one_in_tension_and_its_share_in_compression() -> None:
    axial = torch.linspace(-0.01, 0.01, 21, dtype=torch.float64)
    expected = torch.where(axial > 0, axial, -axial / 8.0)
    torch.testing.assert_close(LAW.equivalent(bar(axial)), expected, rtol=1e-12, atol=1e-18)


def test_equivalent_strain_is_isotropic_smooth_and_not_negative() -> None:
    x, q = strains(50), rotations(50)
    torch.testing.assert_close(LAW.equivalent(turned(x, q)), LAW.equivalent(x), rtol=1e-10, atol=1e-16)
    assert float(LAW.equivalent(x).min()) > 0.0
    zero = torch.zeros((1, 6), dtype=torch.float64)
    assert bool(row_jacobian(lambda y: LAW.equivalent(y)[:, None], zero).isfinite().all())


def test_tension_softens_by_the_exponential_in_closed_form() -> None:
    axial = torch.linspace(0.0, 0.01, 41, dtype=torch.float64)
    x = bar(axial)
    found = LAW.advance_nonlocal(x, LAW.equivalent(x), virgin(41), 1.0)
    exact = torch.where(axial < START, E * axial, E * START * (-(axial - START) / (FAILURE - START)).exp())
    torch.testing.assert_close(found.stress[:, 0], exact, rtol=1e-12, atol=1e-12)
    assert float(found.stress[:, 1:].abs().max()) < 1e-14


def test_energy_of_fracture_is_that_of_the_docstring() -> None:
    axial = torch.linspace(0.0, 0.05, 400_001, dtype=torch.float64)
    stress = LAW.advance_nonlocal(bar(axial), axial, virgin(len(axial)), 1.0).stress[:, 0]
    work = float(torch.trapezoid(stress, axial))
    assert work == pytest.approx(E * START * (FAILURE - START / 2), rel=1e-6)


def test_damage_never_heals_and_unloading_goes_to_the_origin() -> None:
    state, damage = virgin(40), torch.zeros(40, dtype=torch.float64)
    for step in range(6):
        x = strains(40, 5e-4, 30 + step)
        found = LAW.advance_nonlocal(x, LAW.equivalent(x), state, 1.0)
        assert bool((found.state >= state).all()) and bool((found.state[:, 1] < 1.0).all())
        state, damage = found.state, found.state[:, 1]
    x = 0.01 * strains(40, 5e-4)
    unloaded = LAW.advance_nonlocal(x, LAW.equivalent(x), state, 1.0)
    assert torch.equal(unloaded.state, state)
    lam, mu = E * NU / (1 + NU) / (1 - 2 * NU), E / 2 / (1 + NU)
    hooke = 2 * mu * x + lam * x[:, :3].sum(1, keepdim=True) * torch.tensor([1.0, 1, 1, 0, 0, 0])
    torch.testing.assert_close(unloaded.stress, (1 - damage)[:, None] * hooke, rtol=1e-12, atol=1e-12)


def test_below_the_threshold_the_law_is_elastic_and_undamaged() -> None:
    x = strains(20, 1e-6)
    found = LAW.advance_nonlocal(x, LAW.equivalent(x), virgin(20), 1.0)
    assert torch.equal(found.state, virgin(20))


def test_tangent_is_the_derivative_of_the_stress_at_fixed_average() -> None:
    x = strains(20, 5e-4)
    average = LAW.equivalent(strains(20, 5e-4, 9))
    found = LAW.advance_nonlocal(x, average, virgin(20), 1.0)
    derivative = row_jacobian(lambda y: LAW.advance_nonlocal(y, average, virgin(20), 1.0).stress, x)
    torch.testing.assert_close(found.tangent, derivative, rtol=1e-11, atol=1e-9)
    assert float(torch.linalg.eigvalsh(found.tangent).min()) > 0.0


def test_residual_stiffness_stays_however_large_the_strain() -> None:
    law = with_parameters(LAW, {"residual": 1e-3})
    found = law.advance_nonlocal(strains(5, 1.0), torch.full((5,), 10.0, dtype=torch.float64), virgin(5), 1.0)
    torch.testing.assert_close(
        1.0 - found.state[:, 1], torch.full((5,), 1e-3, dtype=torch.float64), rtol=1e-10, atol=0.0
    )


def test_constants_may_be_tensors_per_point_and_precision_is_kept() -> None:
    x = strains(6, 5e-4).reshape(2, 3, 6)
    values = {p.name: torch.tensor([0.9, 1.0, 1.1]).double() * p.value for p in LAW.parameters}
    law, state = with_parameters(LAW, values), virgin(6).reshape(2, 3, 2)
    found = law.advance_nonlocal(x, law.equivalent(x), state, 1.0)
    for i in range(3):
        one = with_parameters(LAW, {n: float(v[i]) for n, v in values.items()})
        alone = one.advance_nonlocal(x[:, i], one.equivalent(x[:, i]), state[:, i], 1.0)
        torch.testing.assert_close(found.stress[:, i], alone.stress, rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(found.tangent[:, i], alone.tangent, rtol=1e-12, atol=1e-9)
    single = LAW.advance_nonlocal(x.float(), LAW.equivalent(x.float()), state.float(), 1.0)
    assert {single.stress.dtype, single.tangent.dtype, single.state.dtype} == {torch.float32}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"E": 0.0}, "Young's modulus E of a damage phase is 0.0"),
        ({"nu": 0.6}, "nu of a damage phase is 0.6"),
        ({"strain_threshold": 0.0}, "strain_threshold of a damage phase is 0.0"),
        (
            {"strain_failure": 1e-5},
            "strain_failure of a damage phase is 1e-05 and strain_threshold 0.0001; failure must",
        ),
        ({"length": -1.0}, "internal length of a damage phase is -1.0"),
        ({"strength_ratio": 0.5}, "strength_ratio of a damage phase is 0.5; it is the compressive"),
        ({"residual": 1.0}, "residual stiffness of a damage phase is 1.0; it is a part"),
    ],
)
def test_impossible_constants_are_refused_in_one_sentence(given: dict[str, float], words: str) -> None:
    sound = {"E": E, "nu": NU, "strain_threshold": START, "strain_failure": FAILURE, "length": 2.0}
    with pytest.raises(InputError, match=words):
        IsotropicDamage(**{**sound, **given})


def average(shape: tuple[int, ...], spacing: tuple[float, ...], length: float) -> HelmholtzAverage:
    return HelmholtzAverage(Grid(shape, spacing), length, "cpu", torch.float64)


GRIDS = [((8, 9), (0.5, 0.25)), ((5, 6, 7), (1.0, 0.5, 0.4)), ((1, 1, 12), (1.0, 1.0, 1.0)), ((7, 1), (1.0, 2.0))]


@pytest.mark.parametrize(("shape", "spacing"), GRIDS)
def test_average_solves_the_difference_equation_and_keeps_the_mean(
    shape: tuple[int, ...], spacing: tuple[float, ...]
) -> None:
    local = torch.as_tensor(np.random.default_rng(1).random((3, *shape)))
    found = average(shape, spacing, 0.7)(local)
    back = found.clone()
    for axis, h in enumerate(spacing, 1):
        back -= 0.49 / h**2 * (found.roll(1, axis) + found.roll(-1, axis) - 2.0 * found)
    torch.testing.assert_close(back, local, rtol=1e-12, atol=1e-12)
    axes = tuple(range(1, local.ndim))
    torch.testing.assert_close(found.mean(axes), local.mean(axes), rtol=1e-14, atol=0.0)


@pytest.mark.parametrize(("shape", "spacing"), GRIDS)
def test_average_stays_in_the_range_of_the_field(shape: tuple[int, ...], spacing: tuple[float, ...]) -> None:
    spike = torch.zeros((1, *shape), dtype=torch.float64)
    spike.view(-1)[3] = 1.0
    for length in (0.05, 0.5, 5.0):
        found = average(shape, spacing, length)(spike)
        assert float(found.min()) >= -1e-15 and float(found.max()) <= 1.0


def test_average_converges_with_order_two_to_the_exact_wave() -> None:
    length, errors = 0.15, []
    for n in (32, 64, 128):
        x = (torch.arange(n, dtype=torch.float64) + 0.5) / n
        wave = torch.cos(2 * math.pi * x)[None, :, None] * torch.cos(4 * math.pi * x)[None, None, :]
        exact = wave / (1.0 + length**2 * (2 * math.pi) ** 2 * (1 + 4))
        errors.append(float((average((n, n), (1 / n, 1 / n), length)(wave) - exact).norm() / exact.norm()))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.05)
    assert math.log2(errors[1] / errors[2]) == pytest.approx(2.0, abs=0.02)


def test_average_is_its_own_adjoint_and_differentiable() -> None:
    a, b = (torch.as_tensor(np.random.default_rng(s).random((2, 5, 6, 7))) for s in (1, 2))
    act = average((5, 6, 7), (1.0, 1.0, 2.0), 1.3)
    assert float((act(a) * b).sum()) == pytest.approx(float((a * act(b)).sum()), rel=1e-13)
    a.requires_grad_(True)
    (gradient,) = torch.autograd.grad((act(a) * b).sum(), a)
    torch.testing.assert_close(gradient, act(b), rtol=1e-12, atol=1e-14)


def test_no_length_changes_nothing_and_a_long_one_leaves_the_mean() -> None:
    local = torch.as_tensor(np.random.default_rng(1).random((1, 6, 6)))
    torch.testing.assert_close(average((6, 6), (1.0, 1.0), 0.0)(local), local, rtol=1e-14, atol=1e-15)
    far = average((6, 6), (1.0, 1.0), 1e8)(local)
    torch.testing.assert_close(far, local.mean().expand(1, 6, 6), rtol=1e-13, atol=0.0)


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda: average((4, 4), (1.0, 1.0), -1.0), InputError, "averaging length is -1.0"),
        (lambda: average((4, 4), (1.0, 1.0), math.nan), InputError, "averaging length is nan"),
        (
            lambda: average((4, 4), (1.0, 1.0), 1.0)(torch.zeros(1, 4, 5)),
            ShapeError,
            r"it must be \[b, \*grid\] = \[b, 4, 4\]",
        ),
        (lambda: average((4, 4), (1.0, 1.0), 1.0)(torch.zeros(4, 4)), ShapeError, r"shape \[4, 4\]"),
    ],
)
def test_wrong_input_of_an_average_is_refused(act: Callable[[], object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        act()
