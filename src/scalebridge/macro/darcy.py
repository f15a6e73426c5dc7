"""Steady flow through a porous bed whose permeability comes from the small scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from scalebridge.errors import InputError
from scalebridge.macro.bed import Compression
from scalebridge.macro.conditions import at_points, facet_load, prescribed
from scalebridge.macro.discrete import Discrete, Functional, Local
from scalebridge.macro.element_space import ElementSpace
from scalebridge.macro.newton import NewtonOptions
from scalebridge.macro.on_mesh import OnMesh, cross_section
from scalebridge.macro.quantities_of_interest import HeatFlow, MeanTemperature, Region
from scalebridge.macro.solution import solved
from scalebridge.macro.start import linear_field, spread
from scalebridge.models import MacroSolution
from scalebridge.models.closure import Closure
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.quantities.units import magnitude

WHOLE = Region()


@dataclass(frozen=True)
class FlowRate:
    """Fluid that enters the bed through a boundary of prescribed pressure (m^3/s)."""

    unit: ClassVar[str] = "m^3/s"
    boundary: str

    def on(self, discrete: Discrete) -> Functional:
        """Return the functional."""
        return HeatFlow(self.boundary).on(discrete)


@dataclass(frozen=True)
class MeanPressure:
    """Mean pressure of a boundary, or of a region where no boundary is given (Pa)."""

    unit: ClassVar[str] = "Pa"
    boundary: str | None = None
    region: Region = WHOLE

    def on(self, discrete: Discrete) -> Functional:
        """Return the functional."""
        return MeanTemperature(self.boundary, self.region).on(discrete)


@dataclass(frozen=True, eq=False)
class Darcy(OnMesh):
    """Steady flow through a porous bed, ``-div((k/mu) grad p) = 0``.

    The closure maps ``solid_fraction`` to ``permeability`` (m^2).

    Args:
        mesh: one of `scalebridge.macro.meshes`, a scikit-fem mesh with named boundaries, a path or a mapping.
        pressure: boundary -> pressure: a number (Pa), a text with a unit or a function of ``x [dim, n]``.
        viscosity: of the fluid: a number (Pa*s) or a text with a unit.
        solid_fraction: of the bed without load: a number or a function of ``x [dim, n]``.
        compression: how the flow compresses the bed; None: not at all.
        inflow: boundary -> velocity at which fluid enters through it, m/s.
        qois: name -> `FlowRate` or `MeanPressure`; the flow rate through each boundary of prescribed pressure, named
            ``flow_rate_left`` and so on, and ``mean_pressure``, if None.
        order: of the elements, 1 or 2.
        area: cross-section of a column (m^2) or depth of a slice (m); 1 if not given.
        marking: part of the estimated error that the refined elements hold together (Doerfler).
        newton: how the equations are solved.

    Raises:
        InputError: an unknown boundary or quantity of interest, no prescribed pressure, a solid fraction that is not
            between 0 and 1 or is compressed to 1, a viscosity that is not positive, an inflow into a bed that is
            compressed.

    `MacroSolution.fields` holds ``points [p, dim]``, ``cells [e, k]``, ``pressure [p]`` and per cell, as means,
    ``solid_fraction [e]``, ``velocity [e, dim]``, ``permeability [e]`` and ``inside [e]``, further
    ``state_points [n, dim]`` and ``state_cells [n]``: where each row of ``states`` sits.
    """

    mesh: Any
    pressure: Mapping[str, Any]
    viscosity: float | str
    solid_fraction: Any
    compression: Compression | None = None
    inflow: Mapping[str, Any] = field(default_factory=dict)
    qois: Mapping[str, Any] | None = None
    order: int = 1
    area: Any = 1.0
    marking: float = 0.7
    newton: NewtonOptions = field(default_factory=NewtonOptions)

    def __post_init__(self) -> None:
        for owner, conditions in (("pressure", self.pressure), ("inflow", self.inflow)):
            for boundary in conditions:
                self._space.check(boundary, f"The {owner} of the Darcy problem: the mesh")
        if not self.pressure:
            raise InputError(
                "The Darcy problem has no boundary of prescribed pressure, so its pressure is not determined; give "
                'one, as in pressure={"outlet": 0.0}.'
            )
        if self.compression is not None and self.inflow:
            raise InputError(
                "The Darcy problem has both a compression and an inflow; the stress on the bed counts from the highest "
                "prescribed pressure, so prescribe the pressure at the inlet too."
            )
        if not self._mu > 0:
            raise InputError(f"The viscosity of the Darcy problem is {self.viscosity}; give one that is positive.")
        self._check_packed()
        _ = self.functionals

    def _check_packed(self) -> None:
        """Refuse a bed without pores where it carries the most: where the pressure is lowest."""
        pressure = self.discrete.target[self.discrete.fixed]
        stress = float(np.ptp(pressure))
        least = float(self._unloaded(self._space.cells.points).min())
        if self.compression is not None and least * self.compression.factor(np.array(stress))[0] >= 1:
            raise InputError(
                f"The compression packs a bed of the solid fraction {least:g} without any pores at a stress of "
                f"{stress:g} Pa; give a lower exponent or a lower pressure."
            )

    @property
    def closure_inputs(self) -> Space:
        """Solid fraction."""
        return Space([Variable("solid_fraction", "1")])

    @property
    def closure_outputs(self) -> Space:
        """Permeability."""
        return Space([Variable("permeability", "m^2")])

    @property
    def _mu(self) -> float:
        return magnitude(self.viscosity, "Pa*s", "The viscosity of the Darcy problem")

    @cached_property
    def _space(self) -> ElementSpace:
        simplex = self.domain.cell in ("line", "triangle", "tetrahedron")
        return ElementSpace(self.domain, self.order, 2 * self.order if simplex else 2 * self.order + 1)

    def _unloaded(self, points: Floats) -> Floats:
        """Solid fraction of the bed without load at points ``[..., dim]``."""
        fraction = at_points(self.solid_fraction, points, "1", "The solid fraction of the bed")
        if not ((fraction > 0) & (fraction < 1)).all():
            raise InputError(
                f"The solid fraction of the bed lies between {fraction.min():g} and {fraction.max():g}; give one "
                "between 0 and 1."
            )
        return fraction

    def _area(self, points: Floats) -> Floats:
        return cross_section(self.area, points, "the Darcy problem")

    def _on(self, space: ElementSpace) -> Discrete:
        load = np.zeros(space.size)
        for boundary, value in self.inflow.items():
            load += facet_load(space, boundary, [value], "m/s", f"The inflow on '{boundary}'", self._area)
        conditions = {boundary: [value] for boundary, value in self.pressure.items()}
        fixed, target = prescribed(space, conditions, 1, "Pa", "The pressure")
        cells = space.cells
        unloaded, highest = self._unloaded(cells.points)[..., None], float(target[fixed].max())

        def fractions(pressure: Floats) -> tuple[Floats, Floats]:
            """Solid fraction of the loaded bed and its derivative by the pressure, both ``[e, q, 1]``."""
            if self.compression is None:
                return unloaded, np.zeros_like(unloaded)
            factor, slope = self.compression.factor(highest - pressure)
            return unloaded * factor, -unloaded * slope

        return Discrete(
            space=space,
            components=1,
            gradients=cells.grads,
            state_map=cells.values[:, :, None, :],
            # The mobility is the closure's permeability over the viscosity.
            weights=self._area(cells.points) * cells.weights / self._mu,
            load=load,
            fixed=fixed,
            target=target,
            # One pressure everywhere carries no flow.
            reference=np.full(space.size, target[fixed].mean()),
            asked=fractions,
        )

    @cached_property
    def quantities(self) -> dict[str, Any]:
        """Name -> description of every quantity of interest."""
        if self.qois is not None:
            for name, entry in self.qois.items():
                if not isinstance(entry, FlowRate | MeanPressure):
                    raise InputError(f"The quantity of interest '{name}' is {entry!r}; give FlowRate or MeanPressure.")
            return dict(self.qois)
        flows: dict[str, Any] = {f"flow_rate_{boundary}": FlowRate(boundary) for boundary in self.pressure}
        return {**flows, "mean_pressure": MeanPressure()}

    @cached_property
    def start_states(self) -> Floats:
        """Solid fractions that a bed of one permeability would have ``[k, 1]``."""
        pressure = linear_field(self.discrete, None)
        if pressure is None:
            return spread(self._unloaded(self._space.cells.points).reshape(-1, 1), 4)
        return spread(self.discrete.closure_states(pressure)[0].reshape(-1, 1), 4)

    def solve(self, closure: Closure, start: Any = None) -> MacroSolution:
        """Solve with the closure, from an earlier solution's ``restart`` (of this or of another mesh) where given.

        A problem without a solution, or a closure that answers with no number, is a solution with
        ``converged=False`` and the reason.
        """
        return solved(self.discrete, self.functionals, closure, start, self.newton, self._fields, False)

    def _fields(self, at: Local) -> dict[str, Any]:
        return {
            **self._places(at),
            "pressure": at.u[: self.domain.mesh.p.shape[1]],
            "solid_fraction": self._mean(at.states)[:, 0],
            "velocity": self._mean(-at.values * at.gradient / self._mu),
            "permeability": self._mean(at.values)[:, 0],
        }
