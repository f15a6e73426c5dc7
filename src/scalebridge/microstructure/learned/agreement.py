"""How a prediction agrees with a mask: Dice, precision and recall by class, and fractions set right by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Agreement:
    """Pixels by true class (row) and predicted class (column), one table per held-out group ``[g, k, k]``."""

    tables: Counts
    classes: tuple[str, ...]

    @property
    def pooled(self) -> Counts:
        """The table of all groups, ``[k, k]``."""
        return np.asarray(self.tables.sum(axis=0))

    @property
    def precision(self) -> Counts:
        """Share of the pixels called a class that are of it, ``[k]``; NaN where nothing is called so."""
        return _ratio(np.diagonal(self.pooled), self.pooled.sum(axis=0))

    @property
    def recall(self) -> Counts:
        """Share of the pixels of a class that are called so, ``[k]``; NaN where a class is absent."""
        return _ratio(np.diagonal(self.pooled), self.pooled.sum(axis=1))

    @property
    def dice(self) -> Counts:
        """Dice coefficient of each class over all groups, ``[k]``: ``2 |A and B| / (|A| + |B|)``."""
        return dice(self.pooled)

    @property
    def dice_by_group(self) -> Counts:
        """The same for each group, ``[g, k]``."""
        return np.stack([dice(table) for table in self.tables])

    def describe(self) -> str:
        """Return Dice, precision and recall of each class, in one line."""
        rows = zip(self.classes, self.dice, self.precision, self.recall, strict=True)
        return "; ".join(f"{n}: Dice {d:.3f}, precision {p:.3f}, recall {r:.3f}" for n, d, p, r in rows)


def table(truth: NDArray[np.int16], found: NDArray[np.int16], classes: int) -> Counts:
    """Return the pixels by true (row) and predicted class (column), ``[k, k]``; unmarked pixels (-1) do not count."""
    marked = truth >= 0
    joint = truth[marked].astype(np.int64) * classes + found[marked]
    return np.bincount(joint, minlength=classes**2).reshape(classes, classes).astype(np.float64)


def dice(counts: Counts) -> Counts:
    """Return the Dice coefficient of each class of a table ``[k, k]``; NaN where it is neither there nor called."""
    return _ratio(2 * np.diagonal(counts), np.asarray(counts.sum(axis=0) + counts.sum(axis=1)))


def _ratio(top: Counts, bottom: Counts) -> Counts:
    return np.asarray(np.divide(top, bottom, out=np.full(len(bottom), np.nan), where=bottom > 0))


def corrected(called: Counts, counts: Counts) -> Counts:
    """Return the true fractions behind the fractions that a classifier called, ``[k]``.

    Solves ``called = P(called | true)^T true`` under non-negative fractions of sum one, with the rates of a table of
    held-out pixels (Forman's adjusted count, 2008; in medicine Rogan and Gladen's estimator, 1978).
    """
    from scipy.optimize import nnls

    rates = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-12)
    # A row of large weight keeps the sum at one.
    system = np.vstack([rates.T, np.full((1, len(called)), 100.0)])
    found, _ = nnls(system, np.append(called, 100.0))
    return np.asarray(found / max(found.sum(), 1e-12))


def fraction_deviation(called: Counts, tables: Counts) -> Counts:
    """Return the deviation of corrected fractions ``[k]``, from what other groups than each would have said of it.

    Each held-out group's fractions are corrected with the table of the others and compared with its truth; a single
    group is compared without correction.
    """
    errors = []
    for k, own in enumerate(tables):
        others = np.delete(tables, k, axis=0).sum(axis=0) if len(tables) > 1 else np.diag(own.sum(axis=1))
        total = max(own.sum(), 1.0)
        errors.append(corrected(own.sum(axis=0) / total, others) - own.sum(axis=1) / total)
    return np.asarray(np.sqrt(np.mean(np.square(errors), axis=0)))


def stack(tables: Sequence[Counts], classes: tuple[str, ...]) -> Agreement:
    """Return the agreement over groups."""
    return Agreement(np.stack(tables), classes)
