"""Voids of the carbon slice: what counts, with which deviation, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import scalebridge as sb

ms = sb.microstructure
CARBON = Path(__file__).parents[2] / "data" / "carbon-fibre" / "carbon0103.png"


@pytest.fixture(scope="module")
def carbon() -> sb.microstructure.Segmentation:
    return ms.segment(ms.read(CARBON), 3)


def test_the_void_fraction_of_the_carbon_slice_has_an_interval(carbon: sb.microstructure.Segmentation) -> None:
    share, std = carbon.fraction[0], carbon.fraction_std[0]
    assert 0.001 < share < 0.003 and 0.0003 < std < 0.0015
    # The raw pixels that are as dark, in the field of view only: the black corners are not void.
    plain = (carbon.image.grey[carbon.inside] < 60 / 255).mean()
    assert abs(share - plain) < 2 * std


def test_a_low_contrast_and_what_the_dark_rims_enclose_are_said(carbon: sb.microstructure.Segmentation) -> None:
    assert any(note.startswith("Low contrast") for note in carbon.notes)
    assert any("the void fraction is 0.88% ± 0.04% instead" in note for note in carbon.notes)
    assert any("pixel size is not known" in note for note in carbon.notes)


def test_enclosed_voids_hold_the_dark_ones_and_leave_the_fibres_alone(carbon: sb.microstructure.Segmentation) -> None:
    whole = ms.segment(carbon.image, 3, voids="enclosed")
    assert not np.any(carbon.voids & ~whole.voids)
    assert whole.fraction[2] == pytest.approx(carbon.fraction[2], abs=1e-4)
    assert not any(note.startswith("Voids") for note in whole.notes)


def test_a_void_with_a_bright_middle_counts_by_its_rim_or_whole(
    slice_of: Callable[..., sb.microstructure.Micrograph],
) -> None:
    grey = slice_of(0.55).grey.copy()
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    away = np.hypot(y - 80, x - 80)
    grey[away < 12] = 0.36
    grey[(away < 12) & (away > 9)] = 0.1
    image = ms.from_array(gaussian_filter(grey, 0.5))
    dark, enclosed = ms.segment(image, 3), ms.segment(image, 3, voids="enclosed")
    rim, whole = ((away < 12) & (away > 9)).mean(), (away < 12).mean()
    assert dark.fraction[0] == pytest.approx(rim, abs=3 * dark.fraction_std[0])
    assert enclosed.fraction[0] == pytest.approx(whole, abs=3 * enclosed.fraction_std[0])


def test_an_unknown_extent_is_answered_with_the_nearest(slice_of: Callable[..., sb.microstructure.Micrograph]) -> None:
    with pytest.raises(sb.InputError, match="did you mean 'enclosed'"):
        ms.segment(ms.from_array(slice_of(0.5).grey), 3, voids="enclose")


def with_discs(matrix: float, fibre: float, void: float, radius: int, apart: int) -> tuple[np.ndarray, np.ndarray]:
    """Discs of void on a lattice ``apart`` pixels wide, over fibres at random places; and where the voids are."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:400, :400]
    grey = np.full(y.shape, matrix)
    for row, column in rng.uniform(0, 400, (400, 2)):
        grey[np.hypot(y - row, x - column) < 8] = fibre
    voids = np.hypot(y % apart - apart // 2, x % apart - apart // 2) < radius
    grey[voids] = void
    return np.clip(gaussian_filter(grey, 0.7) + rng.normal(0, 0.03, y.shape), 0, 1), voids


@pytest.mark.parametrize(
    ("matrix", "fibre", "void", "radius", "apart"),
    [
        pytest.param(0.3, 0.75, 0.0, 12, 130, id="matrix nearer to black than to the fibres"),
        pytest.param(0.6, 0.9, 0.05, 14, 50, id="abundant"),
        pytest.param(0.5, 0.8, 0.05, 4, 40, id="small"),
    ],
)
def test_voids_of_known_share_are_found(matrix: float, fibre: float, void: float, radius: int, apart: int) -> None:
    grey, voids = with_discs(matrix, fibre, void, radius, apart)
    found = ms.segment(ms.from_array(grey), 3)
    assert found.fraction[0] == pytest.approx(voids.mean(), rel=0.15)
    assert abs(found.fraction[0] - voids.mean()) < 3 * found.fraction_std[0]


def test_voids_too_small_to_be_found_are_in_the_deviation_and_in_a_note() -> None:
    grey, voids = with_discs(0.5, 0.8, 0.05, 2, 20)
    found = ms.segment(ms.from_array(grey), 3)
    assert found.fraction[0] < 0.2 * voids.mean()
    assert voids.mean() < found.fraction[0] + 2 * found.fraction_std[0]


def test_that_no_void_was_found_is_no_certainty(slice_of: Callable[..., sb.microstructure.Micrograph]) -> None:
    found = ms.segment(ms.from_array(slice_of(0.5).grey), 3)
    assert found.fraction[0] == 0 and found.fraction_std[0] > 0
    assert any(note.startswith("Voids: none was found") for note in found.notes)


def test_a_matrix_too_near_to_black_for_voids_is_said() -> None:
    grey, voids = with_discs(0.12, 0.75, 0.0, 12, 130)
    found = ms.segment(ms.from_array(grey), 3)
    assert any("too near to black" in note for note in found.notes)
    assert voids.mean() < found.fraction[0] + 2 * found.fraction_std[0]
