"""Linear laws: their stiffness is that of their engineering constants, and impossible constants are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from scalebridge.errors import InputError, ShapeError, UnitError
from scalebridge.micro.rve.phases import (
    Anisotropic,
    AnisotropicConductor,
    Conductor,
    Elastic,
    Orthotropic,
    Phase,
    Rigid,
    TemperatureConductor,
    TransverselyIsotropic,
    Void,
    with_parameters,
)
from scalebridge.micro.rve.phases.phase import SIZES

LIKE = torch.zeros(6, dtype=torch.float64)
CARBON = TransverselyIsotropic("230 GPa", "15 GPa", 0.2, 0.4, "24 GPa", "-0.4e-6 1/K", "1e-5 1/K")
WOOD = Orthotropic(11.0, 0.9, 0.5, 0.37, 0.45, 0.44, 0.9, 0.7, 0.06, 4e-6, 3e-5, 5e-5)
# Feldspar (albite), triclinic, Voigt, GPa: Brown, Abramson and Angel 2006.
ALBITE = Anisotropic.from_voigt(
    [
        [69.9, 34.0, 30.8, 5.1, -2.4, -0.9],
        [34.0, 183.5, 5.5, -3.9, -7.7, -5.8],
        [30.8, 5.5, 179.5, -8.7, 7.1, -9.8],
        [5.1, -3.9, -8.7, 24.9, -2.4, -7.2],
        [-2.4, -7.7, 7.1, -2.4, 26.8, 0.5],
        [-0.9, -5.8, -9.8, -7.2, 0.5, 33.5],
    ],
    expansion=[1e-6, 2e-6, 3e-6, 4e-7, 5e-7, 6e-7],
    unit="GPa",
)
TENSOR = AnisotropicConductor([[2.0, 0.3, -0.2], [0.3, 1.0, 0.1], [-0.2, 0.1, 0.5]])
LAWS: list[Phase] = [Elastic(2.0, 0.3), CARBON, WOOD, ALBITE, Void(), Conductor(0.25), Conductor(0.0), TENSOR]


def measures(law: Phase) -> torch.Tensor:
    return torch.as_tensor(np.random.default_rng(3).normal(size=(5, SIZES[law.kinematics])))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_energy_stress_and_tangent_belong_together(law: Phase) -> None:
    assert isinstance(law, Phase)
    assert law.linear and law.even
    x = measures(law)
    size = float(law.tangent(x).abs().max())
    gradient = torch.stack([torch.func.grad(law.energy)(row) for row in x])
    torch.testing.assert_close(law.stress(x), gradient, rtol=1e-12, atol=1e-15 * size)
    jacobian = torch.stack([torch.func.jacrev(law.stress)(row) for row in x])
    torch.testing.assert_close(law.tangent(x), jacobian, rtol=1e-12, atol=1e-15 * size)
    assert torch.equal(law.tangent(x), law.tangent(x).mT)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_batches_and_memory_layouts_change_nothing(law: Phase) -> None:
    x = measures(law)
    fields = x.T.contiguous().T.expand(3, 2, *x.shape)
    torch.testing.assert_close(law.stress(fields)[2, 1], law.stress(x), rtol=1e-14, atol=0.0)
    assert law.tangent(fields).shape == (3, 2, 5, x.shape[-1], x.shape[-1])
    torch.testing.assert_close(law.stress(x[0]), law.stress(x)[0], rtol=1e-14, atol=0.0)
    assert law.stress(x.float()).dtype == torch.float32


@pytest.mark.parametrize("law", [p for p in LAWS if p.parameters], ids=lambda law: law.name)
def test_gradients_flow_to_every_constant(law: Phase) -> None:
    x, names = measures(law), [p.name for p in law.parameters]
    for shape in ((), (5,)):
        values = [torch.full(shape, p.value, dtype=torch.float64).requires_grad_() for p in law.parameters]
        scale = max(abs(p.value) for p in law.parameters) or 1.0

        def outputs(*given: torch.Tensor, scale: float = scale) -> tuple[torch.Tensor, ...]:
            made = with_parameters(law, dict(zip(names, given, strict=True)))
            return made.stress(x) / scale, made.tangent(x) / scale, made.tangent(x[0]) / scale

        torch.testing.assert_close(outputs(*values)[0] * scale, law.stress(x), rtol=1e-12, atol=1e-13 * scale)
        found = torch.autograd.grad(outputs(*values)[0].sum() + outputs(*values)[1].sum(), values, allow_unused=True)
        for k, (value, gradient) in enumerate(zip(values, found, strict=True)):
            step = 1e-5 * max(abs(float(value.detach().flatten()[0])), 1e-2)
            ends = [[v.detach() + (side * step if i == k else 0.0) for i, v in enumerate(values)] for side in (1, -1)]
            rise = [float(outputs(*end)[0].sum() + outputs(*end)[1].sum()) for end in ends]
            expected = (rise[0] - rise[1]) / (2.0 * step)
            given = 0.0 if gradient is None else float(gradient.sum())
            assert given == pytest.approx(expected, rel=1e-5, abs=1e-6), names[k]


def test_compliance_holds_the_engineering_constants() -> None:
    s = torch.linalg.inv(WOOD.stiffness(LIKE)).numpy()
    np.testing.assert_allclose(1 / np.diag(s), [11.0, 0.9, 0.5, 2 * 0.06, 2 * 0.7, 2 * 0.9], rtol=1e-13)
    assert [-s[0, 1] / s[0, 0], -s[0, 2] / s[0, 0], -s[1, 2] / s[1, 1]] == pytest.approx([0.37, 0.45, 0.44], rel=1e-12)
    t = torch.linalg.inv(CARBON.stiffness(LIKE)).numpy()
    across = 15e9 / 2.8
    np.testing.assert_allclose(1 / np.diag(t), [230e9, 15e9, 15e9, 2 * across, 48e9, 48e9], rtol=1e-13)
    assert [-t[0, 1] / t[0, 0], -t[1, 2] / t[1, 1]] == pytest.approx([0.2, 0.4], rel=1e-12)


def test_isotropic_constants_make_every_law_isotropic() -> None:
    E, nu = 2.0, 0.3
    G = E / (2 * (1 + nu))
    expected = Elastic(E, nu).stiffness(LIKE)
    for law in (
        TransverselyIsotropic(E, E, nu, nu, G),
        Orthotropic(E, E, E, nu, nu, nu, G, G, G),
        Anisotropic(expected.numpy()),
    ):
        torch.testing.assert_close(law.stiffness(LIKE), expected, rtol=1e-14, atol=1e-16)


def test_voigt_and_mandel_hold_the_same_energy() -> None:
    c44, shear = 80e9, 1e-3
    silicon = np.diag([166.0] * 3 + [80.0] * 3)
    silicon[:3, :3] += 64.0 - 64.0 * np.eye(3)
    law = Anisotropic.from_voigt(silicon, unit="GPa")
    strain = torch.zeros(6, dtype=torch.float64)
    strain[3] = shear / math.sqrt(2.0)  # engineering shear gamma23
    assert float(law.energy(strain)) == pytest.approx(0.5 * c44 * shear**2, rel=1e-14)
    assert law == Anisotropic.from_voigt(silicon, unit="GPa")
    assert law.parameters[0].value == pytest.approx(166e9)


def test_expansion_is_a_mandel_strain_and_keeps_gradients() -> None:
    assert Elastic(1.0, 0.3, 2e-6).expansion_strain == (2e-6, 2e-6, 2e-6, 0.0, 0.0, 0.0)
    assert CARBON.expansion_strain == pytest.approx((-0.4e-6, 1e-5, 1e-5, 0.0, 0.0, 0.0))
    assert WOOD.expansion_strain == (4e-6, 3e-5, 5e-5, 0.0, 0.0, 0.0)
    assert ALBITE.expansion_strain == pytest.approx((1e-6, 2e-6, 3e-6, *(x / math.sqrt(2) for x in (4e-7, 5e-7, 6e-7))))
    alpha = torch.tensor([1e-6, 2e-6], dtype=torch.float64, requires_grad=True)
    strain = with_parameters(CARBON, {"alpha_T": alpha}).expansion_strain
    assert isinstance(strain, torch.Tensor) and strain.shape == (2, 6)
    (gradient,) = torch.autograd.grad(strain.sum(), alpha)
    assert gradient.tolist() == [2.0, 2.0]


def test_void_carries_nothing_in_any_kinematics() -> None:
    for kinematics, size in SIZES.items():
        law = Void(kinematics)
        x = torch.ones((4, size), dtype=torch.float64)
        assert not law.stress(x).any() and not law.tangent(x).any() and not law.energy(x).any()
        assert law.tangent(x).shape == (4, size, size)


def test_rigid_phase_is_backed_by_ten_million_times_its_neighbours() -> None:
    backing = Rigid().backing(bulk=2.0, shear=3.0)
    lam, mu = backing.lame
    assert mu == pytest.approx(3e7, rel=1e-12)
    assert lam + 2 * mu / 3 == pytest.approx(2e7, rel=1e-12)
    with pytest.raises(InputError, match="beside a rigid phase is 0"):
        Rigid().backing(0.0, 0.0)


def test_conductor_reads_texts_and_insulates_at_zero() -> None:
    assert Conductor("250 mW/(m*K)") == Conductor(0.25)
    assert Conductor("2 mS/m", unit="S/m").parameters[0].value == pytest.approx(2e-3)
    gradient = torch.ones((2, 3), dtype=torch.float64)
    assert not Conductor(0.0).stress(gradient).any()
    with pytest.raises(UnitError, match="conductivity k of a conductor"):
        Conductor("3 Pa")


def test_conductivity_follows_its_table_or_function_of_temperature() -> None:
    law = TemperatureConductor({"27 degC": "2 W/(m*K)", 400.15: 4.0, 350.15: 3.5})
    assert [law.at(t).k for t in (300.15, 325.15, 350.15, 375.15, 400.15)] == pytest.approx([2.0, 2.75, 3.5, 3.75, 4.0])
    assert law.at("27 degC").k == pytest.approx(2.0)
    assert TemperatureConductor(lambda t: 600.0 / t).at(300.0) == Conductor(2.0)
    with pytest.raises(InputError, match="500 K lies outside the table of a conductor, which runs from 300"):
        law.at(500.0)
    with pytest.raises(InputError, match="conductivity k of a conductor is -1"):
        TemperatureConductor(lambda t: -1.0).at(300.0)


CUBE = np.eye(6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TransverselyIsotropic(-1.0, 1.0, 0.3, 0.3, 1.0), "constant E_L of a transversely isotropic phase is"),
        (lambda: TransverselyIsotropic(1.0, 1.0, 0.3, 1.0, 1.0), "nu_T of a transversely isotropic phase is 1.0;"),
        (lambda: TransverselyIsotropic(1.0, 1.0, 0.5, 0.5, 1.0), "nu_L of a transversely isotropic phase is 0.5;"),
        (lambda: TransverselyIsotropic(1.0, 1.0, math.nan, 0.5, 1.0), "nu_L of a transversely isotropic phase is nan"),
        (lambda: Orthotropic(1.0, 9.0, 1.0, 0.4, 0.1, 0.1, 1.0, 1.0, 1.0), "nu12 of an orthotropic phase is 0.4; with"),
        (lambda: Orthotropic(1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0), "do not go together"),
        (lambda: Orthotropic(1.0, 1.0, 1.0, 0.2, 0.2, 0.2, 1.0, 0.0, 1.0), "constant G13 of an orthotropic phase is 0"),
        (lambda: Anisotropic(-CUBE), "not positive definite"),
        (lambda: Anisotropic(np.diag([1.0] * 5 + [0.0])), "not positive definite"),
        (lambda: Anisotropic(CUBE + np.eye(6, k=1)), "not symmetric: entry \\(1, 2\\) is 1 and entry \\(2, 1\\) is 0"),
        (lambda: Anisotropic(CUBE * np.nan), "not finite"),
        (lambda: Conductor(-0.1), "conductivity k of a conductor is -0.1; it must be zero or a positive"),
        (lambda: Conductor(math.inf), "is inf"),
        (lambda: AnisotropicConductor(np.diag([1.0, 1.0, -1.0])), "negative eigenvalue -1"),
        (lambda: AnisotropicConductor(np.eye(3) + np.eye(3, k=1)), "is not symmetric"),
        (lambda: TemperatureConductor({300.0: 1.0}), "must hold two or more different"),
        (lambda: TemperatureConductor({-3.0: 1.0, 300.0: 1.0}), "must be positive finite"),
    ],
)
def test_impossible_constants_are_refused_in_one_sentence(make: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()  # type: ignore[operator]


def test_arrays_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(ShapeError, match="\\(3, 3\\); it must be \\(6, 6\\)"):
        Anisotropic(np.eye(3))
    with pytest.raises(ShapeError, match="\\(2, 2\\); it must be \\(3, 3\\)"):
        AnisotropicConductor(np.eye(2))
    with pytest.raises(ShapeError, match="six finite numbers"):
        Anisotropic(CUBE, [1e-6] * 3)
