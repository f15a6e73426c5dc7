"""The Gaussian process: the contract, structure, bounds, domain, large sums, identity."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import GaussianProcess
from scalebridge.learn.gaussian_posterior import REPRESENTATIVES
from scalebridge.models import Structure, Surrogate
from scalebridge.problems import ConductionLaminate, PowerLawConductor, random_laminate
from scalebridge.testing import check_model, check_surrogate
from scalebridge.testing.surrogates import dense_reduction
from tests.learn.cases import INPUTS, OUTPUTS

STRUCTURES = [Structure(p, e) for p in (False, True) for e in (False, True)]


def spaces(d: int, m: int | None = None) -> tuple[sb.Space, sb.Space]:
    inputs = sb.Space([sb.Variable("strain", "1", (d,))])
    return inputs, sb.Space([sb.Variable("stress", "Pa", (d if m is None else m,))])


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
@pytest.mark.parametrize("d", [1, 3])
def test_it_keeps_the_contract_of_a_surrogate(d: int, structure: Structure) -> None:
    process = GaussianProcess(*spaces(d), structure)
    check_surrogate(process)


@pytest.mark.parametrize("profile", ["matern72", "squared_exponential"])
def test_it_keeps_the_contract_with_other_numbers_of_outputs_and_profiles(profile: str) -> None:
    check_surrogate(GaussianProcess(*spaces(3, 2), profile=profile))


def test_samples_and_quantiles_agree_where_rounding_alone_is_left_of_the_variance() -> None:
    check_surrogate(GaussianProcess(INPUTS, OUTPUTS), n=44, calibration=0)
    x = np.linspace(-1, 1, 30)[:, None]
    process = GaussianProcess(*spaces(1), profile="squared_exponential", noise="declared").fit(x, np.sin(x))
    posterior = process.posterior(x[3:9] + 1e-4)
    draws = posterior.sample(4000, seed=1)
    np.testing.assert_allclose(draws.std(axis=0), posterior.std, rtol=0.1)
    assert np.mean(draws <= posterior.quantile(0.9), axis=0) == pytest.approx(np.full((6, 1), 0.9), abs=0.03)


@pytest.mark.parametrize("structure", [Structure(), Structure(even=True)], ids=str)
def test_it_keeps_the_contract_around_a_fitted_trend(structure: Structure) -> None:
    check_surrogate(GaussianProcess(*spaces(3), structure, trend="fitted"))


def test_around_a_fitted_trend_inputs_of_unlike_units_are_scaled_apart() -> None:
    inputs = sb.Space({"T": "K", "strain": "1", "p": "Pa"})
    x = np.random.default_rng(0).uniform(-1, 1, (24, 3)) * [30.0, 1e-3, 1e6] + [300.0, 0.0, 5e6]
    y = np.sin((x[:, :1] - 300) / 30) + (x[:, 1:2] * 1e3) ** 2
    fitted = GaussianProcess(inputs, sb.Space({"y": "1"}), trend="fitted").fit(x[:20], y[:20])
    assert np.abs(fitted.predict(x[20:])[0] - y[20:]).max() < 0.15 * y.std()


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_one_run_at_zero_gives_finite_answers(structure: Structure, value: float) -> None:
    process = GaussianProcess(*spaces(3), structure).fit(np.zeros((1, 3)), np.full((1, 3), value), np.full((1, 3), 0.1))
    at = np.array([[0.0, 0.0, 0.0], [1.0, -2.0, 0.5], [1e-3, 0.0, 0.0]])
    posterior = process.posterior(at)
    for answer in (*process.predict(at), posterior.std, posterior.sample(3), posterior.functional(at).cov):
        assert np.isfinite(answer).all()


def test_it_keeps_the_contract_on_a_problem_in_pascal() -> None:
    laminate = random_laminate(np.random.default_rng(1))
    process = GaussianProcess(laminate.inputs, laminate.outputs, laminate.structure)
    x = np.random.default_rng(2).normal(0, 0.01, (15, 3))
    learned = process.fit(x, laminate.run(x).values)
    assert isinstance(learned, Surrogate)
    check_model(learned, x)
    check_surrogate(process, laminate)


def fitted(structure: Structure, d: int = 3, n: int = 9) -> tuple[GaussianProcess, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    x = rng.uniform(-1, 1, (n, d))
    directions = rng.standard_normal((d, d))
    y = np.tanh(x @ directions.T) @ directions
    return GaussianProcess(*spaces(d), structure).fit(x, y), x, y


def test_an_even_potential_gives_an_odd_response_that_is_zero_at_zero_and_certain_of_it() -> None:
    process, x, _ = fitted(Structure(True, True))
    np.testing.assert_allclose(process.predict(-x)[0], -process.predict(x)[0], atol=1e-10)
    zero = np.zeros((1, 3))
    assert np.abs(process.predict(zero)[0]).max() < 1e-12
    assert process.posterior(zero).std.max() < 1e-3 * process.posterior(np.full((1, 3), 5.0)).std.max()


@pytest.mark.parametrize("even", [False, True])
def test_a_potential_gives_symmetric_tangents_and_no_work_around_a_loop(even: bool) -> None:
    process, _, _ = fitted(Structure(True, even))
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    loop = 0.8 * np.stack([np.cos(angle), np.sin(angle), np.sin(2 * angle)], axis=1)
    along = 0.8 * np.stack([-np.sin(angle), np.cos(angle), 2 * np.cos(2 * angle)], axis=1)
    values, tangent = process.predict(loop)
    np.testing.assert_allclose(tangent, np.swapaxes(tangent, 1, 2), atol=1e-9 * np.abs(tangent).max())
    # The trapezium rule over a period of a smooth function converges faster than its smoothness.
    power = (values * along).sum(1)
    assert abs(power.mean()) < 1e-8 * np.abs(power).mean()


def test_the_mean_passes_through_exact_runs_and_keeps_away_from_noisy_ones() -> None:
    process, x, y = fitted(Structure(True, True))
    size = np.abs(y).max()
    assert np.abs(process.predict(x)[0] - y).max() < 1e-2 * size
    noisy = GaussianProcess(*spaces(3), Structure(True, True)).fit(x, y, np.full_like(y, size))
    assert np.abs(noisy.predict(x)[0] - y).max() > 1e-2 * size
    assert noisy.posterior(x).std.mean() > 3 * process.posterior(x).std.mean()


def test_far_away_it_returns_to_a_law_with_a_bounded_definite_tangent() -> None:
    process, _, _ = fitted(Structure(True, True))
    far = 200 * np.random.default_rng(0).standard_normal((40, 3))
    values, tangent = process.predict(far)
    near = process.predict(np.zeros((1, 3)))[1]
    assert np.isfinite(values).all()
    assert np.linalg.eigvalsh(tangent).min() > 0
    assert np.abs(tangent).max() <= 10 * np.abs(near).max()


def test_bounds_of_the_outputs_are_kept_by_mean_quantiles_and_samples() -> None:
    outputs = sb.Space({"viscosity": ("Pa*s", 0.0, None)})
    x = np.linspace(0, 1, 5)[:, None]
    process = GaussianProcess(sb.Space({"T": "K"}), outputs).fit(x, np.maximum(0.3 - x, 1e-3))
    far = np.linspace(-1, 4, 60)[:, None]
    values, tangent = process.predict(far)
    assert values.min() == 0.0
    assert (tangent[values[:, 0] == 0.0] == 0.0).all()
    posterior = process.posterior(far)
    assert posterior.quantile(0.01).min() >= 0.0
    assert posterior.sample(20).min() >= 0.0
    assert (posterior.quantile(0.9) >= posterior.quantile(0.1)).all()


@pytest.mark.parametrize(("structure", "runs"), [(Structure(False, False), 14), (Structure(True, True), 9)], ids=str)
def test_a_sum_over_many_points_agrees_with_the_dense_one(structure: Structure, runs: int) -> None:
    process, _, _ = fitted(structure, n=runs)
    rng = np.random.default_rng(3)
    n = 3 * REPRESENTATIVES
    x = rng.uniform(-1, 1, (n, 3))
    weights = rng.uniform(0.5, 1.5, (n, 1)) * np.array([1.0, -0.5, 0.2]) / n
    told = process.posterior(x).functional(weights)
    cov = dense_cov(process, x, weights)
    assert told.mean == pytest.approx(float((weights * process.predict(x)[0]).sum()), rel=1e-10)
    assert told.std == pytest.approx(np.sqrt((cov * weights).sum()), rel=0.02)
    # It ranks where to run next; a twentieth does not change that.
    assert np.abs(told.cov - cov).max() < 0.05 * np.abs(cov).max()


def dense_cov(process: GaussianProcess, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Covariance of the sum with every value, without representatives."""
    posterior, parts = process.posterior(x), np.array_split(np.arange(len(x)), 6)
    rows = [sum(posterior.covariance(a, b) @ weights[b].ravel() for b in parts) for a in parts]
    return np.concatenate(rows).reshape(weights.shape)


def test_points_without_weight_have_no_part_in_a_sum_over_many_points() -> None:
    process, _, _ = fitted(Structure(False, False))
    x = np.random.default_rng(3).uniform(-1, 1, (3 * REPRESENTATIVES, 3))
    weights = np.zeros((len(x), 3))
    nothing = process.posterior(x).functional(weights)
    assert nothing.std == 0.0
    assert not nothing.cov.any()
    weights[::4] = 1.0
    told, alone = process.posterior(x).functional(weights), process.posterior(x[::4]).functional(weights[::4])
    assert told.std == pytest.approx(alone.std, rel=1e-10)
    np.testing.assert_allclose(told.cov[::4], alone.cov, rtol=1e-8)


def test_a_residual_of_the_posterior_is_independent_at_every_point_and_output() -> None:
    process, x, _ = fitted(Structure(False, False))
    rng = np.random.default_rng(7)
    at, n = np.concatenate([x[:2], rng.uniform(-1, 1, (4, 3))]), 6
    bare = replace(process.posterior(at), residual=None)
    residual = rng.uniform(0.01, 0.1, (n, 3))
    scattered = replace(bare, residual=residual, _sums={})
    everywhere = np.arange(n)
    dense = bare.covariance(everywhere, everywhere) + np.diag(residual.ravel())
    np.testing.assert_allclose(scattered.covariance(everywhere, everywhere), dense, atol=1e-14)
    np.testing.assert_allclose(scattered.std**2, bare.std**2 + residual, rtol=1e-10)
    weights = rng.standard_normal((n, 3))
    told = scattered.functional(weights)
    assert told.std**2 == pytest.approx(weights.ravel() @ dense @ weights.ravel(), rel=1e-8)
    np.testing.assert_allclose(told.cov.ravel(), dense @ weights.ravel(), rtol=1e-8)
    noise, given = np.full(3, 0.1), np.array([5])
    wanted = dense_reduction(dense, weights, everywhere, noise, given)
    np.testing.assert_allclose(scattered.reduction(weights, everywhere, noise, given), wanted, rtol=1e-6)
    draws = scattered.sample(20000, seed=1).reshape(20000, -1)
    assert np.abs(np.cov(draws, rowvar=False) - dense).max() < 0.05 * dense.max()


def test_a_fit_of_one_run_and_of_runs_far_apart_in_scale_is_finite() -> None:
    process = GaussianProcess(*spaces(3), Structure(True, True))
    one = process.fit(np.array([[1e-8, 0.0, 0.0]]), np.array([[2e3, 5e2, 0.0]]))
    apart = process.fit(np.array([[1e-8, 0, 0], [1e-2, 0, 0], [0, 2e-2, 0.0]]), 1e9 * np.eye(3))
    x = 1e-2 * np.random.default_rng(0).standard_normal((5, 3))
    for fit in (one, apart):
        assert all(np.isfinite(a).all() for a in (*fit.predict(x), fit.posterior(x).std))


def test_scaling_the_units_scales_the_answer_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (8, 3))
    y = np.tanh(x)
    plain = GaussianProcess(*spaces(3), Structure(True, True)).fit(x, y)
    scaled = GaussianProcess(*spaces(3), Structure(True, True)).fit(1e-3 * x, 1e9 * y)
    at = rng.uniform(-1, 1, (6, 3))
    np.testing.assert_allclose(scaled.predict(1e-3 * at)[0], 1e9 * plain.predict(at)[0], rtol=1e-4)
    np.testing.assert_allclose(scaled.posterior(1e-3 * at).std, 1e9 * plain.posterior(at).std, rtol=1e-2)


def test_the_domain_is_the_widened_box_of_the_runs_and_a_run_outside_says_so() -> None:
    process, x, _ = fitted(Structure(False, False))
    assert process.domain.contains(x).all()
    runs = process.run(np.concatenate([x[:1], 10 * np.ones((1, 3))]))
    assert runs.status.tolist() == ["ok", "outside"]
    assert runs.reason[1] == "outside the domain of the surrogate"
    even, x, _ = fitted(Structure(False, True))
    assert even.domain.contains(-x).all()


def test_two_processes_that_learned_different_runs_are_not_the_same_model() -> None:
    # Runs are stored by identity: a surrogate used as a model must not be answered by another fit's runs.
    process, x, y = fitted(Structure(True, True))
    other = GaussianProcess(*spaces(3), Structure(True, True)).fit(x, 2 * y)
    assert process.identity() != other.identity()
    assert process.identity() == process.fit(x, y).identity()


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3)), "0 inputs and 0 outputs"),
        (np.ones((2, 3)), np.ones((3, 3)), "2 inputs and 3 outputs"),
        (np.full((2, 3), np.nan), np.ones((2, 3)), "must be finite"),
        (np.ones((2, 3)), np.array([[1, 1, np.inf], [1, 1, 1]]), "must be finite"),
        (np.ones((2, 2)), np.ones((2, 3)), r"shape \(2, 2\)"),
    ],
)
def test_bad_data_are_refused(x: np.ndarray, y: np.ndarray, words: str) -> None:
    with pytest.raises(sb.InputError, match=words):
        GaussianProcess(*spaces(3)).fit(x, y)


def test_a_process_that_is_not_fitted_says_what_to_do() -> None:
    with pytest.raises(sb.InputError, match=r"not fitted; call fit\(x, y\)"):
        GaussianProcess(*spaces(3)).predict(np.zeros((1, 3)))


def test_a_potential_needs_as_many_outputs_as_inputs() -> None:
    with pytest.raises(sb.InputError, match="3 inputs and 2 outputs"):
        GaussianProcess(*spaces(3, 2), Structure(potential=True))


def test_learn_is_imported_without_torch_until_a_surrogate_is_asked_for() -> None:
    program = "import sys, scalebridge.learn; assert 'torch' not in sys.modules; scalebridge.learn.GaussianProcess"
    subprocess.run([sys.executable, "-c", program + "; assert 'torch' in sys.modules"], check=True)


def test_structure_halves_the_error_of_few_runs() -> None:
    laminate = ConductionLaminate(PowerLawConductor(1.0, 0.5, 1.0), PowerLawConductor(8.0, 0.8, 0.5), 0.4, 0.7, 2)
    rng = np.random.default_rng(0)
    held = rng.uniform(-2, 2, (200, 2))
    truth = laminate.run(held).values
    errors = {}
    for structure in (Structure(), Structure(True, True)):
        found = []
        for _ in range(5):
            x = rng.uniform(-2, 2, (8, 2))
            process = GaussianProcess(laminate.inputs, laminate.outputs, structure).fit(x, laminate.run(x).values)
            found.append(np.sqrt(np.mean((process.predict(held)[0] - truth) ** 2)))
        errors[structure] = np.mean(found)
    assert errors[Structure(True, True)] < 0.5 * errors[Structure()]
