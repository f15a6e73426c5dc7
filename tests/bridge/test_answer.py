"""The answer: what it holds, what it saves and reads back, what a solve tells on its way."""

from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.bridge import Answer, Progress, load
from scalebridge.bridge.audit import DRAWS
from scalebridge.bridge.interval import unseen_mass
from scalebridge.models import Surrogate
from tests.bridge.own import Beam, steel


def solve(**options: Any) -> Answer:
    options = {"qoi": "curvature", "rtol": 0.01, "progress": "none", **options}
    return sb.solve(Beam(), steel, **options)


@pytest.fixture(scope="module")
def answer() -> Answer:
    return solve(qoi=["curvature", "top_strain"], seed=4)


@pytest.fixture(scope="module")
def refusal() -> Answer:
    class Wrong(Beam):
        def solve(self, closure: Any, start: Any = None) -> sb.MacroSolution:
            found = super().solve(closure, start)
            right = found.sensitivity
            return replace(found, sensitivity=lambda qoi: -right(qoi))

    return sb.solve(Wrong(), steel, qoi="curvature", rtol=0.01, progress="none")


def test_an_answer_has_every_attribute_of_its_contract(answer: Answer) -> None:
    low, high = answer.interval
    assert low < answer.value < high
    assert answer.half_width == pytest.approx(0.5 * (high - low))
    assert answer.half_width == pytest.approx(sum(v for v in answer.parts.values() if v is not None))
    assert set(answer.parts) == {"closure", "remainder", "micro_discretisation", "mesh"}
    assert answer.parts["closure"] > 0
    assert answer.parts["mesh"] is None
    assert answer.confidence == 0.95
    assert answer.converged is True
    assert answer.reason == "the interval is within the tolerance"
    assert answer.micro_runs == len(answer.runs)
    assert answer.macro_solves > 2
    assert answer.surrogate.data[0].shape[1] == 1
    assert answer.input_interval is None
    assert set(answer.quantities) == {"curvature", "top_strain"}


def test_every_run_has_its_phase_its_reason_and_its_prediction(answer: Answer) -> None:
    assert [r.id for r in answer.runs] == list(range(1, answer.micro_runs + 1))
    assert len({r.key for r in answer.runs}) == answer.micro_runs
    for run in answer.runs:
        assert run.phase in {"start", "learn", "verify", "check", "finer"}
        assert run.why
        assert run.status == "ok"
        assert (run.predicted is not None) == (run.phase in {"learn", "verify"})
    verified = [r for r in answer.runs if r.phase == "verify"]
    assert len(verified) == DRAWS
    assert all("verification round 1: drawn at random" in r.why for r in verified)


def test_the_number_for_what_can_hide_is_printed_with_every_answer(answer: Answer) -> None:
    said = unseen_mass(DRAWS, 0.95)
    assert answer.record["unseen_mass"] == pytest.approx(said)
    assert any(f"at least {said:.2f} of the draw probability" in note for note in answer.notes)
    assert any("on the given mesh" in note for note in answer.notes)


def test_an_answer_that_was_saved_reads_back_the_same(answer: Answer, tmp_path: Path) -> None:
    again = load(answer.save(tmp_path / "out"))
    assert again.surrogate is not None and answer.surrogate is not None
    x = answer.surrogate.data[0][:3] * 0.7
    np.testing.assert_array_equal(again.surrogate.predict(x)[0], answer.surrogate.predict(x)[0])
    assert json.dumps(again.to_dict()) == json.dumps(answer.to_dict())
    assert (again.value, again.interval, again.parts) == (answer.value, answer.interval, answer.parts)
    assert again.runs == answer.runs
    assert set(again.arrays) == set(answer.arrays)
    for name, array in answer.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["answer.json", "arrays.npz", "surrogate.zip"]


def test_a_surrogate_that_cannot_be_written_is_left_out_and_an_older_one_does_not_stay(
    answer: Answer, tmp_path: Path
) -> None:
    class Own:
        """Of a user's making."""

    answer.save(tmp_path)
    again = load(replace(answer, surrogate=cast(Surrogate, Own())).save(tmp_path))
    assert again.surrogate is None
    assert not (tmp_path / "surrogate.zip").exists()


def test_an_answer_is_read_without_a_surrogate_that_is_damaged(answer: Answer, tmp_path: Path) -> None:
    answer.save(tmp_path)
    (tmp_path / "surrogate.zip").write_bytes(b"PK")
    again = load(tmp_path)
    assert again.surrogate is None and again.value == answer.value
    assert "surrogate of this answer is not there" in again.notes[-1]


def test_the_saved_json_has_the_fields_of_its_schema(answer: Answer, tmp_path: Path) -> None:
    answer.save(tmp_path)
    told = json.loads((tmp_path / "answer.json").read_text())
    wanted = (
        "schema_version qoi value unit interval parts confidence rtol atol tolerance converged reason micro_runs "
        "executed_runs reused_runs macro_solves wall_s micro_seconds seed unseen_mass versions micro macro "
        "input_interval notes path rounds runs quantities mesh_mode half_width"
    )
    assert not set(wanted.split()) - set(told)
    assert told["schema_version"] == 1
    assert {"scalebridge", "python", "numpy", "torch"} <= set(told["versions"])
    assert told["micro"]["name"] == "steel"
    assert told["macro"]["closure_outputs"][0]["unit"] == "MPa"
    for step in told["path"]:
        assert set(step) == {
            "micro_runs",
            "macro_solves",
            "phase",
            "value",
            "low",
            "high",
            "expected_half_width",
            "note",
        }
    assert [s["micro_runs"] for s in told["path"]] == sorted(s["micro_runs"] for s in told["path"])
    assert told["path"][-1]["phase"] == "verify"


def test_the_arrays_describe_the_verified_states(answer: Answer) -> None:
    n = Beam().n_fibres
    shapes = {name: answer.arrays[name].shape for name in ("states", "sensitivity", "predicted", "predicted_std")}
    assert set(shapes.values()) == {(n, 1)}
    assert answer.arrays["probability"].shape == answer.arrays["state_std"].shape == (n,)
    assert answer.arrays["probability"].sum() == pytest.approx(1.0)


def test_a_refusal_is_null_in_json_and_infinite_in_python(refusal: Answer, tmp_path: Path) -> None:
    assert refusal.interval == (-math.inf, math.inf)
    text = (refusal.save(tmp_path) / "answer.json").read_text()
    assert "Infinity" not in text
    assert "NaN" not in text
    told = json.loads(text)
    assert told["interval"] == [None, None]
    assert told["half_width"] is None
    assert told["converged"] is False
    again = load(tmp_path)
    assert again.interval == (-math.inf, math.inf)
    assert again.half_width == math.inf
    assert again.reason == refusal.reason


def test_an_answer_without_any_solution_has_no_value_and_is_saved_all_the_same(tmp_path: Path) -> None:
    class Raising(Beam):
        def solve(self, closure: Any, start: Any = None) -> sb.MacroSolution:
            raise RuntimeError("no")

    found = sb.solve(Raising(), steel, qoi="curvature", rtol=0.01, progress="none")
    assert math.isnan(found.value)
    again = load(found.save(tmp_path))
    assert math.isnan(again.value)
    assert again.runs == ()


def test_a_folder_without_an_answer_or_with_one_of_the_future_is_refused(answer: Answer, tmp_path: Path) -> None:
    with pytest.raises(sb.InputError, match="no readable answer"):
        load(tmp_path / "nowhere")
    answer.save(tmp_path)
    future = json.loads((tmp_path / "answer.json").read_text()) | {"schema_version": 99}
    (tmp_path / "answer.json").write_text(json.dumps(future))
    with pytest.raises(sb.InputError, match="schema version 99"):
        load(tmp_path)


def test_an_answer_cannot_be_changed(answer: Answer) -> None:
    with pytest.raises(FrozenInstanceError):
        answer.converged = False  # type: ignore[misc]


def test_a_listener_hears_every_phase_and_the_end() -> None:
    heard: list[Progress] = []
    answer = solve(progress=heard.append)
    assert {p.phase for p in heard} >= {"learn", "verify", "done"}
    assert heard[-1].phase == "done"
    assert heard[-1].fraction == 1.0
    assert heard[-1].message == answer.reason
    assert heard[-1].value == answer.value
    assert all(0 <= p.fraction <= 1 for p in heard)
    assert all(p.tolerance > 0 for p in heard if p.tolerance is not None)
    assert [p.micro_runs for p in heard] == sorted(p.micro_runs for p in heard)


def test_a_report_is_one_html_file(answer: Answer, tmp_path: Path) -> None:
    written = answer.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert written.lstrip().lower().startswith("<!doctype html")
    assert "curvature" in written
    assert "<html" in answer._repr_html_() or "<" in answer._repr_html_()
