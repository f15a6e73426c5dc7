"""A viscosity that depends on the shear rate, as a table that OpenFOAM reads, filled from a closure.

OpenFOAM's transport model ``strainRateFunction`` interpolates linearly in a table of the kinematic viscosity over
the strain rate ``sqrt(2) |sym(grad U)|`` and holds the end values outside of it. The table is filled from the
closure on a fixed logarithmic grid, in steps so fine that the interpolation adds nothing that counts. Its coarser
**knots** are the states of the macro problem: a smooth change of the closure acts through its values there.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scalebridge.errors import InputError
from scalebridge.models import Closure
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam.dictionaries import value_text

TABLE = "constant/viscosityTable"
# Rows of the table in every interval between knots: a power law is then met to 3e-5.
_ROWS = 24
_NUMBER = rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TENSOR = re.compile(rb"\(\s*(" + rb"\s+".join([_NUMBER] * 9) + rb")\s*\)")


@dataclass(frozen=True)
class Knots:
    """Shear rates ``10 ** (k / per_decade)`` for ``k`` from ``first`` to ``last``, in 1/s.

    The grid is fixed, so that two solves that visit nearly the same rates have the same knots.
    """

    first: int
    last: int
    per_decade: int = 8

    @staticmethod
    def covering(low: float, high: float, per_decade: int, floor: float) -> Knots:
        """Knots from one below ``low``, but not below ``floor * high``, to one above ``high``.

        Raises:
            InputError: the rates are not positive and finite.
        """
        if not (0 < high < math.inf and math.isfinite(low)):
            raise InputError(f"Shear rates from {low} to {high} 1/s have no logarithm; they must be positive.")
        bottom = max(low, floor * high)
        first = math.floor(round(math.log10(bottom) * per_decade, 9)) - 1
        return Knots(first, math.ceil(round(math.log10(high) * per_decade, 9)) + 1, per_decade)

    def holding(self, low: float, high: float, floor: float) -> Knots:
        """These knots where they reach from ``low`` (or the floor) to ``high``; else more of them, on either side."""
        if self.rates[0] <= max(low, floor * high) and high <= self.rates[-1]:
            return self
        wanted = Knots.covering(low, high, self.per_decade, floor)
        return Knots(min(self.first, wanted.first), max(self.last, wanted.last), self.per_decade)

    @property
    def rates(self) -> Floats:
        """The knots ``[k]``, 1/s."""
        grid: Floats = 10.0 ** (np.arange(self.first, self.last + 1) / self.per_decade)
        return grid

    @property
    def rows(self) -> Floats:
        """Shear rates of the table's rows ``[r]``, the knots among them, 1/s."""
        n = (self.last - self.first) * _ROWS
        grid: Floats = 10.0 ** ((self.first + np.arange(n + 1) / _ROWS) / self.per_decade)
        # The knots are asked for by their own numbers, to the last digit.
        grid[::_ROWS] = self.rates
        return grid

    def bump(self, knot: int) -> Floats:
        """What a change at one knot is at the rows ``[r]``: 1 there, 0 at the other knots, cubic between them.

        The cubic of Lagrange through the four nearest knots, in the logarithm of the rate: a smooth change of the
        closure is the sum of its values at the knots times these, to fourth order in their distance.
        """
        last = self.last - self.first
        at = np.arange(last * _ROWS + 1) / _ROWS
        # Small tables have fewer than four knots.
        n_nodes = min(4, last + 1)
        start = np.clip(np.floor(at).astype(int) - 1, 0, last + 1 - n_nodes)
        values = np.where((start <= knot) & (knot < start + n_nodes), 1.0, 0.0)
        for offset in range(n_nodes):
            other = start + offset
            distance = np.where(other == knot, 1.0, knot - other)
            values *= np.where(other == knot, 1.0, (at - other) / distance)
        return values


@dataclass(frozen=True, eq=False)
class ViscosityTable:
    """The viscosity of a closure at the rows of a set of knots.

    Args:
        knots: where.
        viscosity: ``[r]``, dynamic, Pa*s.
        inside: ``[r]``, False where the surrogate is outside its domain.
    """

    knots: Knots
    viscosity: Floats
    inside: np.ndarray

    @staticmethod
    def of(closure: Closure, knots: Knots) -> ViscosityTable:
        """Fill a table from a closure; its values are checked by `flaw`, not here."""
        answer = closure(knots.rows[:, None])
        values = np.asarray(answer.values, dtype=np.float64)[:, 0]
        return ViscosityTable(knots, values, np.asarray(answer.inside, dtype=bool))

    @property
    def flaw(self) -> str:
        """Why OpenFOAM cannot be given this viscosity; empty where it can."""
        bad = ~(np.isfinite(self.viscosity) & (self.viscosity > 0))
        if not bad.any():
            return ""
        row = int(np.argmax(bad))
        return (
            f"the closure's viscosity is {self.viscosity[row]:.4g} Pa*s at a shear rate of "
            f"{self.knots.rows[row]:.4g} 1/s; a viscosity is positive and finite"
        )

    @property
    def falling(self) -> Floats:
        """Knots ``[k]`` (1/s) about which the shear stress falls as the rate grows: no steady flow is stable there."""
        stress = self.viscosity * self.knots.rows
        falls = np.flatnonzero(np.diff(stress) < 0)
        near = np.unique(np.concatenate([falls // _ROWS, -(-(falls + 1) // _ROWS)]))
        found: Floats = self.knots.rates[near]
        return found

    @property
    def outside(self) -> str:
        """Which part of it is outside the surrogate's domain; empty where none is."""
        if self.inside.all():
            return ""
        rates = self.knots.rows[~self.inside]
        return (
            f"the closure was asked outside its domain, at shear rates from {rates.min():.3g} to {rates.max():.3g} 1/s"
        )

    def shifted(self, knot: int, share: float) -> tuple[ViscosityTable, float]:
        """The table with a bump added at one knot, and its height, Pa*s: ``share`` of the value there."""
        height = share * float(self.viscosity[knot * _ROWS])
        return ViscosityTable(self.knots, self.viscosity + height * self.knots.bump(knot), self.inside), height

    def touches(self, knot: int, rates: Floats) -> bool:
        """Whether a bump at a knot changes the viscosity at any of ``rates [n]``."""
        return bool(np.interp(rates, self.knots.rows, np.abs(self.knots.bump(knot))).any())

    def write(self, folder: Path, density: float) -> None:
        """Write the kinematic viscosity into a case and make its transport model read it."""
        rows = zip(self.knots.rows, self.viscosity / density, strict=True)
        text = "\n".join(f"({float(rate)!r} {float(value)!r})" for rate, value in rows)
        (folder / TABLE).write_text(f"(\n{text}\n)\n")


def use_table(folder: Path) -> None:
    """Make the transport model of a case read the table: the last entry of a name counts.

    Raises:
        InputError: the case has no ``constant/transportProperties``.
    """
    coefficients = {"file": f'"<case>/{TABLE}"', "outOfBounds": "clamp"}
    append(
        folder,
        "constant/transportProperties",
        "transportModel strainRateFunction;\n"
        "strainRateFunctionCoeffs\n{\n    function tableFile;\n"
        f"    functionCoeffs {value_text(coefficients)}\n}}\n",
    )


def append(folder: Path, file: str, text: str) -> None:
    """Add entries at the end of a dictionary, where they replace earlier ones of the same names.

    Raises:
        InputError: there is no such file.
    """
    path = folder / file
    if not path.is_file():
        raise InputError(f"The case has no '{file}', in which its viscosity is set; is it one of incompressible flow?")
    with open(path, "a") as stream:
        stream.write(f"\n{text}")


def visited_rates(gradient: Path) -> Floats:
    """Strain rates ``[n]`` (1/s) in cells and at boundaries, from a velocity gradient in ASCII.

    ``sqrt(2) |sym(grad U)|``, as the transport model itself takes it.
    """
    found = _TENSOR.findall(gradient.read_bytes())
    tensor = np.array([row.split() for row in found], dtype=np.float64).reshape(-1, 3, 3)
    symmetric = 0.5 * (tensor + tensor.transpose(0, 2, 1))
    rates: Floats = math.sqrt(2.0) * np.sqrt(np.einsum("nij,nij->n", symmetric, symmetric))
    return rates
