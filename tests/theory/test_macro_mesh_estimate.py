"""Effectivity of the mesh estimate against a much finer mesh, with a nonlinear law."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scalebridge import macro
from tests.macro.laws import PowerLaw

LAW = PowerLaw()


def plate(n, order):
    return macro.Solid(
        macro.meshes.plate_with_hole("40 mm", "60 mm", "8 mm", n, "quarter"),
        {"bottom": (None, 0), "left": (0, None), "top": (None, "0.3 mm")},
        qois={
            "force": macro.ReactionForce("top", "y"),
            "drift": macro.MeanDisplacement("right", "x"),
            "stress": macro.MeanStress("yy"),
        },
        order=order,
    )


def bracket(n, order):
    return macro.Solid(
        macro.meshes.l_bracket("100 mm", n),
        {"top": (0, 0), "right": (None, "-2 mm")},
        qois={
            "force": macro.ReactionForce("right", "y"),
            "corner": macro.MeanStress("yy", macro.Region(near=(0.05, 0.05), radius="20 mm")),
        },
        order=order,
    )


def resolved(model, qoi, elements):
    """Refine by the estimate until the mesh has so many elements."""
    model = replace(model, order=2)
    solution = model.solve(LAW)
    while model.domain.mesh.nelements < elements:
        model = model.refined(model.mesh_estimate(solution, LAW, qoi).local)
        solution = model.solve(LAW, solution.restart)
    return solution.qois[qoi]


@pytest.fixture(scope="module")
def smooth():
    return plate(32, 2).solve(LAW).qois


@pytest.fixture(scope="module")
def re_entrant():
    return {qoi: resolved(bracket(8, 2), qoi, 1500) for qoi in ("force", "corner")}


@pytest.mark.parametrize(("n", "order"), [(8, 1), (16, 1), (4, 2), (8, 2)])
@pytest.mark.parametrize("qoi", ["force", "drift", "stress"])
def test_effectivity_is_near_one_on_a_smooth_geometry(smooth, n, order, qoi):
    model = plate(n, order)
    solution = model.solve(LAW)
    effectivity = model.mesh_estimate(solution, LAW, qoi).error / (smooth[qoi] - solution.qois[qoi])
    assert 0.8 <= effectivity <= 1.25


@pytest.mark.parametrize(("n", "order"), [(4, 1), (8, 1), (16, 1), (4, 2), (8, 2)])
@pytest.mark.parametrize("qoi", ["force", "corner"])
def test_effectivity_is_within_two_at_a_re_entrant_corner(re_entrant, n, order, qoi):
    model = bracket(n, order)
    solution = model.solve(LAW)
    effectivity = model.mesh_estimate(solution, LAW, qoi).error / (re_entrant[qoi] - solution.qois[qoi])
    assert 0.5 <= effectivity <= 2.0


def test_effectivity_holds_on_meshes_that_the_estimate_refined(re_entrant):
    model = bracket(4, 2)
    solution = model.solve(LAW)
    for _ in range(3):
        estimate = model.mesh_estimate(solution, LAW, "force")
        effectivity = estimate.error / (re_entrant["force"] - solution.qois["force"])
        assert 0.5 <= effectivity <= 2.0
        model = model.refined(estimate.local)
        solution = model.solve(LAW, solution.restart)
