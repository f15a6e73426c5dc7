"""Dual-weighted estimate of the mesh error in a quantity of interest.

The discrete solution is read in a space of twice the order on the same mesh (with curved edges where a boundary is an
arc). There, with the residual ``R+``, the quantity of interest ``q+`` and the dual ``z+``,

    q(exact) - q_h  ~  q+(u_h) - q_h(u_h) - R+(u_h)(z+),

the first difference being that of the quadrature. The dual is linearised half way along the first Newton step in the
richer space, so that what the linearisation leaves is of third order. By Galerkin orthogonality only
``z+ - I_h z+`` counts; element by element the estimate is the work of the tangent between the Newton step and
``z+ - I_h z+``, plus what geometry and quadrature change in the internal forces on ``I_h z+``.

Source: Becker and Rannacher, An optimal control approach to a posteriori error estimation, Acta Numerica 10 (2001).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.macro.discrete import Discrete, Functional, Local
from scalebridge.macro.element_space import ELEMENTS, ElementSpace
from scalebridge.macro.newton import Factor, factorised
from scalebridge.macro.solution import dual_field
from scalebridge.models import MacroSolution, MeshEstimate
from scalebridge.models.closure import Closure
from scalebridge.quantities import Floats


def richer(space: ElementSpace) -> ElementSpace:
    """Return the space of twice the order, on curved edges where boundaries are arcs.

    One order more would miss half of the error at a re-entrant corner, where the order gains little. Where the states
    vary in a cell, its rule is finer too: the estimate is to see what the coarse quadrature leaves.

    Raises:
        InputError: no elements of that order.
    """
    cell, order = space.domain.cell, 2 * space.order
    if order > len(ELEMENTS[cell]):
        raise InputError(
            f"There is no mesh estimate for {cell}s of order {space.order}; use elements of order 1, "
            'triangles, or mesh="report".'
        )
    simplex = cell in ("line", "triangle", "tetrahedron")
    finer = space.quadrature + 4 if space.quadrature > 1 else 1
    return ElementSpace(space.domain.curved(), order, max(2 * order - 2 if simplex else 2 * order + 1, finer))


def carried(source: ElementSpace, target: ElementSpace, field: Floats) -> Floats:
    """Read a field ``[n, c]`` of one space in another on the same cells ``[n', c]``."""
    local = np.einsum("tb,ebc->etc", source.shapes_at(target.nodes), field[source.cells.dofs])
    result = np.zeros((target.size, field.shape[1]))
    result[target.cells.dofs] = local
    return result


def estimate(
    coarse: Discrete,
    fine: Discrete,
    rough: Functional,
    functional: Functional,
    solution: MacroSolution,
    closure: Closure,
) -> MeshEstimate:
    """Return the estimate for one quantity of interest, given in both spaces.

    Raises:
        InputError: a solution that did not converge or is of another mesh.
    """
    if not solution.converged or solution.restart.values.shape[0] != coarse.space.size:
        raise InputError(
            "The mesh error was asked for at a solution that did not converge or is of another mesh; "
            "pass a converged solution of this very model."
        )
    field = solution.restart.values
    lifted = carried(coarse.space, fine.space, field).ravel()
    jump = np.zeros(fine.size)
    jump[fine.fixed] = (fine.target - lifted)[fine.fixed]
    start = fine.evaluate(closure, lifted)
    matrices = fine.cell_matrices(start)
    step = _newton_step(fine, start, jump, matrices, _needed(fine, matrices))
    half = fine.evaluate(closure, lifted + step / 2)
    matrices = fine.cell_matrices(half)
    factor = _needed(fine, matrices)
    step = _newton_step(fine, start, jump, matrices, factor)
    dual = dual_field(fine, functional, half, matrices, factor)
    at = coarse.evaluate(closure, field.ravel())
    local = _by_cell(coarse, fine, dual, step, matrices, start, at)
    if functional.values is not None and rough.values is not None:
        local += (functional.values * start.values).sum((1, 2)) - (rough.values * at.values).sum((1, 2))
    if functional.dofs is not None and rough.dofs is not None:
        # The same field on edges that are straight and curved: of no cell more than of another.
        apart = float(functional.dofs @ start.u) - float(rough.dofs @ at.u)
        local += apart * fine.weights.sum(1) / fine.weights.sum()
    # The parts add up to q of the richer space's linearised solution, less q of this one.
    return MeshEstimate(float(local.sum()), local)


def _needed(discrete: Discrete, matrices: Floats) -> Factor:
    factor = factorised(discrete, matrices)
    if factor is None:
        raise InputError(
            "The mesh error cannot be estimated: the tangent of the richer space is singular at this solution; "
            'solve at a smaller load or with mesh="report".'
        )
    return factor


def _newton_step(discrete: Discrete, at: Local, jump: Floats, matrices: Floats, factor: Factor) -> Floats:
    """Return the step that brings ``at`` to equilibrium along a tangent, its prescribed values by ``jump``."""
    force = at.internal - discrete.load + discrete.times(matrices, jump)
    step = jump.copy()
    step[discrete.free] = -factor.solve(force[discrete.free])
    return step


def _by_cell(
    coarse: Discrete, fine: Discrete, dual: Floats, step: Floats, matrices: Floats, start: Local, at: Local
) -> Floats:
    """Return what each cell adds ``[e]``."""
    rough = carried(fine.space, coarse.space, dual.reshape(-1, fine.components))
    smooth = carried(coarse.space, fine.space, rough).ravel()
    weight, known = (dual - smooth)[fine.cell_dofs], smooth[fine.cell_dofs]
    work = np.matmul(np.matmul(weight[:, None, :], matrices), step[fine.cell_dofs][:, :, None])[:, 0, 0]
    change = (fine.cell_forces(start) * known).sum(1)
    change -= (coarse.cell_forces(at) * rough.ravel()[coarse.cell_dofs]).sum(1)
    return np.asarray(change - work)


def marked(local: Floats, part: float) -> NDArray[np.int64]:
    """Return the fewest cells that hold a part of the sum of magnitudes (Doerfler, SIAM J. Numer. Anal. 33, 1996)."""
    size = np.abs(local)
    order = np.argsort(-size, kind="stable")
    sums = np.cumsum(size[order])
    if sums[-1] <= 0:
        return order
    count = int(np.searchsorted(sums, part * sums[-1])) + 1
    return np.sort(order[:count])


def checked_local(local: Any, n_cells: int) -> Floats:
    """Return contributions ``[e]`` as floats; raise `InputError` where their number is not that of the cells."""
    array = np.asarray(local, dtype=np.float64)
    if array.shape != (n_cells,) or not np.isfinite(array).all():
        raise InputError(
            f"A refinement was asked for with contributions of shape {array.shape} on a mesh of {n_cells} cells; "
            "pass the `local` of this model's own mesh estimate."
        )
    return array
