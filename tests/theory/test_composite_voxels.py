"""Composite voxels against cylinders in a square array: the observed order of the error in the conductivity."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from scalebridge.micro.rve.voxels.laminate import laminate_conductivity
from scalebridge.microstructure.subvoxel import SPREAD, SubVoxels, coarsen, from_level_set
from tests.theory.cylinders import conductivity, lattice_sum
from tests.theory.small_conduction import effective

Floats = NDArray[np.float64]
SIZES = (32, 64, 128, 256)


def fibre(fraction: float, centre: Floats) -> Callable[..., Floats]:
    """Signed distance to the nearest cylinder of the array, positive inside."""
    radius = math.sqrt(fraction / math.pi)
    return lambda x, y: np.asarray(radius - np.hypot((x - centre[0]) % 1 - 0.5, (y - centre[1]) % 1 - 0.5))


def plain_field(n: int, k: float, distance: Callable[..., Floats]) -> Floats:
    c = (np.arange(n) + 0.5) / n
    inside = distance(*np.meshgrid(c, c)) > 0
    return np.asarray(np.where(inside, k, 1.0)[..., None, None] * np.eye(2))


def composite_field(voxels: SubVoxels, k: float) -> Floats:
    field = np.where(voxels.labels == 1, k, 1.0)[..., None, None] * np.eye(2)
    normal = torch.as_tensor(np.pad(voxels.normal, ((0, 0), (0, 1))))
    matrix = torch.eye(3, dtype=torch.float64)
    mixed = laminate_conductivity(matrix, k * matrix, torch.as_tensor(voxels.fraction), normal)
    field.reshape(-1, 2, 2)[voxels.index] = mixed[:, :2, :2].numpy()
    return np.asarray(field)


def parallel_field(voxels: SubVoxels, k: float) -> Floats:
    """Phases of a mixed voxel in parallel: the rule for voids."""
    share = (voxels.labels == 1).astype(np.float64)
    share.ravel()[voxels.index] = voxels.fraction
    return np.asarray((1.0 + (k - 1.0) * share)[..., None, None] * np.eye(2))


def errors(
    k: float,
    fraction: float,
    made: Callable[[int, Callable[..., Floats]], Floats],
    sizes: tuple[int, ...] = SIZES,
) -> Floats:
    """Relative errors, root mean squares over the position of the cylinder on the grid, one per size."""
    exact, rng = conductivity(k, fraction), np.random.default_rng(1)
    found = []
    for n in sizes:
        shifts = rng.random((8 if n < 256 else 4, 2))
        wrong = [effective(made(n, fibre(fraction, shift))) / exact - 1 for shift in shifts]
        found.append(np.sqrt(np.mean(np.square(wrong))))
    return np.array(found)


def order(found: Floats) -> float:
    return float(-np.polyfit(np.log(SIZES[: len(found)]), np.log(found), 1)[0])


PUBLISHED = [
    (10.0, {0.1: 1.178222, 0.2: 1.391458, 0.3: 1.652036, 0.4: 1.980626, 0.47: 2.270343, 0.5: 2.415467}),
    (10.0, {0.6: 3.037221, 0.7: 4.061707}),
    (100.0, {0.47: 2.755388}),
]
PERFECT = {0.1: 1.2222, 0.2: 1.5003, 0.3: 1.8602, 0.4: 2.3510, 0.5: 3.0802, 0.6: 4.3418, 0.7: 7.4327}


def test_multipoles_give_the_published_conductivities() -> None:
    for k, table in PUBLISHED:
        for fraction, value in table.items():
            assert conductivity(k, fraction) == pytest.approx(value, abs=6e-7)
    for fraction, value in PERFECT.items():
        assert conductivity(math.inf, fraction) == pytest.approx(value, abs=6e-5)


@pytest.mark.parametrize("fraction", [0.3, 0.7])
def test_multipoles_have_converged_and_keep_kellers_reciprocity(fraction: float) -> None:
    assert conductivity(10.0, fraction, 20) == pytest.approx(conductivity(10.0, fraction, 30), rel=1e-11)
    assert conductivity(0.1, fraction) * conductivity(10.0, fraction) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("n", [4, 8, 12])
def test_lattice_sums_agree_with_direct_summation(n: int) -> None:
    whole = np.arange(-300, 301)
    z = (whole[:, None] + 1j * whole[None, :]).ravel()
    assert lattice_sum(n) == pytest.approx(float((z[z != 0] ** -n).sum().real), rel=10 * 300.0 ** (2 - n))
    assert lattice_sum(n + 2) == 0.0


@pytest.mark.parametrize("fraction", [0.3, 0.47])
def test_plain_voxels_are_of_first_order(fraction: float) -> None:
    found = errors(10.0, fraction, lambda n, d: plain_field(n, 10.0, d))
    assert 0.8 < order(found) < 1.4


@pytest.mark.parametrize(("k", "fraction"), [(10.0, 0.3), (10.0, 0.47), (0.1, 0.47), (100.0, 0.3), (100.0, 0.47)])
def test_composite_voxels_are_of_second_order(k: float, fraction: float) -> None:
    found = errors(k, fraction, lambda n, d: composite_field(from_level_set(d, (n, n)), k))
    assert order(found) >= 1.8
    assert found[-1] < (1e-4 if k <= 10.0 else 2e-4)


def test_composite_voxels_from_a_finer_image_are_as_good_as_from_a_level_set() -> None:
    fraction, k, n = 0.3, 10.0, 64
    fine = np.arange(16 * n) / (16 * n) + 0.5 / (16 * n)
    distance = fibre(fraction, np.array([0.013, 0.477]))
    image = (distance(*np.meshgrid(fine, fine)) > 0).astype(np.uint8)
    exact = conductivity(k, float(image.mean()))
    assert effective(composite_field(coarsen(image, 16), k)) == pytest.approx(exact, rel=3e-4)
    assert effective(plain_field(n, k, distance)) != pytest.approx(exact, rel=2e-3)


def test_narrow_composite_voxels_are_better_on_coarse_grids_but_of_first_order() -> None:
    def narrow(n: int, d: Callable[..., Floats]) -> Floats:
        return composite_field(from_level_set(d, (n, n), spread=0.0), 10.0)

    def wide(n: int, d: Callable[..., Floats]) -> Floats:
        return composite_field(from_level_set(d, (n, n), spread=SPREAD), 10.0)

    found, others = errors(10.0, 0.3, narrow), errors(10.0, 0.3, wide)
    assert found[0] < 0.7 * others[0]
    assert found[-1] > 10 * others[-1]
    assert 0.8 < order(found) < 1.3


def test_cylindrical_voids_are_of_second_order_with_their_phases_in_parallel() -> None:
    # In place of zero, which the small solver cannot take.
    k = 1e-4

    def fields(spread: float) -> Floats:
        return errors(k, 0.3, lambda n, d: parallel_field(from_level_set(d, (n, n), spread=spread), k), SIZES[:3])

    assert order(fields(SPREAD)) >= 1.8
    assert (fields(0.0) < 0.2 * errors(k, 0.3, lambda n, d: plain_field(n, k, d), SIZES[:3])).all()


def test_laminate_with_a_void_loses_every_voxel_that_the_void_touches() -> None:
    k, n, distance = 1e-4, 64, fibre(0.3, np.array([0.013, 0.477]))
    voxels, exact = from_level_set(distance, (n, n), spread=0.0), conductivity(k, 0.3)
    wrong = [abs(effective(made(voxels, k)) / exact - 1) for made in (composite_field, parallel_field)]
    assert wrong[0] > 0.02 > 10 * wrong[1]


def test_interface_along_the_grid_is_exact_whether_spread_or_not() -> None:
    image = np.repeat(np.array([0, 1]), 64)[None].repeat(128, 0)
    for spread in (0.0, SPREAD):
        field = composite_field(coarsen(image, 8, spread=spread), 10.0)
        assert effective(field, 0) == pytest.approx(2 / 1.1, rel=1e-10)
        assert effective(field, 1) == pytest.approx(5.5, rel=1e-10)
