"""Steady heat conduction in one, two and three dimensions with an unknown law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.macro.conditions import body_load, facet_load, prescribed
from scalebridge.macro.discrete import Discrete, Local
from scalebridge.macro.element_space import ElementSpace
from scalebridge.macro.newton import NewtonOptions
from scalebridge.macro.on_mesh import OnMesh, cross_section
from scalebridge.macro.quantities_of_interest import HeatFlow, MeanTemperature, described
from scalebridge.macro.solution import solved
from scalebridge.macro.start import Linear, linear_field, spread
from scalebridge.models import MacroSolution
from scalebridge.models.closure import Closure
from scalebridge.quantities import Floats, Space, Variable

LAWS = ("conductivity", "flux")


@dataclass(frozen=True, eq=False)
class Heat(OnMesh):
    """Steady heat conduction, ``-div(k grad T) = source``.

    With ``law="conductivity"`` the closure maps ``temperature`` (K) to ``conductivity`` (W/(m*K)). With ``law="flux"``
    it maps ``gradient [dim]`` (K/m) to ``flux [dim]`` (W/m^2) **down the gradient**, minus the heat flux of Fourier's
    law, so that a passive material has a positive definite tangent and the flux derives from a convex potential.

    Args:
        mesh: one of `scalebridge.macro.meshes`, a scikit-fem mesh with named boundaries, a path or a mapping.
        temperature: boundary -> temperature: a number (K), a text with a unit or a function of ``x [dim, n]``.
        law: "conductivity" or "flux".
        inflow: boundary -> heat that enters through it, W/m^2.
        source: heat made in the body, W/m^3.
        qois: name -> a quantity of interest, as in ``{"loss": HeatFlow("left")}``; heat flows through boundaries of
            prescribed temperature and the mean temperature of the body, if None.
        order: of the elements, 1 or 2.
        area: cross-section of a bar (m^2) or thickness of a plate (m), a number, a text or a function of
            ``x [dim, ...]``; 1 if not given. Has no meaning in three dimensions.
        marking: part of the estimated error that the refined elements hold together (Doerfler).
        newton: how the equations are solved.

    Raises:
        InputError: an unknown boundary, law or quantity of interest, or no prescribed temperature.

    `MacroSolution.fields` holds ``points [p, dim]``, ``cells [e, k]``, ``temperature [p]`` and per cell, as means,
    ``gradient [e, dim]``, ``value [e, m]`` (of the closure) and ``inside [e]``, further ``state_points [n, dim]`` and
    ``state_cells [n]``: where each row of ``states`` sits.
    """

    mesh: Any
    temperature: Mapping[str, Any]
    law: str = "conductivity"
    inflow: Mapping[str, Any] = field(default_factory=dict)
    source: Any = None
    qois: Mapping[str, Any] | None = None
    order: int = 1
    area: Any = 1.0
    marking: float = 0.7
    newton: NewtonOptions = field(default_factory=NewtonOptions)

    def __post_init__(self) -> None:
        if self.law not in LAWS:
            raise InputError(f"Heat was asked for with the law '{self.law}'{did_you_mean(str(self.law), LAWS)}")
        for owner, conditions in (("temperature", self.temperature), ("inflow", self.inflow)):
            for boundary in conditions:
                self._space.check(boundary, f"The {owner} of the heat problem: the mesh")
        if not self.temperature:
            raise InputError(
                "The heat problem has no boundary of prescribed temperature, so its temperature is not determined; "
                'give one, as in temperature={"left": 300.0}.'
            )
        _ = self.functionals

    @property
    def closure_inputs(self) -> Space:
        """Temperature, or its gradient."""
        if self.law == "conductivity":
            return Space([Variable("temperature", "K")])
        return Space([Variable("gradient", "K/m", (self._space.dim,))])

    @property
    def closure_outputs(self) -> Space:
        """Conductivity, or the flux down the gradient."""
        if self.law == "conductivity":
            return Space([Variable("conductivity", "W/(m*K)")])
        return Space([Variable("flux", "W/m^2", (self._space.dim,))])

    @cached_property
    def _space(self) -> ElementSpace:
        simplex = self.domain.cell in ("line", "triangle", "tetrahedron")
        if self.law == "flux":
            order = 2 * self.order - 1 if simplex else 2 * self.order + 1
            order = 2 if (simplex and self.order == 2) else order
        else:
            order = 2 * self.order if simplex else 2 * self.order + 1
        return ElementSpace(self.domain, self.order, order)

    def _area(self, points: Floats) -> Floats:
        return cross_section(self.area, points, "the heat problem")

    def _on(self, space: ElementSpace) -> Discrete:
        load = np.zeros(space.size)
        for boundary, value in self.inflow.items():
            load += facet_load(space, boundary, [value], "W/m^2", f"The inflow on '{boundary}'", self._area)
        if self.source is not None:
            load += body_load(space, [self.source], "W/m^3", "The source", self._area)
        conditions = {boundary: [value] for boundary, value in self.temperature.items()}
        fixed, target = prescribed(space, conditions, 1, "K", "The temperature")
        cells = space.cells
        return Discrete(
            space=space,
            components=1,
            gradients=cells.grads,
            state_map=cells.values[:, :, None, :] if self.law == "conductivity" else None,
            weights=self._area(cells.points) * cells.weights,
            load=load,
            fixed=fixed,
            target=target,
            # A body of one temperature carries no flux: the equilibrium at no load.
            reference=np.full(space.size, target[fixed].mean()),
        )

    @cached_property
    def quantities(self) -> dict[str, Any]:
        """Name -> description of every quantity of interest."""
        if self.qois is not None:
            return {name: described(name, entry) for name, entry in self.qois.items()}
        flows: dict[str, Any] = {f"heat_flow_{boundary}": HeatFlow(boundary) for boundary in self.temperature}
        return {**flows, "mean_temperature": MeanTemperature()}

    @cached_property
    def start_states(self) -> Floats | None:
        """A few states that a linear body would see under the prescribed temperatures ``[k, d]``.

        None where these are all equal or where sources heat the body: the states then depend on the unknown law.
        """
        discrete = self.discrete
        level = discrete.target[discrete.fixed]
        if np.any(discrete.load) or np.ptp(level) == 0.0:
            return None
        law = None if discrete.scaled else Linear(np.eye(self._space.dim))
        field = linear_field(discrete, law)
        if field is None:
            return None
        states = discrete.states(field).reshape(-1, self.closure_inputs.size)
        return spread(states, self.closure_inputs.size + 3)

    def solve(self, closure: Closure, start: Any = None) -> MacroSolution:
        """Solve with the closure, from an earlier solution's ``restart`` (of this or of another mesh) where given.

        A problem without a solution, or a closure that answers with no number, is a solution with
        ``converged=False`` and the reason.
        """
        stable = self.law == "flux"
        return solved(self.discrete, self.functionals, closure, start, self.newton, self._fields, stable)

    def _fields(self, at: Local) -> dict[str, Any]:
        return {
            **self._places(at),
            "temperature": at.u[: self.domain.mesh.p.shape[1]],
            "gradient": self._mean(at.gradient),
            "value": self._mean(at.values),
        }
