"""Laws in local axes: a turn is a change of frame, whatever the law."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.phases import (
    J2,
    AnisotropicConductor,
    Conductor,
    Elastic,
    FibreReinforced,
    HistoryPhase,
    NeoHooke,
    Orthotropic,
    Phase,
    PowerLaw,
    TransverselyIsotropic,
    with_parameters,
)
from scalebridge.micro.rve.phases.phase import MANDEL, SIZES
from scalebridge.micro.rve.voxels.oriented import (
    Oriented,
    OrientedHistory,
    oriented,
    rotation_from_angles,
    rotation_from_direction,
    rotation_from_quaternion,
    rotation_of_measures,
)

CARBON = TransverselyIsotropic(230.0, 15.0, 0.2, 0.4, 24.0, -0.4e-6, 1e-5)
WOOD = Orthotropic(11.0, 0.9, 0.5, 0.37, 0.45, 0.44, 0.9, 0.7, 0.06)
TENSOR = AnisotropicConductor(np.diag([3.0, 2.0, 1.0]))
TISSUE = FibreReinforced(mu=1.0, lam=2.0, k1=1.0, k2=0.5)
METAL = J2(E=70.0, nu=0.3, yield_stress=0.2, hardening=1.0, kinematic=2.0)


def random(*shape: int, seed: int = 0, size: float = 1.0) -> torch.Tensor:
    return torch.as_tensor(np.random.default_rng(seed).normal(size=shape) * size)


def rotations(m: int) -> torch.Tensor:
    return rotation_from_quaternion(random(m, 4, seed=5))


def measures(law: Phase | HistoryPhase, count: int = 6, size: float = 0.05) -> torch.Tensor:
    x = random(count, SIZES[law.kinematics], seed=2, size=size)
    return x + torch.eye(3, dtype=x.dtype).flatten() if law.kinematics == "finite strain" else x


def matrix(mandel: torch.Tensor) -> torch.Tensor:
    full = mandel.new_zeros((*mandel.shape[:-1], 3, 3))
    for c, (i, j) in enumerate(MANDEL):
        full[..., i, j] = full[..., j, i] = mandel[..., c] / (1.0 if i == j else math.sqrt(2.0))
    return full


def test_measures_turn_as_tensors_do() -> None:
    r, x = rotations(4), random(4, 6)
    turned = (rotation_of_measures(r, "small strain") @ x[..., None])[..., 0]
    torch.testing.assert_close(matrix(turned), r @ matrix(x) @ r.mT, rtol=1e-13, atol=1e-14)
    f = random(4, 9)
    turned = (rotation_of_measures(r, "finite strain") @ f[..., None])[..., 0]
    torch.testing.assert_close(turned.unflatten(-1, (3, 3)), r @ f.unflatten(-1, (3, 3)) @ r.mT, rtol=1e-13, atol=1e-14)
    for kinematics, size in SIZES.items():
        q = rotation_of_measures(r, kinematics)
        torch.testing.assert_close(q @ q.mT, torch.eye(size, dtype=q.dtype).expand(4, -1, -1), rtol=0.0, atol=1e-14)


@pytest.mark.parametrize("law", [CARBON, WOOD, TENSOR, TISSUE], ids=str)
def test_energy_stress_and_tangent_of_a_turned_law_belong_together(law: Phase) -> None:
    made = oriented(law, rotations(6))
    assert isinstance(made, Phase) and not isinstance(made, HistoryPhase)
    assert (made.name, made.linear, made.kinematics) == (law.name, law.linear, law.kinematics)
    x = measures(law).requires_grad_()
    (gradient,) = torch.autograd.grad(made.energy(x).sum(), x, create_graph=True)
    torch.testing.assert_close(made.stress(x), gradient, rtol=1e-10, atol=1e-12)
    rows = [torch.autograd.grad(made.stress(x)[:, c].sum(), x, retain_graph=True)[0] for c in range(x.shape[-1])]
    torch.testing.assert_close(made.tangent(x), torch.stack(rows, 1), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    "law", [Elastic(2.0, 0.3), PowerLaw(3.5, 0.35, 0.05, 0.15), Conductor(2.0), NeoHooke(1.0, 0.3)], ids=str
)
def test_turning_an_isotropic_law_does_nothing(law: Phase) -> None:
    x, made = measures(law), Oriented(law, rotations(6))
    for member in ("energy", "stress", "tangent"):
        torch.testing.assert_close(getattr(made, member)(x), getattr(law, member)(x), rtol=1e-11, atol=1e-12)


def test_a_turn_about_the_axis_of_symmetry_does_nothing() -> None:
    c, s = math.cos(0.7), math.sin(0.7)
    turn = torch.tensor([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]], dtype=torch.float64)
    x = measures(CARBON)
    torch.testing.assert_close(Oriented(CARBON, turn).stress(x), CARBON.stress(x), rtol=1e-12, atol=1e-12)


def test_axes_exchange_when_the_fibre_points_along_z() -> None:
    z = torch.tensor([0.0, 0.0, 2.0], dtype=torch.float64)
    made = Oriented(CARBON, rotation_from_direction(z))
    compliance = torch.linalg.inv(made.stiffness(torch.zeros(6, dtype=torch.float64)))
    np.testing.assert_allclose(1 / compliance.diagonal().numpy(), [15, 15, 230, 48, 48, 15 / 1.4], rtol=1e-12)
    np.testing.assert_allclose(made.expansion_strain.numpy(), [1e-5, 1e-5, -4e-7, 0, 0, 0], atol=1e-18)
    flux = Oriented(TENSOR, rotation_from_direction(z)).stress(z)
    np.testing.assert_allclose(flux.numpy(), [0.0, 0.0, 6.0], atol=1e-15)


def test_finite_strain_turns_the_material() -> None:
    law, r = TISSUE, rotations(1)[0]
    f = measures(law)
    made = Oriented(law, r)
    of_the_material = (f.unflatten(-1, (3, 3)) @ r).flatten(-2)  # W(F R), stress turned back: P R^T
    torch.testing.assert_close(made.energy(f), law.energy(of_the_material), rtol=1e-11, atol=1e-14)
    back = law.stress(of_the_material).unflatten(-1, (3, 3)) @ r.T
    torch.testing.assert_close(made.stress(f).unflatten(-1, (3, 3)), back, rtol=1e-10, atol=1e-12)
    rest = torch.eye(3, dtype=torch.float64).flatten()
    assert float(made.stress(rest).abs().max()) < 1e-14


def test_a_law_with_memory_is_turned_with_its_state_in_the_local_frame() -> None:
    made, r = oriented(METAL, rotations(6)), rotations(6)
    assert isinstance(made, HistoryPhase) and not isinstance(made, Phase)
    before = now = torch.tensor(made.state0(), dtype=torch.float64).expand(6, -1)
    for step in (1.0, -0.5):  # isotropic: the stress is that of the law itself, along a path
        x = step * measures(METAL)
        plain = METAL.advance(x, before, 1.0)
        turned = made.advance(x, now, 1.0)
        torch.testing.assert_close(turned.stress, plain.stress, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(turned.tangent, plain.tangent, rtol=1e-9, atol=1e-10)
        before, now = plain.state, turned.state
    local = rotation_of_measures(r, "small strain").mT @ before[:, :6, None]
    torch.testing.assert_close(now[:, :6], local[..., 0], rtol=1e-10, atol=1e-14)


def test_one_rotation_per_point_is_the_law_point_by_point_in_any_batch() -> None:
    r, x = rotations(6), random(2, 3, 6, 6)
    for law in (CARBON, PowerLaw(3.5, 0.35, 0.05, 0.15)):
        made = Oriented(law, r)
        single = torch.stack([Oriented(law, r[k]).stress(x[:, :, k]) for k in range(6)], 2)
        torch.testing.assert_close(made.stress(x), single, rtol=1e-12, atol=1e-13)
        single = torch.stack([Oriented(law, r[k]).tangent(x[:, :, k]) for k in range(6)], 2)
        torch.testing.assert_close(made.tangent(x), single, rtol=1e-11, atol=1e-12)
        first = x.movedim(-1, 0).contiguous().movedim(0, -1)
        torch.testing.assert_close(made.stress(first), made.stress(x), rtol=1e-12, atol=1e-13)
    assert Oriented(CARBON, r).tangent(x[0, 0, :1]).shape == (6, 6, 6)
    assert Oriented(CARBON, r).stress(x.float()).dtype == torch.float32


@pytest.mark.parametrize("law", [WOOD, TENSOR, TISSUE], ids=str)
def test_gradients_flow_through_the_rotation(law: Phase) -> None:
    x = measures(law, 2, 0.2)

    def stress(angles: torch.Tensor) -> torch.Tensor:
        made = Oriented(law, rotation_from_angles(angles))
        return torch.cat([made.stress(x), made.tangent(x).flatten(1)], -1)

    assert torch.autograd.gradcheck(stress, [random(2, 3, seed=4).requires_grad_()], atol=1e-6)


def test_gradients_flow_through_every_way_to_a_rotation() -> None:
    for make, size in ((rotation_from_direction, 3), (rotation_from_angles, 3), (rotation_from_quaternion, 4)):
        assert torch.autograd.gradcheck(make, [random(5, size, seed=8).requires_grad_()])


def test_constants_of_the_inner_law_keep_their_gradients_and_are_not_set_outside() -> None:
    G = torch.tensor(24.0, dtype=torch.float64, requires_grad=True)
    made = Oriented(with_parameters(CARBON, {"G_L": G}), rotations(1)[0])
    (gradient,) = torch.autograd.grad(made.stress(measures(CARBON)).square().sum(), G)
    assert float(gradient.abs()) > 0.0
    with pytest.raises(InputError, match="'G_L'; give its value to the law inside"):
        with_parameters(made, {"G_L": G})


@pytest.mark.parametrize("direction", [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0, -3], [-1, 1e-9, 0], [1e-200, 1e200, 0]])
def test_direction_gives_a_proper_rotation_everywhere(direction: list[float]) -> None:
    d = torch.tensor(direction, dtype=torch.float64)
    r = rotation_from_direction(d)
    torch.testing.assert_close(r @ r.T, torch.eye(3, dtype=r.dtype), rtol=0.0, atol=1e-15)
    assert float(torch.linalg.det(r)) == pytest.approx(1.0, abs=1e-14)
    unit = np.array(direction) / max(abs(x) for x in direction)
    np.testing.assert_allclose(r[:, 0].numpy(), unit / np.linalg.norm(unit), atol=1e-15)


def test_angles_and_quaternions_name_the_same_turns() -> None:
    np.testing.assert_allclose(rotation_from_direction(torch.tensor([2.0, 0.0, 0.0])).numpy(), np.eye(3))
    phi = 0.6
    about_z = rotation_from_angles(torch.tensor([phi, 0.0, 0.0], dtype=torch.float64))
    x_axis = about_z[:, 0].numpy()  # the local axis 1, turned from x towards y
    np.testing.assert_allclose(x_axis, [math.cos(phi), math.sin(phi), 0.0], atol=1e-15)
    half = torch.tensor([math.cos(phi / 2), 0.0, 0.0, math.sin(phi / 2)], dtype=torch.float64)
    torch.testing.assert_close(rotation_from_quaternion(3.0 * half), about_z, rtol=0.0, atol=1e-15)
    a = torch.tensor([0.3, 1.1, -0.4], dtype=torch.float64)
    zero = torch.zeros_like(a)
    z1, x, z2 = (rotation_from_angles(torch.where(torch.arange(3) == k, a, zero)) for k in range(3))
    torch.testing.assert_close(rotation_from_angles(a), z1 @ x @ z2, rtol=0.0, atol=1e-15)


@pytest.mark.parametrize(
    ("rotation", "words"),
    [
        (2.0 * torch.eye(3), "rotation 'transversely isotropic' is no rotation"),
        (torch.diag(torch.tensor([1.0, 1.0, -1.0])), "right-handed"),
        (torch.stack([torch.eye(3), torch.eye(3) * torch.nan]), "rotation of voxel 1 of the phase"),
    ],
)
def test_a_matrix_that_is_no_rotation_is_refused(rotation: torch.Tensor, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Oriented(CARBON, rotation)
    with pytest.raises(InputError, match="is no rotation"):
        OrientedHistory(METAL, rotation)


def test_misshapen_or_zero_directions_are_refused() -> None:
    with pytest.raises(ShapeError, match="has the shape \\(2, 2\\)"):
        Oriented(CARBON, torch.eye(2))
    with pytest.raises(ShapeError, match="Euler angles have the shape \\(2,\\)"):
        rotation_from_angles(torch.zeros(2))
    with pytest.raises(ShapeError, match="quaternion has the shape \\(3,\\)"):
        rotation_from_quaternion(torch.ones(3))
    for bad in (torch.zeros(3), torch.tensor([1.0, math.nan, 0.0])):
        with pytest.raises(InputError, match="direction is zero or not finite"):
            rotation_from_direction(bad)
