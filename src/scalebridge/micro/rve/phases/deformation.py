"""What the laws of finite strain need of a deformation gradient, without losing digits where it is close to 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

Rows = tuple[tuple["Tensor", "Tensor", "Tensor"], ...]


@dataclass(frozen=True)
class Deformation:
    """A deformation gradient F taken apart into components ``[...]``: whole 3 x 3 products are many times slower.

    Args:
        gradient: rows of the displacement gradient H = F - 1.
        excess: det F - 1, from H and so exact where F is close to 1.
        inverse: rows of the inverse transpose of F.
    """

    gradient: Rows
    excess: Tensor
    inverse: Rows

    @property
    def log_volume(self) -> Tensor:
        """ln det F ``[...]``; minus infinity or NaN where the material is turned inside out."""
        return self.excess.log1p()


def deformation(measure: Tensor) -> Deformation:
    """Take a deformation gradient ``[..., 9]``, rows first, apart."""
    f = measure.unbind(-1)
    # F - 1 is exact in floating point for F in [1/2, 2].
    h = [value - 1.0 if k in (0, 4, 8) else value for k, value in enumerate(f)]
    a, b, c, d, e, g, k, m, n = h
    minors = (a * e - b * d) + (a * n - c * k) + (e * n - g * m)
    determinant = a * (e * n - g * m) - b * (d * n - g * k) + c * (d * m - e * k)
    excess = (a + e + n) + (minors + determinant)
    scale = 1.0 / (1.0 + excess)

    def cofactor(i: int, j: int) -> Tensor:
        i1, i2, j1, j2 = (i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3
        return (f[3 * i1 + j1] * f[3 * i2 + j2] - f[3 * i1 + j2] * f[3 * i2 + j1]) * scale

    inverse = tuple((cofactor(i, 0), cofactor(i, 1), cofactor(i, 2)) for i in range(3))
    return Deformation(((a, b, c), (d, e, g), (k, m, n)), excess, inverse)


def neo_hooke_energy(d: Deformation, mu: Any, lam: Any) -> Tensor:
    """``mu/2 (I1 - 3 - 2 ln J) + lam/2 (ln J)^2``, ``[...]``; NaN or infinite where J <= 0."""
    log, h = d.log_volume, d.gradient
    square = sum(value * value for row in h for value in row)
    # I1 - 3 = 2 tr H + H:H, and tr H is most of J - 1: what is of first order is taken off by hand.
    shape = square - 2.0 * ((d.excess - (h[0][0] + h[1][1] + h[2][2])) + (log - d.excess))
    energy: Tensor = 0.5 * mu * shape + 0.5 * lam * log * log
    return energy


def neo_hooke_stress(d: Deformation, mu: Any, lam: Any) -> list[Tensor]:
    """Nine components ``[...]``, rows first, of ``(mu (F F^T - 1) + lam ln J) F^-T``."""
    h, t = d.gradient, d.inverse
    volume = lam * d.log_volume
    kirchhoff = {}
    for i in range(3):
        for j in range(i, 3):
            strain = h[i][j] + h[j][i] + (h[i][0] * h[j][0] + h[i][1] * h[j][1] + h[i][2] * h[j][2])
            kirchhoff[i, j] = kirchhoff[j, i] = mu * strain + volume if i == j else mu * strain
    pairs = [(i, j) for i in range(3) for j in range(3)]
    return [kirchhoff[i, 0] * t[0][j] + kirchhoff[i, 1] * t[1][j] + kirchhoff[i, 2] * t[2][j] for i, j in pairs]


def neo_hooke_entry(d: Deformation, mu: Any, lam: Any) -> Callable[[int, int], Tensor]:
    """Entries of the derivative of `neo_hooke_stress` by F, row and column in 0 ... 8, for `filled`."""
    t, bent = d.inverse, mu - lam * d.log_volume

    def entry(row: int, column: int) -> Tensor:
        (i, j), (k, m) = divmod(row, 3), divmod(column, 3)
        value: Tensor = lam * t[i][j] * t[k][m] + bent * t[i][m] * t[k][j]
        return value + mu if row == column else value

    return entry


def along_fibre(d: Deformation) -> Tensor:
    """|F a|^2 - 1 ``[...]`` for the material direction a = axis 1."""
    h = d.gradient
    return h[0][0] * (2.0 + h[0][0]) + h[1][0] ** 2 + h[2][0] ** 2
