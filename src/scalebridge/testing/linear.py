"""A Bayesian linear model: the smallest exact `Surrogate`, for tests of whatever stands above `learn`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.models import Functional, Runs, Scale
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class LinearPosterior:
    """A joint Gaussian, kept as its mean ``[n, m]`` and its whole covariance ``[n m, n m]``."""

    mean: Floats
    covariance: Floats

    @property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""
        std: Floats = np.sqrt(np.maximum(np.diag(self.covariance), 0.0)).reshape(self.mean.shape)
        return std

    @property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        n, m = self.mean.shape
        blocks: Floats = np.einsum("nanb->nab", self.covariance.reshape(n, m, n, m))
        return blocks

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]``."""
        quantile: Floats = self.mean + NormalDist().inv_cdf(p) * self.std
        return quantile

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``."""
        values, vectors = np.linalg.eigh(self.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        z = np.random.default_rng(seed).standard_normal((n, len(values)))
        draws: Floats = self.mean + (z @ root.T).reshape(n, *self.mean.shape)
        return draws

    def functional(self, weights: Floats) -> Functional:
        """Distribution of the weighted sum."""
        w = np.ravel(weights)
        column = self.covariance @ w
        std = float(np.sqrt(max(float(w @ column), 0.0)))
        return Functional(float(w @ self.mean.ravel()), std, column.reshape(self.mean.shape))

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """Reduction of the variance of the weighted sum by a run at each candidate ``[c]``."""
        m = self.mean.shape[1]
        noise = np.diag((np.zeros(m) if noise_std is None else np.asarray(noise_std)) ** 2)
        k = self.covariance
        if given is not None and len(given):
            rows = (np.asarray(given)[:, None] * m + np.arange(m)).ravel()
            inner = k[np.ix_(rows, rows)] + np.kron(np.eye(len(given)), noise)
            k = k - k[:, rows] @ np.linalg.pinv(inner, hermitian=True) @ k[rows]
        with_sum = (k @ np.ravel(weights)).reshape(-1, m)
        inner = np.stack([k[c * m : (c + 1) * m, c * m : (c + 1) * m] for c in candidates]) + noise
        inverse = np.linalg.pinv(inner, hermitian=True)
        reductions: Floats = np.einsum("ca,cab,cb->c", with_sum[candidates], inverse, with_sum[candidates])
        return reductions


@dataclass(frozen=True)
class Box:
    """The axis-aligned box of the data, a tenth wider on every side."""

    lower: Floats
    upper: Floats

    def contains(self, x: Floats) -> NDArray[np.bool_]:
        """Which of ``x [n, d]`` lie inside."""
        margin = 0.1 * (self.upper - self.lower) + 1e-12
        return np.asarray(np.all((x >= self.lower - margin) & (x <= self.upper + margin), axis=1), dtype=np.bool_)


@dataclass(frozen=True)
class BayesianLinear:
    """Affine in the inputs, with a normal prior on the coefficients of every output and Gaussian noise.

    Args:
        inputs: space of the inputs.
        outputs: space of the outputs.
        prior_std: of every coefficient, in units of the outputs' spread, on inputs scaled to their spread.
        noise_ratio: standard deviation of the noise in the same units.

    Source: C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning (2006), section 2.1.
    """

    inputs: Space
    outputs: Space
    prior_std: float = 10.0
    noise_ratio: float = 0.05
    name: str = "bayesian_linear"
    version: str = "1"
    scale: Scale | None = None
    _fit: tuple[Floats, ...] | None = None

    @property
    def domain(self) -> Box:
        """The box of the data."""
        return Box(*self._learned()[:2])

    def identity(self) -> Mapping[str, str]:
        """Name, version, options and a digest of what was learned."""
        digest = hashlib.sha256()
        for array in self._fit or ():
            digest.update(np.ascontiguousarray(array).tobytes())
        options = repr((self.prior_std, self.noise_ratio))
        return {"name": "BayesianLinear", "version": self.version, "options": options, "fit": digest.hexdigest()[:16]}

    def fit(self, x: Floats, y: Floats, noise_std: Floats | None = None, jacobian: Floats | None = None) -> Self:
        """Return this surrogate fitted on ``x [b, d]``, ``y [b, m]``; noise and jacobians are not used."""
        x = self.inputs.check(x, f"The surrogate '{self.name}'")
        y = self.outputs.check(y, f"The surrogate '{self.name}'")
        if len(x) != len(y) or not len(x):
            raise InputError(
                f"The surrogate '{self.name}' got {len(x)} inputs and {len(y)} values; give one per input."
            )
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise InputError(
                f"The surrogate '{self.name}' got a number that is not finite; give only runs that are ok."
            )
        centre, width = x.mean(axis=0), np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)
        unit = np.where(y.std(axis=0) > 0, y.std(axis=0), 1.0)
        features = self._features(x, centre, width)
        precision = features.T @ features / self.noise_ratio**2 + np.eye(features.shape[1]) / self.prior_std**2
        covariance = np.linalg.inv(precision)
        coefficients = covariance @ features.T @ (y / unit) / self.noise_ratio**2
        learned: Any = (x.min(axis=0), x.max(axis=0), centre, width, unit, covariance, coefficients)
        return replace(self, _fit=learned)

    def posterior(self, x: Floats) -> LinearPosterior:
        """Posterior at ``x [n, d]``."""
        _, _, centre, width, unit, covariance, coefficients = self._learned()
        features = self._features(self.inputs.check(x, f"The surrogate '{self.name}'"), centre, width)
        joint: Floats = np.asarray(np.kron(features @ covariance @ features.T, np.diag(unit**2)), dtype=np.float64)
        return LinearPosterior(features @ coefficients * unit, joint)

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean ``[n, m]`` and its derivative ``[n, m, d]``."""
        _, _, centre, width, unit, _, coefficients = self._learned()
        slope = (coefficients[1:] / width[:, None] * unit).T
        mean = self._features(self.inputs.check(x, f"The surrogate '{self.name}'"), centre, width) @ coefficients * unit
        return mean, np.tile(slope, (len(x), 1, 1))

    def jacobian(self, x: Floats) -> Floats:
        """Derivative of the mean ``[n, m, d]``."""
        return self.predict(x)[1]

    def run(self, x: Floats) -> Runs:
        """Return the mean as a run; rows outside the box of the data say so."""
        mean, tangent = self.predict(x)
        status = np.where(np.isfinite(x).all(axis=1), np.where(self.domain.contains(x), "ok", "outside"), "failed")
        told = {"ok": "", "outside": "outside the domain of the surrogate", "failed": "the input is not finite"}
        return Runs(mean, status, tuple(told[s] for s in status.tolist()), jacobian=tangent)

    def _learned(self) -> tuple[Floats, ...]:
        if self._fit is None:
            raise InputError(f"The surrogate '{self.name}' is not fitted; call fit(x, y) and use what it returns.")
        return self._fit

    @staticmethod
    def _features(x: Floats, centre: Floats, width: Floats) -> Floats:
        return np.concatenate([np.ones((len(x), 1)), (x - centre) / width], axis=1)
