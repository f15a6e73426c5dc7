"""Descriptors of shapes whose values are exact."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.spatial import cKDTree

import scalebridge as sb
from scalebridge.microstructure.descriptors import distances

ms = sb.microstructure
pytestmark = pytest.mark.theory


def disc(size: int, radius: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:size, :size]
    return np.asarray(np.hypot(rows - size / 2 + 0.3, columns - size / 2 + 0.1) < radius)


def ball(size: int, radius: float) -> NDArray[np.bool_]:
    offset = np.mgrid[:size, :size, :size] - size / 2 + 0.3
    return np.asarray((offset**2).sum(axis=0) < radius**2)


def test_the_surface_of_a_ball_and_the_perimeter_of_a_disc_are_known() -> None:
    assert ms.minkowski(disc(300, 100)).surface * 299**2 == pytest.approx(2 * np.pi * 100, rel=0.01)
    assert ms.minkowski(ball(96, 40), spacing=0.5).surface * 47.5**3 == pytest.approx(4 * np.pi * 20**2, rel=0.005)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("by_corners", [False, True])
def test_the_euler_number_counts_parts_holes_and_cavities(dim: int, by_corners: bool) -> None:
    round_ = disc(60, 20) if dim == 2 else ball(40, 14)
    hole = disc(60, 8) if dim == 2 else ball(40, 6)
    pair = np.concatenate([round_, round_], axis=0)
    assert ms.euler_number(round_, by_corners) == 1
    assert ms.euler_number(pair, by_corners) == 2
    assert ms.euler_number(round_ & ~hole, by_corners) == (0 if dim == 2 else 2)


def test_a_torus_has_no_euler_number_and_one_corner_joins_or_not() -> None:
    z, y, x = np.mgrid[:24, :60, :60] - np.array([12, 30, 30]).reshape(3, 1, 1, 1)
    assert ms.euler_number((np.hypot(x, y) - 18) ** 2 + z**2 < 36) == 0
    diagonal = np.eye(2, dtype=bool)
    assert (ms.euler_number(diagonal), ms.euler_number(diagonal, by_corners=True)) == (2, 1)


@pytest.mark.parametrize("shape", [(57, 80), (30, 41, 36)])
@pytest.mark.parametrize("smoothing", [0.0, 3.0])
def test_distances_are_those_of_the_exact_transform(shape: tuple[int, ...], smoothing: float) -> None:
    noise = np.random.default_rng(1).standard_normal(shape)
    phase = (gaussian_filter(noise, smoothing) if smoothing else noise) > -0.5 * (smoothing == 0)
    np.testing.assert_allclose(distances(phase), distance_transform_edt(phase), rtol=1e-6)


def test_a_place_wider_than_sixteen_bits_hold_is_measured_all_the_same() -> None:
    phase = np.ones((3, 5, 500), dtype=bool)
    phase[..., 0] = False
    np.testing.assert_allclose(distances(phase)[1, 2], np.arange(500))


def test_a_checkerboard_has_the_chords_and_correlations_of_its_squares() -> None:
    board = (np.add.outer(np.arange(240) // 8, np.arange(240) // 8) % 2).astype(bool)
    # Lines that begin within a square, so that one begins as likely as another ends.
    chords = ms.chord_lengths(board[3:-5, 3:-5])
    assert chords.mean == pytest.approx(8.0, rel=0.02) and chords.std == pytest.approx(0.0, abs=1e-9)
    path = ms.lineal_path(board, reach=10)
    # Of a row of 240 pixels 15 squares of 8 hold 8 - r segments each, of 240 - r.
    np.testing.assert_allclose(path, [15 * max(8 - r, 0) / (240 - r) for r in range(11)])
    along = ms.directional_correlation(board, board, (0, 1), reach=16)
    np.testing.assert_allclose(along.value[[0, 8, 16]], [0.5, 0.0, 0.5], atol=0.02)
    other = ms.directional_correlation(board, ~board, (0, 1), reach=8)
    np.testing.assert_allclose(along.value[:9] + other.value, 0.5, atol=0.02)
    diagonal = ms.directional_correlation(board, board, (1, 1), reach=12)
    assert diagonal.distance[8] == pytest.approx(8 * np.sqrt(2)) and diagonal.value[8] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("dim", [2, 3])
def test_correlations_by_fft_are_the_mean_over_the_pairs_inside(dim: int) -> None:
    rng = np.random.default_rng(2)
    first, second, inside = (rng.random((14,) * dim) < share for share in (0.5, 0.4, 0.8))
    lag = (2, -1, 1)[:dim]
    here = tuple(slice(max(-k, 0), 14 - max(k, 0)) for k in lag)
    there = tuple(slice(max(k, 0), 14 + min(k, 0)) for k in lag)
    seen = inside[here] & inside[there]
    wanted = (first[here] & second[there] & seen).sum() / seen.sum()
    assert ms.directional_correlation(first, second, lag, inside, 14 - 1).value[1] == pytest.approx(wanted)
    from scalebridge.microstructure.correlation import pair_sums

    products, counts = pair_sums(first, inside, 4, 0.0, second)
    place = tuple(4 + k for k in lag)
    assert products[place] / counts[place] == pytest.approx(wanted, rel=1e-5)


def test_the_local_thickness_of_a_plate_and_of_discs_is_their_width() -> None:
    plate = np.zeros((60, 60), dtype=bool)
    plate[20:40] = True
    width = ms.local_thickness(plate, radii=[2, 5, 10])
    assert set(np.unique(width[plate])) == {20.0} and not width[~plate].any()
    # The ball of radius r needs its centre r from the nearest pixel outside: 10.5 is the half width of 20 pixels.
    sizes = ms.granulometry(plate, spacing=0.5)
    assert sizes.largest == pytest.approx(10.0, rel=0.1) and sizes.std < 0.5


def test_the_way_through_a_maze_is_as_long_as_the_maze() -> None:
    assert ms.geometric_tortuosity(np.ones((20, 50), dtype=bool)).value == pytest.approx(1.0)
    maze = np.ones((21, 21), dtype=bool)
    maze[:-1, 5] = maze[1:, 10] = maze[:-1, 15] = False
    found = ms.geometric_tortuosity(maze, "x")
    # From row 20 down at column 5, up to row 0 at 10, down to row 20 at 15: diagonals of sqrt 2 where they fit.
    assert found.shortest > 2.0 and found.reached == 1.0
    with pytest.raises(sb.InputError, match="does not connect"):
        maze[:, 5] = False
        ms.geometric_tortuosity(maze, "x")


def test_regions_have_the_axes_and_angles_of_their_ellipses() -> None:
    rows, columns = np.mgrid[:200, :300] - np.array([90.3, 140.2]).reshape(2, 1, 1)
    turn = np.radians(25)
    along, across = columns * np.cos(turn) - rows * np.sin(turn), columns * np.sin(turn) + rows * np.cos(turn)
    found = ms.regions((along / 60) ** 2 + (across / 20) ** 2 < 1, spacing=2.0)
    np.testing.assert_allclose(found.axes, [[240, 80]], rtol=0.005)
    np.testing.assert_allclose(found.centre, [[180.6, 280.4]], atol=0.2)
    assert found.angle[0] == pytest.approx(25, abs=0.2) and found.elongated[0] and found.whole[0]
    solid = ms.regions(ball(50, 20))
    np.testing.assert_allclose(solid.axes, [[40, 40, 40]], rtol=0.01)
    np.testing.assert_allclose(solid.diameter, [40], rtol=0.005)


def test_the_longest_way_along_a_bent_crack_is_found() -> None:
    image = np.zeros((120, 220), dtype=bool)
    image[20:23, 10:200] = True
    image[20:100, 197:200] = True
    image[20:50, 100:103] = True
    found = ms.crack_ways(image)
    # Along the middle of a line of 3 pixels: 188 to the corner, which is cut by a pixel or two, and 78 down.
    assert found.longest == pytest.approx(188.5 + 78.5, abs=4)
    assert found.slender.tolist() == [True] and found.width[0] == pytest.approx(3 * (190 + 77 + 27) / 267, rel=0.05)
    ends = {tuple(found.path[0]), tuple(found.path[-1])}
    assert {(row // 10, column // 10) for row, column in ends} == {(2, 1), (9, 19)}


def test_intercepts_of_voronoi_grains_are_those_of_their_boundaries() -> None:
    rng = np.random.default_rng(0)
    size, density = 1200, 1 / 40.0**2
    germs = rng.uniform(-200, size + 200, (rng.poisson(density * (size + 400) ** 2), 2))
    rows, columns = np.mgrid[:size, :size]
    grains = cKDTree(germs).query(np.stack([rows, columns], -1).reshape(-1, 2))[1].reshape(size, size) + 1
    found = ms.grain_size(grains, pixel_size="1 um")
    # Poisson-Voronoi: boundary 2 sqrt(density) per area (Meijering 1953), crossed 2 / pi times that per length.
    wanted = np.pi / (4 * np.sqrt(density))
    assert abs(found.intercept - wanted) < 3 * found.intercept_std + 0.02 * wanted
    assert found.count / size**2 == pytest.approx(density, rel=0.1)
    thin = np.where(grains != np.roll(grains, 1, axis=1), 0, grains)
    assert ms.grain_size(thin).intercept == pytest.approx(found.intercept, rel=0.03)


def test_the_astm_number_is_that_of_the_standards_table() -> None:
    # ASTM E112-13, table 4: G = 8 has 1984.2 grains per mm^2 and a mean intercept of 20.0 um.
    from dataclasses import replace

    rows, columns = np.mgrid[:60, :60]
    found = ms.grain_size((rows // 20 * 3 + columns // 20 + 1).astype(np.int32), pixel_size="1 um")
    eight = replace(found, intercept=20.0, per_area=1984.2e-6)
    assert eight.astm_intercept == pytest.approx(8.0, abs=0.01)
    assert eight.astm_planimetric == pytest.approx(8.0, abs=0.01)
