"""Debian's OpenFOAM as a macro model, against the analytic flow of a power-law fluid."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models import ClosureValue
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam import Case, Channel, MacroCase, Pipe, find_installation
from scalebridge.simulators.openfoam.developed_case import Gap, developed_case
from scalebridge.testing import check_macro

pytestmark = pytest.mark.adapters

CONSISTENCY = 0.5


@pytest.fixture(autouse=True)
def installed() -> None:
    """Skip, with the reason, where OpenFOAM is missing."""
    try:
        find_installation()
    except InputError as error:
        pytest.skip(str(error))


class PowerLaw:
    """viscosity = K rate^(n-1), Pa*s."""

    def __init__(self, index: float) -> None:
        self.index = index

    def __call__(self, x: Floats) -> ClosureValue:
        values = CONSISTENCY * x ** (self.index - 1)
        return ClosureValue(values, ((self.index - 1) * values / x)[:, :, None], np.ones(len(x), dtype=bool))


def _channel(cells: int = 40) -> Channel:
    return Channel(height="10 mm", length="1 m", velocity="100 mm/s", cells=cells)


def _exact_channel(n: float) -> float:
    return float(CONSISTENCY / 0.005 * ((2 * n + 1) / n * 0.1 / 0.005) ** n)


def _exact_pipe(n: float) -> float:
    return float(2 * CONSISTENCY / 0.005 * ((3 * n + 1) / n * 0.1 / 0.005) ** n)


@pytest.mark.parametrize("index", [0.3, 0.5, 1.0, 1.3])
def test_the_pressure_drop_of_a_power_law_is_met_to_a_thousandth(index: float) -> None:
    channel = _channel().solve(PowerLaw(index))
    assert channel.converged, channel.reason
    assert channel.qois["pressure_drop"] == pytest.approx(_exact_channel(index), rel=1e-3)
    pipe = Pipe(diameter="10 mm", length="1 m", velocity="100 mm/s").solve(PowerLaw(index))
    assert pipe.converged, pipe.reason
    assert pipe.qois["pressure_drop"] == pytest.approx(_exact_pipe(index), rel=1e-3)


def test_the_error_of_the_mesh_is_of_second_order_and_estimated() -> None:
    law, exact = PowerLaw(0.5), _exact_channel(0.5)
    coarse, fine = _channel(10), _channel(20)
    solutions = [flow.solve(law) for flow in (coarse, fine)]
    errors = [exact - s.qois["pressure_drop"] for s in solutions]
    assert 1.7 < math.log2(errors[0] / errors[1]) < 2.6
    estimate = coarse.mesh_estimate(solutions[0], law, "pressure_drop").error
    assert 1.0 < estimate / errors[0] < 1.5


def test_it_keeps_the_contract_of_a_macro_model() -> None:
    check_macro(_channel(20).problem, PowerLaw(0.5))


def test_a_case_of_ones_own_is_a_macro_model(tmp_path: Path) -> None:
    """A template folder with another transport model in it; the quantity is read by the user's function."""
    files = developed_case(Gap.PLANE, 0.005, 0.1, 20, 4.0)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def gradient(folder: Path) -> float:
        text = (folder / "120" / "uniform" / "driveProperties").read_text()
        return 1000.0 * float(text.partition("gradient")[2].partition(";")[0])

    macro = MacroCase(Case(tmp_path, tolerances={"Ux": 1e-9}), {"gradient": gradient}, rates=(1.0, 100.0))
    solution = macro.solve(PowerLaw(0.5))
    assert solution.converged, solution.reason
    assert solution.qois["gradient"] == pytest.approx(_channel(20).solve(PowerLaw(0.5)).qois["pressure_drop"], rel=1e-8)
