"""What every effective tensor keeps: bounds, symmetry, energy, and the indifference to where the axes point."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import scalebridge as sb
from tests.theory.shapes import DISCRETISATIONS, Floats, Labels, ball, conductors, isotropic, mandel

MATERIALS = [sb.micro.Elastic(1.0, 0.3), sb.micro.Elastic(12.0, 0.2), sb.micro.Elastic(4.0, 0.4)]
TENSORS = [isotropic(1.0, 0.3), isotropic(12.0, 0.2), isotropic(4.0, 0.4)]


def blobs(shape: tuple[int, ...] = (7, 8, 9), seed: int = 4) -> Labels:
    return np.random.default_rng(seed).integers(0, 3, shape)


def stiffness(image: Labels, scheme: str = "rotated", spacing: tuple[float, ...] | None = None) -> Floats:
    made = sb.micro.RVE(image, MATERIALS, tolerance=1e-9, discretisation=scheme, voxel_size=spacing)
    return made.stiffness()


def permuted(order: tuple[int, ...]) -> Floats:
    """Matrix ``[6, 6]`` that takes Mandel components to those of axes ``order``."""
    q, columns = np.eye(3)[list(order)], []
    for slot in range(6):
        unit = np.zeros((3, 3))
        i, j = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))[slot]
        unit[i, j] = unit[j, i] = 1.0 if i == j else 0.5**0.5
        columns.append(mandel(q @ unit @ q.T))
    return np.stack(columns, 1)


@pytest.mark.parametrize("scheme", DISCRETISATIONS)
def test_stiffness_is_symmetric_positive_definite_and_between_voigt_and_reuss(scheme: str) -> None:
    image = blobs()
    c = stiffness(image, scheme)
    np.testing.assert_allclose(c, c.T, rtol=0, atol=1e-13)
    upper, lower = sb.micro.voigt_reuss(np.bincount(image.ravel()) / image.size, TENSORS)
    assert np.linalg.eigvalsh(lower).min() > 0.0
    assert np.linalg.eigvalsh(c - lower).min() > 0.0
    assert np.linalg.eigvalsh(upper - c).min() > 0.0


@pytest.mark.parametrize("contrast", [0.05, 0.5, 10.0, 300.0])
def test_isotropic_average_of_a_sphere_lies_between_hashin_and_shtrikman(contrast: float) -> None:
    image, pair = ball(24), [sb.micro.Elastic(1.0, 0.3), sb.micro.Elastic(contrast, 0.2)]
    nearest = sb.micro.nearest_isotropic(sb.micro.RVE(image, pair).stiffness())
    share = np.bincount(image.ravel()) / image.size
    bulk, shear = ([getattr(p, name) for p in map(_moduli, pair)] for name in ("bulk", "shear"))
    of_bulk, of_shear = sb.micro.hashin_shtrikman(share, bulk, shear)
    assert of_bulk.holds(nearest.bulk)
    assert of_shear.holds(nearest.shear)
    k = sb.micro.RVE(image, conductors(1.0, contrast)).conductivity()
    bounds = sb.micro.hashin_shtrikman_conductivity(share, [1.0, contrast], 3)
    assert bounds.holds(float(np.trace(k)) / 3.0)


def _moduli(law: sb.micro.Elastic) -> sb.micro.NearestIsotropic:
    return sb.micro.nearest_isotropic(isotropic(law.E, law.nu))


def test_hashin_shtrikman_bounds_are_those_of_the_handbook() -> None:
    """Sphere, f = .1131, c = 10, nu = .3."""
    bulk, shear = ([getattr(_moduli(sb.micro.Elastic(E, 0.3)), n) for E in (1.0, 10.0)] for n in ("bulk", "shear"))
    of_bulk, of_shear = sb.micro.hashin_shtrikman([1.0 - 0.1130973, 0.1130973], bulk, shear)
    assert (of_bulk.lower, of_bulk.upper) == pytest.approx((0.97610, 1.23424), abs=1e-5)
    assert (of_shear.lower, of_shear.upper) == pytest.approx((0.46616, 0.61972), abs=1e-5)


@pytest.mark.parametrize("scheme", DISCRETISATIONS)
def test_shift_of_a_periodic_image_changes_nothing(scheme: str) -> None:
    image = blobs()
    moved = np.roll(image, (2, -3, 4), (0, 1, 2))
    np.testing.assert_allclose(stiffness(moved, scheme), stiffness(image, scheme), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scheme", DISCRETISATIONS)
@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[1:])
def test_permuted_axes_permute_the_stiffness(scheme: str, order: tuple[int, ...]) -> None:
    """Axis ``k`` of the new image is axis ``order[k]`` of the old; direction 1 is the last of three axes."""
    image, spacing = blobs((4, 5, 6)), (1.0, 1.5, 0.7)
    turned = stiffness(image.transpose(order), scheme, tuple(spacing[k] for k in order))
    p = permuted(tuple(2 - order[2 - i] for i in range(3)))
    np.testing.assert_allclose(turned, p @ stiffness(image, scheme, spacing) @ p.T, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_mirrored_image_changes_the_sign_of_what_the_mirror_does(axis: int) -> None:
    image = blobs()
    q, flip = np.ones(3), np.flip(image, axis)
    q[2 - axis] = -1.0
    signs = np.array([q[i] * q[j] for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))])
    np.testing.assert_allclose(stiffness(flip), stiffness(image) * np.outer(signs, signs), rtol=1e-9, atol=1e-12)


def test_unit_of_length_and_of_stress_only_scale() -> None:
    image = blobs()
    base = stiffness(image, spacing=(2.0, 3.0, 1.0))
    np.testing.assert_allclose(stiffness(image, spacing=(2e-6, 3e-6, 1e-6)), base, rtol=1e-12, atol=1e-14)
    scaled = [sb.micro.Elastic(1e9 * m.E, m.nu) for m in MATERIALS]
    made = sb.micro.RVE(image, scaled, tolerance=1e-9, voxel_size=(2.0, 3.0, 1.0))
    np.testing.assert_allclose(made.stiffness(), 1e9 * base, rtol=1e-9, atol=1e-3)


@pytest.mark.parametrize("scheme", DISCRETISATIONS)
def test_power_of_the_means_is_the_mean_power(scheme: str) -> None:
    """Hill-Mandel, in every row of strains, and the energy by the stiffness."""
    made = sb.micro.RVE(blobs(), MATERIALS, tolerance=1e-8, discretisation=scheme)
    strains = np.random.default_rng(1).normal(size=(4, 6)) * 0.01
    response = made.homogenise(strains)
    assert response.converged.all()
    assert response.hill_mandel.max() < 1e-7
    c = made.stiffness()
    np.testing.assert_allclose(response.stress, strains @ c, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(response.energy, 0.5 * np.einsum("bi,ij,bj->b", strains, c, strains), rtol=1e-7)


def test_fields_balance_and_average_to_the_macroscopic_state() -> None:
    made = sb.micro.RVE(blobs(), MATERIALS, tolerance=1e-9)
    macro = np.array([0.01, -0.02, 0.005, 0.004, -0.003, 0.002])
    fields = made.localise(macro)
    np.testing.assert_allclose(fields.strain.mean((1, 2, 3)), macro, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(fields.stress.mean((1, 2, 3)), made.stiffness() @ macro, rtol=1e-7, atol=1e-11)


@pytest.mark.parametrize("scheme", DISCRETISATIONS)
def test_conductivity_is_symmetric_permutes_and_lies_between_its_means(scheme: str) -> None:
    image, k = blobs(), [1.0, 12.0, 4.0]
    made = sb.micro.RVE(image, conductors(*k), tolerance=1e-9, discretisation=scheme).conductivity()
    share = np.bincount(image.ravel()) / image.size
    upper, lower = sb.micro.voigt_reuss(share, [value * np.eye(3) for value in k])
    np.testing.assert_allclose(made, made.T, rtol=0, atol=1e-13)
    assert np.linalg.eigvalsh(upper - made).min() > 0.0
    assert np.linalg.eigvalsh(made - lower).min() > 0.0
    turned = sb.micro.RVE(image.T, conductors(*k), tolerance=1e-9, discretisation=scheme).conductivity()
    np.testing.assert_allclose(turned, made[::-1, ::-1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 6), (4, 5, 6)])
@pytest.mark.parametrize("conducting", [False, True])
def test_a_batch_of_images_answers_as_its_images_do_alone(shape: tuple[int, ...], conducting: bool) -> None:
    """The fourth image lacks a phase, the fifth has one only."""
    images = np.stack([blobs(shape, seed) for seed in range(5)])
    images[3][images[3] == 1], images[4] = 2, 0
    materials = conductors(1.0, 12.0, 4.0) if conducting else MATERIALS
    found = sb.micro.homogenise_many(images, materials, tolerance=1e-9)
    assert found.reason == ("",) * 5
    for image, tensor in zip(images, found.tensors, strict=True):
        alone = sb.micro.RVE(image, materials, tolerance=1e-9, homogeneous=True)
        own = alone.conductivity() if conducting else alone.stiffness()
        np.testing.assert_allclose(tensor, own, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found.mean, found.tensors.mean(0))
    np.testing.assert_allclose(found.std, found.tensors.std(0, ddof=1))
