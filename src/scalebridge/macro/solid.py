"""Two-dimensional solids at small strain, plane strain, with an unknown law from strain to stress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.macro.conditions import body_load, facet_load, is_free, prescribed, vector
from scalebridge.macro.discrete import Discrete, Local
from scalebridge.macro.element_space import ElementSpace
from scalebridge.macro.newton import NewtonOptions
from scalebridge.macro.on_mesh import OnMesh
from scalebridge.macro.quantities_of_interest import (
    MeanDisplacement,
    ReactionForce,
    described,
)
from scalebridge.macro.solution import solved
from scalebridge.macro.start import linear_field, plane_strain, spread
from scalebridge.models import MacroSolution
from scalebridge.models.closure import Closure
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.quantities.units import magnitude

QUADRATURE = {("triangle", 1): 1, ("triangle", 2): 2, ("quadrilateral", 1): 3, ("quadrilateral", 2): 5}


@dataclass(frozen=True, eq=False)
class Solid(OnMesh):
    """A plane-strain body whose stress is an unknown function of strain.

    The closure maps ``strain`` (Mandel, 3, unit 1) to ``stress`` (Mandel, 3, Pa). Numbers are in SI units; texts carry
    their own, as in ``"2 mm"``.

    Args:
        mesh: one of `scalebridge.macro.meshes`, a scikit-fem mesh with named boundaries, a path, or a mapping
            such as ``{"kind": "plate_with_hole", "width": "40 mm", ...}``.
        displacement: boundary -> ``(u_x, u_y)``; None or "free" where a direction is free; a number (m), a text with
            a unit or a function of ``x [2, n]``.
        traction: boundary -> ``(t_x, t_y)`` in Pa, likewise.
        qois: name -> a quantity of interest, as in ``{"force": ReactionForce("right", "x")}``; reaction forces where
            displacements are prescribed and mean displacements where tractions are, if None.
        order: of the elements, 1 or 2.
        thickness: of the plate (m); forces are for this thickness.
        body_force: ``(f_x, f_y)`` in N/m³.
        marking: part of the estimated error that the refined elements hold together (Doerfler).
        newton: how the equations are solved.

    Raises:
        InputError: an unknown boundary or quantity of interest, conditions that leave the body movable, values that
            are no numbers.

    `MacroSolution.fields` holds ``points [p, 2]``, ``cells [e, 3 or 4]``, ``displacement [p, 2]``, and per cell, as
    means, ``strain [e, 3]`` and ``stress [e, 3]`` (Mandel), ``strain_norm [e]`` (of the Mandel vector),
    ``max_shear_stress [e]`` (in the plane, Pa) and ``inside [e]`` (the closure was in its domain), further
    ``state_points [n, 2]`` and ``state_cells [n]``: where each row of ``states`` sits.
    """

    mesh: Any
    displacement: Mapping[str, Sequence[Any]]
    traction: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    qois: Mapping[str, Any] | None = None
    order: int = 1
    thickness: float | str = 1.0
    body_force: Sequence[Any] | None = None
    marking: float = 0.7
    newton: NewtonOptions = field(default_factory=NewtonOptions)

    def __post_init__(self) -> None:
        domain = self.domain
        if (domain.cell, self.order) not in QUADRATURE:
            raise InputError(
                f"A solid was asked for on a mesh of {domain.cell}s with elements of order {self.order}; "
                "give triangles or quadrilaterals and the order 1 or 2."
            )
        for owner, conditions in (("displacement", self.displacement), ("traction", self.traction)):
            for boundary, values in conditions.items():
                self._space.check(boundary, f"The {owner} of the solid: the mesh")
                vector(values, 2, f"The {owner} on '{boundary}'")
        self._check_held()
        _ = self.functionals

    @property
    def closure_inputs(self) -> Space:
        """Strain in Mandel components."""
        return Space([Variable("strain", "1", (3,), kind="symmetric")])

    @property
    def closure_outputs(self) -> Space:
        """Stress in Mandel components."""
        return Space([Variable("stress", "Pa", (3,), kind="symmetric")])

    @cached_property
    def _space(self) -> ElementSpace:
        # Elements of second order follow an arc; those of first order have straight edges.
        domain = self.domain.curved() if self.order == 2 else self.domain
        return ElementSpace(domain, self.order, QUADRATURE[self.domain.cell, self.order])

    def _on(self, space: ElementSpace) -> Discrete:
        depth = magnitude(self.thickness, "m", "The thickness of the solid")
        if not depth > 0:
            raise InputError(f"The thickness of the solid is {self.thickness}; give a positive length such as '1 mm'.")
        load = np.zeros(2 * space.size)
        for boundary, values in self.traction.items():
            load += facet_load(space, boundary, values, "Pa", f"The traction on '{boundary}'", depth)
        if self.body_force is not None:
            values = vector(self.body_force, 2, "The body force")
            load += body_load(space, values, "N/m^3", "The body force", depth)
        fixed, target = prescribed(space, self.displacement, 2, "m", "The displacement")
        return Discrete(
            space=space,
            components=2,
            gradients=mandel_strain(space.cells.grads),
            state_map=None,
            weights=depth * space.cells.weights,
            load=load,
            fixed=fixed,
            target=target,
            reference=np.zeros(2 * space.size),
        )

    def _check_held(self) -> None:
        """Refuse conditions that leave a rigid motion free."""
        x, y = self._space.locations.T
        rigid = np.zeros((len(x), 2, 3))
        rigid[:, 0, 0] = rigid[:, 1, 1] = 1.0
        rigid[:, 0, 2], rigid[:, 1, 2] = -(y - y.mean()), x - x.mean()
        rigid[:, :, 2] /= np.ptp(x) + np.ptp(y)
        if np.linalg.matrix_rank(rigid.reshape(-1, 3)[self.discrete.fixed], tol=1e-8) < 3:
            raise InputError(
                f"The displacement conditions on {', '.join(self.displacement) or 'no boundary'} let the body move "
                "or turn as a whole; prescribe enough displacements to hold it."
            )

    @cached_property
    def quantities(self) -> dict[str, Any]:
        """Name -> description of every quantity of interest."""
        if self.qois is not None:
            return {name: described(name, entry) for name, entry in self.qois.items()}
        found: dict[str, Any] = {}
        for boundary, values in self.displacement.items():
            for axis, value in zip("xy", values, strict=True):
                if not is_free(value):
                    found[f"reaction_{boundary}_{axis}"] = ReactionForce(boundary, axis)
        for boundary, values in self.traction.items():
            for axis, value in zip("xy", values, strict=True):
                if not is_free(value):
                    found[f"displacement_{boundary}_{axis}"] = MeanDisplacement(boundary, axis)
        return found

    @cached_property
    def start_states(self) -> Floats | None:
        """Six strains that an elastic body would see under the prescribed displacements ``[k, 3]``.

        None where tractions alone load the body: the strains then depend on the unknown stiffness.
        """
        if not np.any(self.discrete.target):
            return None
        field = linear_field(self.discrete, plane_strain())
        return None if field is None else spread(self.discrete.states(field).reshape(-1, 3), 6)

    def solve(self, closure: Closure, start: Any = None) -> MacroSolution:
        """Solve with the closure, from an earlier solution's ``restart`` (of this or of another mesh) where given.

        A load that cannot be carried, or a closure that answers with no number, is a solution with
        ``converged=False`` and the reason.
        """
        return solved(self.discrete, self.functionals, closure, start, self.newton, self._fields, True)

    def _fields(self, at: Local) -> dict[str, Any]:
        strain, stress = self._mean(at.states), self._mean(at.values)
        return {
            **self._places(at),
            "displacement": at.u.reshape(-1, 2)[: self.domain.mesh.p.shape[1]],
            "strain": strain,
            "stress": stress,
            "strain_norm": np.linalg.norm(strain, axis=1),
            "max_shear_stress": np.hypot((stress[:, 0] - stress[:, 1]) / 2, stress[:, 2] / np.sqrt(2)),
        }


def mandel_strain(grads: Floats) -> Floats:
    """Return ``B [e, q, 3, 2 b]`` (strain in Mandel components) from gradients ``[e, q, 2, b]``."""
    e, q, _, b = grads.shape
    operator = np.zeros((e, q, 3, b, 2))
    operator[:, :, 0, :, 0] = grads[:, :, 0]
    operator[:, :, 1, :, 1] = grads[:, :, 1]
    operator[:, :, 2, :, 0] = grads[:, :, 1] / np.sqrt(2)
    operator[:, :, 2, :, 1] = grads[:, :, 0] / np.sqrt(2)
    return operator.reshape(e, q, 3, 2 * b)
