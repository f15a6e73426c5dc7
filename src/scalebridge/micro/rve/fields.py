"""Full fields of a solved RVE, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scalebridge.micro.rve.image import kind_of
from scalebridge.micro.rve.kinematics import SHEARS
from scalebridge.micro.rve.response import LocalFields
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.micro.rve.homogenise import Fields
    from scalebridge.micro.rve.model import RVE


def local_fields(rve: RVE, found: Fields) -> LocalFields:
    """Return the fields of one row: means over the points of a voxel, displacements in the unit of length."""
    flat = rve.plane == "generalised" and rve.phases.ndim == 2
    phases = rve.phases[None] if flat else rve.phases
    size = rve.voxel_size or (1.0,) * rve.phases.ndim
    spacing = (size[-1], *size) if flat else tuple(size)
    kind = kind_of(rve.materials)
    axial = None if found.axial_stress is None else found.axial_stress.double().mean(0).cpu().numpy()
    macro: Floats = found.macro.cpu().numpy()
    gradient = macro_gradient(macro, kind, phases.ndim)
    return LocalFields(
        macro,
        found.measure.double().mean(0).cpu().numpy(),
        found.stress.double().mean(0).cpu().numpy(),
        axial,
        _total(gradient, found.fluctuation.double().cpu().numpy() * size[-1], spacing),
        phases,
        spacing,
        "voxel" if rve.voxel_size is None else "m",
        kind,
        found.reason,
    )


def macro_gradient(macro: Floats, kind: str, dim: int) -> Floats:
    """Return the gradient ``[c, d]`` of the macroscopic displacement (temperature) of a measure ``[g]``."""
    if kind == "conduction":
        return macro[None]
    if kind == "finite strain":
        found: Floats = macro.reshape(dim, dim) - np.eye(dim)
        return found
    gradient = np.diag(macro[:dim])
    for slot, (i, j) in enumerate(SHEARS[dim], start=dim):
        gradient[i, j] = gradient[j, i] = macro[slot] / np.sqrt(2.0)
    return gradient


def _total(gradient: Floats, fluctuation: Floats, spacing: tuple[float, ...]) -> Floats:
    """Displacement at the corners ``[c, *(grid + 1)]``: macroscopic part plus periodic fluctuation."""
    dim = fluctuation.ndim - 1
    total = np.pad(fluctuation, [(0, 0), *([(0, 1)] * dim)], mode="wrap")
    for direction in range(dim):
        axis = dim - 1 - direction
        along = np.arange(total.shape[1 + axis]) * spacing[axis]
        along = along.reshape([-1 if k == axis else 1 for k in range(dim)])
        for component in range(len(total)):
            total[component] += gradient[component, direction] * along
    return total
