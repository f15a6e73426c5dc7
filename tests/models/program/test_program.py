"""A program as a model: it keeps the contract, and whatever it does is a status with a reason."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest

import scalebridge as sb
from scalebridge import Scale, Structure, Variable
from scalebridge.campaign.keys import model_key
from scalebridge.errors import InputError, UnitError
from scalebridge.models import Mpi, Program
from scalebridge.models.program import Csv, Json, Npy, Pattern
from scalebridge.testing import check_model
from scalebridge.testing.programs import FAULTS, fake_program

ONE = np.array([[4.0]])
THREE = np.array([[1.0], [4.0], [2.0]])


def shell(script: str, **settings: Any) -> Program:
    """A program of one input, written as a script of the shell, that prints ``y = ...``."""
    return Program(
        ["sh", "run.sh"],
        {"x": ("1", -10, 10)},
        {"y": "1"},
        settings.pop("results", {"y": Pattern("stdout.txt", "^y = {number}")}),
        template={"run.sh": script + "\n# {{ x }}\n", **settings.pop("more", {})},
        **settings,
    )


def test_a_program_keeps_the_contract_of_a_model() -> None:
    model = fake_program(scale=Scale(length=("1 um", "1 mm")), structure=Structure())
    check_model(model, np.array([[1.0], [2.0], [3.0], [-1.5]]))
    assert isinstance(model, sb.models.Program)


def test_it_is_the_program_that_answers() -> None:
    runs = fake_program().run(THREE)
    assert runs.values[:, 0].tolist() == (THREE + np.sin(THREE))[:, 0].tolist()
    assert (runs.cost_s > 0).all() and runs.reason == ("", "", "")


def test_no_rows_are_no_rows() -> None:
    assert len(fake_program().run(np.zeros((0, 1)))) == 0


REASONS = {
    "crash": "it was killed by SIGABRT; its last words: solving at x = 4.0",
    "fail": "it ended with exit code 3; its last words: solving at x = 4.0 | singular matrix",
    "flood": "it was ended after it had printed more than the limit of 20000000 bytes",
    "half": "'y': 'result.json' cannot be read as JSON",
    "hang": "it had not ended after 1 s; its last words: solving at x = 4.0",
    "killed": "it was killed by SIGKILL, perhaps for memory",
    "nan": "'y' is nan",
    "nothing": "'y': it wrote no file 'result.json'; its folder holds input.txt, solver.py, stdout.txt; its last words",
    "unconverged": "it did not converge: nothing in 'stdout.txt' matches '^converged'; its last words: solving at x",
}


@pytest.mark.parametrize("fault", REASONS)
def test_a_run_that_goes_wrong_is_a_status_with_its_reason_and_leaves_no_folder(fault: str, tmp_path: Path) -> None:
    model = fake_program(fault, timeout="1 s", output="20 MB", folder=tmp_path)
    runs = model.run(np.array([[1.0], [4.0]]))
    assert runs.status.tolist() == ["ok", "timeout" if fault == "hang" else "failed"]
    assert runs.reason[1].startswith(REASONS[fault])
    assert np.isnan(runs.values[1]).all() and np.isfinite(runs.values[0]).all()
    assert list(tmp_path.iterdir()) == []


def test_every_fault_of_the_fake_is_tried_here() -> None:
    assert {*REASONS, "daemon"} == {*FAULTS}
    with pytest.raises(InputError, match="no fault 'hnag'; did you mean 'hang'"):
        fake_program("hnag")


def test_units_are_converted_both_ways() -> None:
    model = Program(
        ["cp", "in", "out"],
        {"T": "K", "length": "m"},
        {"T2": "K", "area": "mm^2"},
        {"T2": Pattern("out", "T {number}", unit="degC"), "area": Pattern("out", "L {number}", unit="cm^2")},
        template={"in": "T {{ T [degC] }}\nL {{ length [cm] }}"},
    )
    assert model.run(np.array([[300.0, 0.5]])).values[0].tolist() == pytest.approx([300.0, 5000.0], abs=1e-9)
    with pytest.raises(UnitError, match="'T2' is in 'm' on one side and in 'K' on the other"):
        dataclasses.replace(model, results={"T2": Pattern("out", "T {number}", unit="m"), "area": Json("a", "b")})


def test_array_outputs_and_one_function_for_all() -> None:
    def read(folder: Path) -> dict[str, Any]:
        numbers = [float(w) for w in (folder / "in").read_text().split()]
        return {"stress": numbers[:3], "energy": numbers[3]}

    outputs = [Variable("energy"), Variable("stress", "MPa", (3,))]
    model = Program(["true"], {"x": "1"}, outputs, read, template={"in": "1 2 3 {{ x }}"})
    assert model.run(ONE).values.tolist() == [[4.0, 1.0, 2.0, 3.0]]
    by_file = {"energy": Json("out", "e"), "stress": Json("out", "s")}
    template = {"in.json": '{"e": {{ x }}, "s": [1, 2, 3]}'}
    model = Program(["cp", "in.json", "out"], {"x": "1"}, outputs, by_file, template=template)
    assert model.run(ONE).values.tolist() == [[4.0, 1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (lambda folder: (folder / "no.txt").read_text(), "'y': it wrote no file 'no.txt'"),
        (lambda folder: 1 / 0, "'y' could not be read: ZeroDivisionError: division by zero"),
        (lambda folder: [1.0, 2.0], "'y' was found as 2 numbers, declared are 1"),
        (lambda folder: "low", "'y' is 'low', no number"),
        (lambda folder: float("inf"), "'y' is inf"),
    ],
)
def test_a_function_that_reads_nothing_fails_the_row(read: Any, reason: str) -> None:
    assert shell("true", results={"y": read}).run(ONE).reason[0].startswith(reason)


def test_a_reader_that_refuses_a_damaged_file_fails_the_row_and_not_the_campaign() -> None:
    def read(folder: Path) -> float:
        raise InputError("'run.log', line 3 is cut off.")

    runs = shell("true", results={"y": read}).run(ONE)
    assert runs.reason[0] == "'y' could not be read: InputError: 'run.log', line 3 is cut off."


class Damaged:
    """A parser of one's own that did not expect what it finds."""

    unit = None

    def read(self, folder: Path) -> Any:
        raise KeyError("header of " + folder.name[:0])


def test_a_parser_of_one_s_own_that_breaks_fails_the_row_and_not_the_campaign() -> None:
    runs = shell("echo y = 1", results={"y": Damaged()}).run(ONE)
    assert runs.status.tolist() == ["failed"]
    assert runs.reason[0].startswith("'y' could not be read: KeyError: 'header of '")


@pytest.mark.parametrize(
    ("given", "status"),
    [([[1, 2], [3, 4], [5, 6]], "ok"), ([1, 2, 3, 4, 5, 6], "ok"), ([[[1], [2]], [[3], [4]], [[5], [6]]], "ok"),
     ([[1, 2, 3], [4, 5, 6]], "failed")],
)  # fmt: skip
def test_rows_and_columns_are_not_taken_for_each_other(given: list[Any], status: str) -> None:
    made = Program(["true"], {"x": "1"}, [Variable("y", shape=(3, 2))], {"y": lambda f: given}, options={},
                   template={"in": "{{ x }}"})  # fmt: skip
    runs = made.run(ONE)
    assert runs.status.tolist() == [status]
    if status == "ok":
        assert runs.values[0].tolist() == [1, 2, 3, 4, 5, 6]
    else:
        assert runs.reason[0].startswith("'y' was found in the shape (2, 3), declared is (3, 2)")


def test_a_function_that_gives_no_mapping_or_too_little_breaks_the_declaration() -> None:
    with pytest.raises(InputError, match="the function for results returned a float; return a dict"):
        shell("true", results=lambda folder: 1.0).run(ONE)
    with pytest.raises(InputError, match="the function for results gave no 'y'; it gave z"):
        shell("true", results=lambda folder: {"z": 1.0}).run(ONE)


def test_a_word_that_must_not_stand_there_fails_the_row() -> None:
    model = shell("echo y = 1; echo WARNING: did not converge", unconverged=Pattern("stdout.txt", "did not converge"))
    reason = model.run(ONE).reason[0]
    assert reason.startswith("it did not converge: 'stdout.txt' holds 'did not converge'")


def test_a_table_that_breaks_off_within_its_last_number_can_be_told() -> None:
    whole, torn = "printf 't,y\\n1,0.52\\n' > t.csv", "printf 't,y\\n1,0.' > t.csv"
    results = {"y": Csv("t.csv", "y")}
    assert shell(torn, results=results).run(ONE).values.tolist() == [[0.0]]
    for script, status in ((whole, "ok"), (torn, "failed")):
        runs = shell(script, results=results, converged=Pattern("t.csv", r"\n\Z")).run(ONE)
        assert runs.status.tolist() == [status]


def test_other_exit_codes_can_count_as_success() -> None:
    assert shell("echo y = 1; exit 2", exit_codes=(0, 2)).run(ONE).ok.all()
    assert shell("echo y = 1", exit_codes=(2,)).run(ONE).reason[0] == (
        "it ended with exit code 0, which is not among exit_codes"
    )


def test_noise_and_jacobian_are_read_where_they_are_written() -> None:
    model = Program(
        ["cp", "in", "r"],
        [Variable("x", "1", (2,))],
        {"a": "m", "b": "1"},
        {"a": Json("r", "a", unit="mm"), "b": Json("r", "b")},
        template={"in": '{"a": 1, "b": 2, "s": 500, "j": [[1, 2], [3, 4]], "x": [{{ x | ", " }}]}'},
        noise_std={"a": Json("r", "s", unit="mm")},
        jacobian=Json("r", "j"),
    )
    runs = model.run(np.ones((2, 2)))
    assert runs.noise_std is not None and runs.noise_std.tolist() == [[0.5, 0.0]] * 2
    assert runs.jacobian is not None and runs.jacobian[1].tolist() == [[1, 2], [3, 4]]
    wrong = dataclasses.replace(model, jacobian=Json("r", "b"))
    assert wrong.run(np.ones((1, 2))).reason[0].startswith("'jacobian' was found in the shape ()")
    turned = Program(
        ["true"], [Variable("x", "1", (3,))], {"a": "m", "b": "1"}, {"a": lambda f: 1, "b": lambda f: 2},
        template={"in": "{{ x }}"}, jacobian=lambda f: np.ones((3, 2)),
    )  # fmt: skip
    assert (
        "'jacobian' was found in the shape (3, 2), or is not finite; it is (2, 3)"
        in turned.run(np.ones((1, 3))).reason[0]
    )
    negative = dataclasses.replace(model, noise_std={"b": lambda folder: -1.0})
    assert negative.run(np.ones((1, 2))).reason[0].startswith("noise_std was found as -1")


def test_a_deviation_in_degrees_is_not_moved_by_their_zero() -> None:
    model = Program(
        ["cp", "in", "r"],
        {"x": "1"},
        {"T": "K"},
        {"T": Json("r", "T", unit="degC")},
        template={"in": '{"T": 20, "s": 2, "x": {{ x }}}'},
        noise_std={"T": Json("r", "s", unit="degC")},
    )
    runs = model.run(ONE)
    assert runs.values.item() == pytest.approx(293.15) and runs.noise_std is not None
    assert runs.noise_std.item() == pytest.approx(2.0)


def test_a_seed_in_the_template_makes_it_stochastic() -> None:
    model = shell("echo y = {{ seed }}")
    assert model.stochastic and not fake_program().stochastic
    first = model.run(np.zeros((2, 1)), (7, 4_000_000_000)).values[:, 0]
    assert first.tolist() == [8.0, 4_000_000_000 % 900_000_000 + 1]
    check_model(model, np.array([[1.0], [2.0]]))
    assert not shell("echo y = {{ seed }}", options={"seed": 3}).stochastic


def test_the_identity_changes_with_whatever_changes_the_result(tmp_path: Path) -> None:
    script = tmp_path / "solver.py"
    script.write_text("print(1)")

    def made(**changes: Any) -> str:
        settings: dict[str, Any] = {
            "command": ["true", "-v"],
            "template": {"in": "{{ x }} {{ mesh }}"},
            "options": {"mesh": "fine"},
            "outputs": {"y": "1"},
            "results": {"y": Json("out", "y")},
            **changes,
        }
        command, outputs, results = (settings.pop(k) for k in ("command", "outputs", "results"))
        return model_key(Program(command, {"x": "1"}, outputs, results, **settings).identity())

    keys = [
        made(),
        made(command=["true", "-w"]),
        made(command=["true", "-v", script]),
        made(template={"in": "{{ x }}  {{ mesh }}"}),
        made(template={"in": "{{ x : .3f }} {{ mesh }}"}),
        made(template={"in2": "{{ x }} {{ mesh }}"}),
        made(options={"mesh": "coarse"}),
        made(options={"mesh": 3}),
        made(outputs={"y": "m"}),
        made(results={"y": Json("out", "z")}),
        made(results={"y": lambda folder: 1.0}),
        made(results={"y": lambda folder: 2.0}),
        made(converged=Pattern("out", "done")),
        made(version="2"),
        made(files={"a": script}),
        made(environment={"A": "1"}),
        made(threads=2),
        made(launcher=Mpi(2)),
        made(verbatim=("in",), template={"in": "{{ x }} {{ mesh }}", "rest": "{{ x }} {{ mesh }}"}),
        made(template={"in": "{{ x }} {{ mesh }}", "rest": "{{ x }} {{ mesh }}"}),
        made(links={"a": script}),
    ]
    script.write_text("print(2)")
    keys += [made(command=["true", "-v", script]), made(files={"a": script})]
    assert len(set(keys)) == len(keys)
    assert made() == made(timeout=5, keep="failed", folder=tmp_path)


def test_it_travels_to_other_processes() -> None:
    model = fake_program()
    again = cloudpickle.loads(cloudpickle.dumps(model))
    assert again.identity() == model.identity()
    assert again.run(ONE).values.item() == model.run(ONE).values.item()


def test_rename_and_fix_make_other_models_of_it() -> None:
    model = fake_program().rename(x="strain", y="stress")
    assert (model.inputs.names, model.outputs.names) == (("strain",), ("stress",))
    assert model.run(ONE).ok.all()


@pytest.mark.parametrize("keep", ["never", "failed", "always"])
def test_working_folders_stay_as_asked(keep: str, tmp_path: Path) -> None:
    runs = fake_program("fail", keep=keep, folder=tmp_path / "runs").run(np.array([[1.0], [4.0]]))
    left = sorted((tmp_path / "runs").iterdir())
    assert len(left) == {"never": 0, "failed": 1, "always": 2}[keep]
    if keep != "never":
        named = Path(runs.reason[1].rpartition("; see ")[2])
        assert named in left and "solving at x = 4.0" in (named / "stdout.txt").read_text()


def test_a_program_with_its_input_on_stdin() -> None:
    model = Program(["cat"], {"x": "1"}, {"y": "1"}, {"y": Pattern("stdout.txt", "{number}")},
                    template={"in": "{{ x }}"}, stdin="in")  # fmt: skip
    assert model.run(ONE).values.item() == 4.0


def test_environment_threads_and_names_reach_the_program(tmp_path: Path) -> None:
    script = "echo y = $OMP_NUM_THREADS$MKL_NUM_THREADS$EXTRA"
    assert shell(script, threads=3, environment={"EXTRA": "7"}).run(ONE).values.item() == 337
    assert shell(script).name == "sh" and shell(script, name="mine").name == "mine"


def test_memory_and_time_are_given_with_units() -> None:
    code = "block = bytearray(800_000_000); print('y = 1')"
    model = Program(
        [sys.executable, "-S", "-E", "run.py"], {"x": "1"}, {"y": "1"}, {"y": Pattern("stdout.txt", "y = {number}")},
        template={"run.py": code + "\n# {{ x }}"}, memory="0.4 GB", timeout="10 min",
    )  # fmt: skip
    assert "MemoryError" in model.run(ONE).reason[0]
    assert dataclasses.replace(model, memory="4 GiB").run(ONE).ok.all()
    with pytest.raises(UnitError, match="timeout = '10 m' does not convert to 's'"):
        dataclasses.replace(model, timeout="10 m")
    assert dataclasses.replace(model, memory=None, output=None, file_size=float("inf")).run(ONE).ok.all()
    with pytest.raises(InputError, match="memory = '0 GB' leaves the program nothing"):
        dataclasses.replace(model, memory="0 GB")


def test_a_launcher_stands_before_the_program(tmp_path: Path) -> None:
    launcher = tmp_path / "mpirun"
    launcher.write_text('#!/bin/sh\necho "$@"\nenv | grep -c OMPI_ALLOW\nshift 4; exec "$@"\n')
    launcher.chmod(0o755)
    model = shell("echo y = 5", launcher=Mpi(2, command=(str(launcher),), options=("--bind-to", "none")))
    assert model.run(ONE).values.item() == 5.0


def test_the_launcher_s_variables_fit_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"} <= set(Mpi(1).environment())
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert Mpi(1).environment() == {}
    assert "OMPI_MCA_rmaps_base_oversubscribe" in Mpi(4096).environment()
    assert "OMPI_MCA_rmaps_base_oversubscribe" not in Mpi(4096, oversubscribe=False).environment()
    for wrong in ({"n": 0}, {"n": 2, "command": "mpirun"}, {"n": 2, "command": ()}):
        with pytest.raises(InputError, match="Mpi was given"):
            Mpi(**wrong)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"command": "solver in.txt"}, r'one text; give a list, as in \["solver", "in.txt"\]: no shell reads it'),
        ({"command": []}, "give a list"),
        ({"command": ["true", ""]}, "every argument is a text that is not empty"),
        ({"results": {}}, "declares the output 'y' and no result reads it"),
        ({"results": {"y": Json("a", "b"), "x": Json("a", "b")}}, "reads 'x', which is no output"),
        ({"results": {"y": "out.txt"}}, "is to read 'y' by 'out.txt'; give Pattern, Csv"),
        ({"results": {"y": Pattern("a", "no group")}}, "has no group; put {number} where the number stands"),
        ({"results": 3}, "was given results = 3"),
        ({"noise_std": {"z": Json("a", "b")}}, "There is no variable 'z'"),
        ({"converged": "done"}, "was given converged = 'done'; give Pattern"),
        ({"launcher": 4}, "was given the launcher 4; give Mpi"),
        ({"threads": 0}, "was given threads = 0"),
        ({"stdout": "logs/out"}, "was given stdout = 'logs/out'"),
        (
            {"stdin": "inn"},
            "is to read 'inn', which is no file of its template, or none of a fixed name; did you mean 'in'",
        ),
        ({"keep": "some"}, "was given keep='some'"),
        ({"environment": None}, "was given environment = None; give a mapping"),
        ({"noise_std": Json("a", "b")}, r"was given noise_std = Json\(.*\); give a mapping"),
        ({"jacobian": "j.npy"}, "is to read 'jacobian' by 'j.npy'; give Pattern"),
        ({"exit_codes": 0}, r"was given exit_codes = 0; give a list, as in \[0\]"),
        ({"verbatim": "*.c"}, r"was given verbatim = '\*\.c'; give a list, as in \['\*\.c'\]"),
        ({"environment": {"A": 1}}, "the environment variable A = 1 is no text"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_when_the_model_is_made(changes: dict[str, Any], said: str) -> None:
    settings: dict[str, Any] = {
        "command": ["true"], "results": {"y": Json("a", "b")}, "template": {"in": "{{ x }}"}, **changes
    }  # fmt: skip
    with pytest.raises(InputError, match=said):
        Program(settings.pop("command"), {"x": "1"}, {"y": "1"}, settings.pop("results"), **settings)


def test_a_missing_program_is_said_once_and_not_row_by_row() -> None:
    model = Program(["no-such-solver"], {"x": "1"}, {"y": "1"}, {"y": Json("a", "b")}, template={"in": "{{ x }}"})
    with pytest.raises(InputError, match="The program 'no-such-solver' is not installed"):
        model.run(ONE)


def test_a_disk_that_takes_no_template_is_a_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    model = fake_program()
    monkeypatch.setattr(Path, "write_bytes", full)
    assert model.run(ONE).reason[0] == "its working folder could not be written (No space left on device)"


def test_csv_and_numpy_results_come_from_a_real_program(tmp_path: Path) -> None:
    code = (
        "import numpy as np\nx = float(open('in').read())\nnp.save('a.npy', [x, 2 * x])\n"
        "open('t.csv', 'w').write(f'time,load\\n0,1\\n1,{3 * x}\\n')\n"
    )
    model = Program(
        [sys.executable, "run.py"],
        {"x": "1"},
        [Variable("a", "1", (2,)), Variable("load", "N")],
        {"a": Npy("a.npy"), "load": Csv("t.csv", "load", unit="kN")},
        template={"run.py": code, "in": "{{ x }}"},
    )
    assert model.run(ONE).values.tolist() == [[4.0, 8.0, 12000.0]]


def test_the_overhead_above_the_bare_program_is_a_few_milliseconds(tmp_path: Path) -> None:
    import subprocess

    model = shell("echo y = 1")
    (tmp_path / "run.sh").write_text("echo y = 1\n")

    def bare() -> None:
        subprocess.run(["sh", "run.sh"], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=True)

    def fastest(call: Any) -> float:
        call()
        times = []
        for _ in range(15):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        return min(times)

    # On a machine that does nothing else it is 3 ms; the bound leaves room for one that does.
    assert fastest(lambda: model.run(ONE)) - fastest(bare) < 0.05
