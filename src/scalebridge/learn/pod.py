"""Proper orthogonal decomposition: fields as a mean and a few coefficients, with the error of what is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.learn.learner import least
from scalebridge.learn.spread import unknown
from scalebridge.quantities import Floats

TITLE = "The decomposition"
# Directions shorter than this part of the longest, or of the values themselves, are rounding.
ROUNDING, CONSTANT = 1e-10, 1e-12
# What is left out is kept as its leading directions, up to this share of its energy and this number, and the rest.
LEADING_SHARE, LEADING = 0.95, 32


@dataclass(frozen=True)
class Decomposition:
    """Mean and modes of fields with ``n`` components, and what they miss of a field that was not among the snapshots.

    Of a new field ``v`` the modes miss ``v - reconstruct(compress(v)) = lead' z + e``, z standard normal and e
    independent between components: the law of what was missed of snapshots by modes made without them.

    Args:
        mean: ``[n]``.
        modes: ``[r, n]``, orthonormal in the inner product, the most energetic first.
        weights: ``[n]``, of the inner product ``sum(weights * u * v)``.
        energies: share of the snapshots' energy in each direction, kept or not, falling.
        spread: ``[r]``, standard deviation of the snapshots' coefficients.
        lead: ``[q, n]``, leading directions of what is left out, as long as their deviation.
        rest: ``[n]``, variance of what these leave out.
        left_out: root mean square error of snapshots by modes made without them, relative to their fluctuation.
        size: root mean square norm of the snapshots' fluctuation.
    """

    mean: Floats
    modes: Floats
    weights: Floats
    energies: Floats
    spread: Floats
    lead: Floats
    rest: Floats
    left_out: float
    size: float

    @property
    def truncation_std(self) -> Floats:
        """Standard deviation ``[n]`` of what is missed of a new field, component by component."""
        std: Floats = np.sqrt((self.lead**2).sum(axis=0) + self.rest)
        return std

    def compress(self, values: ArrayLike) -> Floats:
        """Coefficients ``[b, r]`` of fields ``values [b, n]``."""
        fields = self._checked(values, len(self.mean), "components")
        return self.project(fields) - self.project(self.mean)

    def project(self, directions: Floats) -> Floats:
        """Inner products ``[..., r]`` of ``directions [..., n]`` with the modes; no mean is taken off."""
        products: Floats = directions @ (self.modes * self.weights).T
        return products

    def reconstruct(self, coefficients: ArrayLike) -> Floats:
        """Fields ``[b, n]`` of ``coefficients [b, r]``."""
        fields: Floats = self._checked(coefficients, len(self.modes), "coefficients") @ self.modes + self.mean
        return fields

    def error(self, values: ArrayLike) -> Floats:
        """What the modes miss of fields ``values [b, n]``: norms ``[b]`` relative to the snapshots' fluctuation."""
        fields = self._checked(values, len(self.mean), "components")
        missed = fields - self.reconstruct(self.compress(fields))
        norm: Floats = np.sqrt(missed**2 @ self.weights)
        return norm / (self.size or 1.0)

    def _checked(self, values: ArrayLike, width: int, what: str) -> Floats:
        fields = _numbers(values)
        if fields.shape[1] != width:
            raise ShapeError(f"{TITLE} got rows of {fields.shape[1]} values; it takes [b, {width}]: {width} {what}.")
        return fields


@dataclass(frozen=True)
class POD:
    """Proper orthogonal decomposition of snapshots (principal components, Karhunen-Loeve), built from options.

    The snapshots are reduced by a QR factorisation that goes through the components once, part by part: time
    ``n b^2`` and, beside the snapshots and the modes, memory independent of n. They may be a memory map.

    Args:
        energy: keep the fewest modes with this share of the energy ``sum(weights * fluctuation^2)``.
        n_modes: keep this many instead, or as many as the snapshots have directions.
        folds: parts of the snapshots that are left out in turn to measure what is missed of a new field.
        seed: of the parts.

    Raises:
        InputError: an option out of its range.

    Source: L. Sirovich, Turbulence and the dynamics of coherent structures, Quart. Appl. Math. 45 (1987) 561-571;
    J. Demmel et al., Communication-optimal parallel and sequential QR, SIAM J. Sci. Comput. 34 (2012) A206-A239.
    """

    energy: float = 0.999
    n_modes: int | None = None
    folds: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.energy, bool) or not isinstance(self.energy, int | float) or not 0 < self.energy <= 1:
            raise InputError(f"{TITLE} got energy = {self.energy!r}; give a share above 0 and at most 1, as in 0.999.")
        for name, value, lowest in (
            ("n_modes", 1 if self.n_modes is None else self.n_modes, 1),
            ("folds", self.folds, 2),
        ):
            least(TITLE, name, value, lowest)
            if value != int(value):
                raise InputError(f"{TITLE} got {name} = {value!r}; give a whole number.")

    def fit(
        self, values: ArrayLike, weights: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Decomposition:
        """Decompose snapshots ``values [b, n]``.

        Args:
            values: one field a row.
            weights: ``[n]``, of the inner product: the volume of each component (quadrature weights); one by default.
            groups: ``[b]`` labels; snapshots of one label are left out together (by default each alone).

        Raises:
            InputError: text, values that are not finite, no snapshots, weights or labels that do not fit.
        """
        fields = _numbers(values)
        b, n = fields.shape
        if 0 in fields.shape:
            raise ShapeError(f"{TITLE} got an array of shape {fields.shape}; give at least one field with components.")
        inner = _weights(weights, n)
        labels = _labels(groups, b)
        mean = _mean(fields)
        z, lengths, total = _coordinates(fields, mean, np.sqrt(inner))
        energies = lengths**2 / (float((lengths**2).sum()) or 1.0)
        r = self._kept(energies)
        missed = left_out(z, r, labels, self.folds, self.seed)
        halves, q = _root(missed, len(np.unique(labels)))
        lift = z.T / lengths[:, None] ** 2 if len(lengths) else np.zeros((0, b))
        modes, lead, rest = _lifted(np.concatenate([lift[:r], halves @ lift]), r, q, fields, mean)
        if b == 1 or len(np.unique(labels)) == 1:
            rest = rest + (unknown(1) * (total or 1.0)) ** 2
        size = float(np.sqrt((lengths**2).sum() / b))
        share = float(np.sqrt((missed**2).sum() / b)) / size if size else 0.0
        return Decomposition(
            mean, _orthonormal(modes, inner), inner, energies, lengths[:r] / np.sqrt(b), lead, rest, share, size
        )

    def _kept(self, energies: Floats) -> int:
        if self.n_modes is not None:
            return min(int(self.n_modes), len(energies))
        if self.energy == 1:
            return len(energies)
        return min(int(np.searchsorted(np.cumsum(energies), self.energy)) + 1, len(energies))


def left_out(z: Floats, r: int, labels: NDArray[np.int64], folds: int, seed: int) -> Floats:
    """What ``r`` modes of the other rows miss of each row of ``z [b, k]``, ``[b, k]``; zero with a single label."""
    missed, count = np.zeros_like(z), int(labels.max()) + 1
    order = np.random.default_rng(seed).permutation(count) % folds
    for v in range(min(folds, count) if count > 1 else 0):
        out = order[labels] == v
        centre = z[~out].mean(axis=0)
        _, length, modes = np.linalg.svd(z[~out] - centre, full_matrices=False)
        modes = modes[:r][length[:r] > ROUNDING * max(float(length[0]), 1e-300)] if len(length) else modes
        apart = z[out] - centre
        missed[out] = apart - (apart @ modes.T) @ modes
    return missed


def _coordinates(fields: Floats, mean: Floats, root: Floats) -> tuple[Floats, Floats, float]:
    """Coordinates ``[b, k]`` of snapshots in their own orthonormal directions, lengths of these, size of a value."""
    from scipy.linalg import qr

    b, n = fields.shape
    triangle, square = np.zeros((0, b)), 0.0
    for part in _parts(n, b):
        columns = np.asarray(fields[:, part])
        square += float(np.square(columns * root[part]).sum())
        block = np.concatenate([triangle, ((columns - mean[part]) * root[part]).T])
        triangle = np.triu(qr(block, mode="r", overwrite_a=True, check_finite=False)[0][:b])
    _, lengths, directions = np.linalg.svd(triangle, full_matrices=False)
    real = lengths > max(ROUNDING * float(lengths.max(initial=0.0)), CONSTANT * np.sqrt(square))
    return directions[real].T * lengths[real], lengths[real], float(np.sqrt(square / (b * float((root**2).sum()))))


def _root(missed: Floats, count: int) -> tuple[Floats, int]:
    """A root ``[k, k]`` of the covariance of what is missed, its longest rows first, and how many of them lead."""
    b, k = missed.shape
    # A scale that is itself estimated from few has heavy tails: as wide as the t law's variance, or interval, says.
    few = count / (count - 2) if count > 2 else unknown(2) ** 2
    _, length, directions = np.linalg.svd(missed * np.sqrt(few / b), full_matrices=False)
    square = length**2
    reached = np.cumsum(square) >= LEADING_SHARE * square.sum()
    q = min(int(np.argmax(reached)) + 1, LEADING) if square.any() else 0
    return length[:, None] * directions if square.any() else np.zeros((0, k)), q


def _lifted(rows: Floats, r: int, q: int, fields: Floats, mean: Floats) -> tuple[Floats, Floats, Floats]:
    """Combinations ``[j, b]`` of the snapshots: the first r, the next q, and of the others the sum of squares."""
    n = fields.shape[1]
    whole, rest = np.empty((r + q, n)), np.empty(n)
    for part in _parts(n, len(fields)):
        lifted = rows @ (np.asarray(fields[:, part]) - mean[part])
        whole[:, part] = lifted[: r + q]
        rest[part] = np.square(lifted[r + q :]).sum(axis=0)
    return whole[:r], whole[r:], rest


def _orthonormal(modes: Floats, weights: Floats) -> Floats:
    """Modes freed of the rounding of the shortest; the largest component of each is positive."""
    from scipy.linalg import solve_triangular

    if not len(modes):
        return modes
    root = np.linalg.cholesky((modes * weights) @ modes.T)
    clean = solve_triangular(root, modes, lower=True)
    largest = np.take_along_axis(clean, np.argmax(np.abs(clean), axis=1)[:, None], axis=1)
    signed: Floats = clean * np.sign(largest)
    return signed


def _parts(n: int, b: int) -> Iterator[slice]:
    step = max(4 * b, 256)
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def _mean(fields: Floats) -> Floats:
    return np.concatenate([np.asarray(fields[:, part]).mean(axis=0) for part in _parts(fields.shape[1], len(fields))])


def _numbers(values: ArrayLike) -> Floats:
    try:
        fields = np.asarray(values)
        if np.iscomplexobj(fields):
            raise TypeError("complex numbers")
        fields = fields.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ShapeError(
            f"{TITLE} got values that are not numbers; it takes an array [b, n], one field a row."
        ) from error
    if fields.ndim != 2:
        raise ShapeError(f"{TITLE} got an array of shape {fields.shape}; it takes [b, n], one field a row.")
    for part in _parts(fields.shape[1], len(fields)):
        bad = np.argwhere(~np.isfinite(fields[:, part]))
        if len(bad):
            row, column = int(bad[0][0]), int(bad[0][1]) + part.start
            raise InputError(
                f"{TITLE} got {fields[row, column]} in row {row}, component {column}; values must be finite: leave out "
                "rows that failed."
            )
    return fields


def _weights(weights: ArrayLike | None, n: int) -> Floats:
    inner = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    if inner.shape != (n,) or not (np.isfinite(inner).all() and (inner >= 0).all() and inner.any()):
        raise InputError(
            f"{TITLE} got weights of shape {inner.shape} for {n} components; give one for each, finite, at least zero "
            "and not all zero: its volume."
        )
    return inner


def _labels(groups: Any, b: int) -> NDArray[np.int64]:
    if groups is None:
        return np.arange(b)
    given = np.asarray(groups)
    if given.shape != (b,):
        raise ShapeError(f"{TITLE} got groups of shape {given.shape} for {b} snapshots; give one label for each.")
    labels: NDArray[np.int64] = np.unique(given, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return labels
