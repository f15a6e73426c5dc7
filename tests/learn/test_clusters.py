"""Clusters of states: found again, labelled as scikit-learn does, stood for by medoids, groups of a calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import Conformal, GaussianProcess, PolynomialChaos, load, save
from scalebridge.learn.states.clusters import Clustering, Clusters

METHODS = ("k_means", "gaussian_mixture")


def heaps(b: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """States of three kinds in columns of very different size ``[b, 2]``, and their kinds."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, b, p=[0.5, 0.3, 0.2])
    centres = np.array([[0.0, 0.0], [6.0, 0.0], [3.0, 6.0]])
    return (centres[kind] + rng.standard_normal((b, 2)) * 0.6) * [1.0, 1e6], kind


@pytest.mark.parametrize("method", METHODS)
def test_three_heaps_are_found_without_being_told_how_many(method: str) -> None:
    x, kind = heaps()
    found = Clusters(method=method).fit(x)
    assert len(found) == 3
    # The largest first, as in `heaps`.
    np.testing.assert_array_equal(found.labels, kind)
    np.testing.assert_allclose(found.shares, np.bincount(kind) / len(x))
    best = found.criterion[:, 1].argmax() if method == "k_means" else found.criterion[:, 1].argmin()
    assert found.criterion[best, 0] == 3


def test_one_heap_is_one_cluster_of_a_mixture() -> None:
    assert len(Clusters(method="gaussian_mixture").fit(np.random.default_rng(0).standard_normal((200, 3)))) == 1


@pytest.mark.parametrize("method", METHODS)
def test_new_states_get_the_labels_that_scikit_learn_gives(method: str) -> None:
    from sklearn.cluster import KMeans
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(1)
    x, new = rng.standard_normal((150, 3)) ** 3, rng.standard_normal((400, 3)) ** 3
    found = Clusters(4, method).fit(x)
    scaled, at = (x - x.mean(axis=0)) / x.std(axis=0), (new - x.mean(axis=0)) / x.std(axis=0)
    peer = (
        KMeans(4, n_init=10, random_state=0)
        if method == "k_means"
        else GaussianMixture(4, n_init=3, reg_covar=1e-6, max_iter=500, random_state=0)
    ).fit(scaled)
    pairs = set(zip(peer.predict(at).tolist(), found.label(new).tolist(), strict=True))
    assert len(pairs) == len({theirs for theirs, _ in pairs}) == len({ours for _, ours in pairs}) > 1
    np.testing.assert_array_equal(found.label(x), found.labels)


def test_a_representative_is_the_medoid_of_its_cluster() -> None:
    x, _ = heaps(120)
    found = Clusters(3).fit(x)
    at = x / x.std(axis=0)
    for label, row in enumerate(found.representatives):
        members = np.flatnonzero(found.labels == label)
        total = ((at[members, None] - at[None, members]) ** 2).sum(axis=(1, 2))
        assert row == members[np.argmin(total)]


def test_a_mean_over_all_states_is_near_that_over_the_representatives_by_their_shares() -> None:
    x, _ = heaps(400)
    found = Clusters(3).fit(x)
    mean = found.shares @ x[found.representatives]
    assert (np.abs(mean - x.mean(axis=0)) < 0.1 * x.std(axis=0)).all()


@pytest.mark.parametrize("method", METHODS)
def test_the_same_states_give_the_same_clusters_twice_and_in_any_units(method: str) -> None:
    x, _ = heaps()
    first, again, other = (Clusters(method=method).fit(states) for states in (x, x, 2.0**10 * x))
    np.testing.assert_array_equal(first.centres, again.centres)
    np.testing.assert_array_equal(first.labels, other.labels)


@pytest.mark.parametrize("method", METHODS)
def test_few_equal_and_constant_rows_are_clustered(method: str) -> None:
    assert len(Clusters(method=method).fit(np.ones((1, 2)))) == 1
    assert len(Clusters(method=method).fit(np.ones((9, 2)))) == 1
    found = Clusters(2, method).fit(np.repeat([[0.0, 5.0], [1.0, 5.0]], [6, 3], axis=0))
    np.testing.assert_array_equal(found.labels, np.repeat([0, 1], [6, 3]))
    np.testing.assert_allclose(found.shares, [2 / 3, 1 / 3])


def steps(x: np.ndarray) -> np.ndarray:
    """A response with much scatter in one heap of states and little in the others ``[b, 1]``."""
    noisy = x[:, 1] > 3e6
    scatter = np.random.default_rng(len(x)).standard_normal(len(x))
    values: np.ndarray = np.sin(x[:, 0]) + np.where(noisy, 1.0, 0.03) * scatter
    return values[:, None]


@pytest.mark.theory
def test_as_groups_of_a_calibration_each_cluster_is_covered_at_the_level() -> None:
    inputs, outputs = sb.Space({"a": "1", "b": "Pa"}), sb.Space({"y": "1"})
    shares: dict[bool, list[list[float]]] = {True: [], False: []}
    for seed in range(8):
        x, _ = heaps(400, seed)
        new, kind = heaps(1000, 100 + seed)
        found = Clusters(3).fit(x)
        for grouped in (True, False):
            surrogate = PolynomialChaos(inputs, outputs, degree=5)
            made = Conformal(surrogate, score="absolute", method="split", groups=found if grouped else None)
            low, high = made.fit(x, steps(x)).posterior(new).interval()
            held = ((steps(new) >= low) & (steps(new) <= high))[:, 0]
            shares[grouped].append([float(held[kind == k].mean()) for k in range(3)])
    assert (np.abs(np.mean(shares[True], axis=0) - 0.9) < 0.04).all()
    # Without groups the heap with scatter is covered far too rarely.
    assert np.mean(shares[False], axis=0)[2] < 0.75


def test_a_calibration_with_clusters_as_groups_is_saved_and_loaded(tmp_path: Path) -> None:
    x, _ = heaps(120)
    inputs, outputs = sb.Space({"a": "1", "b": "Pa"}), sb.Space({"y": "1"})
    made = Conformal(GaussianProcess(inputs, outputs), method="split", groups=Clusters(2).fit(x)).fit(x, steps(x))
    save(made, tmp_path / "surrogate")
    loaded = load(tmp_path / "surrogate")
    assert isinstance(loaded.groups, Clustering)
    np.testing.assert_array_equal(loaded.posterior(x).interval()[0], made.posterior(x).interval()[0])


def test_options_and_states_that_cannot_be_used_are_refused_in_one_sentence() -> None:
    x, _ = heaps(20)
    for options, sentence in (
        ({"n_clusters": "many"}, "n_clusters = 'many'; valid: auto"),
        ({"n_clusters": 0}, "n_clusters = 0; give a whole number"),
        ({"n_clusters": 2.5}, "n_clusters = 2.5"),
        ({"method": "ward"}, "method = 'ward'; valid: k_means, gaussian_mixture"),
        ({"most": 1}, "most = 1"),
    ):
        with pytest.raises(sb.InputError, match=sentence):
            Clusters(**options)
    with pytest.raises(sb.InputError, match="got 2 different rows for 3 clusters"):
        Clusters(3).fit(np.repeat(x[:2], 5, axis=0))
    spoilt = x.copy()
    spoilt[4, 1] = np.inf
    with pytest.raises(sb.InputError, match="inf in row 4, column 1"):
        Clusters().fit(spoilt)
    with pytest.raises(sb.InputError, match="not numbers"):
        Clusters().fit(np.full((3, 2), "warm"))
    with pytest.raises(sb.InputError, match=r"shape \(0, 2\)"):
        Clusters().fit(x[:0])
    with pytest.raises(sb.InputError, match="2 columns as it was fitted on"):
        Clusters(2).fit(x).label(x[:, :1])
