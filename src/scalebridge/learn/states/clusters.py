"""Clusters of states: which are alike, and which rows stand for the rest."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError
from scalebridge.learn.learner import least, one_of
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.states.checked import checked_states
from scalebridge.quantities import Floats

TITLE = "The clustering"
METHODS = ("k_means", "gaussian_mixture")
# Rows of which the silhouette is taken at most: it compares all pairs.
SILHOUETTE = 2000


@dataclass(frozen=True)
class Clustering:
    """States in clusters. It is a function from states to labels, as `Conformal` takes one for its groups.

    Args:
        labels: ``[b]``, cluster of each row that it was found from, from 0; the largest cluster first.
        centres: ``[k, d]``, in the units of the states.
        representatives: ``[k]``, the row nearest to each centre: of its cluster, the one whose squared distances to
            the others have the least sum (medoid).
        shares: ``[k]``, share of the rows in each cluster: how many each representative stands for.
        scaling: of the columns; distances are taken in it.
        roots: ``[k, d, d]``, roots of the precision of each cluster in scaled columns; the unit matrix for k-means.
        offsets: ``[k]``, logarithm of each cluster's weight and volume; zero for k-means.
        criterion: ``[count, score]`` of each number of clusters that was tried, the best chosen: the silhouette
            (greater is better) or the Bayesian information criterion (smaller is better).
    """

    labels: NDArray[np.int64]
    centres: Floats
    representatives: NDArray[np.int64]
    shares: Floats
    scaling: Scaling
    roots: Floats
    offsets: Floats
    criterion: Floats

    def __len__(self) -> int:
        return len(self.centres)

    def __call__(self, x: ArrayLike) -> NDArray[np.int64]:
        """Labels ``[n]``, as `label`."""
        return self.label(x)

    def label(self, x: ArrayLike) -> NDArray[np.int64]:
        """Cluster ``[n]`` of states ``x [n, d]``: the nearest centre, or the likeliest component."""
        at = self.scaling(checked_states(TITLE, x, self.centres.shape[1]))
        centres = self.scaling(self.centres)
        likely = [
            offset - 0.5 * np.square((at - centre) @ root).sum(axis=1)
            for centre, root, offset in zip(centres, self.roots, self.offsets, strict=True)
        ]
        labels: NDArray[np.int64] = np.argmax(np.stack(likely, axis=1), axis=1).astype(np.int64)
        return labels


@dataclass(frozen=True)
class Clusters:
    """How to cluster states, by scikit-learn, on columns of unit deviation.

    Args:
        n_clusters: how many, or ``"auto"``: the number up to ``most`` with the greatest silhouette for
            ``"k_means"`` (which tells two clusters from three, never from one) and the least Bayesian information
            criterion for ``"gaussian_mixture"`` (one cluster among them).
        method: ``"k_means"``, compact clusters; ``"gaussian_mixture"``, each of its own shape.
        most: clusters that ``"auto"`` tries.
        seed: of the beginnings.

    Raises:
        InputError: an unknown method, a number that is none.

    Source: P. J. Rousseeuw, Silhouettes, J. Comput. Appl. Math. 20 (1987) 53-65; G. Schwarz, Estimating the dimension
    of a model, Ann. Stat. 6 (1978) 461-464.
    """

    n_clusters: int | str = "auto"
    method: str = "k_means"
    most: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        one_of(TITLE, "method", self.method, METHODS)
        least(TITLE, "most", self.most, 2)
        if isinstance(self.n_clusters, str):
            one_of(TITLE, "n_clusters", self.n_clusters, ("auto", "a whole number of at least 1"))
        elif isinstance(self.n_clusters, bool) or self.n_clusters != int(self.n_clusters) or self.n_clusters < 1:
            raise InputError(f'{TITLE} got n_clusters = {self.n_clusters!r}; give a whole number or "auto".')

    def fit(self, x: ArrayLike) -> Clustering:
        """Cluster states ``x [b, d]``.

        Raises:
            InputError: text, values that are not finite, fewer different rows than clusters.
        """
        states = checked_states(TITLE, x)
        scaling = Scaling.of(states)
        at = scaling(states)
        different = len(np.unique(at, axis=0))
        if not isinstance(self.n_clusters, str) and different < self.n_clusters:
            raise InputError(
                f"{TITLE} got {different} different rows for {self.n_clusters} clusters; give more rows or ask for at "
                f"most {different} clusters."
            )
        fewest = 2 if self.method == "k_means" else 1
        counts = (
            range(min(fewest, different), min(self.most, different - 1) + 1)
            if isinstance(self.n_clusters, str)
            else [int(self.n_clusters)]
        ) or [1]
        tried = [self._tried(at, count, len(counts) > 1) for count in counts]
        scores = np.array([score for _, score in tried])
        best = int(np.argmax(scores) if self.method == "k_means" else np.argmin(scores))
        criterion = np.stack([np.array(counts, dtype=np.float64), scores], axis=1)
        return _described(tried[best][0], states, scaling, criterion)

    def _tried(self, at: Floats, count: int, scored: bool) -> tuple[Any, float]:
        """A fitted estimator and its criterion."""
        if self.method == "gaussian_mixture":
            from sklearn.mixture import GaussianMixture

            # Scaled columns: a cluster in a plane, or of one row, keeps a little width.
            options = {"n_init": 3, "reg_covar": 1e-6, "max_iter": 500, "random_state": self.seed}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # One row alone is taken twice: scikit-learn asks for two.
                mixture = GaussianMixture(count, **options).fit(at if len(at) > 1 else np.repeat(at, 2, axis=0))
            return mixture, float(mixture.bic(at))
        from sklearn.cluster import KMeans
        from sklearn.metrics import silhouette_score

        found = KMeans(count, n_init=10, random_state=self.seed).fit(at)
        if not scored or count == 1:
            return found, 0.0
        some = np.sort(np.random.default_rng(self.seed).permutation(len(at))[:SILHOUETTE])
        apart = len(np.unique(found.labels_[some])) > 1
        return found, float(silhouette_score(at[some], found.labels_[some])) if apart else -1.0


def _described(found: Any, states: Floats, scaling: Scaling, criterion: Floats) -> Clustering:
    """The clusters that hold rows, the largest first."""
    at = scaling(states)
    mixture = hasattr(found, "means_")
    centres = found.means_ if mixture else found.cluster_centers_
    k, d = centres.shape
    roots = found.precisions_cholesky_ if mixture else np.broadcast_to(np.eye(d), (k, d, d))
    diagonal = np.diagonal(roots, axis1=1, axis2=2)
    offsets = np.log(found.weights_) + np.log(diagonal).sum(axis=1) if mixture else np.zeros(k)
    none, no_rows = np.zeros(0), np.zeros(0, dtype=np.int64)
    given = Clustering(no_rows, scaling.back(centres), no_rows, none, scaling, roots, offsets, criterion)
    counts = np.bincount(given.label(states), minlength=k)
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    kept = replace(given, centres=given.centres[order], roots=np.array(roots[order]), offsets=offsets[order])
    labels = kept.label(states)
    members = [np.flatnonzero(labels == c) for c in range(len(order))]
    medoids = [rows[np.argmin(np.square(at[rows] - at[rows].mean(axis=0)).sum(axis=1))] for rows in members]
    shares = np.array([len(rows) for rows in members]) / len(states)
    return replace(kept, labels=labels, representatives=np.array(medoids, dtype=np.int64), shares=shares)
