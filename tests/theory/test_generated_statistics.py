"""Generated structures against theory: fluids of discs, Poisson-Voronoi cells, Gaussian cuts, coarsening."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from scalebridge.microstructure.generated.gaussian_field import gaussian_medium
from scalebridge.microstructure.generated.grains import random_grains
from scalebridge.microstructure.generated.indicator import indicator_covariance
from scalebridge.microstructure.generated.packings import packed_disks, packed_spheres
from scalebridge.microstructure.generated.relaxation import pairs
from scalebridge.microstructure.generated.spinodal import cahn_hilliard
from scalebridge.microstructure.generated.unequal_balls import UnequalBalls

pytestmark = pytest.mark.theory
Floats = NDArray[np.float64]


def periodic_covariance(image: NDArray[np.generic]) -> Floats:
    """S2 - f^2 at every lag of a periodic image, lag zero first."""
    centred = image - image.mean(dtype=np.float64)
    return np.asarray(np.fft.ifftn(np.abs(np.fft.fftn(centred)) ** 2).real / image.size)


def contact_value(packings: list[UnequalBalls]) -> float:
    """g at contact of equal balls: its logarithm is all but straight over the next tenth of a diameter."""
    dim, ends = packings[0].centres.shape[1], np.linspace(1.0, 1.1, 6)
    n, sigma, counts = len(packings[0].radii), 2 * float(packings[0].radii[0]), np.zeros(5)
    for packing in packings:
        apart = np.linalg.norm(pairs(packing.centres, 1.1 * sigma)[2], axis=1) / sigma
        counts += np.histogram(apart, ends)[0]
    shell = (np.pi if dim == 2 else 4 / 3 * np.pi) * sigma**dim * np.diff(ends**dim)
    g = counts / (len(packings) * 0.5 * n * (n - 1) * shell)
    middles = 0.5 * (ends[1:] + ends[:-1])
    return float(np.exp(np.polyval(np.polyfit(middles - 1.0, np.log(g), 1, w=np.sqrt(counts)), 0.0)))


@pytest.mark.parametrize("fraction", [0.3, 0.5])
def test_mixed_discs_are_the_fluid_of_hard_discs(fraction: float) -> None:
    found = contact_value([packed_disks(fraction, 800, sweeps=500, seed=seed) for seed in range(4)])
    # Henderson, Mol. Phys. 30 (1975) 971.
    assert found == pytest.approx((1 - 7 * fraction / 16) / (1 - fraction) ** 2, rel=0.08)


def test_mixed_spheres_are_the_fluid_of_hard_spheres() -> None:
    found = contact_value([packed_spheres(0.35, 400, sweeps=500, seed=seed) for seed in range(3)])
    # Carnahan and Starling, J. Chem. Phys. 51 (1969) 635.
    assert found == pytest.approx((1 - 0.5 * 0.35) / (1 - 0.35) ** 3, rel=0.1)


def test_balls_that_are_only_pushed_apart_touch_more_often() -> None:
    pushed = contact_value([packed_disks(0.5, 600, sweeps=0, seed=seed) for seed in range(2)])
    assert pushed > 1.5 * (1 - 7 * 0.5 / 16) / 0.25


@pytest.mark.parametrize("dim", [2, 3])
def test_poisson_voronoi_cells_have_the_known_faces_and_volumes(dim: int) -> None:
    grains = random_grains(1500, dim=dim, seed=1)
    faces, volumes = grains.neighbours, grains.volumes * 1500
    # Meijering 1953: 2 + 48 pi^2 / 35 faces in space; Euler: 6 sides in the plane.
    assert faces.mean() == pytest.approx(6.0 if dim == 2 else 2 + 48 * np.pi**2 / 35, rel=1e-12 if dim == 2 else 0.01)
    assert volumes.mean() == pytest.approx(1.0, rel=1e-9)
    # Gilbert 1962: the variance of volume.
    assert volumes.var() == pytest.approx(0.280 if dim == 2 else 0.179, rel=0.12)
    surface = grains.diagram.area.sum() / 2 / 1500 ** (1 / dim)
    assert surface == pytest.approx(2.0 if dim == 2 else 2.910, rel=0.02)


def test_cells_with_more_sides_are_larger_as_lewis_has_it() -> None:
    grains = random_grains(3000, dim=2, seed=2)
    sides = np.arange(4, 10)
    mean = [grains.volumes[grains.neighbours == n].mean() * 3000 for n in sides]
    slope, start = np.polyfit(sides, mean, 1)
    assert np.abs(np.polyval([slope, start], sides) - mean).max() < 0.12 and 0.15 < slope < 0.3


def test_orientations_have_no_preferred_direction() -> None:
    turned = random_grains(3000, seed=3).orientation
    np.testing.assert_allclose(turned.mean(axis=0), 0.0, atol=0.04)
    along = turned[:, :, 0]
    np.testing.assert_allclose(np.einsum("ni,nj->ij", along, along) / 3000, np.eye(3) / 3, atol=0.025)
    # The angle of a uniform rotation has the density (1 - cos) / pi, whose mean is pi / 2 + 2 / pi.
    angle = np.arccos(np.clip((np.trace(turned, axis1=1, axis2=2) - 1) / 2, -1, 1))
    assert angle.mean() == pytest.approx(np.pi / 2 + 2 / np.pi, abs=0.04)


@pytest.mark.parametrize(("dim", "fraction"), [(2, 0.3), (2, 0.5), (3, 0.2)])
def test_the_two_point_function_of_a_gaussian_cut_is_the_one_prescribed(dim: int, fraction: float) -> None:
    n, length = (128, 0.06) if dim == 2 else (40, 0.12)

    def correlation(r: Floats) -> Floats:
        return np.asarray(np.exp(-((r / length) ** 2)))

    total, count = np.zeros((n,) * dim), 60 if dim == 2 else 30
    for seed in range(count):
        made = gaussian_medium(fraction, correlation=correlation, dim=dim, points=n, exact=False, seed=seed)
        image = made.labels(n).astype(np.float64)
        total += periodic_covariance(image) + image.mean() ** 2
    found = total / count
    lags = np.arange(n // 4)
    along = np.mean([found[(0,) * k + (lags,) + (0,) * (dim - 1 - k)] for k in range(dim)], axis=0)
    exact = indicator_covariance(correlation(lags / n), fraction) + fraction**2
    np.testing.assert_allclose(along, exact, atol=0.015)
    assert along[0] == pytest.approx(fraction, abs=0.01)


def test_a_decomposition_coarsens_with_the_third_root_of_time() -> None:
    made = [cahn_hilliard(160, time=1200.0, step=0.6, dim=2, records=60, seed=seed) for seed in range(2)]
    late = made[0].times > 150.0
    energy = np.mean([m.energy[late] for m in made], axis=0)
    # The energy is that of the interfaces, the inverse of the length of the pattern.
    rate = -np.polyfit(np.log(made[0].times[late]), np.log(energy), 1)[0]
    assert rate == pytest.approx(1 / 3, abs=0.05)
