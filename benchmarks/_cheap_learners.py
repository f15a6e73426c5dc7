"""Learners that fit in a millisecond, for coverage over hundreds of repeats; deviations are rough on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

import scalebridge as sb


@dataclass(frozen=True)
class Told:
    """Mean and deviation ``[n, m]``, and draws ``[t, n, m]`` whose quantiles are meant, where there are any."""

    mean: np.ndarray
    std: np.ndarray
    draws: np.ndarray | None = None

    def quantile(self, p: float) -> np.ndarray:
        if self.draws is not None:
            return np.quantile(self.draws, p, axis=0)
        return self.mean + NormalDist().inv_cdf(p) * self.std


@dataclass(frozen=True)
class Cheap:
    """A regressor of scikit-learn and a rule for its deviations; of the contract, what calibration asks for.

    ``deviation(model, x, learned) -> Told``.
    """

    make: Callable[[], Any]
    told: Callable[[Any, np.ndarray, tuple[np.ndarray, np.ndarray]], Told]
    d: int
    m: int = 1
    known: tuple[Any, np.ndarray, np.ndarray] | None = None
    name: str = "cheap"

    @property
    def inputs(self) -> sb.Space:
        return sb.Space([sb.Variable("x", "1", (self.d,))])

    @property
    def outputs(self) -> sb.Space:
        return sb.Space([sb.Variable("y", "1", (self.m,))])

    @property
    def data(self) -> tuple[np.ndarray, ...]:
        _, x, y = self.known  # type: ignore[misc]
        return x, y, np.zeros_like(y)

    def identity(self) -> dict[str, str]:
        return {"name": self.name}

    def fit(self, x: np.ndarray, y: np.ndarray, noise_std: Any = None, jacobian: Any = None) -> Cheap:
        return replace(self, known=(self.make().fit(x, y if self.m > 1 else y[:, 0]), x, y))

    def posterior(self, x: np.ndarray) -> Told:
        model, *learned = self.known  # type: ignore[misc]
        return self.told(model, x, (learned[0], learned[1]))


def constant_deviation(model: Any, x: np.ndarray, learned: tuple[np.ndarray, np.ndarray]) -> Told:
    """The root mean square residual of what was learned, everywhere."""
    seen = model.predict(learned[0]).reshape(learned[1].shape)
    mean = model.predict(x).reshape(len(x), -1)
    return Told(mean, np.broadcast_to(np.sqrt(np.mean((seen - learned[1]) ** 2, axis=0)), mean.shape))


def neighbours_deviation(model: Any, x: np.ndarray, learned: tuple[np.ndarray, np.ndarray]) -> Told:
    """The scatter of the nearest neighbours' values."""
    values = learned[1][model.kneighbors(x, return_distance=False)]
    return Told(values.mean(axis=1), values.std(axis=1), values.swapaxes(0, 1))


def trees_deviation(model: Any, x: np.ndarray, learned: tuple[np.ndarray, np.ndarray]) -> Told:
    """The scatter of the trees' answers."""
    draws = np.stack([tree.predict(x).reshape(len(x), -1) for tree in model.estimators_])
    return Told(model.predict(x).reshape(len(x), -1), draws.std(axis=0), draws)


def ridge(d: int, m: int = 1) -> Cheap:
    from sklearn.linear_model import Ridge

    return Cheap(lambda: Ridge(1e-3), constant_deviation, d, m, name="ridge")


def neighbours(d: int, m: int = 1, count: int = 10) -> Cheap:
    from sklearn.neighbors import KNeighborsRegressor

    return Cheap(lambda: KNeighborsRegressor(count), neighbours_deviation, d, m, name="neighbours")


def forest(d: int, m: int = 1, trees: int = 10) -> Cheap:
    from sklearn.ensemble import RandomForestRegressor

    return Cheap(
        lambda: RandomForestRegressor(trees, min_samples_leaf=5, random_state=0), trees_deviation, d, m, name="forest"
    )
