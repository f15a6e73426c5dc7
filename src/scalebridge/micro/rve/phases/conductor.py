"""Conduction of heat or charge, and diffusion: a flux linear in a gradient."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.phases.algebra import column
from scalebridge.micro.rve.phases.linear import LinearLaw, everywhere, stacked
from scalebridge.micro.rve.phases.phase import Kinematics, Parameter
from scalebridge.quantities.units import conversion, magnitude

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from torch import Tensor

HEAT = "W/(m*K)"


@dataclass(frozen=True)
class Conductor:
    """Isotropic conduction: the flux is k times the gradient; ``k = 0`` insulates.

    Args:
        k: conductivity in ``unit``, or a text such as ``"0.25 W/(m*K)"``.
        unit: of the conductivity; ``"S/m"`` for charge, ``"m^2/s"`` for diffusion.

    Raises:
        InputError: ``k`` negative or not finite.
        UnitError: a text in a unit of another kind.
    """

    k: float
    unit: str = HEAT

    def __init__(self, k: str | float, unit: str = HEAT) -> None:
        object.__setattr__(self, "k", _conductivity(k, unit, "The conductivity k of a conductor"))
        object.__setattr__(self, "unit", unit)

    @property
    def name(self) -> str:
        """``conductor``."""
        return "conductor"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The conductivity k."""
        return (Parameter("k", self.k, self.unit),)

    @property
    def kinematics(self) -> Kinematics:
        """Conduction."""
        return "conduction"

    @property
    def linear(self) -> bool:
        """True."""
        return True

    @property
    def even(self) -> bool:
        """True."""
        return True

    def stiffness(self, like: Tensor) -> Tensor:
        """Conductivity ``[3, 3]``, ``[m, 3, 3]`` with one k per point."""
        k = self.k
        return stacked([[k, 0.0, 0.0], [0.0, k, 0.0], [0.0, 0.0, k]], like)

    def energy(self, gradient: Tensor) -> Tensor:
        """Half of k times the square of the gradient ``[...]``."""
        return 0.5 * self.k * (gradient * gradient).sum(-1)

    def stress(self, gradient: Tensor) -> Tensor:
        """Flux ``[..., 3]``, k times the gradient."""
        flux: Tensor = column(self.k) * gradient
        return flux

    def tangent(self, gradient: Tensor) -> Tensor:
        """Conductivity ``[..., 3, 3]``, an expanded view."""
        return everywhere(self.stiffness(gradient), gradient)


@dataclass(frozen=True)
class AnisotropicConductor(LinearLaw):
    """Conduction by a tensor; zero along some direction insulates there.

    Args:
        k: ``[3, 3]`` in ``unit``, symmetric, no eigenvalue negative; kept as ``k11``, ``k22``, ``k33``, ``k23``,
            ``k13``, ``k12``.
        unit: of the conductivity.

    Raises:
        InputError: not finite, not symmetric, or with a negative eigenvalue.
        ShapeError: not ``[3, 3]``.
        UnitError: a unit that is not known.
    """

    k11: float
    k22: float
    k33: float
    k23: float
    k13: float
    k12: float
    unit: str = HEAT

    def __init__(self, k: ArrayLike, unit: str = HEAT) -> None:
        conversion(unit, unit, "The conductivity of an anisotropic conductor")
        full = _checked(np.asarray(k, dtype=np.float64))
        for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):
            object.__setattr__(self, f"k{i + 1}{j + 1}", float(full[i, j]))
        object.__setattr__(self, "unit", unit)

    @property
    def name(self) -> str:
        """``anisotropic conductor``."""
        return "anisotropic conductor"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The six components."""
        return tuple(Parameter(n, getattr(self, n), self.unit) for n in ("k11", "k22", "k33", "k23", "k13", "k12"))

    @property
    def kinematics(self) -> Kinematics:
        """Conduction."""
        return "conduction"

    def stiffness(self, like: Tensor) -> Tensor:
        """Conductivity ``[3, 3]``, ``[m, 3, 3]`` with components per point."""
        return stacked(
            [[self.k11, self.k12, self.k13], [self.k12, self.k22, self.k23], [self.k13, self.k23, self.k33]], like
        )


@dataclass(frozen=True)
class TemperatureConductor:
    """Isotropic conduction with k(T).

    To first order in the separation of scales the temperature is uniform in an RVE: the solver asks for the conductor
    `at` the macroscopic temperature, and what it solves is linear.

    Args:
        k: a table ``{temperature: conductivity}`` (numbers in K and ``unit``, or texts with units), straight lines
            between its entries; or a function of the temperature in K that returns k in ``unit``.
        unit: of the conductivity.

    Raises:
        InputError: a table of fewer than two temperatures, a temperature not positive, a conductivity negative or not
            finite.
        UnitError: a text in a unit of another kind.
    """

    temperatures: tuple[float, ...]
    conductivities: tuple[float, ...]
    function: Callable[[float], float] | None
    unit: str

    def __init__(self, k: Mapping[Any, Any] | Callable[[float], float], unit: str = HEAT) -> None:
        table = _table(k, unit) if isinstance(k, Mapping) else []
        object.__setattr__(self, "temperatures", tuple(t for t, _ in table))
        object.__setattr__(self, "conductivities", tuple(value for _, value in table))
        object.__setattr__(self, "function", None if isinstance(k, Mapping) else k)
        object.__setattr__(self, "unit", unit)

    @property
    def name(self) -> str:
        """``temperature conductor``."""
        return "temperature conductor"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The conductivities of the table; none of a function."""
        rows = zip(self.temperatures, self.conductivities, strict=True)
        return tuple(Parameter(f"k({t!r} K)", value, self.unit) for t, value in rows)

    @property
    def kinematics(self) -> Kinematics:
        """Conduction."""
        return "conduction"

    def at(self, temperature: str | float) -> Conductor:
        """Return the conductor at a temperature in K, or a text such as ``"20 degC"``.

        Raises:
            InputError: a temperature outside the table; a function that returns a negative or non-finite number.
        """
        kelvin = magnitude(temperature, "K", "The temperature of a conductor")
        if self.function is not None:
            return Conductor(self.function(kelvin), self.unit)
        first, last = self.temperatures[0], self.temperatures[-1]
        if not first <= kelvin <= last:
            raise InputError(
                f"The temperature {kelvin:.6g} K lies outside the table of a conductor, which runs from {first:.6g} K "
                f"to {last:.6g} K; add entries to the table."
            )
        (t0, t1), (k0, k1) = self._segment(kelvin)
        share = (kelvin - t0) / (t1 - t0)
        return Conductor((1.0 - share) * k0 + share * k1, self.unit)

    def slope(self, temperature: str | float) -> float:
        """Derivative of k by the temperature, in ``unit`` per K.

        Exact for a table, of the straight line above the temperature at an entry (below it at the last); of a
        function by central differences of fourth order, good to about 1e-10 where it is smooth.

        Raises:
            InputError: as `at`.
        """
        kelvin = magnitude(temperature, "K", "The temperature of a conductor")
        if self.function is None:
            self.at(kelvin)
            (t0, t1), (k0, k1) = self._segment(kelvin)
            return (k1 - k0) / (t1 - t0)
        h = 1e-3 * kelvin
        far, near = (self.at(kelvin + m * h).k - self.at(kelvin - m * h).k for m in (2, 1))
        return (8.0 * near - far) / (12.0 * h)

    @property
    def limits(self) -> tuple[float, float] | None:
        """First and last temperature of the table in K; ``None`` for a function."""
        return (self.temperatures[0], self.temperatures[-1]) if self.function is None else None

    def _segment(self, kelvin: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """Temperatures and conductivities at the ends of the straight line that holds a temperature of the table."""
        slot = min(bisect_right(self.temperatures, kelvin), len(self.temperatures) - 1)
        t0, t1 = self.temperatures[slot - 1 : slot + 1]
        k0, k1 = self.conductivities[slot - 1 : slot + 1]
        return (t0, t1), (k0, k1)


def _conductivity(value: str | float, unit: str, owner: str) -> float:
    number = magnitude(value, unit, owner)
    if not (math.isfinite(number) and number >= 0.0):
        raise InputError(f"{owner} is {value}; it must be zero or a positive finite number in {unit}.")
    return number


def _table(entries: Mapping[Any, Any], unit: str) -> list[tuple[float, float]]:
    owner = "of a temperature conductor"
    table = sorted(
        (magnitude(t, "K", f"A temperature {owner}"), _conductivity(k, unit, f"The conductivity at {t} {owner}"))
        for t, k in entries.items()
    )
    kelvins = [t for t, _ in table]
    if not all(math.isfinite(t) and t > 0.0 for t in kelvins):
        raise InputError(f"The temperatures {owner} are {kelvins} in K; they must be positive finite numbers.")
    if len(set(kelvins)) < max(2, len(kelvins)):
        raise InputError(
            f"The table {owner} holds the temperatures {kelvins} in K; it must hold two or more different."
        )
    return table


def _checked(full: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    if full.shape != (3, 3):
        raise ShapeError(f"The conductivity of an anisotropic conductor has the shape {full.shape}; it must be (3, 3).")
    size = float(np.abs(full).max())
    if not math.isfinite(size):
        raise InputError("The conductivity of an anisotropic conductor has entries that are not finite numbers.")
    if float(np.abs(full - full.T).max()) > 1e-6 * size:
        raise InputError(
            f"The conductivity of an anisotropic conductor, {full.tolist()}, is not symmetric; "
            "entries mirrored at the diagonal must be equal."
        )
    full = 0.5 * (full + full.T)
    lowest = float(np.linalg.eigvalsh(full)[0])
    if lowest < -1e-12 * size:
        raise InputError(
            f"The conductivity of an anisotropic conductor has the negative eigenvalue {lowest:.6g}: heat would flow "
            "from cold to hot; all eigenvalues must be zero or positive."
        )
    return full
