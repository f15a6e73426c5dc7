"""Is a state unlike what was seen: a score, a p-value with an exact rate of false alarms, and a domain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError
from scalebridge.learn.learner import least, one_of
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.states.checked import checked_states
from scalebridge.quantities import Floats

TITLE = "The novelty"
METHODS = ("nearest", "mahalanobis", "isolation_forest", "local_outlier_factor")
# Directions in which the states vary by less than this part of their size are rounding.
ROUNDING = 1e-10
# Entries of the largest array over states and queries.
CHUNK = 4_000_000


class Detector(Protocol):
    """What a method leaves."""

    def score(self, x: Floats) -> Floats:
        """Strangeness ``[n]``, greater for stranger states ``x [n, d]``."""

    def p_value(self, x: Floats) -> Floats:
        """Share ``[n]`` of states that are at least as strange, the new one counted among them."""


@dataclass(frozen=True)
class NoveltyDomain:
    """States like those that were seen; a `scalebridge.models.Domain`.

    Args:
        seen: the states ``[b, d]``.
        alarms: states with a p-value up to this are new.
        detector: of the method.
    """

    seen: Floats
    alarms: float
    detector: Detector

    def score(self, x: ArrayLike) -> Floats:
        """Strangeness ``[n]`` of states ``x [n, d]`` in units of the method, infinite for what is not finite."""
        return self._told(x, "score", np.inf)

    def p_value(self, x: ArrayLike) -> Floats:
        """How likely a state that comes as the seen ones did is at least as strange as ``x [n, d]``, ``[n]``."""
        return self._told(x, "p_value", 0.0)

    def contains(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Which of ``x [n, d]`` are not new ``[n]``; a state that was seen is not."""
        states = checked_states(TITLE, x, self.seen.shape[1], finite=False)
        known = self.p_value(states) > self.alarms
        unsure = np.flatnonzero(~known & np.isfinite(states).all(axis=1))
        known[unsure] = [bool((self.seen == state).all(axis=1).any()) for state in states[unsure]]
        return known

    def _told(self, x: ArrayLike, what: str, otherwise: float) -> Floats:
        states = checked_states(TITLE, x, self.seen.shape[1], finite=False)
        finite, answer = np.isfinite(states).all(axis=1), np.full(len(states), otherwise)
        if finite.any():
            answer[finite] = getattr(self.detector, what)(states[finite])
        return answer


@dataclass(frozen=True)
class Novelty:
    """How to tell new states, built from options.

    Of states that come as the seen ones did (exchangeably: independent draws of one law, whatever it is), a share
    of at most ``alarms`` is called new, for any number of rows; of exactly that where ``alarms * (rows compared + 1)``
    is whole and no two scores are equal. The rate is over draws of the rows and the state together.

    Args:
        method: ``"nearest"``, the distance to the k-th nearest row; ``"mahalanobis"``, the distance from the mean in
            the metric of the covariance, each row compared with all others and the new one together; scikit-learn's
            ``"isolation_forest"`` or ``"local_outlier_factor"``, which an archive cannot hold. All but
            ``"mahalanobis"`` learn from one half of the rows and compare with the other.
        alarms: rate of false alarms.
        neighbours: k of ``"nearest"`` and of ``"local_outlier_factor"``; 1 and 20 by default.
        seed: of the halves and of the forest.

    Raises:
        InputError: an unknown method, a rate outside (0, 1).

    Source: V. Vovk, A. Gammerman and G. Shafer, Algorithmic Learning in a Random World (2005), conformal p-values;
    R. Laxhammar and G. Falkman, Inductive conformal anomaly detection (2015).
    """

    method: str = "nearest"
    alarms: float = 0.05
    neighbours: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        one_of(TITLE, "method", self.method, METHODS)
        if isinstance(self.alarms, bool) or not isinstance(self.alarms, int | float) or not 0 < self.alarms < 1:
            raise InputError(f"{TITLE} got alarms = {self.alarms!r}; give a rate between 0 and 1, as in 0.05.")
        if self.neighbours is not None:
            least(TITLE, "neighbours", self.neighbours, 1)

    @property
    def rows_compared(self) -> int:
        """The fewest rows to compare with for an alarm to be possible at this rate."""
        return max(1, math.ceil(1 / self.alarms - 1 - 1e-9))

    def fit(self, x: ArrayLike) -> NoveltyDomain:
        """Learn states ``x [b, d]``.

        Raises:
            InputError: text, values that are not finite, too few rows for the rate, with the number needed.
        """
        states = checked_states(TITLE, x).copy()
        b, d = states.shape
        learn_from = d + 2 if self.method == "mahalanobis" else (self.neighbours or 1) + 1
        needed = (
            max(self.rows_compared, learn_from) if self.method == "mahalanobis" else self.rows_compared + learn_from
        )
        if b < needed:
            raise InputError(
                f"{TITLE} got {b} rows of {d} columns, but '{self.method}' with {100 * self.alarms:g} % of false "
                f"alarms needs {needed}; give more rows, allow more alarms, or compress the columns (POD)."
            )
        if self.method == "mahalanobis":
            return NoveltyDomain(states, self.alarms, Leverages.of(states))
        order = np.random.default_rng(self.seed).permutation(b)
        compared = max(self.rows_compared, b // 2)
        # The rate is exact where alarms * (compared + 1) is whole: as few rows less as that takes.
        compared -= min((compared + 1) % (self.rows_compared + 1), compared - self.rows_compared)
        rows = states[order[compared:]]
        measure = self._measure(rows)
        return NoveltyDomain(states, self.alarms, Compared(measure, np.sort(measure(states[order[:compared]]))))

    def _measure(self, rows: Floats) -> Any:
        scaling = Scaling.of(rows)
        if self.method == "nearest":
            return NearestDistance(scaling, scaling(rows), self.neighbours or 1)
        if self.method == "isolation_forest":
            from sklearn.ensemble import IsolationForest

            return Estimated(scaling, IsolationForest(random_state=self.seed).fit(scaling(rows)))
        from sklearn.neighbors import LocalOutlierFactor

        count = min(self.neighbours or 20, len(rows) - 1)
        return Estimated(scaling, LocalOutlierFactor(n_neighbors=count, novelty=True).fit(scaling(rows)))


@dataclass(frozen=True)
class NearestDistance:
    """Distance to the ``neighbours``-th nearest of ``points [b, d]``, in scaled columns."""

    scaling: Scaling
    points: Floats
    neighbours: int

    def __call__(self, x: Floats) -> Floats:
        """Distances ``[n]``."""
        from scipy.spatial import cKDTree

        distance: Floats = cKDTree(self.points).query(self.scaling(x), k=[self.neighbours])[0][:, 0]
        return distance


@dataclass(frozen=True)
class Estimated:
    """The score of an estimator of scikit-learn, greater for stranger states."""

    scaling: Scaling
    estimator: Any

    def __call__(self, x: Floats) -> Floats:
        """Scores ``[n]``."""
        score: Floats = -self.estimator.score_samples(self.scaling(x))
        return score


@dataclass(frozen=True)
class Compared:
    """A measure, and its values at rows that it was not made from, rising ``[k]``."""

    measure: Any
    scores: Floats

    def score(self, x: Floats) -> Floats:
        """The measure ``[n]``."""
        score: Floats = self.measure(x)
        return score

    def p_value(self, x: Floats) -> Floats:
        """Share ``[n]`` of rows, the new one among them, that are at least as strange."""
        k = len(self.scores)
        p: Floats = (1 + k - np.searchsorted(self.scores, self.measure(x), side="left")) / (k + 1)
        return p


@dataclass(frozen=True)
class Leverages:
    """Mahalanobis distances of all rows and the new one from their common mean, in their common covariance.

    The distance of a row rises with its leverage in the table of them all, which a rank-one update gives.

    Args:
        centre: ``[d]``.
        whiten: ``[d, r]``, to coordinates in which the rows' scatter matrix is the unit matrix.
        across: ``[d, d - r]``, directions in which the rows do not vary.
        rows: the rows in these coordinates ``[b, r]``.
        size: ``[d]``, of the columns.
    """

    centre: Floats
    whiten: Floats
    across: Floats
    rows: Floats
    size: Floats

    @staticmethod
    def of(states: Floats) -> Leverages:
        """From rows ``[b, d]``."""
        centre, scaling = states.mean(axis=0), Scaling.of(states)
        apart = (states - centre) / scaling.width
        _, lengths, directions = np.linalg.svd(apart, full_matrices=True)
        r = int(np.sum(lengths > ROUNDING * max(float(lengths.max()), 1.0)))
        whiten = directions[:r].T / lengths[:r]
        return Leverages(centre, whiten, directions[r:].T, apart @ whiten, scaling.width)

    def score(self, x: Floats) -> Floats:
        """Mahalanobis distance ``[n]`` from the rows' mean; infinite off the plane in which they lie."""
        at, off = self._at(x)
        distance: Floats = np.sqrt(np.square(at).sum(axis=1) * max(len(self.rows) - 1, 1))
        return np.where(off, np.inf, distance)

    def p_value(self, x: Floats) -> Floats:
        """Share ``[n]`` of rows, the new one among them, that are at least as strange."""
        at, off = self._at(x)
        b, own = len(self.rows), np.square(self.rows).sum(axis=1) + 1 / len(self.rows)
        p, step = np.full(len(x), 1 / (b + 1)), max(1, CHUNK // b)
        for start in range(0, len(x), step):
            new = at[start : start + step]
            leverage = np.square(new).sum(axis=1) + 1 / b
            link = new @ self.rows.T + 1 / b
            # Of the table with the new row: h_i - (link_i)^2 / (1 + h), and h / (1 + h) of the new row itself.
            others = own - link**2 / (1 + leverage)[:, None]
            alike = others >= (leverage / (1 + leverage))[:, None] * (1 - 1e-12)
            p[start : start + step] = (1 + alike.sum(axis=1)) / (b + 1)
        return np.where(off, 1 / (b + 1), p)

    def _at(self, x: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Coordinates ``[n, r]``, and which lie off the plane."""
        apart = (x - self.centre) / self.size
        off = np.abs(apart @ self.across) > 1e-7 * (1 + np.abs(apart).max(axis=1, initial=0.0))[:, None]
        at: Floats = apart @ self.whiten
        return at, np.asarray(off.any(axis=1))
