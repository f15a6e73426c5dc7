"""A user's own micro function and own macro class, through a study file alone."""

import json
import subprocess
import sys
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

from scalebridge import InputError, Study
from scalebridge.studies.direct import DirectClosure, solve_direct
from scalebridge.studies.kinds.function import named
from scalebridge.studies.resolve import resolve
from scalebridge.studies.running import run

FILE = '''
import numpy as np
from scalebridge import MacroSolution, Space


class Rods:
    """Rods side by side, each pulled by its own force; q is their total elongation."""

    def __init__(self, forces):
        self.forces = np.array(forces, dtype=float)
        self.closure_inputs = Space({"force": ("N", 0, 10)})
        self.closure_outputs = Space({"elongation": "mm"})

    def solve(self, closure, start=None):
        x = self.forces[:, None]
        answer = closure(x)
        ones = np.ones_like(answer.values)
        return MacroSolution({"total": float(answer.values.sum())}, x, lambda qoi: ones)


def spring(force):
    return {"elongation": 2.0 * force / (1.0 + 0.1 * force)}
'''
STUDY = {
    "models": {
        "rods": {"function": "own.py:Rods", "options": {"forces": [1.0, 2.0, 3.5, 5.0, 8.0]}},
        "spring": {"function": "own.py:spring", "inputs": {"force": ["N", 0, 10]}, "outputs": {"elongation": "mm"}},
    },
    "couplings": [{"macro": "rods", "micro": "spring"}],
    "question": {"qoi": "total", "rtol": 0.01},
}


def own(folder: Path, **changes: object) -> Study:
    (folder / "own.py").write_text(FILE)
    return Study.of(STUDY, folder).changed(changes)


def exact() -> float:
    force = np.array([1.0, 2.0, 3.5, 5.0, 8.0])
    return float((2 * force / (1 + 0.1 * force)).sum())


def test_own_function_and_own_class_are_answered_from_a_study(tmp_path: Path) -> None:
    outcome = run(own(tmp_path), tmp_path / "out", "none")
    assert outcome.answer.converged
    assert outcome.answer.record["macro"]["kind"] == "own.py:Rods"
    low, high = outcome.answer.interval
    assert low - 1e-9 <= exact() <= high + 1e-9
    assert outcome.report.is_file()
    assert json.loads((tmp_path / "out" / "answer.json").read_text())["macro"]["n_states"] == 5


def test_what_a_study_takes_from_its_file_travels_to_other_processes(tmp_path: Path) -> None:
    (tmp_path / "reading.py").write_text("def slope(x):\n    return 3 * x\n\n\ndef drag(x):\n    return slope(x) + 1\n")
    packed = cloudpickle.dumps({"results": named("reading.py:drag", tmp_path, "results")})
    script = "import cloudpickle, sys; print(cloudpickle.load(sys.stdin.buffer)['results'](2))"
    said = subprocess.run([sys.executable, "-c", script], input=packed, capture_output=True, cwd="/", check=False)
    assert said.stdout.strip() == b"7", said.stderr


def test_the_runs_lie_where_the_study_says(tmp_path: Path) -> None:
    run(own(tmp_path, **{"run.store": "kept"}), tmp_path / "out", "none")
    assert (tmp_path / "kept" / "ledger.sqlite").is_file() and not (tmp_path / "out" / "store").exists()


def test_direct_fe2_asks_the_micro_model_itself_and_counts_every_row(tmp_path: Path) -> None:
    solution, closure = solve_direct(resolve(own(tmp_path)))
    assert solution.qois["total"] == pytest.approx(exact(), rel=1e-12)
    # Five states and, without a jacobian, a central difference in one input at each.
    assert (closure.calls, closure.micro_runs) == (1, 5 + 2 * 5)


def test_the_differenced_tangent_of_direct_fe2_is_that_of_the_law(tmp_path: Path) -> None:
    from scalebridge.bridge.coupling import connect

    models = resolve(own(tmp_path))
    x = np.array([[1.0], [4.0], [9.0]])
    answered = DirectClosure(connect(models.macro.model, models.micro.model), chunk=2)(x)
    np.testing.assert_allclose(answered.tangent[:, 0, 0], 2 / (1 + 0.1 * x[:, 0]) ** 2, rtol=1e-6)


def test_options_that_a_class_does_not_take_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be made with the options"):
        resolve(own(tmp_path, **{"models.rods.options": {"load": 1}}))
