"""What the laws of finite strain need of a deformation gradient, without losing digits where it is close to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scalebridge.micro.rve.phases.algebra import block

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Deformation:
    """A deformation gradient F taken apart.

    Args:
        gradient: displacement gradient H = F - 1, ``[..., 3, 3]``.
        excess: det F - 1, ``[...]``, from H and so exact where F is close to 1.
        inverse: inverse transpose of F, ``[..., 3, 3]``.
    """

    gradient: Tensor
    excess: Tensor
    inverse: Tensor

    @property
    def log_volume(self) -> Tensor:
        """ln det F ``[...]``; minus infinity or NaN where the material is turned inside out."""
        return self.excess.log1p()


def deformation(measure: Tensor) -> Deformation:
    """Take a deformation gradient ``[..., 9]``, rows first, apart."""
    import torch

    full = measure.unflatten(-1, (3, 3))
    rows = full.unbind(-2)
    cofactor = torch.stack([torch.linalg.cross(rows[i - 2], rows[i - 1]) for i in range(3)], -2)
    # F - 1 is exact in floating point for F in [1/2, 2].
    h = full - measure.new_ones(3).diag()
    (a, b, c), (d, e, f), (g, k, m) = ([h[..., i, j] for j in range(3)] for i in range(3))
    minors = (a * e - b * d) + (a * m - c * g) + (e * m - f * k)
    determinant = a * (e * m - f * k) - b * (d * m - f * g) + c * (d * k - e * g)
    excess = (a + e + m) + (minors + determinant)
    return Deformation(h, excess, cofactor / (1.0 + excess)[..., None, None])


def neo_hooke_energy(d: Deformation, mu: Any, lam: Any) -> Tensor:
    """``mu/2 (I1 - 3 - 2 ln J) + lam/2 (ln J)^2``, ``[...]``; NaN or infinite where J <= 0."""
    log = d.log_volume
    # I1 - 3 = 2 tr H + H:H, and tr H is most of J - 1: what is of first order is taken off by hand.
    first = d.gradient.diagonal(dim1=-2, dim2=-1).sum(-1)
    shape = (d.gradient * d.gradient).sum((-2, -1)) - 2.0 * ((d.excess - first) + (log - d.excess))
    energy: Tensor = 0.5 * mu * shape + 0.5 * lam * log * log
    return energy


def neo_hooke_stress(d: Deformation, mu: Any, lam: Any) -> Tensor:
    """``(mu (F F^T - 1) + lam ln J) F^-T``, ``[..., 3, 3]``."""
    h = d.gradient
    strain = h + h.mT + h @ h.mT
    stress: Tensor = block(mu) * (strain @ d.inverse) + block(lam * d.log_volume) * d.inverse
    return stress


def neo_hooke_tangent(d: Deformation, mu: Any, lam: Any) -> Tensor:
    """Derivative of `neo_hooke_stress` by F, ``[..., 9, 9]``."""
    t = d.inverse
    flat = t.flatten(-2)
    # Indices i, J, k, L: F^-T_iL F^-T_kJ.
    crossed = (t[..., :, None, None, :] * t.mT[..., None, :, :, None]).flatten(-4, -3).flatten(-2)
    outer = flat[..., :, None] * flat[..., None, :]
    tangent: Tensor = (
        block(mu - lam * d.log_volume) * crossed + block(lam) * outer + block(mu) * flat.new_ones(9).diag()
    )
    return tangent


def along_fibre(measure: Tensor) -> tuple[Tensor, Tensor]:
    """Return F a ``[..., 3]`` and |F a|^2 - 1 ``[...]`` for the material direction a = axis 1."""
    stretched = measure[..., 0::3]
    h = measure[..., 0] - 1.0
    excess = h * (2.0 + h) + measure[..., 3] ** 2 + measure[..., 6] ** 2
    return stretched, excess
