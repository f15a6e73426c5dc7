"""Maps between two coordinate frames, fitted to landmarks seen in both, with what the fit leaves uncertain."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats

KINDS = ("rigid", "similarity", "affine")


@dataclass(frozen=True, eq=False)
class Transform:
    """``y = matrix x + shift``.

    Attributes:
        kind: ``"rigid"``, ``"similarity"`` or ``"affine"``.
        matrix: ``[d, d]``.
        shift: ``[d]``.
        noise: standard deviation of a landmark about the map in each coordinate, from the residuals; NaN where there
            are just enough landmarks.
        left_out: root mean square distance of each landmark from the map of the others; NaN likewise.
        centre: mean of the landmarks ``[d]``, where the map is known best.
        factor: ``[k, k]``, covariance of the parameters over ``noise^2``.
    """

    kind: str
    matrix: Floats
    shift: Floats
    noise: float
    left_out: float
    centre: Floats
    factor: Floats

    def __call__(self, points: Floats) -> Floats:
        """Mapped points ``[n, d]``."""
        return np.asarray(points @ self.matrix.T + self.shift)

    def std(self, points: Floats) -> Floats:
        """Standard deviation ``[n, d]`` of the mapped points that the fit of the map adds."""
        jacobian = _jacobian(points - self.centre, self.matrix, self.kind)
        variance = np.einsum("nik,kl,nil->ni", jacobian, self.factor, jacobian)
        return np.asarray(self.noise * np.sqrt(np.maximum(variance, 0.0)))

    @property
    def scale(self) -> float:
        """Factor of lengths: ``|det matrix|^(1/d)``."""
        return float(abs(np.linalg.det(self.matrix)) ** (1 / len(self.shift)))


def fit_transform(source: Floats, target: Floats, kind: str = "rigid") -> Transform:
    """The map of ``source [n, d]`` on ``target [n, d]`` with the least squares; a rotation, never a reflection.

    Args:
        source, target: the same landmarks in both frames, d = 2 or 3, in one unit each.
        kind: ``"rigid"`` (turn and shift), ``"similarity"`` (and one scale), ``"affine"``.

    Raises:
        InputError: an unknown kind, too few landmarks, landmarks on one line.
        ShapeError: arrays that do not pair.

    Source: S. Umeyama, Least-squares estimation of transformation parameters between two point patterns, IEEE Trans.
    Pattern Anal. Mach. Intell. 13 (1991) 376-380.
    """
    source, target = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] not in (2, 3):
        raise ShapeError(
            f"Landmarks of shapes {source.shape} and {target.shape} were given; give [n, 2] or [n, 3] twice."
        )
    if kind not in KINDS:
        raise InputError(f"The transform '{kind}' is not known; valid: {', '.join(KINDS)}.")
    n, d = source.shape
    least = d + 1 if kind == "affine" else d
    if n < least or not np.isfinite(source + target).all():
        raise InputError(f"A map of kind '{kind}' in {d} dimensions needs {least} finite landmarks and got {n}.")
    size = float(np.abs(source - source.mean(axis=0)).max()), float(np.abs(target - target.mean(axis=0)).max())
    if max(size) > 1e100 or 0 < size[0] < 1e-100:
        raise InputError(
            f"The landmarks are {size[0]:.3g} and {size[1]:.3g} apart; give them in a unit nearer their size."
        )
    matrix, shift = _fitted(source, target, kind)
    centre = source.mean(axis=0)
    rest = target - source @ matrix.T - shift
    jacobian = _jacobian(source - centre, matrix, kind).reshape(n * d, -1)
    free = n * d - jacobian.shape[1]
    noise = float(np.sqrt((rest**2).sum() / free)) if free > 0 else float("nan")
    factor = np.asarray(np.linalg.pinv(jacobian.T @ jacobian), dtype=np.float64)
    return Transform(kind, matrix, shift, noise, _left_out(source, target, kind, least), centre, factor)


def _fitted(source: Floats, target: Floats, kind: str) -> tuple[Floats, Floats]:
    centre, goal = source.mean(axis=0), target.mean(axis=0)
    x, y = source - centre, target - goal
    size = np.linalg.svd(x, compute_uv=False)
    needed = len(centre) if kind == "affine" else len(centre) - 1
    if size[needed - 1] <= 1e-9 * max(float(size[0]), 1e-300):
        raise InputError("The landmarks lie on one line or in one point; add one beside it.")
    if kind == "affine":
        matrix = np.linalg.lstsq(x, y, rcond=None)[0].T
    else:
        u, s, vt = np.linalg.svd(y.T @ x)
        sign = np.ones(len(centre))
        sign[-1] = np.sign(np.linalg.det(u) * np.linalg.det(vt))
        matrix = (u * sign) @ vt
        if kind == "similarity":
            matrix = matrix * float((s * sign).sum() / (x**2).sum())
    return np.asarray(matrix), np.asarray(goal - matrix @ centre)


def _left_out(source: Floats, target: Floats, kind: str, least: int) -> float:
    n = len(source)
    if n <= least:
        return float("nan")
    square = []
    for i in range(n):
        kept = np.arange(n) != i
        try:
            matrix, shift = _fitted(source[kept], target[kept], kind)
        except InputError:
            return float("nan")
        square.append(float(((target[i] - matrix @ source[i] - shift) ** 2).sum()))
    return float(np.sqrt(np.mean(square)))


def _jacobian(x: Floats, matrix: Floats, kind: str) -> Floats:
    """Derivative ``[n, d, k]`` of mapped points, from the centre, by shift, turns, scale or all entries."""
    n, d = x.shape
    parts = [np.broadcast_to(np.eye(d), (n, d, d))]
    if kind == "affine":
        parts.append(np.einsum("ij,nk->nijk", np.eye(d), x).reshape(n, d, d * d))
    else:
        mapped = x @ matrix.T
        for i, j in combinations(range(d), 2):
            turn = np.zeros((n, d, 1))
            turn[:, i, 0], turn[:, j, 0] = -mapped[:, j], mapped[:, i]
            parts.append(turn)
        if kind == "similarity":
            parts.append(mapped[:, :, None])
    return np.concatenate(parts, axis=2)
