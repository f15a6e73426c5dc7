"""The tangent of a composite as it is stored: one per label where all laws are linear, else one per point."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def triangle(g: int) -> tuple[tuple[int, int], ...]:
    """Return the entries of a symmetric ``g x g`` tangent in the order of storage: diagonal, then upper rows."""
    upper = [(i, j) for i in range(g) for j in range(i + 1, g)]
    return (*((i, i) for i in range(g)), *upper)


@dataclass(frozen=True)
class LabelModuli:
    """One tangent per label.

    Args:
        labels: ``[*grid]``, or ``[b, *grid]`` where every row has its own image; uint8 or int32, an index into
            ``table`` per voxel.
        table: ``[p, T]``, entries in the order of `triangle`, Mandel components for a strain.
        lame: ``[p, 2]``, Lamé's constants lambda and mu where every tangent is isotropic (of a conductivity: zero and
            half of it), else ``None``.
        dim: directions of the grid.
    """

    labels: Tensor
    table: Tensor
    lame: Tensor | None = None
    dim: int = 3


@dataclass(frozen=True)
class PointModuli:
    """One tangent per point.

    Args:
        field: ``[b, Q, T, *grid]``, entries in the order of `triangle`; b or Q may be 1, for all rows or points.
    """

    field: Tensor


Moduli = LabelModuli | PointModuli


def folded(full: Tensor) -> Tensor:
    """Return the stored entries ``[..., T]`` of tangents ``[..., g, g]``."""
    g = full.shape[-1]
    return torch.stack([full[..., i, j] for i, j in triangle(g)], -1)


def unfolded(entries: Tensor, g: int) -> Tensor:
    """Return tangents ``[..., g, g]`` from stored entries ``[..., T]``."""
    full = entries.new_zeros((*entries.shape[:-1], g, g))
    for slot, (i, j) in enumerate(triangle(g)):
        full[..., i, j] = entries[..., slot]
        full[..., j, i] = entries[..., slot]
    return full
