"""Mechanical APDL driven live, against the stand-in for PyMAPDL; and its calls against the package's signatures."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
import scalebridge.testing.ansys as fake
from scalebridge.errors import InputError
from scalebridge.simulators import live
from scalebridge.simulators.ansys import session
from scalebridge.simulators.ansys.executable import executable
from scalebridge.simulators.ansys.model import Mapdl
from scalebridge.simulators.ansys.readings import Nodal, Scalar, Value
from scalebridge.testing import check_model
from tests.simulators.ansys.writing import result_file

# The environment variable of the stand-in's faults.
FAULTS = "SCALEBRIDGE_FAKE_ANSYS"
SCRIPT = """
/PREP7
length = 1000          ! mm
modulus = 2e5          ! MPa
area = width*thick
/SOLU
SOLVE
work = force*2
"""


def bar(**options: Any) -> Mapdl:
    given: dict[str, Any] = {
        "inputs": {"force": ("N", 1, 1e5), "width": ("mm", 1, 20), "thick": ("mm", 1, 20)},
        "outputs": {"tip": "mm"},
        "results": {"tip": Value("NODE", 2, "U", "X")},
        "exec_file": sys.executable,
        "library": "scalebridge.testing.ansys",
    }
    return Mapdl(SCRIPT, **(given | options))


ROW = np.array([[1000.0, 10.0, 5.0]])


def test_parameters_go_in_and_values_come_back() -> None:
    runs = bar().run(np.array([[1000.0, 10.0, 5.0], [500.0, 10.0, 2.0]]))
    assert np.allclose(runs.values[:, 0], [0.1, 0.125], rtol=1e-12) and runs.ok.all()


def test_it_keeps_the_contract_of_a_model() -> None:
    check_model(bar())


@pytest.mark.parametrize(("faults", "status"), [({}, "ok"), ({"solve": "unconverged"}, "failed")])
def test_six_rows_of_a_campaign_are_solved_six_times(
    faulty: Callable[..., Path], faults: dict[str, str], status: str
) -> None:
    log = faulty(**faults)
    with sb.Campaign(bar(), retries=0) as campaign:
        rows = np.array([[1000.0 * n, 10.0, 5.0] for n in range(1, 7)])
        runs = campaign.run(rows, phase="learn", why="to count runs")
    assert runs.status.tolist() == [status] * 6 and log.read_text().count(" solve\n") == 6


def test_rows_of_the_stand_in_are_never_those_of_the_program() -> None:
    assert bar().identity()["library"] == "scalebridge.testing.ansys"
    assert "library" not in bar(library="ansys.mapdl.core").identity()


def test_values_scalars_and_nodal_results_are_read() -> None:
    model = bar(
        outputs={"stress": "MPa", "largest": "mm", "twice": "N"},
        results={
            "stress": Nodal("nodal_eqv_stress", statistic="max"),
            "largest": Nodal("nodal_displacement", "X", "max_abs"),
            "twice": Scalar("work"),
        },
    )
    assert np.allclose(model.run(ROW).values, [[20.0, 0.1, 2000.0]], rtol=1e-12)


def test_nodes_without_a_value_are_no_zeros_of_a_statistic() -> None:
    readings = {
        "least": Nodal("nodal_eqv_stress", statistic="min"),
        "mean": Nodal("nodal_eqv_stress", statistic="mean"),
        "mean_x": Nodal("nodal_displacement", "X", "mean"),
    }
    model = bar(outputs={"least": "MPa", "mean": "MPa", "mean_x": "mm"}, results=readings)
    assert np.allclose(model.run(ROW).values, [[20.0, 20.0, 0.05]], rtol=1e-12)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("FINISH $ /clear,start ! afresh", r"line 1 of the script clears the database \(/CLEAR,START\)"),
        ("\nThick = 5.0 ! mm", "line 2 of the script sets the input 'thick' to a number of its own"),
        ("*set,thick, 5e-3", "line 1 of the script sets the input 'thick'"),
        ("thick = thick/1000 $ length = 5\n*IF,thick,LT,1,THEN\n thick = 1\n*ENDIF", None),
    ],
)
def test_a_script_that_takes_its_inputs_away_is_refused(lines: str, words: str | None) -> None:
    given: Any = ({"thick": "mm"}, {"b": "1"}, {"b": Scalar("b")})
    if words is None:
        assert Mapdl(lines + SCRIPT, *given).text.startswith("thick")
        return
    with pytest.raises(InputError, match=words):
        Mapdl(lines + SCRIPT, *given)


def test_the_program_is_started_once_and_each_row_is_cleared(faulty: Callable[..., Path]) -> None:
    log = faulty()
    bar().run(np.repeat(ROW, 3, axis=0))
    calls = [line.split(" ", 1)[1] for line in log.read_text().splitlines()]
    assert sum(call.startswith("start") for call in calls) == 1
    assert calls.count("solve") == calls.count("/CLEAR") == 3 and "parameter force 1000.0" in calls


def test_stopping_ends_the_program_and_leaves_no_folder(faulty: Callable[..., Path]) -> None:
    log = faulty()
    bar().run(ROW)
    folder = Path(log.read_text().splitlines()[0].split()[2])
    assert folder.is_dir()
    live.stop("ansys")
    assert log.read_text().splitlines()[-1].endswith("exit") and not folder.exists()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            {"solve": "unconverged"},
            "it did not converge: Solution not converged at time 1 (load step 1 substep 1). Run",
        ),
        ({"solve": "licence"}, "ANSYS has no licence for it: ANSYS license manager error"),
        ({"solve": "exit"}, "MAPDL session has terminated"),
        ({"solve": "crash"}, "its process ended with exit code 66"),
        ({"start": "licence"}, "ANSYS has no licence for it: Error: Failover feature"),
        ({"start": "crash"}, "its process ended with exit code 66"),
    ],
)
def test_what_goes_wrong_is_a_status_with_its_reason(
    faulty: Callable[..., Path], fault: dict[str, Any], words: str
) -> None:
    faulty(**fault)
    runs = bar().run(ROW)
    assert runs.status[0] == "failed" and runs.reason[0].startswith(words), runs.reason


@pytest.mark.parametrize("fault", ["exit", "crash", "unconverged"])
def test_a_row_that_fails_costs_the_others_nothing(faulty: Callable[..., Path], fault: str) -> None:
    faulty(solve=fault, when=["force", 5000])
    runs = bar().run(np.array([[1000.0, 10.0, 5.0], [6000.0, 10.0, 5.0], [2000.0, 10.0, 5.0]]))
    assert runs.status.tolist() == ["ok", "failed", "ok"] and runs.values[2, 0] == pytest.approx(0.2)


def test_a_row_that_hangs_is_a_timeout_and_what_escaped_is_gone_too(faulty: Callable[..., Path]) -> None:
    log = faulty(solve="escape", when=["force", 5000])
    runs = bar(timeout="5 s").run(np.array([[6000.0, 10.0, 5.0], [2000.0, 10.0, 5.0]]))
    assert runs.status.tolist() == ["timeout", "ok"]
    lines = log.read_text().splitlines()
    escaped = next(int(line.split()[-1]) for line in lines if "escaped" in line)
    for process in (int(lines[0].split()[0]), escaped):
        for _ in range(100):
            if not Path(f"/proc/{process}").exists():
                break
            time.sleep(0.05)
        assert not Path(f"/proc/{process}/cmdline").exists() or not Path(f"/proc/{process}/cmdline").read_bytes()


def test_fields_are_read_from_the_result_file(faulty: Callable[..., Path], tmp_path: Path) -> None:
    faulty(rst=str(result_file(tmp_path / "bar.rst")))
    fields = bar().fields(at={"force": "1 kN", "width": 10, "thick": 5}, units={"stress": "MPa"})
    assert fields["stress"].unit == "MPa" and fields["displacement"].values.shape == (8, 3)
    with pytest.raises(InputError, match="takes force, width, thick; 'at' gives force"):
        bar().fields(at={"force": 1})


def test_the_result_file_of_another_row_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_HELD", {"mapdl": fake.Mapdl(tmp_path), "folder": tmp_path})
    wanted = session.Wanted("", "", None, 1, "length = 1", ())
    (tmp_path / "file.rst").write_text("of the row before")
    assert session.result_file(wanted, {}) == ("failed", "the script wrote no result file; does it SOLVE?")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"results": {"tip": Nodal("nodal_displacements", "X", "max")}}, "did you mean 'nodal_displacement'"),
        ({"library": "no_such_module"}, "pip install 'scalebridge.ansys.'"),
        ({"exec_file": "/no/such/ansys"}, "'/no/such/ansys' cannot be run"),
    ],
)
def test_what_is_not_there_is_one_sentence(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        bar(**options).run(ROW)


def test_no_program_is_started_where_none_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [n for n in os.environ if n.startswith(("AWP_ROOT", "PYMAPDL"))]:
        monkeypatch.delenv(name)
    with pytest.raises(InputError, match="Mechanical APDL is not found on this machine"):
        executable()
    program = tmp_path / "v242" / "ansys" / "bin" / "ansys242"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("AWP_ROOT242", str(tmp_path / "v242"))
    assert executable() == str(program)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"outputs": {"tip": "mm", "s": "MPa"}}, "declares the output 's' and no result reads it"),
        ({"results": {"top": Scalar("x")}}, "reads 'top', which is no output"),
        ({"results": {"tip": "UX"}}, "give Value, Scalar or Nodal"),
        ({"inputs": {"_force": "N"}}, "no parameter of APDL"),
        ({"timeout": 0}, "timeout = 0 leaves the program nothing"),
        ({"timeout": "10 m"}, "timeout = '10 m' does not convert to 's'"),
        ({"start_timeout": -1}, "start_timeout = -1 leaves the program nothing"),
        ({"start_timeout": "soon"}, "start_timeout = 'soon' is not a quantity"),
        ({"cores": 0}, "was given cores = 0; give a number from 1"),
        ({"cores": 2.5}, "was given cores = 2.5"),
        ({"start_timeout": None}, "was given start_timeout = None; give seconds"),
    ],
)
def test_a_model_that_cannot_be_asked_is_refused_when_it_is_made(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        bar(**options)


def test_a_missing_script_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        Mapdl(tmp_path / "no.inp", {"a": "1"}, {"b": "1"}, {"b": Scalar("b")})
    with pytest.raises(InputError, match="there is no file"):
        Mapdl("no.inp", {"a": "1"}, {"b": "1"}, {"b": Scalar("b")})


def test_a_script_may_be_named_by_a_text(tmp_path: Path) -> None:
    (tmp_path / "bar.inp").write_text(SCRIPT)
    given: Any = ({"a": "1"}, {"b": "1"}, {"b": Scalar("b")})
    named = Mapdl(str(tmp_path / "bar.inp"), *given)
    assert named.text == SCRIPT and named.name == "bar"
    assert named.identity() == Mapdl(tmp_path / "bar.inp", *given).identity()


def check_calls(owner: Any, post: Any, launch: Any) -> None:
    """Every call that the session makes exists there and takes these arguments."""
    found = 0
    for node in ast.walk(ast.parse(inspect.getsource(session))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id in ("mapdl", "library")):
            continue
        is_launch = node.func.value.id == "library"
        function = launch if is_launch else getattr(owner, node.func.attr)
        keywords = {k.arg: None for k in node.keywords if k.arg}
        inspect.signature(function).bind(*([] if is_launch else [None]), *[None] * len(node.args), **keywords)
        found += 1
    assert found >= 8
    for name in ("parameters", "post_processing", "result_file"):
        assert hasattr(owner, name) or name == "parameters"
    for name in ("nodal_displacement", "nodal_eqv_stress"):
        assert hasattr(post, name)


def test_every_call_exists_in_the_stand_in() -> None:
    check_calls(fake.Mapdl, fake.PostProcessing, fake.launch_mapdl)


def test_every_call_exists_in_the_installed_pymapdl() -> None:
    if importlib.util.find_spec("ansys") is None or importlib.util.find_spec("ansys.mapdl.core") is None:
        pytest.skip("PyMAPDL is not installed: pip install 'scalebridge[ansys]'")
    from ansys.mapdl.core import launch_mapdl
    from ansys.mapdl.core.errors import MapdlConnectionError, MapdlExitedError
    from ansys.mapdl.core.mapdl_grpc import MapdlGrpc
    from ansys.mapdl.core.post import PostProcessing

    check_calls(MapdlGrpc, PostProcessing, launch_mapdl)
    assert (MapdlExitedError.__name__, MapdlConnectionError.__name__) == ("MapdlExitedError", "MapdlConnectionError")
