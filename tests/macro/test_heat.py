from __future__ import annotations

import numpy as np
import pytest

from scalebridge import InputError, macro
from scalebridge.models import MacroModel
from tests.macro.laws import LinearConductivity, PowerFlux, adjoint_ratio

meshes = macro.meshes


def rod(n=20, **options):
    return macro.Heat(meshes.interval("1 m", n), **{"temperature": {"left": 300.0, "right": "600 K"}, **options})


def domain(dim, n=4):
    return [meshes.interval(1.0, 3 * n), meshes.rectangle(1.0, 1.0, n), meshes.box(1.0, 1.0, 1.0, n - 1)][dim - 1]


def test_heat_flow_is_the_one_of_the_kirchhoff_transform():
    # theta = T + T²/600 is linear in x, so the flow is its difference over the length.
    solution = rod().solve(LinearConductivity())
    assert solution.qois["heat_flow_right"] == pytest.approx(300 + (600**2 - 300**2) / 600, rel=1e-12)
    assert solution.qois["heat_flow_left"] == pytest.approx(-solution.qois["heat_flow_right"], rel=1e-10)


def test_a_tapered_rod_has_the_resistance_of_its_area():
    # Area 1/(1 + x): the resistances add up to the integral of 1 + x, 3/2.
    flow = [rod(n, area=lambda x: 1 / (1 + x[0])).solve(LinearConductivity()).qois["heat_flow_right"] for n in (20, 40)]
    exact = (300 + (600**2 - 300**2) / 600) / 1.5
    assert flow[1] == pytest.approx(exact, rel=1e-4)
    assert abs(flow[0] - exact) / abs(flow[1] - exact) == pytest.approx(4.0, rel=0.05)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("law", ["conductivity", "flux"])
def test_adjoint_is_the_derivative_of_every_quantity_of_interest(dim, order, law):
    qois = {
        "flow": macro.HeatFlow("right"),
        "mean": macro.MeanTemperature(),
        "part": macro.MeanTemperature(region=macro.Region(near=[0.5] * dim, radius=0.4)),
        "edge": macro.MeanTemperature("right" if dim == 1 else "top"),
        "point": macro.TemperatureAt([0.37] * dim),
        "gradient": macro.MeanGradient("x", macro.Region(near=[0.5] * dim, radius=0.4)),
    }
    options = {"source": 300.0, "temperature": {"left": 300.0}, "inflow": {"right": 50.0}} if law == "flux" else {}
    if law == "flux":
        qois["flux"] = macro.MeanFlux("x", macro.Region(near=[0.5] * dim, radius=0.4))
        qois["flow"] = macro.HeatFlow("left")
    options = {"temperature": {"left": 300.0, "right": 500.0}, "source": 2000.0, **options}
    model = macro.Heat(domain(dim, 3), law=law, order=order, qois=qois, **options)
    closure = LinearConductivity() if law == "conductivity" else PowerFlux()
    for name in qois:
        difference, predicted = adjoint_ratio(model, closure, name, 1e-3, 100.0)
        # Where everything enters on one side, the flow is known and no closure changes it.
        assert predicted == pytest.approx(difference, rel=2e-6, abs=1e-9)


def test_source_and_inflow_leave_through_the_cold_end():
    solution = macro.Heat(
        domain(2), {"left": 300.0}, "flux", inflow={"right": "50 W/m^2"}, source=300.0, area="10 cm"
    ).solve(PowerFlux())
    assert solution.qois["heat_flow_left"] == pytest.approx(-0.1 * (50 + 300), rel=1e-9)


def test_boundary_temperatures_convert_their_unit():
    warm = rod(temperature={"left": "26.85 degC", "right": 600.0}).solve(LinearConductivity())
    assert warm.qois["heat_flow_right"] == pytest.approx(rod().solve(LinearConductivity()).qois["heat_flow_right"])


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_a_body_between_equal_temperatures_is_at_that_temperature(dim):
    ends = {"left": 310.0, "right": 310.0}
    solution = macro.Heat(domain(dim), temperature=ends).solve(LinearConductivity())
    assert solution.converged
    assert solution.qois["mean_temperature"] == pytest.approx(310.0, rel=1e-12)
    assert abs(solution.qois["heat_flow_left"]) < 1e-9


def test_restart_moves_nothing():
    model = rod(source=500.0)
    first = model.solve(LinearConductivity())
    again = model.solve(LinearConductivity(), first.restart)
    assert again.qois["mean_temperature"] == pytest.approx(first.qois["mean_temperature"], rel=1e-10)


def test_a_runaway_without_a_steady_state_is_refused_with_a_reason():
    from tests.macro.laws import answer

    def falling(x):
        return answer(np.exp(-x), -np.exp(-x)[:, :, None])

    solution = macro.Heat(meshes.interval(1.0, 40), {"left": 0.0}, source=5.0).solve(falling)
    assert not solution.converged
    # Kirchhoff: 1 - exp(-T) = s (x - x²/2) has no solution past s = 2, load factor 0.4.
    assert "limit point near load factor 0.4" in solution.reason


def test_start_states_span_the_boundary_temperatures():
    states = rod().start_states
    assert states.shape == (4, 1)
    assert states.min() < 310 and states.max() > 590
    assert rod(source=1.0).start_states is None


def test_heat_keeps_the_contract_of_a_macro_model():
    model = rod()
    assert isinstance(model, MacroModel)
    solution = model.solve(LinearConductivity())
    assert solution.states.shape == (model.n_states, 1)
    assert solution.sensitivity("heat_flow_left").shape == (model.n_states, 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temperature": {"lefft": 1.0}}, "did you mean 'left'?"),
        ({"temperature": {}}, "no boundary of prescribed temperature"),
        ({"law": "conductivty"}, "did you mean 'conductivity'?"),
        ({"area": -1.0}, "one that is positive"),
        ({"qois": {"f": macro.MeanFlux("x")}}, 'needs Heat(law="flux")'),
        ({"qois": {"f": macro.TemperatureAt((2.0,))}}, "outside the mesh"),
        ({"qois": {"f": macro.TemperatureAt((0.5, 0.5))}}, "needs 1 coordinates"),
        ({"order": 3}, "order from 1 to 2"),
    ],
)
def test_a_likely_mistake_gets_one_clear_sentence(options, words):
    with pytest.raises(InputError) as caught:
        rod(**options)
    assert words in str(caught.value)


def test_a_heat_flow_is_asked_for_where_a_temperature_is_prescribed():
    options = {"temperature": {"right": 300.0}, "inflow": {"left": 100.0}}
    for boundary in ("left", "top"):
        with pytest.raises(InputError, match=f"flow through '{boundary}' was asked for, but nothing is prescribed"):
            macro.Heat(macro.meshes.rectangle(1.0, 1.0, 2), qois={"flow": macro.HeatFlow(boundary)}, **options)
