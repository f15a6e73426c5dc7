"""Masks from files: overlays, label images, strokes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import scalebridge as sb
from scalebridge.microstructure.masks import as_mask, read_mask

DATA = Path(__file__).parents[2] / "data"
SUPER = DATA / "superalloy-ebc" / "Super1"
COLOURS = {"matrix": "rest", "large": (0, 0, 255), "small": (255, 0, 0)}


def written(path: Path, array: np.ndarray) -> Path:
    Image.fromarray(array).save(path)
    return path


def test_an_overlay_gives_its_coloured_classes_and_the_rest() -> None:
    image = sb.microstructure.read(SUPER / "train" / "spot3_0d_3.png")
    mask = read_mask(SUPER / "train_annot" / "spot3_0d_3_mask.png", COLOURS, image=image)
    assert mask.classes == ("matrix", "large", "small")
    assert int(mask.of("large").sum()) == 124609 and int(mask.of("small").sum()) == 5003
    assert mask.fraction.sum() == pytest.approx(1)


def test_a_label_image_gives_its_levels() -> None:
    path = DATA / "superalloy-ebc" / "EBC1" / "val_annot" / "050317#3_S0440026.png"
    mask = read_mask(path, {"background": 0, "oxide": 1, "crack": 2})
    assert [int(mask.of(name).sum()) for name in mask.classes] == [843378, 202936, 2262]


def test_strokes_leave_the_rest_unmarked() -> None:
    mask = read_mask(DATA / "glass-fibre" / "glass_labels.png", {"between": 1, "centre": 2}, unmarked=0)
    assert int((mask.labels == -1).sum()) == 33909 and int(mask.of("centre").sum()) == 189


def test_the_overlay_of_another_image_is_refused() -> None:
    image = sb.microstructure.read(SUPER / "val" / "spot1_0d_1.png")
    with pytest.raises(sb.InputError, match="shows another image"):
        read_mask(SUPER / "train_annot" / "spot3_0d_3_mask.png", COLOURS, image=image)


def test_a_mask_of_another_shape_is_refused(tmp_path: Path) -> None:
    image = sb.microstructure.from_array(np.random.default_rng(0).random((40, 50)))
    path = written(tmp_path / "m.png", np.zeros((40, 49), np.uint8))
    with pytest.raises(sb.InputError, match="40 x 49 pixels, and its image"):
        read_mask(path, {"a": 0, "b": 1}, image=image)


def test_a_colour_or_level_that_no_class_has_is_named_with_its_place(tmp_path: Path) -> None:
    colours = np.full((20, 20, 3), 90, np.uint8)
    colours[3, 4], colours[7, 9] = (0, 0, 255), (0, 10, 250)
    with pytest.raises(sb.InputError, match=r"1 pixels of colours .* the first \(0, 10, 250\) at row 7, column 9"):
        read_mask(written(tmp_path / "c.png", colours), {"matrix": "rest", "large": (0, 0, 255)})
    levels = np.zeros((20, 20), np.uint8)
    levels[5, 6] = 9
    with pytest.raises(sb.InputError, match=r"no class has \(9; 1 pixels, the first at row 5, column 6\)"):
        read_mask(written(tmp_path / "l.png", levels), {"a": 0, "b": 1})


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ({"a": 0}, "at least two"),
        ({"a": 0, "b": 0}, "at least two, each another value"),
        ({"a": 0, "b": (0, 0, 255)}, "mix grey levels and colours"),
        ({"a": "rest", "b": (0, 0, 255)}, "is grey and its classes were given as colours"),
    ],
)
def test_classes_that_do_not_fit_are_answered_in_one_sentence(tmp_path: Path, classes: dict, words: str) -> None:
    with pytest.raises(sb.InputError, match=words):
        read_mask(written(tmp_path / "m.png", np.zeros((20, 20), np.uint8)), classes)


def test_a_missing_or_damaged_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(sb.InputError, match="does not exist"):
        read_mask(tmp_path / "no.png", {"a": 0, "b": 1})
    whole = written(tmp_path / "m.png", np.random.default_rng(0).integers(0, 2, (80, 80)).astype(np.uint8))
    whole.write_bytes(whole.read_bytes()[:120])
    with pytest.raises(sb.InputError, match="cannot be decoded"):
        read_mask(whole, {"a": 0, "b": 1})


def test_numbers_beyond_the_classes_are_refused() -> None:
    with pytest.raises(sb.InputError, match="numbered 0 to 1"):
        as_mask(np.full((20, 20), 2), ("a", "b"))
