"""A discrete macro problem: internal forces from closure values, their derivatives, and linear functionals.

With ``x = S u`` the closure's states at the quadrature points, ``e = B u`` the gradient that the flux works on,
``y = f(x)`` and ``s`` the flux, the residual is ``R(u) = sum_i w_i B_i' s_i - t F``. Two forms occur:
*direct*, ``s = y`` (a stress from a strain; S and B are the same), and *scaled*, ``s = y e`` (conductivity times
temperature gradient). Arrays have the cell first: ``[e, q, ...]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.macro.element_space import ElementSpace, Ints
from scalebridge.models import ClosureValue
from scalebridge.models.closure import Closure
from scalebridge.quantities import Floats


@dataclass(frozen=True, eq=False)
class Functional:
    """A quantity of interest ``q = residual·R + dofs·u + sum(values * y)``, every part optional.

    Args:
        residual: ``[n]``, 1 at the degrees of freedom whose reactions are summed.
        dofs: ``[n]``.
        values: ``[e, q, m]``.
    """

    residual: Floats | None = None
    dofs: Floats | None = None
    values: Floats | None = None


@dataclass(frozen=True, eq=False)
class Local:
    """The closure's answer on a field ``u`` and what follows from it cell by cell.

    Args:
        u: ``[n]``, the field.
        states: ``[e, q, d]``, what the closure was asked.
        values: ``[e, q, m]``.
        tangent: ``[e, q, m, d]``, by the states ``S u``.
        gradient: ``[e, q, p]``, ``e = B u``.
        internal: ``[n]``, internal forces.
        size: ``[n]``, sum of the magnitudes of what each cell adds to ``internal``.
        finite: False where the closure answered with anything that is no number.
        inside: ``[e, q]``, the closure's own word on its domain.
    """

    u: Floats
    states: Floats
    values: Floats
    tangent: Floats
    gradient: Floats
    internal: Floats
    size: Floats
    finite: bool
    inside: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Discrete:
    """A discrete macro problem.

    Args:
        space: scalar elements.
        components: of the unknown field; degrees of freedom are numbered ``components * scalar + component``.
        gradients: ``B [e, q, p, l]``.
        state_map: ``S [e, q, d, l]``; None where it is B (direct form).
        weights: ``[e, q]``, quadrature weights with thickness or area.
        load: ``F [n]``.
        fixed: degrees of freedom with a prescribed value.
        target: ``[n]``, prescribed values at full load (zero elsewhere).
        reference: ``[n]``, the field at no load.
        asked: what the closure is asked at states ``S u [e, q, d]``, where that is not the states themselves, and its
            derivative, component by component; both ``[e, q, d]``.
    """

    space: ElementSpace
    components: int
    gradients: Floats
    state_map: Floats | None
    weights: Floats
    load: Floats
    fixed: Ints
    target: Floats
    reference: Floats
    asked: Callable[[Floats], tuple[Floats, Floats]] | None = None

    @property
    def size(self) -> int:
        """Number of degrees of freedom."""
        return self.components * self.space.size

    @property
    def scaled(self) -> bool:
        """True where the flux is the closure's value times the gradient."""
        return self.state_map is not None

    @property
    def _states_of(self) -> Floats:
        return self.gradients if self.state_map is None else self.state_map

    @cached_property
    def cell_dofs(self) -> Ints:
        """Degrees of freedom of each cell ``[e, l]``."""
        scalar = self.space.cells.dofs
        both = self.components * scalar[:, :, None] + np.arange(self.components)
        return np.ascontiguousarray(both.reshape(len(scalar), -1))

    @cached_property
    def free(self) -> Ints:
        """Degrees of freedom that are solved for."""
        mask = np.ones(self.size, dtype=bool)
        mask[self.fixed] = False
        return np.nonzero(mask)[0]

    @cached_property
    def _pattern(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
        """Slot in the column-compressed free block of each entry of the cell matrices (last slot: not free)."""
        number = np.full(self.size, -1, dtype=np.int64)
        number[self.free] = np.arange(len(self.free))
        local = number[self.cell_dofs]
        rows, cols = np.broadcast_arrays(local[:, :, None], local[:, None, :])
        kept = (rows >= 0) & (cols >= 0)
        keys, slot = np.unique((cols * max(1, len(self.free)) + rows)[kept], return_inverse=True)
        slots = np.full(rows.shape, len(keys), dtype=np.int64)
        slots[kept] = slot
        columns = np.bincount(keys // max(1, len(self.free)), minlength=len(self.free))
        pointer = np.concatenate([[0], np.cumsum(columns)]).astype(np.int32)
        return slots.ravel(), (keys % max(1, len(self.free))).astype(np.int32), pointer

    def states(self, u: Floats) -> Floats:
        """Return the states ``S u [e, q, d]`` of a field ``u [n]``."""
        return self._map(self._states_of, u)

    def closure_states(self, u: Floats) -> tuple[Floats, Floats]:
        """Return what the closure is asked on a field ``u [n]``, and its derivative by ``S u``; both ``[e, q, d]``."""
        states = self.states(u)
        return (states, np.ones_like(states)) if self.asked is None else self.asked(states)

    def _map(self, operator: Floats, u: Floats) -> Floats:
        e, q, p, width = operator.shape
        local = u[self.cell_dofs][:, :, None]
        mapped: Floats = np.matmul(operator.reshape(e, q * p, width), local).reshape(e, q, p)
        return mapped

    def scatter(self, local: Floats) -> Floats:
        """Sum cell vectors ``[e, l]`` into ``[n]``."""
        return np.asarray(np.bincount(self.cell_dofs.ravel(), local.ravel(), self.size), dtype=np.float64)

    def evaluate(self, closure: Closure, u: Floats) -> Local:
        """Ask the closure at the states of ``u [n]``."""
        states, slope = self.closure_states(u)
        e, q, d = states.shape
        # A state that is no number cannot be asked for; the closure would be blamed for it.
        answer = closure(states.reshape(e * q, d)) if np.isfinite(states).all() else _no_answer(e * q, d)
        values = np.asarray(answer.values, dtype=np.float64)
        tangent = np.asarray(answer.tangent, dtype=np.float64)
        finite = bool(np.isfinite(values).all() and np.isfinite(tangent).all())
        values, tangent = values.reshape(e, q, -1), tangent.reshape(e, q, -1, d)
        tangent = tangent * slope[:, :, None, :]
        gradient = self._map(self.gradients, u) if self.scaled else states
        flux = values * gradient if self.scaled else values
        local = self._pull_back(flux)
        inside = np.asarray(answer.inside, dtype=bool).reshape(e, q)
        size = self.scatter(np.abs(local))
        return Local(u, states, values, tangent, gradient, self.scatter(local), size, finite, inside)

    def cell_forces(self, at: Local) -> Floats:
        """Return the internal forces of each cell ``[e, l]``."""
        return self._pull_back(at.values * at.gradient if self.scaled else at.values)

    def _pull_back(self, flux: Floats) -> Floats:
        """Return ``sum_q w B' flux`` of each cell ``[e, l]`` for a flux ``[e, q, p]``."""
        e, q, p, width = self.gradients.shape
        weighted = (flux * self.weights[..., None]).reshape(e, 1, q * p)
        pulled: Floats = np.matmul(weighted, self.gradients.reshape(e, q * p, width))[:, 0]
        return pulled

    def flux_tangent(self, at: Local) -> Floats:
        """Return ``ds/du`` at the quadrature points ``[e, q, p, l]``."""
        slope: Floats = np.matmul(at.tangent, self._states_of)
        return at.values[..., None] * self.gradients + at.gradient[..., None] * slope if self.scaled else slope

    def cell_matrices(self, at: Local) -> Floats:
        """Return the tangent of each cell ``[e, l, l]``."""
        e, q, p, width = self.gradients.shape
        right = self.flux_tangent(at) * self.weights[..., None, None]
        left = self.gradients.reshape(e, q * p, width).transpose(0, 2, 1)
        matrices: Floats = np.matmul(left, right.reshape(e, q * p, width))
        return matrices

    def assemble(self, cell_matrices: Floats) -> Any:
        """Return the free block of the tangent as a column-compressed matrix."""
        from scipy.sparse import csc_matrix

        slots, rows, pointer = self._pattern
        data = np.bincount(slots, weights=cell_matrices.ravel(), minlength=len(rows) + 1)[: len(rows)]
        n = len(self.free)
        return csc_matrix((data, rows, pointer), shape=(n, n))

    def times(self, cell_matrices: Floats, v: Floats) -> Floats:
        """Return ``K v`` for all degrees of freedom."""
        return self.scatter(np.matmul(cell_matrices, v[self.cell_dofs][:, :, None])[:, :, 0])

    def times_transposed(self, cell_matrices: Floats, v: Floats) -> Floats:
        """Return ``K' v`` for all degrees of freedom."""
        return self.scatter(np.matmul(v[self.cell_dofs][:, None, :], cell_matrices)[:, 0])

    def value(self, functional: Functional, at: Local, factor: float = 1.0) -> float:
        """Return a quantity of interest at a load factor."""
        total = 0.0
        if functional.residual is not None:
            total += float(functional.residual @ (at.internal - factor * self.load))
        if functional.dofs is not None:
            total += float(functional.dofs @ at.u)
        if functional.values is not None:
            total += float((functional.values * at.values).sum())
        return total

    def slope(self, functional: Functional, at: Local, cell_matrices: Floats) -> Floats:
        """Return ``dq/du [n]``, through the closure included."""
        total = np.zeros(self.size)
        if functional.residual is not None:
            total += self.times_transposed(cell_matrices, functional.residual)
        if functional.dofs is not None:
            total += functional.dofs
        if functional.values is not None:
            pulled = np.matmul(functional.values[..., None, :], at.tangent)
            total += self.scatter(np.matmul(pulled, self._states_of).sum((1, 2)))
        return total

    def pairing(self, dual: Floats, at: Local) -> Floats:
        """Return ``d(dual·R)/dy [e, q, m]`` for a dual field ``[n]``."""
        gradient = self._map(self.gradients, dual) * self.weights[..., None]
        return (gradient * at.gradient).sum(-1, keepdims=True) if self.scaled else gradient


def _no_answer(n: int, d: int) -> ClosureValue:
    return ClosureValue(np.full((n, 1), np.nan), np.full((n, 1, d), np.nan), np.zeros(n, dtype=bool))


def named_values(functionals: Mapping[str, Functional], discrete: Discrete, at: Local) -> dict[str, float]:
    """Return every quantity of interest at full load."""
    return {name: discrete.value(functional, at) for name, functional in functionals.items()}
