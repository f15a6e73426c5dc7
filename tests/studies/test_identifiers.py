"""Images find their specimens by name, never by order."""

from __future__ import annotations

from pathlib import Path

import pytest

from scalebridge.errors import InputError
from scalebridge.studies.properties.identifiers import identified, match_images

ROOT = Path("images")
NAMES = ("S01", "S02", "S10")


def matched(*files: str, names: tuple[str, ...] = NAMES, pattern: str | None = None) -> dict[str, list[str]]:
    found = match_images([ROOT / f for f in files], ROOT, names, pattern)
    return {name: [p.relative_to(ROOT).as_posix() for p in paths] for name, paths in found.images.items()}


def test_an_image_is_named_by_the_specimen_or_begins_with_it_or_lies_in_its_folder() -> None:
    assert matched("S01.png", "S02_left.png", "S02-right.tif", "S10/a.png", "S10/deep/b.png") == {
        "S01": ["S01.png"],
        "S02": ["S02_left.png", "S02-right.tif"],
        "S10": ["S10/a.png", "S10/deep/b.png"],
    }


def test_an_identifier_that_begins_another_takes_none_of_its_images() -> None:
    assert matched("S1.png", "S1_2.png", "S10.png", names=("S1", "S10")) == {
        "S1": ["S1.png", "S1_2.png"],
        "S10": ["S10.png"],
    }
    # S1_4 may be a fourth image of S1, or a specimen that the table does not hold: it is not guessed.
    assert matched("S1_2_3.png", "S1_4.png", "S1 left.png", names=("S1", "S1_2")) == {
        "S1": ["S1 left.png"],
        "S1_2": ["S1_2_3.png"],
    }


def test_numbers_may_be_identifiers_and_images_of_a_folder_may_be_numbered() -> None:
    assert matched("1/1.png", "1/2.png", "2/1.png", "10_1.png", names=("1", "2", "10")) == {
        "1": ["1/1.png", "1/2.png"],
        "10": ["10_1.png"],
        "2": ["2/1.png"],
    }
    assert matched("2-3_1.png", "2-4_1.png", names=("2", "2-4")) == {"2-4": ["2-4_1.png"]}
    assert matched("S_01_1.png", "S_01_2.png", "S_02_1.png", names=("S_01", "S_02")) == {
        "S_01": ["S_01_1.png", "S_01_2.png"],
        "S_02": ["S_02_1.png"],
    }


def test_the_order_of_files_changes_nothing() -> None:
    assert matched("S10.png", "S01.png") == {"S01": ["S01.png"], "S10": ["S10.png"]}


def test_what_finds_no_partner_is_listed_and_near_misses_are_told() -> None:
    found = match_images([ROOT / "S01.png", ROOT / "s02.png", ROOT / "X9.png"], ROOT, NAMES)
    assert found.without_image == ("S02", "S10")
    assert [p.name for p in found.without_row] == ["s02.png", "X9.png"]
    assert found.near == ("the image 's02.png' is not 'S02' of the table, but nearly",)


def test_folder_and_name_that_tell_two_specimens_are_refused() -> None:
    with pytest.raises(InputError, match=r"'S01/S02_1.png' may belong to the specimens 'S01' and 'S02'"):
        matched("S01/S02_1.png")


def test_a_pattern_says_where_the_identifier_stands() -> None:
    assert matched("run7_S01_a.png", "run8_S02_a.png", pattern=r"run\d+_(\w+?)_") == {
        "S01": ["run7_S01_a.png"],
        "S02": ["run8_S02_a.png"],
    }


@pytest.mark.parametrize(
    ("pattern", "words"), [("(", "no regular expression"), ("S01", "has 0 groups"), ("(a)(b)", "has 2 groups")]
)
def test_a_pattern_without_one_group_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        matched("S01.png", pattern=pattern)


def test_images_of_which_none_has_a_row_are_refused_with_an_example_of_both() -> None:
    with pytest.raises(InputError, match=r"Images are named as 'scan 1.png', specimens as 'S01', 'S02', 'S10'"):
        matched("scan 1.png", "scan 2.png")


def test_leading_zeros_are_told_and_not_guessed() -> None:
    with pytest.raises(InputError, match=r"'S1.png' is not 'S01' of the table, but nearly"):
        matched("S1.png")


def test_without_a_table_an_image_is_a_specimen_and_so_is_a_folder() -> None:
    paths = [ROOT / "a.png", ROOT / "B" / "1.png", ROOT / "B" / "2.png"]
    assert list(identified(paths, ROOT).values()) == ["a", "B", "B"]
    assert list(identified(paths[1:], ROOT, r"/(\d)").values()) == ["1", "2"]
    with pytest.raises(InputError, match=r"finds no specimen in 'a.png'"):
        identified(paths, ROOT, r"/(\d)")
