"""A flow in OpenFOAM whose viscosity is a closure, as a macro problem."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models import Closure, MacroSolution
from scalebridge.models.macro import failed_solution
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.quantities.units import magnitude
from scalebridge.simulators.openfoam.case import Case
from scalebridge.simulators.openfoam.macro_run import Flow, FlowRuns
from scalebridge.simulators.openfoam.viscosity import Knots, ViscosityTable

# Times the table is made longer because the flow visits rates above it.
_EXTENSIONS = 6

Quantity = Callable[[Path], float]


@dataclass(frozen=True, eq=False)
class Restart:
    """Where a next solve of the same case starts.

    Args:
        case: digest of the case; that of another mesh is no start.
        files: name -> content of the fields of a solution.
        knots: of its table.
    """

    case: str
    files: Mapping[str, bytes] = field(repr=False)
    knots: Knots


@dataclass(frozen=True, eq=False)
class MacroCase:
    """A case of steady incompressible flow of a generalised Newtonian fluid, its viscosity a closure.

    The closure maps ``shear_rate`` (1/s) to the dynamic ``viscosity`` (Pa*s). Its values become the table of
    OpenFOAM's transport model ``strainRateFunction``; the states of a solution are the table's knots, log-spaced over
    the rates that the flow visits. The sensitivity to the closure at each knot is a finite difference: one
    run of the solver each, from the solution, with a small bump added to the table there.

    Args:
        case: the case; laminar, in SI units. Its solver must converge so far that differences of 1e-3 mean something:
            residuals of 1e-8 or below.
        qois: name -> function from the folder of the finished case to a number in SI units, such as a reader of
            forces or probes.
        rates: the shear rates expected, 1/s, as ``(low, high)``: where the closure is asked first.
        density: kg/m^3, or a text with a unit; divides the viscosity. That of the case's forces, ``rhoInf``, must be
            the same.
        units: name -> unit of each quantity of interest, for reports.
        per_decade: knots per decade of shear rate.
        floor: share of the highest shear rate below which the viscosity is held: the fluid at rest in the
            core of a flow, whose viscosity may be infinite in a power law, has no part in what it resists.
        difference: relative height of the bumps of the finite differences.
        attempts: how often the solver is run on where it has not converged; once, where it runs in parallel.

    Raises:
        InputError: no quantity of interest, rates or density that are none.

    `MacroSolution.fields` holds ``shear_rate [n]`` as visited (cells and boundaries), ``knot_rate [k]``,
    ``knot_viscosity [k]``, ``inside [k]`` (False: outside the surrogate's domain) and ``n_runs``: runs of
    the solver that the solution took. ``reason`` says where the closure was asked outside its domain, also of a
    solution that converged.
    """

    case: Case
    qois: Mapping[str, Quantity]
    rates: tuple[float, float]
    density: float | str = 1000.0
    units: Mapping[str, str] = field(default_factory=dict)
    per_decade: int = 6
    floor: float = 1e-3
    difference: float = 1e-3
    attempts: int = 4

    def __post_init__(self) -> None:
        if not self.qois or not all(callable(q) for q in self.qois.values()):
            raise InputError(
                "The OpenFOAM macro problem has no quantity of interest; give qois={'drag': function of the case's "
                "folder}."
            )
        low, high = self.rates
        if not 0 < low < high < math.inf:
            raise InputError(f"The shear rates expected are {self.rates}; give (low, high) in 1/s, both positive.")
        if not self._density > 0:
            raise InputError(f"The density is {self.density}; it must be positive.")

    @property
    def closure_inputs(self) -> Space:
        """The shear rate."""
        return Space([Variable("shear_rate", "1/s", bounds=(0.0, None))])

    @property
    def closure_outputs(self) -> Space:
        """The dynamic viscosity."""
        return Space([Variable("viscosity", "Pa*s", bounds=(0.0, None))])

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        """Name -> reader of every quantity of interest."""
        return self.qois

    @property
    def start_states(self) -> Floats:
        """A few shear rates over those expected, log-spaced ``[4, 1]``."""
        return np.geomspace(*self.rates, 4)[:, None]

    @cached_property
    def runs(self) -> FlowRuns:
        """How the case is run, and how often it was."""
        return FlowRuns(self.case, self.qois, self._density, self.attempts)

    @cached_property
    def _density(self) -> float:
        return magnitude(self.density, "kg/m^3", "The density of the OpenFOAM macro problem")

    @cached_property
    def _digest(self) -> str:
        return self.case.digest()

    def solve(self, closure: Closure, start: Any = None) -> MacroSolution:
        """Run the case with the closure's viscosity, from an earlier solution's ``restart`` where given.

        A run that fails or does not converge, or a viscosity that is none, is a solution with ``converged=False`` and
        the reason.
        """
        restart = start if isinstance(start, Restart) and start.case == self._digest else None
        knots = restart.knots if restart else Knots.covering(*self.rates, self.per_decade, self.floor)
        files, before = (restart.files if restart else None), self.runs.count
        for _ in range(_EXTENSIONS):
            table = ViscosityTable.of(closure, knots)
            if table.flaw:
                return failed_solution(knots.rates[:, None], table.flaw)
            flow = self.runs.solved(table, files)
            falling = table.falling
            if len(falling) and (flow.reason or flow.rates.max() >= falling.min()):
                return failed_solution(falling[:, None], _banded(falling))
            if flow.reason:
                return failed_solution(knots.rates[:, None], flow.reason)
            low, high = float(flow.rates.min()), float(flow.rates.max())
            # Those of a restart stay where they are, so that two solves are compared row by row.
            fitting = (
                knots.holding(low, high, self.floor)
                if restart
                else Knots.covering(low, high, self.per_decade, self.floor)
            )
            if fitting == knots:
                return self._solution(table, flow, self.runs.count - before)
            knots, files = fitting, flow.files
        return failed_solution(
            knots.rates[:, None], f"the shear rates visited kept changing, up to {flow.rates.max():.3g} 1/s"
        )

    def _solution(self, table: ViscosityTable, flow: Flow, n_runs: int) -> MacroSolution:
        knots = table.knots
        at = slice(None, None, len(knots.rows) // (len(knots.rates) - 1))
        fields = {
            "shear_rate": flow.rates,
            "knot_rate": knots.rates,
            "knot_viscosity": table.viscosity[at],
            "inside": table.inside[at],
            "n_runs": n_runs,
        }
        return MacroSolution(
            qois=flow.qois,
            states=knots.rates[:, None],
            sensitivity=Differences(self, table, flow).sensitivity,
            fields=fields,
            restart=Restart(self._digest, flow.files, knots),
            reason=table.outside or None,
            algebraic_error={name: flow.residual * abs(value) for name, value in flow.qois.items()},
        )


def _banded(rates: Floats) -> str:
    return (
        f"the closure's shear stress falls as the shear rate grows, between {rates.min():.3g} and {rates.max():.3g} "
        "1/s, where no steady flow is stable; a surrogate of logarithms (learn.transforms.ScalingLaw) may mend it"
    )


@dataclass(frozen=True, eq=False)
class Differences:
    """Sensitivities of a solution, made when they are first asked for."""

    macro: MacroCase
    table: ViscosityTable
    flow: Flow

    def sensitivity(self, qoi: str) -> Floats:
        """Return ``dq/d viscosity`` at every knot ``[k, 1]``.

        Raises:
            InputError: an unknown quantity of interest.
        """
        if qoi not in self.flow.qois:
            raise InputError(
                f"The OpenFOAM macro problem has no quantity of interest '{qoi}'{did_you_mean(qoi, self.flow.qois)}"
            )
        return self._all[qoi]

    @cached_property
    def _all(self) -> dict[str, Floats]:
        n_knots = len(self.table.knots.rates)
        slopes = {qoi: np.zeros((n_knots, 1)) for qoi in self.flow.qois}
        for knot in range(n_knots):
            if not self.table.touches(knot, self.flow.rates):
                continue
            moved, height = self.table.shifted(knot, self.macro.difference)
            flow = self.macro.runs.solved(moved, self.flow.files, rates=False)
            # A run that fails leaves NaN, which the bridge refuses with a sentence.
            for qoi, slope in slopes.items():
                slope[knot, 0] = (flow.qois.get(qoi, math.nan) - self.flow.qois[qoi]) / height
        return slopes
