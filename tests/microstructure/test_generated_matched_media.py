"""Gaussian fields and grains matched to images: two-point functions and sizes come back; limits are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import scalebridge as sb
from scalebridge.microstructure.generated.gaussian_field import gaussian_medium
from scalebridge.microstructure.generated.grains import Grains, random_grains
from scalebridge.microstructure.generated.matching import match
from scalebridge.microstructure.generated.matching_gaussian import match_gaussian
from scalebridge.microstructure.generated.matching_grains import _whole, match_grains
from scalebridge.microstructure.generated.packings import packed_disks
from scalebridge.microstructure.generated.spinodal import spinodal

GLASS = Path(__file__).parents[2] / "data" / "glass-fibre" / "glass0864_cut.png"


def bell(r: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-((r / 0.05) ** 2)))


FIELDS: dict[str, Callable[[], NDArray[np.uint8]]] = {
    "bell": lambda: gaussian_medium(0.35, correlation=bell, dim=2, seed=3).labels(200),
    "exponential": lambda: gaussian_medium(0.2, correlation=lambda r: np.exp(-r / 0.03), dim=2, seed=4).labels(200),
    "waves": lambda: spinodal(0.5, wavelength=0.1, dim=2, seed=5).labels(200),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_gaussian_medium_is_met_in_fraction_two_point_function_and_surface(name: str) -> None:
    found = match_gaussian(FIELDS[name](), seed=1)
    assert found.distances["fraction"] < 1e-3
    assert found.distances["two_point_expected"] < 0.01
    assert found.distances["two_point"] < 0.1 and found.distances["surface"] < 0.15


@pytest.mark.parametrize("name", ["bell", "exponential"])
def test_a_volume_has_the_two_point_function_of_the_section(name: str) -> None:
    found = match_gaussian(FIELDS[name](), size=72, dim=3, seed=1)
    assert found.structure.dim == 3 and found.labels().shape == (72, 72, 72)
    assert found.distances["two_point_expected"] < 0.02 and found.distances["surface"] < 0.15


def test_an_anisotropic_image_gives_an_anisotropic_medium() -> None:
    wide = np.repeat(gaussian_medium(0.4, correlation=bell, dim=2, seed=6).labels((200, 100)), 2, axis=1)
    made = match_gaussian(wide, seed=2).labels()
    steps = [(made != np.roll(made, 1, axis)).mean() for axis in (0, 1)]
    truth_steps = [(wide != np.roll(wide, 1, axis)).mean() for axis in (0, 1)]
    assert steps[0] / steps[1] == pytest.approx(truth_steps[0] / truth_steps[1], rel=0.2)


def test_a_two_point_function_that_no_gaussian_cut_has_is_named() -> None:
    checks = np.kron(np.indices((20, 20)).sum(axis=0) % 2, np.ones((10, 10), dtype=int))
    found = match_gaussian(checks)
    assert found.distances["two_point_expected"] > 0.02 and "none that the level cut" in found.describe()


@pytest.mark.parametrize(("dim", "side"), [(2, 300), (3, 44)])
def test_sizes_of_grains_come_back(dim: int, side: int) -> None:
    count = 100
    image = 1 + random_grains(count, dim=dim, scatter=0.6, seed=1).grain(side)
    found = match_grains(image, count=count, seed=2)
    _, weights, _ = _whole(image)
    std = 0.6 * np.sqrt((weights**2).sum()) / weights.sum()
    assert found.parameters["size"] == pytest.approx(side**dim / count, rel=2 * std)
    assert found.parameters["scatter"] == pytest.approx(0.6, abs=0.15)
    assert found.distances["sizes"] < 0.02 and found.distances["slenderness"] < 0.15
    assert isinstance(found.structure, Grains) and found.labels().min() == 1


def test_grains_that_the_edge_cuts_do_not_bias_the_sizes() -> None:
    plain, weighted = [], []
    for seed in range(8):
        image = 1 + random_grains(40, dim=2, scatter=0.6, seed=seed).grain(160)
        for shift in ((0, 0), (57, 31), (91, 120)):
            sizes, weights, _ = _whole(np.roll(image, shift, (0, 1)))
            plain.append(sizes.mean() * 40 / 160**2)
            weighted.append((sizes * weights).sum() / weights.sum() * 40 / 160**2)
    assert np.mean(plain) < 0.94 and np.mean(weighted) == pytest.approx(1.0, abs=0.045)


def test_one_call_takes_images_segmentations_labels_and_volumes() -> None:
    image = sb.microstructure.read(GLASS)
    small = sb.microstructure.from_array((255 * image.grey[150:260, 200:310]).astype(np.uint8))
    phases = sb.microstructure.segment(small)
    one, other = match(small, "gaussian", seed=1), match(phases, "gaussian", seed=1)
    assert (one.labels() == other.labels()).all()
    assert one.parameters["fraction"] == pytest.approx(float(phases.fraction[-1]), abs=1e-12)
    volume = sb.microstructure.as_volume(spinodal(0.3, wavelength=0.3, seed=2).labels(40))
    assert match(volume, "gaussian").structure.dim == 3
    grains = sb.microstructure.as_volume((1 + random_grains(60, seed=3).grain(40)).astype(np.uint8))
    assert isinstance(match(grains, "grains").structure, Grains)
    fibres = match(packed_disks(0.5, 60, gap=0.2, scatter=0.05, seed=1).labels(150), dim=3)
    assert fibres.structure.dim == 3 and fibres.structure.labels((20, 20, 4)).mean() == pytest.approx(0.5, abs=0.1)
