"""Anisotropic phases with an orientation per voxel: turned media, laminates of two orientations, polycrystals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

import scalebridge as sb
from scalebridge.micro.rve.voxels.laminate import laminate_stiffness
from tests.theory.shapes import DISCRETISATIONS, Floats, Labels, laminate, layers, turned, two_dimensional

COPPER = np.diag([168.4 - 121.4] * 3 + [2 * 75.4] * 3)
COPPER[:3, :3] += 121.4
RANDOM = np.random.default_rng(0).normal(size=(6, 6))
LAWS = {
    "transversely isotropic": sb.micro.TransverselyIsotropic(140.0, 10.0, 0.3, 0.4, 5.0),
    "orthotropic": sb.micro.Orthotropic(100.0, 50.0, 20.0, 0.3, 0.25, 0.2, 30.0, 12.0, 8.0),
    "anisotropic": sb.micro.Anisotropic(RANDOM @ RANDOM.T + np.eye(6)),
}


def own_axes(law: object) -> Floats:
    """Stiffness ``[6, 6]`` in the axes of the law."""
    found: torch.Tensor = law.stiffness(torch.zeros(6, dtype=torch.float64))  # type: ignore[attr-defined]
    return np.asarray(found.numpy())


def grains(n: int, count: int, seed: int = 0) -> Labels:
    """Periodic Voronoi cells ``[n, n, n]``."""
    x = (np.arange(n) + 0.5) / n
    places = np.stack(np.meshgrid(x, x, x, indexing="ij"), -1)
    gap = np.abs(places[..., None, :] - np.random.default_rng(seed).random((count, 3)))
    return np.asarray((np.minimum(gap, 1.0 - gap) ** 2).sum(-1).argmin(-1))


def rotations(count: int, seed: int = 1) -> Floats:
    return np.asarray(Rotation.random(count, random_state=seed).as_matrix())


def test_constants_of_the_laws_are_those_of_a_pull_along_their_axes() -> None:
    c = sb.micro.engineering_constants(own_axes(LAWS["orthotropic"]))
    found = (c.E1, c.E2, c.E3, c.nu12, c.nu13, c.nu23, c.G12, c.G13, c.G23)
    assert found == pytest.approx((100.0, 50.0, 20.0, 0.3, 0.25, 0.2, 30.0, 12.0, 8.0))


@pytest.mark.parametrize("name", LAWS)
def test_turned_homogeneous_medium_is_the_turned_law(name: str) -> None:
    law, axes = LAWS[name], rotations(1)[0]
    field = np.broadcast_to(axes, (3, 4, 5, 3, 3))
    found = sb.micro.RVE(np.zeros((3, 4, 5)), [law], homogeneous=True, orientation=field).stiffness()
    exact = turned(own_axes(law), axes)
    np.testing.assert_allclose(found, exact, atol=1e-12 * exact.max())
    flat = {"homogeneous": True, "orientation": field[0]}
    plane = sb.micro.RVE(np.zeros((4, 5)), [law], **flat).stiffness()
    np.testing.assert_allclose(plane, two_dimensional(exact), atol=1e-12 * exact.max())
    generalised = sb.micro.RVE(np.zeros((4, 5)), [law], plane="generalised", **flat).stiffness()
    np.testing.assert_allclose(generalised, exact, atol=1e-12 * exact.max())


def test_direction_of_the_fibre_suffices_where_the_law_is_the_same_around_it() -> None:
    law, axes = LAWS["transversely isotropic"], rotations(1)[0]
    image = np.zeros((2, 2, 2))
    by_axes = sb.micro.RVE(image, [law], homogeneous=True, orientation=np.broadcast_to(axes, (2, 2, 2, 3, 3)))
    along = np.broadcast_to(-7.0 * axes[:, 0], (2, 2, 2, 3))
    by_direction = sb.micro.RVE(image, [law], homogeneous=True, orientation=along)
    np.testing.assert_allclose(by_direction.stiffness(), by_axes.stiffness(), atol=1e-12 * 140.0)


@pytest.mark.parametrize("scheme", DISCRETISATIONS)
@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize(("shape", "axis"), [((4, 1, 1), 0), ((3, 3, 7), 2), ((3, 4, 5), 1)])
def test_laminate_of_two_orientations_is_exact(scheme: str, name: str, shape: tuple[int, ...], axis: int) -> None:
    """One phase, two orientations: the layers are told apart by the axes of their voxels alone."""
    axes, image = rotations(2, seed=2), layers(shape, axis)
    options = {"homogeneous": True, "tolerance": 1e-10, "discretisation": scheme}
    found = sb.micro.RVE(np.zeros(shape), [LAWS[name]], orientation=axes[image], **options).stiffness()
    pair, normal = [turned(own_axes(LAWS[name]), r) for r in axes], np.eye(3)[2 - axis]
    exact = laminate(pair[0], pair[1], float(image.mean()), normal)
    np.testing.assert_allclose(found, exact, atol=1e-8 * exact.max())
    first, second, share, n = (torch.as_tensor(v) for v in (pair[0], pair[1], image.mean(), normal))
    np.testing.assert_allclose(laminate_stiffness(first, second, share, n).numpy(), exact, atol=1e-12 * exact.max())


def test_laminate_of_two_turned_conductors_is_exact() -> None:
    axes, image = rotations(2, seed=3), layers((5, 4, 3), 1)
    k = np.diag([20.0, 5.0, 1.0])
    law = sb.micro.AnisotropicConductor(k)
    made = sb.micro.RVE(np.zeros((5, 4, 3)), [law], homogeneous=True, tolerance=1e-10, orientation=axes[image])
    pair = [r @ k @ r.T for r in axes]
    step, across = (pair[1] - pair[0])[1], 0.5 * (pair[0] + pair[1])[1, 1]
    exact = 0.5 * (pair[0] + pair[1]) - 0.25 * np.outer(step, step) / across
    np.testing.assert_allclose(made.conductivity(), exact, atol=1e-9)


@pytest.mark.parametrize("scheme", ["rotated", "hexahedra"])
def test_polycrystal_keeps_the_bulk_modulus_of_its_cubic_crystals_and_the_bounds_of_its_shear(scheme: str) -> None:
    """Copper: equal strains in all directions put every grain under one pressure, so the bulk modulus is exact."""
    image, axes = grains(16, 8), rotations(8, seed=3)
    law = sb.micro.Anisotropic(COPPER)
    options = {"homogeneous": True, "discretisation": scheme}
    c = sb.micro.RVE(np.zeros((16, 16, 16)), [law], orientation=axes[image], **options).stiffness()
    assert c[:3, :3].sum() / 9.0 == pytest.approx((168.4 + 2 * 121.4) / 3.0, rel=1e-9)
    tensors = [turned(COPPER, r) for r in axes]
    upper, lower = sb.micro.voigt_reuss(np.bincount(image.ravel(), minlength=8) / image.size, tensors)
    assert np.linalg.eigvalsh(upper - c).min() > -1e-9 * upper.max()
    assert np.linalg.eigvalsh(c - lower).min() > -1e-9 * upper.max()
    # Voigt and Reuss of many grains: 54.6 and 40.0 GPa.
    assert 40.0 < sb.micro.nearest_isotropic(c).shear < 54.7


def test_grains_as_labels_of_turned_laws_and_as_orientations_of_one_law_are_the_same() -> None:
    image, axes = grains(8, 4), rotations(4)
    law = sb.micro.Anisotropic(COPPER)
    by_field = sb.micro.RVE(np.zeros((8, 8, 8)), [law], homogeneous=True, orientation=axes[image], tolerance=1e-9)
    by_label = sb.micro.RVE(image, [sb.micro.Anisotropic(turned(COPPER, r)) for r in axes], tolerance=1e-9)
    np.testing.assert_allclose(by_field.stiffness(), by_label.stiffness(), atol=1e-7)


def test_turning_a_structure_by_a_right_angle_turns_its_stiffness() -> None:
    """About direction 3: the image by its grid, the local axes by the same rotation."""
    image, axes = grains(6, 3), rotations(3)
    law, quarter = LAWS["anisotropic"], np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    options = {"homogeneous": True, "tolerance": 1e-10}
    before = sb.micro.RVE(np.zeros((6, 6, 6)), [law], orientation=axes[image], **options).stiffness()
    # x -> y and y -> -x: the axes [z, y, x] of the array exchange the last two, and the new x runs backwards.
    moved = np.flip(image.transpose(0, 2, 1), 2)
    after = sb.micro.RVE(np.zeros((6, 6, 6)), [law], orientation=(quarter @ axes)[moved], **options).stiffness()
    np.testing.assert_allclose(after, turned(before, quarter), atol=1e-8 * before.max())


def test_the_callers_array_of_axes_may_change_afterwards() -> None:
    axes = np.broadcast_to(np.eye(3), (2, 2, 2, 3, 3)).copy()
    made = sb.micro.RVE(np.zeros((2, 2, 2)), [LAWS["orthotropic"]], homogeneous=True, orientation=axes)
    key = made.identity()
    axes[:] = rotations(1)[0]
    assert made.identity() == key
    np.testing.assert_allclose(made.stiffness(), own_axes(LAWS["orthotropic"]), atol=1e-12)
