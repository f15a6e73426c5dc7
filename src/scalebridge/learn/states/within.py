"""A surrogate that is trusted where states are like those it has seen, not in their whole box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

from scalebridge.errors import InputError
from scalebridge.learn.learner import checked
from scalebridge.learn.states.novelty import Novelty, NoveltyDomain
from scalebridge.models import Posterior, Runs, Scale, Structure, Surrogate, structure_of
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class Within:
    """A surrogate with another domain: states that are not new; see `scalebridge.models.Surrogate`.

    Its mean, derivative and posterior are those of the surrogate inside.

    Args:
        surrogate: any, unfitted.
        novelty: how new states are told.
        fitted: the states seen; set by `fit`.
    """

    surrogate: Surrogate
    novelty: Novelty = field(default_factory=Novelty)
    fitted: NoveltyDomain | None = field(default=None, kw_only=True, repr=False, compare=False)

    version = "1"

    @property
    def name(self) -> str:
        """Name of the surrogate inside, with what was done to it."""
        return f"within_{self.surrogate.name}"

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
    def certificate(self) -> Any:
        """What a calibration inside found."""
        return getattr(self.surrogate, "certificate", None)

    @property
    def domain(self) -> NoveltyDomain:
        """States that are not new.

        Raises:
            InputError: not fitted.
        """
        if self.fitted is None:
            raise InputError(f"{self.title} is not fitted; call fit(x, y) and use what it returns.")
        return self.fitted

    @property
    def data(self) -> tuple[Floats, Floats, Floats]:
        """The runs it was fitted on: ``x [b, d]``, ``y [b, m]``, ``noise_std [b, m]``."""
        return self.surrogate.data

    def identity(self) -> Mapping[str, str]:
        """Options, and what is inside."""
        inside = {f"inside_{k}": v for k, v in self.surrogate.identity().items()}
        settings = " ".join(f"{f.name}={getattr(self.novelty, f.name)!r}" for f in fields(self.novelty))
        return {"name": self.name, "version": self.version, "settings": settings, **inside}

    def fit(self, x: Floats, y: Floats, noise_std: Floats | None = None, jacobian: Floats | None = None) -> Self:
        """Return this surrogate fitted on ``x [b, d]``, ``y [b, m]``, the states ``x`` seen.

        Raises:
            InputError: runs that cannot be learned from, or too few for the rate of false alarms.
        """
        data = checked(self.title, self.inputs, self.outputs, x, y, noise_std, jacobian)
        noise = data.noise_std if data.noise_std.any() else None
        domain = self.novelty.fit(data.x)
        return replace(self, surrogate=self.surrogate.fit(data.x, data.y, noise, data.jacobian), fitted=domain)

    def posterior(self, x: Floats) -> Posterior:
        """Posterior at ``x [n, d]``, that of the surrogate inside."""
        return self.surrogate.posterior(x)

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean ``[n, m]`` and its exact derivative ``[n, m, d]``."""
        return self.surrogate.predict(x)

    def jacobian(self, x: Floats) -> Floats:
        """Derivative of the mean ``[n, m, d]``."""
        return self.surrogate.jacobian(x)

    def run(self, x: Floats) -> Runs:
        """Mean as a model's answer; states that are new say so."""
        x = self.inputs.check(x, self.title)
        runs, inside = self.surrogate.run(x), self.domain.contains(x)
        finite = np.asarray(np.isfinite(x).all(axis=1))
        status = np.where(finite, np.where(inside, "ok", "outside"), "failed")
        told = {"ok": "", "outside": "unlike the states seen", "failed": "the input is not finite"}
        return Runs(runs.values, status, tuple(told[s] for s in status.tolist()), error_std=runs.error_std)
