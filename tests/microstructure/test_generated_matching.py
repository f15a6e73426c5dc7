"""Structures matched to measured ones: parameters of generated truth come back, a slice is met, limits told."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.microstructure.fibre_detection import Fibres, detect_fibres
from scalebridge.microstructure.generated.fibre_statistics import fibres_of
from scalebridge.microstructure.generated.matched import Matched
from scalebridge.microstructure.generated.matching import match
from scalebridge.microstructure.generated.matching_fibres import match_fibres
from scalebridge.microstructure.generated.matching_gaussian import match_gaussian
from scalebridge.microstructure.generated.matching_grains import match_grains
from scalebridge.microstructure.generated.packings import packed_disks
from scalebridge.microstructure.generated.reverse_monte_carlo import Target, _State, fitted
from scalebridge.microstructure.generated.spinodal import spinodal
from scalebridge.microstructure.generated.unequal_balls import UnequalBalls

GLASS = Path(__file__).parents[2] / "data" / "glass-fibre" / "glass0864_cut.png"
SIDE = 200


@functools.cache
def truth() -> UnequalBalls:
    return packed_disks(0.5, 120, scatter=0.08, gap=0.2, seed=1)


@functools.cache
def seen() -> Fibres:
    return fibres_of(truth().labels(SIDE))


@functools.cache
def recovered() -> Matched:
    return match_fibres(seen(), count=120, seed=3)


@functools.cache
def glass() -> Matched:
    image = sb.microstructure.from_array((255 * sb.microstructure.read(GLASS).grey[150:300, 200:350]).astype(np.uint8))
    return match_fibres(detect_fibres(image), count=120, seed=0)


def test_the_parameters_of_a_generated_section_come_back() -> None:
    found, diameter = recovered().parameters, 2 * truth().radii.mean() * SIDE
    assert found["fraction"] == pytest.approx(0.5, abs=0.015)
    assert found["diameter"] == pytest.approx(diameter, rel=0.02)
    assert found["scatter"] == pytest.approx(0.08, abs=0.02)
    assert recovered().size == pytest.approx(SIDE, rel=0.03)


def test_the_match_is_as_near_as_another_sample_of_the_same_material() -> None:
    distances, chance = recovered().distances, recovered().chance
    assert distances["misfit"] < 1.5
    # The image is a window, which knows the material less well than a periodic cell would.
    assert distances["nearest"] < 2.5 * chance["nearest"] and distances["two_point"] < 0.06
    assert distances["pair_correlation"] < 1.5 * chance["pair_correlation"]
    assert distances["fraction"] < 1e-9 and distances["diameters"] < 0.01


def test_a_match_is_a_periodic_packing_without_overlap() -> None:
    structure = recovered().structure
    assert isinstance(structure, UnequalBalls)
    assert structure.gaps().min() >= recovered().parameters["gap"] * structure.radii.mean() - 1e-9
    assert recovered().labels().shape == (round(recovered().size),) * 2


def test_reverse_monte_carlo_brings_neighbours_nearer_than_the_start() -> None:
    assert recovered().distances["misfit"] < 0.7 * recovered().parameters["misfit_of_start"]


def test_a_real_slice_is_met_in_fraction_diameters_and_neighbours() -> None:
    found = glass()
    assert found.distances["fraction"] < 1e-9 and found.distances["diameters"] < 0.02
    assert found.distances["nearest"] < 0.03 and found.distances["misfit"] < 2.0
    assert found.distances["two_point"] < 0.1
    assert 6.5 < found.parameters["diameter"] < 8.5 and 0.45 < found.parameters["fraction"] < 0.7


def test_what_is_not_matched_is_told() -> None:
    told = recovered().describe()
    assert "waviness" in told and "beyond" in told and "misfit" in told
    volume = match_gaussian(spinodal(0.4, dim=2, wavelength=0.1, seed=1).labels(96), size=48, dim=3)
    assert "connectivity" in volume.describe() and "isotropic section" in volume.describe()


def test_the_same_seed_gives_the_same_bits() -> None:
    again = match_fibres(seen(), count=120, seed=3).structure
    assert isinstance(again, UnequalBalls)
    assert (again.centres == recovered().structure.centres).all()  # type: ignore[union-attr]


def test_moves_keep_count_of_every_distance() -> None:
    rng = np.random.default_rng(0)
    packing = packed_disks(0.3, 40, seed=2)
    ends = np.linspace(0.0, 0.45, 12)
    target = Target(ends, np.full(11, 60.0), np.full(11, 5.0), np.full(40, 0.15), np.full(40, 0.01))
    places, before, after = fitted(packing.centres, packing.radii, target, 800, rng)
    state = _State(places, ends)
    assert target.misfit(state.pairs, state.nearest) == pytest.approx(after, rel=1e-9) and after < before
    assert UnequalBalls(places, packing.radii).gaps().min() >= 0.0


def test_what_cannot_be_matched_is_refused() -> None:
    image = spinodal(0.5, wavelength=0.1, dim=2, seed=5).labels(100)
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: match(image, "voronoi"), "family 'voronoi' is not known"),  # type: ignore[arg-type]
        (lambda: match(seen(), "gaussian"), "image or segmentation"),
        (lambda: match(seen(), "grains"), "a number per grain"),
        (lambda: match_grains(image), "1 whole grains were found|0 whole grains were found"),
        (lambda: match_grains(np.ones((9, 9))), "type float64"),
        (lambda: match_grains(np.ones(9, dtype=int)), "or a volume"),
        (lambda: match_fibres(seen(), count=5), "at least 20"),
        (lambda: match(np.zeros((50, 50), dtype=int)), "0 in the matrix and 1 in the fibres"),
        (lambda: match(np.zeros((50, 50, 50), dtype=int)), "0 in the matrix and 1 in the fibres"),
        (lambda: match(np.zeros((50, 50), dtype=int), "gaussian"), "needs two phases"),
        (lambda: match_gaussian(image, size=4), "must lie between 16"),
        (lambda: match_gaussian(image, reach=90), "lags between 4 and half"),
        (lambda: match_gaussian(np.zeros((20, 20, 20), dtype=int), dim=2), "or a volume for 3"),
        (lambda: match(sb.microstructure.as_volume(np.zeros((9, 9, 9), dtype=np.uint8))), "an image, not a volume"),
    ]
    for make, message in refused:
        with pytest.raises(sb.InputError, match=message) as caught:
            make()
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
