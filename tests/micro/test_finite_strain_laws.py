"""Hyperelastic laws: energy, stress and tangent belong together; objectivity; limits; failure is never silent."""

from __future__ import annotations

import math

import pytest
import torch

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.fibre_reinforced import FibreReinforced
from scalebridge.micro.rve.phases.neo_hooke import NeoHooke
from scalebridge.micro.rve.phases.phase import Phase, with_parameters
from tests.micro.mandel import gradients, rotations, row_jacobian

LAWS: list[Phase] = [NeoHooke(10.0, 0.3), NeoHooke(1.0, -0.4), FibreReinforced(1.0, 3.0, 2.0, 0.8)]
every_law = pytest.mark.parametrize("law", LAWS, ids=str)
ONE = torch.eye(3, dtype=torch.float64).reshape(9)


@every_law
def test_law_keeps_the_contract(law: Phase) -> None:
    assert isinstance(law, Phase)
    assert law.kinematics == "finite strain" and not law.linear and not law.even
    assert all(getattr(law, p.name) == p.value for p in law.parameters)


@every_law
def test_stress_is_the_gradient_of_the_energy(law: Phase) -> None:
    f = gradients().requires_grad_(True)
    (gradient,) = torch.autograd.grad(law.energy(f).sum(), f)
    torch.testing.assert_close(law.stress(f.detach()), gradient, rtol=1e-10, atol=1e-11)


@every_law
def test_tangent_is_the_derivative_of_the_stress_and_symmetric(law: Phase) -> None:
    f = gradients()
    tangent = law.tangent(f)
    torch.testing.assert_close(tangent, row_jacobian(law.stress, f), rtol=1e-10, atol=1e-11)
    torch.testing.assert_close(tangent, tangent.mT, rtol=1e-12, atol=1e-12)


@every_law
def test_law_is_objective(law: Phase) -> None:
    f, q = gradients(), rotations()
    turned = (q @ f.reshape(-1, 3, 3)).reshape(-1, 9)
    expected = (q @ law.stress(f).reshape(-1, 3, 3)).reshape(-1, 9)
    torch.testing.assert_close(law.stress(turned), expected, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(law.energy(turned), law.energy(f), rtol=1e-11, atol=1e-12)


@every_law
def test_cauchy_stress_is_symmetric(law: Phase) -> None:
    f = gradients()
    kirchhoff = law.stress(f).reshape(-1, 3, 3) @ f.reshape(-1, 3, 3).mT
    torch.testing.assert_close(kirchhoff, kirchhoff.mT, rtol=1e-11, atol=1e-12)


def test_neo_hooke_is_isotropic() -> None:
    law, f, q = LAWS[0], gradients(), rotations()
    turned = (f.reshape(-1, 3, 3) @ q.mT).reshape(-1, 9)
    torch.testing.assert_close(law.energy(turned), law.energy(f), rtol=1e-11, atol=1e-12)


@every_law
def test_nothing_happens_at_rest_or_in_a_rotation(law: Phase) -> None:
    assert float(law.energy(ONE)) == 0.0
    assert float(law.stress(ONE).abs().max()) == 0.0
    assert float(law.stress(rotations().reshape(-1, 9)).abs().max()) < 1e-14


def test_at_small_strain_neo_hooke_is_hookes_law_to_the_last_digits() -> None:
    law = NeoHooke(10.0, 0.3)
    lam, mu = law.lame
    for size in (1e-3, 1e-6, 1e-9):
        f = ONE + (gradients() - ONE) * size
        h = (f - ONE).reshape(-1, 3, 3)
        linear = mu * (h + h.mT) + lam * h.diagonal(dim1=1, dim2=2).sum(1)[:, None, None] * ONE.reshape(3, 3)
        found = law.stress(f).reshape(-1, 3, 3)
        # Second order in the strain, and no rounding of 1 in the way: the bound shrinks with the strain.
        assert float((found - linear).abs().max() / linear.abs().max()) < 3 * size + 1e-15
        energy = 0.5 * (linear * h).sum((1, 2))
        torch.testing.assert_close(law.energy(f), energy, rtol=3 * size + 1e-6, atol=0.0)
    small = lam * ONE[:, None] * ONE + mu * torch.eye(9, dtype=torch.float64)
    swap = torch.arange(9).reshape(3, 3).T.reshape(9)
    torch.testing.assert_close(law.tangent(ONE), small + mu * torch.eye(9).double()[swap], rtol=1e-14, atol=1e-15)


def test_uniaxial_strain_and_simple_shear_follow_the_formulas() -> None:
    law = NeoHooke.from_lame(2.0, 3.0)
    for stretch in (0.3, 0.9, 1.7, 4.0):
        stress = law.stress(torch.tensor([stretch, 0, 0, 0, 1, 0, 0, 0, 1], dtype=torch.float64))
        log = math.log(stretch)
        expected = [2 * (stretch - 1 / stretch) + 3 * log / stretch, 0, 0, 0, 3 * log, 0, 0, 0, 3 * log]
        torch.testing.assert_close(stress, torch.tensor(expected, dtype=torch.float64), rtol=1e-13, atol=1e-14)
    shear = law.stress(torch.tensor([1, 0.7, 0, 0, 1, 0, 0, 0, 1], dtype=torch.float64))
    torch.testing.assert_close(
        shear, torch.tensor([0, 1.4, 0, 1.4, 0, 0, 0, 0, 0], dtype=torch.float64), rtol=1e-14, atol=1e-15
    )


def test_fibres_pull_by_their_exponential_and_never_push() -> None:
    law, matrix = FibreReinforced(1.0, 3.0, 2.0, 0.8), NeoHooke.from_lame(1.0, 3.0)
    for stretch in (0.7, 0.999, 1.2, 1.5):
        f = torch.tensor([stretch, 0, 0, 0, 1, 0, 0, 0, 1], dtype=torch.float64)
        extra = law.stress(f) - matrix.stress(f)
        pull = max(stretch**2 - 1, 0.0)
        expected = 2 * stretch * 2.0 * pull * math.exp(0.8 * pull**2)
        assert float(extra[0]) == pytest.approx(expected, rel=1e-12, abs=1e-14)
        assert float(extra[1:].abs().max()) < 1e-14
    across = torch.tensor([1, 0, 0, 0, 2.0, 0, 0, 0, 0.8], dtype=torch.float64)
    torch.testing.assert_close(law.stress(across), matrix.stress(across), rtol=1e-13, atol=1e-14)


@every_law
def test_a_material_turned_inside_out_has_no_finite_answer(law: Phase) -> None:
    inverted = torch.tensor([-1, 0, 0, 0, 1, 0, 0, 0, 1], dtype=torch.float64)
    flat = torch.tensor([0, 0, 0, 0, 1, 0, 0, 0, 1], dtype=torch.float64)
    sound = torch.tensor([1.1, 0, 0, 0, 1, 0, 0, 0, 1], dtype=torch.float64)
    batch = torch.stack([inverted, flat, sound])
    assert law.energy(batch).isfinite().tolist() == [False, False, True]
    assert law.stress(batch).isfinite().all(1).tolist() == [False, False, True]
    assert law.tangent(batch).isfinite().all(-1).all(-1).tolist() == [False, False, True]


@every_law
def test_constants_may_be_tensors_per_point_and_precision_is_kept(law: Phase) -> None:
    f = gradients(6).reshape(2, 3, 9)
    values = {p.name: torch.tensor([0.9, 1.0, 1.1], dtype=torch.float64) * p.value for p in law.parameters}
    many = with_parameters(law, values)
    for i in range(3):
        one = with_parameters(law, {n: float(v[i]) for n, v in values.items()})
        for member in ("energy", "stress", "tangent"):
            found, alone = getattr(many, member)(f)[:, i], getattr(one, member)(f[:, i])
            torch.testing.assert_close(found, alone, rtol=1e-11, atol=1e-12)
    for member in ("energy", "stress", "tangent"):
        single, double = getattr(law, member)(f.float()), getattr(law, member)(f)
        assert single.dtype == torch.float32
        torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-4)


@every_law
def test_energy_can_be_differentiated_by_every_constant(law: Phase) -> None:
    f = gradients(5)
    for p in law.parameters:
        value = torch.tensor(p.value, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(with_parameters(law, {p.name: value}).stress(f).sum(), value)
        up, down = (float(with_parameters(law, {p.name: p.value + h}).stress(f).sum()) for h in (1e-5, -1e-5))
        assert float(gradient) == pytest.approx((up - down) / 2e-5, rel=1e-6, abs=1e-8)


def test_lames_constants_go_both_ways_and_texts_are_read() -> None:
    law = NeoHooke.from_lame("2 MPa", "3 MPa")
    assert law.lame == pytest.approx((3e6, 2e6), rel=1e-14)
    assert NeoHooke("5 MPa", 0.3) == NeoHooke(5e6, 0.3)
    assert FibreReinforced("1 kPa", 1.0, 1.0, 2.0).mu == 1000.0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: NeoHooke(-1.0, 0.3), "Young's modulus E of a neo-Hookean phase is -1.0"),
        (lambda: NeoHooke(1.0, 0.5), "nu of a neo-Hookean phase is 0.5"),
        (lambda: NeoHooke.from_lame(0.0, 1.0), "constant mu of a neo-Hookean phase is 0.0"),
        (lambda: FibreReinforced(1.0, 1.0, -1.0, 1.0), "constant k1 of a fibre-reinforced phase is -1.0"),
        (lambda: FibreReinforced(1.0, 1.0, 1.0, math.nan), "constant k2 of a fibre-reinforced phase is nan"),
    ],
)
def test_impossible_constants_are_refused_in_one_sentence(make: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()  # type: ignore[operator]
