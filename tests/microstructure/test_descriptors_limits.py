"""What descriptors say where an image is too small, too coarse or too regular for them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.draw import line

import scalebridge as sb
from scalebridge.microstructure.descriptors.cracking import skeleton_length
from scalebridge.microstructure.descriptors.grains import grain_size

ms = sb.microstructure


def blocks(side: int, size: int, seed: int) -> NDArray[np.bool_]:
    drawn = np.random.default_rng(seed).random((size // side, size // side)) < 0.5
    return np.kron(drawn, np.ones((side, side))).astype(bool)


def test_a_correlation_longer_than_64_pixels_is_in_the_deviation_of_the_fraction() -> None:
    images = [blocks(100, 1000, seed) for seed in range(8)]
    stated = np.mean([ms.phase_fraction(image).sampling_std for image in images])
    assert stated == pytest.approx(0.5 / 10, rel=0.25)


def test_a_covariance_that_does_not_end_is_said() -> None:
    image = np.zeros((120, 120), dtype=bool)
    image[:, :60] = True
    assert not ms.phase_fraction(image).gathered
    table = ms.describe(image, which=["fraction"])
    assert "still rises" in table["phase_1_independent_length"].meaning


def test_a_phase_that_fills_nothing_is_not_known_to_be_absent() -> None:
    found = ms.phase_fraction(np.zeros((50, 60), dtype=bool))
    assert found.value == 0 and found.std == pytest.approx(1.5 / 3000)


def test_the_correlation_length_grows_with_the_structure() -> None:
    length = [
        ms.describe(blocks(side, 600, 1), which=["correlation"])["phase_1_correlation_length"].value
        for side in (10, 100)
    ]
    assert length[1] == pytest.approx(10 * length[0], rel=0.4)


def test_phases_keep_their_values_in_their_names() -> None:
    three = np.zeros((60, 60), dtype=np.uint8)
    three[:, 20:40], three[:, 40:] = 1, 2
    part = ms.describe(three[:, 20:], which=["fraction"])
    assert {"phase_1_fraction", "phase_2_fraction"} <= set(part) and "phase_0_fraction" not in part


def test_cubic_grains_have_an_intercept_with_the_deviation_of_sections() -> None:
    rng = np.random.default_rng(0)
    small, large = (
        np.kron(rng.permutation(n**3).reshape(n, n, n) + 1, np.ones((s, s, s), int)) for n, s in ((4, 8), (4, 16))
    )
    # The same grains at twice the resolution: the same relative deviation.
    coarse, fine = grain_size(small), grain_size(large)
    assert fine.intercept_std / fine.intercept == pytest.approx(
        coarse.intercept_std / coarse.intercept, rel=0.1, abs=1e-9
    )


@pytest.mark.parametrize("end", [(0, 100), (100, 100), (50, 100)], ids=["along", "diagonal", "between"])
def test_a_crack_is_as_long_as_its_line(end: tuple[int, int]) -> None:
    image = np.zeros((102, 102), dtype=bool)
    image[line(0, 0, *end)] = True
    assert skeleton_length(image) == pytest.approx(np.hypot(*end), rel=0.1)
    assert skeleton_length(image[:, :0]) == 0


@pytest.mark.parametrize("width", [30, 33, 37, 41])
def test_thickness_errs_by_less_than_its_step(width: int) -> None:
    plates = np.zeros((200, 200), dtype=bool)
    plates[:, :width], plates[:, 100 : 100 + 2 * width] = True, True
    found = ms.local_thickness(plates, radii=None)
    assert found[100, width // 2 + 100 + width // 2] == pytest.approx(2 * width, rel=0.06)


def test_the_peak_of_random_points_rests_on_enough_pairs() -> None:
    places = np.random.default_rng(2).uniform(0, 300, (120, 2))
    points = ms.points_in(places, np.ones((300, 300), dtype=bool))
    found = ms.pair_correlation(points)
    distance, height = found.peak
    assert found.expected[found.distance == distance] >= 20 and 1 < height < 1.6 < found.g.max()
    assert found.expected.sum() == pytest.approx(120 * 119 / 2 * np.pi * found.radius[-1] ** 2 / 300**2, rel=0.3)
    assert np.isnan(ms.pair_correlation(points, rings=2000).peak[1])
