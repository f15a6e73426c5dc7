"""Data files and the headers of restart files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.lammps.data_files import read_data, write_data
from scalebridge.simulators.lammps.dumps import read_dump
from scalebridge.simulators.lammps.restarts import read_restart_header

STYLES = Path(__file__).parents[3] / "data" / "lammps-styles"


def test_atoms_bonds_charges_and_a_tilted_box_are_read() -> None:
    data = read_data(STYLES / "tri.data")
    assert (data.units, data.step, data.atom_style, len(data)) == ("metal", 300, "full", 40)
    assert data.box.volume == pytest.approx(120) and data.masses == {1: 39.948, 2: 39.948}
    assert data.types["Atom"] == {"Ar": 1, "Kr": 2} and data["q"].sum() == 0
    assert data.coefficients["Bond Coeffs"] == (("1", "1", "1.2"),)
    made = data.dataset()
    assert made.edges is not None and len(made.edges) == len(data.topology["Bonds"])
    assert made.space["x"].unit == "angstrom" and made.space["vx"].unit == "angstrom/ps"


def test_labels_of_types_and_their_numbers_read_the_same() -> None:
    labelled, plain = read_data(STYLES / "tri.data"), read_data(STYLES / "plain.data")
    np.testing.assert_allclose(labelled.atoms, plain.atoms, rtol=1e-13)
    np.testing.assert_array_equal(labelled.topology["Bonds"], plain.topology["Bonds"])
    assert labelled.masses == plain.masses


def test_the_atoms_of_a_data_file_stand_where_the_dump_of_that_step_has_them() -> None:
    data, last = read_data(STYLES / "plain.data"), read_dump(STYLES / "tri.dump")[-1]
    assert last.step == data.step
    np.testing.assert_allclose(data.positions(unwrapped=True), last.positions(unwrapped=True), atol=1e-4)
    np.testing.assert_allclose(data.box.edges, last.box.edges, atol=1e-12)


def test_a_box_of_general_form_has_the_volume_of_the_turned_one() -> None:
    data = read_data(STYLES / "general.data")
    assert data.box.volume == pytest.approx(read_dump(STYLES / "restricted.dump")[-1].box.volume)
    with pytest.raises(InputError, match="general form"):
        write_data(data, STYLES / "never")


@pytest.mark.parametrize("name", ["plain.data", "out.data"])
def test_what_is_written_reads_back_to_the_last_digit(tmp_path: Path, name: str) -> None:
    data = read_data(STYLES / name)
    write_data(data, tmp_path / "copy.data")
    copy = read_data(tmp_path / "copy.data")
    np.testing.assert_array_equal(copy.atoms, data.atoms)
    np.testing.assert_array_equal(copy.velocities, data.velocities)
    np.testing.assert_array_equal(copy.box.edges, data.box.edges)
    assert copy.masses == data.masses and copy.coefficients == data.coefficients
    assert list(copy.topology) == list(data.topology)
    for section in data.topology:
        np.testing.assert_array_equal(copy.topology[section], data.topology[section])


def test_types_without_an_atom_labels_and_what_turns_are_written_too(tmp_path: Path) -> None:
    path = tmp_path / "data"
    types = "Atom Type Labels\n\n1 sand\n2 silt\n3 clay\n\nPair Coeffs\n\n1 0.5\n2 0.6\n3 0.7\n\n"
    atoms = "Atoms # sphere\n\n1 sand 1 2.6 0 0 0\n2 silt 1 2.6 0 0 0.5\n\n"
    path.write_text(HEAD.replace("1 atom types", "3 atom types") + types + atoms + TURNING)
    data = read_data(path)
    assert data.velocities is not None and data.turning is not None
    assert data.velocities[1].tolist() == [4, 5, 6] and data.turning.tolist() == [[7, 8, 9], [0.5, 0, 0]]
    write_data(data, tmp_path / "copy")
    copy = read_data(tmp_path / "copy")
    assert "\n3 atom types\n" in (tmp_path / "copy").read_text() and copy.types == data.types
    np.testing.assert_array_equal(copy.turning, data.turning)


HEAD = "title\n\n2 atoms\n1 atom types\n0 1 xlo xhi\n0 1 ylo yhi\n0 1 zlo zhi\n\n"
TURNING = "Velocities\n\n1 1 2 3 7 8 9\n2 4 5 6 0.5 0 0\n"


@pytest.mark.parametrize(
    ("style", "row", "column", "value"),
    [
        ("atomic", "1 0.1 0.2 0.3", "z", 0.3),
        ("charge", "1 -0.8 0.1 0.2 0.3", "q", -0.8),
        ("molecular", "7 1 0.1 0.2 0.3", "mol", 7.0),
        ("full", "7 1 -0.8 0.1 0.2 0.3 1 0 -1", "iz", -1.0),
        ("sphere", "1 0.5 2.6 0.1 0.2 0.3", "density", 2.6),
        ("bpm/sphere", "7 1 0.5 2.6 0.1 0.2 0.3", "density", 2.6),
        ("spin", "1 0.1 0.2 0.3 1 0 0 2.2 0 0 1", "sp", 2.2),
    ],
)
def test_every_atom_style_has_its_columns(tmp_path: Path, style: str, row: str, column: str, value: float) -> None:
    path = tmp_path / "data"
    path.write_text(HEAD + f"Atoms\n\n2 {row}\n1 {row}\n")
    data = read_data(path, atom_style=style)
    assert data["id"].tolist() == [1, 2] and data[column].tolist() == [value, value]
    with pytest.raises(InputError, match="does not say the style of its atoms"):
        read_data(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title\n", "no section Atoms"),
        (HEAD + "Atoms # atomic\n\n1 1 0 0 0\n", "announces 2 rows of Atoms"),
        (HEAD + "Atoms # atomic\n\n1 1 0 0 0\n2 1 0 0 0\n3 1 0 0 0\n", "line 13, is row 3 of Atoms"),
        (HEAD + "Atoms # atomic\n\n1 1 0 0 0\n1 1 0 0 0\n", "id twice"),
        (HEAD + "Atoms # atomic\n\n1 1 0 0 0\n2 1 0 x 0\n", "line 12, holds 'x'"),
        (HEAD + "Atoms # atomic\n\n1 1 0 0 0\n2 1 0 nan 0\n", "finite number"),
        (HEAD + "Atoms # full\n\n1 1 0 0 0\n2 1 0 0 0\n", "give another atom_style"),
        (HEAD + "Atoms # hybrid\n\n1 1 0 0 0 1\n2 1 0 0 0 1\n", "style 'hybrid', whose columns are not known here"),
        (
            HEAD.replace("2 atoms", "999999999999 atoms") + "Atoms # atomic\n\n1 1 0 0 0\n",
            "announces 999999999999 rows",
        ),
        (HEAD.replace("2 atoms", "two atoms"), "in the header, which is none"),
        (
            HEAD + "Atoms # atomic\n\n1 1 0 0 0\n2 1 0 0 0\n\nVelocities\n\n1 0 0 0\n3 0 0 0\n",
            "velocities of other atoms",
        ),
        (
            HEAD.replace("2 atoms", "2 atoms\n1 bonds")
            + "Atoms # bond\n\n1 1 1 0 0 0\n2 1 1 0 0 0\n\nBonds\n\n1 1 1 5\n",
            "Bonds with the atom 5",
        ),
    ],
)
def test_a_damaged_data_file_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "data"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_data(path)


def test_the_header_of_a_restart_file_is_read_without_lammps() -> None:
    found = read_restart_header(STYLES / "out.restart")
    assert (found.version, found.units, found.step, found.atom_style) == ("22 Jul 2025", "lj", 420, "atomic")
    assert (found.n_atoms, found.n_types, found.dimension, found.n_processes) == (108, 1, 3, 1)
    assert found.periodic == (True, True, True)
    found = read_restart_header(STYLES / "tri.restart")
    assert (found.units, found.step, found.atom_style, found.n_atoms) == ("metal", 300, "full", 40)


@pytest.mark.parametrize("end", [0, 10, 16, 20, 24, 40, 80, 150, 250])
def test_a_restart_file_that_is_cut_off_is_one_sentence(tmp_path: Path, end: int) -> None:
    path = tmp_path / "restart"
    path.write_bytes((STYLES / "out.restart").read_bytes()[:end])
    with pytest.raises(InputError, match="restart"):
        read_restart_header(path)
