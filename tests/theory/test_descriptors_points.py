"""Points: randomness, lattices and directions, whose statistics are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import scalebridge as sb

ms = sb.microstructure
pytestmark = pytest.mark.theory


def round_window(size: int) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:size, :size]
    return np.asarray(np.hypot(rows - size / 2 + 0.5, columns - size / 2 + 0.5) < size / 2)


@pytest.mark.parametrize("round_", [False, True], ids=["square", "round"])
def test_random_points_are_told_random_in_any_window(round_: bool) -> None:
    rng = np.random.default_rng(0)
    window = round_window(200) if round_ else np.ones((200, 200), dtype=bool)
    ratio, z, spread, besag = [], [], [], []
    for _ in range(30):
        places = rng.uniform(-0.5, 199.5, (rng.poisson(300), 2))
        points = ms.points_in(places[window[tuple(np.rint(places).astype(int).T)]], window)
        near = ms.nearest_neighbours(points)
        ratio.append(near.clark_evans)
        z.append(near.z)
        cells = ms.voronoi(points)
        spread.append(cells.variation)
        pairs = ms.pair_correlation(points)
        besag.append(pairs.l[[10, 39]] / pairs.radius[[10, 39]])
    assert np.mean(ratio) == pytest.approx(1.0, abs=4 * np.std(ratio) / np.sqrt(30))
    assert 0.7 < np.std(z) < 1.4
    assert np.mean(spread) == pytest.approx(0.529, abs=0.03)
    np.testing.assert_allclose(np.mean(besag, axis=0), 1.0, atol=0.02)


def test_random_points_in_space_have_the_neighbours_and_cells_that_theory_gives() -> None:
    places = np.random.default_rng(1).uniform(0, 99, (3000, 3))
    points = ms.points_in(places, (100, 100, 100))
    assert ms.nearest_neighbours(points).clark_evans == pytest.approx(1.0, abs=0.03)
    cells = ms.voronoi(points)
    # Meijering (1953): 15.54 faces; Gilbert (1962): variation 0.423.
    assert cells.neighbours @ cells.weight == pytest.approx(15.54, abs=0.25)
    assert cells.variation == pytest.approx(0.423, abs=0.03)
    assert cells.mean == pytest.approx(1 / points.intensity, rel=0.03)


def test_lattices_are_regular_to_the_last_digit() -> None:
    rows, columns = np.mgrid[5:200:10, 5:200:10]
    square = ms.points_in(np.stack([rows.ravel(), columns.ravel()], -1), (200, 200), spacing=2.0)
    near = ms.nearest_neighbours(square)
    assert near.mean == pytest.approx(20.0) and near.clark_evans == pytest.approx(2.0) and near.z > 10
    hexagonal = [(8.0 * row + 4, 9.2 * (column + row % 2 / 2) + 4) for row in range(24) for column in range(20)]
    cells = ms.voronoi(ms.points_in(np.array(hexagonal), (192, 184)))
    assert cells.variation == pytest.approx(0.0, abs=1e-9) and set(cells.neighbours) == {6}
    np.testing.assert_allclose(cells.size, 8.0 * 9.2)
    distance, height = ms.pair_correlation(square, reach=50.0, rings=25).peak
    assert distance == pytest.approx(20.0, abs=1.0) and height > 3


def test_clusters_are_told_and_leave_the_band_of_randomness() -> None:
    rng = np.random.default_rng(3)
    centres = rng.uniform(20, 180, (25, 2))
    places = (centres[:, None] + rng.normal(0, 2, (25, 8, 2))).reshape(-1, 2)
    points = ms.points_in(places, (200, 200))
    found = ms.nearest_neighbours(points)
    assert found.z < -5 and "clustered" in found.verdict
    pairs = ms.pair_correlation(points, reach=20.0, rings=20, simulations=39, seed=4)
    assert (pairs.l[2:8] > pairs.l_high[2:8]).all()
    again = ms.pair_correlation(points, reach=20.0, rings=20, simulations=39, seed=4)
    np.testing.assert_array_equal(pairs.l_high, again.l_high)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, -60.0])
def test_a_laminate_has_the_orientation_of_its_layers(angle: float) -> None:
    rows, columns = np.mgrid[:160, :160]
    turn = np.radians(angle)
    layers = np.sin(2 * np.pi / 9 * (columns * np.sin(turn) + rows * np.cos(turn)))
    field = ms.structure_tensor(layers)
    assert np.median(field.angle) == pytest.approx(angle, abs=0.2)
    tensor = ms.orientation_tensor(field)
    main = np.array([np.cos(turn), -np.sin(turn)])
    np.testing.assert_allclose(tensor.second, np.outer(main, main), atol=0.01)
    assert tensor.mean_misalignment < 1.0 and field.coherence.mean() > 0.98


def test_fibres_in_space_are_followed_along_their_direction() -> None:
    z, y, x = np.mgrid[:48, :48, :48] - 24.0
    main = np.array([1.0, 2.0, 2.0]) / 3
    first = np.cross(main, [0, 0, 1.0])
    first /= np.linalg.norm(first)
    second = np.cross(main, first)
    waves = sum(np.sin(0.8 * (e[0] * x + e[1] * y + e[2] * z)) for e in (first, second))
    for step in (1, 2):
        tensor = ms.orientation_tensor(ms.structure_tensor(waves, step=step))
        assert abs(tensor.principal[0] @ main) > 0.9995
        assert tensor.alignment > 0.98
    slabs = ms.orientation_tensor(ms.structure_tensor(waves))
    assert slabs.misalignment_quantile(0.95) < 15


def test_random_directions_have_the_isotropic_tensors() -> None:
    vectors = np.random.default_rng(0).standard_normal((40_000, 3))
    tensor = ms.orientation_tensor(vectors)
    np.testing.assert_allclose(tensor.second, np.eye(3) / 3, atol=0.01)
    assert tensor.fourth[0, 0, 0, 0] == pytest.approx(1 / 5, abs=0.01)
    assert tensor.fourth[0, 0, 1, 1] == pytest.approx(1 / 15, abs=0.01)
    np.testing.assert_allclose(np.einsum("ijkk->ij", tensor.fourth), tensor.second, atol=1e-12)
    assert tensor.alignment == pytest.approx(0.0, abs=0.02)


def test_noise_has_no_direction_within_the_stated_deviation() -> None:
    noise = np.random.default_rng(5).random((300, 300))
    tensor = ms.orientation_tensor(ms.structure_tensor(noise))
    assert (np.abs(tensor.second - np.eye(2) / 2) < 4 * tensor.second_std).all()


def test_one_direction_has_an_alignment_of_one_and_no_misalignment() -> None:
    tensor = ms.orientation_tensor([[1.0, 1.0], [-2.0, -2.0]], weights=[1.0, 3.0])
    assert tensor.alignment == pytest.approx(1.0) and tensor.mean_misalignment == pytest.approx(0.0, abs=1e-5)
