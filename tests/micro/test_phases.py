"""Material laws: energy, stress and tangent belong together, and limits are right."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from scalebridge.errors import InputError, UnitError
from scalebridge.micro import Elastic, Phase, PowerLaw

LAWS = [Elastic(E=10.0, nu=0.22), PowerLaw(E=3.5, nu=0.35, yield_stress=0.05, n=0.15), PowerLaw(1.0, 0.0, 0.3, 0.6)]


def strains(count: int = 20, size: float = 0.05) -> torch.Tensor:
    return torch.as_tensor(np.random.default_rng(3).normal(size=(count, 3)) * size)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_stress_is_the_gradient_of_the_energy(law: Phase) -> None:
    x = strains().requires_grad_(True)
    (gradient,) = torch.autograd.grad(law.energy(x).sum(), x)
    torch.testing.assert_close(law.stress(x.detach()), gradient, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_tangent_is_the_derivative_of_the_stress(law: Phase) -> None:
    x = strains()
    tangent = torch.stack([torch.autograd.functional.jacobian(law.stress, row) for row in x])
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
    zero = torch.zeros((1, 3), dtype=torch.float64)
    assert float(law.energy(zero)) == 0.0
    assert float(law.stress(zero).abs().max()) == 0.0


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_law_is_isotropic_in_the_plane(law: Phase) -> None:
    angle = 0.7
    c, s = math.cos(angle), math.sin(angle)
    turn = torch.tensor(
        [
            [c * c, s * s, math.sqrt(2) * c * s],
            [s * s, c * c, -math.sqrt(2) * c * s],
            [-math.sqrt(2) * c * s, math.sqrt(2) * c * s, c * c - s * s],
        ],
        dtype=torch.float64,
    )
    x = strains()
    torch.testing.assert_close(law.stress(x @ turn.T), law.stress(x) @ turn.T, rtol=1e-12, atol=1e-14)


def test_power_law_agrees_with_the_three_dimensional_law_written_in_full() -> None:
    law = PowerLaw(E=3.5, nu=0.35, yield_stress=0.05, n=0.15)
    e11, e22, root_e12 = 0.03, -0.01, 0.02
    e = np.array([[e11, root_e12 / math.sqrt(2), 0.0], [root_e12 / math.sqrt(2), e22, 0.0], [0.0, 0.0, 0.0]])
    bulk, shear = 3.5 / (3 * (1 - 0.7)), 3.5 / (2 * 1.35)
    deviator = e - np.trace(e) / 3 * np.eye(3)
    q = math.sqrt(2 / 3 * (deviator**2).sum())
    q0 = 0.05 / (3 * shear)
    mises = 3 * shear * q * (1 + (q / q0) ** 2) ** ((0.15 - 1) / 2)
    s = bulk * np.trace(e) * np.eye(3) + 2 / 3 * mises / q * deviator
    x = torch.tensor([e11, e22, root_e12], dtype=torch.float64)
    np.testing.assert_allclose(law.stress(x).numpy(), [s[0, 0], s[1, 1], math.sqrt(2) * s[0, 1]], rtol=1e-13)
    assert float(law.axial_stress(x)) == pytest.approx(s[2, 2], rel=1e-13)


def test_power_law_with_exponent_one_is_linear_elasticity() -> None:
    law, elastic = PowerLaw(E=2.0, nu=0.3, yield_stress=0.01, n=1.0), Elastic(E=2.0, nu=0.3)
    x = strains()
    assert law.linear
    for member in ("energy", "stress", "tangent", "axial_stress"):
        torch.testing.assert_close(getattr(law, member)(x), getattr(elastic, member)(x), rtol=1e-12, atol=1e-14)


def test_power_law_starts_with_its_elastic_stiffness_and_ends_with_its_exponent() -> None:
    law = PowerLaw(E=2.0, nu=0.3, yield_stress=0.01, n=0.2)
    small = strains(size=1e-9)
    torch.testing.assert_close(law.energy(small), Elastic(2.0, 0.3).energy(small), rtol=1e-9, atol=0.0)
    shear = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0]], dtype=torch.float64) * 1e3 * law.yield_strain
    ratio = law.stress(shear)[1, 2] / law.stress(shear)[0, 2]
    assert float(ratio) == pytest.approx(2.0**0.2, rel=1e-5)


def test_constants_are_read_from_texts_with_units() -> None:
    assert Elastic("72 GPa", 0.22) == Elastic(72e9, 0.22)
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
        (lambda: PowerLaw(1.0, 0.3, 0.0, 0.5), "yield stress yield_stress of a power-law phase is 0.0"),
        (lambda: PowerLaw(1.0, 0.3, 0.1, 0.0), "hardening exponent n of a power-law phase is 0.0"),
        (lambda: PowerLaw(1.0, 0.3, 0.1, 1.5), "hardening exponent n of a power-law phase is 1.5"),
    ],
)
def test_impossible_constants_are_refused_in_one_sentence(make: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()  # type: ignore[operator]


def test_a_modulus_in_metres_is_refused() -> None:
    with pytest.raises(UnitError, match="does not convert to 'Pa'"):
        Elastic("72 mm", 0.22)
