"""Permeability against exact solutions and published arrays of cylinders and spheres."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from scalebridge.micro.flow import PoreFlow

# Drag per unit length over viscosity and mean velocity, square array of cylinders: solid fraction -> F/(mu U).
# Sangani and Acrivos, Int. J. Multiphase Flow 8, 193 (1982), table 1.
CYLINDERS = {0.05: 15.56, 0.10: 24.83, 0.20: 51.53, 0.30: 102.90, 0.40: 217.89, 0.50: 532.55}
# Drag over that of a lone sphere, simple cubic array: solid fraction -> F/(6 pi mu a U).
# Zick and Homsy, J. Fluid Mech. 115, 13 (1982), table 2; the last one is the packing of touching spheres.
SPHERES = {0.027: 2.008, 0.125: 4.292, 0.343: 15.4, math.pi / 6: 42.1}


def along_x(fluid: NDArray[np.bool_], boundary: str = "periodic", tolerance: float = 1e-9) -> float:
    """Kxx over the square of the cell's edge along x."""
    found = PoreFlow(fluid, fluid=True, boundary=boundary, tolerance=tolerance).permeability("x")  # type: ignore[arg-type]
    edge: int = fluid.shape[-1]
    return float(found.voxel2[0, 0]) / (edge * edge)


def channel(n: int, solid: int = 1) -> float:
    """K of a channel of ``n`` voxels over its own share of the cell, in voxels squared."""
    fluid = np.zeros((n + solid, 1), dtype=bool)
    fluid[:n] = True
    return along_x(fluid) * (n + solid) / n


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, 501])
def test_a_plane_channel_has_the_value_of_its_difference_equations(n: int) -> None:
    # Reflection at walls half a voxel away: u = y (n - y) / 2 + 1/8 at the centres.
    assert channel(n) == pytest.approx(n * n / 12.0 + 1.0 / 6.0, rel=1e-9)


def test_a_plane_channel_converges_with_order_two() -> None:
    errors = [channel(n) / n**2 * 12.0 - 1.0 for n in (4, 8, 16, 32)]
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2.0, atol=1e-5)


@pytest.mark.parametrize("boundary", ["periodic", "walls", "mirror"])
def test_the_velocity_in_a_channel_is_the_parabola(boundary: str) -> None:
    n = 9
    fluid = np.ones((n, 4), dtype=bool)
    if boundary != "walls":
        fluid = np.pad(fluid, ((1, 1), (0, 0)))
    flow = PoreFlow(fluid, fluid=True, boundary=boundary, tolerance=1e-9).localise([-2.0, 0.0])  # type: ignore[arg-type]
    y = np.arange(n) + 0.5
    profile = flow.velocity[0] if boundary == "walls" else flow.velocity[0, 1:-1]
    np.testing.assert_allclose(profile, np.tile((y * (n - y) + 0.25)[:, None], 4), rtol=1e-7)
    assert np.abs(flow.pressure).max() < 1e-6


def test_a_square_duct_converges_with_order_two_to_its_series() -> None:
    odd = np.arange(1, 200, 2)
    exact = (1.0 - 192.0 / math.pi**5 * float((np.tanh(odd * math.pi / 2) / odd**5.0).sum())) / 12.0
    errors = []
    for n in (8, 16, 32):
        found = along_x(np.ones((n, n, 2), dtype=bool), "walls") * 4.0 / n**2
        errors.append(found / exact - 1.0)
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.all(np.abs(orders - 2.0) < 0.05)
    assert errors[-1] < 4e-3


def cylinder(n: int, fraction: float, shift: float) -> NDArray[np.bool_]:
    place = (np.indices((n, n)) + 0.5 + shift) / n - 0.5
    return np.asarray((place**2).sum(axis=0) > fraction / math.pi)


@pytest.mark.parametrize("fraction", CYLINDERS)
def test_a_square_array_of_cylinders_extrapolates_to_sangani_and_acrivos(fraction: float) -> None:
    # A circle of voxels is rough: the error of one image scatters about a line in 1/n, so three placements each.
    sizes = np.array([48, 64, 96, 128, 192, 256])
    errors = np.array(
        [
            [along_x(cylinder(n, fraction, s), tolerance=1e-4) * CYLINDERS[fraction] - 1.0 for s in (0.0, 0.25, 0.5)]
            for n in sizes
        ]
    )
    assert np.abs(errors[-1]).max() < 0.011
    slope, limit = np.polyfit(1.0 / sizes, errors.mean(axis=1), 1, w=sizes)
    assert abs(limit) < 0.004
    assert abs(slope) < 2.0


def eighth_of_a_sphere(n: int, fraction: float) -> NDArray[np.bool_]:
    """The cell of ``2n`` voxels a side with its sphere at the corner, cut by its three planes of symmetry."""
    squared = (3.0 * fraction / (4.0 * math.pi)) ** (2.0 / 3.0)
    place = (np.indices((n, n, n)) + 0.5) / (2 * n)
    return np.asarray((place**2).sum(axis=0) > squared)


@pytest.mark.parametrize("fraction", SPHERES)
def test_a_simple_cubic_array_of_spheres_converges_to_zick_and_homsy(fraction: float) -> None:
    radius = (3.0 * fraction / (4.0 * math.pi)) ** (1.0 / 3.0)
    exact = 1.0 / (6.0 * math.pi * radius * SPHERES[fraction])

    # A sphere of voxels is rough: of first order, with a scatter as large as the mean; measured -0.4/n +- 0.3/n.
    for n in (16, 20, 24, 32, 40, 48):
        error = along_x(eighth_of_a_sphere(n, fraction), "mirror", 1e-4) / 4.0 / exact - 1.0
        assert abs(error) < 1.2 / (2 * n)


def test_a_dilute_array_of_spheres_is_hasimotos() -> None:
    # 1/K = 1 - 1.7601 c^(1/3) + c - 1.5593 c^2, J. Fluid Mech. 5, 317 (1959).
    c = 0.027
    assert 1.0 / (1.0 - 1.7601 * c ** (1 / 3) + c - 1.5593 * c * c) == pytest.approx(SPHERES[c], rel=1e-3)


def test_flow_along_cylinders_and_across_them_differ_as_they_should() -> None:
    # Along the axes: K/a^2 of Drummond and Tahir, Int. J. Multiphase Flow 10, 515 (1984), square array.
    n, c = 128, 0.2
    fluid = cylinder(n, c, 0.0)
    along = np.repeat(fluid[:, :, None], 2, axis=2)
    found = PoreFlow(along, fluid=True, tolerance=1e-6).permeability()
    # -ln c - 1.476 + 2c - c^2/2 over 4c, in radii squared.
    published = (-math.log(c) - 1.476 + 2.0 * c - 0.5 * c * c) / (4.0 * c) * (c / math.pi) * n * n
    assert found.voxel2[0, 0] == pytest.approx(published, rel=0.01)
    assert found.voxel2[1, 1] == pytest.approx(n * n / CYLINDERS[c], rel=0.02)
    assert found.voxel2[2, 2] == pytest.approx(n * n / CYLINDERS[c], rel=0.02)
    off = found.voxel2 - np.diag(np.diag(found.voxel2))
    assert np.abs(off).max() < 1e-5 * found.voxel2.max()


def test_the_number_of_iterations_does_not_grow_with_the_image() -> None:
    counts = [
        PoreFlow(cylinder(n, 0.3, 0.0), fluid=True, tolerance=1e-6).permeability("x").iterations[0]
        for n in (32, 64, 128, 256)
    ]
    assert max(counts) <= 25
    assert counts[-1] <= counts[0] + 5
