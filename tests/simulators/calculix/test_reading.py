"""Results and decks of CalculiX: what stands in them, and one sentence where they are damaged."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.calculix import read_cvg, read_dat, read_frd, read_inp, read_sta
from scalebridge.simulators.calculix.dat import find
from scalebridge.simulators.calculix.units import field_units
from tests.simulators.damaging import check_reader

DATA = Path(__file__).parents[3] / "data" / "calculix-results"
READERS = {
    "bar.dat": read_dat,
    "modes.dat": read_dat,
    "bar.frd": read_frd,
    "kinds.frd": read_frd,
    "kinds_binary.frd": read_frd,
    "kinds.inp": read_inp,
    "bar.sta": read_sta,
    "bar.cvg": read_cvg,
}


def test_every_printed_table_is_read_with_its_set_time_and_columns():
    tables = read_dat(DATA / "bar.dat")
    assert len({t.time for t in tables}) == 6
    stresses = find(tables, "stresses", "e")
    assert stresses.columns == ("sxx", "syy", "szz", "sxy", "sxz", "syz")
    assert stresses.points is not None and stresses.points.tolist() == list(range(1, 9))
    first = next(t for t in tables if t.quantity == "temperatures")
    assert (first.set, first.time, first.columns) == ("N", 0.25, ("value",))
    assert first.column("value").tolist() == [2.5] * 4 + [5.0] * 4


def test_a_total_is_the_sum_of_its_rows():
    tables = read_dat(DATA / "bar.dat")
    rows, total = (
        [t for t in tables if t.quantity == "forces" and t.set == "TOP"][-1],
        find(tables, "total force", "TOP"),
    )
    assert total.ids.size == 0
    same_time = [t for t in tables if t.quantity == "total force" and t.time == rows.time]
    np.testing.assert_allclose(same_time[0].values[0], rows.values.sum(0), rtol=1e-6, atol=1e-12)


def test_a_table_of_an_earlier_step_is_not_taken_for_one_of_the_last(tmp_path):
    head = " {} for set TIP and time  0.{}000000E+01\n\n         1  1.0  2.0  3.0\n\n"
    path = tmp_path / "two.dat"
    path.write_text(head.format("displacements (vx,vy,vz)", 1) + head.format("forces (fx,fy,fz)", 2))
    tables = read_dat(path)
    assert find(tables, "forces").time == 2.0
    with pytest.raises(InputError, match=r"set TIP last at the time 1, and other tables at the time 2"):
        find(tables, "displacements", "tip")


def test_heads_that_calculix_prints_in_two_parts_or_without_a_blank_are_read():
    tables = read_dat(DATA / "bar.dat")
    mass = find(tables, "mass")
    assert mass.columns == ("mass", "xx", "yy", "zz", "xy", "xz", "yz") and mass.values[0, 0] == 2.0
    assert find(tables, "equivalent plastic strain").values.shape == (8, 1)
    assert find(tables, "heat flux").set == "E"


def test_tables_of_eigenmodes_carry_the_number_of_their_mode_and_other_sections_are_left_out():
    tables = read_dat(DATA / "modes.dat")
    assert [t.mode for t in tables] == [1, 2, 3]
    assert {t.quantity for t in tables} == {"displacements"}


# As CalculiX 2.20 printed them, with fewer rows.
_STATE = """
 internal state variables (elem, integ.pnt.,values) for set E and time  0.5000000E+00

         1   1  3.910891E-03 -1.955446E-03 -1.955446E-03
         1   2  3.910891E-03 -1.955446E-03 -1.955446E-03

 center of gravity for set E and time  0.5000000E+00

        5.000000E-01  2.500000E-01  1.000000E+00
"""
_MODES = """
                    E I G E N V A L U E    N U M B E R     6


 displacements (vx,vy,vz) for set TIP and time  0.1000000E+01

        25 -7.768097E+00 -7.768097E+00  5.028211E+03

 forces (fx,fy,fz) for set TIP and time  0.1000000E+01

        25 -7.768097E+00 -7.768097E+00  5.028211E+03
"""
_LATER = """
 displacements (vx,vy,vz) for set TIP and time  {}

        25  {}  9.668541E-06  2.565448E-03
"""


def test_values_that_calculix_does_not_name_are_numbered(tmp_path):
    path = tmp_path / "state.dat"
    path.write_text(_STATE)
    state, centre = read_dat(path)
    assert state.columns == ("value1", "value2", "value3") and state.points.tolist() == [1, 2]
    assert state.column("value1").tolist() == [3.910891e-3] * 2
    assert centre.ids.size == 0 and centre.values.tolist() == [[0.5, 0.25, 1.0]]
    path.write_text(_STATE.replace("-03\n\n", "-03  1.0\n\n"))
    with pytest.raises(InputError, match="has 6 entries, not 5"):
        read_dat(path)


_ODD = """
 stresses (elem, integ.pnt.,sxx,syy,szz,sxy,sxz,syz) for set PLATE and time  0.1000000E+01

         1   1  7.760591E-05  8.999968E+00 -6.931137E-05 -1.147534E-05 -2.425481E-05  1.714970E-05 _shell_0000000001
         1   2 -2.735661E-06  8.999996E+00  8.403586E-05  1.099730E-05 -5.663847E-05  1.438265E-05 OR

 network pressures (total pressure for gases, static pressure for liquids and fluid depth for channels) for set N and \
time  0.1000000E+01

         1  0.000000E+00
         2  1.046610E+05

 displacements (v(i),i=1..ndof) for set N and time  0.1000000E+01

         1 -9.891993E+00  2.231520E+01  0.000000E+00  0.000000E+00  0.000000E+00  8.666687E-01
""".replace("\\\n", "")


def test_rows_with_the_name_of_a_local_system_and_heads_that_explain_or_count_are_read(tmp_path):
    (tmp_path / "odd.dat").write_text(_ODD)
    stresses, pressures, displacements = read_dat(tmp_path / "odd.dat")
    assert stresses.column("syy").tolist() == [8.999968, 8.999996]
    assert pressures.quantity == "network pressures" and pressures.column("value").tolist() == [0.0, 1.046610e5]
    assert displacements.columns[-1] == "value6" and displacements.values[0, 5] == 0.8666687
    (tmp_path / "odd.dat").write_text(_ODD.replace(" 1.438265E-05 OR", " OR"))
    with pytest.raises(InputError, match="a row of 'stresses' has 7 entries, not 8"):
        read_dat(tmp_path / "odd.dat")


def test_a_file_without_a_mesh_says_what_the_deck_does_not_ask_for(tmp_path):
    (tmp_path / "empty.frd").write_text("    1C\n    1UModel: beam\n 9999\n")
    with pytest.raises(InputError, match=r"holds no nodes: the deck asks for no results at nodes \(\*NODE FILE"):
        read_frd(tmp_path / "empty.frd")


def test_materials_by_their_names_and_results_with_a_hyphen_are_read(tmp_path):
    text = (DATA / "kinds.frd").read_text().replace(" -4  DISP    ", " -4  CT3D-MIS")
    at = text.index("\n -1", text.index("    3C")) + 24
    (tmp_path / "odd.frd").write_text(text[:at] + "WATER" + text[at + 2 :])
    results = read_frd(tmp_path / "odd.frd")
    assert results.mesh.cells[0].tags["material"].tolist() == [0]
    assert results.last["CT3D_MIS"].values.shape == (results.mesh.n_points, 3)


@pytest.mark.parametrize("time", ["0.5000000E-04", "0.1000000E+01"])
def test_tables_of_a_step_after_the_modes_are_of_no_mode(time, tmp_path):
    path = tmp_path / "modal.dat"
    path.write_text(_MODES + _LATER.format(time, "3.505363E-02"))
    assert [t.mode for t in read_dat(path)] == [6, 6, None]


def test_the_imaginary_part_of_an_answer_is_not_taken_for_the_whole(tmp_path):
    path = tmp_path / "dynamics.dat"
    real, imaginary = (_LATER.format("0.1000000E+04", word) for word in ("1.874606E-02", "-8.871240E-05"))
    path.write_text(_MODES + real + imaginary)
    with pytest.raises(InputError, match=r"set TIP twice at the time 1000, as the real and the imaginary part"):
        find(read_dat(path), "displacements")
    path.write_text(real + real)
    assert find(read_dat(path), "displacements").values[0, 0] == 1.874606e-2
    number, _, tables = _MODES.partition("     6")
    alike = imaginary.replace("0.1000000E+04", "0.1000000E+01")
    path.write_text(f"{number}     6\n\n   R E A L   P A R T\n{tables}\n   I M A G I N A R Y   P A R T\n{alike}")
    assert [t.mode for t in read_dat(path)] == [6, 6, 6]
    with pytest.raises(InputError, match=r"twice at the time 1 \(mode 6\), as the real"):
        find(read_dat(path), "displacements")


def test_a_table_that_was_not_printed_is_told_with_those_that_were():
    tables = read_dat(DATA / "modes.dat")
    with pytest.raises(InputError, match="printed no 'stresses'; it printed displacements of N"):
        find(tables, "stresses")
    with pytest.raises(InputError, match="did you mean 'vx'"):
        tables[0].column("vxx")


@pytest.mark.parametrize("name", ["kinds.frd", "kinds_binary.frd"])
def test_every_kind_of_element_is_read_as_text_and_binary(name):
    results = read_frd(DATA / name, "m, kg, s")
    kinds = [block.type for block in results.mesh.cells]
    assert kinds == ["hexahedron", "hexahedron20", "wedge", "wedge15", "tetra", "tetra10"]
    points, field = results.mesh.points, results.last["DISP"]
    assert (field.unit, field.location, field.shape) == ("m", "points", (3,))
    np.testing.assert_allclose(field.values, points * [1e-3, 2e-3, 3e-3], rtol=1e-7, atol=1e-12)
    strain = results.last["TOSTRAIN"].values
    # CalculiX brings strains to the nodes of some elements with a table of four digits.
    np.testing.assert_allclose(strain, np.tile([1e-3, 2e-3, 3e-3, 0, 0, 0], (len(points), 1)), rtol=6e-5, atol=1e-12)


_EDGES = {
    "hexahedron20": [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)],
    "wedge15": [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (0, 3), (1, 4), (2, 5)],
    "tetra10": [(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)],
}


@pytest.mark.parametrize("name", ["kinds.frd", "kinds_binary.frd", "kinds.inp"])
def test_nodes_of_edges_stand_in_the_order_of_vtk(name):
    mesh = read_inp(DATA / name) if name.endswith("inp") else read_frd(DATA / name).mesh
    for block in mesh.cells:
        edges = np.array(_EDGES.get(block.type, np.zeros((0, 2), dtype=int)), dtype=int)
        points = mesh.points[block.nodes[0]]
        np.testing.assert_allclose(points[len(points) - len(edges) :], points[edges].mean(1), atol=1e-12)


def test_steps_of_a_result_file_have_their_times_and_units_only_where_they_are_said():
    results = read_frd(DATA / "bar.frd")
    assert [s.time for s in results.steps] == [0.25, 0.5, 0.875, 1.0, 1.5, 2.0]
    assert results.last["STRESS"].unit == "1" and results.mesh.unit == "1"
    told = read_frd(DATA / "bar.frd", "mm, t, s")
    assert told.last["STRESS"].unit == "MPa" and told.mesh.unit == "mm"
    # Ramped to 20 K over the first step.
    assert [s.fields["NDTEMP"].values.max() for s in told.steps[:4]] == [5.0, 10.0, 17.5, 20.0]
    with pytest.raises(InputError, match="did you mean 'm, kg, s'"):
        read_frd(DATA / "bar.frd", "mm, kg, s")


def test_results_as_text_agree_with_the_printed_ones():
    table = [t for t in read_dat(DATA / "bar.dat") if (t.quantity, t.set) == ("displacements", "N")][-1]
    field = next(s for s in read_frd(DATA / "bar.frd").steps if s.time == table.time).fields["DISP"]
    np.testing.assert_allclose(field.values, table.values, rtol=1e-5, atol=1e-20)


def test_a_value_that_is_no_number_is_told_and_not_left_out(tmp_path):
    text = (DATA / "bar.frd").read_text()
    at = text.index(" -1", text.index(" -4  DISP"))
    path = tmp_path / "nan.frd"
    path.write_text(text[: at + 13] + "         NaN" + text[at + 25 :])
    with pytest.raises(InputError, match="the result DISP has a value at node 1 that is no finite number"):
        read_frd(path)


def test_imaginary_parts_and_errors_have_units_too():
    units = field_units("mm, t, s")
    assert (units["DISPI"], units["STRESSI"], units["ERROR"]) == ("mm", "MPa", "percent")
    assert read_frd(DATA / "bar.frd", "mm, t, s").last["ERROR"].unit == "percent"


def test_the_frequency_of_a_mode_is_no_time(tmp_path):
    lines = (DATA / "kinds.frd").read_text().split("\n")
    path = tmp_path / "modes.frd"
    path.write_text("\n".join(f"{t[:56]} 2{t[58:]}" if t.startswith("  100CL") else t for t in lines))
    assert read_frd(DATA / "kinds.frd").last["DISP"].time == 1.0
    mode = read_frd(path).steps[-1]
    assert mode.time == 1.0 and mode.fields["DISP"].time is None


def test_increments_and_iterations_are_read():
    increments = read_sta(DATA / "bar.sta")
    assert len(increments) == 6 and increments[-1].step == 2 and increments[-1].total_time == 2.0
    assert sum(i.iterations for i in increments) == len(read_cvg(DATA / "bar.cvg"))


def test_sets_of_a_deck_hold_ranges_and_other_sets():
    mesh = read_inp(DATA / "kinds.inp", "mm")
    assert mesh.unit == "mm" and mesh.cell_sets["E"].tolist() == list(range(6))
    assert mesh.cell_sets["WEDGES"].tolist() == [2, 3] and len(mesh.point_sets["N"]) == 63


def test_included_files_are_read_and_a_deck_that_includes_itself_is_refused(tmp_path):
    (tmp_path / "nodes.inp").write_text("*NODE\n1, 0., 0.\n2, 1., 0.\n3, 0., 1.\n")
    deck = tmp_path / "deck.inp"
    deck.write_text("** a comment\n*Include, Input=nodes.inp\n*Element, type=CPE3,\nelset=All\n7, 1, 2, 3\n*STEP\n1.\n")
    mesh = read_inp(deck)
    assert mesh.cells[0].type == "triangle" and mesh.cells[0].tags["number"].tolist() == [7]
    assert mesh.cell_sets["ALL"].tolist() == [0]
    deck.write_text("*INCLUDE, INPUT=deck.inp\n")
    with pytest.raises(InputError, match="includes itself"):
        read_inp(deck)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*NODE\n1, 0., 0., x\n", "line 2, under \\*NODE: the node 1 has a coordinate that is no number"),
        ("*NODE\n1, 0.\n*ELEMENT, TYPE=C3D8R\n1, 1, 2\n", "line 4, under \\*ELEMENT: the element 1 has 2 nodes, not 8"),
        ("*NODE\n1, 0.\n*ELEMENT, TYPE=CPE3\n1, 1, 2, 3\n", "The element 1 .* has a node that is not there"),
        ("*NODE\n1, 0.\n*ELEMENT, TYPE=XYZ\n", "elements of the type 'XYZ' are not known"),
        ("*NODE\n1, 0.\n2, 1.\n*ELEMENT, TYPE=T3D2\n1, 1, 2\n1, 2, 1\n", "the element 1 stands there twice"),
        ("*NODE\n1, 0.\n*INSTANCE, NAME=A, PART=B\n5., 0., 0.\n*END INSTANCE\n", "the instance is moved"),
        ("*STEP\n", "hold no \\*NODE"),
        ("1, 2, 3\n", "data stand before the first keyword"),
        ("", "holds no keyword"),
    ],
)
def test_a_wrong_line_of_a_deck_is_one_sentence(tmp_path, text, words):
    deck = tmp_path / "deck.inp"
    deck.write_text(text)
    with pytest.raises(InputError, match=words):
        read_inp(deck)


def test_a_range_of_a_billion_members_takes_no_memory(tmp_path):
    deck = tmp_path / "deck.inp"
    deck.write_text("*NODE\n1, 0.\n3, 1.\n*NSET, NSET=A, GENERATE\n1, 1000000000, 2\n")
    assert read_inp(deck).point_sets["A"].tolist() == [0, 1]


def test_a_binary_block_that_claims_more_than_the_file_holds_is_refused(tmp_path):
    content = (DATA / "kinds_binary.frd").read_bytes()
    head = content.index(b"    2C")
    claimed = content[: head + 24] + b"%12d" % 999_999_999 + content[head + 36 :]
    (tmp_path / "big.frd").write_bytes(claimed)
    with pytest.raises(InputError, match=r"999999999 binary records are announced and \d+ bytes are left"):
        read_frd(tmp_path / "big.frd")


@pytest.mark.parametrize("name", sorted(READERS))
def test_damaged_files_give_a_result_or_a_sentence(tmp_path, name):
    assert check_reader(READERS[name], (DATA / name).read_bytes(), tmp_path / name) > 0


@pytest.mark.parametrize("read", sorted({r.__name__ for r in READERS.values()}))
def test_what_is_no_file_is_refused_without_waiting(tmp_path, read):
    reader = next(r for r in READERS.values() if r.__name__ == read)
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path / "missing", "cannot be read"),
        (tmp_path / "pipe", "is no file"),
        (tmp_path, "is no file"),
    ):
        with pytest.raises(InputError, match=words):
            reader(path)
