"""`scalebridge wrap`: from an example of its input to a model of a program that runs at once."""

from __future__ import annotations

import json
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

from scalebridge.cli import main
from scalebridge.models.program.proposals import inputs_in, results_in, with_placeholders

SOLVER = """
import json, sys
given = {}
for line in (open(sys.argv[1]) if len(sys.argv) > 1 else sys.stdin):
    name, value = line.split("#")[0].split("=")
    given[name.strip()] = float(value)
energy = given["T"] * given["width"] / given["n"]
print("T =", given["T"])
print("total energy =", energy, "eV")
json.dump({"energy": energy, "steps": [{"load": 1.0}, {"load": 2 * energy}]}, open("result.json", "w"))
"""
EXAMPLE = "T = 300.0  # [K]\nwidth = 0.25\nn = 10\n"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "solver.py").write_text(SOLVER)
    (tmp_path / "in.txt").write_text(EXAMPLE)
    return tmp_path


def test_the_adapter_that_is_written_runs_at_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("wrap", "--input", "in.txt", "--run", "--", sys.executable, "solver.py", "in.txt") == 0
    told = capsys.readouterr().out
    assert "T = 300 [K], line 1" in told and "left as they are: n" in told
    assert "ok {'energy': 7.5, 'load': 15.0, 'total_energy': 7.5}" in told
    folder = here / "solver_model"
    assert (folder / "template" / "in.txt").read_text() == "T = {{ T }}  # [K]\nwidth = {{ width }}\nn = 10\n"
    adapter = (folder / "solver_model.py").read_text()
    assert '"T": ("K", 150, 450),  # line 1: 300' in adapter
    assert r'Pattern("stdout.txt", r"^[ \t]*total[ \t]+energy[ \t]*=[ \t]*{number}")' in adapter
    assert sorted(p.name for p in here.iterdir()) == ["in.txt", "solver.py", "solver_model"]


def test_the_adapter_answers_at_other_inputs_and_in_a_study(here: Path) -> None:
    assert run("wrap", "--input", "in.txt", "--run", "--out", "m", "--", sys.executable, "solver.py", "in.txt") == 0
    study = tomllib.loads((here / "m" / "study.toml").read_text())
    assert study["models"]["solver"] == {"function": "solver_model.py:model"}
    from scalebridge.studies.kinds import parsed

    model = parsed("solver", study["models"]["solver"]).build("solver", here / "m").model
    assert model.run([[600.0, 0.5]]).values.tolist() == [[30.0, 60.0, 30.0]]


def test_an_output_that_is_there_needs_no_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "result.json").write_text('{"energy": 7.5}')
    assert run("wrap", "--input", "in.txt", "--output", "result.json", "--", "no-such-solver", "in.txt") == 0
    assert "energy = 7.5, in result.json" in capsys.readouterr().out
    assert (here / "no_such_solver_model" / "no_such_solver_model.py").exists()


def test_numbers_are_chosen_by_name_and_the_input_may_be_a_stream(here: Path) -> None:
    command = ("--input", "in.txt", "--run", "--stdin", "--vary", "n", "--output", "result.json", "--out", "m")
    assert run("wrap", *command, "--", sys.executable, "solver.py") == 0
    assert (here / "m" / "template" / "in.txt").read_text().endswith("n = {{ n : d }}\n")
    assert 'stdin="in.txt"' in (here / "m" / "solver_model.py").read_text()


def test_what_it_needs_beside_its_input_is_brought(here: Path) -> None:
    (here / "data").mkdir()
    (here / "data" / "table").write_text("2.0")
    (here / "run.sh").write_text('. ./in.txt; echo "y = $(cat data/table)"')
    (here / "in.txt").write_text("x=1.5\n")
    command = ("--input", "in.txt", "--run", "--file", "data", "--out", "m")
    assert run("wrap", *command, "--", "sh", "run.sh", "in.txt") == 0
    assert (here / "m" / "template" / "data" / "table").read_text() == "2.0"


def test_a_file_that_the_program_writes_is_its_own_and_not_the_user_s_of_that_name(here: Path) -> None:
    (here / "copy.py").write_text(
        "import sys\nopen(sys.argv[2], 'w').write('energy = 1.5')\nopen(sys.argv[1]).read()\n"
    )
    (here / "out.txt").write_text("of a run by hand")
    command = ("--", sys.executable, "copy.py", "in.txt", "out.txt")
    assert run("wrap", "--input", "in.txt", "--run", "--out", "m", *command) == 0
    assert (here / "out.txt").read_text() == "of a run by hand"
    assert '"in.txt", "out.txt"]' in (here / "m" / "copy_model.py").read_text()


def test_a_file_that_was_not_brought_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "mesh.dat").write_text("1")
    script = "import sys\nprint('y =', float(open(sys.argv[2]).read()))\n"
    (here / "solver.py").write_text(script)
    command = ("--", sys.executable, "solver.py", "in.txt", "mesh.dat")
    assert run("wrap", "--input", "in.txt", "--run", *command) == 2
    assert "bring what else it needs by --file (mesh.dat?)." in capsys.readouterr().err
    assert run("wrap", "--input", "in.txt", "--run", "--file", "mesh.dat", *command) == 0


def test_a_whole_number_is_written_as_one_and_brought_files_are_no_templates(here: Path) -> None:
    (here / "lib").mkdir()
    (here / "lib" / "more.py").write_text("def shown(x):\n    return f'{{ {x} }}'\n")
    (here / "tool.py").write_text("text = '{{ name }}'\n")
    (here / "solver.py").write_text("import sys\nprint('y =', int(open(sys.argv[1]).read().split()[2]) / 4)\n")
    (here / "in.txt").write_text("n = 10\n")
    command = ("--file", "lib", "--file", "tool.py", "--out", "m", "--", sys.executable, "solver.py", "in.txt")
    assert run("wrap", "--input", "in.txt", "--run", *command) == 0
    adapter = (here / "m" / "solver_model.py").read_text()
    assert 'verbatim=["lib/*", "tool.py"],' in adapter
    assert (here / "m" / "template" / "in.txt").read_text() == "n = {{ n : d }}\n"


ONCE = """
import os, sys, time
mark = sys.argv[1] + "/ran"
if os.path.exists(mark):
    {then}
open(mark, "w")
print("y = 1.5")
"""


def test_an_adapter_whose_first_run_fails_is_said_and_is_no_success(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "solver.py").write_text(ONCE.format(then="sys.exit(7)"))
    assert run("wrap", "--input", "in.txt", "--run", "--out", "m", "--", sys.executable, "solver.py", str(here)) == 1
    told = capsys.readouterr().out
    assert "the adapter was written, but its first run failed" in told and "exit code 7" in told


def test_the_timeout_holds_for_the_adapter_too(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scalebridge.cli.wrap._STARTS_S", 0.1)
    (here / "solver.py").write_text(ONCE.format(then="time.sleep(60)"))
    start = time.monotonic()
    command = ("--timeout", "3", "--out", "m", "--", sys.executable, "-S", "solver.py", str(here))
    assert run("wrap", "--input", "in.txt", "--run", *command) == 1
    assert time.monotonic() - start < 20


def test_it_never_overwrites(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "m").mkdir()
    (here / "m" / "study.toml").write_text("mine")
    command = ("wrap", "--input", "in.txt", "--run", "--out", "m", "--", sys.executable, "solver.py", "in.txt")
    assert run(*command) == 2
    assert "m/study.toml is there already; give another folder by --out." in capsys.readouterr().err
    assert [p.name for p in (here / "m").iterdir()] == ["study.toml"]
    assert (here / "m" / "study.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--input", "none.txt", "--run", "--", "true"), "There is no file 'none.txt'; give --input"),
        (("--input", "in.txt", "--", "true"), "add --run to try it, or --output FILE of a run you had"),
        (("--input", "in.txt", "--output", "no.json", "--", "true"), "There is no file 'no.json'; add --run"),
        (
            ("--input", "in.txt", "--run", "--vary", "widht", "--", "true"),
            "no number called 'widht'; did you mean 'width'",
        ),
        (("--input", "in.txt", "--run", "--", "true"), "holds no number with a name before it, in a column or under"),
        (("--input", "in.txt", "--run", "--", "false"), "The program failed on its example: it ended with exit code 1"),
        (("--input", "in.txt", "--run", "--", "no-such-solver"), "The program 'no-such-solver' is not installed"),
        (("--input", "in.txt", "--run", "--output", "a", "--", "true"), "The program wrote no file 'a'"),
        (("--input", "in.txt", "--run", "--file", "b", "--", "true"), "There is no file or folder 'b' to bring"),
        (("--input", "words.txt", "--run", "--", "true"), "holds no number with a name before it"),
        (("--input", "binary", "--run", "--", "true"), "'binary' is no text (it holds a byte 0)"),
        (("--input", "made.txt", "--run", "--", "true"), "holds '{{' already"),
    ],
)
def test_what_cannot_be_wrapped_is_one_sentence_and_nothing_is_written(
    arguments: tuple[str, ...], said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "words.txt").write_text("nothing but words\n")
    (here / "binary").write_bytes(b"\xff\xfe\x00")
    (here / "made.txt").write_text("x = {{ x }}\n")
    before = sorted(p.name for p in here.iterdir())
    assert run("wrap", *arguments) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert sorted(p.name for p in here.iterdir()) == before


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("variable T equal 0.722 # reduced\nvariable n index 7\n", {"T": 0.722, "n": 7}),
        (
            "nu  [0 2 -1 0 0 0 0] 0.01;\nrho rho [1 -3 0 0 0 0 0] 1.2;\nendTime 0.5;\n",
            {"nu": 0.01, "rho": 1.2, "endTime": 0.5},
        ),
        ('{"T": 300.0, "mesh": {"n": 10, "h": 1.5e-3}, "a": "1.0"}', {"T": 300, "n": 10, "h": 0.0015}),
        ("&run\n tstep=1.0D-3, nmax = 10\n/\n", {"tstep": 0.001, "nmax": 10}),
        ("[physics]\nwidth = -2.5  # wide\nversion = 1.2.3\npath = a/1.5\n", {"width": -2.5}),
        ("Young's: x\nmodulus: 210.0\nE 5.\n", {"modulus": 210, "E": 5}),
        ("# T = 3.0\n// T = 3.0;\n! T 3.0\nT 4.0\n", {"T": 4}),
        ("a = 1.0\na = 2.0\nclass = 3.0\n", {"a": 1, "a_2": 2, "value_class": 3}),
        ("1.0 2.0\nv (1 2 3);\n", {}),
        (
            "&m\n h(1) = 0.5, h(2)=1.5, w = 0.1, .2, 3D-1, n = 4\n u%v(1, 2) = 6.5 ! 1.0, 2.0\n x = 1.0, 3*2.0\n/\n",
            {"h_1": 0.5, "h_2": 1.5, "w": 0.1, "w_2": 0.2, "w_3": 0.3, "n": 4, "u_v_1_2": 6.5, "x": 1},
        ),
        (
            '<?xml version="1.0"?>\n<!-- a="5.0" -->\n<case id="a4.5">\n <T unit="K">300.0</T>\n'
            ' <k value = "1.5" x="2"/>\n <v>1 2</v>\n</case>\n',
            {"T": 300, "value": 1.5, "x": 2},
        ),
        ('version = "1.0"\n', {}),
        (
            "*NODE\n1, 0.0, 0.5\n*MATERIAL, NAME=A\n*ELASTIC\n210000., .3\n** 1.0, 2.0\n*CLOAD\n5, 2, -1.5e2\n*STEP\n",
            {"elastic_1": 210000, "elastic_2": 0.3, "cload_3": -150},
        ),
    ],
)
def test_numbers_are_found_in_the_input_languages_of_the_field(text: str, numbers: dict[str, float]) -> None:
    found = inputs_in(text)
    assert {f.name: f.value for f in found} == numbers
    restored = with_placeholders(text, found)
    for f in found:
        placeholder = f"{{{{ {f.name}{' : d' if f.is_whole else ''} }}}}"
        assert placeholder in restored
        restored = restored.replace(placeholder, text[f.start : f.end])
    assert restored == text


def test_an_example_in_another_code_than_utf8_comes_through_unharmed(here: Path) -> None:
    (here / "in.txt").write_bytes(EXAMPLE.encode() + b"b = 2.0  # \xb0C\r\n")
    (here / "solver.sh").write_text("printf 'Temp\\351rature = 3.5\\n'; cat \"$1\" > copy\n")
    assert run("wrap", "--input", "in.txt", "--run", "--", "env", "sh", "solver.sh", "in.txt") == 0
    assert (here / "solver_model" / "template" / "in.txt").read_bytes().endswith(b"b = {{ b }}  # \xb0C\r\n")
    assert '"Temp_rature": Pattern(' in (here / "solver_model" / "solver_model.py").read_text()


def test_files_of_any_name_are_read_by_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "names.py").write_text(
        "for k, name in enumerate([b'r\\xe9s.dat', b'a\"b\\n.dat', b'{{ x }}.dat', b'-rf', b'u[0].dat']):\n"
        "    open(name, 'w').write(f'{\"abcde\"[k]} = {k}.5\\n')\n"
    )
    assert run("wrap", "--input", "in.txt", "--run", "--", sys.executable, "names.py") == 0
    told = capsys.readouterr().out
    assert "in r?s.dat" in told and "ok {'d': 3.5, " in told
    for k, name in enumerate("abcde"):
        assert f"'{name}': {k}.5" in told


def test_units_are_taken_from_dimensions_and_from_comments_that_name_one() -> None:
    text = "nu [0 2 -1 0 0 0 0] 0.01;\np = 1.0 ! pressure [MPa]\nq = 1.0 # load (N)\nr = 1.0 # see [3]\n"
    assert [f.unit for f in inputs_in(text)] == ["m**2*s**-1", "MPa", "N", "1"]


def test_the_time_of_a_look_at_an_example_grows_with_it_and_no_faster() -> None:
    start = time.monotonic()
    assert inputs_in(f"b = {'1' * 50_000}z\n{chr(10) * 50_000}a = 1.0\n")[0].name == "a"
    assert inputs_in(f"<{'x' * 400_000}\n{'y' * 400_000}\n2theta = 1.0")[0].name == "value_2theta"
    attributes = " ".join(f'k{i}="{i}.5"' for i in range(2_000))
    assert len(inputs_in(f"<b {attributes}/>")) == 2_000
    # What grows with the square takes a minute here.
    assert time.monotonic() - start < 5


def test_results_are_found_in_files_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"energy": 1.5, "steps": [{"u": 1}, {"u": 2}], "name": "x"}))
    (tmp_path / "b.csv").write_text("time,load\n0,1\n1,3\n")
    (tmp_path / "c.dat").write_text("# t temp\n0 300\n1 310\n")
    (tmp_path / "d.dat").write_text("0 300\n1 320\n")
    (tmp_path / "e.log").write_text("pressure drop: 4.5 Pa\nenergy = 1\nenergy = 2\n")
    np.save(tmp_path / "f.npy", [[1.0, 7.0]])
    np.savez(tmp_path / "g.npz", k=8.0)
    (tmp_path / "h.bin").write_bytes(b"\0x = 1\n")
    (tmp_path / "broken.npz").write_bytes(b"PK\3\4")
    found = {p.name: p.value for p in results_in(tmp_path, sorted(p.name for p in tmp_path.iterdir()))}
    assert found == {
        "energy": 1.5, "u": 2, "time": 1, "load": 3, "t": 1, "temp": 310, "d_0": 1, "d_1": 320,
        "pressure_drop": 4.5, "energy_2": 2, "f": 7, "k": 8,
    }  # fmt: skip


def test_of_an_array_the_last_entry_is_read_however_many_there_are(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    for steps, last in ((3, 5.0), (5, 9.0)):
        with h5py.File(tmp_path / "out.h5", "w") as file:
            file["history/u"] = np.arange(2.0 * steps).reshape(steps, 2)
            file["flux"] = 7.0
        np.save(tmp_path / "u.npy", np.arange(2.0 * steps))
        (tmp_path / "t.csv").write_text("".join(f"{k},{2 * k + 1}.0\n" for k in range(steps)))
        if steps == 3:
            found = results_in(tmp_path, ["out.h5", "u.npy", "t.csv"])
        assert [p.parser.read(tmp_path).item() for p in found] == [7.0, last, last, steps - 1, last]


def test_a_comma_separated_table_has_its_heading_in_a_comment_or_below_a_title(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("# written by m\n# step;load\n0;1.5\n1;2.5\n")
    (tmp_path / "b.csv").write_text('Results of m\nt,"u, v",\n0,1,ok\n')
    found = {p.name: p.value for p in results_in(tmp_path, ["a.csv", "b.csv"])}
    assert found == {"step": 1, "load": 2.5, "b_0": 0, "b_1": 1}


def test_tables_in_a_log_are_found_and_what_it_says_of_itself_comes_last(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(
        "ghost cut = 2.8\nStep Temp E_pair\n0 1.44 -6.8\n100 0.75 -5.9\nLoop time: 3.5\nNlocal: 108\nStep Temp E_pair\n"
        "0 1.0 -1.0\n200 0.5 -2.5\n"
    )
    found = results_in(tmp_path, ["log"])
    assert {p.name: p.value for p in found if p.is_likely} == {"ghost_cut": 2.8, "Temp": 0.5, "E_pair": -2.5}
    assert {p.name for p in found if not p.is_likely} == {"Loop_time", "Nlocal", "Step"}


@pytest.mark.parametrize("brought", ["none.dat", "data"])
def test_where_the_model_cannot_be_written_nothing_of_it_is_left(
    brought: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    (here / "data").mkdir()
    (here / "result.json").write_text('{"energy": 1.5}')
    monkeypatch.setattr("shutil.copytree", full)
    command = ("wrap", "--input", "in.txt", "--output", "result.json", "--file", brought, "--out", "m", "--", "true")
    assert run(*command) == (2 if brought == "none.dat" else 3)
    assert "none.dat" in (error := capsys.readouterr().err) or "'m' cannot be written: No space left" in error
    assert not any((here / "m").iterdir())


def test_the_command_s_own_options_stay_with_the_program(here: Path) -> None:
    assert run("wrap", "-i", "in.txt", "--run", "--", "sh", "-c", "echo y = 1.5", "--run") == 0
    assert '["sh", "-c", "echo y = 1.5", "--run"]' in (here / "sh_model" / "sh_model.py").read_text()
