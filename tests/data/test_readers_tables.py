"""Tables as people and programs write them: delimiters, header rows, units, real files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from scalebridge import data
from scalebridge.data.headers import headers, identifier
from scalebridge.data.units_in_text import unit_from_text
from scalebridge.errors import InputError, UnitError

DATA = Path(__file__).parents[2] / "data"
EXTRA = Path(os.environ.get("SCALEBRIDGE_EXTRA_DATA", "/nowhere"))


def written(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


TEXTS = {
    "comma": "id,x [m],note\na,1.5,one\nb,2.5,two\n",
    "semicolon": "id;x [m];note\na;1.5;one\nb;2.5;two\n",
    "decimal-comma": "id;x [m];note\na;1,5;one\nb;2,5;two\n",
    "delimiter-told": "sep=;\nid;x [m];note\na;1.5;one\nb;2.5;two\n",
    "tabulator": "id\tx [m]\tnote\na\t1.5\tone\nb\t2.5\ttwo\n",
    "bar": "id|x [m]|note\na|1.5|one\nb|2.5|two\n",
    "blanks": "id   x[m]  note\na    1.5   one\nb    2.5   two\n",
    "byte-order-mark": "\ufeffid,x [m],note\na,1.5,one\nb,2.5,two\n",
    "windows-line-ends": "id,x [m],note\r\na,1.5,one\r\nb,2.5,two\r\n",
    "comments-and-blank-lines": "# made by hand\n\nid,x [m],note\na,1.5,one\n# later\n\nb,2.5,two\n",
    "quotes": '"id","x [m]","note"\n"a","1.5","one"\n"b",2.5,"two"\n',
    "units-below": "id,x,note\n,m,\na,1.5,one\nb,2.5,two\n",
    "no-line-end": "id,x [m],note\na,1.5,one\nb,2.5,two",
    "trailing-delimiters": "id,x [m],note,\na,1.5,one,\nb,2.5,two,\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_one_table_reads_alike_however_it_is_written(tmp_path: Path, text: str) -> None:
    d = data.read(written(tmp_path, text))
    assert d.keys() == ("id", "x", "note")
    assert d["x"].tolist() == [1.5, 2.5]
    assert d.space["x"].unit == "m"
    assert d["note"].tolist() == ["one", "two"]
    assert d.index == "id"


def test_utf16_with_its_mark_is_text(tmp_path: Path) -> None:
    d = data.read(written(tmp_path, "id;Größe [mm]\na;1\n".encode("utf-16")))
    assert d["Größe"].tolist() == [1.0]


def test_columns_can_be_chosen_so_that_others_are_not_looked_at(tmp_path: Path) -> None:
    path = written(tmp_path, "id,x,bad\na,1,1\nb,2,oops\nc,3,3\n")
    assert data.read(path, columns=["x"]).keys() == ("x",)
    with pytest.raises(InputError, match="no column 'y', asked for as a column"):
        data.read(path, columns=["y"])


def test_a_table_without_header_gets_the_names_given(tmp_path: Path) -> None:
    path = written(tmp_path, "1 2\n3 4\n", "a.dat")
    d = data.read(path, names=["s [kPa]", "Sr"])
    assert (d["s"].tolist(), d.space["s"].unit) == ([1.0, 3.0], "kPa")
    with pytest.raises(InputError, match="has 2 columns and names= gives 3"):
        data.read(path, names=["a", "b", "c"])


@pytest.mark.parametrize(
    "comment",
    ["# x (mm)   T (deg C)\n", "# x [mm] - T [degC]\n", "# title\n# x[mm] T[degC]\n"],
    ids=["wide", "dashed", "plain"],
)
def test_the_header_of_a_plotting_file_stands_in_its_last_comment(tmp_path: Path, comment: str) -> None:
    d = data.read(written(tmp_path, comment + "1 20\n2 21\n", "a.dat"))
    assert [(v.name, v.unit) for v in d.space] == [("x", "mm"), ("T", "degC")]


def test_a_loggers_table_has_names_units_and_processing(tmp_path: Path) -> None:
    head = '"TOA5","CR300"\n"TIMESTAMP","RECORD","wind"\n"TS","RN","m/s"\n"","","Avg"\n'
    text = head + '"2021-09-22 12:00:00",0,-7999\n"2021-09-22 12:15:00",1,2.5\n'
    d = data.read_series(written(tmp_path, text))
    assert (d.space["wind"].unit, d.gaps("wind").tolist()) == ("m/s", [True, False])
    assert d.time is not None
    assert (d.time.step, d.time.zone) == (900.0, None)
    assert d.time.column == "TIMESTAMP"
    # 2021-09-22T12:00:00Z
    assert d["TIMESTAMP"][0] == 1632312000.0


def test_a_text_far_below_leaves_the_numbers_above_it_as_they_were_written(tmp_path: Path) -> None:
    path = written(tmp_path, "ID,x\n" + "000,1.50\n" * 20_500 + "A1,2\n" * 80_500)
    table = data.read_table(path, index=None)
    assert table["ID"][[0, 20_400, 20_500]].tolist() == ["000", "000", "A1"] and table["x"][20_500] == 2.0


STAMPS = {
    "iso": ("2021-03-28T01:30:00", "2021-03-28T03:30:00"),
    "blank": ("2021-03-28 01:30", "2021-03-28 03:30"),
    "german": ("28.03.2021 01:30", "28.03.2021 03:30"),
    "slashes-year-first": ("2021/03/28 01:30:00", "2021/03/28 03:30:00"),
    "day-first": ("28/03/2021 01:30", "28/03/2021 03:30"),
    "month-first": ("03/28/2021 01:30", "03/28/2021 03:30"),
    "compact": ("20210328T013000", "20210328T033000"),
}


@pytest.mark.parametrize("stamps", STAMPS.values(), ids=STAMPS)
def test_common_time_stamps_are_read(tmp_path: Path, stamps: tuple[str, str]) -> None:
    path = written(tmp_path, "when,x\n" + "".join(f"{s},{i}\n" for i, s in enumerate(stamps)))
    assert data.read_series(path)["when"].tolist() == [1616895000.0, 1616902200.0]
    # The night of the change to summer time: one hour only.
    assert np.diff(data.read_series(path, zone="Europe/Berlin")["when"]).tolist() == [3600.0]


def test_zones_in_stamps_are_kept_and_mixtures_refused(tmp_path: Path) -> None:
    d = data.read_series(written(tmp_path, "t,x\n2021-01-01T00:00:00+02:00,1\n2021-01-01T00:00:00Z,2\n"))
    assert np.diff(d["t"]).tolist() == [7200.0]
    with pytest.raises(InputError, match="states a zone in some time stamps and none in row 3"):
        data.read_series(written(tmp_path, "t,x\n2021-01-01T00:00:00Z,1\n2021-01-01T01:00:00,2\n"))


def test_a_column_of_numbers_is_time_where_its_name_says_so(tmp_path: Path) -> None:
    d = data.read_series(written(tmp_path, "Time [min],x\n0,1\n0.5,2\n1,3\n"))
    assert d["Time"].tolist() == [0.0, 30.0, 60.0]
    with pytest.raises(InputError, match="has no column of time among a, b"):
        data.read_series(written(tmp_path, "a,b\n1,2\n"))


HEADERS = {
    "square": ("T [degC]", "T", "degC"),
    "round": ("Gauge Length (mm)", "Gauge_Length", "mm"),
    "celsius": ("Test Temperature (C)", "Test_Temperature", "degC"),
    "weight-percent": ("C (wt.%)", "C", "percent"),
    "written-powers": ("rho [kg/m3]", "rho", "kg/m^3"),
    "negative-powers": ("q [W m-2]", "q", "W m^-2"),
    "ratio-is-no-litre-per-watt": ("Aspect Ratio (L/W)", "Aspect_Ratio_L_W", "1"),
    "words-in-brackets": ("Treatment (three kinds)", "Treatment_three_kinds", None),
    "time-in-metres": ("Time (m)", "Time", None),
    "none": ("nu [-]", "nu", "1"),
    "bare": ("E", "E", None),
}


@pytest.mark.parametrize(("text", "name", "unit"), HEADERS.values(), ids=HEADERS)
def test_headers_give_names_and_units(text: str, name: str, unit: str | None) -> None:
    (header,) = headers([text], "A table")
    assert (header.name, header.unit) == (name, unit)


def test_units_given_win_over_none_and_contradictions_are_refused() -> None:
    assert headers(["E"], "A table", units={"E": "GPa"})[0].unit == "GPa"
    with pytest.raises(UnitError, match="states 'MPa' for the column 'E"):
        headers(["E [MPa]"], "A table", units={"E": "GPa"})
    with pytest.raises(InputError, match="no column 'F', whose unit was given"):
        headers(["E [MPa]"], "A table", units={"F": "GPa"})


def test_identifiers_are_made_of_any_header_and_stay_different() -> None:
    assert identifier("2theta (deg)") == "_2theta_deg"
    assert identifier("from") == "_from"
    assert [h.name for h in headers(["a b", "a-b", ""], "A table")] == ["a_b", "a_b_2", "column_3"]


@pytest.mark.parametrize("text", ["9^9^9^9", "m^9^9^9^9", "((((m", "10**10**10", "m**999999999", "a" * 10_000])
def test_towers_of_powers_are_no_units_and_cost_no_time(text: str) -> None:
    assert unit_from_text(text) is None


def test_json_holds_a_list_per_column_or_a_list_of_records(tmp_path: Path) -> None:
    a = data.read(written(tmp_path, '{"id": ["a", "b"], "x [m]": [1, null]}', "a.json"))
    b = data.read(written(tmp_path, '[{"id": "a", "x [m]": 1}, {"id": "b"}]', "b.json"))
    assert a.digest == b.digest
    assert a.gaps("x").tolist() == [False, True]
    with pytest.raises(InputError, match="2 values of 'y' and 1 of 'x'"):
        data.read(written(tmp_path, '{"x": [1], "y": [1, 2]}', "a.json"))
    with pytest.raises(InputError, match="two entries named 'x'"):
        data.read(written(tmp_path, '{"x": [1], "x": [2]}', "a.json"))


def test_parquet_keeps_units_gaps_and_times(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra data")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pa.table(
        {
            "SpecimenID": ["a", "b"],
            "E": pa.array([1.0, None]),
            "v": pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64(), 2)),
            "when": pa.array(np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[us]")),
        },
    )
    fields = [f.with_metadata({"unit": "GPa"}) if f.name == "E" else f for f in table.schema]
    parquet.write_table(table.cast(pa.schema(fields)), tmp_path / "a.parquet")
    d = data.read(tmp_path / "a.parquet", time="when")
    assert (d.space["E"].unit, d.space["v"].shape, d.index) == ("GPa", (2,), "SpecimenID")
    assert d.gaps("E").tolist() == [False, True]
    assert np.diff(d["when"]).tolist() == [86400.0]


def workbook(path: Path) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["Sample", "Fibre", "", "Matrix", ""],
        ["ID", "E (GPa)", "nu", "E (GPa)", "nu"],
        ["a", 230, 0.2, 4.0, 0.38],
        ["b", 70, None, 3.5, "n/a"],
    ):
        sheet.append(row)
    sheet.merge_cells("B1:C1")
    sheet.merge_cells("D1:E1")
    sheet["C3"].number_format = "0 %"
    book.create_sheet("Notes").append(["nothing"])
    book.save(path)
    return path


def test_a_workbook_with_groups_over_names_that_repeat(tmp_path: Path) -> None:
    d = data.read(workbook(tmp_path / "a.xlsx"))
    assert d.keys() == ("ID", "Fibre_E", "Fibre_nu", "Matrix_E", "Matrix_nu")
    assert d["Fibre_E"].tolist() == [230.0, 70.0]
    # A cell shown as "20 %" is read as it is seen.
    assert (d["Fibre_nu"][0], d.space["Fibre_nu"].unit) == (pytest.approx(20.0), "percent")
    assert any("also holds Notes" in note for note in d.source.notes)
    with pytest.raises(InputError, match="no sheet 'Note'; did you mean 'Notes'"):
        data.read(tmp_path / "a.xlsx", sheet="Note")


def test_the_tensile_workbook_is_refused_at_its_ranges_and_read_with_them_as_gaps() -> None:
    path = DATA / "tensile-subsized" / "Tensile_Properties_of_Sub-sized_Specimens.xlsx"
    with pytest.raises(InputError, match=r"holds '150-400ppm' in row 591, column 'C \(wt\.%\)'"):
        data.read(path)
    d = data.read(path, unreadable="gap")
    assert (len(d), len(d.space)) == (1050, 55)
    assert d.space["Ultimate_Tensile_Strength"].unit == "MPa"
    assert d.space["Test_Temperature"].unit == "degC"
    assert np.nanmin(d["Test_Temperature"]) == -196.0
    # "<40 ppm" among percents: converted, and kept as a bound.
    assert np.count_nonzero(d.censored["C"]) == 15
    assert "dpa" in " ".join(d.source.notes)
    assert "Irradiation_Dose_dpa" in d.source.unstated


def test_the_soil_tables_are_read_as_they_are() -> None:
    cores = data.read(DATA / "soil-crnp-kansas" / "soil_data.csv")
    assert (len(cores), cores.space["latitude"].kind) == (56, "category")
    assert cores["theta_v"].mean() == pytest.approx(0.325, abs=5e-4)
    station = data.read_series(DATA / "soil-crnp-kansas" / "station_data_head.csv")
    assert (len(station), station.space["air_temperature_Avg"].unit) == (400, "degC")
    # What the logger writes for "out of range" is a gap; averages that hold some of it are left to the quality report.
    assert np.count_nonzero(station["wind_speed_Avg"] == -7999) == 0
    assert station.gaps("wind_speed_Avg").any()


@pytest.mark.skipif(not EXTRA.is_dir(), reason="SCALEBRIDGE_EXTRA_DATA names no folder")
def test_the_birch_table_knows_its_specimens_and_gaps() -> None:
    d = data.read(EXTRA / "birch-bending" / "birch_breaking_resistance.csv", units={"Density": "g/cm^3"})
    assert d.index == "SpecimenID"
    assert d.space["Density"].unit == "g/cm^3"
    assert d.gaps("FibreLength").sum() == 5


def test_the_source_tells_file_digest_and_what_was_assumed(tmp_path: Path) -> None:
    import hashlib

    path = written(tmp_path, "id,x\na,1\n")
    source = data.read(path).source
    assert source.files[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (source.reader, source.unstated) == ("table", ("x",))


def test_large_tables_read_by_chunks_as_small_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"S{i},{i / 7!r},{'n/a' if i == 77 else i}\n" for i in range(200))
    path = written(tmp_path, "SpecimenID,x,y\n" + rows)
    whole = data.read(path)
    monkeypatch.setattr("scalebridge.data.readers.text_table.CHUNK", 7)
    assert data.read(path).digest == whole.digest
    assert whole.gaps("y").sum() == 1


def test_the_column_of_identifiers_may_stand_anywhere(tmp_path: Path) -> None:
    d = data.read(written(tmp_path, "x,core_id,VOID\n1,1,5\n2,2,6\n"))
    assert (d.index, d["core_id"].tolist(), d.space["VOID"].kind) == ("core_id", ["1", "2"], "array")
    assert data.read(written(tmp_path, "x,core_id\n1,1\n2,2\n"), index=None).index is None
