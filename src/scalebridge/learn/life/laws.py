"""Laws of the error of a location-scale model, by their logarithms, so that far tails do not underflow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats

EULER = 0.5772156649015329


class Law(ABC):
    """A standard error z with density f: location 0, scale 1 (not mean 0 and deviation 1 where it is skew)."""

    mean: float
    std: float

    @abstractmethod
    def log_density(self, z: Floats) -> tuple[Floats, Floats, Floats]:
        """``log f`` and its first two derivatives, each of the shape of ``z``."""

    @abstractmethod
    def log_below(self, z: Floats) -> Floats:
        """Logarithm of the probability of a value of at most ``z``."""

    @abstractmethod
    def log_above(self, z: Floats) -> Floats:
        """Logarithm of the probability of a value above ``z``."""

    @abstractmethod
    def quantile(self, p: Floats) -> Floats:
        """The value below which the share ``p`` lies."""


@dataclass(frozen=True)
class Normal(Law):
    """Normal errors; of the logarithm of a life: a log-normal life."""

    mean, std = 0.0, 1.0

    def log_density(self, z: Floats) -> tuple[Floats, Floats, Floats]:
        """``-z^2/2 - log(2 pi)/2``."""
        return -0.5 * z**2 - 0.5 * np.log(2 * np.pi), -z, -np.ones_like(z)

    def log_below(self, z: Floats) -> Floats:
        """By SciPy's ``log_ndtr``."""
        from scipy.special import log_ndtr

        return np.asarray(log_ndtr(z), dtype=np.float64)

    def log_above(self, z: Floats) -> Floats:
        """By symmetry."""
        return self.log_below(-z)

    def quantile(self, p: Floats) -> Floats:
        """By SciPy's ``ndtri``."""
        from scipy.special import ndtri

        return np.asarray(ndtri(p), dtype=np.float64)


@dataclass(frozen=True)
class SmallestValue(Law):
    """Gumbel's law of the smallest value; of the logarithm of a life: a Weibull life, the weakest link fails first."""

    mean, std = -EULER, float(np.pi / np.sqrt(6))

    def log_density(self, z: Floats) -> tuple[Floats, Floats, Floats]:
        """``z - exp(z)``."""
        e = np.exp(np.minimum(z, 700.0))
        return z - e, 1 - e, -e

    def log_below(self, z: Floats) -> Floats:
        """``log(1 - exp(-exp(z)))``."""
        e = np.exp(np.minimum(z, 700.0))
        with np.errstate(divide="ignore"):
            # Below -30, exp(z) is all that is left; log of it is z itself.
            return np.where(z < -30, z, np.log(-np.expm1(-e)))

    def log_above(self, z: Floats) -> Floats:
        """``-exp(z)``."""
        return -np.exp(np.minimum(z, 700.0))

    def quantile(self, p: Floats) -> Floats:
        """``log(-log(1 - p))``."""
        return np.log(-np.log1p(-p))


@dataclass(frozen=True)
class LargestValue(Law):
    """Gumbel's law of the largest value: the mirror image of `SmallestValue`."""

    mean, std = EULER, float(np.pi / np.sqrt(6))

    def log_density(self, z: Floats) -> tuple[Floats, Floats, Floats]:
        """``-z - exp(-z)``."""
        value, first, second = SmallestValue().log_density(-z)
        return value, -first, second

    def log_below(self, z: Floats) -> Floats:
        """``-exp(-z)``."""
        return SmallestValue().log_above(-z)

    def log_above(self, z: Floats) -> Floats:
        """``log(1 - exp(-exp(-z)))``."""
        return SmallestValue().log_below(-z)

    def quantile(self, p: Floats) -> Floats:
        """``-log(-log p)``."""
        return -np.log(-np.log(p))


LAWS: dict[str, Law] = {
    "normal": Normal(),
    "lognormal": Normal(),
    "weibull": SmallestValue(),
    "smallest": SmallestValue(),
    "largest": LargestValue(),
}


def law_named(name: str) -> Law:
    """The law of a name; raise `InputError` with the names that are known."""
    if name not in LAWS:
        raise InputError(f"The law '{name}' of the error is not known{did_you_mean(str(name), LAWS)}")
    return LAWS[name]
