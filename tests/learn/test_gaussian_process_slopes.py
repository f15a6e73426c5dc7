"""Gaussian processes that learn from slopes: covariances, evidence, posterior, fewer runs, slopes that are wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import scalebridge as sb
from scalebridge.learn import GaussianProcess, gaussian_process
from scalebridge.learn.averaged import Seen
from scalebridge.learn.forms import Form, bent_floor, floor
from scalebridge.learn.learned_outputs import _objective
from scalebridge.models import Structure
from scalebridge.testing import surrogates
from scalebridge.testing.surrogate_data import check_archive

FORMS = [
    Form(profile, False, odd, noisy=True, dim=3, bent=True)
    for profile in ("squared_exponential", "matern72", "matern52")
    for odd in (False, True)
]
named = pytest.mark.parametrize("form", FORMS, ids=lambda f: f"{f.profile}-{f.odd}")


def points(n: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).uniform(-0.5, 0.5, (n, 3)))


@named
def test_slopes_covary_as_the_derivatives_of_the_covariance_do(form: Form) -> None:
    made, _, _ = form.made(torch.from_numpy(form.start + 0.2))
    x, values, bent = points(5), points(6, 1), points(4, 2)

    def between(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return made.between(a[None], b[None])[0, 0]

    def bend(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        second: torch.Tensor = torch.autograd.functional.hessian(between, (a, b))[0][1]
        return second

    def slope(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        first: torch.Tensor = torch.autograd.functional.jacobian(between, (a, b))[1]
        return first

    wanted = torch.stack([torch.cat([slope(a, b) for b in bent]) for a in x])
    torch.testing.assert_close(made.observed(x, values, bent), torch.cat([made.between(x, values), wanted], 1))
    # Between points that are apart: the root in a profile has no derivative by these rules where it is zero.
    other = torch.stack([torch.stack([bend(a, b) for b in bent]) for a in x])
    both = made.joint(values, torch.cat([x, bent]))[6:, 6:].reshape(9, 3, 9, 3)
    torch.testing.assert_close(both[:5, :, 5:], other.permute(0, 2, 1, 3))
    joint = made.joint(values, bent)
    torch.testing.assert_close(joint, joint.T)
    assert float(torch.linalg.eigvalsh(joint).min()) > 0
    diagonal = made.joint(values[:1], torch.zeros(1, 3, dtype=x.dtype))[1:, 1:].diagonal()
    torch.testing.assert_close(diagonal, made.bend * (2 if form.odd else 1) + made.slope)


@named
def test_a_mean_by_values_and_slopes_gives_its_exact_derivative(form: Form) -> None:
    made, _, _ = form.made(torch.from_numpy(form.start + 0.2))
    x, values, bent = points(5), points(6, 1), points(4, 2)
    c = torch.linspace(-1, 1, 6 + 12, dtype=torch.float64)
    value, slope = made.told(x, values, bent, c)
    torch.testing.assert_close(value, made.observed(x, values, bent) @ c)
    for i in range(3):
        step = torch.zeros(3, dtype=torch.float64)
        step[i] = 1e-5
        ends = [made.observed(x + s * step, values, bent) @ c for s in (1, -1)]
        torch.testing.assert_close(slope[:, i], (ends[0] - ends[1]) / 2e-5, rtol=1e-5, atol=1e-6)


@named
def test_the_loss_of_values_and_slopes_has_the_gradient_it_tells(form: Form) -> None:
    rng = np.random.default_rng(2)
    x = points(7)
    y = torch.from_numpy(rng.standard_normal((7 + 15, 2)))
    nugget = torch.zeros_like(y)
    nugget[:7, 1] = 0.01
    objective = _objective(form, Seen(x, x[1:6]), y, nugget)
    theta = form.start + 0.1 * rng.standard_normal(len(form.start))
    theta[-2:] = -2.0, -1.5
    steps = 1e-5 * np.eye(len(theta))
    found = np.array([(objective(theta + e)[0] - objective(theta - e)[0]) / 2e-5 for e in steps])
    told = objective(theta)[1]
    np.testing.assert_allclose(told, found, rtol=1e-5, atol=1e-6 * np.abs(told).max())


def response(x: np.ndarray) -> np.ndarray:
    return np.stack([np.sin(3 * x[:, 0]) + x[:, 1] ** 2 * x[:, 2], np.exp(0.5 * x[:, 0] + 0.5 * x[:, 3])], axis=1)


def slopes(x: np.ndarray) -> np.ndarray:
    """``[n, 2, 4]``."""
    a, b, c, d = x.T
    zero, grown = np.zeros_like(a), 0.5 * np.exp(0.5 * a + 0.5 * d)
    first = np.stack([3 * np.cos(3 * a), 2 * b * c, b**2, zero], axis=1)
    return np.stack([first, np.stack([grown, zero, zero, grown], axis=1)], axis=1)


def surrogate(**options: object) -> GaussianProcess:
    outputs = sb.Space({"y": "1", "z": "1"})
    return GaussianProcess(sb.Space([sb.Variable("x", "1", (4,))]), outputs, **options)  # type: ignore[arg-type]


def drawn(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (n, 4))


def of(process: GaussianProcess, n: int, seed: int = 0) -> GaussianProcess:
    x = drawn(n, seed)
    return process.fit(x, response(x), jacobian=slopes(x))


def held(process: GaussianProcess) -> tuple[float, float]:
    """Root mean square error at new points and the share of them within intervals of 95 %."""
    at = drawn(400, 99)
    posterior = process.posterior(at)
    error = posterior.mean - response(at)
    return float(np.sqrt(np.mean(error**2))), float(np.mean(np.abs(error) < 1.96 * posterior.std))


@pytest.mark.parametrize("profile", ["squared_exponential", "matern72", "matern52", "auto"])
def test_the_mean_has_the_values_and_the_slopes_that_were_given(profile: str) -> None:
    process = of(surrogate(profile=profile), 12)
    x = drawn(12)
    values, tangent = process.predict(x)
    np.testing.assert_allclose(values, response(x), atol=1e-3)
    np.testing.assert_allclose(tangent, slopes(x), atol=2e-2)


def test_mean_and_posterior_are_those_of_dense_algebra() -> None:
    process = of(surrogate(average=0, noise="declared"), 6)
    state, x, at = process.state, drawn(6), drawn(3, 1)
    output, seen = state.averaged.outputs[0], state.averaged.seen
    form = Form("matern72", False, False, False, 4, True)
    made, _, bent_noise = form.made(torch.from_numpy(output.peaks[0]))
    least = torch.cat([floor(made).expand(6), (bent_noise + bent_floor(made)).repeat(6)])
    runs = (made.joint(seen.points, seen.bent) + torch.diag(least)).numpy()
    scaled = torch.from_numpy((at - state.centre) / state.extent)
    cross = made.observed(scaled, seen.points, seen.bent).numpy()
    told = np.concatenate(
        [
            (response(x)[:, 0] - state.level[0]) / state.units[0],
            (slopes(x)[:, 0] * state.extent).ravel() / state.units[0],
        ]
    )
    mean = state.level[0] + state.units[0] * (cross @ np.linalg.solve(runs, told))
    prior = made.between(scaled, scaled).numpy()
    covariance = state.units[0] ** 2 * (prior - cross @ np.linalg.solve(runs, cross.T))
    posterior = process.posterior(at)
    np.testing.assert_allclose(posterior.mean[:, 0], mean, rtol=1e-6)
    rows = np.arange(3)
    np.testing.assert_allclose(posterior.covariance(rows, rows)[::2, ::2], covariance, atol=1e-6 * covariance.max())
    np.testing.assert_allclose(posterior.std[:, 0] ** 2, np.diag(covariance), rtol=1e-4)


@pytest.mark.parametrize("structure", [Structure(), Structure(even=True)], ids=str)
def test_posterior_and_archive_of_a_fit_with_slopes_keep_the_contract(structure: Structure) -> None:
    process = of(surrogate(structure=structure), 14)
    x = drawn(14)
    at = np.concatenate([x[:2], 0.6 * x[2:4] + 0.4 * x[5:7], 1.5 * x[8:9] - 0.5 * x[9:10]])
    surrogates._check_mean(process, at)
    surrogates._check_model_side(process, at)
    least = 1e-4 * float(response(x).var())
    covariance = surrogates._check_covariance(process, at, least)
    surrogates._check_samples(process, at, covariance)
    surrogates._check_functional(process, at, covariance, least)
    surrogates._check_reduction(process, at, covariance, least)
    check_archive(process, at)
    assert np.array_equal(of(surrogate(structure=structure), 14).predict(at)[0], process.predict(at)[0])


@pytest.mark.parametrize("runs", [8, 16])
def test_with_slopes_half_of_the_runs_does_and_the_intervals_hold(runs: int) -> None:
    errors, shares = [], []
    for seed in range(3):
        with_slopes, share = held(of(surrogate(), runs, seed))
        x = drawn(2 * runs, seed)
        errors.append((with_slopes, held(surrogate().fit(x, response(x)))[0]))
        shares.append(share)
    assert np.mean([e[0] for e in errors]) < 0.8 * np.mean([e[1] for e in errors])
    assert min(shares) > 0.85


def test_with_slopes_a_response_of_eight_inputs_needs_a_third_of_the_runs() -> None:
    from scalebridge.problems import borehole

    well = borehole()
    low, width = well.inputs.lower, well.inputs.upper - well.inputs.lower
    at = low + width * np.random.default_rng(9).random((300, 8))

    def error(n: int, sloped: bool) -> float:
        x = low + width * (0.01 + 0.98 * np.random.default_rng(0).random((n, 8)))
        steps = 1e-4 * np.diag(width)
        found = [(well.run(x + s).values - well.run(x - s).values) / (2 * s.sum()) for s in steps]
        process = GaussianProcess(well.inputs, well.outputs)
        process = process.fit(x, well.run(x).values, jacobian=np.stack(found, axis=2) if sloped else None)
        return float(np.sqrt(np.mean((process.predict(at)[0] - well.run(at).values) ** 2)))

    assert error(12, True) < error(36, False)


def test_slopes_of_a_wrong_sign_in_one_run_widen_the_answer() -> None:
    x, wrong = drawn(20), slopes(drawn(20))
    wrong[3] *= -1
    process, right, at = surrogate().fit(x, response(x), jacobian=wrong), of(surrogate(), 20), drawn(400, 99)
    error, share = held(process)
    assert process.posterior(at).std.mean() > 3 * right.posterior(at).std.mean()
    assert share > 0.85
    assert error < 1.2 * held(surrogate().fit(x, response(x)))[0]


def test_the_noise_of_slopes_is_learned() -> None:
    x = drawn(30)
    noisy = slopes(x) + 0.3 * np.random.default_rng(1).standard_normal((30, 2, 4))
    error, share = held(surrogate(noise="declared").fit(x, response(x), jacobian=noisy))
    assert share > 0.88
    assert error < 0.7 * held(surrogate(noise="declared").fit(x, response(x)))[0]


def test_runs_that_gave_no_slopes_are_taken_as_values_alone() -> None:
    x, at = drawn(12), drawn(20, 1)
    none = surrogate().fit(x, response(x))
    for other in (
        surrogate().fit(x, response(x), jacobian=np.full((12, 2, 4), np.nan)),
        surrogate(gradients="ignore").fit(x, response(x), jacobian=slopes(x)),
    ):
        np.testing.assert_array_equal(other.predict(at)[0], none.predict(at)[0])
    some = slopes(x)
    some[4:, 0, 1] = np.nan
    process = surrogate().fit(x, response(x), jacobian=some)
    assert process.state.averaged.bent.shape == (4, 4)
    np.testing.assert_allclose(process.predict(x[:4])[1], slopes(x[:4]), atol=2e-2)


def test_units_change_nothing_and_one_run_or_doubled_runs_or_an_input_that_stands_still_are_learned() -> None:
    x, at = drawn(10), drawn(20, 1)
    units, zero = np.array([1e-4, 1.0, 1e6, 2.0]), np.array([0.3, 0.0, 5e6, 1.0])
    like = of(surrogate(average=2), 10)
    unlike = surrogate(average=2).fit(zero + units * x, 1e9 * response(x), jacobian=1e9 * slopes(x) / units)
    np.testing.assert_allclose(1e-9 * unlike.predict(zero + units * at)[0], like.predict(at)[0], atol=2e-3)
    flat = x.copy()
    flat[:, 1] = 0.4
    for rows in (x[:1], np.concatenate([x, x]), flat, np.zeros((1, 4))):
        process = surrogate(average=2).fit(rows, response(rows), jacobian=slopes(rows))
        assert np.isfinite(process.posterior(at).std).all()
        np.testing.assert_allclose(process.predict(rows)[0], response(rows), atol=1e-2)


def test_outputs_may_share_parameters_and_a_fit_with_slopes_may_follow_one_without() -> None:
    x = drawn(20)
    process = surrogate(lengths="shared").fit(x[:6], response(x[:6])).fit(x, response(x), jacobian=slopes(x))
    assert held(process)[0] < 0.05
    assert held(process.fit(x, response(x)))[0] > held(process)[0]


def test_with_many_numbers_there_are_no_draws_and_fewer_slopes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaussian_process, "DRAWN", 40)
    process = of(surrogate(), 12)
    assert len(process.state.averaged.outputs[0].members) == 1
    monkeypatch.setattr(gaussian_process, "MOST", 40)
    process = of(surrogate(), 12)
    assert len(process.state.averaged.seen) <= 40
    assert len(process.state.averaged.bent) == 6
    monkeypatch.setattr(gaussian_process, "MOST", 10)
    assert len(of(surrogate(), 12).state.averaged.bent) == 0


def test_how_to_take_gradients_is_one_of_two_words() -> None:
    with pytest.raises(sb.InputError, match="gradients = 'always'; valid: auto, ignore"):
        surrogate(gradients="always")
