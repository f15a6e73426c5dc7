"""Laws in a plane: strain or stress out of it is zero, and energy, stress and tangent still belong together."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases import (
    J2,
    AnisotropicConductor,
    Conductor,
    Elastic,
    HistoryPhase,
    NeoHooke,
    Orthotropic,
    Phase,
    PowerLaw,
    TransverselyIsotropic,
    Void,
    with_parameters,
)
from scalebridge.micro.rve.voxels.oriented import Oriented, OrientedHistory, rotation_from_angles
from scalebridge.micro.rve.voxels.plane import (
    PlaneConduction,
    PlaneStrain,
    PlaneStrainHistory,
    PlaneStress,
    PlaneStressHistory,
    plane_strain,
    plane_stress,
)

ANGLES = torch.tensor([0.4, 1.1, -0.3], dtype=torch.float64)
CARBON = TransverselyIsotropic(230.0, 15.0, 0.2, 0.4, 24.0, -0.4e-6, 1e-5)
WOOD = Orthotropic(11.0, 0.9, 0.5, 0.37, 0.45, 0.44, 0.9, 0.7, 0.06)
POLYMER = PowerLaw(E=3.5, nu=0.35, yield_stress=0.05, n=0.15)
METAL = J2(E=70.0, nu=0.3, yield_stress=0.2, hardening=1.0, kinematic=2.0)
TURNED = Oriented(CARBON, rotation_from_angles(ANGLES))
SMALL_STRAIN = [Elastic(2.0, 0.3), TURNED, WOOD, POLYMER, Oriented(POLYMER, rotation_from_angles(ANGLES))]
MADE = [
    *(kind(law) for kind in (PlaneStrain, PlaneStress) for law in SMALL_STRAIN),
    PlaneStrain(NeoHooke(1.0, 0.3)),
    PlaneConduction(Oriented(AnisotropicConductor(np.diag([3.0, 2.0, 1.0])), rotation_from_angles(ANGLES))),
]


def random(*shape: int, seed: int = 2, size: float = 0.05) -> torch.Tensor:
    return torch.as_tensor(np.random.default_rng(seed).normal(size=shape) * size)


def measures(law: Phase, count: int = 6, size: float = 0.05) -> torch.Tensor:
    if law.kinematics == "finite strain":
        return random(count, 4, size=size) + torch.tensor([1.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    return random(count, 2 if law.kinematics == "conduction" else 3, size=size)


def name(law: object) -> str:
    return f"{type(law).__name__} {law.name}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("law", MADE, ids=name)
def test_energy_stress_and_tangent_of_a_plane_law_belong_together(law: Phase) -> None:
    assert isinstance(law, Phase) and not isinstance(law, HistoryPhase)
    x = measures(law).requires_grad_()
    (gradient,) = torch.autograd.grad(law.energy(x).sum(), x)
    torch.testing.assert_close(law.stress(x), gradient, rtol=1e-10, atol=1e-12)
    rows = [torch.autograd.grad(law.stress(x)[:, c].sum(), x)[0] for c in range(x.shape[-1])]
    torch.testing.assert_close(law.tangent(x), torch.stack(rows, 1), rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(law.tangent(x), law.tangent(x).mT, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("law", MADE, ids=name)
def test_batches_and_memory_layouts_change_nothing(law: Phase) -> None:
    x = measures(law)
    fields = x.T.contiguous().T.expand(3, 2, *x.shape)
    for member in ("energy", "stress", "tangent", "axial_stress"):
        found, expected = getattr(law, member)(fields), getattr(law, member)(x)
        assert found.shape == (3, 2, *expected.shape)
        torch.testing.assert_close(found[2, 1], expected, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(getattr(law, member)(x[0]), expected[0], rtol=1e-12, atol=1e-13)
    assert law.stress(x.float()).dtype == torch.float32
    torch.testing.assert_close(law.stress(x.float()).double(), law.stress(x), rtol=1e-4, atol=1e-5)


def test_plane_stress_of_an_isotropic_law_is_the_textbook_s() -> None:
    E, nu = 2.0, 0.3
    c = E / (1 - nu**2)
    expected = torch.tensor([[c, nu * c, 0.0], [nu * c, c, 0.0], [0.0, 0.0, E / (1 + nu)]], dtype=torch.float64)
    law = PlaneStress(Elastic(E, nu))
    torch.testing.assert_close(law.tangent(measures(law))[0], expected, rtol=1e-14, atol=1e-16)
    strain = torch.tensor([1e-3, 0.0, 0.0], dtype=torch.float64)
    assert float(law.full_strain(strain)[2]) == pytest.approx(-nu / (1 - nu) * 1e-3, rel=1e-13)


def test_plane_stress_of_a_turned_ply_is_the_block_of_its_compliance_inverted() -> None:
    law = PlaneStress(TURNED)
    full = TURNED.stiffness(torch.zeros(6, dtype=torch.float64))
    slots = torch.tensor([0, 1, 5])
    expected = torch.linalg.inv(torch.linalg.inv(full)[slots[:, None], slots])
    torch.testing.assert_close(law.tangent(measures(law))[0], expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("n", [0.05, 0.15, 0.6])
@pytest.mark.parametrize("size", [1e-6, 1e-2, 1.0, 100.0])
def test_plane_stress_of_a_nonlinear_law_leaves_no_stress_out_of_the_plane(n: float, size: float) -> None:
    inner = PowerLaw(E=3.5, nu=0.35, yield_stress=0.05, n=n)
    law, x = PlaneStress(inner), random(200, 3, size=size)
    full = inner.stress(law.full_strain(x))
    assert float((full[:, 2:5].abs().amax(-1) / full.abs().amax(-1)).max()) < 1e-10
    assert not bool(law.axial_stress(x).any())


def test_plane_stress_of_a_power_law_at_exponent_nearly_one_is_nearly_linear() -> None:
    x = random(10, 3)
    nearly, linear = PlaneStress(PowerLaw(2.0, 0.3, 0.01, 1.0 - 1e-9)), PlaneStress(Elastic(2.0, 0.3))
    torch.testing.assert_close(nearly.stress(x), linear.stress(x), rtol=1e-7, atol=1e-9)


def test_axial_stress_in_plane_strain_is_that_of_the_solid() -> None:
    lam, _ = Elastic(2.0, 0.3).lame
    x = random(5, 3)
    axial = PlaneStrain(Elastic(2.0, 0.3)).axial_stress(x)
    torch.testing.assert_close(axial, lam * (x[:, 0] + x[:, 1]), rtol=1e-13, atol=1e-16)
    stretch = torch.tensor([1.2, 0.0, 0.0, 1.0], dtype=torch.float64)
    mu, first = 1.0 / 2.6, 0.3 / (1.3 * 0.4)  # P33 = mu (F33 - 1/F33) + lam ln J / F33
    assert float(PlaneStrain(NeoHooke(1.0, 0.3)).axial_stress(stretch)) == pytest.approx(first * math.log(1.2))
    assert float(PlaneStrain(NeoHooke(1.0, 0.3)).stress(stretch)[0]) == pytest.approx(
        mu * (1.2 - 1 / 1.2) + first * math.log(1.2) / 1.2
    )


def test_conduction_in_a_plane_takes_two_components() -> None:
    gradient = torch.tensor([[1.0, -2.0]], dtype=torch.float64)
    assert PlaneConduction(Conductor(0.5)).stress(gradient).tolist() == [[0.5, -1.0]]
    assert float(PlaneConduction(Conductor(0.5)).axial_stress(gradient)) == 0.0


def test_a_void_carries_nothing_in_either_plane() -> None:
    x = random(4, 3)
    for law in (PlaneStrain(Void()), PlaneStress(Void())):
        assert not law.stress(x).any() and not law.tangent(x).any() and not law.energy(x).any()


@pytest.mark.parametrize("kind", [PlaneStrain, PlaneStress])
@pytest.mark.parametrize("inner", [POLYMER, WOOD], ids=lambda law: law.name)
def test_gradients_flow_to_constants_through_the_plane(
    kind: type[PlaneStrain] | type[PlaneStress], inner: Phase
) -> None:
    x, names = random(3, 3), [p.name for p in inner.parameters]
    for shape in ((), (3,)):
        values = [torch.full(shape, p.value, dtype=torch.float64).requires_grad_() for p in inner.parameters]

        def outputs(*given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            law = kind(with_parameters(inner, dict(zip(names, given, strict=True))))
            return law.energy(x), law.stress(x), law.tangent(x)

        assert torch.autograd.gradcheck(outputs, values, eps=1e-6, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("inner", [METAL, OrientedHistory(METAL, rotation_from_angles(ANGLES))], ids=name)
@pytest.mark.parametrize("make", [plane_strain, plane_stress])
def test_tangent_of_a_plane_law_with_memory_is_consistent_along_a_path(make: object, inner: HistoryPhase) -> None:
    law = make(inner)  # type: ignore[operator]
    assert isinstance(law, HistoryPhase) and not isinstance(law, Phase)
    state = torch.tensor(law.state0(), dtype=torch.float64).expand(6, law.state_size)
    for seed in range(4):
        x = random(6, 3, seed=seed, size=0.01).requires_grad_()
        end = law.advance(x, state, 1.0)
        rows = [torch.autograd.grad(end.stress[:, c].sum(), x, retain_graph=True)[0] for c in range(3)]
        torch.testing.assert_close(end.tangent, torch.stack(rows, 1), rtol=1e-8, atol=1e-8)
        with torch.no_grad():
            torch.testing.assert_close(law.advance(x, state, 1.0).stress, end.stress, rtol=1e-10, atol=1e-11)
        state = end.state.detach()
        assert state.shape == (6, law.state_size)
    assert float(state[:, 12].max()) > 0.0  # it yielded


def test_plane_stress_of_plasticity_leaves_no_stress_out_of_the_plane() -> None:
    law = PlaneStressHistory(METAL)
    state = torch.tensor(law.state0(), dtype=torch.float64).expand(50, -1)
    for seed in range(4):
        x = random(50, 3, seed=seed, size=0.05)
        end = law.advance(x, state, 1.0)
        full = torch.stack([x[:, 0], x[:, 1], *end.state[:, -3:].unbind(-1), x[:, 2]], -1)
        stress = METAL.advance(full, state[:, :-3], 1.0).stress
        assert float(stress[:, 2:5].abs().max()) < 1e-10 * float(stress.abs().max())
        state = end.state


def test_uniaxial_plasticity_in_plane_stress_follows_the_hardening_line() -> None:
    E, H = 70.0, 1.0
    inner = J2(E=E, nu=0.3, yield_stress=0.2, hardening=H)
    law = PlaneStressHistory(inner)
    state = torch.tensor(law.state0(), dtype=torch.float64)[None]
    strain = torch.tensor([[0.02, 0.0, 0.0]], dtype=torch.float64)
    for _ in range(40):  # free the transverse stress too: a bar
        end = law.advance(strain, state, 1.0)
        strain = strain - torch.tensor([0.0, 1.0, 0.0]) * end.stress[:, 1:2] / end.tangent[:, 1:2, 1]
    expected = 0.2 + E * H / (E + H) * (0.02 - 0.2 / E)
    assert float(end.stress[0, 0]) == pytest.approx(expected, rel=1e-10)


def test_a_state_that_is_not_finite_gives_a_stress_that_is_not_a_number_in_its_row_alone() -> None:
    x = random(3, 3)
    x[1, 0] = math.nan
    stress = PlaneStress(POLYMER).stress(x)
    assert torch.isnan(stress).any(-1).tolist() == [False, True, False]


def test_laws_of_another_kind_are_refused_with_the_wrapper_to_use() -> None:
    with pytest.raises(
        InputError, match="'conductor' is a law of conduction, which cannot be taken in plane strain; use PlaneCon"
    ):
        PlaneStrain(Conductor(1.0))
    with pytest.raises(
        InputError, match="'neo-Hooke' is a law of finite strain, which cannot be taken in plane stress"
    ):
        PlaneStress(NeoHooke(1.0, 0.3))
    with pytest.raises(InputError, match="'elastic' is a law of small strain"):
        PlaneConduction(Elastic(1.0, 0.3))
    with pytest.raises(InputError, match="use PlaneConduction"):
        PlaneStrainHistory(Conductor(1.0))  # type: ignore[arg-type]
