"""A law turned: its local axes are not those of the grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.phases.linear import applied, everywhere, product
from scalebridge.micro.rve.phases.phase import MANDEL, Advance, HistoryPhase, Kinematics, Phase
from scalebridge.micro.rve.voxels.around import AroundHistory, AroundPhase

ORTHOGONALITY = 1e-5
FIRST, SECOND = ([pair[k] for pair in MANDEL] for k in (0, 1))
WEIGHTS = [math.sqrt(0.5) if i == j else 1.0 for i, j in MANDEL]


@dataclass(frozen=True, eq=False, slots=True)
class Oriented(AroundPhase):
    """A law without memory in local axes of its own; gradients flow to the rotation.

    The law sees the measure in its local frame, and the stress is turned back. At finite strain the frame turns as a
    whole (R^T F R), which for an objective law is the same as turning the material (F R), and keeps F = 1 at rest.

    Args:
        law: in its local axes.
        rotation: ``[3, 3]``, or ``[m, 3, 3]`` one per point. Its **columns are the local axes in the frame of the
            grid**: a vector of local components v has the components ``rotation @ v`` on the grid.

    Raises:
        InputError: a matrix that is no proper rotation.
        ShapeError: not ``[3, 3]`` or ``[m, 3, 3]``.
    """

    rotation: Tensor

    def __post_init__(self) -> None:
        check_rotation(self.rotation, self.law.name)

    @property
    def expansion_strain(self) -> Tensor:
        """Free thermal strain per kelvin on the grid, Mandel ``[6]`` or ``[m, 6]``, of a law that has one."""
        law: Any = self.law
        strain = law.expansion_strain
        strain = strain.to(self.rotation) if isinstance(strain, Tensor) else self.rotation.new_tensor(strain)
        return applied(rotation_of_measures(self.rotation, "small strain"), strain)

    def stiffness(self, like: Tensor) -> Tensor:
        """Stiffness on the grid ``[g, g]`` or ``[m, g, g]``, of a linear law."""
        law: Any = self.law
        return _turned(_turn(self, like), law.stiffness(like))

    def energy(self, measure: Tensor) -> Tensor:
        """Energy density ``[...]`` in J/m^3."""
        return self.law.energy(applied(_turn(self, measure).mT, measure))

    def stress(self, measure: Tensor) -> Tensor:
        """Stress ``[..., g]`` on the grid."""
        turn = _turn(self, measure)
        return applied(turn, self.law.stress(applied(turn.mT, measure)))

    def tangent(self, measure: Tensor) -> Tensor:
        """Tangent ``[..., g, g]`` on the grid."""
        turn = _turn(self, measure)
        if self.law.linear:
            # The local tangent is the same everywhere: turned once, not at each row of a batch.
            return everywhere(_turned(turn, self.law.tangent(measure.new_zeros(measure.shape[-1]))), measure)
        return _turned(turn, self.law.tangent(applied(turn.mT, measure)))


@dataclass(frozen=True, eq=False, slots=True)
class OrientedHistory(AroundHistory):
    """A law with memory in local axes of its own; its internal variables stay in the local frame. See `Oriented`."""

    rotation: Tensor

    def __post_init__(self) -> None:
        check_rotation(self.rotation, self.law.name)

    def state0(self) -> tuple[float, ...]:
        """Internal variables of the virgin material."""
        return self.law.state0()

    def advance(self, measure: Tensor, state: Tensor, dt: float) -> Advance:
        """Stress and tangent on the grid, and the state in the local frame, at the end of a step."""
        turn = _turn(self, measure)
        local = self.law.advance(applied(turn.mT, measure), state, dt)
        return Advance(applied(turn, local.stress), _turned(turn, local.tangent), local.state)


def oriented(law: Phase | HistoryPhase, rotation: Tensor) -> Oriented | OrientedHistory:
    """Return the law turned, with or without memory; see `Oriented` for the rotation."""
    if isinstance(law, HistoryPhase):
        return OrientedHistory(law, rotation)
    return Oriented(law, rotation)


def rotation_of_measures(rotation: Tensor, kinematics: Kinematics) -> Tensor:
    """Return the orthogonal matrix ``[..., g, g]`` that takes measures and stresses from local axes to the grid.

    Args:
        rotation: ``[..., 3, 3]``, columns are the local axes.
        kinematics: g is 6 (Mandel), 9 or 3.
    """
    # Components first in memory, as fields are: four times as fast where there is one rotation per point.
    entries = rotation.movedim((-2, -1), (0, 1))
    if kinematics == "conduction":
        return entries.contiguous().movedim((0, 1), (-2, -1))
    if kinematics == "finite strain":
        pairs = entries[:, None, :, None] * entries[None, :, None, :]
        return pairs.flatten(2, 3).flatten(0, 1).movedim((0, 1), (-2, -1))
    rows = entries[FIRST], entries[SECOND]
    turn = rows[0][:, FIRST] * rows[1][:, SECOND] + rows[0][:, SECOND] * rows[1][:, FIRST]
    weights = rotation.new_tensor(WEIGHTS)
    return turn.movedim((0, 1), (-2, -1)) * (weights[:, None] * weights)


def check_rotation(rotation: Tensor, owner: str) -> None:
    """Raise unless ``rotation`` is ``[3, 3]`` or ``[m, 3, 3]`` of proper rotations; ``owner`` names the law."""
    if rotation.shape[-2:] != (3, 3) or rotation.ndim > 3:
        raise ShapeError(
            f"The rotation of the phase '{owner}' has the shape {tuple(rotation.shape)}; "
            "it must be (3, 3), or (m, 3, 3) with one per voxel of the phase."
        )
    given = rotation.detach()
    unit = torch.eye(3, dtype=given.dtype, device=given.device)
    off = (given.mT @ given - unit).abs().amax((-2, -1))
    proper = (off <= ORTHOGONALITY) & (torch.linalg.det(given) > 0.0)
    if not bool(proper.all()):
        worst = int((~proper).flatten().to(torch.int8).argmax())
        where = f" of voxel {worst} of the phase" if rotation.ndim == 3 else ""
        raise InputError(
            f"The rotation{where} '{owner}' is no rotation: its columns, the local axes, must be of length one, at "
            "right angles and right-handed; make it by rotation_from_direction, rotation_from_angles or "
            "rotation_from_quaternion."
        )


def rotation_from_direction(direction: Tensor) -> Tensor:
    """Return a rotation ``[..., 3, 3]`` whose local axis 1 points along ``direction [..., 3]`` (any length).

    The other two axes are an arbitrary but fixed choice (for laws with an axis of symmetry they do not matter), never
    ill-conditioned, and the unit for direction x. Source: Duff et al. 2017, Journal of Computer Graphics Techniques 6.

    Raises:
        InputError: a direction of zero length, or not finite.
    """
    unit = _normalised(direction, "direction", 3)
    z, x, y = unit.unbind(-1)  # the roles of the paper, so that direction x gives the unit rotation
    sign = torch.where(z < 0.0, -torch.ones_like(z), torch.ones_like(z))
    a = -1.0 / (sign + z)
    b = x * y * a
    second = torch.stack([-sign * x, 1.0 + sign * x * x * a, sign * b], -1)
    third = torch.stack([-y, b, sign + y * y * a], -1)
    return torch.stack([unit, second, third], -1)


def rotation_from_angles(angles: Tensor) -> Tensor:
    """Return the rotation ``[..., 3, 3]`` of Bunge's Euler angles phi1, Phi, phi2 ``[..., 3]`` in radians.

    The local axes follow from those of the grid by a turn phi1 about z, Phi about the new x, phi2 about the new z:
    ``R = Rz(phi1) Rx(Phi) Rz(phi2)``, the transpose of Bunge's passive matrix g. Source: Bunge 1982, Texture Analysis
    in Materials Science.

    Raises:
        ShapeError: the last axis is not three.
    """
    if angles.shape[-1:] != (3,):
        raise ShapeError(
            f"The Euler angles have the shape {tuple(angles.shape)}; it must be (..., 3): phi1, Phi, phi2."
        )
    (c1, c, c2), (s1, s, s2) = angles.cos().unbind(-1), angles.sin().unbind(-1)
    rows = [
        [c1 * c2 - s1 * c * s2, -c1 * s2 - s1 * c * c2, s1 * s],
        [s1 * c2 + c1 * c * s2, -s1 * s2 + c1 * c * c2, -c1 * s],
        [s * s2, s * c2, c],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def rotation_from_quaternion(quaternion: Tensor) -> Tensor:
    """Return the rotation ``[..., 3, 3]`` of quaternions w, x, y, z ``[..., 4]`` of any length.

    It is the active rotation that takes the axes of the grid to the local axes.

    Raises:
        InputError: a quaternion of zero length, or not finite.
    """
    w, x, y, z = _normalised(quaternion, "quaternion", 4).unbind(-1)
    rows = [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def _normalised(vector: Tensor, what: str, size: int) -> Tensor:
    if vector.shape[-1:] != (size,):
        raise ShapeError(f"The {what} has the shape {tuple(vector.shape)}; its last axis must be {size}.")
    largest = vector.detach().abs().amax(-1, keepdim=True)
    if not bool((torch.isfinite(largest) & (largest > 0.0)).all()):
        raise InputError(f"A {what} is zero or not finite; each must have a length, whatever it is.")
    scaled = vector / largest  # so that no square overflows
    unit: Tensor = scaled / scaled.norm(dim=-1, keepdim=True)
    return unit


def _turn(turned: Oriented | OrientedHistory, measure: Tensor) -> Tensor:
    return rotation_of_measures(turned.rotation.to(measure), turned.kinematics)


def _turned(turn: Tensor, local: Tensor) -> Tensor:
    """Return ``turn @ local @ turn.T``."""
    return product(product(turn, local), turn.mT)
