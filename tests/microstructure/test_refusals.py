"""What images, masks and learners cannot use is refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

import scalebridge as sb
from scalebridge.microstructure.generated.matching_gaussian import match_gaussian
from scalebridge.microstructure.generated.packings import lognormal_diameters
from scalebridge.microstructure.shrinking import shrunk_labels

ms = sb.microstructure


def pair() -> tuple[ms.Micrograph, ms.LabelMask]:
    grey = np.random.default_rng(5).random((40, 48))
    return ms.from_array(grey), ms.as_mask((grey > 0.5).astype(np.int16), ("dark", "bright"))


@pytest.mark.parametrize(("option", "value"), [("trees", 0), ("folds", 1), ("pixels", 0)], ids=str)
def test_a_forest_without_trees_folds_or_pixels_is_refused(option: str, value: int) -> None:
    image, mask = pair()
    settings: dict[str, Any] = {option: value}
    with pytest.raises(sb.InputError, match=f"{option} {value}"):
        ms.PixelClassifier(**settings).fit([image], [mask])


def test_a_trained_forest_checks_the_field_of_view_and_the_class_asked_for() -> None:
    image, mask = pair()
    trained = ms.PixelClassifier(scales=(1.0,), trees=2, pixels=200).fit([image], [mask])
    with pytest.raises(sb.InputError, match=r"boolean mask of shape \(40, 48\)"):
        trained.segment(image, inside=np.ones((3, 3), dtype=bool))
    with pytest.raises(sb.InputError, match="no class 'brihgt'; did you mean 'bright'"):
        trained.segment(image).of("brihgt")


def test_a_trained_network_checks_the_field_of_view() -> None:
    image, mask = pair()
    small = ms.UNetClassifier(width=4, depth=1, patch=16, patches=2, epochs=1, batch=2)
    with pytest.raises(sb.InputError, match=r"boolean mask of shape \(40, 48\)"):
        small.fit([image], [mask]).segment(image, inside=np.ones((3, 3), dtype=bool))


def _empty(_: Path) -> None:
    ms.as_mask(np.zeros((0, 4), dtype=int), ("a", "b"))


def _colour(folder: Path) -> None:
    Image.fromarray(np.zeros((4, 4, 3), dtype=np.uint8)).save(folder / "mask.png")
    ms.read_mask(folder / "mask.png", {"a": "rest", "b": (0, 0, 300)})


def _field(_: Path) -> None:
    match_gaussian(gaussian_filter(np.random.default_rng(0).random((64, 64)), 3) > 0.5, inside=np.ones((5, 5), bool))


def _grey_or_grains(_: Path) -> None:
    ms.describe(np.random.default_rng(0).integers(0, 256, (60, 60)))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (_empty, "not empty"),
        (_colour, "from 0 to 255"),
        (_field, "boolean mask"),
        (_grey_or_grains, "grey values or grains"),
    ],
    ids=["empty mask", "colour", "field of view", "grey values as whole numbers"],
)
def test_what_makes_no_sense_is_refused(call: Callable[[Path], None], told: str, tmp_path: Path) -> None:
    with pytest.raises((sb.InputError, sb.ShapeError), match=told):
        call(tmp_path)


def test_grains_that_a_periodic_cell_cuts_are_grains() -> None:
    cell = np.kron(np.arange(16).reshape(4, 4), np.ones((12, 12), dtype=int)) + 1
    assert "grain_density" in ms.describe(np.roll(cell, (6, 6), (0, 1)), which=["grains"])


def test_an_image_one_pixel_thick_has_no_tortuosity_across() -> None:
    table = ms.describe(np.arange(40)[None] % 8 < 4, which=["tortuosity"])
    assert "one pixel long across y" in table.absent["phase_1_tortuosity_y"]


@pytest.mark.parametrize("scatter", [0.1, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("count", [100, 1000])
def test_diameters_have_the_mean_and_the_variation_promised(scatter: float, count: int) -> None:
    found = lognormal_diameters(count, scatter)
    assert found.min() > 0 and found.mean() == pytest.approx(1) and found.std() == pytest.approx(scatter)


def test_too_few_diameters_for_a_scatter_are_refused() -> None:
    with pytest.raises(sb.InputError, match="cannot have a scatter of 1"):
        lognormal_diameters(2, 1.0)


def test_a_mask_is_shrunk_by_the_majority_of_what_is_marked() -> None:
    labels = np.full((4, 5), -1, dtype=np.int16)
    labels[0, 0], labels[0, 1], labels[1, 1], labels[2:, 2:4] = 0, 1, 1, 1
    np.testing.assert_array_equal(shrunk_labels(labels, 2, 2), [[1, -1, -1], [-1, 1, -1]])
