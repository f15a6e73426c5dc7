"""The input interval: exact where the theory says so, counted, and left out with a reason where it fails."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.bridge import solve
from scalebridge.campaign import Store
from scalebridge.studies.entry import Built
from scalebridge.studies.inputs import representatives, with_input_interval


def material(factor: float, fails: bool = False) -> Any:
    def conduct(temperature: float) -> dict[str, float]:
        if fails:
            raise RuntimeError("diverged")
        return {"conductivity": factor * (1 + temperature / 300.0)}

    inputs = {"temperature": ("K", 200, 400)}
    return sb.model(inputs=inputs, outputs={"conductivity": "W/(m*K)"}, version=f"{factor} {fails}")(conduct)


@dataclass(frozen=True)
class Question:
    input_states: int = 2


@dataclass(frozen=True)
class Where:
    seed: int = 0


@dataclass(frozen=True)
class Declared:
    question: Question
    run: Where


@dataclass(frozen=True)
class Models:
    study: Declared
    macro: Built
    micro: Built


def models(alternatives: dict[str, list[Any]]) -> Models:
    mesh = {"kind": "interval", "length": "0.2 m", "n": 8}
    wall = sb.macro.Heat(mesh=mesh, temperature={"left": 300.0, "right": 260.0})
    return Models(Declared(Question(), Where()), Built(wall), Built(material(1.0), alternatives))


@pytest.fixture(scope="module")
def answered() -> Any:
    known = models({})
    return solve(known.macro.model, known.micro.model, qoi="heat_flow_left", rtol=0.01, progress="none")


def test_an_alternative_that_scales_the_response_moves_the_answer_by_its_factor(answered: Any) -> None:
    kinds = {"segmentation": [material(0.9), material(1.2)], "window": [material(1.1), material(0.9)]}
    told: list[str] = []
    found = with_input_interval(answered, models(kinds), Store(), told.append)  # type: ignore[arg-type]
    q = answered.value
    below, above = found.record["input_sources"]["segmentation"]
    # Heat flow is linear in the conductivity: one deviation moves it by -10 % and +20 %.
    assert (q - below) / q == pytest.approx(1.96 * 0.1, rel=1e-3)
    assert (above - q) / q == pytest.approx(1.96 * 0.2, rel=1e-3)
    low, high = found.record["input_sources"]["window"]
    assert (high - q) / q == pytest.approx(4.3027 * 0.1, rel=1e-3) and q - low == pytest.approx(high - q)
    together = np.hypot(q - below, q - low)
    assert found.input_interval is not None and q - found.input_interval[0] == pytest.approx(together)
    assert len(told) == 4


def test_the_runs_for_uncertain_inputs_are_counted_in_their_own_phase(answered: Any) -> None:
    found = with_input_interval(answered, models({"window": [material(1.1)]}), Store(), lambda _: None)  # type: ignore[arg-type]
    added = [r for r in found.runs if r.phase == "input"]
    assert found.micro_runs == answered.micro_runs + len(added) == answered.micro_runs + 2
    assert found.interval == answered.interval and found.value == answered.value


def test_alternatives_that_fail_are_left_out_with_a_note(answered: Any) -> None:
    found = with_input_interval(answered, models({"window": [material(1.0, fails=True)]}), Store(), lambda _: None)  # type: ignore[arg-type]
    assert found.input_interval is None
    assert any("No input interval" in note for note in found.notes)
    assert [r.status for r in found.runs if r.phase == "input"] == ["failed", "failed"]


def test_representatives_carry_the_whole_first_order_weight(answered: Any) -> None:
    at = representatives(answered, 3)
    assert at is not None
    whole = float((answered.arrays["sensitivity"] * answered.arrays["predicted"]).sum())
    assert at.total.sum() == pytest.approx(whole)
    assert at.change(1.07 * at.y) == pytest.approx(0.07 * whole)


def test_a_stored_alternative_is_not_run_again(answered: Any, tmp_path: Path) -> None:
    kinds = {"window": [material(1.1)]}
    with Store(tmp_path / "store") as store:
        with_input_interval(answered, models(kinds), store, lambda _: None)  # type: ignore[arg-type]
        again = with_input_interval(answered, models(kinds), store, lambda _: None)  # type: ignore[arg-type]
    assert all(r.reused for r in again.runs if r.phase == "input")
