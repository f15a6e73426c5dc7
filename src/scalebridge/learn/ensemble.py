"""Surrogates that answer together: the mixture of their posteriors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.learner import Data, Learner, least
from scalebridge.learn.reduction import downdated, noise_matrix, reduced
from scalebridge.models import Functional, Posterior, Surrogate
from scalebridge.quantities import Floats

# Probabilities at which a mixture's distribution function is read from its members, in normal deviates.
DEVIATES = np.linspace(-4.0, 4.0, 129)


@dataclass(frozen=True)
class MixturePosterior:
    """The law "take one member, all as likely, and draw from its posterior"; see `scalebridge.models.Posterior`.

    Args:
        members: posteriors at the same points.
        mean: of the mixture ``[n, m]``.
        bounds: of the outputs, ``[m]`` each.
    """

    members: tuple[Posterior, ...]
    mean: Floats
    bounds: tuple[Floats, Floats]

    @cached_property
    def _apart(self) -> Floats:
        """Deviations of the members' means ``[k, n, m]``."""
        means = np.stack([member.mean for member in self.members])
        apart: Floats = means - means.mean(axis=0)
        return apart

    @property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``, by the law of total variance."""
        inner = np.mean([np.square(member.std) for member in self.members], axis=0)
        std: Floats = np.sqrt(inner + np.mean(self._apart**2, axis=0))
        return std

    @property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        inner = np.mean([member.blocks for member in self.members], axis=0)
        blocks: Floats = inner + np.einsum("kna,knb->nab", self._apart, self._apart) / len(self.members)
        return blocks

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]`` of the mixture, from the members' quantiles."""
        from scipy.stats import norm

        if len(self.members) == 1:
            return self.members[0].quantile(p)
        levels = np.unique(np.append(norm.cdf(DEVIATES), p))
        weight = np.diff(np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2, [1.0]]))
        values = np.stack([member.quantile(float(level)) for member in self.members for level in levels])
        order = np.argsort(values, axis=0, kind="stable")
        values = np.take_along_axis(values, order, axis=0)
        share = np.tile(weight, len(self.members))[order] / len(self.members)
        reached = np.cumsum(share, axis=0) - share / 2
        upper = np.argmax(np.maximum(reached, np.arange(len(reached))[:, None, None] == len(reached) - 1) >= p, axis=0)
        ends = [np.take_along_axis(a, at[None], axis=0)[0] for a in (reached, values) for at in (upper, upper - 1)]
        part = np.where(upper > 0, (p - ends[1]) / np.maximum(ends[0] - ends[1], 1e-300), 1.0)
        found = ends[3] + np.clip(part, 0.0, 1.0) * (ends[2] - ends[3])
        clipped: Floats = np.clip(found, *self.bounds)
        return clipped

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``."""
        rng = np.random.default_rng(seed)
        chosen = rng.integers(len(self.members), size=n)
        draws = np.zeros((n, *self.mean.shape))
        for k, member in enumerate(self.members):
            own = np.flatnonzero(chosen == k)
            draws[own] = member.sample(len(own), int(rng.integers(2**31)))
        return draws

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)``."""
        told, apart = [member.functional(weights) for member in self.members], self._apart
        means = np.einsum("nm,knm->k", weights, apart)
        variance = float(np.mean([t.std**2 for t in told]) + np.mean(means**2))
        cov: Floats = np.mean([t.cov for t in told], axis=0) + np.einsum("k,knm->nm", means, apart) / len(told)
        return Functional(float((weights * self.mean).sum()), float(np.sqrt(variance)), cov)

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``.

        That of the normal law with the mixture's covariance.
        """
        m = self.mean.shape[1]
        noise, cov = noise_matrix(m, noise_std), self.functional(weights).cov
        blocks, target = self.blocks[candidates], cov[candidates]
        if given is not None and len(given):
            # Covariance of every value with those given, one functional of unit weight each.
            units = [(int(g), k) for g in given for k in range(m)]
            link = np.stack([self.functional(_unit(self.mean.shape, *unit)).cov for unit in units], axis=-1)
            joint = link[given].reshape(len(units), len(units)) + np.kron(np.eye(len(given)), noise)
            blocks, target = downdated(blocks, target, joint, link[candidates], cov[given].ravel())
        return reduced(blocks, target, noise)


@dataclass(frozen=True)
class Ensemble(Learner[tuple[Any, ...]]):
    """Surrogates that answer together, as the mixture of their posteriors; see `scalebridge.models.Surrogate`.

    Args:
        inputs, outputs, margin: as in `Learner`.
        members: unfitted surrogates of these spaces, of any kind.
        copies: of each member; with more than one, each copy learns a bootstrap sample of the runs.
        bootstrap: whether members learn bootstrap samples; by default where there are copies.
        seed: of the samples; copies that have a ``seed`` of their own each get another.

    Raises:
        InputError: no members, or members of other spaces.

    Source: L. Breiman, Bagging predictors, Machine Learning 24 (1996) 123-140; B. Lakshminarayanan, A. Pritzel,
    C. Blundell, Deep ensembles, NeurIPS 2017 (the mixture's mean and variance).
    """

    members: tuple[Surrogate, ...] = ()
    copies: int = 1
    bootstrap: bool | None = None
    seed: int = 0

    name = "ensemble"

    def _check_options(self) -> None:
        least(self.title, "copies", self.copies, 1)
        object.__setattr__(self, "members", tuple(self.members))
        if not self.members:
            raise InputError(
                f"{self.title} has no members; give surrogates, as in Ensemble(inputs, outputs, "
                "members=[GaussianProcess(inputs, outputs), RandomForest(inputs, outputs)])."
            )
        for member in self.members:
            if member.inputs != self.inputs or member.outputs != self.outputs:
                raise InputError(
                    f"{self.title} got the member '{member.name}' with other inputs or outputs than its own; build all "
                    "members from the same spaces."
                )

    @property
    def smooth(self) -> bool:
        """Whether all members are smooth."""
        return all(getattr(member, "smooth", True) for member in self.members)

    def _learn(self, data: Data) -> tuple[Any, ...]:
        rng = np.random.default_rng(self.seed)
        sampled = self.copies > 1 if self.bootstrap is None else self.bootstrap
        fitted = []
        for copy in range(self.copies):
            for member in self.members:
                rows = np.sort(rng.integers(len(data), size=len(data))) if sampled else np.arange(len(data))
                slopes = None if data.jacobian is None else data.jacobian[rows]
                made: Any = member
                if copy and hasattr(member, "seed"):
                    made = replace(made, seed=made.seed + copy)
                fitted.append(made.fit(data.x[rows], data.y[rows], data.noise_std[rows], slopes))
        return tuple(fitted)

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        told = [member.predict(x) for member in self.state]
        return np.mean([mean for mean, _ in told], axis=0), np.mean([slope for _, slope in told], axis=0)

    def posterior(self, x: Floats) -> MixturePosterior:
        """Joint posterior at ``x [n, d]``."""
        x = self.inputs.check(x, self.title)
        members = tuple(member.posterior(x) for member in self.state)
        return MixturePosterior(members, self.predict(x)[0], (self.outputs.lower, self.outputs.upper))


def _unit(shape: tuple[int, ...], row: int, column: int) -> Floats:
    weights = np.zeros(shape)
    weights[row, column] = 1.0
    return weights
