"""Generated structures: exact fractions, true distances and normals, and convergence to them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import scalebridge as sb

ms = sb.microstructure
Make = Callable[[], "sb.microstructure.Structure"]

ALL: dict[str, Make] = {
    "sphere": lambda: ms.sphere(radius=0.3),
    "body-centred": lambda: ms.body_centred_spheres(fraction=0.6),
    "disc": lambda: ms.cylinder(fraction=0.47),
    "fibre": lambda: ms.cylinder(fraction=0.47, axis="y"),
    "laminate": lambda: ms.laminate(0.3, axis="z"),
    "plane laminate": lambda: ms.laminate(0.37, axis="y", dim=2),
    "checkerboard": lambda: ms.checkerboard(),
    "cubes": lambda: ms.checkerboard(dim=3),
    "random spheres": lambda: ms.random_spheres(0.3, 20, seed=1),
    "random discs": lambda: ms.random_disks(0.5, 30, seed=2),
    "random fibres": lambda: ms.random_fibres(0.4, 15, axis="x", seed=3),
}
FLAT = ("laminate", "plane laminate", "checkerboard", "cubes")
EXACT = {
    "sphere": 4 / 3 * math.pi * 0.3**3,
    "body-centred": 0.6,
    "disc": 0.47,
    "fibre": 0.47,
    "laminate": 0.3,
    "plane laminate": 0.37,
    "checkerboard": 0.5,
    "cubes": 0.5,
    "random spheres": 0.3,
    "random discs": 0.5,
    "random fibres": 0.4,
}
EACH = pytest.mark.parametrize("name", ALL)


@EACH
def test_the_stated_fraction_is_exact(name: str) -> None:
    assert ALL[name]().fraction == pytest.approx(EXACT[name], rel=1e-12)


@EACH
def test_fractions_of_voxels_converge_to_it_with_second_order(name: str) -> None:
    structure = ALL[name]()
    sizes = (12, 24) if structure.dim == 3 else (48, 96)
    errors = [abs(float(structure.fractions(n, samples=2).mean()) - structure.fraction) for n in sizes]
    if name in FLAT:
        assert max(errors) < 1e-9
    else:
        assert math.log2(errors[0] / errors[1]) > 1.5 and errors[1] < 3e-3


@EACH
def test_the_distance_is_periodic_and_its_gradient_is_the_normal(name: str) -> None:
    structure = ALL[name]()
    points = np.random.default_rng(0).uniform(-1, 2, (400, structure.dim))
    distance, step = structure.distance(points), 1e-6
    shift = np.array([1, -2, 3])[: structure.dim]
    np.testing.assert_allclose(structure.distance(points + shift), distance, atol=1e-12)
    slopes = [
        (structure.distance(points + step * e) - structure.distance(points - step * e)) / (2 * step)
        for e in np.eye(structure.dim)
    ]
    np.testing.assert_allclose(np.stack(slopes, -1), structure.normal(points), atol=1e-4)


@EACH
def test_a_step_of_the_distance_along_the_normal_ends_on_the_interface(name: str) -> None:
    structure = ALL[name]()
    points = np.random.default_rng(1).random((400, structure.dim))
    distance = structure.distance(points)
    # Inside the distance is to the own surface; outside a step may be checked too, since it is to the nearest.
    foot = points - distance[:, None] * structure.normal(points)
    np.testing.assert_allclose(structure.distance(foot), 0.0, atol=1e-12)


@EACH
def test_labels_fractions_and_composite_voxels_agree(name: str) -> None:
    structure = ALL[name]()
    shape = (13, 12, 11) if structure.dim == 3 else (33, 31)
    labels, shares = structure.labels(shape), structure.fractions(shape)
    assert labels.shape == shares.shape == shape and labels.dtype == np.uint8
    pure = (shares < 1e-12) | (shares > 1 - 1e-12)
    np.testing.assert_array_equal(labels[pure], shares[pure] > 0.5)
    cut = structure.subvoxels(shape, spread=0.0)
    assert cut.volume(1) == pytest.approx(float(shares.mean()), abs=1e-3)


def test_directions_are_those_of_the_grid() -> None:
    for axis, k in (("x", 2), ("y", 1), ("z", 0)):
        layers = ms.laminate(0.5, axis=axis).labels((8, 8, 8))
        assert (np.take(layers, 0, k) == 1).all() and (np.take(layers, 7, k) == 0).all()
        fibre = ms.cylinder(radius=0.2, axis=axis).labels(9)
        np.testing.assert_array_equal(np.take(fibre, 0, k), np.take(fibre, 5, k))
        assert not np.take(fibre, 0, (k + 1) % 3).any()
    np.testing.assert_array_equal(ms.checkerboard().labels(2), [[0, 1], [1, 0]])
    offset = ms.balls([[0.1, 0.5]], radius=0.1).labels(20)
    assert offset[:, :4].any() and not offset[:, 5:].any()


def test_composite_voxels_know_the_normal_of_a_sphere() -> None:
    ball = ms.sphere(radius=0.3)
    cut = ball.subvoxels(24, spread=0.0)
    z, y, x = np.unravel_index(cut.index, (24, 24, 24))
    exact = ball.normal((np.stack([x, y, z], -1) + 0.5) / 24)
    # From the inclusion (phase 1) outwards, or against it: the normal goes from phase 0 to phase 1.
    assert (cut.normal * -exact).sum(-1).min() > 0.99


@pytest.mark.parametrize("seed", range(5))
def test_random_balls_keep_apart_across_the_edges_too(seed: int) -> None:
    for packed, gap in (
        (ms.random_spheres(0.25, 25, seed=seed), 0.0),
        (ms.random_disks(0.3, 40, seed=seed, gap=0.3), 0.3),
    ):
        offset = packed.centres[:, None] - packed.centres[None]
        offset -= np.rint(offset)
        distance = np.sqrt((offset**2).sum(-1)) + 10 * np.eye(len(packed.centres))
        assert distance.min() >= (2 + gap) * packed.radius
        again = ms.random_disks(0.3, 40, seed=seed, gap=0.3)
        assert packed.centres.shape[1] == 3 or (again.centres == packed.centres).all()


def test_geometry_that_cannot_be_is_refused() -> None:
    for make, message in [
        (lambda: ms.sphere(), "one of the two"),
        (lambda: ms.sphere(radius=0.1, fraction=0.1), "one of the two"),
        (lambda: ms.sphere(radius=-0.1), "must be positive"),
        (lambda: ms.sphere(radius=float("nan")), "must be positive"),
        (lambda: ms.sphere(fraction=0.6), r"would overlap.*0.5, a fraction of 0.5236"),
        (lambda: ms.body_centred_spheres(fraction=0.7), r"0.433013, a fraction of 0.6802"),
        (lambda: ms.cylinder(fraction=0.8), "a fraction of 0.7854"),
        (lambda: ms.cylinder(fraction=1.8), r"must lie in \(0, 1\)"),
        (lambda: ms.laminate(0.0), r"must lie in \(0, 1\)"),
        (lambda: ms.laminate(0.5, axis="z", dim=2), "axis 'z'"),
        (lambda: ms.laminate(0.5, axis="w"), "axis 'w'"),
        (lambda: ms.checkerboard(4), "4 dimensions"),
        (lambda: ms.balls([0.5, 0.5], radius=0.1), r"\[n, 2\]"),
        (lambda: ms.balls([[0.5, 0.5, 0.5]], radius=0.1, axis="x"), r"\[n, 2\]"),
        (lambda: ms.balls([[0.5, np.nan]], radius=0.1), "finite"),
        (lambda: ms.random_disks(0.6), "jam at 0.547"),
        (lambda: ms.random_spheres(0.39), "jam at 0.384"),
        (lambda: ms.random_spheres(0.3, gap=0.5), "too dense"),
        (lambda: ms.random_disks(0.3, 0), "at least one"),
        (lambda: ms.random_disks(0.8, 1), "their own images"),
        (lambda: ms.sphere(radius=0.3).labels((8, 8)), "3 dimensions"),
        (lambda: ms.sphere(radius=0.3).labels(0), "3 positive"),
        (lambda: ms.sphere(radius=0.3).fractions(4, samples=0), "at least 1"),
        (lambda: ms.sphere(radius=0.3).distance([[0.0, 0.0]]), r"\[m, 3\]"),
    ]:
        with pytest.raises(sb.InputError, match=message) as caught:
            make()
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_places_outside_of_the_cell_are_wrapped() -> None:
    points = np.array([[-1e-18, 1.0, 0.5], [0.0, 0.0, 0.5]])
    ball = ms.balls([[1.0, -3.0, 0.5]], radius=0.2)
    np.testing.assert_allclose(ball.distance(points), -0.2, atol=1e-15)
