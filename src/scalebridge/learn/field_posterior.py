"""The joint posterior of fields that are known by a few coefficients, in memory linear in their components."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scalebridge.models import Functional, Posterior
from scalebridge.quantities import Floats

# Entries of the largest array over points, coefficients and components.
CHUNK = 4_000_000
JITTER = 1e-9


@dataclass(frozen=True)
class FieldPosterior:
    """Posterior ``f = mean + modes' c + lead' z + e`` at ``n`` points; see `scalebridge.models.Posterior`.

    The coefficients c have the joint posterior of the surrogates that learned them. What the modes miss has the
    leading directions ``lead`` with standard normal z, shared by points of one label as neighbours share it, and the
    rest e, independent everywhere. Only ``blocks`` takes memory of the square of the components.

    Args:
        mean: ``[n, m]``.
        parts: posteriors of the coefficients, in order, ``[n, r_1]``, ``[n, r_2]``, ... with the sum r.
        modes: ``[r, m]``.
        lead: ``[q, m]``.
        rest: ``[m]``, variance of e.
        labels: ``[n]``.
        bounds: lower and upper bounds of the outputs, ``[m]`` each, kept by quantiles and samples.
    """

    mean: Floats
    parts: tuple[Posterior, ...]
    modes: Floats
    lead: Floats
    rest: Floats
    labels: NDArray[np.int64]
    bounds: tuple[Floats, Floats]

    @cached_property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""
        variance = np.broadcast_to((self.lead**2).sum(axis=0) + self.rest, self.mean.shape).copy()
        for part, modes in self._pairs():
            if len(modes) == 1:
                variance += np.square(part.std) * np.square(modes)
                continue
            blocks, step = part.blocks, max(1, CHUNK // modes.size)
            for start in range(0, len(blocks), step):
                some = slice(start, start + step)
                variance[some] += np.einsum("nam,am->nm", blocks[some] @ modes, modes)
        std: Floats = np.sqrt(np.maximum(variance, 0.0))
        return std

    @cached_property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        blocks: Floats = np.tile(self.lead.T @ self.lead + np.diag(self.rest), (len(self.mean), 1, 1))
        for part, modes in self._pairs():
            blocks += modes.T @ part.blocks @ modes
        return blocks

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]`` of the normal marginals, kept inside the bounds."""
        from scipy.stats import norm

        quantile: Floats = np.clip(self.mean + float(norm.ppf(p)) * self.std, *self.bounds)
        return quantile

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``."""
        rng = np.random.default_rng(seed)
        draws = np.sqrt(self.rest) * rng.standard_normal((n, *self.mean.shape)) + self.mean
        z = rng.standard_normal((n, self._groups[1], len(self.lead)))[:, self._groups[0]]
        draws += z @ self.lead
        for part, modes in self._pairs():
            draws += (part.sample(n, int(rng.integers(2**31))) - part.mean) @ modes
        samples: Floats = np.clip(draws, *self.bounds)
        return samples

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)`` for ``weights [n, m]``."""
        weights = np.asarray(weights, dtype=np.float64)
        coefficients, missed = self._with(weights)
        cov = coefficients @ self.modes + missed @ self.lead + self.rest * weights
        variance = float((weights * cov).sum())
        return Functional(float((weights * self.mean).sum()), float(np.sqrt(max(variance, 0.0))), cov)

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``.

        By the coefficients (Woodbury's identity): never a matrix of all components.
        """
        weights = np.asarray(weights, dtype=np.float64)
        latent = np.concatenate(self._with(weights), axis=1)
        noise = np.broadcast_to(np.square(0.0 if noise_std is None else noise_std), self.rest.shape)
        done = np.zeros(0, dtype=np.int64) if given is None else np.asarray(given, dtype=np.int64)
        rows = {int(g): self._between(int(g)) for g in np.unique(done)}
        known = self._gained(done, rows, weights, latent, noise) if len(done) else 0.0
        gained = []
        for candidate in candidates.tolist():
            also = rows if candidate in rows else rows | {candidate: self._between(candidate)}
            gained.append(self._gained(np.append(done, candidate), also, weights, latent, noise) - known)
        reduction: Floats = np.maximum(np.array(gained), 0.0)
        return reduction

    def _gained(
        self, observed: NDArray[np.int64], rows: dict[int, Floats], weights: Floats, latent: Floats, noise: Floats
    ) -> float:
        """Variance of the sum that runs at ``observed`` take away; runs at one point share its ``e``."""
        at, counts = np.unique(observed, return_counts=True)
        k, factor = len(self.modes) + len(self.lead), np.concatenate([self.modes, self.lead])
        floor = JITTER * float(np.mean(self.std[at] ** 2)) + 1e-300
        told, shown, total = np.zeros((len(at), k)), [], 0.0
        for i, (point, count) in enumerate(zip(at.tolist(), counts.tolist(), strict=True)):
            variance = self.rest + noise / count + floor
            cov = latent[point] @ factor + weights[point] * self.rest
            told[i], total = factor @ (cov / variance), total + float(cov @ (cov / variance))
            shown.append((factor / variance) @ factor.T)
        joint = np.concatenate([rows[point][at].reshape(len(at) * k, k) for point in at.tolist()], axis=1)
        values, vectors = np.linalg.eigh(0.5 * (joint + joint.T))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        seen = np.concatenate([b @ root[i * k : (i + 1) * k] for i, b in enumerate(shown)])
        h = root.T @ told.ravel()
        return total - float(np.dot(h, np.linalg.solve(np.eye(len(h)) + root.T @ seen, h)))

    def _with(self, weights: Floats) -> tuple[Floats, Floats]:
        """Covariance of the weighted sum with the coefficients ``[n, r]`` and with z ``[n, q]`` at every point."""
        cov = [part.functional(weights @ modes.T).cov for part, modes in self._pairs()]
        groups, count = self._groups
        sums = np.zeros((count, len(self.lead)))
        np.add.at(sums, groups, weights @ self.lead.T)
        return np.concatenate([np.zeros((len(weights), 0)), *cov], axis=1), sums[groups]

    def _between(self, point: int) -> Floats:
        """Covariance ``[n, k, k]`` of the coefficients and z at every point with those at one."""
        r, k = len(self.modes), len(self.modes) + len(self.lead)
        cov, first = np.zeros((len(self.mean), k, k)), 0
        for part, modes in self._pairs():
            for a in range(len(modes)):
                unit = np.zeros((len(self.mean), len(modes)))
                unit[point, a] = 1.0
                cov[:, first : first + len(modes), first + a] = part.functional(unit).cov
            first += len(modes)
        cov[self.labels == self.labels[point], r:, r:] = np.eye(k - r)
        return cov

    @cached_property
    def _groups(self) -> tuple[NDArray[np.int64], int]:
        """The labels as numbers from zero, and how many there are."""
        found, numbers = np.unique(self.labels, return_inverse=True)
        return numbers.reshape(-1), len(found)

    def _pairs(self) -> Iterator[tuple[Posterior, Floats]]:
        """Each posterior of coefficients with their modes."""
        first = 0
        for part in self.parts:
            count = part.mean.shape[1]
            yield part, self.modes[first : first + count]
            first += count
