"""Learners that are tried on features of images: few rows, many columns that go together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.learner import Data
from scalebridge.models import Surrogate
from scalebridge.quantities import Space

FOREST = "forest"
# Directions of the features that a Gaussian process is given: more are not found from some dozens of specimens.
DIRECTIONS = 5
# Rows up to which a Gaussian process is tried.
FEW = 800

Builder = Callable[[Space, Space, int], Surrogate]


@dataclass(frozen=True)
class Candidate:
    """A learner on some of the features.

    Args:
        learner: what kind it is, in words.
        features: which set it is given, in words.
        columns: of the features ``[k]``.
        surrogate: not fitted, of these columns.
    """

    learner: str
    features: str
    columns: NDArray[np.int64]
    surrogate: Surrogate

    @property
    def label(self) -> str:
        """Learner and features, for people."""
        return f"{self.learner}, {self.features}"

    def of(self, data: Data) -> Data:
        """The data with this candidate's columns."""
        return Data(data.x[:, self.columns], data.y, data.noise_std, None)


def candidates(
    sets: Mapping[str, NDArray[np.int64]], inputs: Space, outputs: Space, rows: int, seed: int
) -> list[Candidate]:
    """Every learner that suits on every set of columns, forests first.

    Args:
        sets: columns of the inputs by the name of the set.
        inputs: all features.
        outputs: the property.
        rows: specimens there will be to learn from.
        seed: of the learners.
    """
    made = []
    for learner, build in BUILDERS.items():
        if learner == "Gaussian process" and rows > FEW:
            continue
        for name, columns in sets.items():
            space = Space([inputs.variables[k] for k in columns])
            made.append(Candidate(learner, name, columns, build(space, outputs, seed)))
    return made


def _forest(inputs: Space, outputs: Space, seed: int) -> Surrogate:
    from scalebridge.learn import RandomForest

    return RandomForest(inputs, outputs, features=1 / 3, seed=seed)


def _quantile_forest(inputs: Space, outputs: Space, seed: int) -> Surrogate:
    from scalebridge.learn import QuantileForest

    return QuantileForest(inputs, outputs, seed=seed)


def _ridge(inputs: Space, outputs: Space, seed: int) -> Surrogate:
    from sklearn.linear_model import RidgeCV

    from scalebridge.learn import ScikitLearn

    return ScikitLearn(inputs, outputs, estimator=RidgeCV(np.logspace(-2, 4, 13)), repeats=2, seed=seed)


def _least_squares(inputs: Space, outputs: Space, seed: int) -> Surrogate:
    from sklearn.cross_decomposition import PLSRegression

    from scalebridge.learn import ScikitLearn

    estimator = PLSRegression(min(2, inputs.size), scale=False)
    return ScikitLearn(inputs, outputs, estimator=estimator, repeats=2, seed=seed)


def _gaussian_process(inputs: Space, outputs: Space, seed: int) -> Surrogate:
    from scalebridge.learn import GaussianProcess, ReducedInputs

    # The trend taken for true: the features are many and compressed anyway, and it takes a quarter of the time.
    inside = GaussianProcess(inputs, outputs, noise="learned", trend="fitted", seed=seed)
    return ReducedInputs(inputs, outputs, learner=inside, components=min(DIRECTIONS, inputs.size), seed=seed)


BUILDERS: Mapping[str, Builder] = {
    FOREST: _forest,
    "quantile forest": _quantile_forest,
    "ridge regression": _ridge,
    "partial least squares": _least_squares,
    "Gaussian process": _gaussian_process,
}
