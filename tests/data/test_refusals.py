"""What readers refuse: one sentence that names the file, the row and the column."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scalebridge import data
from scalebridge.errors import InputError

HEAD = "SpecimenID,E [GPa],Strength [MPa]\n"
ROWS = [f"S{i},{i + 1}.5,{100 + i}" for i in range(12)]


def written(folder: Path, rows: list[str], head: str = HEAD, name: str = "a.csv", **options: str) -> Path:
    path = folder / name
    path.write_text(head + "\n".join(rows) + "\n", **{"encoding": "utf-8", **options})  # type: ignore[arg-type]
    return path


def refusal(read: Callable[[], object]) -> str:
    with pytest.raises(InputError) as found:
        read()
    text = str(found.value)
    assert "\n" not in text
    return text


CELLS = {
    "text-among-numbers": ("broken", r"holds 'broken' in row 6, column 'E [GPa]', among 11 numbers"),
    "infinite": ("inf", "which is no finite number"),
    "too-large-for-a-float": ("1e999", "which is no finite number"),
    "spreadsheet-error": ("#DIV/0!", "an error of the spreadsheet"),
    "date": ("2021-01-02", "a date among 11 numbers"),
    "day-and-month": ("2-Jan", "a date among 11 numbers"),
    "thousands": ('"1,234"', "may part thousands or decimals"),
    "decimal-comma-in-quotes": ('"1,5"', "may part thousands or decimals"),
    "another-kind-of-unit": ("3 mm", "does not convert to 'GPa'"),
    "underscored": ("1_000", "among 11 numbers"),
    "hexadecimal": ("0x1F", "among 11 numbers"),
    "digits-of-another-script": ("١٢", "among 11 numbers"),
    "two-numbers": ("1.5 2.5", "among 11 numbers"),
    "range": ("10-20", "among 11 numbers"),
}


@pytest.mark.parametrize(("cell", "told"), CELLS.values(), ids=CELLS)
def test_a_cell_that_is_no_number_is_named_with_file_row_and_column(tmp_path: Path, cell: str, told: str) -> None:
    rows = ROWS.copy()
    rows[4] = f"S4,{cell},104"
    text = refusal(lambda: data.read(written(tmp_path, rows)))
    assert told in text
    assert "a.csv" in text
    assert "in row 6, column 'E [GPa]'" in text


def test_gap_conventions_are_gaps_that_are_listed(tmp_path: Path) -> None:
    rows = ROWS.copy()
    rows[4], rows[5], rows[6] = "S4,n/a,104", "S5,,105", "S6,-,106"
    d = data.read(written(tmp_path, rows))
    assert np.flatnonzero(d.gaps("E")).tolist() == [4, 5, 6]
    assert any("'n/a' in the column 'E [GPa]' was taken for a gap in 1 cells (row 6)" in n for n in d.source.notes)
    assert data.read(written(tmp_path, [*ROWS, "S99,-999,1"]), gaps=["-999"]).gaps("E")[-1]


def test_text_among_numbers_can_be_taken_for_gaps_that_are_listed(tmp_path: Path) -> None:
    rows = ROWS.copy()
    rows[4] = "S4,see note,104"
    d = data.read(written(tmp_path, rows), unreadable="gap")
    assert d.gaps("E").sum() == 1
    assert any("'see note'" in n and "row 6" in n for n in d.source.notes)
    assert data.read(written(tmp_path, rows), text=["E"]).space["E"].kind == "category"


def test_mixed_units_in_one_column_are_converted_and_said(tmp_path: Path) -> None:
    d = data.read(written(tmp_path, ["a,12 mm", "b,1.2 cm", "c,13mm"], "id,length\n"))
    assert d.space["length"].unit == "mm"
    assert d["length"] == pytest.approx([12.0, 12.0, 13.0])
    assert any("2 cells in 'mm'" in n and "1 cells in 'cm'" in n for n in d.source.notes)


def test_bare_numbers_among_units_are_refused_until_their_unit_is_given(tmp_path: Path) -> None:
    path = written(tmp_path, ["a,12 mm", "b,1.2", "c,13 mm"], "id,length\n")
    text = refusal(lambda: data.read(path))
    assert "'12 mm' in row 2, column 'length', and '1.2' without a unit in row 3" in text
    assert data.read(path, units={"length": "cm"})["length"] == pytest.approx([1.2, 1.2, 1.3])


def test_bounds_and_deviations_in_cells_are_kept(tmp_path: Path) -> None:
    d = data.read(written(tmp_path, ["a,>1e6,1.0 ± 0.1", "b,2e5,2 +/- 0.2", "c,<10,3"], "id,N,E [GPa]\n"))
    assert d.censored["N"].tolist() == [1, 0, -1]
    assert d["N"].tolist() == [1e6, 2e5, 10.0]
    assert d.std["E"][:2].tolist() == [0.1, 0.2]


def test_names_of_steels_are_no_quantities(tmp_path: Path) -> None:
    d = data.read(written(tmp_path, ["1,316L", "2,304L", "3,5N"], "n,Material\n"))
    assert d.space["Material"].kind == "category"


def test_an_identifier_that_stands_twice_is_named_with_both_rows(tmp_path: Path) -> None:
    path = written(tmp_path, [*ROWS, "S3,1,1"])
    text = refusal(lambda: data.read(path))
    assert "identifier 'S3' twice, in row 5 and row 14, column 'SpecimenID'" in text
    assert data.read(path, index=None).index is None


@pytest.mark.parametrize("cells", [("1,234", "1,567"), ("1.234,5", "1.000,5"), ("1 234", "5 678"), ("1,5", "2.5")])
def test_a_whole_column_of_numbers_that_can_be_read_in_two_ways_is_refused(
    tmp_path: Path, cells: tuple[str, str]
) -> None:
    path = written(tmp_path, [f"a;{cells[0]}", f"b;{cells[1]}"], "id;x\n")
    text = refusal(lambda: data.read(path))
    assert f"holds '{cells[0]}' in row 2, column 'x', where a comma, a point or a blank may part" in text


def test_separators_that_are_told_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, ["a;1.234,5", "b;5"], "id;x\n")
    assert data.read(path, decimal=",", thousands=".")["x"].tolist() == [1234.5, 5.0]
    path = written(tmp_path, ['a,"1,234.5"', "b,5"], "id,x\n")
    assert data.read(path, thousands=",")["x"].tolist() == [1234.5, 5.0]


def test_one_identifier_twice_among_three_is_a_mistake(tmp_path: Path) -> None:
    path = written(tmp_path, ["a,1,1", "b,2,2", "b,3,3"])
    assert "identifier 'b' twice, in row 3 and row 4" in refusal(lambda: data.read(path))


def test_identifiers_of_groups_are_no_index(tmp_path: Path) -> None:
    d = data.read(written(tmp_path, [f"S{i % 4},{i},1" for i in range(12)]))
    assert d.index is None
    assert any("names 4 groups of rows" in n for n in d.source.notes)


STRUCTURES = {
    "ragged": (HEAD + "a,1,2\nb,1\nc,1,2\n", "has 2 cells in row 3 and 3 columns in its header"),
    "cut-off-in-a-row": (HEAD + "a,1,2\nb,1,2\nc,1", "it is the last row, so the file may be cut off"),
    "quote-not-closed": (HEAD + 'a,1,2\n"b,1,2\nc,1,2\n', "a quote is not closed there"),
    "two-columns-of-one-name": ("a,b,a\n1,2,3\n", "two columns named 'a' (columns 1 and 3)"),
    "no-header": ("1,2,3\n4,5,6\n", "has no header: its first row holds numbers only"),
    "header-only": (HEAD, "holds a header and no rows"),
    "blank": ("\n\n  \n", "holds no table, only"),
    "unit-not-known": ("id,E [GPaa]\na,1\n", "whose unit 'GPaa' is not known"),
    "binary": ("id,x\na,1\x00\x01\n", "is no text: row 2 holds the byte 0x00"),
    "times-go-back": ("time,x\n2020-01-02,1\n2020-01-01,2\n", "goes back by 86400 s in row 3"),
    "times-repeat": ("time,x\n2020-01-02,1\n2020-01-02,2\n", "repeats in row 3"),
    "times-not-there": ("time,x\n2020-01-02,1\n2020-13-02,2\n", "holds the time stamp '2020-13-02' in row 3"),
    "days-or-months": ("time,x\n01/02/2020,1\n03/02/2020,2\n", "day and month cannot be told apart"),
}


@pytest.mark.parametrize(("content", "told"), STRUCTURES.values(), ids=STRUCTURES)
def test_tables_that_cannot_be_trusted_are_refused(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, encoding="utf-8")
    text = refusal(lambda: data.read_series(path) if content.startswith("time") else data.read(path))
    assert told in text
    assert "a.csv" in text


def test_text_of_another_encoding_is_refused_until_it_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, ["a,Käse"], "id,name\n", encoding="cp1252")
    assert "is not in utf-8: row 2 holds the byte 0xe4" in refusal(lambda: data.read(path))
    assert data.read(path, encoding="cp1252")["name"].tolist() == ["Käse"]
    assert "no encoding 'latin-9000'" in refusal(lambda: data.read(path, encoding="latin-9000"))


def test_times_may_go_back_where_the_user_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, ["2020-01-02T00:00:00Z,1", "2020-01-01T00:00:00Z,2"], "time,x\n")
    d = data.read_series(path, order="any")
    assert d.time is not None
    assert (d.time.zone, d.time.step) == ("UTC", None)
    assert np.diff(d["time"]).tolist() == [-86400.0]


def test_paths_that_are_no_readable_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "specimens.csv").write_text("a\n1\n")
    assert "did you mean 'specimens.csv'" in refusal(lambda: data.read(tmp_path / "specimen.csv"))
    (tmp_path / "folder.csv").mkdir()
    assert "holds no image" in refusal(lambda: data.read(tmp_path / "folder.csv"))
    assert "is a folder" in refusal(lambda: data.read_table(tmp_path / "folder.csv"))
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    assert "loop.csv" in refusal(lambda: data.read(tmp_path / "loop.csv"))
    (tmp_path / "empty.csv").touch()
    assert "is empty (0 bytes)" in refusal(lambda: data.read(tmp_path / "empty.csv"))
    assert "which no reader knows" in refusal(lambda: data.read(written(tmp_path, ROWS, name="a.doc")))
    assert "no option 'unit'" in refusal(lambda: data.read(written(tmp_path, ROWS), unit="m"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, ROWS)
    path.chmod(0)
    assert "check its path and permissions" in refusal(lambda: data.read(path))


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    assert "is no regular file" in refusal(lambda: data.read(tmp_path / "a.csv"))


def png_header(columns: int, rows: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def test_an_image_of_40_000_by_40_000_pixels_is_refused_from_its_header(tmp_path: Path) -> None:
    (tmp_path / "huge.png").write_bytes(png_header(40_000, 40_000))
    text = refusal(lambda: data.read(tmp_path / "huge.png"))
    assert "huge.png' has 40000 x 40000 pixels" in text or "has too many pixels" in text


def test_a_truncated_image_is_refused_alone_and_in_a_folder(tmp_path: Path) -> None:
    from PIL import Image

    grey = np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8)
    for name in ("a1.png", "a2.png"):
        Image.fromarray(grey).save(tmp_path / name)
    whole = (tmp_path / "a2.png").read_bytes()
    (tmp_path / "a2.png").write_bytes(whole[: len(whole) // 2])
    for target in (tmp_path, tmp_path / "a2.png"):
        text = refusal(lambda target=target: data.read(target))
        assert "a2.png" in text
        assert "truncated" in text


def test_a_zip_bomb_under_the_name_of_a_workbook_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 2**28)
    assert "would unpack from" in refusal(lambda: data.read(path))


def workbook(path: Path, rows: list[list[object]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


EXCEL = {
    "error-cell": ("#DIV/0!", "holds '#DIV/0!' in row 3, column 'E [GPa]', an error of the spreadsheet"),
    "formula-without-value": ("=A1+1", "a formula without its value in row 3, column B"),
    "text-among-numbers": ("ok", "holds 'ok' in row 3, column 'E [GPa]', among 3 numbers"),
}


@pytest.mark.parametrize(("cell", "told"), EXCEL.values(), ids=EXCEL)
def test_cells_of_workbooks_are_refused_with_sheet_row_and_column(tmp_path: Path, cell: str, told: str) -> None:
    rows = [["SpecimenID", "E [GPa]"], ["a", 1.0], ["b", cell], ["c", 2.0], ["d", 4.0]]
    text = refusal(lambda: data.read(workbook(tmp_path / "a.xlsx", rows)))
    assert told in text
    assert "sheet 'Sheet'" in text


def test_dates_among_numbers_in_a_workbook_are_refused(tmp_path: Path) -> None:
    from datetime import datetime

    rows = [["SpecimenID", "E [GPa]"], ["a", 1.0], ["b", datetime(2021, 2, 1)], ["c", 2.0]]
    assert "a date among 2 numbers" in refusal(lambda: data.read(workbook(tmp_path / "a.xlsx", rows)))


def test_zarr_codecs_that_could_run_code_are_refused_before_they_are_opened(tmp_path: Path) -> None:
    pytest.importorskip("zarr", reason="needs the extra data")
    store = tmp_path / "a.zarr"
    store.mkdir()
    (store / ".zarray").write_text(
        '{"zarr_format": 2, "shape": [2], "chunks": [2], "dtype": "|O", "fill_value": 0, "order": "C", '
        '"compressor": null, "filters": [{"id": "pickle"}]}'
    )
    assert "is packed by 'pickle', which is not read" in refusal(lambda: data.read(store))


def test_arrays_of_objects_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.array([{}, {}], dtype=object))
    assert "cannot be decoded" in refusal(lambda: data.read(tmp_path / "a.npz"))


def test_an_absent_extra_is_answered_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert "pip install 'scalebridge[data]'" in refusal(lambda: data.read(tmp_path / "a.h5"))
