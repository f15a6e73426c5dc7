"""Isotropic laws: energy, stress and tangent belong together, and limits are right."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from scalebridge.errors import InputError, UnitError
from scalebridge.micro.rve.phases import Elastic, Phase, PowerLaw, with_parameters
from scalebridge.micro.rve.phases.phase import MANDEL

LAWS = [Elastic(E=10.0, nu=0.22), PowerLaw(E=3.5, nu=0.35, yield_stress=0.05, n=0.15), PowerLaw(1.0, 0.0, 0.3, 0.6)]


def strains(count: int = 20, size: float = 0.05) -> torch.Tensor:
    return torch.as_tensor(np.random.default_rng(3).normal(size=(count, 6)) * size)


def matrix(mandel: torch.Tensor) -> torch.Tensor:
    full = mandel.new_zeros((*mandel.shape[:-1], 3, 3))
    for c, (i, j) in enumerate(MANDEL):
        full[..., i, j] = full[..., j, i] = mandel[..., c] / (1.0 if i == j else math.sqrt(2.0))
    return full


def mandel(full: torch.Tensor) -> torch.Tensor:
    return torch.stack([full[..., i, j] * (1.0 if i == j else math.sqrt(2.0)) for i, j in MANDEL], -1)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_law_is_a_phase(law: Phase) -> None:
    assert isinstance(law, Phase)
    assert law.kinematics == "small strain"


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_stress_is_the_gradient_of_the_energy(law: Phase) -> None:
    x = strains()
    gradient = torch.stack([torch.func.grad(law.energy)(row) for row in x])
    torch.testing.assert_close(law.stress(x), gradient, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_tangent_is_the_derivative_of_the_stress(law: Phase) -> None:
    x = strains()
    tangent = torch.stack([torch.func.jacrev(law.stress)(row) for row in x])
    torch.testing.assert_close(law.tangent(x), tangent, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_tangent_is_symmetric_and_positive_definite(law: Phase) -> None:
    tangent = law.tangent(strains(size=1.0))
    assert torch.equal(tangent, tangent.mT)
    assert float(torch.linalg.eigvalsh(tangent).min()) > 0.0


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_stress_is_odd_and_nothing_happens_at_zero_strain(law: Phase) -> None:
    x = strains()
    assert law.even
    torch.testing.assert_close(law.stress(-x), -law.stress(x), rtol=0.0, atol=0.0)
    zero = torch.zeros((1, 6), dtype=torch.float64)
    assert float(law.energy(zero)) == 0.0
    assert float(law.stress(zero).abs().max()) == 0.0


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_law_is_isotropic_in_space(law: Phase) -> None:
    turn, _ = torch.linalg.qr(torch.as_tensor(np.random.default_rng(1).normal(size=(3, 3))))
    x = strains()
    turned = law.stress(mandel(turn @ matrix(x) @ turn.T))
    expected = mandel(turn @ matrix(law.stress(x)) @ turn.T)
    torch.testing.assert_close(turned, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_components_first_in_memory_change_nothing_and_stay_first(law: Phase) -> None:
    x = strains()
    first = x.T.contiguous().T
    for member in ("energy", "stress", "tangent"):
        torch.testing.assert_close(getattr(law, member)(first), getattr(law, member)(x), rtol=1e-14, atol=1e-16)
    assert law.stress(first).stride() == (1, len(x))
    assert law.stress(x.float()).dtype == torch.float32
    assert law.tangent(x.float()).dtype == torch.float32


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_gradients_flow_to_constants_one_per_point(law: Phase) -> None:
    x = strains(4)
    names = [p.name for p in law.parameters]
    values = [torch.full((4,), p.value, dtype=torch.float64).requires_grad_() for p in law.parameters]

    def outputs(*constants: torch.Tensor) -> tuple[torch.Tensor, ...]:
        made = with_parameters(law, dict(zip(names, constants, strict=True)))
        return made.energy(x), made.stress(x), made.tangent(x)

    for given, expected in zip(outputs(*values), (law.energy(x), law.stress(x), law.tangent(x)), strict=True):
        torch.testing.assert_close(given, expected, rtol=1e-14, atol=1e-16)
    assert torch.autograd.gradcheck(outputs, values, eps=1e-6, atol=1e-5, rtol=1e-5)


def test_power_law_agrees_with_the_law_written_in_full() -> None:
    law = PowerLaw(E=3.5, nu=0.35, yield_stress=0.05, n=0.15)
    x = strains(1)[0]
    e = matrix(x).numpy()
    bulk, shear = 3.5 / (3 * (1 - 0.7)), 3.5 / (2 * 1.35)
    deviator = e - np.trace(e) / 3 * np.eye(3)
    q = math.sqrt(2 / 3 * (deviator**2).sum())
    q0 = 0.05 / (3 * shear)
    mises = 3 * shear * q * (1 + (q / q0) ** 2) ** ((0.15 - 1) / 2)
    s = bulk * np.trace(e) * np.eye(3) + 2 / 3 * mises / q * deviator
    np.testing.assert_allclose(matrix(law.stress(x)).numpy(), s, rtol=1e-12)


def test_power_law_with_exponent_one_is_linear_elasticity() -> None:
    law, elastic = PowerLaw(E=2.0, nu=0.3, yield_stress=0.01, n=1.0), Elastic(E=2.0, nu=0.3)
    x = strains()
    assert law.linear
    for member in ("energy", "stress", "tangent"):
        torch.testing.assert_close(getattr(law, member)(x), getattr(elastic, member)(x), rtol=1e-12, atol=1e-14)


def test_power_law_starts_with_its_elastic_stiffness_and_ends_with_its_exponent() -> None:
    law = PowerLaw(E=2.0, nu=0.3, yield_stress=0.01, n=0.2)
    small = strains(size=1e-9)
    torch.testing.assert_close(law.energy(small), Elastic(2.0, 0.3).energy(small), rtol=1e-9, atol=0.0)
    shear = torch.tensor([[0.0] * 5 + [1.0], [0.0] * 5 + [2.0]], dtype=torch.float64) * 1e3 * law.yield_strain
    ratio = law.stress(shear)[1, 5] / law.stress(shear)[0, 5]
    assert float(ratio) == pytest.approx(2.0**0.2, rel=1e-5)


def test_constants_are_read_from_texts_with_units() -> None:
    assert Elastic("72 GPa", 0.22, "3e-6 1/K") == Elastic(72e9, 0.22, 3e-6)
    law = PowerLaw(E="3.5 GPa", nu=0.35, yield_stress="50 MPa", n=0.15)
    assert [(p.name, p.value, p.unit) for p in law.parameters] == [
        ("E", 3.5e9, "Pa"),
        ("nu", 0.35, "1"),
        ("yield_stress", 5e7, "Pa"),
        ("n", 0.15, "1"),
    ]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Elastic(0.0, 0.3), "Young's modulus E of an elastic phase is 0.0; it must be a positive"),
        (lambda: Elastic(-1.0, 0.3), "is -1.0; it must be a positive"),
        (lambda: Elastic(math.nan, 0.3), "is nan; it must be a positive"),
        (lambda: Elastic(1.0, 0.5), "Poisson's ratio nu of an elastic phase is 0.5;"),
        (lambda: Elastic(1.0, -1.0), "must lie in \\(-1, 0.5\\)"),
        (lambda: Elastic(1.0, math.nan), "is nan; Poisson's ratio must lie"),
        (lambda: Elastic(1.0, 0.3, math.inf), "thermal expansion coefficient of an elastic phase is inf"),
        (lambda: PowerLaw(1.0, 0.3, 0.0, 0.5), "yield stress yield_stress of a power-law phase is 0.0"),
        (lambda: PowerLaw(1.0, 0.3, 0.1, 0.0), "hardening exponent n of a power-law phase is 0.0"),
        (lambda: PowerLaw(1.0, 0.3, 0.1, 1.5), "hardening exponent n of a power-law phase is 1.5"),
        (lambda: with_parameters(Elastic(1.0, 0.3), {"G": 1.0}), "'elastic' has no parameter 'G'; it has E, nu"),
    ],
)
def test_impossible_constants_are_refused_in_one_sentence(make: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()  # type: ignore[operator]


def test_a_modulus_in_metres_is_refused() -> None:
    with pytest.raises(UnitError, match="does not convert to 'Pa'"):
        Elastic("72 mm", 0.22)
