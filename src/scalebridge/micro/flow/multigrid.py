"""One multigrid cycle for a symmetric M-matrix on voxels: plain aggregation, SciPy only.

Unknowns of a block of two voxels each way that are linked inside it make one coarse unknown, so that two pores
on either side of a thin wall are never mixed. Coarse matrices are Galerkin products divided by a factor that
makes up for the stiffness of piecewise constants (Braess, Computing 55, 379, 1995); W-cycles below the finest
level; Chebyshev smoothing between the upper bound of Gershgorin and a quarter of it. The cycle is a symmetric,
positive definite operator, as conjugate gradients and MINRES need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

_OVERCORRECTION = 1.7
_SMOOTHED_FROM = 0.25
_DENSE = 500
# Of the terms that a diagonal is the sum of.
_ROUNDING = 1e-13
# Below these levels the coarse problems are so small that visiting them twice each costs more than it helps.
_DOUBLED_LEVELS = 6


@dataclass(frozen=True)
class _Level:
    matrix: Any
    inverse_diagonal: NDArray[Any]
    largest: float
    coarse: NDArray[np.int32]
    restriction: Any

    def smooth(self, b: NDArray[Any], x: NDArray[Any] | None) -> NDArray[Any]:
        """Two steps of Chebyshev iteration from ``x``, or from zero."""
        high, low = self.largest, _SMOOTHED_FROM * self.largest
        centre, half = (high + low) / 2, (high - low) / 2
        residual = b if x is None else b - self.matrix @ x
        step = residual * self.inverse_diagonal
        step *= 1.0 / centre
        residual = residual - self.matrix @ step
        ratio = half / centre
        following = 1.0 / (2.0 / ratio - ratio)
        residual *= self.inverse_diagonal
        residual *= 2.0 * following / half
        residual += (1.0 + following * ratio) * step
        smoothed: NDArray[Any] = residual if x is None else np.add(x, residual, out=x)
        return smoothed

    def correct(self, x: NDArray[Any], b: NDArray[Any], below: Any) -> NDArray[Any]:
        """Add the coarse correction that ``below`` finds for the residual."""
        found = below(self.restriction @ (b - self.matrix @ x))
        # Unknowns without a coarse one hold the last entry, which stays zero.
        x += np.append(found, found.dtype.type(0))[self.coarse]
        return x


class Cycle:
    """An approximate inverse of ``matrix``, which may be singular with constants in its kernel.

    Args:
        matrix: ``[n, n]``, symmetric, off-diagonal entries not positive, rows that sum to zero or more.
        places: integer coordinates ``[n, dim]`` of the unknowns.
        dtype: of the arithmetic; float32 halves the memory.
    """

    def __init__(self, matrix: Any, places: NDArray[np.int32], dtype: Any = np.float64) -> None:
        self._dtype = np.dtype(dtype)
        self._levels: list[_Level] = []
        magnitude = matrix.diagonal()
        while matrix.shape[0] > _DENSE:
            # Ends: once a single block holds the whole grid, every piece is one unknown, linked to nothing.
            level, places, matrix = _coarsen(matrix, places, magnitude, self._dtype)
            magnitude = level.restriction @ magnitude / _OVERCORRECTION
            self._levels.append(level)
        self._coarsest = _pseudo_inverse(matrix, magnitude).astype(self._dtype)

    def __call__(self, b: NDArray[Any]) -> NDArray[Any]:
        """Apply to ``b [n]``; result of the same precision as ``b``."""
        return self._cycle(b.astype(self._dtype), 0).astype(b.dtype)

    @property
    def bytes(self) -> int:
        """Memory held."""
        held = self._coarsest.nbytes
        for level in self._levels:
            held += level.inverse_diagonal.nbytes + level.coarse.nbytes
            for m in (level.matrix, level.restriction):
                held += m.data.nbytes + m.indices.nbytes + m.indptr.nbytes
        return int(held)

    def _cycle(self, b: NDArray[Any], depth: int) -> NDArray[Any]:
        if depth == len(self._levels):
            found: NDArray[Any] = self._coarsest @ b
            return found
        level = self._levels[depth]

        def below(r: NDArray[Any]) -> NDArray[Any]:
            return self._cycle(r, depth + 1)

        x = level.smooth(b, None)
        for _ in range(2 if 0 < depth < _DOUBLED_LEVELS else 1):
            x = level.smooth(b, level.correct(x, b, below))
        return x


def _coarsen(
    matrix: Any, places: NDArray[np.int32], magnitude: NDArray[Any], dtype: Any
) -> tuple[_Level, NDArray[np.int32], Any]:
    n = matrix.shape[0]
    diagonal = matrix.diagonal()
    # A diagonal that cancelled to rounding belongs to a pore whose pressure is free: leave it at zero.
    sound = diagonal > _ROUNDING * magnitude
    inverse = np.where(sound, 1.0 / np.where(sound, diagonal, 1.0), 0.0)
    largest = float((np.asarray(abs(matrix).sum(axis=1)).ravel() * inverse).max()) or 1.0
    blocks = places // 2
    count, coarse = _aggregates(matrix, blocks)
    kept = np.flatnonzero(coarse < count)
    ones = (np.ones(len(kept)), (coarse[kept], kept))
    restriction = sparse.csr_matrix(ones, shape=(count, n))
    coarser = (restriction @ (matrix @ restriction.T.tocsr())).tocsr()
    coarser.data /= _OVERCORRECTION
    coarse_places = np.zeros((count, places.shape[1]), dtype=np.int32)
    coarse_places[coarse[kept]] = blocks[kept]
    level = _Level(matrix.astype(dtype), inverse.astype(dtype), largest, coarse, restriction.astype(dtype))
    return level, coarse_places, coarser


def _aggregates(matrix: Any, blocks: NDArray[np.int32]) -> tuple[int, NDArray[np.int32]]:
    """Number of aggregates and the aggregate of each unknown; ``count`` for those linked to nothing."""
    n = matrix.shape[0]
    extent = blocks.max(axis=0).astype(np.int64) + 1
    block = np.ravel_multi_index(tuple(blocks.T.astype(np.int64)), tuple(extent))
    row = np.repeat(np.arange(n, dtype=np.int32), np.diff(matrix.indptr))
    column = matrix.indices
    off = row != column
    lone = np.bincount(row[off], minlength=n) == 0
    inside = off & (block[row] == block[column])
    links = (np.ones(int(inside.sum()), dtype=np.int8), (row[inside], column[inside]))
    _, label = connected_components(sparse.csr_matrix(links, shape=(n, n)), directed=False)
    used, renumbered = np.unique(label[~lone], return_inverse=True)
    found = np.full(n, len(used), dtype=np.int32)
    found[~lone] = renumbered
    return len(used), found


def _pseudo_inverse(matrix: Any, magnitude: NDArray[Any]) -> NDArray[np.float64]:
    dense = np.asarray(matrix.toarray(), dtype=np.float64)
    if not dense.size:
        return dense
    # Scaled, so that the pores of a coarse problem are told from rounding each by its own size.
    scale = 1.0 / np.sqrt(np.maximum(magnitude, np.finfo(np.float64).tiny))
    dense *= scale[:, None] * scale
    values, vectors = np.linalg.eigh(dense)
    kept = values > _ROUNDING
    vectors *= scale[:, None]
    found: NDArray[np.float64] = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    return found
