"""Thermal expansion of a composite of linear laws: Levin's theorem on the computed strain concentration.

At zero strain a rise of one kelvin stresses each law by ``-t``, ``t = C alpha``; the composite by ``-beta`` with
``beta = <A^T t>`` and the strain concentration ``A``, and its free strain is ``C_eff^-1 beta``.
Source: V. M. Levin, Mechanics of Solids 2 (1967) 58-61.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from scalebridge.errors import InputError
from scalebridge.micro.rve.cg import Vector
from scalebridge.micro.rve.phases.linear import applied, product
from scalebridge.micro.rve.voxels.condensation import OUT, PLANE, block, inverse, picked
from scalebridge.micro.rve.voxels.laminate import Laminate
from scalebridge.micro.rve.voxels.oriented import Oriented, rotation_of_measures
from scalebridge.micro.rve.voxels.plane import PlaneStrain, PlaneStress

if TYPE_CHECKING:
    from scalebridge.micro.rve.composite import Composite
    from scalebridge.micro.rve.equilibrium import Equilibrium


def thermal_stress(law: Any, like: Tensor) -> Tensor:
    """Stress ``[g]`` or ``[m, g]`` in Pa/K that keeps a law from expanding, ``C alpha``; gradients flow.

    In plane strain the strain normal to the plane is blocked too; in plane stress that stress is zero.

    Args:
        law: linear, also turned, in a plane or a laminate of two.
        like: for dtype and device.

    Raises:
        InputError: a law without thermal expansion.
    """
    if isinstance(law, Laminate):
        return _of_laminate(law, like)
    if isinstance(law, Oriented):
        turn = rotation_of_measures(law.rotation.to(like), "small strain")
        return applied(turn, thermal_stress(law.law, like))
    if isinstance(law, PlaneStrain):
        return picked(thermal_stress(law.law, like), PLANE)
    if isinstance(law, PlaneStress):
        return _freed(thermal_stress(law.law, like), law.law.tangent(like.new_zeros(1, 6)))
    return applied(law.stiffness(like.new_zeros(1, 6)), _expansion_strain(law, like))


def thermal_field(composite: Composite) -> Tensor:
    """Thermal stress ``[1, 1, g, *grid]`` in Pa/K of every voxel.

    Raises:
        InputError: a law without thermal expansion.
    """
    g, grid = composite.kinematics.size, composite.grid
    like = torch.zeros((), dtype=torch.float64, device=composite.device)
    field = torch.zeros((g, grid.voxels), dtype=composite.dtype, device=composite.device)
    for part in composite.parts:
        stress = thermal_stress(part.law, like)
        field[:, part.index] = stress.reshape(-1, g).mT.to(field.dtype)
    return field.view(1, 1, g, *grid.shape)


class ThermalResponse:
    """Answer of a composite to one kelvin at zero mean strain.

    Args:
        equilibrium: one row, whose tangent has been taken.
        thermal: ``[1, 1, g, *grid]``, of `thermal_field`.
    """

    def __init__(self, equilibrium: Equilibrium, thermal: Tensor) -> None:
        self._eq, kin, grid = equilibrium, equilibrium.kinematics, equilibrium.composite.grid
        self._thermal = thermal.expand(1, equilibrium.points, *thermal.shape[2:])
        self._flux = thermal.new_zeros((1, equilibrium.points, kin.unknowns, grid.dim, *grid.shape))

    def solve(self, start: Tensor, tolerance: float) -> tuple[Tensor, int, bool]:
        """Return the fluctuation ``[1, c, *grid]`` per kelvin, iterations, and whether they converged."""
        eq = self._eq
        x = Vector(start.clone(), torch.zeros_like(eq.force.macro))
        eq.apply(x, eq.force)
        eq.force.field.neg_().add_(self._divergence(self._thermal))
        eq.force.macro.zero_()
        outcome = eq.solve_step(x, tolerance * eq.reference.stress_norm(self._thermal))
        return x.field, int(outcome.iterations[0]), bool(outcome.converged.all())

    def mean(self, fluctuation: Tensor, unit: Tensor) -> Tensor:
        """Return ``<(e_i + B u_i) . (t - C B u_T)>`` ``[g]``: its error is the product of those of both fields.

        Args:
            fluctuation: ``[1, c, *grid]``, u_T.
            unit: ``[1, g, c, *grid]``, u_i.
        """
        eq = self._eq
        eq.apply(Vector(fluctuation, torch.zeros_like(eq.force.macro)), eq.force)
        left = self._thermal - eq.stress
        return (eq.mean(left) + eq.work(self._divergence(left), unit))[0]

    def _divergence(self, stress: Tensor) -> Tensor:
        eq = self._eq
        out = torch.zeros_like(eq.force.field)
        return eq.discrete.divergence(eq.kinematics.flux(stress, self._flux), out)


def _of_laminate(law: Laminate, like: Tensor) -> Tensor:
    """Levin's theorem in a voxel: its strains are uniform in each phase, so it is exact."""
    unit = torch.eye(6, dtype=like.dtype, device=like.device)[:, None].expand(-1, len(law.fraction), -1)
    parts, f = law.parts(unit), law.fraction.to(like)
    stresses = [
        (e * thermal_stress(inner, like)).sum(-1) for e, inner in zip(parts, (law.first, law.second), strict=True)
    ]
    return ((1.0 - f) * stresses[0] + f * stresses[1]).mT


def _freed(stress: Tensor, tangent: Tensor) -> Tensor:
    """In-plane thermal stress ``[..., 3]`` where every stress out of the plane is zero."""
    gain = product(block(tangent, PLANE, OUT), inverse(block(tangent, OUT)))
    return picked(stress, PLANE) - applied(gain, picked(stress, OUT))


def _expansion_strain(law: Any, like: Tensor) -> Tensor:
    strain = getattr(law, "expansion_strain", None)
    if strain is None:
        raise InputError(
            f"The law '{law.name}' has no thermal expansion; linear elastic laws have one, such as "
            "Elastic(E, nu, expansion='3e-6 1/K')."
        )
    return strain.to(like) if isinstance(strain, Tensor) else like.new_tensor(strain)
