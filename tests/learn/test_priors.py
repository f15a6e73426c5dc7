"""Parametric prior means: recovered from their own data, definite everywhere, gradients of a potential."""

from __future__ import annotations

import numpy as np
import pytest

from scalebridge.learn.box import Box
from scalebridge.learn.priors import LinearPrior, PowerLawPrior, fit_linear, fit_power_law, nearest_definite


def definite(d: int, seed: int) -> np.ndarray:
    a = np.random.default_rng(seed).standard_normal((d, d))
    return a @ a.T / d + 0.3 * np.eye(d)


def difference(law, x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    columns = [(law(x + e)[0] - law(x - e)[0]) / (2 * step) for e in step * np.eye(x.shape[1])]
    return np.stack(columns, axis=2)


@pytest.mark.parametrize("through_zero", [False, True])
def test_a_linear_law_is_recovered_from_its_own_data(through_zero: bool) -> None:
    rng = np.random.default_rng(0)
    slope, offset = rng.standard_normal((2, 3)), np.zeros(2) if through_zero else np.array([1.0, -2.0])
    x = rng.standard_normal((12, 3))
    law = fit_linear(x, offset + x @ slope.T, through_zero)
    # The ridge of 1e-6 of the inputs' spread is what is left.
    np.testing.assert_allclose(law.slope, slope, atol=1e-4)
    np.testing.assert_allclose(law.offset, offset, atol=1e-4)


def test_a_linear_law_of_one_run_is_finite_and_passes_through_it() -> None:
    x, y = np.array([[2.0, 0.0]]), np.array([[4.0, 1.0]])
    for through_zero in (False, True):
        law = fit_linear(x, y, through_zero)
        np.testing.assert_allclose(law(x)[0], y, rtol=1e-4)


def test_the_symmetric_part_of_a_linear_law_is_a_gradient_through_the_centre_of_the_runs() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((9, 3)), rng.standard_normal((9, 3))
    law = fit_linear(x, y, False).symmetric(x, y)
    np.testing.assert_array_equal(law.slope, law.slope.T)
    np.testing.assert_allclose(law(x.mean(0)[None])[0][0], y.mean(0), atol=1e-12)


@pytest.mark.parametrize("d", [1, 3])
def test_a_power_law_has_the_exact_symmetric_definite_tangent_of_its_values(d: int) -> None:
    law = PowerLawPrior(0.1 * definite(d, 1), definite(d, 2), 3.0, 0.55)
    x = np.random.default_rng(3).standard_normal((20, d)) * np.logspace(-2, 2, 20)[:, None]
    values, slope = law(x)
    np.testing.assert_allclose(slope[:12], difference(law, x[:12]), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(slope, np.swapaxes(slope, 1, 2), atol=1e-12)
    assert np.linalg.eigvalsh(slope).min() > 0
    np.testing.assert_allclose(law(-x)[0], -values)


@pytest.mark.parametrize("d", [1, 3])
def test_a_power_law_is_recovered_from_its_own_data(d: int) -> None:
    truth = PowerLawPrior(0.05 * definite(d, 4), definite(d, 5), 4.0, 0.6)
    rng = np.random.default_rng(6)
    x = rng.uniform(-1, 1, (40, d))
    law = fit_power_law(x, truth(x)[0])
    held = rng.uniform(-1, 1, (40, d))
    size = np.sqrt(np.mean(truth(held)[0] ** 2))
    # The weak ridge towards its start costs no more than a hundredth.
    assert np.sqrt(np.mean((law(held)[0] - truth(held)[0]) ** 2)) < 0.01 * size
    assert 0.5 < law.p <= 1


@pytest.mark.parametrize("n_runs", [1, 2, 4])
def test_a_power_law_of_few_runs_is_definite_far_beyond_them(n_runs: int) -> None:
    rng = np.random.default_rng(n_runs)
    x = rng.standard_normal((n_runs, 3)) / 3
    law = fit_power_law(x, rng.standard_normal((n_runs, 3)))
    far = 100 * rng.standard_normal((30, 3))
    values, slope = law(far)
    assert np.isfinite(values).all()
    assert np.linalg.eigvalsh(slope).min() > 0


def test_the_nearest_definite_law_keeps_a_definite_one_and_lifts_the_others() -> None:
    a = definite(3, 7)
    np.testing.assert_allclose(nearest_definite(a), a)
    lifted = np.linalg.eigvalsh(nearest_definite(np.diag([1.0, -1.0, 0.0])))
    np.testing.assert_allclose(lifted, [0.05, 0.05, 1.0])


def test_a_linear_law_repeats_its_slope_at_every_point() -> None:
    law = LinearPrior(np.zeros(2), np.eye(2))
    assert law(np.zeros((5, 2)))[1].shape == (5, 2, 2)


def test_a_box_is_widened_mirrored_for_an_odd_response_and_has_no_width_of_zero() -> None:
    x = np.array([[1.0, 5.0], [3.0, 5.0]])
    box = Box.around(x, 0.1, mirrored=False)
    np.testing.assert_allclose([box.lower[0], box.upper[0]], [0.8, 3.2])
    assert box.contains(x).all()
    assert box.lower[1] < 5.0 < box.upper[1]
    mirrored = Box.around(x, 0.1, mirrored=True)
    assert mirrored.contains(np.array([[-3.0, -5.0]]))[0]
    assert not mirrored.contains(np.array([[np.nan, 0.0]]))[0]
