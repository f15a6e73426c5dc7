"""The tangent of a composite times a strain field, in plain torch."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from scalebridge.micro.rve.moduli import LabelModuli, Moduli, PointModuli, triangle


class Contraction(Protocol):
    """A tangent, ready to be applied."""

    def times(self, strain: Tensor, out: Tensor) -> Tensor:
        """Write the tangent times ``strain [b, Q, g, *grid]`` to ``out``, which must be another tensor."""


class IsotropicContraction:
    """Isotropic elasticity per voxel, or a conductivity where there is no trace to take.

    Args:
        lam: ``[b or 1, 1, *grid]``.
        mu: the same shape.
        normal: leading components of a strain that make its trace; 0 for a conductivity ``2 mu``.
    """

    def __init__(self, lam: Tensor, mu: Tensor, normal: int) -> None:
        self._lam, self._double, self._normal = lam, (2.0 * mu)[:, :, None], normal
        self._trace = torch.empty(0)

    def times(self, strain: Tensor, out: Tensor) -> Tensor:
        """Write lambda tr(e) 1 + 2 mu e to ``out``."""
        torch.mul(strain, self._double, out=out)
        if self._normal:
            if self._trace.shape != strain[:, :, 0].shape:
                self._trace = torch.empty_like(strain[:, :, 0])
            trace = torch.sum(strain[:, :, : self._normal], 2, out=self._trace)
            trace *= self._lam
            out[:, :, : self._normal] += trace[:, :, None]
        return out


class FullContraction:
    """A symmetric tangent per point, ``field [b or 1, Q or 1, T, *grid]`` in the order of `triangle`."""

    def __init__(self, field: Tensor, g: int) -> None:
        self._field, self._pairs, self._g = field, triangle(g), g

    def times(self, strain: Tensor, out: Tensor) -> Tensor:
        """Write the tangent times ``strain`` to ``out``."""
        torch.mul(self._field[:, :, : self._g], strain, out=out)
        for slot, (i, j) in enumerate(self._pairs[self._g :], start=self._g):
            entry = self._field[:, :, slot]
            out[:, :, i].addcmul_(entry, strain[:, :, j])
            out[:, :, j].addcmul_(entry, strain[:, :, i])
        return out


def contraction(moduli: Moduli, g: int, normal: int, dtype: torch.dtype) -> Contraction:
    """Return the way to apply ``moduli``; ``normal`` as in `IsotropicContraction`."""
    if isinstance(moduli, PointModuli):
        return FullContraction(moduli.field.to(dtype), g)
    labels = moduli.labels.long()
    if moduli.lame is not None:
        lame = moduli.lame.to(dtype)
        lam, mu = lame[labels, 0], lame[labels, 1]
        return IsotropicContraction(_row(lam, moduli), _row(mu, moduli), normal)
    # Components before voxels, contiguous: the order in which fields are stored.
    field = torch.stack([column[labels] for column in moduli.table.to(dtype).unbind(1)], -moduli.dim - 1)
    return FullContraction(field[None, None] if field.ndim == moduli.dim + 1 else field[:, None], g)


def _row(values: Tensor, moduli: LabelModuli) -> Tensor:
    """``[b or 1, 1, *grid]`` from values ``[*grid]`` or ``[b, *grid]``."""
    return values[None, None] if values.ndim == moduli.dim else values[:, None]
