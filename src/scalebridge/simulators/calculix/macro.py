"""A plane solid solved by CalculiX with an unknown law from strain to stress: our closure inside their program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InfrastructureError, InputError, did_you_mean
from scalebridge.models import MacroSolution, MeshEstimate
from scalebridge.models.closure import Closure
from scalebridge.models.macro import failed_solution
from scalebridge.models.program import Limits, working_folder
from scalebridge.models.program.folders import check_keep
from scalebridge.quantities import Floats, Space
from scalebridge.quantities.units import magnitude
from scalebridge.simulators.calculix.equilibrium import Balance, Law, Problem, Response, balanced, climbed, load_step
from scalebridge.simulators.calculix.linear import AnalysisFailed, LinearBody
from scalebridge.simulators.calculix.plane import Ints, PlaneMesh, plane_mesh
from scalebridge.simulators.calculix.running import Ccx

_MEMBERS = (
    "domain",
    "order",
    "discrete",
    "functionals",
    "newton",
    "start_states",
    "thickness",
    "units",
    "mesh_estimate",
    "refined",
)
# An adjoint solved to this is exact to the digits that error control can use.
_DUAL_TOLERANCE = 1e-8
_TRACE = np.array([1.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class CalculixRestart:
    """Where a next solve may start.

    Args:
        values: ``[n, 2]``, displacements in m.
        strain: ``[e, q, 3]``, Mandel.
    """

    values: Floats
    strain: Floats


@dataclass(frozen=True, eq=False)
class CalculixSolid:
    """A `scalebridge.macro.Solid` whose mechanics are CalculiX's: a macro model with the same closure and quantities.

    Mesh, conditions and quantities of interest are the solid's. CalculiX integrates the closure's stresses, finds what
    is out of balance, solves, and gives strains at its own integration points; adjoints are one or two more of its
    linear analyses. The closure enters as tables of stiffness and stress, so any CalculiX will do, no user routine is
    compiled. See `scalebridge.simulators.calculix.equilibrium` for the iteration.

    Args:
        solid: triangles of order 1 or 2, or quadrilaterals of order 1.
        program: name or path of CalculiX's solver.
        threads: that each analysis may use.
        limits: of one analysis.
        folder: where working folders are made; the system's for temporary files if None.
        keep: which of them stay: "never", "failed" or "always".

    Raises:
        InputError: something else than a solid, elements that CalculiX does not have, an unknown ``keep``.

    ``solve`` raises `InputError` where the program is missing. `MacroSolution.fields` are those of the solid, and
    ``reaction [n, 2]`` (N, all forces from outside on each node, as CalculiX prints them) and ``n_analyses``.
    """

    solid: Any
    program: str = "ccx"
    threads: int = 1
    limits: Limits = field(default_factory=lambda: Limits(timeout=600.0))
    folder: str | Path | None = None
    keep: str = "never"

    def __post_init__(self) -> None:
        if missing := [m for m in _MEMBERS if not hasattr(type(self.solid), m) and not hasattr(self.solid, m)]:
            raise InputError(
                f"CalculixSolid was given a {type(self.solid).__name__} without {missing[0]}; "
                "give a scalebridge.macro.Solid."
            )
        check_keep(self.keep, "CalculixSolid")
        _ = self.ccx, self._mesh

    @cached_property
    def ccx(self) -> Ccx:
        """The solver."""
        return Ccx(self.program, self.threads, self.limits)

    @property
    def closure_inputs(self) -> Space:
        """Strain in Mandel components."""
        return Space(list(self.solid.closure_inputs))

    @property
    def closure_outputs(self) -> Space:
        """Stress in Mandel components."""
        return Space(list(self.solid.closure_outputs))

    @property
    def n_states(self) -> int:
        """Number of states at which a solution uses the closure."""
        return int(self._mesh.weights.size)

    @property
    def units(self) -> dict[str, str]:
        """Name -> unit of every quantity of interest; SI."""
        return dict(self.solid.units)

    @property
    def start_states(self) -> Floats | None:
        """Strains that an elastic body would see ``[k, 3]``."""
        states: Floats | None = self.solid.start_states
        return states

    @cached_property
    def _mesh(self) -> PlaneMesh:
        return plane_mesh(self.solid, magnitude(self.solid.thickness, "m", "The thickness of the solid"))

    @cached_property
    def _asked(self) -> tuple[Ints, dict[str, Balance]]:
        """Where CalculiX's integration points are, and for each reaction the field that measures it."""
        with self._folder() as folder:
            body = LinearBody.asked(self._mesh, self._fixed, self.ccx, Path(folder))
            fields = {}
            for name, functional in self.solid.functionals.items():
                if functional.residual is not None:
                    load = np.zeros(2 * len(self._mesh.points))
                    problem = self._linear_problem(body, load, functional.residual, exact=True)
                    fields[name] = load_step(problem, _unit_law, problem.at_rest(_unit_law), 1.0)
                    if (failure := fields[name].failure) is not None:
                        raise AnalysisFailed(failure)
        return body.printed, fields

    def solve(self, closure: Closure, start: Any = None) -> MacroSolution:
        """Solve with the closure, from an earlier solution's ``restart`` where given.

        A load that cannot be carried, a closure that answers with no number, or an analysis that CalculiX does not
        finish is a solution with ``converged=False`` and the reason.

        Raises:
            InputError: CalculiX is not installed, or a start that is no restart.
        """
        law, none = _Law(closure), np.zeros((0, 3))
        try:
            printed, _ = self._asked
            with self._folder() as folder:
                body = LinearBody(self._mesh, self._fixed, printed, self.ccx, Path(folder))
                discrete = self.solid.discrete
                problem = self._problem(body, discrete.load, discrete.target)
                at = balanced(problem, law, self._start(start, law))
                if at.failure is None and not stable(body, at.response.tangent):
                    # A long step may have jumped to an equilibrium that is not stable while a stable one exists.
                    at = climbed(problem, law, size=1 / 8)
                    if at.failure is None and not stable(body, at.response.tangent):
                        at = replace(at, failure=_UNSTABLE)
                if at.failure is not None:
                    folder.failed()
                return self._solution(at, body.n_analyses)
        except AnalysisFailed as error:
            return failed_solution(none, f"{str(error).rstrip('.')}.")

    def mesh_estimate(self, solution: MacroSolution, closure: Closure, qoi: str) -> MeshEstimate:
        """Estimate the mesh error of a quantity of interest at a solution of CalculiX, by the solid's richer elements.

        Raises:
            InputError: an unknown quantity of interest, a solution that is none, or elements without a richer space.
        """
        estimate: MeshEstimate = self.solid.mesh_estimate(solution, closure, qoi)
        return estimate

    def refined(self, local: Floats) -> CalculixSolid:
        """Return the problem on a mesh refined where ``local [n_elements]`` is largest."""
        return replace(self, solid=self.solid.refined(local))

    def _solution(self, at: Balance, n_analyses: int) -> MacroSolution:
        states = at.strain.reshape(-1, 3)
        if at.failure is not None:
            reason = f"No equilibrium was found beyond the load factor {at.factor:.2g}: {at.failure.rstrip('.')}."
            return failed_solution(states, reason)
        return MacroSolution(
            qois={name: self._value(name, at) for name in self.solid.functionals},
            states=states,
            sensitivity=self._sensitivity(at),
            fields={**self._fields(at), "n_analyses": n_analyses},
            restart=CalculixRestart(at.u, at.strain),
        )

    @property
    def _fixed(self) -> Ints:
        fixed: Ints = self.solid.discrete.fixed
        return fixed

    def _folder(self) -> Any:
        return working_folder(self.folder, self.keep, "calculix")

    def _problem(self, body: LinearBody, load: Floats, target: Floats) -> Problem:
        return Problem(body, load.reshape(-1, 2), target[self._fixed], self.solid.newton)

    def _linear_problem(self, body: LinearBody, load: Floats, target: Floats, exact: bool) -> Problem:
        options = replace(self.solid.newton, tolerance=1e-12 if exact else _DUAL_TOLERANCE, reach=np.inf)
        return Problem(body, load.reshape(-1, 2), target[self._fixed], options, exact)

    def _start(self, start: Any, law: Law) -> Balance | None:
        if start is None:
            return None
        if not isinstance(start, CalculixRestart):
            raise InputError(
                f"CalculixSolid was started from {type(start).__name__}; give the `restart` of an earlier solution of "
                "its own, or None."
            )
        if start.values.shape != self._mesh.points.shape or start.strain.shape[:2] != self._mesh.weights.shape:
            return None
        return Balance(start.values, start.strain, law(start.strain), 1.0)

    def _value(self, name: str, at: Balance) -> float:
        """A quantity of interest; a reaction is the work of the stresses on a field that moves its boundary by one."""
        functional, total = self.solid.functionals[name], 0.0
        if functional.residual is not None:
            test = self._asked[1][name]
            work = (self._mesh.weights[..., None] * at.response.stress * test.strain).sum()
            total += float(work - self.solid.discrete.load @ test.u.ravel())
        if functional.dofs is not None:
            total += float(functional.dofs @ at.u.ravel())
        if functional.values is not None:
            total += float((functional.values * at.response.stress).sum())
        return total

    def _sensitivity(self, at: Balance) -> Callable[[str], Floats]:
        known: dict[str, Floats] = {}

        def sensitivity(qoi: str) -> Floats:
            """Return ``dq/dstress [n, 3]``."""
            if qoi not in self.solid.functionals:
                raise InputError(
                    f"The macro model has no quantity of interest '{qoi}'{did_you_mean(qoi, self.solid.functionals)}"
                )
            if qoi not in known:
                known[qoi] = self._dual(qoi, at)
            return known[qoi]

        return sensitivity

    def _dual(self, qoi: str, at: Balance) -> Floats:
        """The strain of the dual field times the volume of each state, and what the quantity sees of the stress itself.

        The dual field is in balance under the transposed tangent, so CalculiX finds it like any other; where the
        tangent is symmetric and alike in a cell, its first analysis is exact to the digits it prints.
        """
        functional, weights = self.solid.functionals[qoi], self._mesh.weights[..., None]
        transposed = np.swapaxes(at.response.tangent, 2, 3)
        offset = np.zeros_like(at.strain)
        if functional.values is not None:
            offset = np.einsum("eqij,eqj->eqi", transposed, functional.values) / weights
        law = _TangentLaw(transposed, offset)
        nothing = np.zeros(2 * len(self._mesh.points))
        load = nothing if functional.dofs is None else -functional.dofs
        moved = nothing if functional.residual is None else functional.residual
        with self._folder() as folder:
            body = LinearBody(self._mesh, self._fixed, self._asked[0], self.ccx, Path(folder))
            problem = self._linear_problem(body, load, moved, exact=False)
            dual = load_step(problem, law, problem.at_rest(law), 1.0)
        if dual.failure is not None:
            raise InfrastructureError(f"The sensitivity of '{qoi}' was not found in CalculiX: {dual.failure}.")
        local = dual.strain * weights
        if functional.values is not None:
            local = local + functional.values
        flat: Floats = np.ascontiguousarray(local.reshape(-1, 3))
        return flat

    def _fields(self, at: Balance) -> dict[str, Any]:
        mesh, weights = self.solid.domain.mesh, self._mesh.weights
        share = (weights / weights.sum(1, keepdims=True))[..., None]
        strain, stress = (share * at.strain).sum(1), (share * at.response.stress).sum(1)
        n_cells, n_points = weights.shape
        return {
            "points": np.ascontiguousarray(mesh.p.T),
            "cells": np.ascontiguousarray(mesh.t.T),
            "displacement": at.u[: mesh.p.shape[1]],
            "strain": strain,
            "stress": stress,
            "strain_norm": np.linalg.norm(strain, axis=1),
            "max_shear_stress": np.hypot((stress[:, 0] - stress[:, 1]) / 2, stress[:, 2] / np.sqrt(2)),
            "inside": at.response.inside.all(1),
            "state_points": self._mesh.state_points.reshape(-1, 2),
            "state_cells": np.repeat(np.arange(n_cells), n_points),
            "reaction": at.reaction,
        }


_UNSTABLE = (
    "the load passes a limit point, where the tangent stiffness is not positive definite, so the equilibrium is not a "
    "stable one; reduce the load"
)


@dataclass(frozen=True, eq=False)
class _Law:
    """A closure as a law on fields of states."""

    closure: Closure

    def __call__(self, strain: Floats) -> Response:
        e, q, d = strain.shape
        answer = self.closure(strain.reshape(e * q, d))
        return Response(
            np.asarray(answer.values, dtype=np.float64).reshape(e, q, d),
            np.asarray(answer.tangent, dtype=np.float64).reshape(e, q, d, d),
            np.asarray(answer.inside, dtype=np.bool_).reshape(e, q),
        )


@dataclass(frozen=True, eq=False)
class _TangentLaw:
    """A linear law ``s = T e + offset`` with its own ``T [e, q, 3, 3]`` at each state."""

    tangent: Floats
    offset: Floats

    def __call__(self, strain: Floats) -> Response:
        stress = np.einsum("eqij,eqj->eqi", self.tangent, strain) + self.offset
        return Response(stress, self.tangent, np.ones(strain.shape[:2], dtype=np.bool_))


def _unit_law(strain: Floats) -> Response:
    """An isotropic law of unit stiffness."""
    matrix = np.eye(3) + 0.75 * np.outer(_TRACE, _TRACE)
    tangent = np.broadcast_to(matrix, (*strain.shape, 3))
    return Response(strain @ matrix, tangent, np.ones(strain.shape[:2], dtype=np.bool_))


def stable(body: LinearBody, tangent: Floats) -> bool:
    """Whether the stiffness of ``tangent [e, q, 3, 3]`` is positive definite.

    It is where every tangent is, and where nothing is free; else CalculiX's matrix of the mean tangents is asked.

    Raises:
        AnalysisFailed: CalculiX gave no matrix.
    """
    symmetric = (tangent + np.swapaxes(tangent, 2, 3)) / 2
    if np.linalg.eigvalsh(symmetric).min() > 0 or len(body.fixed) == body.mesh.points.size:
        return True
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import splu

    values, rows, columns = body.stiffness(symmetric.mean(1))
    n = int(max(rows.max(), columns.max())) + 1
    off = rows != columns
    everything = (np.r_[values, values[off]], (np.r_[rows, columns[off]], np.r_[columns, rows[off]]))
    matrix = coo_matrix(everything, shape=(n, n)).tocsc()
    try:
        factor = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError:
        return False
    pivots = factor.U.diagonal()
    # Without row interchanges a negative pivot means that the matrix is not positive definite.
    return bool(np.array_equal(factor.perm_r, factor.perm_c) and (pivots > 0).all())
