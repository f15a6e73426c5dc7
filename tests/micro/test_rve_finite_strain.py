"""Finite strain in the RVE: objectivity, potential, control by F and by P, orientation, refusal instead of nonsense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

import scalebridge as sb
from scalebridge.errors import ShapeError

Floats = NDArray[np.float64]
M = sb.micro
pytestmark = pytest.mark.theory
SOFT, STIFF = M.NeoHooke(1.0, 0.3), M.NeoHooke(10.0, 0.25)
FREE = np.nan
LARGE = np.array([[1.3, 0.3, 0.1], [-0.1, 0.8, 0.2], [0.1, 0.0, 1.1]])


def ball(n: int = 6) -> NDArray[np.int64]:
    x = (np.arange(n) + 0.5) / n - 0.45
    inside = x[:, None, None] ** 2 + 1.2 * x[:, None] ** 2 + 1.4 * x**2 < 0.09
    return np.asarray(inside, dtype=np.int64)


def disk(n: int = 10) -> NDArray[np.int64]:
    return np.asarray(ball(n)[n // 2])


def rve(dim: int = 3, **options: Any) -> M.RVE:
    return M.RVE(ball() if dim == 3 else disk(), [SOFT, STIFF], **{"tolerance": 1e-10, **options})


def gradient(dim: int) -> Floats:
    return LARGE[:dim, :dim].copy()


def test_measure_is_the_deformation_gradient_with_rows_first() -> None:
    made = rve()
    assert made.inputs.names == ("deformation_gradient",)
    with pytest.raises(ShapeError, match=r"it takes \[b, 9\] with the columns deformation_gradient\[0,0\]"):
        made.homogenise(LARGE[None])


@pytest.mark.parametrize("dim", [2, 3])
def test_stress_turns_with_the_deformation(dim: int) -> None:
    turn = Rotation.from_rotvec([0.0, 0.0, 1.1] if dim == 2 else [0.7, -0.9, 0.8]).as_matrix()[:dim, :dim]
    f = gradient(dim)
    found = rve(dim).homogenise(np.stack([f, turn @ f, turn]).reshape(3, -1))
    assert found.converged.all()
    upright, turned, still = found.stress.reshape(3, dim, dim)
    np.testing.assert_allclose(turned, turn @ upright, rtol=0, atol=1e-8 * np.abs(upright).max())
    np.testing.assert_allclose(found.energy[1], found.energy[0], rtol=1e-9)
    assert np.abs(still).max() < 1e-9 and abs(found.energy[2]) < 1e-12


@pytest.mark.parametrize("dim", [2, 3])
def test_mean_kirchhoff_stress_is_symmetric(dim: int) -> None:
    found = rve(dim).homogenise(gradient(dim).reshape(1, -1))
    tau = found.stress.reshape(dim, dim) @ gradient(dim).T
    np.testing.assert_allclose(tau, tau.T, rtol=0, atol=1e-8 * np.abs(tau).max())
    assert found.hill_mandel[0] < 1e-8


@pytest.mark.parametrize("scheme", ["rotated", "hexahedra", "moulinec_suquet"])
@pytest.mark.parametrize("dim", [2, 3])
def test_stress_is_the_gradient_of_the_energy_and_tangent_that_of_the_stress(dim: int, scheme: str) -> None:
    made, f, h = rve(dim, discretisation=scheme), gradient(dim).reshape(-1), 1e-6
    g = len(f)
    found = made.homogenise(np.vstack([f, f + h * np.eye(g), f - h * np.eye(g)]))
    assert found.converged.all()
    slope = (found.energy[1 : g + 1] - found.energy[g + 1 :]) / (2 * h)
    np.testing.assert_allclose(slope, found.stress[0], rtol=0, atol=1e-7 * np.abs(found.stress[0]).max())
    slopes = (found.stress[1 : g + 1] - found.stress[g + 1 :]).T / (2 * h)
    np.testing.assert_allclose(found.tangent[0], slopes, rtol=0, atol=2e-7 * np.abs(slopes).max())
    np.testing.assert_allclose(found.tangent[0], found.tangent[0].T, rtol=0, atol=1e-10 * np.abs(slopes).max())


def test_uniaxial_stress_finds_stretches_that_leave_the_sides_free() -> None:
    made = rve()
    measure = np.full((3, 9), FREE)
    measure[:, 0] = [1.2, 1.5, 0.7]
    measure[:, [1, 2, 3, 5, 6, 7]] = 0.0
    found = made.homogenise(measure, stress=np.zeros(9))
    assert found.converged.all()
    np.testing.assert_allclose(found.stress[:, [4, 8]], 0.0, atol=1e-8)
    assert (np.sign(found.stress[:, 0]) == [1, 1, -1]).all()
    back = made.homogenise(found.measure)
    np.testing.assert_allclose(back.stress, found.stress, atol=1e-7)


def test_path_by_first_piola_kirchhoff_stress_is_taken_back_by_its_deformation() -> None:
    made = rve(2)
    # F21 is held at zero: a stress alone leaves the rotation open.
    measure = np.full((4, 4), FREE)
    measure[:, 2] = 0.0
    pulled = np.outer(np.linspace(0, 1, 5)[1:], [0.6, 0.15, 0.0, -0.1])
    path = made.path(measure, stress=pulled)
    assert path.converged
    np.testing.assert_allclose(path.stress[:, [0, 1, 3]], pulled[:, [0, 1, 3]], atol=1e-8)
    np.testing.assert_allclose(made.homogenise(path.measure).stress, path.stress, atol=1e-7)


def test_one_phase_answers_its_own_law() -> None:
    import torch

    found = M.RVE(np.zeros((2, 3, 4)), [SOFT], homogeneous=True).homogenise(LARGE.reshape(1, 9))
    own = SOFT.stress(torch.as_tensor(LARGE.reshape(1, 9)))
    np.testing.assert_allclose(found.stress, own.numpy(), rtol=1e-12)


def test_small_deformations_answer_with_the_linear_stiffness() -> None:
    noise = 1e-6 * (LARGE - np.eye(3))
    found = rve().homogenise((np.eye(3) + noise).reshape(1, 9))
    np.testing.assert_allclose(found.stress[0], rve().stiffness() @ noise.reshape(9), rtol=0, atol=1e-11)


FIBRES = M.FibreReinforced(mu=0.5, lam=1.0, k1=2.0, k2=0.5)


def turned_field(turn: Floats) -> Floats:
    """Fibres that wind along x, all turned by ``turn``."""
    angle = np.linspace(0, np.pi, 6, endpoint=False)
    along = np.stack([np.cos(angle), np.sin(angle), 0.3 * np.ones(6)], -1)
    return np.broadcast_to(along @ turn.T, (6, 6, 6, 3))


def test_fibres_follow_their_field_of_directions() -> None:
    made = M.RVE(ball(), [FIBRES, STIFF], orientation=turned_field(np.eye(3)), tolerance=1e-10)
    found = made.homogenise(LARGE.reshape(1, 9))
    assert found.converged.all()
    plain = M.RVE(ball(), [FIBRES, STIFF], tolerance=1e-10).homogenise(LARGE.reshape(1, 9))
    assert np.abs(found.stress - plain.stress).max() > 1e-2
    h, f = 1e-6, LARGE.reshape(9)
    probes = made.homogenise(np.vstack([f + h * np.eye(9), f - h * np.eye(9)]))
    slope = (probes.energy[:9] - probes.energy[9:]) / (2 * h)
    np.testing.assert_allclose(slope, found.stress[0], rtol=0, atol=1e-7 * np.abs(slope).max())
    slopes = (probes.stress[:9] - probes.stress[9:]).T / (2 * h)
    np.testing.assert_allclose(found.tangent[0], slopes, rtol=0, atol=1e-6 * np.abs(slopes).max())


def test_material_turned_with_its_image_answers_a_turned_stress() -> None:
    # A quarter turn about z takes voxels to voxels: image, fibres and load turned give the stress turned.
    quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    image, field = ball(), turned_field(np.eye(3))
    first = M.RVE(image, [FIBRES, STIFF], orientation=field, tolerance=1e-10)
    # New voxel (x, y) holds what was at (y, -x): array axes are (z, y, x).
    moved = np.rot90(image, -1, axes=(1, 2))
    fibres = np.rot90(field, -1, axes=(1, 2)) @ quarter.T
    second = M.RVE(moved, [FIBRES, STIFF], orientation=fibres, tolerance=1e-10)
    upright = first.homogenise(LARGE.reshape(1, 9)).stress.reshape(3, 3)
    turned = second.homogenise((quarter @ LARGE @ quarter.T).reshape(1, 9)).stress.reshape(3, 3)
    np.testing.assert_allclose(turned, quarter @ upright @ quarter.T, rtol=0, atol=1e-7 * np.abs(upright).max())


def test_a_rotation_answers_no_stress_at_once_and_in_steps() -> None:
    turn = Rotation.from_rotvec([0.7, -0.9, 0.8]).as_matrix().reshape(1, 9)
    for found in (rve().homogenise(turn), rve().path(turn)):
        assert np.all(found.converged)
        assert np.abs(found.stress).max() < 1e-12


def test_a_load_taken_away_leaves_no_stress() -> None:
    path = rve(2).path(np.stack([gradient(2), np.eye(2)]).reshape(2, 4))
    assert path.converged
    assert np.abs(path.stress[1]).max() < 1e-9
    linear = M.RVE(disk(), [M.Elastic(1.0, 0.3), M.Elastic(10.0, 0.3)])
    back = linear.path([[0.01, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert back.converged
    assert np.abs(back.stress[1]).max() < 1e-15


def test_deep_compression_is_reached_in_steps_where_nothing_hourglasses() -> None:
    squeezed = np.diag([0.3, 1.0, 1.0]).reshape(1, 9)
    made = rve(tolerance=1e-6, discretisation="hexahedra")
    found, path = made.homogenise(squeezed), made.path(squeezed)
    assert found.converged.all() and path.substeps[0] > 1
    np.testing.assert_allclose(path.stress, found.stress, rtol=0, atol=1e-5 * np.abs(found.stress).max())
    # Stiffer than the softer phase alone, which bears the most of it.
    alone = M.RVE(np.zeros((1, 1, 1)), [SOFT], homogeneous=True).homogenise(squeezed)
    assert found.stress[0, 0] < alone.stress[0, 0] < -2.0


def test_reduced_integration_that_hourglasses_is_refused_with_what_to_do() -> None:
    path = rve(tolerance=1e-6).path(np.diag([0.3, 1.0, 1.0]).reshape(1, 9))
    assert not path.converged
    assert "hexahedra" in path.reason and "hourglass" in path.reason


@pytest.mark.parametrize("scheme", ["rotated", "hexahedra"])
@pytest.mark.parametrize("stretch", [0.0, -0.5])
def test_volume_turned_inside_out_is_refused(stretch: float, scheme: str) -> None:
    f = np.diag([stretch, 1.0]).reshape(1, 4)
    made = rve(2, tolerance=1e-6, discretisation=scheme)
    found = made.homogenise(np.vstack([f, gradient(2).reshape(1, 4)]))
    assert found.converged.tolist() == [False, True]
    assert found.reason[0]
    path = made.path(np.vstack([np.diag([0.9, 1.0]).reshape(1, 4), f]))
    assert not path.converged and len(path.stress) == 1
    assert np.isfinite(path.state.fluctuation).all()
    assert path.state.macro[0] > 0.0
