"""The contract of a learned model and of its answer, a distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from scalebridge.models.model import Model
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Functional:
    """A weighted sum of a posterior over points.

    Args:
        mean: of ``sum(w * f(x))``.
        std: of the same.
        cov: ``[n, m]``, its covariance with f at every point.
    """

    mean: float
    std: float
    cov: Floats


class Posterior(Protocol):
    """A distribution over the model's outputs at ``n`` points, jointly over points and outputs."""

    @property
    def mean(self) -> Floats:
        """Mean ``[n, m]``."""

    @property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""

    @property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]`` of each output at each point."""

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``."""

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)`` for ``weights [n, m]``, in memory linear in n."""

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``.

        Args:
            weights: ``[n, m]``.
            candidates: ``[c]`` indices of points.
            noise_std: ``[m]``, noise of a run.
            given: indices of points whose runs are already decided (the covariance is downdated by them).

        Returns:
            ``[c]``: ``C' (S + N)^-1 C`` with C the covariance of the sum with the candidate's outputs.
        """


@runtime_checkable
class Domain(Protocol):
    """Where a surrogate may be trusted."""

    def contains(self, x: Floats) -> NDArray[np.bool_]:
        """Which of ``x [n, d]`` lie inside, ``[n]``."""


@runtime_checkable
class Surrogate(Model, Protocol):
    """A learned model of a model. Built unfitted from spaces and options; ``fit`` returns a fitted one.

    Optional members, read with ``getattr``: ``smooth: bool`` (False: the mean is a step function, whose derivative
    is zero almost everywhere and does not integrate back to it) and ``certificate``, what a calibration found.
    """

    @property
    def domain(self) -> Domain:
        """Where it may be trusted."""

    @property
    def data(self) -> tuple[Floats, Floats, Floats]:
        """The runs it was fitted on: ``x [b, d]``, ``y [b, m]``, ``noise_std [b, m]``."""

    def fit(self, x: Floats, y: Floats, noise_std: Floats | None = None, jacobian: Floats | None = None) -> Self:
        """Return this surrogate fitted on ``x [b, d]``, ``y [b, m]``."""

    def posterior(self, x: Floats) -> Posterior:
        """Posterior at ``x [n, d]``."""

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean ``[n, m]`` and its exact derivative ``[n, m, d]``."""

    def jacobian(self, x: Floats) -> Floats:
        """Derivative of the mean ``[n, m, d]``."""
