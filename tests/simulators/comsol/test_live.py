"""COMSOL driven live, against the stand-in for MPh; and its calls against the signatures of the installed MPh."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
import scalebridge.testing.comsol as fake
from scalebridge.errors import InputError, UnitError
from scalebridge.simulators import live
from scalebridge.simulators.comsol import session
from scalebridge.simulators.comsol.evaluation import Evaluation, Exported
from scalebridge.simulators.comsol.model import Comsol
from scalebridge.simulators.comsol.refusals import reason
from scalebridge.simulators.comsol.units import in_base_units
from scalebridge.testing import check_model

# The environment variable of the stand-in's faults.
FAULTS = "SCALEBRIDGE_FAKE_COMSOL"
CAPACITOR = Path(__file__).parents[3] / "data" / "comsol-files" / "capacitor.mph"
EPSILON_0 = 8.8541878128e-12


def capacitor(**options: Any) -> Comsol:
    given: dict[str, Any] = {
        "inputs": {"d": ("mm", 0.5, 5), "U": ("V", 0.1, 10)},
        "outputs": {"C": "pF"},
        "results": {"C": "2*es.intWe/U^2"},
        "study": "static",
        "library": "scalebridge.testing.comsol",
    }
    return Comsol(CAPACITOR, **(given | options))


def exact(d_mm: float) -> float:
    return EPSILON_0 * 10e-3 * 2e-3 / (d_mm * 1e-3) * 1e12


def test_parameters_go_in_and_values_come_back_in_their_units() -> None:
    runs = capacitor().run(np.array([[1.0, 1.0], [2.0, 3.0]]))
    assert runs.status.tolist() == ["ok", "ok"]
    assert np.allclose(runs.values[:, 0], [exact(1), exact(2)], rtol=1e-12)


def test_it_keeps_the_contract_of_a_model() -> None:
    check_model(capacitor())


@pytest.mark.parametrize(("faults", "status"), [({}, "ok"), ({"solve": "unconverged"}, "failed")])
def test_six_rows_of_a_campaign_are_solved_six_times(
    faulty: Callable[..., Path], faults: dict[str, str], status: str
) -> None:
    log = faulty(**faults)
    with sb.Campaign(capacitor(), retries=0) as campaign:
        runs = campaign.run(np.array([[1.0, u] for u in range(1, 7)]), phase="learn", why="to count runs")
    assert runs.status.tolist() == [status] * 6 and log.read_text().count("solve static") == 6


def test_rows_of_the_stand_in_are_never_those_of_comsol() -> None:
    assert capacitor().identity()["library"] == "scalebridge.testing.comsol"
    assert "library" not in capacitor(library="mph").identity()


def test_the_client_is_started_once_and_used_again(faulty: Callable[..., Path]) -> None:
    log = faulty()
    model = capacitor()
    model.run(np.array([[1.0, 1.0], [2.0, 1.0]]))
    model.run(np.array([[3.0, 1.0]]))
    lines = [line.split(" ", 1) for line in log.read_text().splitlines()]
    assert len({process for process, _ in lines}) == 1
    calls = [call for _, call in lines]
    assert calls.count("start") == calls.count("load capacitor.mph") == 1 and calls.count("solve static") == 3
    assert "parameter d 0.002[m]" in calls


def test_a_model_file_that_was_changed_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "capacitor.mph"

    def write(length: bytes) -> Comsol:
        with zipfile.ZipFile(CAPACITOR) as given, zipfile.ZipFile(path, "w") as made:
            for entry in given.infolist():
                content = given.read(entry)
                made.writestr(entry, content.replace(b'name="l" expr="10[mm]"', b'name="l" expr="' + length + b'"'))
        return replace(capacitor(), file=path)

    first = write(b"10[mm]")
    assert first.run(np.array([[1.0, 1.0]])).values[0, 0] == pytest.approx(exact(1))
    before = first.identity()["source"]
    second = write(b"20[mm]")
    assert second.run(np.array([[1.0, 1.0]])).values[0, 0] == pytest.approx(2 * exact(1))
    assert second.identity()["source"] != before and live.stop("comsol") >= 1
    path.unlink()
    with pytest.raises(InputError, match="is gone"):
        second.run(np.array([[1.0, 1.0]]))


def test_stopping_leaves_the_server_and_no_process(faulty: Callable[..., Path]) -> None:
    log = faulty()
    capacitor().run(np.array([[1.0, 1.0]]))
    assert live.stop() == 1 and live.stop() == 0
    lines = log.read_text().splitlines()
    assert lines[-1].endswith("disconnect")
    with pytest.raises(ProcessLookupError):
        os.kill(int(lines[0].split()[0]), 0)


def test_time_points_statistics_and_exports_are_read() -> None:
    model = capacitor(
        outputs={"last": "pF", "highest": "V", "halfway": "V", "exported": "V", "imaginary": "1"},
        results={
            "last": Evaluation("2*es.intWe/U^2", "time-dependent", inner="last"),
            "highest": Evaluation("V", statistic="max"),
            "halfway": Evaluation("V", statistic="mean"),
            "exported": Exported("data", "V", statistic="max"),
            "imaginary": Evaluation("ec.Z", part="imag"),
        },
    )
    (values,) = model.run(np.array([[1.0, 2.0]])).values
    assert np.allclose(values, [exact(1) * (1 - np.exp(-10.0)) ** 2, 2.0, 1.0, 2.0, 2.0], rtol=1e-12)


def test_a_complex_column_of_an_export_is_read_by_its_part() -> None:
    class Model:
        def export(self, node: str, file: str) -> None:
            Path(file).write_text("% Model: a.mph\n% Dimension: 1\n% Nodes: 2\n% x  V (V) @ freq=100\n0 3+4i\n1 2-3i\n")

    assert session._exported(Model(), Exported("data", "V", part="imag"), "V").tolist() == [4.0, -3.0]
    assert session._exported(Model(), Exported("data", "V", part="abs"), "V")[0] == 5.0
    with pytest.raises(ValueError, match="the value is complex; choose its part"):
        session._exported(Model(), Exported("data", "V"), "V")
    with pytest.raises(InputError, match="valid: real, imag, abs"):
        Exported("data", "V", part="phase")


def test_an_array_of_times_is_an_output_of_that_shape() -> None:
    from scalebridge.quantities import Variable

    model = capacitor(
        outputs=[Variable("C", "pF", (11,))], results={"C": Evaluation("2*es.intWe/U^2", "time-dependent")}
    )
    assert model.run(np.array([[1.0, 1.0]])).values.shape == (1, 11)
    short = capacitor(results={"C": Evaluation("2*es.intWe/U^2", "time-dependent")}).run(np.array([[1.0, 1.0]]))
    assert short.reason[0] == "'C' has 11 values, declared are 1"


def test_fields_come_with_their_places() -> None:
    field = capacitor().fields({"V": "mV"}, at={"d": "2 mm", "U": 1.5}, coordinates=("x", "y"))["V"]
    assert field.unit == "mV" and np.allclose(field.values, 1500 * field.mesh.points[:, 0] / 2e-3)
    with pytest.raises(InputError, match="takes d, U; 'at' gives d"):
        capacitor().fields({"V": "V"}, at={"d": 1})
    with pytest.raises(InputError, match=r"gave no fields .* Undefined variable\. \| Variable: z"):
        capacitor().fields({"V": "V"}, at={"d": 1, "U": 1})


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"solve": "unconverged"}, "it did not converge: Failed to find a solution. | Maximum number of Newton"),
        ({"solve": "problem"}, "it did not converge: No convergence in a step."),
        ({"solve": "licence"}, "COMSOL has no licence for it: License error: -4."),
        ({"start": "licence"}, "COMSOL has no licence for it: Starting server failed: Could not obtain license"),
        ({"solve": "crash"}, "its process ended with exit code 66"),
        ({"start": "crash"}, "its process ended with exit code 66"),
    ],
)
def test_what_goes_wrong_is_a_status_with_its_reason(
    faulty: Callable[..., Path], fault: dict[str, Any], words: str
) -> None:
    faulty(**fault)
    runs = capacitor().run(np.array([[1.0, 1.0]]))
    assert runs.status[0] == "failed" and runs.reason[0].startswith(words), runs.reason


def test_a_row_that_fails_costs_the_others_nothing(faulty: Callable[..., Path]) -> None:
    faulty(solve="crash", when=["d", 0.003])
    runs = capacitor().run(np.array([[1.0, 1.0], [4.0, 1.0], [2.0, 1.0], [np.nan, 1.0]]))
    assert runs.status.tolist() == ["ok", "failed", "ok", "failed"]
    assert runs.values[2, 0] == pytest.approx(exact(2)) and runs.reason[3] == "the input is not finite"


def test_a_server_that_is_lost_is_started_anew_for_the_next_row(faulty: Callable[..., Path]) -> None:
    log = faulty(solve="lost", when=["d", 0.003])
    runs = capacitor().run(np.array([[4.0, 1.0], [2.0, 1.0]]))
    assert runs.status.tolist() == ["failed", "ok"] and runs.reason[0] == "Connection to server lost."
    assert len({line.split()[0] for line in log.read_text().splitlines()}) == 2


def test_a_row_that_hangs_is_a_timeout_and_its_process_is_gone(faulty: Callable[..., Path]) -> None:
    log = faulty(solve="hang", when=["d", 0.003])
    start = time.monotonic()
    runs = capacitor(timeout="5 s").run(np.array([[4.0, 1.0], [2.0, 1.0]]))
    assert runs.status.tolist() == ["timeout", "ok"] and time.monotonic() - start < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text().split()[0]), 0)


def test_an_unknown_expression_is_a_status_that_names_the_output() -> None:
    runs = capacitor(results={"C": "es.intWee"}).run(np.array([[1.0, 1.0]]))
    assert runs.reason[0] == "'C': Undefined variable. | Variable: es.intWee"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"inputs": {"dd": ("mm", 1, 2), "U": "V"}}, "no parameter 'dd'; did you mean 'd'"),
        ({"study": "statics"}, "no study 'statics'; did you mean 'static'"),
        ({"results": {"C": Evaluation("U", "electrostatics")}}, "no dataset 'electrostatics'; did you mean"),
        ({"results": {"C": Exported("dat", "V")}}, "no export 'dat'; did you mean 'data'"),
        ({"library": "no_such_module"}, "pip install 'scalebridge.comsol.'"),
    ],
)
def test_what_the_model_does_not_have_is_one_sentence(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        capacitor(**options).run(np.array([[1.0, 1.0]]))


def test_a_machine_without_comsol_is_one_sentence(faulty: Callable[..., Path]) -> None:
    faulty(start="missing")
    with pytest.raises(InputError, match="COMSOL is not found on this machine"):
        capacitor().run(np.array([[1.0, 1.0]]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"outputs": {"C": "pF", "Q": "C"}}, "declares the output 'Q' and no result reads it"),
        ({"results": {"D": "1"}}, "reads 'D', which is no output"),
        ({"results": {"C": 3}}, "give an expression, Evaluation or Exported"),
        ({"inputs": {"d": "bit"}}, "whose base unit 'bit' COMSOL does not have"),
        ({"timeout": 0}, "timeout = 0 leaves the program nothing"),
        ({"timeout": "10 m"}, "timeout = '10 m' does not convert to 's'"),
        ({"start_timeout": -1}, "start_timeout = -1 leaves the program nothing"),
        ({"start_timeout": "soon"}, "start_timeout = 'soon' is not a quantity"),
        ({"cores": 0}, "was given cores = 0; give a number from 1"),
        ({"cores": 2.5}, "was given cores = 2.5"),
    ],
)
def test_a_model_that_cannot_be_asked_is_refused_when_it_is_made(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        capacitor(**options)


def test_a_missing_file_and_a_wrong_statistic_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        Comsol(tmp_path / "no.mph", {"d": "mm"}, {"C": "pF"}, {"C": "1"})
    with pytest.raises(InputError, match="did you mean 'max'"):
        Evaluation("T", statistic="maxx")


@pytest.mark.parametrize("number", [0, -1])
def test_solutions_are_numbered_from_1(number: int) -> None:
    with pytest.raises(InputError, match="numbered from 1"):
        Evaluation("T", inner=(1, number))
    with pytest.raises(InputError, match="numbered from 1"):
        Evaluation("T", outer=number)
    assert Evaluation("T", inner=(1, 2), outer=1).inner == (1, 2)


@pytest.mark.parametrize(
    ("unit", "expected"), [("MPa", "kg*m^-1*s^-2"), ("1", "1"), ("degree", "rad"), ("W/(m*K)", "K^-1*kg*m*s^-3")]
)
def test_units_travel_in_base_units(unit: str, expected: str) -> None:
    assert in_base_units(unit, "it")[2] == expected
    with pytest.raises(UnitError):
        in_base_units("bit", "it")


@pytest.mark.parametrize("unit", ["rpm", "krpm", "turn/s", "cycle/s", "kg*m^2*rpm"])
def test_turns_are_refused_for_they_are_other_ones_in_comsol(unit: str) -> None:
    with pytest.raises(UnitError, match="give 'rad/s', or '1/min'"):
        in_base_units(unit, "The input 'speed'")
    factor, _, base = in_base_units("1/min", "it")
    assert factor == pytest.approx(1 / 60) and base == "s^-1"


def test_celsius_goes_in_as_kelvin() -> None:
    factor, offset, unit = in_base_units("degC", "T")
    assert (factor, offset, unit) == (1.0, 273.15, "K")


def test_java_words_become_one_line() -> None:
    error = fake.FlException("Undefined variable.", "Variable: foo", "at com.comsol.x")
    assert reason(error) == "Undefined variable. | Variable: foo"


# Names of variables in session.py that hold objects of MPh.
HOLDERS = {"client": "Client", "model": "Model", "library": None}


def calls_of_mph() -> list[tuple[str | None, ast.Call]]:
    tree = ast.parse(inspect.getsource(session))
    found = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in HOLDERS
        ):
            found.append((HOLDERS[node.func.value.id], node))
    return found


def check_calls(library: Any) -> None:
    """Every call that the session makes exists there and takes these arguments."""
    calls = calls_of_mph()
    assert len(calls) >= 12
    for owner, call in calls:
        assert isinstance(call.func, ast.Attribute)
        holder = library if owner is None else getattr(library, owner)
        function = getattr(holder, call.func.attr)
        itself = [] if owner is None else [None]
        keywords = {k.arg: None for k in call.keywords if k.arg}
        inspect.signature(function).bind(*itself, *[None] * len(call.args), **keywords)


def test_every_call_exists_in_the_stand_in() -> None:
    check_calls(fake)


def test_every_call_exists_in_the_installed_mph() -> None:
    if importlib.util.find_spec("mph") is None:
        pytest.skip("MPh is not installed: pip install 'scalebridge[comsol]'")
    import mph

    check_calls(mph)
    assert "port" in mph.Client.__annotations__ and mph.start.__defaults__ == (None, None, 0)


def test_the_stand_in_has_the_signatures_of_the_installed_mph() -> None:
    if importlib.util.find_spec("mph") is None:
        pytest.skip("MPh is not installed: pip install 'scalebridge[comsol]'")
    import mph

    for mine, theirs in ((fake.Model, mph.Model), (fake.Client, mph.Client)):
        for name, function in vars(mine).items():
            if not name.startswith("_"):
                real = inspect.signature(getattr(theirs, name)).parameters
                assert list(inspect.signature(function).parameters) == list(real), name
