"""Acquisitions say what theory says, on the contract of a surrogate alone, and batches spread out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from scalebridge import InputError
from scalebridge.learn import GaussianProcess
from scalebridge.learn.acquisition import (
    ConfidenceBound,
    ExpectedImprovement,
    GlobalFit,
    IntegratedVariance,
    MaximumDeviation,
    NoisyExpectedImprovement,
    Outlook,
    QueryByCommittee,
    Straddle,
    choose,
)
from scalebridge.learn.acquisition.expected_improvement import improvement
from scalebridge.learn.acquisition.outlook import covariance
from scalebridge.learn.low_rank import LowRankPosterior
from scalebridge.quantities import Space

ALL: dict[str, Any] = {
    "integrated variance": IntegratedVariance(),
    "maximum deviation": MaximumDeviation(),
    "global fit": GlobalFit(),
    "expected improvement": ExpectedImprovement(),
    "noisy expected improvement": NoisyExpectedImprovement(samples=64),
    "confidence bound": ConfidenceBound(way="maximise"),
    "straddle": Straddle(0.3),
    "committee": QueryByCommittee(),
}
# Symmetric about a gap in the middle.
AROUND_A_GAP = (np.array([[0.0], [0.2], [0.8], [1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]]))
FOR_DEVIATION = ("integrated variance", "maximum deviation", "global fit", "committee")


def line(x: np.ndarray, y: np.ndarray, noise: float | None = None, outputs: int = 1) -> Any:
    names = {f"y{k}": "1" for k in range(outputs)}
    gp = GaussianProcess({"x": ("1", 0, 1)}, names)
    return gp.fit(x, y, None if noise is None else np.full(y.shape, noise))


def wave(n: int = 6, noise: float | None = None, outputs: int = 1) -> Any:
    x = np.linspace(0, 1, n)[:, None]
    y = np.concatenate([np.sin(5 * x + k) for k in range(outputs)], axis=1)
    return line(x, y, noise, outputs)


def outlook(posterior: Any, candidates: int, m: int = 1, noise: float = 0.0, values: Any = None) -> Outlook:
    n = len(posterior.mean)
    y = np.zeros((1, m)) if values is None else values
    r = n - candidates
    return Outlook(
        posterior, Space({f"y{k}": "1" for k in range(m)}), candidates, np.full(r, 1 / max(r, 1)), np.ones(m),
        np.full(m, noise), y, np.zeros((len(y), 1)), np.arange(n)[:, None] / n,
    )  # fmt: skip


def random_posterior(n: int, m: int, seed: int = 0) -> LowRankPosterior:
    rng = np.random.default_rng(seed)
    return LowRankPosterior(rng.standard_normal((n, m)), rng.standard_normal((n, m, 3 * m)), np.full((n, m), 0.2))


@pytest.mark.parametrize("noise", [0.0, 0.4])
@pytest.mark.parametrize("m", [1, 2])
def test_decided_runs_downdate_the_covariance_as_dense_algebra_does(noise: float, m: int) -> None:
    posterior = random_posterior(9, m)
    view = outlook(posterior, 5, m, noise).given(2).given(7)
    dense = covariance(posterior, range(9)).reshape(9 * m, 9 * m)
    for point in (2, 7):
        at = slice(point * m, (point + 1) * m)
        own = dense[at, at] + noise**2 * np.eye(m)
        dense = dense - dense[:, at] @ np.linalg.solve(own, dense[at])
    dense = dense.reshape(9, m, 9, m)
    np.testing.assert_allclose(view.cross, dense[5:, :, :5], atol=1e-7)
    np.testing.assert_allclose(view.blocks, np.stack([dense[i, :, i] for i in range(5)]), atol=1e-7)


@pytest.mark.parametrize("m", [1, 2])
def test_integrated_variance_is_the_sum_of_the_reductions_of_the_reference_points(m: int) -> None:
    posterior, noise = random_posterior(11, m, 3), 0.3
    told = IntegratedVariance(doubt=0.0).score(outlook(posterior, 6, m, noise).given(1))
    wanted = np.zeros(6)
    for j in range(6, 11):
        for a in range(m):
            weights = np.zeros((11, m))
            weights[j, a] = np.sqrt(1 / 5)
            wanted += posterior.reduction(weights, np.arange(6), np.full(m, noise), np.array([1]))
    np.testing.assert_allclose(told, wanted, rtol=1e-6)


def test_integrated_variance_is_the_fall_of_the_mean_variance_once_the_run_is_made() -> None:
    surrogate = wave()
    candidates, reference = np.array([[0.05], [0.5], [0.91]]), np.linspace(0, 1, 21)[:, None]
    view = outlook(surrogate.posterior(np.concatenate([candidates, reference])), 3)
    score = IntegratedVariance(doubt=0.0).score(view)
    for i in range(3):
        after = view.given(i)
        both = covariance(surrogate.posterior(reference), range(21))
        before = np.einsum("iaia->i", both)
        assert score[i] == pytest.approx(np.mean(before) - np.mean(before - (after.white[0, 3:] ** 2)[:, 0]), rel=1e-4)


def test_integrated_variance_runs_the_midpoint_of_a_symmetric_gap() -> None:
    surrogate = line(*AROUND_A_GAP)
    candidates = np.linspace(0, 1, 41)[:, None]
    assert candidates[choose(IntegratedVariance(), surrogate, candidates)[0], 0] == pytest.approx(0.5)


def test_integrated_variance_runs_inside_where_the_largest_deviation_runs_at_the_border() -> None:
    surrogate = line(np.array([[0.4], [0.6]]), np.array([[0.0], [0.3]]))
    candidates = np.linspace(0, 1, 41)[:, None]
    border = candidates[choose(MaximumDeviation(), surrogate, candidates, 2), 0]
    assert sorted(border) == [0.0, 1.0]
    inside = candidates[choose(IntegratedVariance(), surrogate, candidates, 2), 0]
    assert 0 < inside.min() < 0.4 and 0.6 < inside.max() < 1


def test_without_doubt_integrated_variance_reads_a_derivative_off_a_pair_of_runs() -> None:
    surrogate, points = line(*AROUND_A_GAP), np.linspace(0, 1, 101)[:, None]
    first, second = points[choose(IntegratedVariance(doubt=0.0), surrogate, points, 2), 0]
    assert abs(first - second) < 0.02
    first, second = points[choose(IntegratedVariance(doubt=0.3), surrogate, points, 2), 0]
    assert abs(first - second) > 0.08


def test_weights_of_the_reference_points_draw_runs_to_them() -> None:
    surrogate, points = wave(4), np.linspace(0, 1, 61)[:, None]
    right = choose(IntegratedVariance(), surrogate, points, 2, reference=points, weights=(points[:, 0] > 0.7) * 1.0)
    assert (points[right, 0] > 0.6).all()


@pytest.mark.parametrize("lead", [-2.0, -0.3, 0.0, 0.7])
@pytest.mark.parametrize("std", [0.1, 1.0])
def test_expected_improvement_in_closed_form_is_that_of_monte_carlo(lead: float, std: float) -> None:
    draws = np.random.default_rng(0).standard_normal(400_000)
    gains = np.maximum(lead + std * draws, 0)
    told = improvement(np.array([lead]), np.array([std]))[0]
    assert told == pytest.approx(gains.mean(), abs=5 * gains.std() / np.sqrt(len(draws)) + 1e-12)


def test_expected_improvement_is_nothing_where_all_is_known() -> None:
    np.testing.assert_array_equal(improvement(np.array([-1.0, 0.0]), np.zeros(2)), [0.0, 0.0])
    assert improvement(np.array([0.5]), np.zeros(1))[0] == 0.5


@pytest.mark.parametrize("way", ["minimise", "maximise"])
def test_noisy_expected_improvement_without_noise_is_the_closed_form(way: str) -> None:
    surrogate = wave(5)
    x, y, _ = surrogate.data
    candidates = np.array([[0.12], [0.33], [0.6], [0.9]])
    view = outlook(surrogate.posterior(np.concatenate([candidates, x])), 4, values=y)
    exact = ExpectedImprovement(way=way).score(view)
    sampled = NoisyExpectedImprovement(way=way, samples=40_000).score(view)
    np.testing.assert_allclose(sampled, exact, atol=0.02 * exact.max() + 1e-4)


def test_noisy_expected_improvement_does_not_chase_a_lucky_run() -> None:
    x = np.linspace(0, 1, 25)[:, None]
    y = 0.5 * np.cos(12 * x)
    y[20] = y.min() - 0.6
    surrogate = line(x, y, noise=0.3)
    candidates = np.linspace(0, 1, 41)[:, None]
    view = outlook(surrogate.posterior(np.concatenate([candidates, x])), 41, noise=0.3, values=y)
    # Below the lucky value nearly nothing is expected, although the true minimum is far from found.
    assert ExpectedImprovement().score(view).max() < 0.2 * NoisyExpectedImprovement().score(view).max()


def test_goals_go_the_way_and_for_the_output_they_are_told() -> None:
    surrogate, points = wave(7, outputs=2), np.linspace(0, 1, 81)[:, None]
    mean = surrogate.predict(points)[0]
    for output in (0, "y1"):
        k = 0 if output == 0 else 1
        low = points[choose(ConfidenceBound(output, beta=0.0), surrogate, points)[0]]
        high = points[choose(ConfidenceBound(output, "maximise", 0.0), surrogate, points)[0]]
        np.testing.assert_array_equal([low, high], [points[mean[:, k].argmin()], points[mean[:, k].argmax()]])


def test_the_straddle_runs_where_the_value_crosses_the_threshold() -> None:
    x = np.linspace(0, 1, 5)[:, None]
    surrogate = line(x, x**2)
    points = np.linspace(0, 1, 201)[:, None]
    assert points[choose(Straddle(0.4, beta=0.1), surrogate, points)[0], 0] == pytest.approx(np.sqrt(0.4), abs=0.02)


def test_a_committee_disagrees_most_where_there_are_no_runs() -> None:
    x = np.array([0.0, 0.1, 0.2, 0.3, 0.9, 1.0])[:, None]
    surrogate = line(x, np.sin(6 * x))
    points = np.linspace(0, 1, 101)[:, None]
    members = tuple(
        GaussianProcess(surrogate.inputs, surrogate.outputs, profile=p) for p in ("matern72", "squared_exponential")
    )
    for committee in (QueryByCommittee(), QueryByCommittee(members)):
        assert 0.35 < points[choose(committee, surrogate, points)[0], 0] < 0.9


def test_global_fit_runs_where_the_response_is_steep() -> None:
    x = np.linspace(0, 1, 9)[:, None]
    surrogate = line(x, np.tanh(20 * (x - 0.7)))
    points = np.linspace(0, 1, 101)[:, None]
    assert abs(points[choose(GlobalFit(), surrogate, points)[0], 0] - 0.7) < 0.13


@pytest.mark.parametrize("name", FOR_DEVIATION)
def test_a_batch_spreads_out_where_the_top_scores_huddle(name: str) -> None:
    x = np.linspace(0, 1, 4)[:, None]
    surrogate = line(x, np.sin(5 * x))
    points = np.linspace(0, 1, 151)[:, None]
    batch = np.sort(points[choose(ALL[name], surrogate, points, 3), 0])
    assert np.diff(batch).min() > 0.1


@pytest.mark.parametrize("name", ALL)
def test_a_batch_begins_with_the_single_choice_and_is_the_same_again(name: str) -> None:
    surrogate = wave(6, noise=0.05, outputs=2)
    points = np.random.default_rng(0).random((40, 1))
    batch = choose(ALL[name], surrogate, points, 5)
    assert batch[0] == choose(ALL[name], surrogate, points)[0]
    assert len(set(batch.tolist())) == 5
    np.testing.assert_array_equal(batch, choose(ALL[name], surrogate, points, 5))


@pytest.mark.parametrize("name", FOR_DEVIATION[:2])
def test_a_run_under_way_is_taken_as_decided(name: str) -> None:
    surrogate = line(*AROUND_A_GAP)
    points = np.linspace(0, 1, 101)[:, None]
    first = points[choose(ALL[name], surrogate, points)]
    second = points[choose(ALL[name], surrogate, points, decided=first)[0], 0]
    assert abs(second - first[0, 0]) > 0.05
    assert second == points[choose(ALL[name], surrogate, points, 2)[1], 0]


def test_more_are_asked_for_than_there_are_candidates() -> None:
    assert sorted(choose("maximum_deviation", wave(), np.array([[0.1], [0.5]]), 5)) == [0, 1]


def test_a_posterior_that_offers_its_covariance_is_asked_for_it_at_once() -> None:
    plain = random_posterior(7, 2)

    @dataclass(frozen=True)
    class Offering(LowRankPosterior):
        def covariance(self, rows: Any, columns: Any) -> Any:
            return covariance(plain, columns)[rows].reshape(len(rows) * 2, -1)

    offering = Offering(plain.mean, plain.factor, plain.residual)
    np.testing.assert_allclose(covariance(offering, [2, 5]), covariance(plain, [2, 5]))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: choose("integrated_varianc", wave(), np.zeros((1, 1))), "did you mean 'integrated_variance'?"),
        (lambda: choose("straddle", wave(), np.zeros((1, 1))), "needs a threshold"),
        (lambda: choose(MaximumDeviation, wave(), np.zeros((1, 1))), "There is no acquisition"),  # type: ignore[arg-type]
        (lambda: choose(MaximumDeviation(), wave(), np.zeros((1, 3))), "with the columns x"),
        (lambda: ExpectedImprovement(way="minimize"), "did you mean 'minimise'?"),
        (lambda: choose(ExpectedImprovement("z"), wave(), np.zeros((1, 1))), "goes for 'z'"),
        (lambda: choose(ConfidenceBound(3), wave(), np.zeros((1, 1))), "there are 0 to 0"),
        (lambda: QueryByCommittee((wave(),)), "one member, which agrees with itself"),
        (
            lambda: choose(QueryByCommittee((wave(outputs=2), wave(outputs=2))), wave(), np.zeros((1, 1))),
            "build all members from the same spaces",
        ),
    ],
)
def test_bad_input_is_answered_in_one_sentence(call: Any, told: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert told in str(caught.value) and "\n" not in str(caught.value)
