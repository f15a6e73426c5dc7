"""Parsers: what stands in the files comes out exactly; what does not is a reason in words."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models.program import Columns, Csv, Hdf5, Json, NoValue, Npy, Npz, Pattern
from scalebridge.models.program.proposals import results_in
from scalebridge.models.program.results import Parser

LOG = """step 1 energy = -1.50 eV
step 2 energy = -2.25D+01 eV
step 3 energy = -.5e-3 eV
stress: 1 2 3
"""


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        (Pattern("log", "energy = {number}"), [-0.0005]),
        (Pattern("log", "energy = {number}", which="first"), [-1.5]),
        (Pattern("log", "energy = {number}", which=1), [-22.5]),
        (Pattern("log", "energy = {number}", which=-2), [-22.5]),
        (Pattern("log", "energy = {number}", which="all"), [-1.5, -22.5, -0.0005]),
        (Pattern("log", r"^stress: (\S+) (\S+) (\S+)$"), [1, 2, 3]),
        (Pattern("l*g", r"energy = (.*) eV", which=0), [-1.5]),
    ],
)
def test_a_pattern_finds_the_match_asked_for(pattern: Pattern, values: list[float], tmp_path: Path) -> None:
    (tmp_path / "log").write_text(LOG)
    assert pattern.read(tmp_path).tolist() == values


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (Pattern("log", "pressure = {number}"), "nothing in 'log' matches 'pressure"),
        (Pattern("log", "energy = {number}", which=7), "nothing in 'log' matches"),
        (Pattern("log", "energy = {number}", which=-7), "nothing in 'log' matches"),
        (Pattern("log", "(step)"), "what '(step)' finds in 'log' is 'step', no number"),
        (Pattern("none", "{number}"), "it wrote no file 'none'; its folder holds empty, log"),
        (Pattern("empty", "{number}"), "nothing in 'empty' matches"),
        (Pattern("*", "{number}"), "2 files match '*': empty, log"),
    ],
)
def test_a_pattern_without_a_match_says_why(pattern: Pattern, said: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(LOG)
    (tmp_path / "empty").write_text("")
    with pytest.raises(NoValue) as refused:
        pattern.read(tmp_path)
    assert said in str(refused.value)


def test_a_pattern_takes_no_memory_of_a_large_log(tmp_path: Path) -> None:
    import resource

    with open(tmp_path / "log", "wb") as file:
        # Mostly a hole: it takes no disk.
        file.seek(400_000_000)
        file.write(b"\nenergy = 4.5\n")
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom scalebridge.models.program import Pattern\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (250_000_000, 250_000_000))\n"
        "print(Pattern('log', 'energy = {number}').read(Path(sys.argv[1]))[0])\n"
    )
    import subprocess

    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert resource.RLIMIT_DATA and done.stdout == "4.5\n", done.stderr


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Pattern("log", "(unclosed"), "The regular expression '(unclosed' for 'log' is wrong"),
        (lambda: Pattern("log", "{number}", which="middle"), "which='middle'; give first, last, all or a number"),
        (lambda: Pattern("../log", "{number}"), "names the file '../log'; give its path below the working folder"),
        (lambda: Csv("/etc/passwd", 0), "give its path below the working folder"),
        (lambda: Csv("a", 0, row="last"), "The row 'last' of 'a' is neither a whole number nor 'all'"),
        (lambda: Csv("a", 1.5), "The column 1.5 of 'a' is neither a heading nor a whole number"),  # type: ignore
        (lambda: Columns("a", ""), "The column '' of 'a' is neither"),
        (lambda: Csv("a", 0, delimiter=", "), "The delimiter ', ' of 'a' is not one sign; blanks: see Columns"),
        (lambda: Json("a", ""), "is not of the form results.steps"),
        (lambda: Json("a", "b[x]"), "is not of the form results.steps"),
    ],
)
def test_a_parser_that_cannot_work_is_refused(make: Any, said: str) -> None:
    with pytest.raises(InputError) as refused:
        make()
    assert said in str(refused.value)


CSV = "time (s),load,note\n0,1.5,start\n1,2.5,\n2,3.5,end\n"


@pytest.mark.parametrize(
    ("text", "parser", "values"),
    [
        (CSV, Csv("t", "load"), [3.5]),
        (CSV, Csv("t", "load", row=0), [1.5]),
        (CSV, Csv("t", "load", row=-3), [1.5]),
        (CSV, Csv("t", 0, row="all"), [0, 1, 2]),
        (CSV.replace(",", ";"), Csv("t", "load"), [3.5]),
        (CSV.replace(",", "\t"), Csv("t", "load"), [3.5]),
        ("\ufefftitle\n" + CSV, Csv("t", "load", delimiter=","), [3.5]),
        ('"a, b",c\n1,2\n', Csv("t", "c"), [2]),
        ("1,2\n3,4\n", Csv("t", 1, row=0), [2]),
        ("# step temp\n# s K\n0 300\n\n10 310.5\n", Columns("t", 1), [310.5]),
        ("# step temp\n0 300\n10 310.5\n", Columns("t", "temp"), [310.5]),
        ("step temp\n0 300\n# a word\n10 310.5\n", Columns("t", "temp", row="all"), [300, 310.5]),
        ("  1  2\n\t3\t4D0\n", Columns("t", 1), [4]),
        ("1 2\n3 4", Columns("t", 0, row=1), [3]),
        ("# a; b\n# step,load\n0,1.5\n1,2.5\n", Csv("t", "step"), [1]),
        ("a title\nstep;load\n0;1.5\n#9;9\n", Csv("t", "load"), [1.5]),
        (CSV.replace("end", "load"), Csv("t", "load"), [3.5]),
        ("x 10 20\n1 2 3\nx 10 20\n4 5 6\n", Columns("t", "10", "all"), [2, 5]),
        ("12.5-3.5 1\n", Columns("t", -1), [1]),
        ("size,share\n0.5-1.0,23\n", Csv("t", 1), [23]),
        ("size share\n0.5-1.0 23\n", Columns("t", "share"), [23]),
    ],
)
def test_a_table_gives_the_cells_asked_for(
    text: str, parser: Csv | Columns, values: list[float], tmp_path: Path
) -> None:
    (tmp_path / "t").write_text(text)
    assert parser.read(tmp_path).tolist() == values


@pytest.mark.parametrize(
    ("text", "parser", "said"),
    [
        (CSV, Csv("t", "laod"), "'t' has no column 'laod'; did you mean 'load'?"),
        (CSV, Csv("t", "load", row=5), "'t' has no row 5 with a number in the column 'load'"),
        (CSV, Csv("t", "load", row=-5), "'t' has no row -5"),
        (CSV + "3", Csv("t", "load"), "'t', line 5 with 1 cells, under a heading of 3, is '3 ...', no number"),
        (CSV + "3,x,y\n", Csv("t", "load"), "'t', line 5, column 'load' is 'x', no number"),
        (CSV + "3,nan,y\n", Csv("t", "load"), "'t', line 5, column 'load' is nan"),
        ("", Csv("t", 0), "'t' has no row -1"),
        ("# step temp\n", Columns("t", "temp"), "'t' has no row -1 with a number in the column 'temp'"),
        ("1 2\n3\n", Columns("t", 1), "'t', line 2 has 1 columns only, no column '1'"),
        ("t,load,load\n0,1,2\n", Csv("t", "load"), "'t' has 2 columns 'load'; give its number"),
        ("   1.0000-12.3456   3.0000\n", Columns("t", 1), "column '1' is '1.0000-12.3456', no number"),
        (" 1.0E+00-2.0D-01   3.0000\n", Columns("t", 1), "is '1.0E+00-2.0D-01', no number"),
        ("********1.500   3.0000\n", Columns("t", 1), "is '********1.500', no number"),
        ("1 " * (1 << 20), Columns("t", 1), "'t', line 1 is longer than 1048576 characters"),
    ],
)
def test_a_table_that_is_cut_off_or_wrong_says_where(
    text: str, parser: Csv | Columns, said: str, tmp_path: Path
) -> None:
    (tmp_path / "t").write_text(text)
    with pytest.raises(NoValue) as refused:
        parser.read(tmp_path)
    assert said in str(refused.value)


def test_a_file_whose_name_holds_signs_of_a_pattern_is_found_by_it(tmp_path: Path) -> None:
    (tmp_path / "u[0].dat").write_text("x = 4.0\n")
    assert Pattern("u[0].dat", "x = {number}").read(tmp_path).tolist() == [4.0]


def test_json_by_its_path(tmp_path: Path) -> None:
    content = {"steps": [{"e": 1}, {"e": 2.5, "stress": [[1, 2], [3, 4]]}], "a b": {"c-d": 7}}
    (tmp_path / "r.json").write_text(json.dumps(content))
    assert Json("r.json", "steps[-1].e").read(tmp_path).item() == 2.5
    assert Json("r.json", "steps[1].stress").read(tmp_path).tolist() == [[1, 2], [3, 4]]
    assert Json("r.json", "a b.c-d").read(tmp_path).item() == 7


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ('{"energy": 1', "energy", "cannot be read as JSON"),
        ("", "energy", "cannot be read as JSON"),
        ("[" * 200_000, "energy", "cannot be read as JSON"),
        ('{"energy": 1}', "enrgy", "has no 'enrgy' on the way to 'enrgy'; did you mean 'energy'?"),
        ('{"energy": [1]}', "energy[3]", "has no entry [3] on the way"),
        ('{"energy": 1}', "energy.x", "has no 'x' on the way"),
        ('{"energy": "low"}', "energy", "is 'low', no number"),
        ('{"energy": [[1], [2, 3]]}', "energy", "no number"),
    ],
)
def test_json_that_is_cut_off_or_without_the_path_says_so(text: str, path: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(NoValue) as refused:
        Json("r.json", path).read(tmp_path)
    assert said in str(refused.value)


def test_numpy_files(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "b.npz", u=array, v=np.asfortranarray(array))
    assert Npy("a.npy").read(tmp_path).tolist() == array.tolist()
    assert Npy("a.npy", (1, 2)).read(tmp_path).item() == 5
    assert Npz("b.npz", "u", -1).read(tmp_path).tolist() == [3, 4, 5]
    assert Npz("b.npz", "v").read(tmp_path).tolist() == array.tolist()


def test_numpy_files_that_are_cut_off_or_lie_about_their_size_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(1000.0))
    whole = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "half.npy").write_bytes(whole[:3000])
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "huge.npy").write_bytes(whole.replace(b"(1000,)", b"(9999999999,)".ljust(7)))
    np.save(tmp_path / "text.npy", np.array(["a"]))
    (tmp_path / "objects.npy").write_bytes(_objects())
    for name in ("half", "empty", "huge", "text", "objects"):
        with pytest.raises(NoValue, match=name):
            Npy(f"{name}.npy").read(tmp_path)
    with pytest.raises(NoValue, match=r"has the shape .1000,., and no entry 1000"):
        Npy("a.npy", 1000).read(tmp_path)
    with zipfile.ZipFile(tmp_path / "lies.npz", "w") as archive:
        archive.writestr("u.npy", whole.replace(b"(1000,), }", b"(999999999,), }")[: len(whole)])
    np.savez(tmp_path / "good.npz", u=np.arange(3.0))
    (tmp_path / "half.npz").write_bytes((tmp_path / "good.npz").read_bytes()[:150])
    for name, key in (("lies", "u"), ("half", "u"), ("good", "w")):
        with pytest.raises(NoValue, match=name):
            Npz(f"{name}.npz", key).read(tmp_path)


def _objects() -> bytes:
    kept = io.BytesIO()
    np.save(kept, np.array([{}], dtype=object), allow_pickle=True)
    return kept.getvalue()


def test_hdf5_files(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "r.h5", "w") as file:
        file["results/stress"] = np.arange(6.0).reshape(2, 3)
        file["results/name"] = "steel"
    assert Hdf5("r.h5", "results/stress").read(tmp_path).shape == (2, 3)
    assert Hdf5("r.h5", "results/stress", (1, 2)).read(tmp_path).item() == 5
    content = (tmp_path / "r.h5").read_bytes()
    (tmp_path / "half.h5").write_bytes(content[: len(content) // 3])
    for parser, said in (
        (Hdf5("r.h5", "results/strain"), "'r.h5' has no dataset 'results/strain'"),
        (Hdf5("r.h5", "results"), "'r.h5' has no dataset 'results'"),
        (Hdf5("r.h5", "results/stress", (7, 0)), "'r.h5' cannot be read"),
        (Hdf5("r.h5", "results/name"), "no numbers"),
        (Hdf5("half.h5", "results/stress"), "'half.h5' cannot be read as HDF5"),
    ):
        with pytest.raises(NoValue, match=said):
            parser.read(tmp_path)


def test_hdf5_without_its_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scalebridge.models.program.parsers.arrays.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "scalebridge\[hdf5\]"'):
        Hdf5("r.h5", "a")


def test_a_pipe_or_a_device_in_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "device", "folder"):
        for parser in (Pattern(name, "{number}"), Csv(name, 0), Json(name, "a"), Npy(name)):
            with pytest.raises(NoValue, match=f"'{name}' is no file"):
                parser.read(tmp_path)


def test_mutated_files_give_numbers_or_a_reason_and_nothing_else(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", np.arange(20.0))
    np.savez_compressed(tmp_path / "a.npz", u=np.arange(20.0))
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "a.txt").write_text(LOG)
    (tmp_path / "a.json").write_text('{"steps": [{"e": 1}, {"e": 2.5}]}')
    parsers: dict[str, Parser] = {
        "a.npy": Npy("f"),
        "a.npz": Npz("f", "u"),
        "a.csv": Csv("f", "load"),
        "a.txt": Pattern("f", "energy = {number}"),
        "a.json": Json("f", "steps[1].e"),
    }
    reasons = 0
    for name, parser in parsers.items():
        whole = (tmp_path / name).read_bytes()
        for _ in range(200):
            damaged = bytearray(whole[: rng.integers(0, len(whole) + 1)])
            for at in rng.integers(0, max(len(damaged), 1), size=3 if damaged else 0):
                damaged[at] = rng.integers(0, 256)
            (tmp_path / "f").write_bytes(bytes(damaged))
            try:
                assert parser.read(tmp_path).dtype == np.float64
            except NoValue as error:
                reasons += 1
                assert str(error) and "\n" not in str(error)[:200]
    assert reasons > 300


def test_damaged_hdf5_gives_numbers_or_a_reason_and_proposals_or_none(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("g/x", data=np.arange(50.0).reshape(10, 5), compression="gzip")
        file["s"] = 2.0
    whole, rng, reasons = (tmp_path / "a.h5").read_bytes(), np.random.default_rng(0), 0
    for _ in range(300):
        damaged = bytearray(whole[: rng.integers(len(whole) // 2, 2 * len(whole))])
        for at in rng.integers(0, len(damaged), size=5):
            damaged[at] = rng.integers(0, 256)
        (tmp_path / "a.h5").write_bytes(bytes(damaged))
        results_in(tmp_path, ["a.h5"])
        for parser in (Hdf5("a.h5", "g/x", (-1, 2)), Hdf5("a.h5", "s")):
            try:
                assert parser.read(tmp_path).dtype == np.float64
            except NoValue:
                reasons += 1
    assert 0 < reasons < 600


def test_a_dataset_that_claims_more_than_is_read_at_once_is_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", shape=(3, 1 << 40), dtype="f8", chunks=(1, 1 << 10))
    for index in (None, -1):
        with pytest.raises(NoValue, match=r"'x' in 'a.h5' is larger than 512 MiB"):
            Hdf5("a.h5", "x", index).read(tmp_path)
    assert Hdf5("a.h5", "x", (0, 5)).read(tmp_path).tolist() == 0
