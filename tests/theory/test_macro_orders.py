"""Observed orders of convergence against exact solutions."""

from __future__ import annotations

import numpy as np
import pytest

from scalebridge import macro
from tests.macro.laws import Elastic, LinearConductivity

meshes = macro.meshes


def order_of(errors):
    return np.log2(errors[-2] / errors[-1])


def exact_displacement(x):
    return np.array([np.sin(2 * x[0]) * np.cos(x[1]), x[0] * np.exp(x[1])]) * 1e-3


def exact_strain(x):
    e11 = 2 * np.cos(2 * x[0]) * np.cos(x[1])
    e22 = x[0] * np.exp(x[1])
    e12 = (-np.sin(2 * x[0]) * np.sin(x[1]) + np.exp(x[1])) / 2
    return np.array([e11, e22, np.sqrt(2) * e12]) * 1e-3


def body_force(x, step=1e-4):
    """Minus the divergence of the exact stress, by central differences."""
    c = Elastic().matrix
    x = np.asarray(x)

    def stress(x):
        return np.einsum("ij,j...->i...", c, exact_strain(x))

    dx, dy = (np.zeros_like(x) for _ in range(2))
    dx[0], dy[1] = step, step
    by_x = (stress(x + dx) - stress(x - dx)) / (2 * step)
    by_y = (stress(x + dy) - stress(x - dy)) / (2 * step)
    return -(by_x[0] + by_y[2] / np.sqrt(2)), -(by_x[2] / np.sqrt(2) + by_y[1])


@pytest.mark.parametrize("cells", ["triangle", "quadrilateral"])
@pytest.mark.parametrize("order", [1, 2])
def test_solid_converges_with_the_order_of_its_elements(cells, order):
    sides = {
        s: tuple(lambda x, i=i: exact_displacement(x)[i] for i in (0, 1)) for s in ("left", "right", "bottom", "top")
    }
    force = tuple(lambda x, i=i: body_force(x)[i] for i in (0, 1))
    displacement, strain = [], []
    for n in (4, 8, 16):
        model = macro.Solid(meshes.rectangle(1.0, 1.0, n, cells=cells), sides, body_force=force, order=order)
        solution = model.solve(Elastic())
        cells_, u = model.discrete.space.cells, solution.restart.values
        here = np.einsum("eqb,ebc->ceq", cells_.values, u[cells_.dofs])
        x = np.moveaxis(cells_.points, -1, 0)
        displacement.append(np.sqrt((((here - exact_displacement(x)) ** 2).sum(0) * cells_.weights).sum()))
        # Against the exact field at a rule fine enough to see the error inside a cell.
        fine = model.discrete.space.fine_cells()
        grads = np.einsum("eqxb,ebc->cxeq", fine.grads, u[fine.dofs])
        mandel = np.array([grads[0, 0], grads[1, 1], (grads[0, 1] + grads[1, 0]) / np.sqrt(2)])
        error = mandel - exact_strain(np.moveaxis(fine.points, -1, 0))
        strain.append(np.sqrt(((error**2).sum(0) * fine.weights).sum()))
    assert order_of(strain) == pytest.approx(order, abs=0.15)
    assert order_of(displacement) > order + 0.8


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_heat_converges_to_the_kirchhoff_solution(dim, order):
    # theta(T) = T + T²/600 is linear in x between the ends: T is known in closed form.
    law = LinearConductivity()
    ends = [t + t**2 / 600 for t in (300.0, 900.0)]

    def exact(x):
        return 300 * (np.sqrt(1 + (ends[0] + (ends[1] - ends[0]) * x[0]) / 150) - 1)

    maker = {
        1: lambda n: meshes.interval(1.0, n),
        2: lambda n: meshes.rectangle(1.0, 1.0, n),
        3: lambda n: meshes.box(1.0, 1.0, 1.0, n),
    }
    errors = []
    for n in {1: (8, 16, 32), 2: (4, 8, 16), 3: (2, 4, 8)}[dim]:
        model = macro.Heat(maker[dim](n), {"left": 300.0, "right": 900.0}, order=order)
        solution = model.solve(law)
        fine = model.discrete.space.fine_cells()
        here = np.einsum("eqb,eb->eq", fine.values, solution.restart.values[fine.dofs, 0])
        error = here - exact(np.moveaxis(fine.points, -1, 0))
        errors.append(np.sqrt((error**2 * fine.weights).sum()))
    assert order_of(errors) > order + 0.8


def test_reaction_force_superconverges_twice_as_fast_as_the_strain():
    # A quantity of interest that is linear in the residual converges with twice the order of the energy norm.
    model = {
        n: macro.Heat(
            meshes.rectangle(1.0, 1.0, n),
            {"left": 300.0, "right": lambda x: 600 + 100 * np.sin(np.pi * x[1])},
            qois={"flow": macro.HeatFlow("left")},
        )
        for n in (4, 8, 16, 64)
    }
    flow = {n: m.solve(LinearConductivity()).qois["flow"] for n, m in model.items()}
    errors = [abs(flow[n] - flow[64]) for n in (4, 8, 16)]
    assert order_of(errors) == pytest.approx(2.0, abs=0.25)
