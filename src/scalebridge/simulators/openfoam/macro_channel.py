"""Fully developed flow between plates and in a pipe, its viscosity a closure: the pressure drop it takes."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models import Closure, MacroSolution, MeshEstimate
from scalebridge.models.program import Limits
from scalebridge.quantities import Floats, Space
from scalebridge.quantities.units import magnitude
from scalebridge.simulators.openfoam.case import Case
from scalebridge.simulators.openfoam.developed_case import DRIVE, ITERATIONS, Gap, developed_case
from scalebridge.simulators.openfoam.macro import MacroCase

_GRADIENT = re.compile(r"^gradient\s+([-+0-9.eE]+)\s*;", re.MULTILINE)
# A wall's rate is three to six times velocity over gap in shear-thinning fluids; the core's is zero.
_LOWEST, _HIGHEST = 0.1, 6.0
_RESIDUAL = 1e-9
_SAFETY = 1.25


@dataclass(frozen=True, eq=False)
class DevelopedFlow(ABC):
    """Fully developed laminar flow at a given mean velocity, driven by the pressure gradient that this takes.

    One row of cells, periodic along the flow, graded towards the wall, is solved by ``simpleFoam``. The closure maps
    ``shear_rate`` (1/s) to ``viscosity`` (Pa*s). Quantities of interest: ``pressure_drop`` over the length (Pa) and
    ``wall_shear_stress`` (Pa).

    Lengths in m, velocity in m/s and density in kg/m^3, each a number or a text with a unit.

    Args:
        length: over which the pressure drops.
        velocity: mean over the cross-section.
        density: of the fluid; without inertia in a developed flow it has no effect.
        cells: from the centre to the wall.
        grading: size of the cell at the centre over that at the wall.
        floor: share of the highest shear rate below which the viscosity is held; see `MacroCase`.
        per_decade: knots per decade of shear rate.
        timeout: for a run of the solver, seconds or a text such as ``"10 min"``.

    Raises:
        InputError: a size that is not positive, fewer than 4 cells, a ``timeout`` that is no time.
    """

    length: float | str
    velocity: float | str
    density: float | str = 1000.0
    cells: int = 40
    grading: float = 4.0
    floor: float = 1e-3
    per_decade: int = 6
    timeout: float | str | None = 300.0

    def __post_init__(self) -> None:
        sizes = {"length": self._si("length", "m"), "velocity": self._si("velocity", "m/s"), "half gap": self.reach}
        for name, value in {**sizes, "grading": self.grading}.items():
            if not value > 0:
                raise InputError(f"The {name} of the {self._title} is {value:g}; it must be positive.")
        if isinstance(self.cells, bool) or not isinstance(self.cells, int) or self.cells < 4:
            raise InputError(f"The {self._title} has {self.cells!r} cells; give at least 4.")
        _ = self._limits

    @property
    def _limits(self) -> Limits:
        return Limits(timeout=self.timeout, owner=f"The {self._title}")

    @property
    def _title(self) -> str:
        return type(self).__name__.lower()

    @property
    @abstractmethod
    def reach(self) -> float:
        """Distance from the centre to the wall, m."""

    @property
    @abstractmethod
    def gap(self) -> Gap:
        """Shape of the cross-section."""

    @property
    def closure_inputs(self) -> Space:
        """The shear rate."""
        return self.problem.closure_inputs

    @property
    def closure_outputs(self) -> Space:
        """The dynamic viscosity."""
        return self.problem.closure_outputs

    @property
    def quantities(self) -> Mapping[str, Any]:
        """Name -> reader of every quantity of interest."""
        return self.problem.qois

    @property
    def units(self) -> dict[str, str]:
        """Name -> unit of every quantity of interest."""
        return dict(self.problem.units)

    @property
    def start_states(self) -> Floats:
        """A few shear rates ``[4, 1]``, 1/s."""
        return self.problem.start_states

    @cached_property
    def problem(self) -> MacroCase:
        """The case, with its readers."""
        rate = self._si("velocity", "m/s") / self.reach
        return MacroCase(
            case=self._case,
            qois={"pressure_drop": self._pressure_drop, "wall_shear_stress": self._wall_shear_stress},
            rates=(_LOWEST * rate, _HIGHEST * rate),
            density=self.density,
            units={"pressure_drop": "Pa", "wall_shear_stress": "Pa"},
            per_decade=self.per_decade,
            floor=self.floor,
        )

    def solve(self, closure: Closure, start: Any = None) -> MacroSolution:
        """Solve with the closure, from an earlier solution's ``restart`` where given; see `MacroCase.solve`."""
        return self.problem.solve(closure, start)

    def mesh_estimate(self, solution: MacroSolution, closure: Closure, qoi: str) -> MeshEstimate:
        """Estimate ``q(exact) - q(mesh)`` from a solve with twice the cells and more knots.

        The scheme is of second order, which makes it 4/3 of the difference; the safety factor 1.25 of the grid
        convergence index is in it (P. J. Roache, J. Fluids Eng. 116 (1994) 405-413). Every cell has the same share.

        Raises:
            InputError: an unknown quantity of interest; no solution on the finer mesh.
        """
        if qoi not in self.quantities:
            raise InputError(
                f"The {self._title} has no quantity of interest '{qoi}'{did_you_mean(qoi, self.quantities)}"
            )
        finer = self._solved_finer(solution, closure)
        if not finer.converged:
            raise InputError(
                f"The error of the mesh is not known, because the finer one has no solution: {finer.reason}."
            )
        error = _SAFETY * 4.0 / 3.0 * (finer.qois[qoi] - solution.qois[qoi])
        return MeshEstimate(error, np.full(self.cells, error / self.cells))

    def refined(self, local: Floats | None = None) -> Self:
        """Return the same flow with twice the cells and two knots more per decade; ``local`` is not used.

        It is the one that `mesh_estimate` solves.
        """
        return self._finer

    @property
    def n_runs(self) -> int:
        """Runs of the solver so far, those of the refined flow included."""
        return self.problem.runs.count + (self._finer.n_runs if "_finer" in vars(self) else 0)

    @cached_property
    def _finer(self) -> Self:
        return replace(self, cells=2 * self.cells, per_decade=self.per_decade + 2)

    @cached_property
    def _latest(self) -> list[Any]:
        """The last solution whose mesh was judged, its closure, and their solution on the finer mesh."""
        return []

    def _solved_finer(self, solution: MacroSolution, closure: Closure) -> MacroSolution:
        """The solution on the finer mesh, once for all quantities of interest."""
        if not self._latest or self._latest[0] is not solution or self._latest[1] is not closure:
            self._latest[:] = [solution, closure, self._finer.solve(closure)]
        finer: MacroSolution = self._latest[2]
        return finer

    @cached_property
    def _case(self) -> Case:
        files = developed_case(self.gap, self.reach, self._si("velocity", "m/s"), self.cells, self.grading)
        return Case(files, mesh=("blockMesh",), tolerances={"Ux": _RESIDUAL}, limits=self._limits)

    def _gradient(self, folder: Path) -> float:
        """Pressure gradient that drives the flow, Pa/m."""
        found = _GRADIENT.search((folder / str(ITERATIONS) / "uniform" / f"{DRIVE}Properties").read_text())
        density = magnitude(self.density, "kg/m^3", "The density")
        return float(found[1]) * density if found else float("nan")

    def _pressure_drop(self, folder: Path) -> float:
        return self._gradient(folder) * self._si("length", "m")

    def _wall_shear_stress(self, folder: Path) -> float:
        return self._gradient(folder) * self.reach / self.gap.dimensions

    def _si(self, name: str, unit: str) -> float:
        return magnitude(getattr(self, name), unit, f"The {name} of the {self._title}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Channel(DevelopedFlow):
    """Flow between two parallel plates; see `DevelopedFlow`.

    Args:
        height: distance between the plates.

    For a power law ``viscosity = K rate^(n-1)`` and half the height ``h``, the exact pressure drop is
    ``length K / h ((2 n + 1) / n velocity / h)^n``.
    """

    height: float | str

    @property
    def reach(self) -> float:
        """Half the height, m."""
        return 0.5 * self._si("height", "m")

    @property
    def gap(self) -> Gap:
        """Plane."""
        return Gap.PLANE


@dataclass(frozen=True, eq=False, kw_only=True)
class Pipe(DevelopedFlow):
    """Flow in a pipe of circular cross-section, as a wedge; see `DevelopedFlow`.

    Args:
        diameter: inner.

    For a power law ``viscosity = K rate^(n-1)`` and the radius ``R``, the exact pressure drop is
    ``length 2 K / R ((3 n + 1) / n velocity / R)^n``.
    """

    diameter: float | str

    @property
    def reach(self) -> float:
        """The radius, m."""
        return 0.5 * self._si("diameter", "m")

    @property
    def gap(self) -> Gap:
        """Round."""
        return Gap.ROUND
