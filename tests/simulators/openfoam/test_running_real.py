"""Debian's OpenFOAM, run for real."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models.program import Limits, working_folder
from scalebridge.simulators.openfoam import Case, CaseRun, OpenFoam, find_installation

pytestmark = pytest.mark.adapters

_EXAMPLES = Path("/usr/share/doc/openfoam-examples/examples/incompressible")


@pytest.fixture(autouse=True)
def installed() -> None:
    """Skip, with the reason, where OpenFOAM or its examples are missing."""
    try:
        find_installation()
    except InputError as error:
        pytest.skip(str(error))
    if not _EXAMPLES.is_dir():
        pytest.skip("The examples of OpenFOAM are not installed; on Debian, 'apt-get install openfoam-examples'.")
    pytest.importorskip("foamlib", reason="foamlib, an optional plug-in under the GPL, is not installed")


def _cavity(**options: object) -> Case:
    return Case(_EXAMPLES / "icoFoam" / "cavity" / "cavity", **options)


def _run(case: Case) -> CaseRun:
    with working_folder() as folder:
        case.prepare(folder.path)
        return case.run(folder.path)


def _pressure_range(folder: Path) -> float:
    """Largest minus smallest kinematic pressure of the last time."""
    import foamlib

    case = foamlib.FoamCase(folder)
    with case[-1]["p"] as field:
        return float(np.ptp(np.asarray(field.internal_field)))


def test_a_cavity_is_meshed_and_run() -> None:
    run = _run(_cavity())
    assert run.ok, run.reason
    assert run.solver_log is not None and run.solver_log.time == 0.5
    assert set(run.solver_log.residuals) == {"Ux", "Uy", "p"}


def test_a_parallel_run_gives_what_a_serial_one_gives() -> None:
    inputs, outputs = {"speed": ("cm/s", 1.0, 500.0)}, {"range": "m^2/s^2"}
    places = {"speed": "0/U:boundaryField/movingWall/value[0]"}
    values = []
    for processors in (1, 2):
        model = OpenFoam(_cavity(processors=processors), inputs, outputs, places, {"range": _pressure_range})
        runs = model.run(np.array([[200.0]]))
        assert runs.ok.all(), runs.reason
        values.append(runs.values[0, 0])
    assert values[1] == pytest.approx(values[0], rel=1e-3)


def test_in_creeping_flow_the_pressure_grows_with_viscosity_and_speed() -> None:
    """Stokes flow is linear: p / (nu U) is the same for all."""
    model = OpenFoam(
        _cavity(settings={"system/controlDict:deltaT": 2e-5, "system/controlDict:endTime": 4e-3}),
        inputs={"viscosity": ("m^2/s", 0.1, 1.0), "speed": ("mm/s", 1.0, 10.0)},
        outputs={"range": "m^2/s^2"},
        places={"viscosity": "constant/transportProperties:nu", "speed": "0/U:boundaryField/movingWall/value[0]"},
        results={"range": _pressure_range},
    )
    x = np.array([[0.5, 1.0], [0.5, 4.0], [1.0, 4.0]])
    runs = model.run(x)
    assert runs.ok.all(), runs.reason
    ratio = runs.values[:, 0] / (x[:, 0] * x[:, 1])
    assert ratio[1] == pytest.approx(ratio[0], rel=1e-4)
    assert ratio[2] == pytest.approx(ratio[0], rel=0.05)


def test_a_diverging_run_is_a_failure_that_says_so() -> None:
    run = _run(_cavity(settings={"0/U:boundaryField/movingWall/value[0]": 1e4}))
    assert run.status == "failed"
    assert run.reason.startswith("icoFoam diverged: floating point exception (at time")


def test_a_misspelt_boundary_condition_is_told_in_openfoams_words() -> None:
    run = _run(_cavity(settings={"0/U:boundaryField/movingWall/type": "fixdValue"}))
    assert run.status == "failed"
    assert "Unknown patchField type fixdValue" in run.reason and "0/U.boundaryField.movingWall" in run.reason


def test_a_mesh_that_cannot_be_made_is_told() -> None:
    run = _run(_cavity(settings={"system/blockMeshDict:scale": 0.1}, mesh=("blockMesh", ("refineMesh", "-nonsense"))))
    assert run.status == "failed" and run.reason.startswith("refineMesh failed")


def test_a_steady_solver_that_does_not_converge_is_told_with_its_residuals() -> None:
    case = Case(_EXAMPLES / "simpleFoam" / "pitzDaily", settings={"system/controlDict:endTime": 5})
    run = _run(case)
    assert run.status == "failed" and run.reason.startswith("simpleFoam not converged at time 5: residuals Ux")


def test_a_solver_in_time_that_looks_for_criteria_and_finds_none_is_believed() -> None:
    settings = {"system/controlDict:endTime": 1e-3, "system/controlDict:writeInterval": 10}
    run = _run(Case(_EXAMPLES.parent / "basic" / "scalarTransportFoam" / "pitzDaily", settings=settings))
    assert run.ok, run.reason


def test_a_run_that_takes_too_long_is_ended() -> None:
    run = _run(Case(_EXAMPLES / "simpleFoam" / "pitzDaily", limits=Limits(timeout=3.0)))
    assert run.status == "timeout" and "simpleFoam" in run.reason


def test_an_error_of_a_parallel_run_is_told_in_openfoams_words() -> None:
    if shutil.which("mpirun") is None:
        pytest.skip("There is no mpirun on the PATH.")
    run = _run(_cavity(processors=2, settings={"system/fvSolution:solvers/p/solver": "PGC"}))
    assert run.status == "failed" and "PGC" in run.reason and run.reason.startswith("icoFoam failed: ")
