"""Grains and foams: volumes that add up, faces that are met by the voxels, prescribed sizes, boundaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.microstructure.generated.grains import foam, random_grains
from scalebridge.microstructure.generated.power_diagram import power_diagram

CASES = [(2, 2), (5, 2), (60, 2), (2, 3), (7, 3), (80, 3)]
EACH = pytest.mark.parametrize(("count", "dim"), CASES, ids=[f"{n} in {d}-D" for n, d in CASES])


@EACH
def test_volumes_add_up_and_the_voxels_have_them(count: int, dim: int) -> None:
    grains = random_grains(count, dim=dim, seed=1)
    assert grains.volumes.sum() == pytest.approx(1.0, abs=1e-10)
    n = 60 if dim == 3 else 300
    found = np.bincount(grains.grain(n).ravel(), minlength=count) / n**dim
    np.testing.assert_allclose(found, grains.volumes, atol=3.0 / n * grains.volumes.max())


@EACH
def test_every_voxel_has_the_nearest_site_by_power_distance(count: int, dim: int) -> None:
    grains = random_grains(count, dim=dim, scatter=0.4, seed=2) if count > 10 else random_grains(count, dim=dim, seed=2)
    shape = (17, 16, 15)[:dim]
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, dim)
    offset = ((index + 0.5) / shape)[:, None, ::-1] - grains.diagram.sites
    power = ((offset - np.rint(offset)) ** 2).sum(axis=-1) - grains.diagram.weights
    np.testing.assert_array_equal(grains.grain(shape).ravel(), power.argmin(axis=1))


@EACH
def test_faces_are_shared_and_their_normals_close_every_grain(count: int, dim: int) -> None:
    d = random_grains(count, dim=dim, seed=3).diagram
    for k in range(count):
        own = d.first == k
        # A closed surface has no net area.
        np.testing.assert_allclose((d.area[own, None] * d.normal[own]).sum(axis=0), 0.0, atol=1e-10)
    total = np.zeros((count, count))
    np.add.at(total, (d.first, d.second), d.area)
    np.testing.assert_allclose(total, total.T, atol=1e-10)


def test_a_square_lattice_has_square_cells() -> None:
    steps = (np.arange(4) + 0.5) / 4
    sites = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2) + 1e-9 * np.random.default_rng(0).random((16, 2))
    d = power_diagram(sites, np.zeros(16))
    np.testing.assert_allclose(d.volumes, 1 / 16, atol=1e-7)
    np.testing.assert_allclose(d.centroids, sites, atol=1e-7)
    assert np.sort(d.area)[-64:] == pytest.approx(0.25, abs=1e-6)


def test_a_heavier_site_has_a_larger_cell() -> None:
    sites = np.array([[0.25, 0.5], [0.75, 0.5]])
    d = power_diagram(sites, np.array([0.05, 0.0]))
    # Faces at 0.5 + w / (2 * 0.5) and at 0 less as much.
    np.testing.assert_allclose(d.volumes, [0.6, 0.4], atol=1e-12)


@pytest.mark.parametrize(("dim", "scatter"), [(2, 0.3), (2, 0.9), (3, 0.0), (3, 0.5)])
def test_prescribed_volumes_are_met(dim: int, scatter: float) -> None:
    grains = random_grains(60, dim=dim, scatter=scatter, seed=4)
    assert grains.volumes.std() * 60 == pytest.approx(scatter, abs=1e-3)
    assert grains.volumes.sum() == pytest.approx(1.0, abs=1e-10)


def test_given_volumes_are_met_in_their_order() -> None:
    volumes = np.linspace(1.0, 4.0, 30)
    grains = random_grains(30, volumes=volumes, seed=5)
    np.testing.assert_allclose(grains.volumes, volumes / volumes.sum(), rtol=1e-5)


def test_moves_to_the_centroids_make_grains_more_equal() -> None:
    spread = [random_grains(80, dim=2, regularity=k, seed=6).volumes.std() * 80 for k in (0, 2, 10)]
    assert spread[0] > 1.4 * spread[1] and spread[1] > 1.4 * spread[2]


def test_boundaries_have_the_thickness_asked_for() -> None:
    thickness = 0.02
    grains = random_grains(30, dim=2, thickness=thickness, seed=7)
    length = grains.diagram.area.sum() / 2
    # To first order; triple points are counted twice.
    assert grains.labels(500).mean() == pytest.approx(length * thickness, rel=0.1)
    assert not random_grains(30, dim=2, seed=7).labels(50).any()


def test_the_distance_from_a_boundary_is_half_the_way_to_another_grain() -> None:
    grains = random_grains(20, dim=2, seed=8)
    distance, grain = grains.boundary_distance(200), grains.grain(200)
    assert distance.min() >= -1e-9
    edge = grain != np.roll(grain, 1, axis=1)
    assert distance[edge].max() <= 1.0 / 200
    brute = np.indices((200, 200)).reshape(2, -1).T[::997]
    for row, column in brute:
        dy, dx = np.nonzero(grain != grain[row, column])
        offset = np.stack([dy - row, dx - column], -1) / 200
        nearest = np.sqrt(((offset - np.rint(offset)) ** 2).sum(-1)).min()
        assert distance[row, column] == pytest.approx(nearest, abs=1.0 / 200)


def test_orientations_are_rotations_given_to_every_voxel_of_a_grain() -> None:
    for dim in (2, 3):
        grains = random_grains(12, dim=dim, seed=9)
        turned = grains.rotations(12)
        assert turned.shape == (12,) * dim + (3, 3)
        np.testing.assert_allclose(
            turned @ np.swapaxes(turned, -1, -2), np.broadcast_to(np.eye(3), turned.shape), atol=1e-12
        )
        np.testing.assert_allclose(np.linalg.det(turned), 1.0)
        np.testing.assert_array_equal(turned, grains.orientation[grains.grain(12)])
        assert dim == 3 or np.allclose(turned[..., 2, 2], 1.0)


@pytest.mark.parametrize(("cells", "dim"), [("closed", 2), ("closed", 3), ("open", 3)])
def test_a_foam_has_the_solid_asked_for_and_is_periodic(cells: Literal["closed", "open"], dim: int) -> None:
    made = foam(20, 0.15, cells=cells, dim=dim, seed=1)
    labels = made.labels(300 if dim == 2 else 64)
    assert labels.mean() == pytest.approx(0.15, abs=0.01)
    axes: tuple[Literal["x", "y", "z"], ...] = ("x", "y", "z")
    for axis in axes[:dim]:
        assert sb.microstructure.percolates(labels, 1, axis, periodic=True)
    assert made.subvoxels(24 if dim == 3 else 60).volume(1) == pytest.approx(0.15, abs=0.01)


def test_the_same_seed_gives_the_same_bits() -> None:
    one, other = (random_grains(40, scatter=0.3, seed=3) for _ in range(2))
    assert (one.diagram.sites == other.diagram.sites).all() and (one.orientation == other.orientation).all()
    assert (one.diagram.weights == other.diagram.weights).all()


def test_grains_that_make_no_sense_are_refused() -> None:
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: random_grains(1), "2 grains or more"),
        (lambda: random_grains(9, dim=4), "2 or 3 dimensions"),
        (lambda: random_grains(9, scatter=0.1, volumes=np.ones(9)), "one of the two"),
        (lambda: random_grains(9, scatter=-1.0), r"in \[0, 2\]"),
        (lambda: random_grains(9, volumes=[1.0, 0.0]), "give 9 positive numbers"),
        (lambda: random_grains(9, thickness=0.7), "thickness of the grain boundaries is 0.7"),
        (lambda: foam(20, 1.2), r"must lie in \(0, 1\)"),
        (lambda: foam(20, cells="open", dim=2), "open in 3"),
        (lambda: random_grains(9, dim=2).grain((4, 4, 4)), "2 dimensions"),
    ]
    for make, message in refused:
        with pytest.raises(sb.InputError, match=message) as caught:
            make()
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
