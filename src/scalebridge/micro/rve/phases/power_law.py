"""Power-law hardening in deformation theory (pseudo-plasticity): no history, no unloading."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.phase import (
    Kinematics,
    Parameter,
    bulk_modulus,
    poisson_ratio,
    positive,
    shear_modulus,
)

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class PowerLaw:
    """Initially linear, then power-law hardening of the von Mises stress, elastic in volume.

    With the von Mises equivalent strain ``q = sqrt(2/3 dev(e):dev(e))`` of the deviator and the
    yield strain ``q0 = yield_stress / (3 G)``::

        W = K/2 tr(e)^2 + 3 G q0^2 / (n + 1) * ((1 + (q/q0)^2)^((n + 1)/2) - 1)
        von Mises stress = dW/dq = 3 G q (1 + (q/q0)^2)^((n - 1)/2)

    which is ``3 G q`` for small q and tends to ``yield_stress (q/q0)^n``. W is convex, even, and smooth
    everywhere for 0 < n <= 1; at ``q = q0`` the stress is ``2^((n-1)/2)`` of its elastic value.
    Source: deformation theory of plasticity (Hencky 1924) with a smoothed power law.

    Args:
        E: Young's modulus in Pa, or a text such as ``"3.5 GPa"``.
        nu: Poisson's ratio.
        yield_stress: von Mises stress in Pa (or a text) at which the elastic line and the power law meet.
        n: hardening exponent in (0, 1]; 1 is linear elasticity.

    Raises:
        InputError: ``E`` or ``yield_stress`` not positive and finite, ``nu`` outside (-1, 0.5), ``n`` outside (0, 1].
    """

    E: float
    nu: float
    yield_stress: float
    n: float

    def __init__(self, E: str | float, nu: float, yield_stress: str | float, n: float) -> None:
        object.__setattr__(self, "E", positive(E, "Pa", "Young's modulus E of a power-law phase"))
        object.__setattr__(self, "nu", poisson_ratio(nu, "Poisson's ratio nu of a power-law phase"))
        object.__setattr__(
            self, "yield_stress", positive(yield_stress, "Pa", "The yield stress yield_stress of a power-law phase")
        )
        object.__setattr__(self, "n", float(n))
        if not (math.isfinite(self.n) and 0.0 < self.n <= 1.0):
            raise InputError(
                f"The hardening exponent n of a power-law phase is {n}; it must lie in (0, 1], "
                "where 1 is linear elasticity and small values are nearly perfect plasticity."
            )

    @property
    def name(self) -> str:
        """``power law``."""
        return "power law"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """E, nu, yield_stress and n."""
        return (
            Parameter("E", self.E, "Pa"),
            Parameter("nu", self.nu, "1"),
            Parameter("yield_stress", self.yield_stress, "Pa"),
            Parameter("n", self.n, "1"),
        )

    @property
    def kinematics(self) -> Kinematics:
        """Small strain."""
        return "small strain"

    @property
    def linear(self) -> bool:
        """Whether n is the number 1."""
        return isinstance(self.n, float) and self.n == 1.0

    @property
    def even(self) -> bool:
        """True: the law knows only the square of q and of tr(e)."""
        return True

    @property
    def yield_strain(self) -> float:
        """Equivalent strain q0 at which the elastic line and the power law meet."""
        strain: float = self.yield_stress / (3.0 * shear_modulus(self.E, self.nu))
        return strain

    @property
    def _moduli(self) -> tuple[float, float]:
        return bulk_modulus(self.E, self.nu), shear_modulus(self.E, self.nu)

    def _invariants(self, strain: Tensor) -> tuple[Tensor, Tensor]:
        """Return tr(e) ``[...]`` and ``(q/q0)^2 [...]``."""
        trace = strain[..., 0] + strain[..., 1] + strain[..., 2]
        norm = trace * trace * (-1.0 / 3.0)
        for c in range(6):
            norm = norm.addcmul(strain[..., c], strain[..., c])
        return trace, norm * (2.0 / (3.0 * self.yield_strain**2))

    def _secant(self, strain: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return tr(e), ``(q/q0)^2`` and twice the secant shear modulus, each ``[...]``."""
        _, shear = self._moduli
        trace, square = self._invariants(strain)
        # exp and log1p: three times as fast as a power, and exact where the strain is small.
        return trace, square, 2.0 * shear * (0.5 * (self.n - 1.0) * square.log1p()).exp()

    def energy(self, strain: Tensor) -> Tensor:
        """Energy density ``[...]`` in J/m^3."""
        bulk, shear = self._moduli
        trace, square = self._invariants(strain)
        half = 0.5 * (self.n + 1.0)
        # expm1 and log1p keep the digits at small strains, where the power is close to 1.
        rise = (half * square.log1p()).expm1()
        return 0.5 * bulk * trace * trace + 3.0 * shear * self.yield_strain**2 / (2.0 * half) * rise

    def stress(self, strain: Tensor) -> Tensor:
        """Stress ``[..., 6]`` in Pa (Mandel)."""
        bulk, _ = self._moduli
        trace, _, secant = self._secant(strain)
        stress = secant[..., None] * strain
        stress[..., :3] += (trace * (bulk - secant / 3.0))[..., None]
        return stress

    def tangent(self, strain: Tensor) -> Tensor:
        """Consistent tangent ``[..., 6, 6]`` in Pa (Mandel); symmetric and positive definite."""
        return self.tangent_block(strain, range(6))

    def tangent_block(self, strain: Tensor, slots: Sequence[int]) -> Tensor:
        """Rows and columns ``slots`` of the tangent: a plane needs nine of its 36 entries."""
        bulk, _ = self._moduli
        trace, square, secant = self._secant(strain)
        bend = (2.0 / 3.0) * (self.n - 1.0) / self.yield_strain**2 * secant / (1.0 + square)
        third, off = trace / 3.0, bulk - secant / 3.0
        deviator = [strain[..., c] - third if c < 3 else strain[..., c] for c in slots]
        tangent = secant.new_empty((len(slots), len(slots), *secant.shape))
        for i, row in enumerate(slots):
            bent = bend * deviator[i]
            for j in range(i, len(slots)):
                entry = bent * deviator[j]
                if row < 3 and slots[j] < 3:
                    entry += off
                if i == j:
                    entry += secant
                tangent[i, j] = entry
                if i != j:
                    tangent[j, i] = entry
        return tangent.movedim((0, 1), (-2, -1))
