"""check_model passes what keeps the contract and catches each planted fault with the right words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.models import Runs, Structure
from scalebridge.problems import random_conduction_laminate
from scalebridge.testing import FakeModel, check_model

SOUND = random_conduction_laminate(np.random.default_rng(0), 2)


@dataclass(frozen=True)
class Faulty:
    """A sound model with one fault planted in what it returns."""

    fault: Callable[[np.ndarray, Runs], Any]
    structure: Structure = field(default_factory=Structure)
    name: str = "faulty"
    version: str = "1"
    scale: None = None
    inputs: sb.Space = SOUND.inputs
    outputs: sb.Space = SOUND.outputs
    calls: list[int] = field(default_factory=list)

    def identity(self) -> dict[str, str]:
        return {"name": "faulty"}

    def run(self, x: np.ndarray) -> Any:
        self.calls.append(len(x))
        return self.fault(np.asarray(x), SOUND.run(x))


def test_a_sound_model_passes() -> None:
    check_model(Faulty(lambda x, runs: runs))
    check_model(FakeModel())
    check_model(FakeModel(fail_above=0.5))


def raised(x: np.ndarray, runs: Runs) -> Runs:
    raise RuntimeError("no licence")


def forgetful(x: np.ndarray, runs: Runs) -> Runs:
    return Runs(np.where(np.isnan(runs.values), 0.0, runs.values))


def spreading(x: np.ndarray, runs: Runs) -> Runs:
    values = runs.values + (0.0 if runs.ok.all() else 1.0)
    return replace(runs, values=values)


VALUE_FAULTS = {
    "too few columns": (lambda x, runs: Runs(runs.values[:, :1]), r"returned values \(6, 1\)"),
    "too few rows": (lambda x, runs: runs.take([0]), r"for 6 rows"),
    "no Runs": (lambda x, runs: runs.values, "return Runs"),
    "an exception": (raised, "a row that fails is a status"),
    "a wrong jacobian": (lambda x, runs: replace(runs, jacobian=1.01 * runs.jacobian), "not the derivative"),
    "a transposed jacobian shape": (
        lambda x, runs: replace(runs, jacobian=runs.jacobian[:, 0]),
        "Runs got jacobian of shape",
    ),
    "coupled rows": (lambda x, runs: replace(runs, values=runs.values - runs.values.mean(axis=0)), "a row alone"),
    "dependence on the order": (
        lambda x, runs: replace(runs, values=runs.values * (1 + 1e-3 * (x[0, 0] < x[-1, 0]) * (len(x) > 1))),
        "in another order",
    ),
    "NaN taken for zero": (forgetful, "calls a row ok whose input is NaN"),
    "NaN that spreads": (spreading, "lets a row of NaN change the other rows"),
    "a failure without reason": (
        lambda x, runs: Runs(np.where(x[:, :1] > 0, runs.values, np.nan), np.where(x[:, 0] > 0, "ok", "failed")),
        "without saying the reason",
    ),
    "a negative cost": (lambda x, runs: replace(runs, cost_s=np.full(len(x), -1.0)), "a cost that is negative"),
}


@pytest.mark.parametrize("fault", VALUE_FAULTS)
def test_a_planted_fault_is_caught(fault: str) -> None:
    plant, sentence = VALUE_FAULTS[fault]
    with pytest.raises(AssertionError, match=sentence):
        check_model(Faulty(plant))


def test_a_model_that_is_not_deterministic_is_caught() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError, match="other values for the same inputs"):
        check_model(Faulty(lambda x, runs: replace(runs, values=runs.values + 1e-9 * rng.standard_normal(x.shape))))


def test_a_potential_that_is_none_is_caught() -> None:
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])

    def turned(x: np.ndarray, runs: Runs) -> Runs:
        return replace(runs, values=runs.values + x @ turn.T, jacobian=runs.jacobian + turn)

    check_model(Faulty(turned))
    with pytest.raises(AssertionError, match="declares a potential, but its jacobian is not symmetric"):
        check_model(Faulty(turned, Structure(potential=True)))


def test_an_evenness_that_is_none_is_caught() -> None:
    with pytest.raises(AssertionError, match="declares an even potential"):
        check_model(Faulty(lambda x, runs: replace(runs, values=runs.values + 0.1), Structure(even=True)))


@pytest.mark.parametrize(
    ("identity", "sentence"),
    [
        ({"name": 3}, "must map texts to texts"),
        ({}, "is empty"),
        ({"function": "<function f at 0x7f00>"}, "holds a memory address"),
    ],
)
def test_an_identity_that_cannot_be_stored_is_caught(identity: dict[str, Any], sentence: str) -> None:
    class Anonymous(Faulty):
        def identity(self) -> dict[str, Any]:
            return identity

    with pytest.raises(AssertionError, match=sentence):
        check_model(Anonymous(lambda x, runs: runs))


def test_an_identity_that_changes_is_caught() -> None:
    class Moody(Faulty):
        def identity(self) -> dict[str, str]:
            self.calls.append(0)
            return {"name": str(len(self.calls))}

    with pytest.raises(AssertionError, match="changes from one call to the next"):
        check_model(Moody(lambda x, runs: runs))


def test_a_model_that_takes_any_width_is_caught() -> None:
    class Careless(Faulty):
        def run(self, x: np.ndarray) -> Runs:
            return SOUND.run(np.asarray(x)[:, :2])

    with pytest.raises(AssertionError, match="takes a batch of the wrong width"):
        check_model(Careless(lambda x, runs: runs))


def test_a_thing_that_is_no_model_is_told_what_it_lacks() -> None:
    with pytest.raises(AssertionError, match="is no Model: it lacks name, version, inputs"):
        check_model(object())


def test_a_model_that_never_succeeds_asks_for_inputs() -> None:
    with pytest.raises(AssertionError, match="the solver did not converge"):
        check_model(FakeModel(fail_above=-1e9))


def test_a_plain_function_and_its_adaptations_pass() -> None:
    @sb.model(inputs={"T": ("K", 80, 700), "rho": ("kg/m^3", 1, 1500)}, outputs={"viscosity": "Pa*s"})
    def gas(T: float, rho: float) -> dict[str, float]:
        return {"viscosity": 1e-6 * np.sqrt(T) * (1 + rho / 500)}

    check_model(gas)
    check_model(gas.rename(T="temperature"))
    check_model(gas.fix(rho="1.2 g/cm^3"))
