"""Descriptors of the Boolean model of discs against its closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import scalebridge as sb
from tests.theory import boolean_discs as exact

ms = sb.microstructure
RADIUS, DENSITY = 12.0, 0.7 / (np.pi * 12.0**2)
IMAGES = 6

pytestmark = pytest.mark.theory


@pytest.fixture(scope="module")
def images() -> list[NDArray[np.bool_]]:
    return [exact.covered(600, RADIUS, DENSITY, seed) for seed in range(IMAGES)]


def near(values: list[float], wanted: float, grid: float = 0.0) -> bool:
    """Whether the mean of independent images lies within four deviations, and the error of the grid, of the truth."""
    error = abs(np.mean(values) - wanted)
    return bool(error < 4 * np.std(values, ddof=1) / np.sqrt(len(values)) + grid * abs(wanted))


def test_the_two_point_function_of_the_void_is_that_of_the_union_of_two_discs(images: list[NDArray[np.bool_]]) -> None:
    curves = [ms.cross_correlation(~image, ~image, reach=40) for image in images]
    wanted = exact.void_two_point(curves[0].distance, RADIUS, DENSITY)
    for k in (0, 1, 6, 12, 24, 40):
        assert near([float(curve.value[k]) for curve in curves], float(wanted[k]), 0.005)


def test_phases_that_fill_the_plane_share_their_correlations(images: list[NDArray[np.bool_]]) -> None:
    disc, void = images[0], ~images[0]
    both = [ms.cross_correlation(a, b, reach=30).value for a in (disc, void) for b in (disc, void)]
    np.testing.assert_allclose(np.sum(both, axis=0), 1.0, atol=1e-9)


def test_the_lineal_path_of_the_void_is_exponential(images: list[NDArray[np.bool_]]) -> None:
    curves = [ms.lineal_path(~image, reach=60) for image in images]
    wanted = exact.void_lineal_path(np.arange(61.0), RADIUS, DENSITY)
    for k in (0, 1, 10, 30, 60):
        assert near([float(curve[k]) for curve in curves], float(wanted[k]), 0.01)


def test_chords_of_the_void_are_exponential_with_the_mean_of_the_model(images: list[NDArray[np.bool_]]) -> None:
    mean = 1 / (2 * RADIUS * DENSITY)
    chords = [ms.chord_lengths(~image) for image in images]
    # Pixels miss chords and gaps below one pixel, 1 / (mean + 1) of them each.
    assert near([each.mean for each in chords], mean, 0.03)
    density = np.mean([each.density[:160] for each in chords], axis=0)
    length = chords[0].length[:160]
    # An exponential falls by e over its mean; a single chord of an image may have any length.
    for low, high in ((5, 30), (30, 60), (60, 120)):
        share = density[(length > low) & (length <= high)].sum()
        assert share == pytest.approx(np.exp(-low / mean) - np.exp(-high / mean), rel=0.08)


def test_edges_do_not_bias_long_chords_in_small_windows(images: list[NDArray[np.bool_]]) -> None:
    mean = 1 / (2 * RADIUS * DENSITY)
    small = [image[k : k + 75, j : j + 75] for image in images for k in range(0, 600, 75) for j in range(0, 600, 75)]
    pooled = [ms.chord_lengths(~window).mean for window in small if (~window).mean() > 0.05]
    whole = float(np.mean([ms.chord_lengths(~image).mean for image in images]))
    assert whole == pytest.approx(mean, rel=0.05)
    # Chords seen with both ends alone would have a mean of less than three quarters of it.
    assert float(np.median(pooled)) == pytest.approx(whole, rel=0.12)


def test_fraction_and_perimeter_are_those_of_the_model(images: list[NDArray[np.bool_]]) -> None:
    found = [ms.minkowski(image) for image in images]
    assert near([each.surface for each in found], exact.perimeter_per_area(RADIUS, DENSITY), 0.01)
    assert near([each.fraction for each in found], 1 - exact.void_fraction(RADIUS, DENSITY), 0.005)


def test_the_euler_density_of_discs_apart_is_their_number_per_area() -> None:
    found = []
    for seed in range(4):
        discs = ms.random_disks(0.3, 60, seed=seed, gap=0.3).labels(500).astype(bool)
        # The cell repeats, so its own repetition has no edge.
        found.append(ms.minkowski(np.pad(discs, (0, 1), mode="wrap")).euler * 500**2)
    np.testing.assert_allclose(found, 60, atol=1e-9)


def test_the_stated_deviations_are_the_scatter_among_images() -> None:
    images = [exact.covered(250, RADIUS, DENSITY, seed) for seed in range(100, 140)]
    truth = 1 - exact.void_fraction(RADIUS, DENSITY)
    fractions = [ms.phase_fraction(image) for image in images]
    held = [low <= truth <= high for low, high in (each.interval() for each in fractions)]
    assert np.mean(held) >= 0.85
    stated = float(np.mean([each.std for each in fractions]))
    assert stated == pytest.approx(np.std([each.value for each in fractions], ddof=1), rel=0.35)
    surfaces = [ms.minkowski(image) for image in images]
    spread = np.std([each.surface for each in surfaces], ddof=1)
    assert float(np.mean([each.surface_std for each in surfaces])) == pytest.approx(spread, rel=0.4)


def test_a_round_field_of_view_changes_nothing_but_the_scatter(images: list[NDArray[np.bool_]]) -> None:
    rows, columns = np.mgrid[:600, :600]
    inside = np.hypot(rows - 299.5, columns - 299.5) < 300
    black = [image & inside for image in images]
    assert near([ms.minkowski(each, inside).surface for each in black], exact.perimeter_per_area(RADIUS, DENSITY), 0.01)
    assert near([ms.lineal_path(each, inside, 5)[5] for each in black], disc_path(images, 5), 0.03)
    wanted = exact.void_two_point(np.array([10.0]), RADIUS, DENSITY)[0]
    found = [ms.cross_correlation(inside & ~each, inside & ~each, inside, 12).value[10] for each in black]
    assert near([float(each) for each in found], float(wanted), 0.01)


def disc_path(images: list[NDArray[np.bool_]], r: int) -> float:
    return float(np.mean([ms.lineal_path(image, reach=r)[r] for image in images]))


def test_the_scatter_of_windows_gives_the_size_that_theory_needs() -> None:
    image = exact.covered(900, 6.0, 0.7 / (np.pi * 36.0), 5)
    found = ms.window_sizes(image, "phase_1_fraction", precision=0.02, sizes=(40, 60, 90, 130, 180, 225))
    # Var = f (1 - f) A / L^2 with the exact integral range of the model.
    p = exact.void_fraction(6.0, 0.7 / (np.pi * 36.0))
    r = np.linspace(0, 12, 4001)
    area = np.trapezoid(2 * np.pi * r * (exact.void_two_point(r, 6.0, 0.7 / (np.pi * 36.0)) - p**2), r)
    wanted = np.sqrt(area) / (0.02 * (1 - p))
    assert found.exponent == pytest.approx(1.0, abs=0.25)
    assert found.needed == pytest.approx(wanted, rel=0.4)
    assert "pixels knows phase_1_fraction" in found.verdict
