"""The contract of a transform: what is known of a response, told to a learner that cannot know it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.learn.learner import Data
from scalebridge.models import Posterior, Surrogate
from scalebridge.quantities import Floats, Space


class Inside(Protocol):
    """What a transform answers from: the fitted surrogate, or the next transform around it."""

    @property
    def smooth(self) -> bool:
        """Whether the mean is the integral of its derivative."""

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean ``[n, m]`` and its derivative ``[n, m, d]``."""

    def posterior(self, x: Floats) -> Posterior:
        """Posterior at ``x [n, d]``."""

    def contains(self, x: Floats) -> NDArray[np.bool_]:
        """Which of ``x [n, d]`` lie in the domain ``[n]``."""


class Step(ABC):
    """A transform fitted to runs: it leads data inwards and answers outwards.

    Attributes:
        inputs: space of the inputs inside.
        outputs: space of the outputs inside.
    """

    inputs: Space
    outputs: Space

    @property
    @abstractmethod
    def told(self) -> tuple[str, ...]:
        """What was found, in words, one line each."""

    @abstractmethod
    def inward(self, data: Data) -> Data:
        """The data that the inside learns from; jacobians of the runs are not led on."""

    @abstractmethod
    def predict(self, inside: Inside, x: Floats) -> tuple[Floats, Floats]:
        """Mean ``[n, m]`` and its derivative ``[n, m, d]``, by the chain rule."""

    @abstractmethod
    def posterior(self, inside: Inside, x: Floats) -> Posterior:
        """Posterior at ``x [n, d]``, of which `predict` gives the mean."""

    @abstractmethod
    def contains(self, inside: Inside, x: Floats) -> NDArray[np.bool_]:
        """Which of ``x [n, d]`` lie in the domain ``[n]``."""


class Transform(ABC):
    """What is known of a response, as options alone; `fit` looks at the runs."""

    @abstractmethod
    def fit(self, data: Data, inputs: Space, outputs: Space) -> Step:
        """Return what leads data of these spaces inwards.

        Raises:
            InputError: spaces or data to which it does not apply.
        """


@dataclass(frozen=True)
class Innermost:
    """A fitted surrogate as the inside of a step."""

    surrogate: Surrogate

    @property
    def smooth(self) -> bool:
        """Whether the mean is the integral of its derivative."""
        return bool(getattr(self.surrogate, "smooth", True))

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and derivative of the surrogate."""
        return self.surrogate.predict(x)

    def posterior(self, x: Floats) -> Posterior:
        """Posterior of the surrogate."""
        return self.surrogate.posterior(x)

    def contains(self, x: Floats) -> NDArray[np.bool_]:
        """The surrogate's domain."""
        return self.surrogate.domain.contains(x)


@dataclass(frozen=True)
class Around:
    """A step around its inside: itself an inside for the next step outwards."""

    step: Step
    inside: Inside

    @property
    def smooth(self) -> bool:
        """Whether the mean is the integral of its derivative."""
        return self.inside.smooth

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and derivative outside the step."""
        return self.step.predict(self.inside, x)

    def posterior(self, x: Floats) -> Posterior:
        """Posterior outside the step."""
        return self.step.posterior(self.inside, x)

    def contains(self, x: Floats) -> NDArray[np.bool_]:
        """Domain outside the step."""
        return self.step.contains(self.inside, x)


def around(steps: tuple[Step, ...], surrogate: Surrogate) -> Inside:
    """The surrogate inside all steps, the first of them outermost."""
    inside: Inside = Innermost(surrogate)
    for step in reversed(steps):
        inside = Around(step, inside)
    return inside


def columns_of(space: Space, name: str, owner: str) -> list[int]:
    """Columns of a variable ``"strain"`` or of one component ``"strain[1]"``.

    Raises:
        InputError: no such name.
    """
    names = [*space.component_names]
    if name in names:
        return [names.index(name)]
    start = 0
    for v in space:
        if v.name == name:
            return list(range(start, start + v.size))
        start += v.size
    raise InputError(f"{owner} names '{name}', which is none of the variables{did_you_mean(name, space.names)}")


def names_given(given: Any, owner: str) -> tuple[str, ...]:
    """A name or several as a tuple of names."""
    names = (given,) if isinstance(given, str) else tuple(given)
    if not all(isinstance(name, str) for name in names):
        raise InputError(f"{owner} got {given!r}; give names of variables.")
    return names
