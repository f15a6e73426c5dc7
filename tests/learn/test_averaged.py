"""Averages over covariances and their parameters: derivatives, evidence, draws, few runs, learned noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import scalebridge as sb
from scalebridge.learn import GaussianProcess
from scalebridge.learn.averaged import Seen
from scalebridge.learn.forms import Form
from scalebridge.learn.hyperparameters import draws, peaks
from scalebridge.learn.joint import Joint
from scalebridge.learn.learned_outputs import Search, _objective, learn_outputs
from tests.learn.cases import INPUTS, OUTPUTS, drawn

FORMS = [
    Form(profile, additive, odd, noisy=True, dim=3)
    for profile in ("squared_exponential", "matern72", "matern52")
    for additive in (False, True)
    for odd in (False, True)
]


def points(n: int, d: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).uniform(-0.5, 0.5, (n, d)))


def seen(x: torch.Tensor, bent: int = 0) -> Seen:
    return Seen(x, x[:bent])


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f"{f.profile}-{f.additive}-{f.odd}")
def test_a_covariance_is_definite_applies_itself_and_gives_its_exact_derivative(form: Form) -> None:
    theta = torch.from_numpy(form.start + 0.2)
    made, _, _ = form.made(theta)
    x, z = points(9), points(5, seed=1)
    assert float(torch.linalg.eigvalsh(made.between(x, x)).min()) > -1e-10
    torch.testing.assert_close(made.between(x, x).diagonal(), made.diagonal(x))
    c = torch.linspace(-1, 1, 5, dtype=torch.float64)
    value, slope = made.apply(x, z, c)
    torch.testing.assert_close(value, made.between(x, z) @ c)
    for i in range(3):
        step = torch.zeros(3, dtype=torch.float64)
        step[i] = 1e-5
        difference = (made.dot(x + step, z, c) - made.dot(x - step, z, c)) / 2e-5
        torch.testing.assert_close(slope[:, i], difference, rtol=1e-6, atol=1e-7)
    if form.odd:
        torch.testing.assert_close(made.between(-x, z), -made.between(x, z))


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f"{f.profile}-{f.additive}-{f.odd}")
def test_the_loss_of_parameters_has_the_gradient_it_tells(form: Form) -> None:
    rng = np.random.default_rng(2)
    x, y = points(12), torch.from_numpy(rng.standard_normal((12, 2)))
    nugget = torch.from_numpy(np.tile([0.0, 0.01], (12, 1)))
    objective = _objective(form, seen(x), y, nugget)
    theta = form.start + 0.1 * rng.standard_normal(len(form.start))
    theta[-1] = -2.0
    told = objective(theta)[1]
    steps = 1e-5 * np.eye(len(theta))
    found = np.array([(objective(theta + e)[0] - objective(theta - e)[0]) / 2e-5 for e in steps])
    np.testing.assert_allclose(told, found, rtol=1e-5, atol=1e-6 * np.abs(told).max())
    joint, _, _ = Joint(form, x)(torch.from_numpy(theta))
    torch.testing.assert_close(joint, form.made(torch.from_numpy(theta))[0].between(x, x))


def test_peak_evidence_and_draws_of_a_normal_law_are_its_own() -> None:
    rng = np.random.default_rng(0)
    root = rng.standard_normal((3, 3))
    precision, centre = root @ root.T + np.eye(3), np.array([1.0, -1.0, 0.5])

    def normal(theta: np.ndarray) -> tuple[float, np.ndarray]:
        away = theta - centre
        return 0.5 * float(away @ precision @ away), precision @ away

    (top,) = peaks(normal, np.zeros(3), np.full(3, 3.0), [np.zeros(3), np.ones(3)])
    np.testing.assert_allclose(top.theta, centre, atol=1e-4)
    assert top.evidence == pytest.approx(-0.5 * np.linalg.slogdet(precision)[1] - 3 * np.log(3.0), abs=1e-3)
    sample = np.stack(draws(normal, top, 1500, 1, np.random.default_rng(1)))
    np.testing.assert_allclose(np.cov(sample.T), np.linalg.inv(precision), atol=0.06)


def test_two_places_where_parameters_are_probable_are_both_found_and_an_improbable_one_is_not() -> None:
    def double(theta: np.ndarray) -> tuple[float, np.ndarray]:
        x = theta[0]
        return 8 * (x**2 - 1) ** 2 + tilt * x, np.array([32 * x * (x**2 - 1) + tilt])

    tilt = 0.5
    found = peaks(double, np.zeros(1), np.ones(1), [np.array([v]) for v in (-2.0, -0.5, 1.5)])
    assert [round(float(p.theta[0])) for p in found] == [-1, 1]
    assert found[0].evidence - found[1].evidence == pytest.approx(1.0, abs=0.1)
    tilt = 10.0
    assert len(peaks(double, np.zeros(1), np.ones(1), [np.array([v]) for v in (-1.5, 1.0)])) == 1


def surrogate(d: int = 3, **options: object) -> GaussianProcess:
    return GaussianProcess(sb.Space([sb.Variable("x", "1", (d,))]), sb.Space({"y": "1"}), **options)  # type: ignore[arg-type]


RESPONSES = (
    lambda x: np.sin(1.5 * x[:, 0] - x[:, 1] + 0.5),
    lambda x: np.exp(0.5 * x[:, 0] + 0.5 * x[:, 2]),
    lambda x: x @ np.array([1.0, -2.0, 0.5]) + 0.3 * np.sin(3 * x[:, 0]),
    lambda x: (x**2).sum(1) + x[:, 0] * x[:, 1],
    lambda x: 1 / (1 + ((x - 0.3) ** 2).sum(1)) + 0.5 * x[:, 1],
)


@pytest.mark.parametrize("runs", [3, 5, 8])
def test_few_runs_give_intervals_that_hold(runs: int) -> None:
    # Exactly as many runs as a linear law has parameters, one more, and twice as many.
    held = []
    for seed, response in enumerate(RESPONSES * 2):
        rng = np.random.default_rng(seed)
        x, at = rng.uniform(-1, 1, (runs, 3)), rng.uniform(-1, 1, (200, 3))
        posterior = surrogate().fit(x, response(x)[:, None]).posterior(at)
        held.append(np.mean(np.abs(posterior.mean[:, 0] - response(at)) < 1.96 * posterior.std[:, 0]))
    assert np.mean(held) > 0.85


def test_inputs_of_unlike_units_are_learned_as_those_of_like_ones() -> None:
    rng = np.random.default_rng(0)
    x, at = rng.uniform(-1, 1, (25, 3)), rng.uniform(-1, 1, (50, 3))
    units, zero = np.array([1e-4, 1.0, 1e6]), np.array([0.3, 0.0, 5e6])
    like = surrogate().fit(x, np.sin(x.sum(1))[:, None])
    unlike = surrogate().fit(zero + units * x, np.sin(x.sum(1))[:, None])
    np.testing.assert_allclose(unlike.predict(zero + units * at)[0], like.predict(at)[0], atol=1e-3)


def test_noise_is_learned_where_there_are_runs_enough_and_said_as_scatter() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (60, 1))
    y = np.sin(2 * x) + 0.3 * rng.standard_normal((60, 1))
    at = np.linspace(-0.9, 0.9, 20)[:, None]
    learned, declared = surrogate(1).fit(x, y), surrogate(1, noise="declared").fit(x, y, np.full((60, 1), 0.3))
    assert learned.posterior(at).std.mean() == pytest.approx(0.3, rel=0.25)
    # A declared noise is one of the runs and none of the response.
    assert declared.posterior(at).std.mean() < 0.15
    assert surrogate(1).fit(x, np.sin(2 * x)).posterior(at).std.max() < 1e-3


def test_auto_takes_a_sum_over_single_inputs_where_the_runs_show_one() -> None:
    rng = np.random.default_rng(0)
    x, at = rng.uniform(-1, 1, (40, 4)), rng.uniform(-1, 1, (300, 4))

    def response(z: np.ndarray) -> np.ndarray:
        return np.sin(4 * z).sum(1, keepdims=True)

    errors = [
        np.sqrt(np.mean((surrogate(4, profile=p, average=6).fit(x, response(x)).predict(at)[0] - response(at)) ** 2))
        for p in ("auto", "squared_exponential")
    ]
    assert errors[0] < 0.3 * errors[1]


def test_outputs_may_share_their_parameters_and_an_earlier_fit_is_where_the_search_begins() -> None:
    x = points(15)
    y = torch.stack([torch.sin(3 * x[:, 0]), torch.cos(2 * x[:, 1])], dim=1)
    search = Search((Form("matern72", False, False, False, 3),), 4, False, 0, 0)
    first = learn_outputs(search, seen(x), y, torch.zeros_like(y))
    assert torch.equal(first[0].lead.scale, first[1].lead.scale)
    again = learn_outputs(search, seen(x), y, torch.zeros_like(y), first)
    np.testing.assert_allclose(again[0].peaks[0], first[0].peaks[0], atol=0.05)


def test_a_fitted_process_takes_more_runs_and_fewer() -> None:
    # With more runs a noise comes to the parameters.
    rng = np.random.default_rng(5)
    x = rng.uniform(-1, 1, (30, 1))
    few = surrogate(1).fit(x[:6], np.sin(3 * x[:6]))
    more = few.fit(x, np.sin(3 * x))
    for fitted in (more, more.fit(x[:6], np.sin(3 * x[:6]))):
        assert np.abs(fitted.predict(x[:6])[0] - np.sin(3 * x[:6])).max() < 0.01


def test_a_process_without_averaging_takes_more_runs_too() -> None:
    x, y = drawn(24)
    few = GaussianProcess(INPUTS, OUTPUTS, average=0).fit(x[:4], y[:4])
    again = few.fit(x, y)
    assert np.abs(again.predict(x)[0] - y).max() < 0.01 * np.abs(y).max()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_steep_response_is_not_taken_for_a_line_and_noise(seed: int) -> None:
    # From long lengths alone the search ends at a line, and calls the rest a noise.
    def response(z: np.ndarray) -> np.ndarray:
        return np.tanh(4 * z[:, :1]) - z[:, 1:] ** 3

    rng = np.random.default_rng(seed)
    x, at = rng.uniform(-1, 1, (60, 2)), rng.uniform(-1, 1, (300, 2))
    error = surrogate(2).fit(x, response(x)).predict(at)[0] - response(at)
    assert np.sqrt(np.mean(error**2)) < 0.02


def test_without_averaging_the_intervals_are_narrower() -> None:
    rng = np.random.default_rng(4)
    x, at = rng.uniform(-1, 1, (9, 3)), rng.uniform(-1, 1, (50, 3))
    fitted = surrogate().fit(x, RESPONSES[0](x)[:, None])
    sure = replace(fitted, average=0).fit(*fitted.data[:2])
    assert sure.posterior(at).std.mean() < fitted.posterior(at).std.mean()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"profile": "linear"}, "profile = 'linear'; valid: auto"),
        ({"noise": "none"}, "noise = 'none'"),
        ({"lengths": "two"}, "lengths = 'two'"),
        ({"average": -1}, "average = -1"),
        ({"restarts": "many"}, "restarts = 'many'"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(sb.InputError, match=words):
        surrogate(**options)
