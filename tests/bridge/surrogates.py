"""Surrogates that are wrong on purpose: of themselves (deviation) or of the model (mean)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from scalebridge.learn import GaussianProcess
from scalebridge.models import structure_of


@dataclass(frozen=True)
class WrongPosterior:
    """A posterior with its mean times ``factor`` and its deviation divided by ``sureness``."""

    base: Any
    factor: float
    sureness: float

    @property
    def mean(self) -> Any:
        return self.factor * self.base.mean

    @property
    def std(self) -> Any:
        return self.base.std / self.sureness

    @property
    def blocks(self) -> Any:
        return self.base.blocks / self.sureness**2

    def functional(self, weights: Any) -> Any:
        told = self.base.functional(weights)
        cov = told.cov / self.sureness**2
        return replace(told, mean=self.factor * told.mean, std=told.std / self.sureness, cov=cov)

    def reduction(self, *arguments: Any, **options: Any) -> Any:
        return self.base.reduction(*arguments, **options) / self.sureness**2


@dataclass(frozen=True)
class Wrong:
    """A surrogate whose mean is off by a factor and whose deviation is too small, however often it is refitted."""

    base: Any
    factor: float = 1.0
    sureness: float = 1.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.base, name)

    def fit(self, *arguments: Any, **options: Any) -> Wrong:
        return replace(self, base=self.base.fit(*arguments, **options))

    def predict(self, x: Any) -> tuple[Any, Any]:
        values, slope = self.base.predict(x)
        return self.factor * values, self.factor * slope

    def posterior(self, x: Any) -> WrongPosterior:
        return WrongPosterior(self.base.posterior(x), self.factor, self.sureness)


def process_for(macro: Any, micro: Any) -> GaussianProcess:
    """The unfitted Gaussian process that a solve would make for itself."""
    return GaussianProcess(macro.closure_inputs, macro.closure_outputs, structure_of(micro))
