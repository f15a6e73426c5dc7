"""Proper orthogonal decomposition: optimality, weights, known decay, what is missed of new fields, refusals."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn.pod import POD


def heat(times: np.ndarray, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Heat equation on [0, 1] from u = x (1 - x) with cold ends, by its Fourier series; fields and cell volumes."""
    x, k = (np.arange(n) + 0.5) / n, np.arange(1, 60, 2)
    series = 8 / (np.pi * k) ** 3 * np.exp(-((np.pi * k) ** 2) * times[:, None])
    fields: np.ndarray = series @ np.sin(np.pi * np.outer(k, x))
    return fields, np.full(n, 1 / n)


def shocks(b: int, seed: int, n: int = 300) -> np.ndarray:
    """Exact travelling shocks of Burgers' equation of random viscosity and time ``[b, n]``."""
    nu, t = np.random.default_rng(seed).uniform([0.01, 0], [0.1, 1], (b, 2)).T[:, :, None]
    fields: np.ndarray = 0.5 * (1 - np.tanh((np.linspace(-0.5, 1.5, n) - t / 2) / (4 * nu)))
    return fields


def test_what_is_compressed_with_all_modes_comes_back() -> None:
    fields = np.random.default_rng(0).standard_normal((9, 40)) + 3.0
    found = POD(energy=1.0).fit(fields)
    assert len(found.modes) == 8  # The mean takes one direction.
    np.testing.assert_allclose(found.reconstruct(found.compress(fields)), fields, atol=1e-12)
    np.testing.assert_allclose(found.error(fields), 0.0, atol=1e-12)
    np.testing.assert_allclose(found.energies.sum(), 1.0)


@pytest.mark.parametrize("shape", [(12, 200), (200, 12), (30, 30)])
def test_modes_are_the_principal_components_for_few_and_for_many_snapshots(shape: tuple[int, int]) -> None:
    from sklearn.decomposition import PCA

    fields = np.random.default_rng(1).standard_normal(shape) * np.geomspace(1, 1e-3, shape[1])
    found, wanted = POD(n_modes=5).fit(fields), PCA(5, svd_solver="full").fit(fields)
    np.testing.assert_allclose(np.abs(found.modes @ wanted.components_.T), np.eye(5), atol=1e-8)
    np.testing.assert_allclose(found.spread**2 * shape[0] / (shape[0] - 1), wanted.explained_variance_, rtol=1e-10)
    np.testing.assert_allclose(found.energies[:5], wanted.explained_variance_ratio_, rtol=1e-10)


def test_short_modes_keep_their_digits_where_a_gram_matrix_loses_them() -> None:
    rng = np.random.default_rng(2)
    left, right = (np.linalg.qr(rng.standard_normal((size, 8)))[0] for size in (60, 5000))
    left = np.linalg.qr(left - left.mean(axis=0))[0]
    lengths = 10.0 ** -np.arange(8)
    found = POD(energy=1.0).fit(left * lengths @ right.T)
    np.testing.assert_allclose(found.spread * np.sqrt(60), lengths, rtol=1e-6)
    np.testing.assert_allclose(np.abs(found.modes @ right), np.eye(8), atol=1e-6)


def test_modes_are_orthonormal_in_the_weighted_inner_product_and_optimal_in_it() -> None:
    fields, rng = shocks(40, 0), np.random.default_rng(3)
    weights = rng.uniform(0.1, 2.0, fields.shape[1])
    found, plain = POD(n_modes=4).fit(fields, weights), POD(n_modes=4).fit(fields)
    np.testing.assert_allclose((found.modes * weights) @ found.modes.T, np.eye(4), atol=1e-12)
    missed = [float(((fields - p.reconstruct(p.compress(fields))) ** 2 @ weights).sum()) for p in (found, plain)]
    assert missed[0] < missed[1]
    # The theorem: what is missed is the energy of the modes left out.
    np.testing.assert_allclose(missed[0], found.energies[4:].sum() * found.size**2 * 40, rtol=1e-9)


def test_a_component_without_weight_is_carried_along() -> None:
    fields = shocks(30, 0)
    weights = np.ones(fields.shape[1])
    weights[::2] = 0.0
    found = POD(energy=1.0).fit(fields, weights)
    np.testing.assert_allclose(found.reconstruct(found.compress(fields)), fields, atol=1e-6)


def test_modes_of_a_mesh_do_not_depend_on_its_refinement_with_the_cells_as_weights() -> None:
    times = np.linspace(0.0, 0.2, 30)
    coarse, fine = (POD(n_modes=3).fit(*heat(times, n)) for n in (200, 800))
    np.testing.assert_allclose(coarse.spread, fine.spread, rtol=1e-4)


def test_energies_of_heat_fall_as_its_fourier_series_does() -> None:
    found = POD(energy=1 - 1e-10).fit(*heat(np.linspace(0.01, 0.2, 60)))
    # Each mode is a hundredth of the one before or less, and mostly one sine.
    assert (found.energies[1:4] < 0.05 * found.energies[:3]).all()
    sines = np.sqrt(2) * np.sin(np.pi * np.outer([1, 3], (np.arange(400) + 0.5) / 400))
    assert abs(float(found.modes[0] @ sines[0]) / 400) > 0.99


def test_shocks_that_travel_need_many_modes_and_their_number_follows_the_energy() -> None:
    counts = [len(POD(energy=e).fit(shocks(80, 0)).modes) for e in (0.9, 0.99, 0.999, 0.9999)]
    assert counts == sorted(counts) and counts[0] >= 2 and counts[-1] >= 8


@pytest.mark.theory
@pytest.mark.parametrize("b", [15, 40, 120])
def test_the_error_of_new_fields_is_told_from_the_snapshots_alone(b: int) -> None:
    told, seen, true = [], [], []
    for seed in range(12):
        fields, new = shocks(b, seed), shocks(400, 1000 + seed)
        found = POD(n_modes=4).fit(fields)
        missed = new - found.reconstruct(found.compress(new))
        told.append(np.mean(found.truncation_std**2))
        true.append(np.mean(missed**2))
        seen.append(np.mean((fields - found.reconstruct(found.compress(fields))) ** 2))
    assert 0.75 < np.mean(told) / np.mean(true) < 1.6
    # The residual of the snapshots themselves says too little: that is why rows are left out.
    assert np.mean(seen) < 0.95 * np.mean(true)


def test_what_is_missed_is_correlated_as_its_leading_directions_say() -> None:
    fields, new = shocks(200, 0), shocks(2000, 7)
    found = POD(n_modes=4).fit(fields)
    missed = new - found.reconstruct(found.compress(new))
    told = found.lead.T @ found.lead + np.diag(found.rest)
    true = missed.T @ missed / len(new)
    assert np.linalg.norm(told - true) < 0.4 * np.linalg.norm(np.diag(np.diag(true)) - true)


def test_snapshots_of_one_label_are_left_out_together() -> None:
    fields = np.repeat(shocks(20, 0), 3, axis=0)
    apart, together = POD(n_modes=3).fit(fields), POD(n_modes=3).fit(fields, groups=np.repeat(np.arange(20), 3))
    assert together.left_out > 1.1 * apart.left_out


def test_more_modes_than_directions_are_as_many_as_there_are() -> None:
    assert len(POD(n_modes=50).fit(shocks(6, 0)).modes) == 5


def test_fields_that_are_all_the_same_have_no_modes_and_a_single_one_is_uncertain() -> None:
    same = POD().fit(np.tile(np.linspace(1, 2, 30), (5, 1)))
    assert same.modes.shape == (0, 30) and not same.truncation_std.any()
    np.testing.assert_allclose(
        same.reconstruct(same.compress(np.ones((2, 30)))), np.tile(np.linspace(1, 2, 30), (2, 1))
    )
    assert (POD().fit(np.ones((1, 30))).truncation_std > 1.0).all()


def test_the_same_snapshots_give_the_same_answer_twice_and_in_any_units() -> None:
    fields = shocks(30, 0)
    first, again, scaled = POD().fit(fields), POD().fit(fields), POD().fit(2.0**20 * fields)
    np.testing.assert_array_equal(first.modes, again.modes)
    np.testing.assert_allclose(scaled.modes, first.modes, atol=1e-10)
    np.testing.assert_allclose(scaled.truncation_std, 2.0**20 * first.truncation_std, rtol=1e-8)


def test_memory_beside_snapshots_and_modes_is_a_fraction_of_them() -> None:
    fields = np.random.default_rng(0).standard_normal((100, 100_000))
    tracemalloc.start()
    POD(n_modes=3).fit(fields)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Three modes, 32 leading directions of what they miss, mean, weights and parts: no copy of the snapshots.
    assert peak < 55 * 100_000 * 8


def test_a_memory_map_is_decomposed_where_it_lies(tmp_path: object) -> None:
    fields = shocks(20, 0)
    stored = np.memmap(f"{tmp_path}/fields", dtype=np.float64, mode="w+", shape=fields.shape)
    stored[...] = fields
    np.testing.assert_array_equal(POD().fit(stored).modes, POD().fit(fields).modes)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"energy": 0.0}, "energy = 0.0; give a share above 0 and at most 1"),
        ({"energy": 1.5}, "energy = 1.5"),
        ({"n_modes": 0}, "n_modes = 0"),
        ({"n_modes": 2.5}, "n_modes = 2.5; give a whole number"),
        ({"folds": 1}, "folds = 1"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(sb.InputError, match=sentence):
        POD(**options)  # type: ignore[arg-type]


def test_bad_snapshots_weights_and_labels_are_refused_in_one_sentence() -> None:
    fields = shocks(6, 0, 20)
    spoilt = fields.copy()
    spoilt[3, 7] = np.nan
    with pytest.raises(sb.InputError, match="got nan in row 3, component 7; values must be finite"):
        POD().fit(spoilt)
    with pytest.raises(sb.InputError, match="not numbers"):
        POD().fit(np.full((3, 3), "warm"))
    with pytest.raises(sb.InputError, match=r"shape \(20,\); it takes \[b, n\]"):
        POD().fit(fields[0])
    with pytest.raises(sb.InputError, match=r"shape \(0, 20\)"):
        POD().fit(fields[:0])
    with pytest.raises(sb.InputError, match=r"weights of shape \(3,\) for 20 components"):
        POD().fit(fields, np.ones(3))
    with pytest.raises(sb.InputError, match="at least zero"):
        POD().fit(fields, -np.ones(20))
    with pytest.raises(sb.InputError, match="groups of shape"):
        POD().fit(fields, groups=[1, 2])
    with pytest.raises(sb.InputError, match="rows of 19 values; it takes"):
        POD().fit(fields).compress(fields[:, 1:])
