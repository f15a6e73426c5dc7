"""What ``surrogate="auto"`` takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import GaussianProcess, Transformed

SHEAR, VISCOSITY = sb.Space({"rate": ("1/s", 0, None)}), sb.Space({"viscosity": ("Pa*s", 0, None)})


@dataclass(frozen=True)
class Rheometer:
    """The mean stress over shear rates from one to a ratio ``spread``."""

    spread: float
    floor: float = 1.0
    closure_inputs: sb.Space = SHEAR
    closure_outputs: sb.Space = VISCOSITY

    @property
    def start_states(self) -> np.ndarray:
        return np.geomspace(1.0, self.spread, 3)[:, None]

    @property
    def decades(self) -> np.ndarray:
        return np.geomspace(1.0, self.spread, 14)[:, None]

    def solve(self, closure: Any, start: Any = None) -> sb.MacroSolution:
        x = np.linspace(self.floor, self.spread, 14)[:, None] if self.floor < 1 else self.decades
        weight = x / len(x)
        stress = float((weight * closure(x).values).sum())
        return sb.MacroSolution({"stress": stress}, x, lambda qoi: weight)


@sb.model(inputs=SHEAR, outputs=VISCOSITY)
def thinning(rate: float) -> dict[str, float]:
    return {"viscosity": 2.0 * rate**-0.6}


def answered(spread: float) -> sb.Answer:
    return sb.solve(Rheometer(spread), thinning, qoi="stress", rtol=0.02, progress="none")


def test_states_orders_of_magnitude_apart_are_learned_by_their_logarithms() -> None:
    answer = answered(1e4)
    x = np.geomspace(1.0, 1e4, 14)
    assert isinstance(answer.surrogate, Transformed)
    assert answer.converged and answer.micro_runs <= 12
    low, high = answer.interval
    assert low <= np.mean(2.0 * x**0.4) <= high
    assert answer.value == pytest.approx(np.mean(2.0 * x**0.4), rel=0.02)


def test_states_close_together_are_learned_as_they_are() -> None:
    answer = answered(4.0)
    assert isinstance(answer.surrogate, GaussianProcess) and answer.converged


@pytest.mark.parametrize("least", [0.0, 1e-300], ids=["nothing", "next to nothing"])
def test_states_and_values_that_reach_zero_are_learned_as_they_are(least: float) -> None:
    @sb.model(inputs=SHEAR, outputs=VISCOSITY)
    def saturating(rate: float) -> dict[str, float]:
        return {"viscosity": max(rate / (20.0 + rate), least)}

    answer = sb.solve(Rheometer(100.0, floor=0.0), saturating, qoi="stress", rtol=0.02, progress="none")
    x = np.linspace(0.0, 100.0, 14)
    low, high = answer.interval
    assert answer.converged and low <= np.mean(x * x / (20.0 + x)) <= high
