"""Packings of unequal balls: exact fractions, no overlap across the edges, gaps, zones, the same seed the same bits."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.microstructure.generated.packings import (
    lognormal_diameters,
    packed_disks,
    packed_fibres,
    packed_spheres,
)
from scalebridge.microstructure.generated.unequal_balls import UnequalBalls, unequal_balls

Make = Callable[[], UnequalBalls]

PACKINGS: dict[str, tuple[Make, float]] = {
    "loose discs": (lambda: packed_disks(0.4, 80, scatter=0.3, seed=1), 0.4),
    "dense discs": (lambda: packed_disks(0.75, 120, gap=0.03, seed=2), 0.75),
    "very dense unequal discs": (lambda: packed_disks(0.8, 150, scatter=0.15, seed=3), 0.8),
    "discs between zones": (lambda: packed_disks(0.5, 150, zones=0.2, seed=4), 0.5),
    "fibres along y": (lambda: packed_fibres(0.6, 40, axis="y", scatter=0.1, seed=5), 0.6),
    "dense spheres": (lambda: packed_spheres(0.55, 80, seed=6), 0.55),
    "unequal spheres": (lambda: packed_spheres(0.45, 60, scatter=0.4, gap=0.02, seed=7), 0.45),
}
EACH = pytest.mark.parametrize("name", PACKINGS)


@functools.cache
def made(name: str) -> UnequalBalls:
    return PACKINGS[name][0]()


def surfaces_apart(packing: UnequalBalls) -> float:
    """Least distance of surfaces, images included, by brute force."""
    offset = packing.centres[:, None] - packing.centres[None]
    apart = np.sqrt(((offset - np.rint(offset)) ** 2).sum(axis=-1)) - packing.radii[:, None] - packing.radii
    return float((apart + 10.0 * np.eye(len(packing.radii))).min())


@EACH
def test_the_fraction_is_exact_and_no_balls_overlap_across_the_edges(name: str) -> None:
    packing, fraction = made(name), PACKINGS[name][1]
    assert packing.fraction == pytest.approx(fraction, rel=1e-12)
    assert surfaces_apart(packing) >= -1e-12
    assert packing.gaps().min() == pytest.approx(surfaces_apart(packing), abs=1e-12)


@EACH
def test_the_same_seed_gives_the_same_bits(name: str) -> None:
    one, other = made(name), PACKINGS[name][0]()
    assert (one.centres == other.centres).all() and (one.radii == other.radii).all()


@EACH
def test_the_distance_is_periodic_and_its_gradient_is_the_normal(name: str) -> None:
    packing, step = made(name), 1e-7
    points = np.random.default_rng(0).uniform(-1, 2, (300, packing.dim))
    distance, shift = packing.distance(points), np.array([1, -2, 3])[: packing.dim]
    np.testing.assert_allclose(packing.distance(points + shift), distance, atol=1e-12)
    slopes = [
        (packing.distance(points + step * e) - packing.distance(points - step * e)) / (2 * step)
        for e in np.eye(packing.dim)
    ]
    error = np.abs(np.stack(slopes, -1) - packing.normal(points)).max(axis=1)
    # A point between two balls has no normal; a difference across it has neither.
    assert (error < 1e-3).mean() > 0.99


@EACH
def test_the_distance_is_that_of_the_nearest_surface_and_not_of_the_nearest_centre(name: str) -> None:
    packing = made(name)
    points = np.random.default_rng(1).random((400, packing.dim))
    across = points if packing.axis is None else np.delete(points, "xyz".index(packing.axis), axis=1)
    offset = across[:, None] - packing.centres[None]
    brute = (np.sqrt(((offset - np.rint(offset)) ** 2).sum(axis=-1)) - packing.radii).min(axis=1)
    np.testing.assert_allclose(packing.distance(points), brute, atol=1e-12)


@EACH
def test_labels_meet_the_fraction_within_half_a_voxel_layer(name: str) -> None:
    packing = made(name)
    n = 24 if packing.dim == 3 else 160
    labels = packing.labels(n)
    dim = packing.centres.shape[1]
    surface = (2 * np.pi * packing.radii if dim == 2 else 4 * np.pi * packing.radii**2).sum()
    assert abs(labels.mean() - packing.fraction) < 0.5 * surface / n
    shares = packing.fractions(n, samples=2)
    assert abs(float(shares.mean()) - packing.fraction) < 5e-3
    cut = packing.subvoxels(n // 2, spread=0.0, samples=2)
    assert cut.volume(1) == pytest.approx(packing.fraction, abs=2e-2)


def test_labels_by_blocks_are_those_of_every_voxel() -> None:
    for packing, shape in ((packed_disks(0.7, 60, scatter=0.2), (77, 130)), (packed_spheres(0.5, 30), (33, 20, 47))):
        index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, len(shape))
        inside = packing.distance(((index + 0.5) / shape)[:, ::-1]) < 0.0
        np.testing.assert_array_equal(packing.labels(shape).ravel(), inside)


def test_inclusions_go_on_across_the_edges() -> None:
    labels = packed_disks(0.7, 60, seed=1).labels(160).astype(bool)
    for axis in (0, 1):
        first, last = np.take(labels, 0, axis), np.take(labels, -1, axis)
        inner = (np.roll(labels, 1, axis) == labels).mean()
        assert (first == last).mean() > inner - 0.1


@pytest.mark.parametrize("gap", [0.0, 0.02, 0.1])
def test_the_gap_asked_for_is_kept(gap: float) -> None:
    packing = packed_disks(0.6, 100, scatter=0.2, gap=gap, seed=3)
    assert surfaces_apart(packing) >= gap * packing.radii.mean() - 1e-12


@pytest.mark.parametrize("scatter", [0.0, 0.05, 0.2, 0.5])
def test_diameters_have_the_scatter_asked_for(scatter: float) -> None:
    diameters = lognormal_diameters(400, scatter)
    assert diameters.mean() == pytest.approx(1.0, abs=2e-3)
    assert diameters.std() == pytest.approx(scatter, abs=5e-3)
    radii = packed_disks(0.4, 400, scatter=scatter, sweeps=0).radii
    np.testing.assert_allclose(np.sort(radii / radii.mean()), np.sort(diameters / diameters.mean()), rtol=1e-12)


def test_given_diameters_are_used_up_to_a_scale() -> None:
    given = np.random.default_rng(0).uniform(5.0, 9.0, 60)
    radii = packed_disks(0.5, 60, diameters=given).radii
    np.testing.assert_allclose(np.sort(radii) / np.sort(given), radii.sum() / given.sum(), rtol=1e-12)


def test_zones_take_the_share_of_the_cell_that_was_asked_for() -> None:
    from scalebridge.microstructure.generated.zones import drawn_zones

    zones = drawn_zones(0.3, 0.25, 2, np.random.default_rng(3))
    points = np.random.default_rng(4).random((5_000, 2))
    assert (zones.excess(points)[0] > 0.0).mean() == pytest.approx(0.3, abs=0.03)
    step = 1e-6
    slopes = [(zones.excess(points + step * e)[0] - zones.excess(points - step * e)[0]) / (2 * step) for e in np.eye(2)]
    inner = zones.excess(points)[0] > 1e-3
    np.testing.assert_allclose(np.stack(slopes, -1)[inner], zones.excess(points)[1][inner], rtol=1e-4, atol=1e-4)


def test_zones_make_larger_places_without_fibres() -> None:
    points = np.random.default_rng(0).random((4000, 2))
    largest = {}
    for zones in (0.0, 0.3):
        found = [packed_disks(0.45, 120, zones=zones, sweeps=20, seed=seed).distance(points).max() for seed in range(3)]
        largest[zones] = np.mean(found)
    assert largest[0.3] > 2.0 * largest[0.0]


def test_what_cannot_be_packed_is_refused() -> None:
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: packed_disks(0.9), "jam at about 0.84"),
        (lambda: packed_disks(0.8, gap=0.2), "jam at about 0.84"),
        (lambda: packed_disks(0.6, zones=0.5), "jam at about 0.84"),
        (lambda: packed_spheres(0.7), "jam at about 0.64"),
        (lambda: packed_disks(0.0), r"must lie in \(0, 1\)"),
        (lambda: packed_disks(float("nan")), r"must lie in \(0, 1\)"),
        (lambda: packed_disks(0.5, 0), "at least one ball"),
        (lambda: packed_disks(0.5, gap=-1.0), "no overlap"),
        (lambda: packed_disks(0.5, scatter=2.0), "scatter of the diameters is 2"),
        (lambda: packed_disks(0.5, zones=1.0), "share of the zones is 1"),
        (lambda: packed_disks(0.5, zones=0.1, zone_size=3.0), "size of the zones is 3"),
        (lambda: packed_disks(0.5, 10, diameters=[1.0, 2.0]), "give 10 positive numbers"),
        (lambda: packed_disks(0.5, 10, diameters=np.ones(10), scatter=0.1), "one of the two"),
        (lambda: packed_disks(0.82, 1), "meets its own image"),
        (lambda: packed_fibres(0.5, axis="w"), "axis 'w'"),  # type: ignore[arg-type]
        (lambda: unequal_balls([[0.5, 0.5], [0.6, 0.5]], [0.1, 0.05]), "overlaps another"),
        (lambda: unequal_balls([[0.5, 0.5]], [0.1, 0.2]), r"\[n\], are needed"),
        (lambda: unequal_balls([[0.5, 0.5]], [-0.1]), "radii positive"),
    ]
    for make, message in refused:
        with pytest.raises(sb.InputError, match=message) as caught:
            make()
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
