"""Rank-one laminate of two power-law conductors: its exact closure by a scalar root."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from scalebridge.errors import InputError
from scalebridge.models import Runs, Scale, Structure
from scalebridge.problems.case import analytic_runs
from scalebridge.problems.rank_one import mix
from scalebridge.problems.root import increasing_root
from scalebridge.quantities import Floats, Space, Variable


@dataclass(frozen=True)
class PowerLawConductor:
    """An isotropic conductor of flux ``k0 (1 + |g|^2/g0^2)^((n-1)/2) g``, smooth at zero.

    Args:
        conductivity: k0 at zero gradient, W/(m K).
        exponent: n in (0, 1]; 1 is linear.
        reference: g0 > 0, the gradient at which the power law sets in, K/m.

    Raises:
        InputError: a value out of these ranges.
    """

    conductivity: float
    exponent: float = 1.0
    reference: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.conductivity < math.inf and 0 < self.exponent <= 1 and 0 < self.reference < math.inf):
            raise InputError(
                f"A power-law conductor got conductivity = {self.conductivity}, exponent = {self.exponent}, "
                f"reference = {self.reference}; all must be positive and finite, the exponent at most 1."
            )

    def respond(self, x: Floats) -> tuple[Floats, Floats]:
        """Flux ``[b, dim]`` along the gradient ``x [b, dim]`` and its derivative ``[b, dim, dim]``."""
        ratio = x / self.reference
        square = 1 + np.sum(ratio**2, axis=1)
        secant = self.conductivity * square ** ((self.exponent - 1) / 2)
        drop = (self.exponent - 1) / square
        tangent = np.eye(x.shape[1]) + drop[:, None, None] * (ratio[:, :, None] * ratio[:, None, :])
        return secant[:, None] * x, secant[:, None, None] * tangent


@dataclass(frozen=True)
class ConductionLaminate:
    """Rank-one laminate of two power-law conductors; closure gradient -> flux, exact to 1e-12.

    The gradient in phase 1 is ``g + (1-f) a n``, in phase 2 ``g - f a n``; the jump ``a`` is the root of the
    balance of normal fluxes. The flux is the conjugate of the gradient (minus Fourier's heat flux), so that it
    derives from a convex, even potential.

    Args:
        first: phase 1.
        second: phase 2.
        fraction: volume fraction f of phase 1, in (0, 1).
        angle: of the layers' normal n against the x axis, radians (2-D only).
        dim: 1 (layers in series) or 2.

    Source: G. W. Milton, The Theory of Composites (2002), chapter 9.
    """

    first: PowerLawConductor
    second: PowerLawConductor
    fraction: float = 0.5
    angle: float = 0.0
    dim: int = 1
    name: str = "conduction_laminate"
    version: str = "1"
    scale: Scale | None = None
    structure: Structure = field(default=Structure(potential=True, even=True))

    def __post_init__(self) -> None:
        if not 0 < self.fraction < 1:
            raise InputError(f"A laminate got the fraction {self.fraction}; give the share of phase 1, in (0, 1).")
        if self.dim not in (1, 2):
            raise InputError(f"A conduction laminate got dim = {self.dim}; valid: 1, 2.")

    @property
    def inputs(self) -> Space:
        """The temperature gradient, K/m."""
        return _spaces(self.dim)[0]

    @property
    def outputs(self) -> Space:
        """The flux along the gradient, W/m^2."""
        return _spaces(self.dim)[1]

    @property
    def normal(self) -> Floats:
        """Unit normal of the layers ``[dim]``."""
        return np.array([math.cos(self.angle), math.sin(self.angle)]) if self.dim == 2 else np.ones(1)

    def identity(self) -> Mapping[str, str]:
        """Name, version and every constant."""
        return {
            "name": "scalebridge.problems.ConductionLaminate",
            "version": self.version,
            "first": repr(self.first),
            "second": repr(self.second),
            "geometry": repr((self.fraction, self.angle, self.dim)),
        }

    def run(self, x: Floats) -> Runs:
        """Flux ``[b, dim]`` and its jacobian ``[b, dim, dim]`` at the gradients ``x [b, dim]``."""
        return analytic_runs(self.inputs.check(x, f"The model '{self.name}'"), self._respond)

    def _respond(self, x: Floats) -> tuple[Floats, Floats]:
        n, f = self.normal, self.fraction

        def imbalance(a: Floats) -> tuple[Floats, Floats]:
            y1, d1 = self.first.respond(x + (1 - f) * a[:, None] * n)
            y2, d2 = self.second.respond(x - f * a[:, None] * n)
            return (y1 - y2) @ n, n @ ((1 - f) * d1 + f * d2) @ n

        # At one end phase 1 carries no normal flux, at the other phase 2: the balance changes sign between.
        ends = np.stack([-(x @ n) / (1 - f), (x @ n) / f])
        a = increasing_root(imbalance, ends.min(axis=0), ends.max(axis=0))
        return mix(self.first, self.second, f, n[:, None], x, a[:, None])


def random_conduction_laminate(rng: np.random.Generator, dim: int = 1) -> ConductionLaminate:
    """Draw a laminate: contrast 2 to 50, exponents .2 to 1, references .3 to 3 K/m, any fraction and angle."""
    contrast = float(np.exp(rng.uniform(np.log(2.0), np.log(50.0))))
    exponents = rng.uniform(0.2, 1.0, 2)
    references = np.exp(rng.uniform(np.log(0.3), np.log(3.0), 2))
    return ConductionLaminate(
        PowerLawConductor(1.0, float(exponents[0]), float(references[0])),
        PowerLawConductor(contrast, float(exponents[1]), float(references[1])),
        fraction=float(rng.uniform(0.2, 0.8)),
        angle=float(rng.uniform(0.0, math.pi)),
        dim=dim,
    )


@cache
def _spaces(dim: int) -> tuple[Space, Space]:
    return Space([Variable("gradient", "K/m", (dim,))]), Space([Variable("flux", "W/m^2", (dim,))])
