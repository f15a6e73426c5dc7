"""What can be seen of data before anything is learned: size, noise, decades, steps, direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.learn.learner import Data
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.spread import same_rows
from scalebridge.quantities import Floats

# Rows at most for a first fit that learns the noise.
QUICK = 250
# Values that an input or an output takes at most, for it to count as a category or a step.
FEW = 8
# Rank correlation from which an output follows an input in one direction.
MONOTONE = 0.95


@dataclass(frozen=True)
class Shape:
    """Data at a glance.

    Args:
        rows, distinct: rows, and those with different inputs.
        inputs, outputs: columns.
        noise: deviation of values at equal inputs over that of all, the largest of the outputs; None if unknown.
        noise_by: ``"repeats"``, ``"fit"``, ``"declared"`` or empty.
        constant: no output varies.
        decades: by how many powers of ten the positive outputs range, the largest.
        categories: inputs that take few values.
        steps: outputs that take few values.
        directions: inputs along which an output rises or falls throughout.
    """

    rows: int
    distinct: int
    inputs: int
    outputs: int
    noise: float | None
    noise_by: str
    constant: bool
    decades: float
    categories: int
    steps: int
    directions: int

    def words(self) -> str:
        """The shape in a sentence without its full stop."""
        told = [f"{self.rows} rows of {_count(self.inputs, 'input')} and {_count(self.outputs, 'output')}"]
        if self.distinct < self.rows:
            told.append(f"{self.distinct} of them with inputs of their own")
        if self.noise is not None and self.noise_by:
            by = {"repeats": "seen at equal inputs", "fit": "by a first fit", "declared": "declared"}[self.noise_by]
            told.append(f"noise of about {100 * self.noise:.2g} % of the spread ({by})")
        if self.decades >= 2:
            told.append(f"outputs over {self.decades:.1f} decades")
        if self.categories:
            told.append(f"{_count(self.categories, 'input')} of few values")
        if self.steps:
            told.append(f"{_count(self.steps, 'output')} of few values")
        if self.directions:
            told.append(f"{_count(self.directions, 'input')} along which an output goes one way")
        return ", ".join(told)


def shape_of(data: Data, seed: int = 0) -> Shape:
    """Look at the data; a short fit learns the noise where no repeats and no declaration tell it."""
    n, labels = len(data), same_rows(data.x + 0.0)
    distinct, constant = int(labels.max()) + 1, bool((np.ptp(data.y, axis=0) <= 1e-12 * np.abs(data.y).max()).all())
    noise, by = (None, "") if constant else _noise(data, labels, seed)
    positive = (data.y > 0).all(axis=0)
    ranges = np.log10(data.y.max(axis=0)[positive] / data.y.min(axis=0)[positive])
    return Shape(
        rows=n,
        distinct=distinct,
        inputs=data.x.shape[1],
        outputs=data.y.shape[1],
        noise=noise,
        noise_by=by,
        constant=constant,
        decades=float(ranges.max(initial=0.0)),
        categories=_of_few_values(data.x),
        steps=_of_few_values(data.y),
        directions=_directions(data),
    )


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _of_few_values(columns: Floats) -> int:
    """Columns of two to few values, each of them several times."""
    counts = [len(np.unique(column)) for column in columns.T]
    return sum(1 < count <= min(FEW, len(columns) / 5) for count in counts)


def _directions(data: Data) -> int:
    from scipy.stats import rankdata

    if len(data) < 10:
        return 0
    x, y = (rankdata(side, axis=0) for side in (data.x, data.y))
    both = Scaling.of(x)(x).T @ Scaling.of(y)(y) / len(data)
    return int((np.abs(both).max(axis=1) >= MONOTONE).sum())


def _noise(data: Data, labels: np.ndarray, seed: int) -> tuple[float | None, str]:
    """Noise over the spread of the values, the largest of the outputs, and how it is known."""
    spread = Scaling.of(data.y).width
    if data.noise_std.any():
        return float(np.max(np.sqrt(np.mean(data.noise_std**2, axis=0)) / spread)), "declared"
    count = np.bincount(labels)
    free = len(labels) - len(count)
    if free >= 3:
        mean = np.stack([np.bincount(labels, column) / count for column in data.y.T], axis=1)
        within = np.sqrt(np.sum((data.y - mean[labels]) ** 2, axis=0) / free)
        # Copies of rows say nothing of noise.
        if (within > 1e-9 * spread).any():
            return float(np.max(within / spread)), "repeats"
    if len(count) < 20:
        return None, ""
    return _learned_noise(data, labels, seed), "fit"


def _learned_noise(data: Data, labels: np.ndarray, seed: int) -> float:
    """What a Gaussian process of some of the rows leaves unexplained."""
    from scalebridge.learn.sparse_gaussian_process import SparseGaussianProcess
    from scalebridge.quantities import Space

    first = np.unique(labels, return_index=True)[1]
    chosen = np.sort(np.random.default_rng(seed).permutation(first)[:QUICK])
    inputs, outputs = (Space({f"v{i}": "1" for i in range(v.shape[1])}) for v in (data.x, data.y))
    made = SparseGaussianProcess(inputs, outputs, iterations=20, seed=seed).fit(data.x[chosen], data.y[chosen])
    return float(np.max(made.state.noise))
