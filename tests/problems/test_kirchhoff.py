"""Exact answers by the Kirchhoff transform, on the bar and on its mesh."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.problems import (
    ExponentialConductivity,
    KinkedConductivity,
    QuadraticConductivity,
    direct_closure,
    kinked_bar,
    kirchhoff_bar,
    kirchhoff_rectangle,
)
from scalebridge.problems.kirchhoff import inverse_integral
from scalebridge.testing import check_macro, check_model

CONDUCTIVITIES = [QuadraticConductivity(), ExponentialConductivity(), KinkedConductivity()]
BY_NAME = {"ids": lambda micro: micro.name}


@pytest.mark.parametrize("micro", CONDUCTIVITIES, **BY_NAME)
def test_each_conductivity_keeps_the_contract(micro: QuadraticConductivity) -> None:
    check_model(micro)


@pytest.mark.parametrize("micro", CONDUCTIVITIES, **BY_NAME)
def test_each_integral_is_that_of_its_conductivity(micro: QuadraticConductivity) -> None:
    t = np.linspace(-2.0, 3.0, 11)
    points, weights = np.polynomial.legendre.leggauss(50)
    for value in t:
        # In two pieces about the corner, so that the quadrature is exact for the kinked one too.
        ends = [0.0, float(np.clip(1.5, min(0.0, value), max(0.0, value))), value]
        pieces = [
            weights @ micro.run(((b - a) * (points + 1) / 2 + a)[:, None]).values[:, 0] * (b - a) / 2
            for a, b in pairwise(ends)
        ]
        assert micro.integral(np.array([value]))[0] == pytest.approx(sum(pieces), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("micro", CONDUCTIVITIES, **BY_NAME)
def test_the_inverse_undoes_the_integral(micro: QuadraticConductivity) -> None:
    t = np.linspace(-3.0, 3.0, 13)
    np.testing.assert_allclose(inverse_integral(micro, micro.integral(t)), t, atol=1e-11)


def test_a_potential_that_is_never_reached_has_no_temperature() -> None:
    # The integral of exp(T) never falls below -1.
    assert np.isnan(inverse_integral(ExponentialConductivity(), np.array([-2.0]))).all()


@pytest.mark.parametrize("source", [0.0, 3.0, -2.0])
@pytest.mark.parametrize("micro", CONDUCTIVITIES[:2], **BY_NAME)
def test_direct_coupling_finds_the_answers_on_the_mesh(micro: QuadraticConductivity, source: float) -> None:
    case = kirchhoff_bar(micro, source=source, area=2.0, cold=-0.5, n_elements=24)
    qois = case.direct().qois
    for name, exact in case.on_mesh.items():
        assert qois[name] == pytest.approx(exact, rel=1e-9), name
    assert qois["mean_temperature"] == pytest.approx(case.exact["mean_temperature"], rel=5e-3)


def test_the_kinked_bar_approaches_its_exact_answer() -> None:
    errors = [abs(kinked_bar(n_elements=n).direct().qois["flow"] / 7.0 - 1) for n in (24, 96)]
    assert kinked_bar().exact["flow"] == pytest.approx(7.0)
    assert errors[1] < 1e-3
    assert errors[1] < errors[0]


@pytest.mark.parametrize("n_elements", [24, 96, 384])
def test_a_kink_costs_newton_a_few_evaluations_on_any_mesh(n_elements: int) -> None:
    case, asked = kinked_bar(n_elements=n_elements), []
    closure = direct_closure(case.micro)
    solution = case.macro.solve(lambda x: asked.append(len(x)) or closure(x))
    assert solution.converged
    assert len(asked) <= 40


def test_the_mean_temperature_converges_with_the_square_of_the_element() -> None:
    errors = []
    for n in (8, 16, 32, 64):
        case = kirchhoff_bar(source=3.0, n_elements=n)
        errors.append(abs(case.direct().qois["mean_temperature"] - case.exact["mean_temperature"]))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    np.testing.assert_allclose(orders, 2.0, atol=0.05)


def test_heat_in_the_plane_finds_the_exact_answers_of_the_rectangle() -> None:
    from scalebridge.macro import Heat, HeatFlow, MeanTemperature, meshes

    micro, rectangle, exact = kirchhoff_rectangle(width=1.5, height=0.8, base=0.4, rise=1.2)
    cold = dict.fromkeys(("left", "right", "bottom"), 0.4)
    errors = []
    for n in (4, 8):
        heat = Heat(
            meshes.rectangle(1.5, 0.8, n, n),
            {**cold, "top": lambda x: rectangle.top(x[0])},
            order=2,
            qois={"flow": HeatFlow("bottom"), "mean_temperature": MeanTemperature()},
        )
        qois = heat.solve(direct_closure(micro)).qois
        errors.append([abs(abs(qois[name]) / exact[name] - 1) for name in exact])
    assert np.all(np.array(errors[1]) < 1e-3)
    assert np.all(np.array(errors[1]) < 0.3 * np.array(errors[0]))


def test_most_of_the_kinked_flow_comes_from_above_the_corner() -> None:
    smooth = kirchhoff_bar(KinkedConductivity(slope=0.0), hot=2.0).exact["flow"]
    assert kinked_bar().exact["flow"] > 3 * smooth


def test_the_kinked_bar_keeps_the_contract() -> None:
    case = kinked_bar()
    check_macro(case.macro, case.micro)


@pytest.mark.parametrize("micro", CONDUCTIVITIES[:2], **BY_NAME)
def test_a_rectangle_satisfies_its_own_boundary_and_has_the_flow_of_its_potential(micro: QuadraticConductivity) -> None:
    _, rectangle, exact = kirchhoff_rectangle(micro, width=1.5, height=0.8, base=0.4, rise=1.2)
    x = np.linspace(0.0, 1.5, 9)
    top = rectangle.top(x)
    floor = micro.integral(np.array([0.4]))[0]
    np.testing.assert_allclose(micro.integral(top) - floor, 1.2 * np.sin(np.pi * x / 1.5), atol=1e-10)
    # The flow through y = 0 by differences of the potential, integrated along x.
    k, h = np.pi / 1.5, 1e-6
    slope = 1.2 * np.sinh(k * h) / np.sinh(k * 0.8) / h
    assert exact["flow"] == pytest.approx(slope * 2 / k, rel=1e-8)
    assert 0.4 < exact["mean_temperature"] < top.max()


def test_a_conductivity_that_could_vanish_is_refused() -> None:
    with pytest.raises(InputError, match="not positive everywhere"):
        QuadraticConductivity(1.0, 3.0, 1.0)
    with pytest.raises(InputError, match="a that is not zero"):
        ExponentialConductivity(a=0.0)
    with pytest.raises(InputError, match="slope >= 0"):
        KinkedConductivity(slope=-1.0)
