from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scalebridge import InputError, macro
from scalebridge.macro.mesh_error import marked
from tests.macro.laws import Elastic, LinearConductivity, PowerLaw
from tests.macro.test_solid import bracket


def plate(n, order=1, cells="triangle"):
    return macro.Solid(
        macro.meshes.plate_with_hole("40 mm", "60 mm", "8 mm", n, "quarter", cells),
        {"bottom": (None, 0), "left": (0, None), "top": (None, "0.3 mm")},
        qois={"force": macro.ReactionForce("top", "y"), "drift": macro.MeanDisplacement("right", "x")},
        order=order,
    )


@pytest.mark.parametrize(("order", "cells"), [(1, "triangle"), (2, "triangle"), (1, "quadrilateral")])
@pytest.mark.parametrize("qoi", ["force", "drift"])
def test_estimate_is_the_error_on_a_smooth_geometry(order, cells, qoi):
    fine = plate(16, 2).solve(PowerLaw()).qois[qoi]
    model = plate(8, order, cells)
    solution = model.solve(PowerLaw())
    estimate = model.mesh_estimate(solution, PowerLaw(), qoi)
    if cells == "triangle":
        assert 0.8 < estimate.error / (fine - solution.qois[qoi]) < 1.25
    else:
        # Straight quadrilaterals do not see that the hole is round; the estimate is for the polygon.
        assert 0.5 < estimate.error / (fine - solution.qois[qoi]) < 2.0


@pytest.mark.parametrize("qoi", ["force", "drift", "strain", "stress"])
def test_for_a_linear_law_the_estimate_is_what_second_order_changes(qoi):
    # One Newton step of the richer space is its solution then, on the same curved edges with the same rule.
    qois = {"strain": macro.MeanStrain("xx"), "stress": macro.MeanStress("yy"), **plate(6).qois}
    coarse, fine = (replace(plate(6, order), qois=qois) for order in (1, 2))
    solution, law = coarse.solve(Elastic()), Elastic()
    estimate = coarse.mesh_estimate(solution, law, qoi)
    change = fine.solve(law).qois[qoi] - solution.qois[qoi]
    assert estimate.error == pytest.approx(change, rel=1e-7)
    assert estimate.local.sum() == pytest.approx(change, rel=1e-7)


def test_contributions_of_elements_sum_to_the_estimate_and_gather_at_the_corner():
    model = bracket(8)
    solution = model.solve(PowerLaw())
    for qoi in ("force", "corner", "drift"):
        estimate = model.mesh_estimate(solution, PowerLaw(), qoi)
        assert estimate.local.sum() == pytest.approx(estimate.error, rel=1e-6)
    local = np.abs(model.mesh_estimate(solution, PowerLaw(), "force").local)
    centre = model.domain.mesh.p[:, model.domain.mesh.t].mean(1)
    near = np.hypot(*(centre - 0.05)) < 0.015
    assert local[near].sum() > 0.4 * local.sum()


def test_refinement_by_the_estimate_beats_refinement_everywhere():
    model = bracket(4, 2)
    reference = -131048.0
    adapted = model
    for _ in range(4):
        solution = adapted.solve(PowerLaw())
        adapted = adapted.refined(adapted.mesh_estimate(solution, PowerLaw(), "force").local)
    uniform = model.refined_everywhere()
    assert adapted.domain.mesh.nelements < uniform.domain.mesh.nelements
    errors = [abs(m.solve(PowerLaw()).qois["force"] - reference) for m in (adapted, uniform)]
    assert errors[0] < 0.5 * errors[1]


def test_heat_has_an_estimate_too():
    model = macro.Heat(
        macro.meshes.l_bracket(1.0, 4), {"top": 300.0, "right": 500.0}, qois={"flow": macro.HeatFlow("right")}
    )
    law = LinearConductivity()
    # k = 1 + T/300 = dtheta/dT: the flow is that of a linear problem between the transformed temperatures.
    fine = replace(model, order=2)
    for _ in range(5):
        solution = fine.solve(law)
        fine = fine.refined(fine.mesh_estimate(solution, law, "flow").local)
    reference = fine.solve(law).qois["flow"]
    solution = model.solve(law)
    assert 0.5 < model.mesh_estimate(solution, law, "flow").error / (reference - solution.qois["flow"]) < 2.0


def test_doerfler_marking_takes_the_fewest_elements_that_hold_the_part():
    assert marked(np.array([0.1, -5.0, 3.0, 1.0]), 0.5).tolist() == [1]
    assert marked(np.array([0.1, -5.0, 3.0, 1.0]), 0.8).tolist() == [1, 2]
    assert marked(np.zeros(3), 0.5).tolist() == [0, 1, 2]


def test_an_estimate_where_there_is_none_is_refused_in_one_sentence():
    model = bracket(2)
    solution = model.solve(PowerLaw())
    with pytest.raises(InputError, match="did you mean 'force'"):
        model.mesh_estimate(solution, PowerLaw(), "forse")
    with pytest.raises(InputError, match="of another mesh"):
        model.refined_everywhere().mesh_estimate(solution, PowerLaw(), "force")
    with pytest.raises(InputError, match="no mesh estimate for quadrilaterals of order 2"):
        rich = bracket(2, 2, "quadrilateral")
        rich.mesh_estimate(rich.solve(PowerLaw()), PowerLaw(), "force")
    with pytest.raises(InputError, match="on a mesh of 24 cells"):
        model.refined(np.zeros(3))
