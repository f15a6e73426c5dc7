"""Linear elasticity without symmetry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.phases.linear import LinearLaw, stacked, vector_of
from scalebridge.micro.rve.phases.phase import Kinematics, Parameter
from scalebridge.quantities.units import conversion

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from torch import Tensor

SYMMETRY = 1e-6
# Voigt's engineering shears are sqrt2 times Mandel's.
VOIGT = np.outer(factors := np.array([1.0] * 3 + [math.sqrt(2.0)] * 3), factors)


def _entry(i: int, j: int) -> str:
    return f"C{min(i, j) + 1}{max(i, j) + 1}"


STIFFNESSES = tuple(_entry(i, j) for i in range(6) for j in range(i, 6))
EXPANSIONS = tuple(f"alpha{i + 1}" for i in range(6))


@dataclass(frozen=True, init=False, eq=False)
class Anisotropic(LinearLaw):
    """Linear elasticity with any stiffness.

    The constants are kept one by one, in **Mandel** components (11, 22, 33, sqrt2 23, sqrt2 13, sqrt2 12): ``C11``,
    ``C12``, ... ``C66`` in Pa and ``alpha1`` ... ``alpha6`` in 1/K. Tables of crystals are in Voigt's notation: use
    `from_voigt`.

    Args:
        stiffness: ``[6, 6]``, symmetric and positive definite, Mandel components.
        expansion: ``[6]``, free thermal strain per kelvin in 1/K, Mandel components.
        unit: of the stiffness.

    Raises:
        InputError: a stiffness not symmetric, not finite, or not positive definite.
        ShapeError: arrays of other shapes.
        UnitError: a unit that is no stress.
    """

    def __init__(self, stiffness: ArrayLike, expansion: Sequence[float] = (0.0,) * 6, unit: str = "Pa") -> None:
        factor, _ = conversion(unit, "Pa", "The stiffness of an anisotropic phase")
        full = _checked(np.asarray(stiffness, dtype=np.float64)) * factor
        for i in range(6):
            for j in range(i, 6):
                object.__setattr__(self, _entry(i, j), float(full[i, j]))
        strain = np.asarray(expansion, dtype=np.float64)
        if strain.shape != (6,) or not np.isfinite(strain).all():
            raise ShapeError(
                f"The expansion of an anisotropic phase has the shape {strain.shape}; it must be six finite numbers in "
                "1/K, the Mandel components 11, 22, 33, sqrt2 23, sqrt2 13, sqrt2 12."
            )
        for name, value in zip(EXPANSIONS, strain, strict=True):
            object.__setattr__(self, name, float(value))

    @classmethod
    def from_voigt(cls, stiffness: ArrayLike, expansion: Sequence[float] = (0.0,) * 6, unit: str = "Pa") -> Anisotropic:
        """Return the law of a stiffness in Voigt's notation (11, 22, 33, 23, 13, 12; engineering shear strains).

        Args:
            stiffness: ``[6, 6]`` as printed in tables, for example cubic silicon: C11 166, C12 64, C44 80 GPa.
            expansion: ``[6]`` in 1/K, its last three the engineering shears.
            unit: of the stiffness, for example ``"GPa"``.

        Raises:
            InputError: see the class.
        """
        full, strain = np.asarray(stiffness, dtype=np.float64), np.asarray(expansion, dtype=np.float64)
        if full.shape == (6, 6):
            full = full * VOIGT
        if strain.shape == (6,):
            strain = strain / factors
        return cls(full, strain.tolist(), unit)

    @property
    def name(self) -> str:
        """``anisotropic``."""
        return "anisotropic"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The 21 stiffnesses and the six components of the expansion (Mandel)."""
        stiffnesses = (Parameter(name, getattr(self, name), "Pa") for name in STIFFNESSES)
        return (*stiffnesses, *(Parameter(name, getattr(self, name), "1/K") for name in EXPANSIONS))

    @property
    def kinematics(self) -> Kinematics:
        """Small strain."""
        return "small strain"

    @property
    def expansion_strain(self) -> tuple[float, ...] | Tensor:
        """Free thermal strain per kelvin, Mandel ``[6]`` in 1/K."""
        return vector_of([getattr(self, name) for name in EXPANSIONS])

    def stiffness(self, like: Tensor) -> Tensor:
        """Stiffness ``[6, 6]`` in Pa (Mandel), ``[m, 6, 6]`` with constants per point."""
        return stacked([[getattr(self, _entry(i, j)) for j in range(6)] for i in range(6)], like)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Anisotropic) and self.parameters == other.parameters

    def __hash__(self) -> int:
        return hash(self.parameters)

    def __repr__(self) -> str:
        return f"Anisotropic({', '.join(f'{p.name}={p.value!r}' for p in self.parameters)})"


def _checked(full: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    if full.shape != (6, 6):
        raise ShapeError(f"The stiffness of an anisotropic phase has the shape {full.shape}; it must be (6, 6).")
    if not np.isfinite(full).all():
        raise InputError("The stiffness of an anisotropic phase has entries that are not finite numbers.")
    skew = np.abs(full - full.T)
    if skew.max() > SYMMETRY * np.abs(full).max():
        i, j = np.unravel_index(skew.argmax(), skew.shape)
        raise InputError(
            f"The stiffness of an anisotropic phase is not symmetric: entry ({i + 1}, {j + 1}) is {full[i, j]:.6g} and "
            f"entry ({j + 1}, {i + 1}) is {full[j, i]:.6g}; give the same number in both places."
        )
    full = 0.5 * (full + full.T)
    lowest, highest = (float(v) for v in np.linalg.eigvalsh(full)[[0, -1]])
    if not lowest > 1e-14 * highest:
        raise InputError(
            f"The stiffness of an anisotropic phase is not positive definite: its eigenvalues run from {lowest:.6g} to "
            f"{highest:.6g}, so a strain would store no or negative energy; check its signs and whether it is in "
            "Mandel components (tables in Voigt's notation: Anisotropic.from_voigt)."
        )
    return full
