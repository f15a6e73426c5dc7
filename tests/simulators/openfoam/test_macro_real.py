"""Debian's OpenFOAM as a macro model, against the analytic flow of a power-law fluid."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models import ClosureValue
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam import Case, Channel, MacroCase, Pipe, find_installation, read_forces
from scalebridge.simulators.openfoam.dictionaries import dictionary
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
    """Creeping flow under a moving lid, its drag read from the forces; the drag is of degree one in the viscosity."""
    for name, text in _lid_driven_cavity(16).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def drag(folder: Path) -> float:
        return -float(read_forces(folder)["total_force"][-1, 0])

    macro = MacroCase(Case(tmp_path), {"drag": drag}, rates=(0.1, 20.0))
    solution = macro.solve(PowerLaw(0.5))
    assert solution.converged, solution.reason
    assert solution.sensitivity is not None
    total = float((solution.sensitivity("drag") * PowerLaw(0.5)(solution.states).values).sum())
    assert total == pytest.approx(solution.qois["drag"], rel=0.005)
    again = macro.solve(PowerLaw(0.5), solution.restart)
    assert again.qois["drag"] == pytest.approx(solution.qois["drag"], rel=1e-7)
    np.testing.assert_array_equal(again.states, solution.states)


def _lid_driven_cavity(cells: int) -> dict[str, str]:
    """A square of 10 mm with a lid at 10 mm/s, for simpleFoam."""
    corners = [(x, y, z) for z in (0, 0.1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
    boundary = (
        "(lid { type wall; faces ((3 7 6 2)); } walls { type wall; faces ((0 4 7 3) (2 6 5 1) (1 5 4 0)); } "
        "sides { type empty; faces ((0 3 2 1) (4 5 6 7)); })"
    )
    mesh = {
        "scale": 0.01,
        "vertices": corners,
        "blocks": f"(hex (0 1 2 3 4 5 6 7) ({cells} {cells} 1) simpleGrading (1 1 1))",
        "boundary": boundary,
    }
    forces = {
        "type": "forces",
        "libs": ["forces"],
        "patches": ["lid"],
        "rho": "rhoInf",
        "rhoInf": 1000,
        "CofR": [0, 0, 0],
    }
    control = {
        "application": "simpleFoam",
        "startTime": 0,
        "stopAt": "endTime",
        "endTime": 2000,
        "deltaT": 1,
        "writeControl": "timeStep",
        "writeInterval": 2000,
        "functions": {"forces": forces},
    }
    solvers = {
        "p": {"solver": "PCG", "preconditioner": "DIC", "tolerance": 1e-14, "relTol": 0.01},
        "U": {"solver": "PBiCGStab", "preconditioner": "DILU", "tolerance": 1e-14, "relTol": 0.01},
    }
    simple = {"consistent": "yes", "pRefCell": 0, "pRefValue": 0, "residualControl": {"p": 1e-8, "U": 1e-8}}
    schemes = {
        "ddtSchemes": {"default": "steadyState"},
        "gradSchemes": {"default": "Gauss linear"},
        "divSchemes": {"div(phi,U)": "bounded Gauss linear", "div((nuEff*dev2(T(grad(U)))))": "Gauss linear"},
        "laplacianSchemes": {"default": "Gauss linear corrected"},
        "interpolationSchemes": {"default": "linear"},
        "snGradSchemes": {"default": "corrected"},
    }
    walls = {"lid": {"type": "zeroGradient"}, "walls": {"type": "zeroGradient"}, "sides": {"type": "empty"}}
    moving = {"type": "fixedValue", "value": "uniform (0.01 0 0)"}
    velocity = {"lid": moving, "walls": {"type": "noSlip"}, "sides": {"type": "empty"}}
    return {
        "system/blockMeshDict": dictionary("blockMeshDict", mesh),
        "system/controlDict": dictionary("controlDict", control),
        "system/fvSchemes": dictionary("fvSchemes", schemes),
        "system/fvSolution": dictionary(
            "fvSolution",
            {"solvers": solvers, "SIMPLE": simple, "relaxationFactors": {"equations": {"U": 0.9}}},
        ),
        "constant/turbulenceProperties": dictionary("turbulenceProperties", {"simulationType": "laminar"}),
        "constant/transportProperties": dictionary("transportProperties", {"transportModel": "Newtonian", "nu": 1e-3}),
        "0/U": _field("U", "volVectorField", "[0 1 -1 0 0 0 0]", "uniform (0 0 0)", velocity),
        "0/p": _field("p", "volScalarField", "[0 2 -2 0 0 0 0]", "uniform 0", walls),
    }


def _field(name: str, kind: str, dimensions: str, inside: str, boundary: dict[str, dict[str, str]]) -> str:
    return dictionary(name, {"dimensions": dimensions, "internalField": inside, "boundaryField": boundary}, kind)
