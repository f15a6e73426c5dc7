"""Linear viscoelasticity: the generalised Maxwell model (Prony series)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.algebra import hooke, joined, not_negative, stiffness
from scalebridge.micro.rve.phases.elastic import Elastic
from scalebridge.micro.rve.phases.phase import (
    Advance,
    Kinematics,
    Parameter,
    bulk_modulus,
    poisson_ratio,
    positive,
    shear_modulus,
)

if TYPE_CHECKING:
    from torch import Tensor


class GeneralisedMaxwell:
    """A spring in parallel with n Maxwell branches (spring and dashpot in series), isotropic.

    Relaxation moduli in time t, deviatoric and volumetric::

        G(t) = shear + sum shear_i exp(-t / tau_i)        K(t) = bulk + sum bulk_i exp(-t / tau_i)

    Each step is exact where the strain is linear in time within the step, whatever its length; ``dt = 0`` is an
    instantaneous jump, ``dt = inf`` the state at rest. The tangent depends on dt and on nothing else.

    State, 6 (n + 1) numbers: the strain at the end of the last step, then of each branch the strain of its spring
    (Mandel); virgin material starts unstrained.

    Source: Taylor, Pister and Goudreau 1970; Simo and Hughes, Computational Inelasticity, 1998, section 10.3
    (there with the mid-point instead of the exact integral).

    Args:
        bulk: long-term bulk modulus in Pa, or a text such as ``"4 GPa"``.
        shear: long-term shear modulus in Pa, or a text; 0 is a fluid.
        branches: ``(shear_i, tau_i)`` or ``(shear_i, tau_i, bulk_i)`` per branch: moduli in Pa, relaxation time
            in seconds, numbers or texts; bulk_i is 0 where it is left out. The constants are then known by name
            as ``shear_1, tau_1, bulk_1, shear_2, ...``.

    Raises:
        InputError: ``bulk`` or a relaxation time not positive and finite, a negative modulus, a branch without
            stiffness or of the wrong length, no branch at all.
    """

    bulk: Any
    shear: Any

    def __init__(self, bulk: str | float, shear: str | float, branches: Sequence[Sequence[str | float]]) -> None:
        self.bulk = positive(bulk, "Pa", "The bulk modulus bulk of a Maxwell phase")
        self.shear = not_negative(shear, "Pa", "The shear modulus shear of a Maxwell phase")
        self._count = len(branches)
        if not branches:
            raise InputError(
                "A Maxwell phase has no branches; give at least one (modulus, relaxation time), or use Elastic."
            )
        for i, branch in enumerate(branches, 1):
            for name, value in _branch(i, branch).items():
                setattr(self, name, value)

    @classmethod
    def from_prony(cls, E: str | float, nu: float, coefficients: Sequence[Sequence[float]]) -> GeneralisedMaxwell:
        """Make a law from instantaneous constants and relative coefficients, as finite-element programs take them.

        Args:
            E: instantaneous Young's modulus in Pa, or a text.
            nu: instantaneous Poisson's ratio.
            coefficients: ``(g_i, tau_i)`` or ``(g_i, tau_i, k_i)``: parts of the instantaneous shear and bulk
                modulus that relax, and the relaxation time in seconds.

        Raises:
            InputError: constants out of range; the g_i, or the k_i, not below 1 in sum.
        """
        modulus = positive(E, "Pa", "The instantaneous Young's modulus E of a Maxwell phase")
        ratio = poisson_ratio(nu, "The instantaneous Poisson's ratio nu of a Maxwell phase")
        bulk, shear = bulk_modulus(modulus, ratio), shear_modulus(modulus, ratio)
        rows = [(*row, 0.0) if len(row) == 2 else tuple(row) for row in coefficients]
        for i, row in enumerate(rows, 1):
            _check_length(i, row)
        left = [1.0 - math.fsum(row[j] for row in rows) for j in (0, 2)]
        for kind, rest in zip("gk", left, strict=True):
            # An exact 1 written in decimals may miss it by a rounding.
            if not rest > 1e-12:
                raise InputError(
                    f"The Prony coefficients {kind}_i of a Maxwell phase add up to {1.0 - rest:g}; "
                    "they are parts of the instantaneous modulus and must stay below 1 in sum."
                )
        return cls(bulk * left[1], shear * left[0], [(shear * g, tau, bulk * k) for g, tau, k in rows])

    def __repr__(self) -> str:
        return f"GeneralisedMaxwell(bulk={self.bulk}, shear={self.shear}, branches={self.branches})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GeneralisedMaxwell) and self.parameters == other.parameters

    def __hash__(self) -> int:
        return hash(self.parameters)

    @property
    def branches(self) -> tuple[tuple[Any, Any, Any], ...]:
        """``(shear_i, tau_i, bulk_i)`` of every branch, in Pa, s and Pa."""
        numbers = range(1, self._count + 1)
        return tuple(tuple(getattr(self, f"{n}_{i}") for n in ("shear", "tau", "bulk")) for i in numbers)

    @property
    def name(self) -> str:
        """``generalised Maxwell``."""
        return "generalised Maxwell"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """bulk, shear, then shear_i, tau_i and bulk_i of each branch."""
        own = [("bulk", "Pa"), ("shear", "Pa")]
        for i in range(1, self._count + 1):
            own += [(f"shear_{i}", "Pa"), (f"tau_{i}", "s"), (f"bulk_{i}", "Pa")]
        return tuple(Parameter(name, getattr(self, name), unit) for name, unit in own)

    @property
    def kinematics(self) -> Kinematics:
        """``small strain``."""
        return "small strain"

    @property
    def linear(self) -> bool:
        """True: the tangent of a step is the same at every strain and state."""
        return True

    @property
    def state_size(self) -> int:
        """Six for the last strain and six per branch."""
        return 6 * (self._count + 1)

    def state0(self) -> tuple[float, ...]:
        """Zeros."""
        return (0.0,) * self.state_size

    def long_term(self) -> Elastic:
        """Return the elastic law of infinitely slow loading.

        Raises:
            InputError: ``shear`` is 0: the law is a fluid.
        """
        return _elastic(self.bulk, self.shear)

    def instantaneous(self) -> Elastic:
        """Return the elastic law of infinitely fast loading."""
        rows = self.branches
        return _elastic(self.bulk + sum(r[2] for r in rows), self.shear + sum(r[0] for r in rows))

    def advance(self, measure: Tensor, state: Tensor, dt: float) -> Advance:
        """Stress in Pa, tangent and state at strain ``measure [..., 6]``, ``dt`` seconds after ``state``.

        Raises:
            InputError: a negative or undefined time step.
        """
        if not dt >= 0:
            raise InputError(f"The time step of a Maxwell phase is {dt}; it must be zero or positive, in seconds.")
        rise = measure - state[..., :6]
        bulk, shear, new = self.bulk, self.shear, [measure]
        stress = hooke(measure, bulk, shear)
        for i, (own_shear, tau, own_bulk) in enumerate(self.branches, 1):
            kept, gained = _decay(dt, tau, measure)
            spring = kept * state[..., 6 * i : 6 * i + 6] + gained * rise
            stress = stress + hooke(spring, own_bulk, own_shear)
            weight = gained[..., 0]
            bulk, shear = bulk + own_bulk * weight, shear + own_shear * weight
            new.append(spring)
        return Advance(stress, stiffness(measure, bulk, shear), joined(new))


def _decay(dt: float, tau: Any, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return exp(-x) and (1 - exp(-x))/x at x = dt/tau, ``[1]`` or ``[..., m, 1]``; both are 1 at dt = 0."""
    x = (dt / (like.new_ones(()) * tau))[..., None]
    if dt == 0:
        return x.exp(), x.exp()
    return (-x).exp(), -(-x).expm1() / x


def _check_length(i: int, row: Sequence[Any]) -> None:
    if len(row) != 3:
        raise InputError(
            f"Branch {i} of a Maxwell phase has {len(row)} entries; "
            "write (shear part, relaxation time) or (shear part, relaxation time, bulk part)."
        )


def _branch(i: int, branch: Sequence[str | float]) -> dict[str, float]:
    """Return the checked constants of branch ``i`` by name."""
    row = (*branch, 0.0) if len(branch) == 2 else tuple(branch)
    _check_length(i, row)
    found = {
        f"shear_{i}": not_negative(row[0], "Pa", f"The shear modulus of branch {i} of a Maxwell phase"),
        f"tau_{i}": positive(row[1], "s", f"The relaxation time of branch {i} of a Maxwell phase"),
        f"bulk_{i}": not_negative(row[2], "Pa", f"The bulk modulus of branch {i} of a Maxwell phase"),
    }
    if found[f"shear_{i}"] == 0.0 == found[f"bulk_{i}"]:
        raise InputError(f"Branch {i} of a Maxwell phase has no stiffness; leave it out or give it a modulus.")
    return found


def _elastic(bulk: Any, shear: Any) -> Elastic:
    return Elastic(
        E=9.0 * bulk * shear / (3.0 * bulk + shear), nu=(3.0 * bulk - 2.0 * shear) / (6.0 * bulk + 2.0 * shear)
    )
