"""Dumps: coordinates of every form, boxes, frames cut off, packed files, exact numbers, flat memory."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import lzma
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.lammps import number_blocks
from scalebridge.simulators.lammps.dumps import iterate_dump, read_dump
from scalebridge.simulators.lammps.logs import read_log

DATA = Path(__file__).parents[3] / "data"
STYLES, LJ, ARGON = DATA / "lammps-styles", DATA / "lammps-lj-logs", DATA / "argon-md"
compiled = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="needs numba")


def frame(step: int, rows: str, n: int | None = None, columns: str = "id type x y z") -> str:
    n = len(rows.splitlines()) if n is None else n
    box = "ITEM: BOX BOUNDS pp pp pp\n0 10\n0 10\n0 10\n"
    return f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{n}\n{box}ITEM: ATOMS {columns}\n{rows}"


ROWS = "2 1 4 5 6\n1 1 1 2 3\n"


def test_the_energies_of_a_dump_add_up_to_that_of_its_log() -> None:
    for name in ("LJ_gas", "LJ_melt"):
        dump, block = read_dump(LJ / name / "dump.lammpstrj.gz"), read_log(LJ / name / "log.lammps")[0]
        for snapshot in dump:
            row = block["Step"].tolist().index(snapshot.step)
            assert snapshot["c_peatom"].mean() == pytest.approx(block["PotEng"][row], rel=1e-6)
            np.testing.assert_allclose(np.sum([snapshot[f"f{axis}"].sum() for axis in "xyz"]), 0, atol=1e-6)


def test_the_temperature_of_velocities_is_that_of_the_log() -> None:
    last = read_dump(ARGON / "dump.liquid94K.lammpstrj", units="real")[-1]
    block = read_log(ARGON / "log.liquid94K.lammps")[-1]
    speeds = np.column_stack([last[f"v{axis}"] for axis in "xyz"]) * 1e5
    mass = 39.948e-3 / 6.02214076e23
    temperature = mass * (speeds**2).sum() / (3 * 499 * 1.380649e-23)
    assert temperature == pytest.approx(block["Temp"][block["Step"] == last.step][0], rel=1e-4)


def test_the_same_atoms_have_the_same_places_scaled_unwrapped_and_by_images() -> None:
    scaled, through = read_dump(STYLES / "custom.dump"), read_dump(STYLES / "xu.dump")
    assert len(scaled) == len(through) == 3
    for a, b in zip(scaled, through, strict=True):
        np.testing.assert_allclose(a.positions(unwrapped=True), b.positions(unwrapped=True), atol=5e-5)
        np.testing.assert_allclose(a.box.to_scaled(b.positions()), a.box.to_scaled(a.positions()) % 1.0, atol=2e-5)
    assert scaled[1].time == 0.25 and scaled[1].units == "lj" and set(scaled[0]["element"]) == {"Ar"}


def test_all_forms_of_coordinates_agree_in_a_triclinic_box() -> None:
    for snapshot in read_dump(STYLES / "tri.dump"):
        columns = {
            form: np.column_stack([snapshot[f"{axis}{form}"] for axis in "xyz"]) for form in ("", "s", "u", "su")
        }
        images = np.column_stack([snapshot[f"i{axis}"] for axis in "xyz"])
        box = snapshot.box
        assert box.volume == pytest.approx(120) and not box.orthogonal
        np.testing.assert_allclose(box.from_scaled(columns["s"]), columns[""], atol=5e-5)
        np.testing.assert_allclose(box.from_scaled(columns["su"]), columns["u"], atol=5e-5)
        np.testing.assert_allclose(columns[""] + images @ box.edges, columns["u"], atol=5e-5)
        np.testing.assert_allclose(box.wrapped(columns["u"]), columns[""], atol=5e-5)
        assert snapshot.dataset().space["x"].unit == "angstrom" and snapshot.time == pytest.approx(snapshot.step * 1e-3)


def test_a_box_of_general_form_is_the_one_that_lammps_turned() -> None:
    general, turned = (read_dump(STYLES / f"{name}.dump") for name in ("general", "restricted"))
    for a, b in zip(general, turned, strict=True):
        assert a.box.volume == pytest.approx(b.box.volume)
        np.testing.assert_allclose(a.box.edges @ a.box.edges.T, b.box.edges @ b.box.edges.T, atol=1e-12)
        np.testing.assert_allclose(a.box.to_scaled(a.positions()), b.box.to_scaled(b.positions()), atol=1e-5)


def test_rows_come_in_the_order_of_their_ids_unless_they_are_asked_for_as_written(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_text(frame(0, ROWS))
    assert read_dump(path)[0]["id"].tolist() == [1, 2] and read_dump(path)[0]["z"].tolist() == [3, 6]
    assert read_dump(path, sort=False)[0]["id"].tolist() == [2, 1]


def test_rows_come_in_the_order_of_their_ids_though_ids_are_not_asked_for(tmp_path: Path) -> None:
    path, columns = tmp_path / "dump", "id element x y z"
    turned = "3 C 3 4 5\n1 A 1 2 3\n2 B 2 3 4\n"
    path.write_text(frame(0, turned, 3, columns) + frame(1, "1 A 1 2 3\n3 C 3 4 5\n2 B 2 3 4\n", 3, columns))
    for found in iterate_dump(path, columns=["element", "z", "x"]):
        assert found.names == ("z", "x") and "id" not in found
        assert found.values.tolist() == [[3, 1], [4, 2], [5, 3]] and found["element"].tolist() == ["A", "B", "C"]
    assert read_dump(path, columns=["x"], sort=False)[0]["x"].tolist() == [3, 1, 2]
    path.write_text(frame(0, "3 4\n1 2\n", 2, "x y"))
    assert read_dump(path, columns=["x"])[0]["x"].tolist() == [3, 1]


def test_columns_and_frames_can_be_chosen_and_atoms_may_come_and_go(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_text("".join(frame(k, "".join(f"{i + 1} 1 {k} {i} 0\n" for i in range(k))) for k in range(7)))
    frames = read_dump(path, columns=["x", "id"], every=3)
    assert [f.step for f in frames] == [0, 3, 6] and [len(f) for f in frames] == [0, 3, 6]
    assert frames[-1].names == ("x", "id") and frames[-1].values.tolist() == [[6, i + 1] for i in range(6)]
    with pytest.raises(InputError, match="no column 'vx'"):
        read_dump(path, columns=["vx"])


def test_a_file_per_frame_is_one_dump(tmp_path: Path) -> None:
    paths = []
    for step in (0, 100, 200, 300):
        paths.append(tmp_path / f"dump.{step}")
        paths[-1].write_text(frame(step, ROWS))
    assert [f.step for f in read_dump(paths, every=2)] == [0, 200]
    with pytest.raises(InputError, match="at least one"):
        read_dump([])
    with pytest.raises(InputError, match="One of every 0 frames"):
        read_dump(paths, every=0)


def test_a_last_frame_cut_anywhere_is_left_out_with_a_word(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    one, two = frame(0, ROWS), frame(100, ROWS)
    for end in range(1, len(two)):
        path.write_text(one + two[:end])
        dump = read_dump(path)
        assert [f.step for f in dump] == [0], end
        assert "was left out" in dump.remark, end
    path.write_text(one + two)
    assert len(read_dump(path)) == 2 and read_dump(path).remark == ""


def test_a_frame_that_a_restarted_run_wrote_over_is_left_out_with_a_word(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_text(frame(0, ROWS) + frame(100, "2 1 4 5 6\n1 1 0.", 2) + frame(100, ROWS) + frame(200, ROWS))
    dump = read_dump(path)
    assert [f.step for f in dump] == [0, 100, 200] and "step 100 is cut off" in dump.remark


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_dumps_read_like_plain_ones(tmp_path: Path, pack) -> None:
    path = tmp_path / "dump.packed"
    path.write_bytes(pack((STYLES / "tri.dump").read_bytes()))
    for a, b in zip(read_dump(path), read_dump(STYLES / "tri.dump"), strict=True):
        np.testing.assert_array_equal(a.values, b.values)


def test_a_packed_dump_that_is_still_being_written_gives_its_whole_frames(tmp_path: Path) -> None:
    content = (LJ / "LJ_melt" / "dump.lammpstrj.gz").read_bytes()
    path = tmp_path / "dump.gz"
    path.write_bytes(content[: len(content) * 3 // 4])
    dump = read_dump(path)
    assert len(dump) == 1 and "was left out" in dump.remark


def test_zstd_is_read_or_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "dump.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"\0" * 20)
    with pytest.raises(InputError, match=r"zstd|packed|cannot be read"):
        read_dump(path)


def test_local_dumps_and_texts_are_read() -> None:
    local = read_dump(STYLES / "local.dump")[0]
    assert local.kind == "ENTRIES" and len(local) == 30 and local.names[0] == "index"
    elements = read_dump(STYLES / "elements.dump")[0]
    assert set(elements["element"]) == {"Ar", "Kr"} and elements["vx"][0] == -1.76444866989289
    data = elements.dataset()
    assert data.space["element"].kind == "category" and data.coordinates is None


def test_grids_are_read_cell_by_cell() -> None:
    last = read_dump(STYLES / "grid.dump")[-1]
    assert last.kind == "GRID CELLS" and len(last) == 64
    assert last["c_p:grid:data[1]"].tolist() == list(range(1, 65))
    assert last["f_g:grid:count"].mean() == pytest.approx(108 / 64, rel=1e-3)
    assert last.dataset().space.names[-1] == "c_p_grid_data_2"


def test_a_frame_is_a_dataset_of_points() -> None:
    data = read_dump(STYLES / "tri.dump")[0].dataset()
    assert data.coordinates is not None and data.coordinates.columns == ("x", "y", "z")
    assert data.space["q"].unit == "elementary_charge" and len(data) == 40


TOKENS = [
    *("0", "-0", "1.", ".5", "-.25", "+3", "1e5", "1E-5", "1e22", "123456789012345678", "1e-300", "2.5e+17"),
    *("nan", "-nan", "inf", "-inf", "0.1", "9007199254740993", "18446744073709551616", "0.000000000000000000000012"),
]


@compiled
def test_compiled_loops_and_numpy_read_the_same_numbers_as_python() -> None:
    rng = np.random.default_rng(0)
    tokens = TOKENS + [
        form % value
        for form in ("%g", "%.17g", "%20.15f", "%.16e")
        for value in rng.normal(size=500) * 10 ** rng.uniform(-15, 15, size=500)
    ]
    block = "".join(f"{word}\n" for word in tokens).encode()
    for loops in (True, False):
        out = np.empty((len(tokens), 1))
        number_blocks.numbers_of(block, len(tokens), np.array([0]), out, "The file", 1, loops)
        np.testing.assert_array_equal(out[:, 0], [float(word) for word in tokens])


@pytest.mark.parametrize("loops", [pytest.param(True, marks=compiled), False])
def test_damage_in_the_rows_is_named_by_its_line(loops: bool, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(number_blocks, "WORTH_COMPILING", 0 if loops else 2**60)
    path = tmp_path / "dump"
    for row, words in (("2 1 4 x 6", "line 11, holds 'x'"), ("2 1 4 6", "line 11, has 4 columns where 5")):
        path.write_text(frame(0, f"1 1 1 2 3\n{row}\n"))
        with pytest.raises(InputError, match=words):
            read_dump(path)
    path.write_text(frame(0, ROWS) * 3)
    assert read_dump(path)[2].values.tolist() == [[1, 1, 1, 2, 3], [2, 1, 4, 5, 6]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello\n", "line 1, holds 'hello' where an 'ITEM:'"),
        (frame(0, ROWS, n=10**12), "announces 1000000000000 rows"),
        (frame(0, ROWS, n=-2), "announces -2 rows"),
        (
            (STYLES / "grid.dump").read_text().replace("4 4 4", "1e200 1e200 4", 1),
            "announces 4611686018427387904 rows",
        ),
        (frame(0, ROWS).replace("0 10\n", "0 nan\n", 1), "where 2 numbers must stand"),
        (frame(0, ROWS).replace("TIMESTEP\n0", "TIMESTEP\nzero"), "where the time step must stand"),
        (frame(0, ROWS).replace("ITEM: BOX BOUNDS pp pp pp\n0 10\n0 10\n0 10\n", ""), "without the item BOX BOUNDS"),
        (frame(0, ROWS, columns="id id x y z"), "names the column 'id' 2 times"),
        ("---\ncreator: LAMMPS\n", "of the style yaml, which is not read"),
        ("2\nAtoms. Timestep: 0\n", "of the style xyz, which is not read"),
        ("Number of particles = 2\n", "of the style cfg, which is not read"),
        (
            frame(0, ROWS).replace("ITEM: TIMESTEP", "ITEM: WEATHER\n5\nITEM: TIMESTEP"),
            "ITEM:|which no dump has|begins rows",
        ),
    ],
)
def test_what_is_no_dump_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "dump"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_dump(path)


def test_places_that_are_missing_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_text(frame(0, ROWS))
    with pytest.raises(InputError, match="dump xu yu zu, or ix iy iz"):
        read_dump(path)[0].positions(unwrapped=True)
    path.write_text(frame(0, "1 2 3\n", columns="id vx vy"))
    with pytest.raises(InputError, match="no three coordinates"):
        read_dump(path)[0].positions()


def test_a_stream_holds_one_frame_however_long_the_dump(tmp_path: Path) -> None:
    rows = "".join(f"{i + 1} 1 {i * 0.01:.4f} 2.25 3.5\n" for i in range(20000))
    path = tmp_path / "dump"
    with path.open("w") as stream:
        for k in range(40):
            stream.write(frame(k, rows))
    peaks = []
    for every in (40, 1):
        tracemalloc.start()
        n = sum(1 for _ in iterate_dump(path, every=every))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert n == 40 // every
    assert path.stat().st_size > 15e6 and peaks[1] < 24e6 and peaks[1] < 1.5 * peaks[0]


def test_a_stream_can_be_gone_through_twice() -> None:
    stream = iterate_dump(STYLES / "tri.dump")
    assert [f.step for f in stream] == [f.step for f in stream] == [200, 250, 300]
