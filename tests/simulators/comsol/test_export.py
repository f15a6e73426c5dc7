"""Text exports read without COMSOL."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.comsol.columns import Column, column, split_header
from scalebridge.simulators.comsol.export import Export, read_export
from tests.simulators.comsol.writing import COLUMNS, GRID, SECTIONWISE, SPREADSHEET, TABLE
from tests.simulators.damaging import check_reader


def written(tmp_path: Path, text: str, name: str = "data.txt") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def read_all(path: Path) -> None:
    export = read_export(path)
    export.dataset()
    if export.points.shape[1]:
        export.fields()


def test_a_spreadsheet_has_its_header_its_points_and_its_steps(tmp_path: Path) -> None:
    export = read_export(written(tmp_path, SPREADSHEET))
    assert export.header["Model"] == "busbar.mph" and export.header["Version"] == "COMSOL 6.1.0.252"
    assert export.steps == ("t=0", "t=0.1") and export.length_unit == "mm"
    assert export.points.tolist() == [[0, 0], [1.5, 0], [0, 2]]


def test_fields_of_a_step_have_units_time_and_nan_where_there_is_no_value(tmp_path: Path) -> None:
    fields = read_export(written(tmp_path, SPREADSHEET)).fields("t=0.1")
    assert fields["T"].values.tolist() == [300.5, 301.5, 302.5] and (fields["T"].unit, fields["T"].time) == ("K", 0.1)
    mises = fields["solid_mises"]
    assert mises.unit == "N/m^2" and mises.values[1] == 2.25e6 and np.isnan(mises.values[2])
    assert mises.mesh.unit == "mm" and mises.mesh.n_points == 3


def test_a_dataset_has_a_row_for_each_point_and_step(tmp_path: Path) -> None:
    dataset = read_export(written(tmp_path, SPREADSHEET)).dataset()
    assert dataset.columns["t"].tolist() == [0, 0, 0, 0.1, 0.1, 0.1]
    assert dataset.columns["T"].tolist() == [293.15] * 3 + [300.5, 301.5, 302.5]
    assert {v.name: v.unit for v in dataset.space} == {"X": "mm", "Y": "mm", "t": "s", "T": "K", "solid_mises": "N/m^2"}


def test_a_table_keeps_its_parameters_and_complex_numbers_are_two_columns(tmp_path: Path) -> None:
    export = read_export(written(tmp_path, TABLE))
    dataset = export.dataset()
    assert dataset.columns["d"].tolist() == [0.001, 0.002] and dataset.columns["C_Point_1"].tolist() == [
        1.5e-12,
        0.75e-12,
    ]
    assert dataset.columns["Z_real"].tolist() == [1, 3] and dataset.columns["Z_imag"].tolist() == [2, -0.45]
    with pytest.raises(InputError, match="table without coordinates"):
        export.fields()


def test_sectionwise_data_has_cells_and_every_step(tmp_path: Path) -> None:
    export = read_export(written(tmp_path, SECTIONWISE))
    first, last = export.fields("t=0")["T"], export.fields()["T"]
    assert first.values.tolist() == [293.15, 294, 295, 296] and last.time == 2.5
    assert last.mesh.cells[0].type == "triangle" and last.mesh.cells[0].nodes.tolist() == [[0, 1, 2], [0, 2, 3]]


def test_semicolons_part_numbers_and_a_description_names_what_has_no_name(tmp_path: Path) -> None:
    text = SECTIONWISE.replace("% Expressions:        2", "% Expressions:        1")
    text = text[: text.index("% Data")] + "% Data\n-142850.2\n1\n2\n3\n"
    start = text.index("% Coordinates")
    fields = read_export(written(tmp_path, text[:start] + re.sub(r"(?<=\d) (?=\d)", ";", text[start:]))).fields()
    assert fields["Temperature"].values[0] == -142850.2 and fields["Temperature"].unit == "1"


def test_a_frequency_and_other_parameters_of_a_sweep_are_columns(tmp_path: Path) -> None:
    text = "% Dimension: 2\n% Length unit: m\n% X   Y   solid.disp (m) @ freq=1.7889E14   solid.disp (m) @ freq=2E14\n"
    text += "0 1 2 3\n"
    dataset = read_export(written(tmp_path, text)).dataset()
    assert dataset.columns["freq"].tolist() == [1.7889e14, 2e14] and dataset.space["freq"].unit == "Hz"


def test_a_grid_has_the_cells_between_its_points(tmp_path: Path) -> None:
    field = read_export(written(tmp_path, GRID)).fields()["V"]
    at = {tuple(p[:2]): v for p, v in zip(field.mesh.points.tolist(), field.values.tolist(), strict=True)}
    assert at == {(0, 0): 1, (1, 0): 2, (2, 0): 3, (0, 10): 4, (1, 10): 5, (2, 10): 6}
    quads = field.mesh.points[field.mesh.cells[0].nodes]
    assert np.allclose(np.abs(np.cross(quads[:, 1] - quads[:, 0], quads[:, 2] - quads[:, 1])[:, 2]), 10)


def test_a_plot_export_of_single_blanks_and_a_csv_are_read(tmp_path: Path) -> None:
    plot = read_export(written(tmp_path, "% x y z Color\n0 0 0 1.5\n1 0 0 2.5\n"))
    assert plot.coordinates == ("x", "y", "z") and plot.fields()["Color"].values.tolist() == [1.5, 2.5]
    csv = '% Model,"a, b.mph"\n% Dimension,1\n% Length unit,um\n'
    csv += '% x,"atan2(u,v) (rad) @ a=1, b=2",T (degC) @ a=1, b=2\n0,1,2\n1,3,4\n'
    export = read_export(written(tmp_path, csv, "data.csv"))
    assert export.header["Model"] == "a, b.mph" and export.length_unit == "um" and export.steps == ("a=1, b=2",)
    fields = export.fields()
    assert fields["T"].unit == "degC" and fields["atan2_u_v"].values.tolist() == [1, 3]
    assert export.dataset().columns["b"].tolist() == [2, 2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("T (K) @ t=0.1", Column("T (K) @ t=0.1", "T", "K", "t=0.1")),
        ("solid.mises (N/m^2)", Column("solid.mises (N/m^2)", "solid_mises", "N/m^2")),
        ("V (V) @ 1: d=0.001, U=2", Column("V (V) @ 1: d=0.001, U=2", "V", "V", "1: d=0.001, U=2")),
        ("abs(ec.normE) (V/m)", Column("abs(ec.normE) (V/m)", "abs_ec_normE", "V/m")),
        ("k (W/(m*K))", Column("k (W/(m*K))", "k", "W/(m*K)")),
        ("u/U0 (1)", Column("u/U0 (1)", "u_U0", "1")),
        ("Temperature (K), Point: (1, 2)", Column("Temperature (K), Point: (1, 2)", "Temperature_Point_1_2", "K")),
        ("q (furlong/blink)", Column("q (furlong/blink)", "q", "1", "", False)),
    ],
)
def test_a_header_is_expression_unit_and_step(text: str, expected: Column) -> None:
    assert column(text) == expected


def test_the_parameters_of_a_step_are_numbers() -> None:
    assert column("V (V) @ 1: d=0.001, lambda=2E-3-4.5i").parameters == {"d": 0.001, "lambda": 0.002}


def test_columns_that_touch_are_told_apart() -> None:
    line = "x y a_very_long_expression_of_25 (N/m^2) @ t=0 T (K) @ t=0 a_very_long_expression_of_25 (N/m^2) @ t=1"
    assert split_header(line, 5) == [
        "x",
        "y",
        "a_very_long_expression_of_25 (N/m^2) @ t=0",
        "T (K) @ t=0",
        "a_very_long_expression_of_25 (N/m^2) @ t=1",
    ]
    assert split_header("x  y", 5) is None


def test_a_header_of_a_million_signs_is_one_sentence_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has 1 numbers in a row and the header"):
        read_export(written(tmp_path, "% " + "a (b) " * 200_000 + "\n1\n2\n"))


def test_an_unknown_unit_is_said(tmp_path: Path) -> None:
    export = read_export(written(tmp_path, "% x  q (furlong/blink)\n0 1\n"))
    assert "furlong/blink" in export.notes[0]


def test_an_unknown_step_is_one_sentence(tmp_path: Path) -> None:
    export: Export = read_export(written(tmp_path, SPREADSHEET))
    with pytest.raises(InputError, match=r"did you mean 't=0\.1'"):
        export.fields("t=0.11")
    with pytest.raises(InputError, match="2 steps, and none 2"):
        export.fields(2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SPREADSHEET.replace("1.25E6", ""), "line 11 5 numbers, and 6 columns"),
        (SPREADSHEET.replace("1.25E6", "1.25X6"), "line 11 '1.25X6' in column 4, which is no number"),
        (SPREADSHEET.replace("T (K) @ t=0.1", ""), "has 6 numbers in a row and the header"),
        (SPREADSHEET.replace("T (K) @ t=0.1", "T (K) @ t=0"), "two columns 'T .K. @ t=0' that cannot be told apart"),
        (SECTIONWISE.replace("1 3 4\n", "1 3 5\n"), "numbers of points from 1 to 4"),
        (SECTIONWISE.replace("303\n", ""), "3 values for 4 points"),
        (SECTIONWISE.replace("1 2 3\n1 3 4\n", "1 2 3 4\n"), "elements of 4 points in 2 dimensions"),
        (GRID.replace("0 1 2\n", "0 1 z\n"), "line 6 'z' in column 3, which is no number"),
        ("% Model: a.mph\n% x  T (K)\n", "no rows of numbers"),
        ("0,5 1,5\n", None),
    ],
)
def test_a_damaged_export_is_one_sentence_with_its_line(tmp_path: Path, text: str, words: str | None) -> None:
    if words is None:
        words, text = "no number", "% x  T\n0,5 1,5 1\n"
    with pytest.raises(InputError, match=words) as caught:
        read_all(written(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [SPREADSHEET, TABLE, SECTIONWISE, GRID, COLUMNS])
def test_damaged_exports_end_in_a_sentence(tmp_path: Path, text: str) -> None:
    assert check_reader(read_all, text.encode(), tmp_path / "d.txt") > 5


def test_a_unit_behind_the_number_of_a_step_is_read(tmp_path: Path) -> None:
    text = (
        "% Model: a.mph\n% Dimension: 1\n% x  T (K) @ t=1 min, d=2 mm  T (K) @ t=90 s, d=3 mm\n0 300 301\n1 302 303\n"
    )
    export = read_export(written(tmp_path, text))
    assert export.fields(0)["T"].time == 60.0 and export.fields(1)["T"].time == 90.0
    dataset = export.dataset()
    assert dataset.columns["t"].tolist() == [60, 60, 90, 90] and dataset.space["t"].unit == "s"
    assert np.allclose(dataset.columns["d"], [0.002, 0.002, 0.003, 0.003]) and dataset.space["d"].unit == "m"
    with pytest.raises(InputError, match="'blurb' behind a number, which is no unit we know"):
        read_export(written(tmp_path, text.replace("1 min", "1 blurb")))
    with pytest.raises(InputError, match="several units"):
        read_export(written(tmp_path, text.replace("3 mm", "3"))).dataset()


def test_places_may_have_their_unit_in_the_header_of_their_columns(tmp_path: Path) -> None:
    text = "% Model: a.mph\n% x (mm)  y (mm)  T (K)\n0 0 300\n1 2 302\n"
    export = read_export(written(tmp_path, text))
    assert export.length_unit == "mm" and export.points.tolist() == [[0, 0], [1, 2]] and not export.notes
    with pytest.raises(InputError, match="several units: cm, mm"):
        read_export(written(tmp_path, text.replace("y (mm)", "y (cm)")))
    with pytest.raises(InputError, match="places in 'mm' and the length unit 'm'"):
        read_export(written(tmp_path, "% Length unit: m\n" + text))


def test_what_stands_under_a_line_of_its_own_behind_data_is_no_row_lost(tmp_path: Path) -> None:
    text = "% Dimension: 2\n% Length unit: mm\n% Grid\n0 1 2\n0 1\n% Data\n% T (K)\n1 2 3\n4 5 6\n"
    export = read_export(written(tmp_path, text + "% Data\n% u (m/s)\n10 20 30\n40 50 60\n"))
    assert [(c.name, c.unit) for c in export.columns] == [("T", "K"), ("u", "m/s")]
    assert read_export(written(tmp_path, text.replace("T (K)", "(a+b)*(c) (K)"))).columns[0].unit == "K"
    assert export.values.T.tolist() == [[1, 2, 3, 4, 5, 6], [10, 20, 30, 40, 50, 60]]
    with pytest.raises(InputError, match="rows under 'Colours' from line 11 on, which do not belong there"):
        read_export(written(tmp_path, text + "% Colours\n1 2 3\n4 5 6\n"))


@pytest.mark.parametrize(("grid", "cell"), [("0 1\n0 1\n5", "quad"), ("0 1\n3\n5", "line"), ("0\n3\n5", "vertex")])
def test_a_grid_may_be_a_plane_a_line_or_a_point_in_space(tmp_path: Path, grid: str, cell: str) -> None:
    n = 2 ** grid.count("0 1")
    text = f"% Dimension: 3\n% Length unit: m\n% Grid\n{grid}\n% Data (T (K))\n" + " ".join(map(str, range(n))) + "\n"
    field = read_export(written(tmp_path, text)).fields()["T"]
    assert [block.type for block in field.mesh.cells] == [cell]
    assert field.values.tolist() == list(range(n)) and (field.mesh.points[:, 2] == 5).all()


def test_columns_that_stand_under_each_other_are_told_by_their_titles(tmp_path: Path) -> None:
    export = read_export(written(tmp_path, COLUMNS))
    assert export.coordinates == ("X", "Y", "Z") and export.points.tolist() == [[0.25, 0.5, -1]]
    dataset = export.dataset()
    assert dataset.columns["T"].tolist() == [267.15, 268] and dataset.columns["t"].tolist() == [0, 0.4]
    with pytest.raises(InputError, match=r"'x  u .m.' over the rows from line 4 on and 'x  T .K.' over those before"):
        read_export(written(tmp_path, "% x  T (K)\n0 1\n% x  u (m)\n0 1\n"))


def test_places_of_a_cut_plane_are_places(tmp_path: Path) -> None:
    text = "% Dimension: 2\n% Expressions: 1\n% Length unit: mm\n% cpl1x  cpl1y  -mf.Bz (T)\n0 0 1\n1 2 3\n"
    export = read_export(written(tmp_path, text))
    assert export.coordinates == ("cpl1x", "cpl1y") and export.points.tolist() == [[0, 0], [1, 2]]
    assert export.fields()["mf_Bz"].values.tolist() == [1, 3]


def test_what_is_complex_at_one_step_is_so_at_all(tmp_path: Path) -> None:
    text = "% Dimension: 1\n% Length unit: m\n% x  p (Pa) @ freq=0  p (Pa) @ freq=10+0.5i\n0 1 2+3i\n1 4 5-6i\n"
    export = read_export(written(tmp_path, text))
    assert sorted(export.fields(0)) == sorted(export.fields(1)) == ["p_imag", "p_real"]
    dataset = export.dataset()
    assert dataset.columns["p_imag"].tolist() == [0, 0, 3, -6]
    assert dataset.columns["freq_real"].tolist() == [0, 0, 10, 10] and dataset.space["freq_imag"].unit == "Hz"


def test_a_decimal_comma_in_one_column_makes_no_second_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"2 numbers in a row and the header 'T \(K\)'"):
        read_export(written(tmp_path, "% Table: t\n% T (K)\n300,25\n301,5\n"))


def test_a_csv_that_a_spreadsheet_program_saved_again_is_read(tmp_path: Path) -> None:
    text = '\ufeff"% Model","a.mph"\n"% Length unit","m"\n"% x","y","T (K)"\n0,1,"300"\n'
    export = read_export(written(tmp_path, text, "data.csv"))
    assert export.header["Model"] == "a.mph" and export.length_unit == "m"
    assert export.points.tolist() == [[0, 1]] and export.fields()["T"].values.tolist() == [300]


def test_a_plot_over_a_frequency_has_no_places(tmp_path: Path) -> None:
    text = "% Dimension: 1\n% Expressions: 1\n% Description: Global\n% freq (Hz)      \\sigma_num, \n80  0.25\n90 0.5\n"
    export = read_export(written(tmp_path, text))
    assert export.coordinates == () and [(c.name, c.unit) for c in export.columns] == [
        ("freq", "Hz"),
        ("sigma_num", "1"),
    ]
    assert export.dataset().columns["freq"].tolist() == [80, 90]


def test_an_export_of_many_steps_has_a_row_for_each(tmp_path: Path) -> None:
    n = 5000
    head = "% Dimension: 1\n% Length unit: m\n% x  " + "  ".join(f"T (K) @ t={k}" for k in range(n))
    export = read_export(written(tmp_path, head + "\n0 " + " ".join(map(str, range(n))) + "\n"))
    dataset = export.dataset()
    assert len(dataset) == n and (dataset.columns["T"] == dataset.columns["t"]).all()
    assert export.fields(-1)["T"].time == n - 1 and len(export.steps) == n
