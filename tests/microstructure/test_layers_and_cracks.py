"""Layers of a coating and the cracks through one of them, without any training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

import scalebridge as sb
from scalebridge.microstructure.cracks import find_cracks
from scalebridge.microstructure.layers import find_layers
from scalebridge.microstructure.masks import read_mask

ms = sb.microstructure
EBC = Path(__file__).parents[2] / "data" / "superalloy-ebc" / "EBC1"
NAME = "050317#3_S0440026.png"


def sandwich(texture: float = 0.06) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Three layers, the lower two of the same mean grey; the middle one is rough."""
    rng = np.random.default_rng(2)
    rows, columns = np.mgrid[:320, :320]
    upper = 110 + 12 * np.sin(columns[0] / 40)
    lower = 210 + 15 * np.cos(columns[0] / 60)
    rough = gaussian_filter(rng.standard_normal((320, 320)), 2)
    grey = np.where(rows < upper, 0.8, 0.4) + 0.01 * rng.standard_normal((320, 320))
    grey = grey + np.where((rows >= upper) & (rows < lower), texture * rough / rough.std(), 0)
    return np.clip(grey, 0, 1), upper, lower


def test_layers_of_the_same_grey_are_told_by_their_texture() -> None:
    grey, upper, lower = sandwich()
    found = find_layers(ms.from_array(grey))
    # Within two pixels of the search, which are four of the image.
    assert np.abs(found.upper - upper).mean() < 8
    # No step of grey shows the lower one: within half of the wider window.
    assert np.abs(found.lower - lower).mean() < 28
    assert found.thickness.mean() == pytest.approx((lower - upper).mean(), abs=10)
    np.testing.assert_array_equal(found.labels == 1, (np.arange(320)[:, None] >= found.upper) & (found.labels < 2))


def test_an_image_without_a_third_layer_has_little_evidence_for_one() -> None:
    two, three = (find_layers(ms.from_array(sandwich(texture)[0])).evidence for texture in (0.0, 0.06))
    assert two < 0.1 < 0.2 < three


@pytest.fixture(scope="module")
def coating() -> tuple[sb.microstructure.Micrograph, NDArray[np.bool_], NDArray[np.bool_]]:
    image = ms.read(EBC / "val" / NAME)
    mask = read_mask(EBC / "val_annot" / NAME, {"background": 0, "oxide": 1, "crack": 2}, image=image)
    return image, mask.of("oxide"), mask.of("crack")


def test_the_oxide_of_a_real_coating_is_found_without_training(coating: tuple) -> None:
    image, oxide, _ = coating
    band = find_layers(image).labels == 1
    assert 2 * (band & oxide).sum() / (band.sum() + oxide.sum()) > 0.85


def test_cracks_of_a_real_coating_are_mostly_found_and_often_something_else(coating: tuple) -> None:
    image, oxide, crack = coating
    found = find_cracks(image, oxide | crack)
    recall = (distance_transform_edt(~found.mask)[crack] <= 5).mean()
    precision = (distance_transform_edt(~crack)[found.mask] <= 5).mean()
    assert recall > 0.5 and precision > 0.3


def test_a_drawn_crack_is_found_with_its_length_and_pores_and_laps_are_not() -> None:
    rng = np.random.default_rng(1)
    grey = 0.5 + 0.01 * rng.standard_normal((160, 160))
    rows, columns = np.mgrid[:160, :160]
    line = (np.abs(columns - 60 - 6 * np.sin(rows / 15)) < 1.5) & (rows > 30) & (rows < 110)
    lap = (np.abs(rows - 130) < 2) & (columns > 20) & (columns < 120)
    pore = np.hypot(rows - 60, columns - 120) < 9
    grey[line | lap | pore] = 0.25
    image = ms.from_array(np.clip(gaussian_filter(grey, 0.7), 0, 1))
    everywhere = np.ones(image.shape, dtype=bool)
    found = find_cracks(image, everywhere)
    assert len(found.length) == 1
    way = np.hypot(1.0, 6 / 15 * np.cos(np.arange(31, 110) / 15)).sum()
    assert found.length[0] == pytest.approx(way, abs=8)
    assert found.mask[line].mean() > 0.6 and not found.mask[lap].any() and not found.mask[pore].any()
    across = find_cracks(image, everywhere, direction="across")
    assert across.mask[lap].mean() > 0.5 and not across.mask[line].any()


def test_wrong_options_are_answered_in_one_sentence() -> None:
    image = ms.from_array(sandwich()[0])
    with pytest.raises(sb.InputError, match="did you mean 'down'"):
        find_cracks(image, np.ones(image.shape, dtype=bool), direction="dwn")
    with pytest.raises(sb.InputError, match="mask of shape"):
        find_cracks(image, np.ones((3, 3), dtype=bool))
    with pytest.raises(sb.InputError, match="three layers need 64"):
        find_layers(ms.from_array(np.random.default_rng(0).random((40, 80))))
