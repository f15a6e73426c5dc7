"""Polynomial chaos: the contract, exact recovery, Sobol indices, calibration, orthonormality."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import qmc

import scalebridge as sb
from scalebridge.learn import PolynomialChaos
from scalebridge.learn.polynomials import Basis, hyperbolic
from scalebridge.models import Surrogate
from scalebridge.testing import check_model, check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn, held

SQUARE = sb.Space({"a": ("1", -2, 3), "b": ("K", 0, 1)})
ANGLES = sb.Space(dict.fromkeys("abc", ("rad", -np.pi, np.pi)))


def ishigami(x: np.ndarray) -> np.ndarray:
    """T. Ishigami and T. Homma (1990) with a = 7, b = 0.1."""
    return (np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))[:, None]


def angles(n: int, seed: int) -> np.ndarray:
    return np.pi * (2 * qmc.LatinHypercube(3, rng=seed).random(n) - 1)


@pytest.mark.parametrize("inputs", [INPUTS, SQUARE], ids=["without bounds", "with bounds"])
@pytest.mark.parametrize("outputs", [OUTPUTS, BOUNDED], ids=["free", "bounded"])
def test_it_keeps_the_contract_of_a_surrogate(inputs: sb.Space, outputs: sb.Space) -> None:
    check_surrogate(PolynomialChaos(inputs, outputs))


def test_a_fitted_one_is_a_model() -> None:
    x, y = drawn(40)
    fitted = PolynomialChaos(INPUTS, OUTPUTS).fit(x, y)
    assert isinstance(fitted, Surrogate)
    check_model(fitted, x)


@pytest.mark.parametrize("seed", range(3))
def test_the_sobol_indices_of_ishigami_are_found_from_200_runs(seed: int) -> None:
    x = angles(200, seed)
    fitted = PolynomialChaos(ANGLES, {"y": "1"}).fit(x, ishigami(x))
    first, total = fitted.sobol_indices()
    np.testing.assert_allclose(first[0], [0.3139, 0.4424, 0.0], atol=1e-3)
    np.testing.assert_allclose(total[0], [0.5576, 0.4424, 0.2437], atol=1e-3)


@pytest.mark.theory
def test_the_leave_one_out_error_is_the_error() -> None:
    new = np.random.default_rng(0).uniform(-np.pi, np.pi, (2000, 3))
    told, found = [], []
    for seed in range(6):
        x = angles(60, seed)
        fitted = PolynomialChaos(ANGLES, {"y": "1"}).fit(x, ishigami(x))
        told.append(float(fitted.errors[0]))
        found.append(float(np.mean((fitted.predict(new)[0] - ishigami(new)) ** 2) / ishigami(new).var()))
    ratio = np.exp(np.mean(np.log(told)) - np.mean(np.log(found)))
    assert 0.3 < ratio < 3.0


@pytest.mark.theory
def test_its_intervals_hold_what_they_say() -> None:
    new = np.random.default_rng(0).uniform(-np.pi, np.pi, (500, 3))
    share = []
    for seed in range(6):
        x = angles(60, seed)
        posterior = PolynomialChaos(ANGLES, {"y": "1"}).fit(x, ishigami(x)).posterior(new)
        share.append(np.mean(np.abs(ishigami(new) - posterior.mean) < 1.645 * posterior.std))
    assert 0.85 < np.mean(share) < 0.98
    assert (held(PolynomialChaos(INPUTS, OUTPUTS, degree=4).fit(*drawn(60))) > 0.85).all()


def test_a_polynomial_is_recovered_with_the_terms_it_has() -> None:
    rng = np.random.default_rng(0)
    x = np.stack([rng.uniform(-2, 3, 40), rng.uniform(0, 1, 40)], axis=1)
    y = (1.0 + 2 * x[:, 0] - x[:, 0] * x[:, 1] ** 2)[:, None]
    fitted = PolynomialChaos(SQUARE, {"y": "1"}, norm=1.0).fit(x, y)
    new = np.stack([rng.uniform(-2, 3, 50), rng.uniform(0, 1, 50)], axis=1)
    np.testing.assert_allclose(
        fitted.predict(new)[0][:, 0], 1.0 + 2 * new[:, 0] - new[:, 0] * new[:, 1] ** 2, rtol=1e-9
    )
    slope = np.stack([2 - new[:, 1] ** 2, -2 * new[:, 0] * new[:, 1]], axis=1)
    np.testing.assert_allclose(fitted.jacobian(new)[:, 0], slope, atol=1e-8)
    assert fitted.state.expansions[0].powers.sum(axis=1).max() == 3


@pytest.mark.parametrize("uniform", [True, False])
def test_the_polynomials_are_orthonormal_and_their_slopes_exact(uniform: bool) -> None:
    basis = Basis(np.array([uniform]), np.array([0.5]), np.array([2.0]))
    if uniform:
        node, weight = np.polynomial.legendre.leggauss(20)
        weight = weight / 2
    else:
        node, weight = np.polynomial.hermite_e.hermegauss(20)
        weight = weight / np.sqrt(2 * np.pi)
    value = basis.univariate(0.5 + 2 * node[:, None], 8)[0][:, 0]
    np.testing.assert_allclose((value * weight[:, None]).T @ value, np.eye(9), atol=1e-10)
    x, step = np.linspace(-1.5, 2.5, 7)[:, None], 1e-6
    apart = (basis.univariate(x + step, 8)[0] - basis.univariate(x - step, 8)[0]) / (2 * step)
    np.testing.assert_allclose(basis.univariate(x, 8)[1], apart, rtol=1e-6, atol=1e-6)


def test_the_hyperbolic_set_is_the_whole_one_for_norm_one_and_thins_out_below() -> None:
    whole, thin = hyperbolic(3, 4, 1.0, 1000), hyperbolic(3, 4, 0.5, 1000)
    assert whole is not None and thin is not None
    assert len(whole) == 35 and len(thin) == 16
    assert whole[0].tolist() == [0, 0, 0]
    assert hyperbolic(20, 6, 1.0, 1000) is None


def test_many_inputs_are_learned_with_few_runs() -> None:
    # Twenty inputs of which three matter: the terms are far more than the runs.
    rng = np.random.default_rng(0)
    space = sb.Space([sb.Variable("x", "1", (20,), bounds=(-1, 1))])
    x, new = rng.uniform(-1, 1, (80, 20)), rng.uniform(-1, 1, (200, 20))

    def f(z: np.ndarray) -> np.ndarray:
        return (z[:, 0] + z[:, 1] * z[:, 2])[:, None]

    fitted = PolynomialChaos(space, {"y": "1"}, norm=1.0, terms=2000).fit(x, f(x))
    assert np.abs(fitted.predict(new)[0] - f(new)).max() < 1e-6


@pytest.mark.parametrize(("option", "value"), [("degree", 0), ("norm", 0.0), ("terms", 1)])
def test_an_option_out_of_range_is_refused(option: str, value: float) -> None:
    with pytest.raises(sb.InputError, match=f"got {option} = "):
        PolynomialChaos(INPUTS, OUTPUTS, **{option: value})
