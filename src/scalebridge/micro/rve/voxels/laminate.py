"""Composite voxels: a voxel cut by an interface takes the exact response of a laminate of its two phases.

A voxel that gets the law of its centre makes an error of first order in the voxel's edge. The rank-one laminate
with the voxel's fractions and the interface's normal removes most of it. In phase 1 the measure is
``e - f a (x) n``, in phase 2 ``e + (1 - f) a (x) n``: the mean is ``e`` whatever the jump ``a``, tangential
parts are continuous, and ``a`` follows from the balance of tractions. ``a`` is condensed in every voxel, so
that the composite is again a law.
Source: M. Kabel, D. Merkert, M. Schneider, Comput. Methods Appl. Mech. Eng. 294 (2015) 168-188.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.phases.linear import applied, product
from scalebridge.micro.rve.phases.phase import MANDEL, Advance, HistoryPhase, Kinematics, Parameter, Phase
from scalebridge.micro.rve.voxels.condensation import inverse

if TYPE_CHECKING:
    from torch import Tensor

NEWTON_LIMIT = 60
HALVINGS = 12

# Stress [..., g] and tangent [..., g, g] at measures [..., g].
Response = Callable[["Tensor"], tuple["Tensor", "Tensor"]]


def laminate_stiffness(first: Tensor, second: Tensor, fraction: Tensor, normal: Tensor) -> Tensor:
    """Stiffness of a rank-one laminate of two linear elastic phases, exact, any anisotropy.

    Args:
        first: stiffness ``[..., 6, 6]`` of phase 1 in Pa (Mandel), symmetric.
        second: stiffness ``[..., 6, 6]`` of phase 2; zero is a void.
        fraction: volume fraction ``[...]`` of phase 2 in [0, 1].
        normal: unit normal ``[..., 3]`` of the layers (x, y, z); its sign does not matter.

    Returns:
        ``[..., 6, 6]`` in Pa, differentiable by every argument.
    """
    return _laminated(first, second, fraction, _interface(normal, "small strain"))


def laminate_conductivity(first: Tensor, second: Tensor, fraction: Tensor, normal: Tensor) -> Tensor:
    """Conductivity ``[..., 3, 3]`` of a rank-one laminate of two conductors; see `laminate_stiffness`."""
    return _laminated(first, second, fraction, _interface(normal, "conduction"))


@dataclass(frozen=True)
class Laminate:
    """A composite voxel of two laws without memory, itself a law without memory.

    A point at which the tractions cannot be balanced gives NaN, which a solver must answer with a smaller step.
    The result is differentiable by the measure, the fraction, the normal and the constants of the phases. To
    change a constant, change the phase: the composite has none of its own.

    Args:
        first: law of phase 1.
        second: law of phase 2, of the same kinematics; either may be a void.
        fraction: volume fraction ``[m]`` of phase 2, in [0, 1].
        normal: unit normals ``[m, 3]`` (x, y, z), in the undeformed body; the sign does not matter.
        parallel: no jump, both phases take the measure of the voxel. For voxels cut by a void: a laminate with a void
            carries nothing across, so that every voxel it touches is lost; on cylindrical voids the error is then
            larger than that of plain voxels, and in parallel it is a twentieth of it.

    Raises:
        InputError: phases of different kinematics.
        ShapeError: fractions and normals that do not fit.
    """

    first: Phase
    second: Phase
    fraction: Tensor
    normal: Tensor
    parallel: bool = False

    def __post_init__(self) -> None:
        _check(self.first, self.second, self.fraction, self.normal)

    @property
    def name(self) -> str:
        """``laminate of ... and ...``."""
        return f"laminate of {self.first.name} and {self.second.name}"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """None of its own."""
        return ()

    @property
    def kinematics(self) -> Kinematics:
        """That of the phases."""
        return self.first.kinematics

    @property
    def linear(self) -> bool:
        """Whether both phases are linear."""
        return self.first.linear and self.second.linear

    @property
    def even(self) -> bool:
        """Whether both energies are even."""
        return self.first.even and self.second.even

    def energy(self, measure: Tensor) -> Tensor:
        """Mean energy density ``[..., m]`` in J/m^3 at ``measure [..., m, g]``."""
        split = self._split(measure)
        f = split.fraction
        return (1.0 - f) * self.first.energy(split.first) + f * self.second.energy(split.second)

    def stress(self, measure: Tensor) -> Tensor:
        """Mean stress ``[..., m, g]``."""
        split = self._split(measure)
        return _mean(self.first.stress(split.first), self.second.stress(split.second), split.fraction)

    def tangent(self, measure: Tensor) -> Tensor:
        """Tangent ``[..., m, g, g]``, the jump condensed."""
        split = self._split(measure)
        tangents = self.first.tangent(split.first), self.second.tangent(split.second)
        return _condensed(*tangents, split)

    def parts(self, measure: Tensor) -> tuple[Tensor, Tensor]:
        """Return the measures ``[..., m, g]`` in phase 1 and in phase 2."""
        split = self._split(measure)
        return split.first, split.second

    def _split(self, measure: Tensor) -> _Split:
        fraction, interface = self.fraction.to(measure), _interface(self.normal.to(measure), self.kinematics)
        laws = _response(self.first), _response(self.second)
        if self.parallel:
            return _Split(measure, measure, fraction, None)
        return _balanced(laws, measure, fraction, interface, 1 if self.linear else NEWTON_LIMIT)


@dataclass(frozen=True)
class LaminateHistory:
    """A composite voxel of two laws of which one or both have memory; see `Laminate`.

    The state is that of phase 1 followed by that of phase 2; the jump has no memory.
    """

    first: Phase | HistoryPhase
    second: Phase | HistoryPhase
    fraction: Tensor
    normal: Tensor
    parallel: bool = False

    def __post_init__(self) -> None:
        _check(self.first, self.second, self.fraction, self.normal)

    @property
    def name(self) -> str:
        """``laminate of ... and ...``."""
        return f"laminate of {self.first.name} and {self.second.name}"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """None of its own."""
        return ()

    @property
    def kinematics(self) -> Kinematics:
        """That of the phases."""
        return self.first.kinematics

    @property
    def state_size(self) -> int:
        """Internal variables of both phases."""
        return len(self.state0())

    def state0(self) -> tuple[float, ...]:
        """Internal variables of the virgin phases, one after the other."""
        return (*_virgin(self.first), *_virgin(self.second))

    def advance(self, measure: Tensor, state: Tensor, dt: float) -> Advance:
        """Stress, tangent and state at ``measure [..., m, g]`` after ``state [..., m, s]``; see `HistoryPhase`."""
        fraction, interface = self.fraction.to(measure), _interface(self.normal.to(measure), self.kinematics)
        size = len(_virgin(self.first))
        states = state[..., :size], state[..., size:]

        def response(law: Phase | HistoryPhase, old: Tensor) -> Response:
            return lambda e: _plain(_advance(law, e, old, dt))

        laws = response(self.first, states[0]), response(self.second, states[1])
        if self.parallel:
            split = _Split(measure, measure, fraction, None)
        else:
            split = _balanced(laws, measure, fraction, interface, NEWTON_LIMIT)
        one, two = _advance(self.first, split.first, states[0], dt), _advance(self.second, split.second, states[1], dt)
        tangent = _condensed(one.tangent, two.tangent, split)
        return Advance(_mean(one.stress, two.stress, fraction), tangent, torch.cat([one.state, two.state], -1))


@dataclass(frozen=True)
class _Split:
    """Measures ``[..., m, g]`` of the two phases, fraction ``[m]`` and interface ``[m, g, r]`` (none: in parallel)."""

    first: Tensor
    second: Tensor
    fraction: Tensor
    interface: Tensor | None


def _balanced(
    laws: tuple[Response, Response], measure: Tensor, fraction: Tensor, interface: Tensor, limit: int
) -> _Split:
    """Split a measure so that the tractions of the two phases agree: Newton with halving, all points together.

    The jump minimises the mean energy. It is found without a graph; one more step, with a graph and the
    tangent held, then gives it the right first derivatives by whatever the laws depend on.
    """
    f = fraction[..., None]
    across = interface.mT

    def split(jump: Tensor) -> tuple[Tensor, Tensor]:
        change = applied(interface, jump)
        return measure - f * change, measure + (1.0 - f) * change

    def gap(jump: Tensor) -> _Gap:
        parts = split(jump)
        (stress_1, tangent_1), (stress_2, tangent_2) = (law(part) for law, part in zip(laws, parts, strict=True))
        weighted = f[..., None] * tangent_1 + (1.0 - f[..., None]) * tangent_2
        residual = applied(across, stress_2 - stress_1)
        sizes = [
            tangent.diagonal(dim1=-2, dim2=-1).amax(-1) * (_size(measure) + _size(part))
            for tangent, part in zip((tangent_1, tangent_2), parts, strict=True)
        ]
        return _Gap(residual, product(across, product(weighted, interface)), sizes[0] + sizes[1])

    jump = measure.new_zeros((*measure.shape[:-1], interface.shape[-1]))
    with torch.no_grad():
        jump = _newton(gap, jump, limit)
    if torch.is_grad_enabled():
        found = gap(jump)
        if found.residual.requires_grad:
            jump = jump - applied(_inverse(found.slope.detach()), found.residual)
    return _Split(*split(jump), fraction, interface)


@dataclass(frozen=True)
class _Gap:
    """Difference of the tractions ``[..., m, r]``, its derivative by the jump, and the size of what is balanced.

    The size ``[..., m]`` is that of the terms of the stresses, so that eps times it is the rounding in the gap:
    the tractions themselves may vanish (a void).
    """

    residual: Tensor
    slope: Tensor
    size: Tensor

    @property
    def target(self) -> Tensor:
        """What rounding leaves of the gap ``[..., m]``."""
        return 16.0 * torch.finfo(self.size.dtype).eps * self.size

    @property
    def norm(self) -> Tensor:
        """Norm of the gap ``[..., m]``; zero where nothing is stiff across the interface (two voids)."""
        empty = (self.slope == 0.0).flatten(-2).all(-1)
        return _size(self.residual).masked_fill(empty, 0.0)


def _newton(gap: Callable[[Tensor], _Gap], jump: Tensor, limit: int) -> Tensor:
    """Return the jump ``[..., m, r]`` at which the gap of tractions vanishes; NaN where it does not."""
    found = gap(jump)
    if limit == 1:
        return jump - applied(_inverse(found.slope), found.residual)
    for _ in range(limit):
        # What is not finite is not in balance.
        still = ~(found.norm <= found.target)
        if not bool(still.any()):
            break
        step = applied(_inverse(found.slope), found.residual).masked_fill(~still[..., None], 0.0)
        scale, trial = _halved(gap, jump, step, found, still)
        helped = still & (trial.norm < found.norm)
        jump = torch.where(helped[..., None], jump - scale[..., None] * step, jump)
        if not bool(helped.any()):
            break
        found = trial if bool((helped | ~still).all()) else gap(jump)
    # Steps that no longer help are the end of what the precision allows, well above the target.
    return jump.masked_fill(~(found.norm <= 1e4 * found.target)[..., None], math.nan)


def _halved(
    gap: Callable[[Tensor], _Gap], jump: Tensor, step: Tensor, found: _Gap, still: Tensor
) -> tuple[Tensor, _Gap]:
    """Halve the steps of points that get worse; return the scales ``[..., m]`` and the gap there."""
    before, scale = found.norm, torch.ones_like(found.size)
    for _ in range(HALVINGS):
        trial = gap(jump - scale[..., None] * step)
        # A trial that is not finite compares as worse; near the target, rounding decides and no step is halved.
        worse = still & ~((trial.norm < before) | (trial.norm <= 64.0 * trial.target))
        if not bool(worse.any()):
            break
        scale = torch.where(worse, 0.5 * scale, scale)
    return scale, trial


def _condensed(first: Tensor, second: Tensor, split: _Split) -> Tensor:
    """Tangent ``[..., g, g]`` of a composite whose phases have the tangents ``first`` and ``second``."""
    if split.interface is None:
        f = split.fraction[..., None, None]
        return (1.0 - f) * first + f * second
    return _laminated(first, second, split.fraction, split.interface)


def _laminated(first: Tensor, second: Tensor, fraction: Tensor, interface: Tensor) -> Tensor:
    """Tangent ``[..., g, g]`` of a laminate whose phases have the tangents ``first`` and ``second``."""
    f = fraction[..., None, None]
    contrast = product(second - first, interface)
    slope = product(interface.mT, product(f * first + (1.0 - f) * second, interface))
    release = product(contrast, product(_inverse(slope), contrast.mT))
    return (1.0 - f) * first + f * second - f * (1.0 - f) * 0.5 * (release + release.mT)


def _inverse(slope: Tensor) -> Tensor:
    """Inverse of ``[..., r, r]``, r = 1 or 3; zero of zero (two voids)."""
    if slope.shape[-1] == 3:
        return inverse(slope)
    safe = torch.where(slope == 0.0, torch.ones_like(slope), slope)
    return torch.where(slope == 0.0, torch.zeros_like(slope), 1.0 / safe)


def _size(vector: Tensor) -> Tensor:
    # Six times as fast as a norm where components are first in memory.
    return (vector * vector).sum(-1).sqrt()


def _interface(normal: Tensor, kinematics: Kinematics) -> Tensor:
    """Return ``[..., g, r]``: the measure of a unit jump along each direction (conduction: of a unit jump)."""
    if kinematics == "conduction":
        return normal[..., None]
    identity = torch.eye(3, dtype=normal.dtype, device=normal.device)
    jumps = identity[:, None, :] * normal[..., None, :, None]  # [..., i, j, r] = delta_ir n_j
    if kinematics == "finite strain":
        return jumps.flatten(-3, -2)
    both = 0.5 * (jumps + jumps.transpose(-3, -2))
    return torch.stack([both[..., i, j, :] * (1.0 if i == j else math.sqrt(2.0)) for i, j in MANDEL], -2)


def _mean(first: Tensor, second: Tensor, fraction: Tensor) -> Tensor:
    f = fraction[..., None]
    return (1.0 - f) * first + f * second


def _response(law: Phase) -> Response:
    return lambda e: (law.stress(e), law.tangent(e))


def _plain(made: Advance) -> tuple[Tensor, Tensor]:
    return made.stress, made.tangent


def _advance(law: Phase | HistoryPhase, measure: Tensor, state: Tensor, dt: float) -> Advance:
    if isinstance(law, HistoryPhase):
        return law.advance(measure, state, dt)
    return Advance(law.stress(measure), law.tangent(measure), state.expand(*measure.shape[:-1], 0))


def _virgin(law: Phase | HistoryPhase) -> tuple[float, ...]:
    return law.state0() if isinstance(law, HistoryPhase) else ()


def _check(first: Phase | HistoryPhase, second: Phase | HistoryPhase, fraction: Tensor, normal: Tensor) -> None:
    if first.kinematics != second.kinematics:
        raise InputError(
            f"A composite voxel cannot join '{first.name}' ({first.kinematics}) and '{second.name}' "
            f"({second.kinematics}); give two laws of one kinematics."
        )
    if normal.shape != (*fraction.shape, 3):
        raise ShapeError(
            f"The normals of composite voxels have the shape {list(normal.shape)} for fractions of the shape "
            f"{list(fraction.shape)}; one normal of three components per voxel is needed, [m, 3]."
        )
