"""What every calibrated surrogate shares: it answers with the mean of the one it wraps."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.box import Box
from scalebridge.learn.learner import Data
from scalebridge.models import Domain, Posterior, Runs, Scale, Structure, Surrogate, structure_of
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class EitherDomain:
    """Where a surrogate may be trusted, and where it was calibrated."""

    model: Domain
    runs: Box

    def contains(self, x: Floats) -> NDArray[np.bool_]:
        """Which of ``x [n, d]`` lie inside, ``[n]``."""
        kept: NDArray[np.bool_] = self.model.contains(x) | self.runs.contains(x)
        return kept


class Wrapped(ABC):
    """Spaces, mean, derivative, domain and runs of a calibrated surrogate, from the fitted one inside."""

    surrogate: Surrogate
    version = "1"

    @property
    @abstractmethod
    def name(self) -> str:
        """Short name for people."""

    @property
    @abstractmethod
    def model(self) -> Surrogate:
        """The fitted surrogate whose mean is given."""

    @property
    @abstractmethod
    def runs(self) -> Data:
        """All runs it was given, calibration rows too."""

    @abstractmethod
    def posterior(self, x: Floats) -> Posterior:
        """Calibrated posterior at ``x [n, d]``."""

    @property
    def data(self) -> tuple[Floats, Floats, Floats]:
        """All runs it was given: ``x [b, d]``, ``y [b, m]``, ``noise_std [b, m]``."""
        return self.runs.x, self.runs.y, self.runs.noise_std

    @property
    def title(self) -> str:
        """The method's name in a sentence."""
        return f"The surrogate '{self.name}'"

    @property
    def inputs(self) -> Space:
        """Space of the inputs."""
        return self.surrogate.inputs

    @property
    def outputs(self) -> Space:
        """Space of the outputs."""
        return self.surrogate.outputs

    @property
    def scale(self) -> Scale | None:
        """A surrogate has none of its own."""
        return None

    @property
    def structure(self) -> Structure:
        """That of the surrogate inside."""
        return structure_of(self.surrogate)

    @property
    def smooth(self) -> bool:
        """Whether the mean is the integral of its derivative; that of the surrogate inside."""
        return bool(getattr(self.surrogate, "smooth", True))

    @property
    def domain(self) -> EitherDomain:
        """The domain of the model, and the box of all runs, for it was calibrated there."""
        return EitherDomain(self.model.domain, Box.around(self.runs.x, 0.0, False))

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean ``[n, m]`` and its derivative ``[n, m, d]``, those of the model."""
        return self.model.predict(x)

    def jacobian(self, x: Floats) -> Floats:
        """Derivative of the mean ``[n, m, d]``, that of the model."""
        return self.model.jacobian(x)

    def run(self, x: Floats) -> Runs:
        """Mean as a model's answer, its deviation the calibrated one; rows outside the domain say so."""
        x = self.inputs.check(x, self.title)
        finite = np.asarray(np.isfinite(x).all(axis=1))
        posterior = self.posterior(np.where(finite[:, None], x, self.runs.x[:1]))
        status = np.where(finite, np.where(self.domain.contains(x), "ok", "outside"), "failed")
        told = {"ok": "", "outside": "outside the domain of the surrogate", "failed": "the input is not finite"}
        return Runs(posterior.mean, status, tuple(told[s] for s in status.tolist()), error_std=posterior.std)


def fit_on(surrogate: Surrogate, data: Data, rows: Any) -> Surrogate:
    """Fit on some of the rows; noise and jacobians only where there are any."""
    noise = data.noise_std[rows] if data.noise_std.any() else None
    slopes = None if data.jacobian is None else data.jacobian[rows]
    return surrogate.fit(data.x[rows], data.y[rows], noise, slopes)


def digest_of(*arrays: Any) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of arrays and texts, in order."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(array.encode() if isinstance(array, str) else np.ascontiguousarray(array).tobytes())
    return total.hexdigest()[:16]
