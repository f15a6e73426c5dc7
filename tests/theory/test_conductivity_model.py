"""A bar of a laminate whose phases conduct with k(T): Kirchhoff's exact heat flow through images of voxels."""

from __future__ import annotations

import math

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.problems import direct_closure
from tests.theory.cylinders import conductivity
from tests.theory.shapes import distance

LENGTH, COLD, HOT = 0.2, 300.0, 800.0
POLYMER = sb.micro.TemperatureConductor({"300 K": 0.2, "900 K": 0.35})
CARBON = sb.micro.TemperatureConductor(lambda t: 8.0 * (300.0 / t) ** 0.7)


def layered(component: str) -> sb.micro.ConductivityModel:
    """Three voxels of polymer, one of carbon, normal along direction 1."""
    return sb.micro.ConductivityModel([[0, 0, 0, 1]], [POLYMER, CARBON], component=component, tolerance=1e-9)


def exact(component: str, kelvin: np.ndarray) -> np.ndarray:
    polymer = np.interp(kelvin, [300.0, 900.0], [0.2, 0.35])
    carbon = 8.0 * (300.0 / kelvin) ** 0.7
    return 1.0 / (0.75 / polymer + 0.25 / carbon) if component == "11" else 0.75 * polymer + 0.25 * carbon


def kirchhoff_flow(component: str) -> float:
    """Heat flow through the bar per area: the integral of k from cold to hot over its length."""
    points, weights = np.polynomial.legendre.leggauss(40)
    rise = HOT - COLD
    return 0.5 * rise * float(weights @ exact(component, COLD + 0.5 * rise * (points + 1.0))) / LENGTH


def bar(n: int) -> sb.macro.Heat:
    mesh = sb.macro.meshes.interval(LENGTH, n)
    return sb.macro.Heat(mesh, temperature={"left": COLD, "right": HOT}, order=2)


@pytest.mark.parametrize("component", ["11", "22"])
def test_laminate_conducts_in_series_and_in_parallel_at_every_temperature(component: str) -> None:
    kelvin = np.linspace(310.0, 890.0, 5)
    runs = layered(component).run(kelvin[:, None])
    np.testing.assert_allclose(runs.values[:, 0], exact(component, kelvin), rtol=1e-9)
    h = 1e-3
    slope = (exact(component, kelvin + h) - exact(component, kelvin - h)) / (2 * h)
    np.testing.assert_allclose(runs.jacobian[:, 0, 0], slope, rtol=1e-7)  # type: ignore[index]


@pytest.mark.parametrize("component", ["11", "22"])
def test_bar_with_the_image_at_every_point_has_kirchhoffs_heat_flow(component: str) -> None:
    solution = bar(8).solve(direct_closure(layered(component)))
    assert solution.converged, solution.reason
    assert abs(solution.qois["heat_flow_left"]) == pytest.approx(kirchhoff_flow(component), rel=1e-6)


@pytest.mark.parametrize("component", ["11", "22"])
def test_tolerance_in_interval_out_for_a_bar_of_a_laminate(component: str) -> None:
    answer = sb.solve(bar(16), layered(component), qoi="heat_flow_left", rtol=0.01)
    assert answer.converged, answer.reason
    flow = math.copysign(kirchhoff_flow(component), answer.value)
    assert answer.interval[0] <= flow <= answer.interval[1]
    assert answer.value == pytest.approx(flow, rel=0.01)
    assert answer.micro_runs < 40


def test_composite_cylinders_answer_a_bar_although_they_cannot_be_split() -> None:
    """Square array, .3: the phases keep their ratio at all temperatures, so Rayleigh's value times k(T) is exact."""
    from scalebridge.microstructure.subvoxel import from_level_set

    def matrix(t: float) -> float:
        return 0.2 * math.sqrt(t / 300.0)

    image = from_level_set(distance(math.sqrt(0.3 / math.pi), np.zeros(2)), (32, 32))
    laws = [sb.micro.TemperatureConductor(matrix), sb.micro.TemperatureConductor(lambda t: 10.0 * matrix(t))]
    answer = sb.solve(bar(8), sb.micro.ConductivityModel(image, laws), qoi="heat_flow_left", rtol=0.01)
    assert answer.converged, answer.reason
    mean = 0.2 * 300.0 / 1.5 * ((HOT / 300.0) ** 1.5 - 1.0) / LENGTH
    assert abs(answer.value) == pytest.approx(conductivity(10.0, 0.3) * mean, rel=0.01)
