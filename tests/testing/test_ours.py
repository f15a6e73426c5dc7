"""Every surrogate, macro model and micro model in the box passes its public suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from scalebridge.learn import GaussianProcess
from scalebridge.macro import Heat, Solid, meshes
from scalebridge.micro import RVE, Conductor, Elastic, NeoHooke, PoreFlow, PowerLaw
from scalebridge.models import Runs, Structure
from scalebridge.problems import QuadraticConductivity, random_conduction_laminate, random_laminate
from scalebridge.testing import check_macro, check_model, check_surrogate

LAMINATE = random_laminate(np.random.default_rng(0))
CONDUCTOR = random_conduction_laminate(np.random.default_rng(0), 2)
PLAIN = ({"a": "1", "b": ("1", 0, 1)}, {"y": "1", "z": "Pa"})
BOUNDED = ({"a": "1", "b": ("1", 0, 1)}, {"y": ("1", 0, None), "z": ("Pa", 0, 1)})
STRAIN = (LAMINATE.inputs, LAMINATE.outputs)

SURROGATES: dict[str, Callable[[], Any]] = {
    "plain": lambda: GaussianProcess(*PLAIN),
    "bounded outputs": lambda: GaussianProcess(*BOUNDED),
    "odd": lambda: GaussianProcess({"a": "1", "b": "1"}, PLAIN[1], Structure(even=True)),
    "potential": lambda: GaussianProcess(*STRAIN, Structure(potential=True)),
    "even potential": lambda: GaussianProcess(*STRAIN, Structure(potential=True, even=True)),
}


@pytest.mark.parametrize("name", SURROGATES)
def test_a_gaussian_process_keeps_the_contract(name: str) -> None:
    check_surrogate(SURROGATES[name]())


def test_a_gaussian_process_keeps_the_contract_on_a_laminate() -> None:
    class AtSmallStrains:
        name = "laminate at small strains"

        def run(self, x: np.ndarray) -> Runs:
            return LAMINATE.run(0.01 * x)

    check_surrogate(SURROGATES["even potential"](), AtSmallStrains())


SQUARE = meshes.rectangle(1.0, 1.0, 4, 4)
HEAT: dict[str, tuple[Callable[[], Any], Any]] = {
    "a flux in the plane": (lambda: Heat(SQUARE, {"left": 0.0, "right": 3.0}, law="flux"), CONDUCTOR),
    "a flux, second order": (lambda: Heat(SQUARE, {"left": 0.0, "right": 3.0}, law="flux", order=2), CONDUCTOR),
    "a conductivity on a line": (
        lambda: Heat(meshes.interval(1.0, 20), {"left": 0.0, "right": 2.0}, source=1.0),
        QuadraticConductivity(),
    ),
    "a conductivity in the plane": (lambda: Heat(SQUARE, {"left": 0.0, "right": 2.0}), QuadraticConductivity()),
}


@pytest.mark.parametrize("name", HEAT)
def test_heat_keeps_the_contract(name: str) -> None:
    macro, micro = HEAT[name]
    check_macro(macro(), micro)


QUADS = meshes.rectangle(1.0, 1.0, 3, 3, cells="quadrilateral")
SOLIDS: dict[str, Callable[[], Any]] = {
    "nearly linear": lambda: Solid(SQUARE, {"left": (0.0, 0.0), "right": (1e-4, 0.0)}),
    "far into hardening": lambda: Solid(SQUARE, {"left": (0.0, 0.0), "right": (0.02, 0.01)}),
    "second order": lambda: Solid(SQUARE, {"left": (0.0, 0.0), "right": (0.01, 0.0)}, order=2),
    "pulled quadrilaterals": lambda: Solid(QUADS, {"left": (0.0, 0.0)}, {"right": (1e7, 2e6)}, order=2),
    "a hole": lambda: Solid(meshes.plate_with_hole(1.0, 1.0, 0.2, 3), {"left": (0.0, 0.0), "right": (0.01, 0.0)}),
}


@pytest.mark.parametrize("name", SOLIDS)
def test_a_solid_keeps_the_contract(name: str) -> None:
    check_macro(SOLIDS[name](), LAMINATE)


@pytest.mark.parametrize("tolerance", [1e-6, 1e-9])
def test_an_rve_keeps_the_contract_to_its_own_tolerance(tolerance: float) -> None:
    image = (np.random.default_rng(1).random((12, 12)) < 0.4).astype(int)
    rve = RVE(image, [PowerLaw("3.5 GPa", 0.35, "50 MPa", 0.3), Elastic("72 GPa", 0.22)], tolerance=tolerance)
    x = 0.01 * np.random.default_rng(0).standard_normal((3, 3))
    check_model(rve, x, rtol=20 * tolerance, jacobian_rtol=max(1e-4, 100 * tolerance))


CUBE = (np.random.default_rng(2).random((4, 5, 6)) < 0.4).astype(int)
POWER = [PowerLaw("3.5 GPa", 0.35, "50 MPa", 0.3), Elastic("72 GPa", 0.22)]
RVES: dict[str, tuple[Callable[[], Any], Any]] = {
    "space": (lambda: RVE(CUBE, POWER, tolerance=1e-8), 0.01),
    "generalised plane strain": (lambda: RVE(CUBE[0], POWER, tolerance=1e-8, plane="generalised"), 0.01),
    "plane stress": (lambda: RVE(CUBE[0], POWER, tolerance=1e-8, plane="stress"), 0.01),
    "full integration": (lambda: RVE(CUBE[0], POWER, tolerance=1e-8, discretisation="hexahedra"), 0.01),
    "collocation": (lambda: RVE(CUBE[0], POWER, tolerance=1e-8, discretisation="moulinec_suquet"), 0.01),
    "conduction": (lambda: RVE(CUBE, [Conductor(1.0), Conductor(9.0)], tolerance=1e-8), 1.0),
    "flow": (lambda: PoreFlow(CUBE, fluid=0, voxel_size="5 um", viscosity="1 mPa*s", tolerance=1e-9), 1e3),
}


@pytest.mark.parametrize("name", RVES)
def test_an_rve_of_any_kind_keeps_the_contract(name: str) -> None:
    make, size = RVES[name]
    made = make()
    x = size * np.random.default_rng(0).standard_normal((3, made.inputs.size))
    check_model(made, x, rtol=1e-6, jacobian_rtol=1e-4)


def test_an_rve_at_finite_strain_keeps_the_contract() -> None:
    rve = RVE(CUBE[0], [NeoHooke(1.0, 0.3), NeoHooke(8.0, 0.3)], tolerance=1e-8)
    x = np.eye(2).ravel() + 0.05 * np.random.default_rng(0).standard_normal((3, 4))
    check_model(rve, x, rtol=1e-6, jacobian_rtol=1e-4)
