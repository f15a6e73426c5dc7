"""Voxels cut by an interface: exact cuts, kept volumes, normals that are right at every tilt."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.subvoxel import SubVoxels, coarsen, cut_fraction, from_fractions, from_level_set

Floats = NDArray[np.float64]
CENTRE = (0.503, 0.486, 0.521)


def ball(radius: float, d: int) -> Any:
    """Signed distance of a circle or ball, positive inside."""
    return lambda *x: radius - np.sqrt(sum((v - c) ** 2 for v, c in zip(x, CENTRE[:d], strict=True)))


def fine_image(radius: float, n: int, d: int) -> NDArray[np.uint8]:
    c = (np.arange(n) + 0.5) / n
    axes = np.meshgrid(*[c] * d, indexing="ij")
    return np.asarray(ball(radius, d)(*axes[::-1]) > 0, dtype=np.uint8)


def normal_errors(found: SubVoxels, d: int) -> Floats:
    """Angles in degrees between the normals and the radius, ``[m]``; outwards of phase 0, so inwards."""
    shape = found.labels.shape
    place = np.stack(np.unravel_index(found.index, shape), -1)[:, ::-1]
    radial = np.array(CENTRE[:d]) - (place + 0.5) / np.array(shape[::-1])
    radial /= np.linalg.norm(radial, axis=1)[:, None]
    assert (np.abs(np.linalg.norm(found.normal, axis=1) - 1) < 1e-12).all()
    return np.asarray(np.degrees(np.arccos(np.clip((found.normal * radial).sum(1), -1, 1))))


@pytest.mark.parametrize("d", [2, 3])
def test_volume_cut_by_a_plane_agrees_with_counting(d: int) -> None:
    rng = np.random.default_rng(d)
    gradient = rng.normal(size=(20, d))
    value = rng.uniform(-0.5, 0.5, 20) * np.abs(gradient).sum(1)
    n = 400 if d == 2 else 80
    axes = np.meshgrid(*[(np.arange(n) + 0.5) / n - 0.5] * d, indexing="ij")
    for v, g in zip(value, gradient, strict=True):
        counted = float((v + sum(a * x for a, x in zip(g, axes, strict=True)) > 0).mean())
        assert cut_fraction(v, g) == pytest.approx(counted, abs=1.0 / n)


def test_volume_cut_by_a_plane_along_an_axis_is_the_distance() -> None:
    value = np.linspace(-0.6, 0.6, 13)
    expected = np.clip(0.5 + value, 0.0, 1.0)
    for d in (2, 3):
        gradient = np.zeros((13, d))
        gradient[:, -1] = -3.0
        np.testing.assert_allclose(cut_fraction(3.0 * value, gradient), expected, atol=2e-7 if d == 2 else 5e-6)
    assert cut_fraction(np.array(1.0), np.zeros(3)) == 1.0
    assert cut_fraction(np.array(-1.0), np.zeros(3)) == 0.0


@pytest.mark.parametrize("spread", [0.0, 0.4])
@pytest.mark.parametrize("d", [2, 3])
def test_level_set_gives_the_volume_and_the_normals_of_a_ball(d: int, spread: float) -> None:
    radius = 0.31
    found = from_level_set(ball(radius, d), (32,) * d, spread=spread)
    volume = math.pi * radius**2 if d == 2 else 4 / 3 * math.pi * radius**3
    # Only the curvature inside a sub-voxel is left.
    assert found.volume(1) == pytest.approx(volume, rel=1e-4)
    assert found.volume(0) + found.volume(1) == pytest.approx(1.0, abs=1e-13)
    errors = normal_errors(found, d)
    assert float(np.sqrt(np.mean(errors**2))) < 0.4
    assert found.crowded == 0 and (np.diff(found.index) > 0).all()
    assert found.fraction.min() > 0 and found.fraction.max() < 1


def test_error_of_the_fractions_falls_with_the_square_of_the_samples() -> None:
    volume = math.pi * 0.31**2
    errors = [abs(from_level_set(ball(0.31, 2), (32, 32), samples=s).volume(1) / volume - 1) for s in (4, 16)]
    assert errors[1] < errors[0] / 12


@pytest.mark.parametrize("d", [2, 3])
def test_coarsened_image_keeps_every_volume_and_finds_the_normals(d: int) -> None:
    fine = fine_image(0.31, 192 if d == 2 else 96, d)
    found = coarsen(fine, 8 if d == 2 else 4)
    assert found.labels.shape == (24,) * d
    assert found.volume(1) == pytest.approx(fine.mean(), abs=1e-12)
    assert float(np.sqrt(np.mean(normal_errors(found, d) ** 2))) < 1.0


def test_without_spread_only_voxels_that_are_cut_are_mixed() -> None:
    fine = fine_image(0.31, 128, 2)
    blocks = fine.reshape(16, 8, 16, 8).mean(axis=(1, 3))
    found = coarsen(fine, 8, spread=0.0)
    np.testing.assert_array_equal(found.index, np.flatnonzero((blocks > 0) & (blocks < 1)))
    np.testing.assert_allclose(found.fraction, blocks.ravel()[found.index], atol=1e-14)
    np.testing.assert_array_equal(found.labels, (blocks > 0.5).astype(int))


def test_normals_of_a_plane_are_right_at_every_tilt() -> None:
    x, y = np.meshgrid((np.arange(256) + 0.5) / 256, (np.arange(256) + 0.5) / 256)
    for angle in np.linspace(0.05, 1.5, 8):
        across = x * math.cos(angle) + y * math.sin(angle)
        found = coarsen((across > 0.5 * (math.cos(angle) + math.sin(angle))).astype(int), 8)
        place = np.stack(np.unravel_index(found.index, found.labels.shape), -1)
        away = np.minimum(place, 31 - place).min(1) >= 5  # the plane is not periodic
        errors = np.abs(found.normal[away] @ [-math.sin(angle), math.cos(angle)])
        assert np.degrees(errors).max() < 1.0
        assert (found.normal[away] @ [math.cos(angle), math.sin(angle)]).min() > 0


def test_normal_in_a_gap_of_two_voxels_is_across_the_gap() -> None:
    n = 32
    fine = np.ones((n * 8, n * 8), dtype=int)
    fine[:, 15 * 8 + 4 : 17 * 8 + 4] = 0  # gap of two voxels, off the grid
    found = coarsen(fine, 8)
    assert len(found.index) > 2 * n
    np.testing.assert_allclose(np.abs(found.normal[:, 0]), 1.0, atol=1e-12)


def test_spacing_turns_the_normals() -> None:
    # A line at 45 degrees in voxels, whose voxels are twice as high as wide: its normal leans to x.
    i, j = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    fine = (((i + j) // 128) % 2).astype(int)
    found = coarsen(fine, 8, spacing=(2.0, 1.0))
    np.testing.assert_allclose(np.abs(found.normal[:, 0] / found.normal[:, 1]), 2.0, rtol=1e-6)


def test_voxels_of_three_phases_take_the_two_most_frequent_and_are_counted() -> None:
    fine = np.zeros((32, 32), dtype=int)
    fine[:, 12:], fine[20:24, 14:16] = 5, 7
    found = coarsen(fine, 8, spread=0.0)
    assert found.crowded == 1
    row = int(np.flatnonzero(found.index == 2 * 4 + 1)[0])
    assert (found.first[row], found.second[row], found.fraction[row]) == (0, 5, 24 / 56)
    pairs = {(low, high): len(rows) for low, high, rows in found.pairs()}
    assert sum(pairs.values()) == len(found.index) and set(pairs) == {(0, 5)}


def test_grey_image_of_fractions_gives_what_the_fine_image_gives() -> None:
    fine = fine_image(0.31, 128, 2)
    grey = fine.reshape(16, 8, 16, 8).mean(axis=(1, 3))
    one, two = coarsen(fine, 8), from_fractions(grey)
    np.testing.assert_array_equal(one.index, two.index)
    np.testing.assert_allclose(one.fraction, two.fraction, atol=1e-14)
    np.testing.assert_allclose(one.normal, two.normal, atol=1e-10)


def test_image_of_one_phase_has_no_mixed_voxels() -> None:
    found = coarsen(np.full((16, 16, 16), 3), 4)
    assert len(found.index) == 0 and found.normal.shape == (0, 3)
    assert found.volume(3) == 1.0 and list(found.pairs()) == []


def test_interface_along_voxel_faces_needs_no_composite_voxels_without_spread() -> None:
    fine = np.repeat(np.array([0, 1]), 8)[None].repeat(16, 0)
    assert len(coarsen(fine, 4, spread=0.0).index) == 0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: coarsen(np.zeros((9, 8), dtype=int), 4), ShapeError, "9 x 8 voxels cannot be coarsened by 4"),
        (lambda: coarsen(np.zeros(8, dtype=int), 4), ShapeError, "two or three dimensions"),
        (lambda: coarsen(np.zeros((8, 8)), 4), InputError, "integers are needed"),
        (lambda: coarsen(np.zeros((8, 8), dtype=int), 4, spread=2.0), InputError, "must lie in"),
        (lambda: coarsen(np.zeros((8, 8), dtype=int), 4, spacing=(1.0,)), ShapeError, "one per axis"),
        (lambda: from_fractions(np.full((4, 4), 255)), InputError, "scale grey values"),
        (lambda: from_fractions(np.full((4, 4), np.nan)), InputError, "scale grey values"),
        (lambda: from_fractions(np.zeros(4)), ShapeError, "two or three dimensions"),
        (lambda: from_level_set(lambda x, y: x, (8,)), ShapeError, "give \\(ny, nx\\)"),
        (lambda: from_level_set(lambda x, y: x, (8, 8), samples=1), InputError, "at least 2"),
        (lambda: from_level_set(lambda x, y: x * np.nan, (8, 8)), InputError, "not finite"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
