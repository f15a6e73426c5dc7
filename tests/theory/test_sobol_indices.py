"""Sobol indices and Shapley effects against what is known exactly, for inputs that go together too."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.explain import Copula, sobol_indices
from scalebridge.explain.sobol import Indices
from tests.explain.cases import Known, correlated

ERRORS = 4.0


def ishigami() -> Known:
    return Known(
        lambda x: np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]), 3, -np.pi, np.pi
    )


def linear(coefficients: np.ndarray) -> Known:
    return Known(lambda x: x @ coefficients, len(coefficients))


def exact(coefficients: np.ndarray, covariance: np.ndarray) -> dict[str, np.ndarray]:
    """First and total indices and Shapley effects of a linear response of normal inputs, by conditioning."""
    d, variance = len(coefficients), coefficients @ covariance @ coefficients

    def left(unknown: list[int]) -> float:
        """Variance that stays when all but these are known."""
        known = [i for i in range(d) if i not in unknown]
        if not unknown:
            return 0.0
        block = covariance[np.ix_(unknown, unknown)]
        if known:
            beside = covariance[np.ix_(unknown, known)]
            block = block - beside @ np.linalg.solve(covariance[np.ix_(known, known)], beside.T)
        return float(coefficients[unknown] @ block @ coefficients[unknown])

    effects = np.zeros(d)
    orders = list(permutations(range(d)))
    for order in orders:
        for place, i in enumerate(order):
            effects[i] += (left(sorted(order[: place + 1])) - left(sorted(order[:place]))) / len(orders)
    everything = list(range(d))
    return {
        "first": np.array([1 - left([j for j in everything if j != i]) / variance for i in everything]),
        "total": np.array([left([i]) / variance for i in everything]),
        "shapley": effects / variance,
    }


def assert_near(found: Indices, name: str, expected: np.ndarray, slack: float) -> None:
    """Within four standard errors, and these small."""
    value, error = np.array(getattr(found, name)), np.array(getattr(found, f"{name}_error"))
    assert (error < slack).all()
    assert (np.abs(value - expected) <= ERRORS * error + 1e-3 * slack).all(), (value, expected, error)


def test_indices_of_the_ishigami_function_are_those_known() -> None:
    found = sobol_indices(ishigami(), points=2048, seed=3)
    assert_near(found, "first", np.array([0.3139, 0.4424, 0.0]), 0.01)
    assert_near(found, "total", np.array([0.5576, 0.4424, 0.2437]), 0.01)
    # Of independent inputs an interaction is shared evenly.
    assert_near(found, "shapley", np.array([0.3139 + 0.12185, 0.4424, 0.12185]), 0.01)
    assert found.variance == pytest.approx(13.8446, rel=0.01)


def test_salib_gives_the_same_indices_of_independent_inputs() -> None:
    pytest.importorskip("SALib")
    ours, theirs = sobol_indices(ishigami(), shapley=False, seed=1), sobol_indices(ishigami(), engine="salib", seed=1)
    assert np.allclose(ours.first, theirs.first, atol=0.05)
    assert np.allclose(ours.total, theirs.total, atol=0.05)
    assert theirs.engine == "SALib"


@pytest.mark.parametrize("rho", [-0.7, 0.0, 0.5, 0.9])
def test_indices_of_a_linear_response_of_correlated_normal_inputs_are_exact(rho: float) -> None:
    coefficients = np.array([1.0, -2.0, 0.5])
    std = np.array([1.0, 0.5, 2.0])
    covariance = np.array([[1, rho, 0.2], [rho, 1, 0.0], [0.2, 0, 1]]) * np.outer(std, std)
    found = sobol_indices(linear(coefficients), Copula.normal(np.zeros(3), covariance), seed=2)
    for name, value in exact(coefficients, covariance).items():
        assert_near(found, name, value, 0.02)


def test_shapley_effects_are_those_published_for_three_correlated_inputs() -> None:
    # B. Iooss and C. Prieur (2019), linear response of x1, and of x2 and x3 with deviations 1 and s, correlation r.
    r, s = 0.8, 2.0
    covariance = np.array([[1, 0, 0], [0, 1, r * s], [0, r * s, s * s]])
    variance = 1 + 1 + s * s + 2 * r * s
    common = r * s + r * r * (s * s - 1) / 2
    expected = np.array([1, 1 + common, s * s + common - r * r * (s * s - 1)]) / variance
    found = sobol_indices(linear(np.ones(3)), Copula.normal(np.zeros(3), covariance), seed=0)
    assert_near(found, "shapley", expected, 0.02)
    assert sum(found.shapley) == pytest.approx(1)


def test_shapley_effects_by_random_orders_agree_with_all_subsets(monkeypatch: pytest.MonkeyPatch) -> None:
    coefficients, covariance = np.array([1.0, 2.0, 0.5, -1.0]), 0.4 + 0.6 * np.eye(4)
    monkeypatch.setattr("scalebridge.explain.sobol.ALL_SUBSETS", 2)
    found = sobol_indices(linear(coefficients), Copula.normal(np.zeros(4), covariance), points=512, seed=0)
    # Every replicate takes other orders, so that their scatter is in the standard error.
    assert_near(found, "shapley", exact(coefficients, covariance)["shapley"], 0.03)
    assert sum(found.shapley) == pytest.approx(1)


def test_polynomial_chaos_and_sampling_agree_on_its_own_response() -> None:
    x = np.random.default_rng(0).uniform(-np.pi, np.pi, (400, 3))
    fitted = sb.learn.PolynomialChaos(ishigami().inputs, ishigami().outputs).fit(x, ishigami().run(x).values)
    first, total = fitted.sobol_indices()
    found = sobol_indices(fitted, shapley=False, seed=4)
    assert_near(found, "first", first[0], 0.01)
    assert_near(found, "total", total[0], 0.01)
    assert np.allclose(first[0], [0.3139, 0.4424, 0.0], atol=0.02)


def test_inputs_taken_together_have_one_index() -> None:
    found = sobol_indices(ishigami(), together={"both": ["x1", "x3"]}, seed=0)
    assert found.labels == ("both", "x2")
    assert_near(found, "first", np.array([0.3139 + 0.2437, 0.4424]), 0.02)


def test_a_table_of_inputs_is_a_law() -> None:
    x = correlated(4000, 0.8, seed=1)
    found = sobol_indices(linear(np.array([1.0, 0.0])), x, seed=0)
    assert found.first[1] == pytest.approx(0.64, abs=0.04)
    assert found.total[1] == pytest.approx(0.0, abs=1e-9)
