"""Darcy flow: analytic beds, compressible beds, the conformance suite, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from scalebridge import InputError, macro
from scalebridge.macro.bed import Compression
from scalebridge.macro.darcy import Darcy, FlowRate, MeanPressure
from scalebridge.models import ClosureValue
from scalebridge.testing import check_macro

RADIUS = 1e-5  # m


def permeability(c):
    """Carman and Kozeny's, of fibres."""
    return RADIUS**2 * (1 - c) ** 3 / (20 * c**2)


def carman_kozeny(x):
    c = x[:, 0]
    slope = permeability(c) * (-3 / (1 - c) - 2 / c)
    return ClosureValue(permeability(c)[:, None], slope[:, None, None], np.ones(len(x), dtype=bool))


def column(n=40, **options):
    given = {"pressure": {"left": "10 kPa", "right": 0.0}, "viscosity": "1 mPa*s", "solid_fraction": 0.2}
    return Darcy(macro.meshes.interval("2 cm", n), **{**given, **options})


def test_a_uniform_column_obeys_darcys_law():
    solution = column(area="3 cm^2").solve(carman_kozeny)
    assert solution.qois["flow_rate_left"] == pytest.approx(permeability(0.2) / 1e-3 * 1e4 / 0.02 * 3e-4, rel=1e-12)
    assert solution.qois["flow_rate_right"] == pytest.approx(-solution.qois["flow_rate_left"])
    assert solution.qois["mean_pressure"] == pytest.approx(5e3)
    np.testing.assert_allclose(solution.fields["velocity"][:, 0], permeability(0.2) / 1e-3 * 1e4 / 0.02)
    np.testing.assert_allclose(solution.fields["permeability"], permeability(0.2))


def test_resistances_of_a_layered_column_add_up():
    layered = column(solid_fraction=lambda x: np.where(x[0] < 0.005, 0.1, 0.4)).solve(carman_kozeny)
    resistance = 1e-3 * (0.005 / permeability(0.1) + 0.015 / permeability(0.4))
    assert layered.qois["flow_rate_left"] == pytest.approx(1e4 / resistance, rel=1e-12)


def test_a_compressible_column_has_the_flow_of_the_kirchhoff_transform():
    # mu u L is the integral of k(c(s)) over the stress s from 0 to the pressure drop; the flow of linear elements
    # on a line is one of fourth order, as that of the transform itself.
    bed = Compression("1 kPa", 0.25)
    exact = quad(lambda s: permeability(0.15 * (1 + s / 1e3) ** 0.25), 0, 1e4)[0] / (1e-3 * 0.02)
    problems = [column(n, solid_fraction=0.15, compression=bed) for n in (20, 40)]
    flow = [p.solve(carman_kozeny).qois["flow_rate_left"] for p in problems]
    assert flow[1] == pytest.approx(exact, rel=1e-3)
    assert abs(flow[0] - exact) / abs(flow[1] - exact) == pytest.approx(16.0, rel=0.1)
    fraction = problems[1].solve(carman_kozeny).fields["solid_fraction"]
    assert (np.diff(fraction) > 0).all() and fraction[-1] == pytest.approx(0.15 * 11**0.25, rel=0.02)


def test_the_mesh_estimate_is_the_error():
    problem = column(10, solid_fraction=0.15, compression=Compression("1 kPa", 0.25))
    solution = problem.solve(carman_kozeny)
    exact = quad(lambda s: permeability(0.15 * (1 + s / 1e3) ** 0.25), 0, 1e4)[0] / (1e-3 * 0.02)
    found = problem.mesh_estimate(solution, carman_kozeny, "flow_rate_left")
    assert found.error == pytest.approx(exact - solution.qois["flow_rate_left"], rel=0.2)
    assert found.local.sum() == pytest.approx(found.error)
    assert problem.refined(found.local).domain.mesh.nelements > 10


@pytest.mark.parametrize("dim", [1, 2])
def test_it_keeps_the_contract_of_a_macro_model(dim):
    mesh = macro.meshes.interval(0.02, 8) if dim == 1 else macro.meshes.rectangle(0.02, 0.01, 6)
    problem = Darcy(mesh, {"left": 1e4, "right": 0.0}, 1e-3, lambda x: 0.1 + 5 * x[0], Compression("2 kPa", 0.2))
    check_macro(problem, carman_kozeny)


def test_a_prescribed_inflow_asks_for_the_pressure_drop():
    problem = column(pressure={"right": 0.0}, inflow={"left": "1 mm/s"}, qois={"pressure_drop": MeanPressure("left")})
    found = problem.solve(carman_kozeny).qois["pressure_drop"]
    assert found == pytest.approx(1e-3 * 1e-3 * 0.02 / permeability(0.2), rel=1e-12)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"pressure": {}}, "no boundary of prescribed pressure"),
        ({"pressure": {"lefty": 1.0}}, "did you mean 'left'"),
        ({"viscosity": 0.0}, "viscosity of the Darcy problem is 0"),
        ({"solid_fraction": 1.2}, "lies between 1.2 and 1.2"),
        ({"qois": {"flow": "left"}}, "give FlowRate or MeanPressure"),
        ({"qois": {"flow": macro.HeatFlow("left")}}, "give FlowRate or MeanPressure"),
        ({"pressure": {"left": "1 MPa", "right": 0.0}, "compression": Compression("1 kPa", 0.3)}, "without any pores"),
        ({"area": 0.0}, "area of the Darcy problem falls to 0"),
        ({"qois": {"flow": FlowRate("lefty")}}, "did you mean 'left'"),
    ],
)
def test_bad_input_is_told(options, sentence):
    with pytest.raises(InputError, match=sentence):
        column(**options)
    with pytest.raises(InputError, match="a positive pressure"):
        Compression(0.0, 0.2)


@pytest.mark.parametrize("n", [5, 10, 20])
def test_the_mesh_estimate_sees_what_the_quadrature_of_a_compressed_bed_leaves(n):
    # The exact flow by Kirchhoff's transform; a rule as coarse as the coarse space's own would see a quarter of it.
    bed = column(n, solid_fraction=0.1, compression=Compression("1 kPa", 0.6))
    exact = quad(lambda s: permeability(0.1 * (1 + s / 1e3) ** 0.6), 0, 1e4, epsrel=1e-12)[0] / (1e-3 * 0.02)
    solution = bed.solve(carman_kozeny)
    told = bed.mesh_estimate(solution, carman_kozeny, "flow_rate_left").error
    assert told == pytest.approx(exact - solution.qois["flow_rate_left"], rel=0.02)


def test_an_inflow_into_a_bed_that_is_compressed_is_refused():
    with pytest.raises(InputError, match="prescribe the pressure at the inlet"):
        column(pressure={"right": 0.0}, inflow={"left": 1e-3}, compression=Compression("1 kPa", 0.3))


def test_a_flow_rate_is_asked_for_where_a_pressure_is_prescribed():
    # An inflow is known already, and a closed side shares its corners with its neighbours.
    sides = macro.meshes.rectangle(0.02, 0.01, 6)
    for boundary in ("left", "top"):
        with pytest.raises(InputError, match=f"The flow through '{boundary}' was asked for, but nothing is prescribed"):
            Darcy(sides, {"right": 0.0}, 1e-3, 0.2, inflow={"left": 1e-3}, qois={"flow": FlowRate(boundary)})


def test_states_are_told_with_their_places_on_any_mesh():
    problem = column(5)
    for bed in (problem, problem.refined_everywhere()):
        fields = bed.solve(carman_kozeny).fields
        assert len(fields["state_points"]) == len(fields["state_cells"]) == bed.n_states
    assert bed.n_states == 2 * problem.n_states


def test_a_compressed_bed_is_asked_for_solid_fractions_from_its_unloaded_one_upwards():
    problem = column(solid_fraction=0.1, compression=Compression("1 kPa", 0.6))
    for states in (problem.start_states, problem.solve(carman_kozeny).states):
        assert 0.1 <= states.min() < 0.12 and 0.1 * 10**0.6 < states.max() <= 0.1 * 11**0.6
