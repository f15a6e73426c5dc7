"""Inputs that go together: a normal law of their scores, from which some are drawn given the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.explain.marginals import Empirical, Marginal, Normal, Uniform
from scalebridge.quantities import Floats, Space

# Correlations are shrunk by this much at least, so that columns which determine each other leave a density.
RIDGE = 1e-6
# With fewer rows for each input correlations are shrunk by what their uncertainty asks for.
ENOUGH = 10


@dataclass(frozen=True, eq=False)
class Copula:
    """The law of ``d`` inputs: one marginal each, tied by the correlation of their normal scores.

    It holds any marginals and every dependence that rises or falls throughout; one that turns (a parabola) is not
    seen. From few rows of many inputs, correlations are shrunk towards none.

    Args:
        marginals: ``[d]``.
        correlation: of the normal scores ``[d, d]``.

    Source: R. B. Nelsen, An introduction to copulas (2006); I. Lebrun and A. Dutfoy, An innovating analysis of the
    Nataf transformation from the copula viewpoint (2009); O. Ledoit and M. Wolf, A well-conditioned estimator for
    large-dimensional covariance matrices (2004).
    """

    marginals: tuple[Marginal, ...]
    correlation: Floats

    @staticmethod
    def of(x: ArrayLike) -> Copula:
        """The law of rows ``[n, d]`` that were seen.

        Raises:
            InputError: fewer than three rows.
        """
        rows = np.asarray(x, dtype=np.float64)
        if rows.ndim != 2 or len(rows) < 3:
            raise InputError(f"The law of the inputs got rows of shape {rows.shape}; give at least three rows [n, d].")
        marginals = tuple(Empirical.of(column) for column in rows.T)
        scores = np.stack([m.score(column) for m, column in zip(marginals, rows.T, strict=True)], axis=1)
        return Copula(marginals, _correlation(scores))

    @staticmethod
    def normal(mean: ArrayLike, covariance: ArrayLike) -> Copula:
        """The normal law with ``mean [d]`` and ``covariance [d, d]``.

        Raises:
            ShapeError: they do not fit.
            InputError: a covariance that is not one.
        """
        centre, cov = np.asarray(mean, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
        if cov.shape != (len(centre), len(centre)):
            raise ShapeError(f"A normal law got a mean {centre.shape} and a covariance {cov.shape}; give [d], [d, d].")
        if not np.allclose(cov, cov.T) or np.linalg.eigvalsh(cov).min() <= 0:
            raise InputError("A normal law got a covariance that is not symmetric and positive; give one that is.")
        std = np.sqrt(np.diag(cov))
        marginals = tuple(Normal(float(m), float(s)) for m, s in zip(centre, std, strict=True))
        return Copula(marginals, cov / np.outer(std, std))

    @staticmethod
    def independent(space: Space) -> Copula:
        """Inputs that are independent and evenly spread between their bounds.

        Raises:
            InputError: an input without bounds.
        """
        limits = list(zip(space.component_names, space.lower, space.upper, strict=True))
        for name, low, high in limits:
            if not (np.isfinite(low) and np.isfinite(high)):
                raise InputError(
                    f"The input '{name}' has no bounds to be spread between; give some, as in "
                    f'{{"{name}": ("1", 0, 1)}}, or rows of inputs instead.'
                )
        return Copula(tuple(Uniform(float(a), float(b)) for _, a, b in limits), np.eye(len(limits)))

    @property
    def size(self) -> int:
        """Number of inputs ``d``."""
        return len(self.marginals)

    @property
    def is_independent(self) -> bool:
        """Whether no two inputs are tied."""
        return bool(np.array_equal(self.correlation, np.eye(self.size)))

    def values(self, scores: Floats) -> Floats:
        """Inputs ``[n, d]`` from normal scores ``[n, d]``."""
        return np.stack([m.value(z) for m, z in zip(self.marginals, scores.T, strict=True)], axis=1)

    def scores(self, x: Floats) -> Floats:
        """Normal scores ``[n, d]`` of inputs ``[n, d]``."""
        return np.stack([m.score(column) for m, column in zip(self.marginals, x.T, strict=True)], axis=1)

    def tied(self, noise: Floats) -> Floats:
        """Scores ``[n, d]`` with the correlation, from independent ones ``[n, d]``."""
        return noise @ np.linalg.cholesky(self.correlation).T

    def redrawn(self, scores: Floats, columns: Sequence[int] | NDArray[np.int64], noise: Floats) -> Floats:
        """Scores ``[n, d]`` with some columns drawn anew, given the others.

        Args:
            scores: ``[n, d]``.
            columns: those to draw.
            noise: independent normal numbers ``[n, len(columns)]``.
        """
        new = np.asarray(columns, dtype=np.int64)
        kept = np.setdiff1d(np.arange(self.size), new)
        slope = np.linalg.solve(self.correlation[np.ix_(kept, kept)], self.correlation[np.ix_(kept, new)])
        left = self.correlation[np.ix_(new, new)] - self.correlation[np.ix_(new, kept)] @ slope
        told = scores.copy()
        told[:, new] = scores[:, kept] @ slope + noise @ np.linalg.cholesky(left + 1e-12 * np.eye(len(new))).T
        return told

    def strangeness(self, x: Floats) -> Floats:
        """Squared distance ``[n]`` of rows ``[n, d]`` from the middle, by the correlation of the scores."""
        scores = self.scores(x)
        told: Floats = np.sum(scores * np.linalg.solve(self.correlation, scores.T).T, axis=1)
        return told


def _correlation(scores: Floats) -> Floats:
    from sklearn.covariance import ledoit_wolf_shrinkage

    std = scores.std(axis=0)
    unit = (scores - scores.mean(axis=0)) / np.where(std > 0, std, 1.0)
    found = unit.T @ unit / len(unit)
    np.fill_diagonal(found, 1.0)
    few = len(unit) < ENOUGH * len(found)
    less = max(RIDGE, float(ledoit_wolf_shrinkage(unit, assume_centered=True))) if few else RIDGE
    shrunk: Floats = (1 - less) * found + less * np.eye(len(found))
    return shrunk
