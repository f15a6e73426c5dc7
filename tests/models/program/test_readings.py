"""Reading: no part of a number passes for a number, no heading for another, and nothing takes for ever."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pint
import pytest

from scalebridge import Variable
from scalebridge.errors import InputError
from scalebridge.models import Program
from scalebridge.models.program import Columns, Csv, Json, NoValue, Npy, Pattern

ONE = np.array([[4.0]])


def made(results: Any, **settings: Any) -> Program:
    return Program(["true"], {"x": "1"}, {"y": "Pa"}, results, template={"in": "{{ x }}"}, **settings)


@pytest.mark.parametrize(
    "written",
    [
        "0.1234-102",
        "1.#QNAN",
        "1,234.5",
        "********",
        "1_000",
        "1.2.3",
        "0x1F",
        "1.5e",
        "1.5E+",
        "-1,234",
        "12*****",
        "0,68",
        "-12,5E-3",
    ],
)
def test_what_begins_like_a_number_and_is_none_is_refused(written: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"step 1 y = 5.0\nstep 2 y = {written}\n")
    with pytest.raises(NoValue, match="no number"):
        Pattern("log", "y = {number}").read(tmp_path)


@pytest.mark.parametrize(
    ("text", "regex", "values"),
    [
        ("y = 1.5, z = 2", "y = {number}", [1.5]),
        ("y = 1.5.", r"y = {number}\.$", [1.5]),
        ("1,234", "^{number},{number}$", [1, 234]),
        ("0.5,123", "^{number}", [0.5]),
        ("[1,2,3]", r"\[{number}", [1]),
        ("(0,68)", r"\({number},{number}\)", [0, 68]),
        ("5.0-6.5", "^{number}-{number}$", [5, 6.5]),
        ("5e-3-6.5", "^{number}-{number}$", [0.005, 6.5]),
        ("T = 300K", "T = {number}", [300]),
        ("300MPa", r"{number}\s*[A-Za-z]+", [300]),
        ("time 12s, 3.5 s", "time {number}s, {number} s", [12, 3.5]),
        ("v300 = .5D-1;", "v{number} = {number};", [300, 0.05]),
        ("E.....5.0", r"E\.+{number}", [5]),
        ("(1 -2e5)", r"\({number} {number}\)", [1, -2e5]),
        ("load 5% ****", "load {number}%", [5]),
        ("\n \n  energy = 3\n", r"^\s*energy = {number}", [3]),
    ],
)
def test_a_number_ends_where_the_text_or_the_regex_ends_it(
    text: str, regex: str, values: list[float], tmp_path: Path
) -> None:
    (tmp_path / "log").write_text(text)
    assert Pattern("log", regex).read(tmp_path).tolist() == values


@pytest.mark.parametrize(
    ("content", "regex"),
    [
        (b"1" * 200_000, "{number} K"),
        (b"1a" * 100_000, "{number} K"),
        (b"123," * 50_000, "{number} K"),
        (b"1,2e" * 50_000, "{number} K"),
        (b"1," + b"2" * 200_000, "{number} K"),
        (b"1e" * 100_000, "{number} K"),
        (b"." * 200_000, "{number} K"),
        (b"\n" * 200_000, r"^\s*energy = {number}"),
        (b" " * 200_000, r"energy = {number}"),
    ],
)
def test_the_time_of_a_search_grows_with_the_file_and_no_faster(content: bytes, regex: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(content)
    start = time.perf_counter()
    with pytest.raises(NoValue, match="nothing in 'log' matches"):
        Pattern("log", regex).read(tmp_path)
    # What grows with the square takes minutes here.
    assert time.perf_counter() - start < 5


def test_all_matches_and_all_rows_take_the_memory_of_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("y=1\n" * 1_000_000)
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom scalebridge.models.program import Columns, Pattern\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "n = len(Pattern('log', 'y={number}', which='all').read(Path(sys.argv[1])))\n"
        "print(n, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    n, mebibytes = done.stdout.split()
    # 8 bytes each, held twice, and the mapped file itself; it was 100 MiB.
    assert n == "1000000" and float(mebibytes) < 40


def test_more_numbers_than_a_model_has_outputs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scalebridge.models.program.parsers.files._MOST", 10)
    (tmp_path / "log").write_text("1\n" * 11)
    for parser in (Pattern("log", "^{number}", which="all"), Csv("log", 0, "all"), Columns("log", 0, "all")):
        with pytest.raises(NoValue, match="more than 10 numbers; reduce them by a function"):
            parser.read(tmp_path)


def test_a_heading_with_more_words_than_columns_names_none(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("# Time (s) Force (N) Disp (mm)\n0 0 0\n1 10 0.5\n")
    with pytest.raises(NoValue, match=r"line 3 with 3 cells, under a heading of 6, is '1 10 0\.5 \.\.\.', no number"):
        Columns("t", "Force").read(tmp_path)
    assert Columns("t", 1).read(tmp_path).item() == 10


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("# t s\n1 2\n# restart\n# s t\n3 4\n", [2, 3]),
        ("t s\n1 2\ns t\n3 4\n", [2, 3]),
        ("t s\n1 2\n# the s of a word\n3 4\n", [2, 4]),
        ("step t s p\nt s\n1 2\n", [2]),
    ],
)
def test_a_heading_further_down_that_fits_its_rows_counts_for_them(
    text: str, values: list[float], tmp_path: Path
) -> None:
    (tmp_path / "t").write_text(text)
    assert Columns("t", "s", "all").read(tmp_path).tolist() == values


def test_a_mark_of_byte_order_is_no_part_of_the_first_heading(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"\xef\xbb\xbftime,load\n1,2\n")
    assert Csv("t", "time").read(tmp_path).item() == 1


def test_complex_numbers_and_dates_are_no_numbers(tmp_path: Path) -> None:
    for array in (np.array([1 + 2j]), np.array(["2020-01-01"], dtype="datetime64[D]")):
        np.save(tmp_path / "a.npy", array)
        with pytest.raises(NoValue, match="no numbers"):
            Npy("a.npy", 0).read(tmp_path)
        assert "no real numbers" in made({"y": lambda folder, array=array: array}).run(ONE).reason[0]
    assert "no real numbers" in made({"y": lambda folder: 1 + 2j}).run(ONE).reason[0]


def test_a_whole_number_too_large_for_a_float_fails_its_row(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('{"a": ' + "9" * 400 + "}")
    with pytest.raises(NoValue, match="no number"):
        Json("r.json", "a").read(tmp_path)
    assert made({"y": lambda folder: 10**400}).run(ONE).status.tolist() == ["failed"]


def test_a_quantity_is_refused_since_its_unit_would_be_dropped() -> None:
    for value in (pint.Quantity(3.0, "MPa"), [pint.Quantity(3.0, "MPa")]):
        with pytest.raises(InputError, match="'y' returned a quantity in 'megapascal'; return its number"):
            made({"y": lambda folder, value=value: value}).run(ONE)


def test_a_jacobian_with_a_unit_of_its_own_is_refused() -> None:
    with pytest.raises(InputError, match="the jacobian is in the units of the outputs per unit of the inputs"):
        made({"y": Json("r", "y", unit="MPa")}, jacobian=Json("r", "j", unit="MPa"))


def test_a_result_that_came_with_the_template_is_none(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("{{ x }}")
    (tmp_path / "result.json").write_text('{"y": 42}')
    (tmp_path / "log").write_text("converged")
    results = {"y": Json("result.json", "y")}

    def run(script: str, **settings: Any) -> Any:
        command = ["sh", "-c", script]
        return Program(command, {"x": "1"}, {"y": "1"}, results, template=tmp_path, **settings).run(ONE)

    assert run("true").reason[0] == "it did not write 'result.json', which came with the template"
    # Written anew, also in the same size and at once.
    assert run("cp result.json r; cat r > result.json").values.item() == 42
    assert run("printf '{\"y\": 43}' > result.json").values.item() == 43
    write = "printf '{\"y\": 43}' > result.json"
    assert "did not write 'log'" in run(write, converged=Pattern("log", "converged")).reason[0]
    assert run(f"{write}; echo converged > log", converged=Pattern("log", "converged")).ok.all()
    # Old errors are no errors of this run.
    assert run(write, unconverged=Pattern("log", "converged")).ok.all()


def test_a_rendered_file_counts_once_the_program_writes_it() -> None:
    def run(script: str) -> Any:
        template = {"state": "y = {{ x }}"}
        return Program(
            ["sh", "-c", script], {"x": "1"}, {"y": "1"}, {"y": Pattern("state", "y = {number}")}, template=template
        ).run(ONE)

    assert run("true").reason[0].startswith("it did not write 'state'")
    assert run("printf 'y = 9.0' > state").values.item() == 9


def test_no_file_of_errors_means_no_errors() -> None:
    command = ["sh", "-c", "echo y = 1"]
    model = Program(
        command,
        {"x": "1"},
        [Variable("y")],
        {"y": Pattern("stdout.txt", "y = {number}")},
        template={"in": "{{ x }}"},
        unconverged=Pattern("errors.log", "diverged"),
    )
    assert model.run(ONE).ok.all()


class Constant:
    """A reading object of a user's own, without a text of its own."""

    unit: str | None = None

    def __init__(self, value: float) -> None:
        self.value = value

    def read(self, folder: Path) -> Any:
        return self.value


def test_a_reading_object_is_told_by_what_it_holds_and_not_by_its_place_in_memory() -> None:
    def results(value: float) -> str:
        return Program(["true"], {"x": "1"}, {"y": "1"}, {"y": Constant(value)}, template={"a": "{{ x }}"}).identity()[
            "results"
        ]

    assert results(1.0) == results(1.0) != results(2.0)
    assert "0x" not in results(1.0)
