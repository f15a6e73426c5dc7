"""Archives (.cdb) read by our own reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError, UnitError
from scalebridge.simulators.ansys.archive import Property, read_archive
from scalebridge.simulators.ansys.fortran import parse_format
from tests.simulators.ansys.reference import DATA, EXTRA, compare_archive
from tests.simulators.ansys.writing import ARCHIVE
from tests.simulators.damaging import check_reader


def written(tmp_path: Path, text: str = ARCHIVE) -> Path:
    path = tmp_path / "model.cdb"
    path.write_text(text)
    return path


def test_the_hex_beam_is_what_ansys_mapdl_reader_says() -> None:
    compare_archive(DATA / "HexBeam.cdb", "examples_HexBeam.cdb")


@pytest.mark.parametrize("name", ["examples_HexBeam.cdb", "examples_TetBeam.cdb"])
def test_the_real_archives_are_what_ansys_mapdl_reader_says(name: str) -> None:
    if EXTRA is None:
        pytest.skip("SCALEBRIDGE_EXTRA_DATA names no folder")
    compare_archive(EXTRA / "ansys-results" / name, name)


def test_materials_types_title_and_units_are_read(tmp_path: Path) -> None:
    archive = read_archive(written(tmp_path))
    assert archive.types == {1: 185, 2: 181} and archive.keyopts == {1: {2: 3}}
    assert archive.materials[1]["EX"] == Property((2.0e5, 1.9e5), (20.0, 120.0))
    assert archive.materials[1]["NUXY"] == Property((0.3,))
    assert archive.real_constants == {4: (0.5, 0.25), 5: (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)}
    assert archive.title == "two bricks, one of them a wedge" and archive.mesh.unit == "mm"


def test_materials_in_the_forms_that_people_write_are_read_or_noted(tmp_path: Path) -> None:
    more = "MP,EX,7,2e11,-5e7\nMPTEMP\nMPTEMP,1,0,100\nMPDATA,EX,8,1,1e11,9e10\nMP,DENS,8,7.8,,\nMP,DENS,matid,1\n"
    archive = read_archive(written(tmp_path, ARCHIVE.replace("FINISH\n", more + "FINISH\n")))
    assert 7 not in archive.materials and archive.materials[8] == {
        "EX": Property((1e11, 9e10), (0.0, 100.0)),
        "DENS": Property((7.8,)),
    }
    assert archive.materials[1]["EX"] == Property((2.0e5, 1.9e5), (20.0, 120.0))
    assert archive.notes[0] == "EX of material 7 is a polynomial in temperature (MP); left out"
    assert "the command MP says something else than numbers" in archive.notes[1]


def test_a_brick_with_repeated_nodes_is_a_wedge_and_a_plain_block_a_shell(tmp_path: Path) -> None:
    mesh = read_archive(written(tmp_path)).mesh
    cells = {block.type: block for block in mesh.cells}
    assert cells["hexahedron"].nodes.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7]]
    assert cells["wedge"].nodes.tolist() == [[0, 1, 2, 4, 5, 6]]
    assert cells["quad"].tags["element"].tolist() == [33] and cells["quad"].tags["real"].tolist() == [4]


def test_components_are_sets_with_their_ranges_filled(tmp_path: Path) -> None:
    mesh = read_archive(written(tmp_path)).mesh
    numbers = np.concatenate([block.tags["element"] for block in mesh.cells])
    assert mesh.point_sets["BASE"].tolist() == [0, 1, 2, 3]
    assert sorted(numbers[mesh.cell_sets["PART"]].tolist()) == [31, 32]


def test_short_lines_are_zero_and_an_exponent_needs_no_letter(tmp_path: Path) -> None:
    points = read_archive(written(tmp_path)).mesh.points
    assert points[0].tolist() == [0, 0, 0] and points[8].tolist() == [-0.25, 1.5e-101, 1.0]


def test_a_format_says_where_its_fields_are() -> None:
    form = parse_format("(3i9,6e21.13e3)")
    assert form.widths == (9,) * 3 + (21,) * 6 and form.n_whole == 3
    for wrong in ("(3x9)", "3i9", "(0i9)", "(i999)", "(999999i9)"):
        with pytest.raises(ValueError):
            parse_format(wrong)


def test_units_are_unknown_unless_the_file_or_the_user_says_them(tmp_path: Path) -> None:
    plain = written(tmp_path, ARCHIVE.replace("/UNITS,MPA\n", ""))
    assert read_archive(plain).mesh.unit == "1" and "does not state" in read_archive(plain).notes[-1]
    assert read_archive(plain, length="mm").mesh.unit == "mm"
    with pytest.raises(UnitError, match="no length"):
        read_archive(plain, length="s")
    with pytest.raises(InputError, match="states its units"):
        read_archive(written(tmp_path), length="m")


def test_parameters_stand_for_their_numbers_and_unknown_ones_are_said(tmp_path: Path) -> None:
    text = ARCHIVE.replace("ET,2,SHELL181", "*SET,tid,2\nET,tid,181   ! by parameter\nKEYO,cid,1,2")
    archive = read_archive(written(tmp_path, text))
    assert archive.types[2] == 181
    assert "line 8: the command KEYO says something else than numbers" in archive.notes[0]


def test_a_mesh_element_looks_as_its_first_option_says(tmp_path: Path) -> None:
    archive = read_archive(written(tmp_path, ARCHIVE.replace("ET,2,SHELL181", "ET,2,200,8")))
    assert "tetra" in [block.type for block in archive.mesh.cells]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("NBLOCK", "XBLOCK", "no block of nodes"),
        ("(3i9,6e21.13e3)", "(3q9)", "line 12 no Fortran format"),
        ("        2        0        0 1.0", "        x        0        0 1.0", "line 14 a field that is no number"),
        ("       -1\nCMBLOCK", "CMBLOCK", "line 42 the end of the file amid a block"),
        ("         1        -4", "         4        -1", "range from 5 to 1"),
    ],
)
def test_a_damaged_archive_is_one_sentence_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in ARCHIVE
    with pytest.raises(InputError, match=words) as caught:
        read_archive(written(tmp_path, ARCHIVE.replace(old, new)))
    assert "\n" not in str(caught.value)


def test_a_missing_archive_and_an_empty_one_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_archive(tmp_path / "none.cdb")
    with pytest.raises(InputError, match="is empty"):
        read_archive(written(tmp_path, ""))


def test_damaged_archives_end_in_a_sentence(tmp_path: Path) -> None:
    assert check_reader(read_archive, ARCHIVE.encode(), tmp_path / "d.cdb") > 5
    check_reader(read_archive, (DATA / "HexBeam.cdb").read_bytes(), tmp_path / "d.cdb")
