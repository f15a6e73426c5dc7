"""Fields learned by their coefficients: the contract, dense algebra, coverage of whole fields, noise, memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import Conformal, Ensemble, GaussianProcess, PolynomialChaos, RandomForest, load, save
from scalebridge.learn.field_posterior import FieldPosterior
from scalebridge.learn.pod import POD
from scalebridge.learn.reduced_outputs import ReducedOutputs
from scalebridge.models import Surrogate
from scalebridge.quantities import Variable
from scalebridge.testing import check_surrogate
from scalebridge.testing.surrogates import dense_reduction
from tests.learn.cases import INPUTS, OUTPUTS

FIELD = sb.Space([Variable("u", "K", (12,)), Variable("p", "Pa", (3,))])
SHOCK = sb.Space({"nu": ("1", 0.01, 0.1), "t": ("s", 0, 1)})
POLYNOMIAL = PolynomialChaos(INPUTS, OUTPUTS, degree=6)


def profile(n: int) -> sb.Space:
    return sb.Space([Variable("u", "m/s", (n,))])


def shocks(b: int, seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Viscosity and time ``[b, 2]``, and the exact travelling shock of Burgers' equation there ``[b, n]``."""
    x = np.random.default_rng(seed).uniform([0.01, 0], [0.1, 1], (b, 2))
    return x, 0.5 * (1 - np.tanh((np.linspace(-0.5, 1.5, n) - x[:, 1:] / 2) / (4 * x[:, :1])))


@pytest.mark.parametrize("outputs", [OUTPUTS, FIELD])
def test_one_of_polynomials_keeps_the_contract(outputs: sb.Space) -> None:
    check_surrogate(ReducedOutputs(INPUTS, outputs, PolynomialChaos))


def test_one_that_leaves_modes_out_keeps_the_contract() -> None:
    check_surrogate(ReducedOutputs(INPUTS, FIELD, POLYNOMIAL, POD(n_modes=2)), fit_rtol=0.9)


def test_one_of_gaussian_processes_keeps_the_contract() -> None:
    check_surrogate(ReducedOutputs(INPUTS, FIELD, "gaussian_process", POD(n_modes=2), apart=False), fit_rtol=0.9)


def test_one_with_bounds_keeps_the_contract() -> None:
    bounded = sb.Space([Variable("u", "1", (4,), (0, 1)), Variable("p", "Pa", (2,), (0, None))])
    check_surrogate(ReducedOutputs(INPUTS, bounded, PolynomialChaos), fit_rtol=0.5)


def test_one_of_trees_says_that_it_has_steps_and_keeps_the_contract() -> None:
    forest = ReducedOutputs(INPUTS, FIELD, RandomForest(INPUTS, OUTPUTS, trees=15), POD(n_modes=3))
    assert forest.smooth is False
    check_surrogate(forest, fit_rtol=0.8)


def test_any_learner_is_taken_by_class_by_name_as_a_function_or_with_its_options() -> None:
    x, y = shocks(25, 0, 40)
    space = profile(40)
    makers = (
        PolynomialChaos,
        "polynomial_chaos",
        lambda inputs, outputs: PolynomialChaos(inputs, outputs),
        PolynomialChaos(SHOCK, OUTPUTS),
    )
    told = [ReducedOutputs(SHOCK, space, maker).fit(x, y).predict(x)[0] for maker in makers]
    for other in told[1:]:
        np.testing.assert_array_equal(other, told[0])
    mixed = Ensemble(INPUTS, OUTPUTS, (POLYNOMIAL, PolynomialChaos(INPUTS, OUTPUTS, degree=3)))
    made = ReducedOutputs(SHOCK, space, mixed).fit(x, y)
    assert isinstance(made, Surrogate)
    assert [part.name for part in made.state.parts] == ["ensemble"] * len(made.decomposition.modes)


def test_what_the_modes_miss_is_in_the_deviation() -> None:
    x, y = shocks(80, 0)
    few, many = (ReducedOutputs(SHOCK, profile(120), PolynomialChaos, POD(n_modes=r)).fit(x, y) for r in (2, 8))
    assert (few.posterior(x).std > few.decomposition.truncation_std * few.state.width * 0.999).all()
    assert few.posterior(x).std.mean() > 2 * many.posterior(x).std.mean()


def dense(posterior: FieldPosterior) -> Any:
    """The joint covariance ``[n m, n m]`` from the definition."""
    n, m = posterior.mean.shape
    (part,) = posterior.parts
    r = part.mean.shape[1]
    units = np.eye(n * r).reshape(n * r, n, r)
    coefficients = np.stack([np.ravel(part.functional(unit).cov) for unit in units]).reshape(n, r, n, r)
    same = posterior.labels[:, None] == posterior.labels
    cov = np.einsum("iajb,ap,bq->ipjq", coefficients, posterior.modes, posterior.modes)
    cov += np.einsum("ij,ap,aq->ipjq", same, posterior.lead, posterior.lead)
    cov += np.einsum("ij,pq,p->ipjq", np.eye(n), np.eye(m), posterior.rest)
    return cov.reshape(n * m, n * m)


def test_the_posterior_is_that_of_dense_algebra() -> None:
    x, y = shocks(40, 0, 16)
    made = ReducedOutputs(SHOCK, profile(16), PolynomialChaos, POD(n_modes=3), apart=False).fit(x, y)
    posterior = made.posterior(np.concatenate([x[:3], x[:2] + 1e-3]))
    cov, (n, m) = dense(posterior), posterior.mean.shape
    size = cov.diagonal().max()
    np.testing.assert_allclose(posterior.std.ravel() ** 2, cov.diagonal(), rtol=1e-9)
    blocks = np.stack([cov[i * m : (i + 1) * m, i * m : (i + 1) * m] for i in range(n)])
    np.testing.assert_allclose(posterior.blocks, blocks, atol=1e-10 * size)
    weights = np.random.default_rng(0).standard_normal((n, m))
    told = posterior.functional(weights)
    np.testing.assert_allclose(told.cov.ravel(), cov @ weights.ravel(), atol=1e-10 * size * m)
    np.testing.assert_allclose(told.std**2, weights.ravel() @ cov @ weights.ravel(), rtol=1e-9)
    noise, every = np.full(m, 0.3 * np.sqrt(size)), np.arange(n)
    for given in (None, np.array([1]), np.array([1, 1, 4])):
        wanted = dense_reduction(cov, weights, every, noise, given)
        np.testing.assert_allclose(posterior.reduction(weights, every, noise, given), wanted, rtol=1e-6)


def test_neighbours_share_what_the_modes_miss() -> None:
    x, y = shocks(60, 0)
    made = ReducedOutputs(SHOCK, profile(120), PolynomialChaos, POD(n_modes=2)).fit(x, y)
    near, far = (made.posterior(points).functional(np.full((2, 120), 0.5)).std for points in (x[[0, 0]], x[[0, 30]]))
    assert near > 1.1 * far


@pytest.mark.theory
@pytest.mark.parametrize("modes", [3, None])
def test_intervals_hold_unseen_shocks_component_by_component(modes: int | None) -> None:
    """At 90 %, mean over draws of the runs, with modes left out and with nearly all of them kept."""
    held = []
    for seed in range(6):
        made = ReducedOutputs(SHOCK, profile(120), PolynomialChaos, POD(n_modes=modes)).fit(*shocks(60, seed))
        x, y = shocks(200, 100 + seed)
        told = made.posterior(x)
        held.append(np.mean((y >= told.quantile(0.05)) & (y <= told.quantile(0.95))))
    assert 0.87 <= np.mean(held) <= 0.97


@pytest.mark.theory
def test_a_conformal_band_on_top_holds_whole_shocks_at_its_level() -> None:
    held = []
    for seed in range(8):
        inside = ReducedOutputs(SHOCK, profile(120), PolynomialChaos)
        made = Conformal(inside, method="split", share=0.4, seed=seed).fit(*shocks(100, seed))
        x, y = shocks(200, 100 + seed)
        low, high = made.posterior(x).band(0.9)
        held.append(float(np.mean(((y >= low) & (y <= high)).all(axis=1))))
    # The mean over draws of the calibration rows is at least the level; 8 draws of 40 rows leave 0.03.
    assert 0.86 <= np.mean(held) <= 0.97


def test_declared_noise_is_no_part_of_the_posterior_and_reaches_the_coefficients() -> None:
    x, y = shocks(120, 0)
    noisy = y + 0.05 * np.random.default_rng(1).standard_normal(y.shape)
    learner, pod = GaussianProcess(SHOCK, OUTPUTS), POD(n_modes=4)
    told = ReducedOutputs(SHOCK, profile(120), learner, pod).fit(x, noisy, noise_std=np.array(0.05))
    kept = ReducedOutputs(SHOCK, profile(120), learner, pod).fit(x, noisy)
    new, true = shocks(200, 9)
    assert told.posterior(new).std.mean() < 0.8 * kept.posterior(new).std.mean()
    # Projection takes the noise of 120 values down to that of four coefficients.
    assert np.sqrt(np.mean((told.predict(new)[0] - true) ** 2)) < 0.05
    np.testing.assert_allclose(told.state.parts[0].data[2], 0.05 / told.state.width[0], rtol=1e-9)


def test_variables_of_other_units_weigh_the_same() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (40, 3))
    u = np.sin(3 * x[:, :1] * np.linspace(0.2, 1, 12))
    p = 1e9 + 1e5 * np.cos(3 * x[:, 1:2] * np.linspace(0.2, 1, 3))
    made = ReducedOutputs(INPUTS, FIELD, PolynomialChaos, POD(n_modes=2)).fit(x, np.concatenate([u, p], axis=1))
    error = made.predict(x)[0] - np.concatenate([u, p], axis=1)
    for columns, values in ((slice(0, 12), u), (slice(12, 15), p)):
        assert np.sqrt(np.mean(error[:, columns] ** 2)) < 0.5 * np.sqrt(np.mean((values - values.mean(axis=0)) ** 2))


def test_runs_at_one_input_are_left_out_together() -> None:
    x, y = shocks(30, 0)
    noisy = np.repeat(y, 4, axis=0) + 0.2 * np.random.default_rng(0).standard_normal((120, 120))
    made = ReducedOutputs(SHOCK, profile(120), PolynomialChaos).fit(np.repeat(x, 4, axis=0), noisy)
    wanted = POD().fit(noisy / made.state.width, groups=np.repeat(np.unique(x, axis=0, return_inverse=True)[1], 4))
    assert made.decomposition.left_out == wanted.left_out


def test_slopes_of_the_runs_reach_the_learner() -> None:
    x, y = shocks(20, 0, 30)
    seen = {}

    class Told(PolynomialChaos):
        def _learn(self, data):  # type: ignore[no-untyped-def]
            seen[data.y.shape] = data.jacobian
            return super()._learn(data)

    slopes = np.random.default_rng(0).standard_normal((20, 30, 2))
    made = ReducedOutputs(SHOCK, profile(30), Told, POD(n_modes=3), apart=False).fit(x, y, jacobian=slopes)
    along = np.einsum("bmd,rm->brd", slopes, made.decomposition.modes) / made.state.width[0]
    np.testing.assert_allclose(seen[(20, 3)], along)


def test_time_and_memory_are_linear_in_the_components() -> None:
    n, m = 40, 20_000
    x, y = shocks(30, 0, m)
    made = ReducedOutputs(SHOCK, profile(m), PolynomialChaos).fit(x, y)
    points = shocks(n, 1, 2)[0]
    tracemalloc.start()
    posterior = made.posterior(points)
    weights = np.ones((n, m)) / m
    told = posterior.functional(weights)
    reduction = posterior.reduction(weights, np.arange(n))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * n * m * 8
    assert np.isfinite(posterior.std).all() and (reduction <= told.std**2 * 1.001).all()


def test_one_is_saved_and_loaded(tmp_path: Path) -> None:
    x, y = shocks(25, 0, 40)
    made = ReducedOutputs(SHOCK, profile(40), GaussianProcess, POD(n_modes=2)).fit(x, y)
    save(made, tmp_path / "surrogate")
    loaded = load(tmp_path / "surrogate")
    np.testing.assert_array_equal(loaded.posterior(x).std, made.posterior(x).std)
    np.testing.assert_array_equal(loaded.posterior(x).sample(2, 3), made.posterior(x).sample(2, 3))
    assert loaded.learner == made.learner and loaded.pod == made.pod
    again = loaded.fit(x, y)
    np.testing.assert_array_equal(again.predict(x)[0], made.predict(x)[0])


def test_what_is_no_learner_is_refused_in_one_sentence() -> None:
    for learner in (3, lambda inputs, outputs: None):
        with pytest.raises(sb.InputError, match=r"got learner = .*; give a surrogate"):
            ReducedOutputs(INPUTS, FIELD, learner)
    with pytest.raises(sb.InputError, match="'gausian_process' is not known; did you mean 'gaussian_process'"):
        ReducedOutputs(INPUTS, FIELD, "gausian_process")
