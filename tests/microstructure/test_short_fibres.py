"""Short fibres: fraction, orientation and distance are met exactly, in a periodic cell, and the seed repeats them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.short_fibres import ShortFibres, random_short_fibres

TENSOR = (0.8, 0.15, 0.05)


@pytest.fixture(scope="module")
def fibres() -> ShortFibres:
    return random_short_fibres(0.2, 8.0, 60, orientation=TENSOR, seed=3)


def one(centre: tuple[float, float, float], axis: tuple[float, float, float]) -> ShortFibres:
    unit = np.array([axis]) / np.linalg.norm(axis)
    return ShortFibres(np.array([centre]), unit, np.array([0.5]), 0.12, (1.0, 1.0, 1.0))


def test_the_fraction_is_exact(fibres: ShortFibres) -> None:
    assert fibres.fraction == pytest.approx(0.2, rel=1e-12)
    volume = math.pi * fibres.radius**2 * fibres.lengths.sum()
    assert volume == pytest.approx(0.2, rel=1e-12)


def test_the_orientation_tensor_is_reached(fibres: ShortFibres) -> None:
    assert np.allclose(fibres.orientation, np.diag(TENSOR), atol=1e-8)
    assert np.allclose(np.linalg.norm(fibres.axes, axis=1), 1.0)


def test_a_full_tensor_weighted_by_unequal_lengths_is_reached() -> None:
    tensor = np.array([[0.6, 0.1, 0.0], [0.1, 0.3, 0.05], [0.0, 0.05, 0.1]])
    aspect = np.random.default_rng(0).uniform(3.0, 9.0, 50)
    made = random_short_fibres(0.1, aspect.tolist(), 50, orientation=tensor, seed=1)
    assert np.allclose(made.orientation, tensor, atol=1e-8)
    assert np.allclose(made.lengths / (2.0 * made.radius), aspect)


@pytest.mark.parametrize("tensor", [(1.0, 0.0, 0.0), (0.5, 0.5, 0.0)])
def test_aligned_and_planar_fibres_are_made(tensor: tuple[float, float, float]) -> None:
    made = random_short_fibres(0.1, 4.0, 30, orientation=tensor, seed=2)
    assert np.allclose(made.orientation, np.diag(tensor), atol=1e-8)
    assert np.abs(made.axes[:, np.array(tensor) == 0.0]).max() < 1e-12


def test_directions_follow_the_angular_central_gaussian_distribution() -> None:
    made = random_short_fibres(0.001, 2.0, 1000, orientation=TENSOR, seed=5)
    # Direct draws from N(0, B) scaled to length one, B found so that the tensor is met.
    moments = np.mean(made.axes[:, 0] ** 4)
    rng = np.random.default_rng(0)
    widths, drawn = np.ones(3), rng.standard_normal((50_000, 3))
    for _ in range(100):
        unit = drawn * np.sqrt(widths)
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        widths *= np.array(TENSOR) / (unit**2).mean(axis=0)
    assert moments == pytest.approx(float(np.mean(unit[:, 0] ** 4)), abs=0.02)


def test_no_two_fibres_overlap_images_included(fibres: ShortFibres) -> None:
    along = np.linspace(-0.5, 0.5, 21)
    lines = fibres.centres[:, None] + along[:, None] * (fibres.lengths[:, None] * fibres.axes)[:, None]
    images = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    for k in range(len(lines)):
        others = np.delete(lines, k, axis=0).reshape(-1, 3)
        gap = np.linalg.norm(others[None, :, None] + images - lines[k][:, None, None], axis=-1).min()
        # Points along the axes: their distance is an upper bound of that of the axes.
        assert gap > 2.0 * fibres.radius


def test_shares_of_voxels_add_up_to_the_fraction_and_never_beyond_one(fibres: ShortFibres) -> None:
    share = fibres.fractions(48, samples=3)
    assert share.mean() == pytest.approx(0.2, rel=8e-3)
    assert share.min() >= 0.0 and share.max() <= 1.0
    assert fibres.labels(48).mean() == pytest.approx(0.2, rel=0.03)


def test_composite_voxels_keep_the_fraction(fibres: ShortFibres) -> None:
    assert fibres.subvoxels(32).volume(1) == pytest.approx(0.2, rel=0.02)


def test_the_structure_is_periodic() -> None:
    middle = one((0.5, 0.5, 0.5), (2.0, 1.0, 0.5))
    moved = one((0.5 + 9 / 24, 0.5 - 11 / 24, 0.5 + 12 / 24), (2.0, 1.0, 0.5))
    shift = (12, -11, 9)
    assert np.array_equal(np.roll(middle.labels(24), shift, (0, 1, 2)), moved.labels(24))
    assert np.allclose(np.roll(middle.fractions(24), shift, (0, 1, 2)), moved.fractions(24))


def test_x_runs_along_the_last_axis() -> None:
    found = np.argwhere(one((0.5, 0.5, 0.5), (1.0, 0.0, 0.0)).labels(24))
    extent = found.max(axis=0) - found.min(axis=0) + 1
    assert extent[2] == 12 and max(extent[:2]) <= 6


def test_the_distance_has_its_gradient_as_normal() -> None:
    fibre = one((0.5, 0.5, 0.5), (1.0, 0.6, -0.3))
    points = np.random.default_rng(1).uniform(-0.4, 0.4, (500, 3))
    _, normal = fibre._distance(0, points)
    step = 1e-6
    for axis in range(3):
        ahead, behind = (fibre._distance(0, points + sign * step * np.eye(3)[axis])[0] for sign in (1.0, -1.0))
        slope = (ahead - behind) / (2.0 * step)
        # A few points lie on a ridge, where the nearest face changes.
        assert np.mean(np.abs(slope - normal[:, axis]) < 1e-4) > 0.98


def test_every_voxel_of_a_fibre_has_its_direction(fibres: ShortFibres) -> None:
    owner, direction = fibres.fibre(32), fibres.directions(32)
    inside = owner >= 0
    assert np.array_equal(inside, fibres.labels(32) == 1)
    assert np.allclose(direction[inside], fibres.axes[owner[inside]])
    assert np.allclose(np.linalg.norm(direction, axis=-1), 1.0)


def test_a_seed_repeats_the_fibres_and_another_does_not() -> None:
    first, again, other = (random_short_fibres(0.1, 5.0, 20, seed=s) for s in (7, 7, 8))
    assert np.array_equal(first.centres, again.centres) and np.array_equal(first.axes, again.axes)
    assert not np.array_equal(first.centres, other.centres)


def test_a_long_cell_takes_long_fibres() -> None:
    made = random_short_fibres(0.15, 20.0, 30, orientation=(0.9, 0.05, 0.05), cell=(3.0, 1.0, 1.0), seed=1)
    assert made.fraction == pytest.approx(0.15, rel=1e-12)
    assert made.labels((20, 20, 60)).shape == (20, 20, 60)
    assert np.all((made.centres >= 0.0) & (made.centres < made.cell))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"fraction": 0.9}, "between 0 and 0.6"),
        ({"count": 0}, "at least"),
        ({"aspect": -1.0}, "aspect ratios"),
        ({"aspect": [1.0, 2.0]}, "20 of them"),
        ({"orientation": (0.5, 0.2, 0.2)}, "add up to 1"),
        ({"orientation": (1.0, 0.0)}, "three components"),
        ({"cell": (1.0, 0.0, 1.0)}, "three positive edges"),
        ({"aspect": 60.0, "orientation": (1.0, 0.0, 0.0)}, "own image"),
        ({"fraction": 0.59, "aspect": 1.5}, "could not be parted"),
        ({"count": 2, "orientation": (0.4, 0.3, 0.3)}, "cannot have the orientation tensor"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_sentence(
    arguments: dict[str, object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scalebridge.microstructure.migration.SWEEPS", 100)
    given: dict[str, object] = {"fraction": 0.1, "aspect": 5.0, "count": 20, **arguments}
    with pytest.raises(InputError, match=words):
        random_short_fibres(**given)  # type: ignore[arg-type]


def test_a_wrong_number_of_voxels_is_refused(fibres: ShortFibres) -> None:
    with pytest.raises(ShapeError, match="nz, ny, nx"):
        fibres.labels((8, 8))
