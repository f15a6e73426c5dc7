"""From an image and its materials to the composite that the solver takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scalebridge.errors import InputError
from scalebridge.micro.rve.composite import ISOTROPY, Composite, Part
from scalebridge.micro.rve.driving import driven, driven_law
from scalebridge.micro.rve.grid import Grid
from scalebridge.micro.rve.image import kind_of
from scalebridge.micro.rve.kinematics import Kinematics
from scalebridge.micro.rve.phases.phase import HistoryPhase
from scalebridge.micro.rve.phases.phase import Kinematics as Kind
from scalebridge.micro.rve.phases.rigid import Rigid
from scalebridge.micro.rve.phases.void import Void
from scalebridge.micro.rve.voxels.laminate import Laminate, LaminateHistory
from scalebridge.micro.rve.voxels.oriented import oriented, rotation_from_direction
from scalebridge.micro.rve.voxels.plane import PlaneConduction, plane_strain, plane_stress
from scalebridge.microstructure.subvoxel import SubVoxels
from scalebridge.quantities import Floats

Plane = Literal["strain", "stress", "generalised"]


def assemble(
    voxels: SubVoxels,
    materials: Sequence[Any],
    grid: Grid,
    plane: Plane,
    orientation: Floats | Tensor | None,
    device: torch.device,
    dtype: torch.dtype,
    unit: float = 1.0,
) -> Composite:
    """Return the composite of an image.

    Args:
        voxels: labels, and what the mixed voxels hold; of the shape of ``grid``.
        materials: one law per label.
        grid: the voxels.
        plane: how a two-dimensional image is kept plane.
        orientation: ``[*grid, 3]`` or ``[*grid, 3, 3]``, of the local axes.
        device: where the fields live.
        dtype: of the fields.
        unit: of the grid's spacing in m, in which the lengths of laws are taken; 1 where they are in voxels.
    """
    kind, materials = kind_of(materials), [driven(law, unit) for law in materials]
    laws = [_deformable(law, materials) for law in materials]
    turned = _Turned(orientation, grid.dim, device)
    parts = []
    for index, law in _groups(voxels, laws, turned, device):
        parts.append(Part(law if grid.dim == 3 else _flat(law, kind, plane), index))
    return Composite(grid, Kinematics(kind, grid.dim), parts, device, dtype)


def _flat(law: Any, kind: Kind, plane: Plane) -> Any:
    """Return a law of space in the plane of the grid."""
    if kind == "conduction":
        return PlaneConduction(law)
    return plane_strain(law) if plane == "strain" else plane_stress(law)


def _groups(voxels: SubVoxels, laws: Sequence[Any], turned: _Turned, device: torch.device) -> list[tuple[Tensor, Any]]:
    """Return flat indices and the law of each group of voxels: one per label, one per pair of labels."""
    labels = np.asarray(voxels.labels).ravel()
    pure = np.ones(labels.size, dtype=bool)
    pure[voxels.index] = False
    groups = []
    for k, law in enumerate(laws):
        found = torch.as_tensor(np.flatnonzero(pure & (labels == k)), device=device)
        groups.append((found, turned.law(law, found)))
    for first, second, chosen in voxels.pairs():
        found = torch.as_tensor(voxels.index[chosen], device=device)
        pair = (turned.law(laws[first], found), turned.law(laws[second], found))
        groups.append((found, _laminate(pair, voxels.fraction[chosen], voxels.normal[chosen], device)))
    return groups


def _laminate(pair: tuple[Any, Any], fraction: Floats, normal: Floats, device: torch.device) -> Any:
    if any(driven_law(law) for law in pair):
        raise InputError(
            f"A composite voxel of the RVE holds '{pair[0].name}' and '{pair[1].name}', one of which is driven by an "
            "average over a length and cannot share a voxel; give plain labels."
        )
    space = np.zeros((len(normal), 3))
    space[:, : normal.shape[1]] = normal
    f, n = torch.as_tensor(fraction, device=device), torch.as_tensor(space, device=device)
    made = LaminateHistory if any(isinstance(law, HistoryPhase) for law in pair) else Laminate
    # Beside a void nothing crosses the interface: in series the voxel would be void too.
    return made(*pair, f, n, parallel=any(isinstance(law, Void) for law in pair))


def _deformable(law: Any, materials: Sequence[Any]) -> Any:
    """Return the law, or the stiff one that stands for a rigid phase."""
    if not isinstance(law, Rigid):
        return law
    kind: Kind = kind_of(materials)
    kin = Kinematics(kind, 3)
    rest = torch.tensor(kin.rest, dtype=torch.float64)[None]
    moduli = []
    for other in materials:
        if not isinstance(other, Rigid):
            lam, mu = kin.isotropic_part(_tangent(other, rest))
            moduli.append((lam + 2.0 * mu / 3.0, mu))
    return law.backing(max(k for k, _ in moduli), max(mu for _, mu in moduli))


def _tangent(law: Any, rest: Tensor) -> Tensor:
    if isinstance(law, HistoryPhase):
        state = torch.tensor(law.state0(), dtype=torch.float64)[None]
        return law.advance(rest, state, 0.0).tangent[0]
    tangent: Tensor = law.tangent(rest)
    return tangent[0]


class _Turned:
    """Laws in the local axes of their voxels.

    Args:
        orientation: ``[*grid, 3]``, ``[*grid, 3, 3]`` or ``None``.
        dim: directions of the grid.
        device: where the rotations live.
    """

    def __init__(self, orientation: Floats | Tensor | None, dim: int, device: torch.device) -> None:
        self._axes: Tensor | None = None
        if orientation is not None:
            given = torch.as_tensor(orientation, device=device)
            matrix = given.ndim == dim + 2
            self._axes = given.reshape(-1, 3, 3) if matrix else rotation_from_direction(given.reshape(-1, 3))

    def law(self, law: Any, index: Tensor) -> Any:
        """Return the law as the voxels ``index [m]`` hold it."""
        if self._axes is None or _isotropic(law):
            return law
        return oriented(law, self._axes[index])


def _isotropic(law: Any) -> bool:
    """Whether a linear law is the same in all directions, so that turning it is for nothing."""
    if not getattr(law, "linear", False):
        return False
    kin = Kinematics(law.kinematics, 3)
    full = _tangent(law, torch.tensor(kin.rest, dtype=torch.float64)[None])
    gap = (full - kin.isotropic_tangent(*kin.isotropic_part(full), full)).abs().max()
    return bool(gap <= ISOTROPY * full.abs().max())


def labels_only(labels: NDArray[np.int64]) -> SubVoxels:
    """Return an image without mixed voxels."""
    none = np.zeros(0, dtype=np.int64)
    return SubVoxels(labels, none, none, none, np.zeros(0), np.zeros((0, labels.ndim)))
