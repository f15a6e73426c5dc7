"""Whether the volumes of deformed voxels add up to that of the deformed cell, at finite strain."""

from __future__ import annotations

import torch
from torch import Tensor

from scalebridge.micro.rve.control import Load

# The mean of det F is det of the mean F for every compatible field. Sound answers of the reduced schemes are within
# some 1e-3 of it; hourglassing under deep compression, which stresses nothing, is off by tens of per cent.
LARGEST_GAP = 0.01


def volume_doubts(measure: Tensor, macro: Tensor) -> list[str]:
    """Return per row why ``measure [b, Q, g, *grid]``, F of mean ``macro [b, g]``, is no answer; empty where it is."""
    local, whole = _determinant(measure.movedim(2, -1)).flatten(1), _determinant(macro)
    gap = local.mean(1, dtype=torch.float64) / whole - 1.0
    return [_doubt(j, smallest, g) for j, smallest, g in zip(*map(_floats, (whole, local.amin(1), gap)), strict=True)]


def turned_out(load: Load) -> str:
    """Return why no F answers a load of one row: it prescribes one that turns the cell inside out; else empty."""
    if load.mixed:
        return ""
    whole = float(_determinant(load.measure)[0])
    return "" if whole > 0.0 else _doubt(whole, 1.0, 0.0)


def _doubt(whole: float, smallest: float, gap: float) -> str:
    if not whole > 0.0:
        return f"the mean deformation gradient turns the cell inside out (its determinant is {whole:.3g})"
    if not smallest > 0.0:
        return f"a voxel is turned inside out (the determinant of its deformation gradient is {smallest:.3g})"
    if not abs(gap) <= LARGEST_GAP:
        return (
            f"the volumes of the voxels do not add up to that of the cell (off by {abs(gap):.1%}): reduced integration "
            "hourglasses; use discretisation='hexahedra'"
        )
    return ""


def _determinant(flat: Tensor) -> Tensor:
    """Determinant ``[...]`` of ``flat [..., 4 or 9]``, rows first."""
    if flat.shape[-1] == 4:
        return flat[..., 0] * flat[..., 3] - flat[..., 1] * flat[..., 2]
    a, b, c, d, e, f, g, h, i = flat.unbind(-1)
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def _floats(values: Tensor) -> list[float]:
    found: list[float] = values.tolist()
    return found
