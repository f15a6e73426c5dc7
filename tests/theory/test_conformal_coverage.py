"""Coverage of conformal intervals is what the theorems say, in finite samples."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks._cheap_learners import neighbours, ridge
from scalebridge.learn import Conformal, Online
from scalebridge.learn.calibration.ranks import specimen_weights, upper_quantile

pytestmark = pytest.mark.theory


def draw(rng: np.random.Generator, n: int, rough: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    x = rng.uniform(-1, 1, (n, 2))
    noise = (0.3 + rough * (x[:, :1] > 0)) * rng.standard_normal((n, 1))
    return x, np.sin(3 * x[:, :1]) + noise


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("k", [9, 19, 24, 60])
def test_over_all_orders_of_exchangeable_values_the_quantile_holds_exactly_its_rank(k: int, level: float) -> None:
    values = np.random.default_rng(k).standard_cauchy(k + 1)
    inside = [values[i] <= upper_quantile(np.delete(values, i), level) for i in range(k + 1)]
    rank = math.ceil((k + 1) * level - 1e-9)
    assert np.mean(inside) == pytest.approx(min(rank, k + 1) / (k + 1))


def test_split_intervals_cover_at_the_rank_over_the_number_of_calibration_rows_and_one() -> None:
    found = []
    for repeat in range(250):
        rng = np.random.default_rng(repeat)
        fitted = Conformal(ridge(2), method="split", score="absolute", level=0.8, share=0.5, seed=repeat)  # type: ignore[arg-type]
        x, y = draw(rng, 38)
        new_x, new_y = draw(rng, 200)
        lower, upper = fitted.fit(x, y).posterior(new_x).interval()
        found.append(np.mean((new_y >= lower) & (new_y <= upper)))
    # Nineteen calibration rows: the coverage given them is Beta(16, 4), its mean sixteen twentieths (Vovk 2012).
    assert np.mean(found) == pytest.approx(0.8, abs=4 * np.std(found) / np.sqrt(250))
    spread = np.sqrt(16 * 4 / (20**2 * 21) + 0.8 * 0.2 / 200)
    assert np.std(found) == pytest.approx(spread, rel=0.2)


@pytest.mark.parametrize(("method", "n"), [("cv+", 40), ("jackknife+", 20)])
def test_cv_plus_keeps_its_proven_level_with_a_learner_that_follows_every_row(method: str, n: int) -> None:
    found = []
    for repeat in range(60):
        rng = np.random.default_rng(repeat)
        fitted = Conformal(neighbours(2, count=1), method=method, score="absolute", level=0.8, seed=repeat)  # type: ignore[arg-type]
        x, y = draw(rng, n)
        new_x, new_y = draw(rng, 200)
        lower, upper = fitted.fit(x, y).posterior(new_x).interval()
        found.append(np.mean((new_y >= lower) & (new_y <= upper)))
    error = np.std(found) / np.sqrt(60)
    # Proven is 1 - 2 alpha = .6; typical is 1 - alpha.
    assert np.mean(found) > 0.6 + 4 * error
    assert np.mean(found) > 0.8 - 4 * error


def side(x: np.ndarray) -> np.ndarray:
    return x[:, 0] > 0


@pytest.mark.parametrize("method", ["split", "cv+"])
def test_every_group_is_covered_at_the_level_where_one_width_for_all_fails_the_rough_one(method: str) -> None:
    apart: dict[bool, list[np.ndarray]] = {False: [], True: []}
    for repeat in range(60):
        rng = np.random.default_rng(repeat)
        x, y = draw(rng, 120, rough=1.0)
        new_x, new_y = draw(rng, 300, rough=1.0)
        for groups in (None, side):
            made = Conformal(ridge(2), method=method, score="absolute", groups=groups, share=0.4, seed=repeat)  # type: ignore[arg-type]
            lower, upper = made.fit(x, y).posterior(new_x).interval()
            inside = ((new_y >= lower) & (new_y <= upper))[:, 0]
            apart[groups is not None].append(np.array([inside[side(new_x)].mean(), inside[~side(new_x)].mean()]))
    together, grouped = (np.mean(apart[k], axis=0) for k in (False, True))
    error = np.std(apart[True], axis=0) / np.sqrt(60)
    assert together[0] < 0.85 and together[1] > 0.95
    assert (grouped > 0.9 - 4 * error).all() and (grouped < 0.96).all()


def test_a_new_specimen_is_covered_where_rows_of_one_specimen_share_their_error() -> None:
    found, naive = [], []
    for repeat in range(2000):
        rng = np.random.default_rng(repeat)
        sizes = rng.integers(1, 12, 20)
        label = np.repeat(np.arange(20), sizes)
        scores = np.abs(rng.standard_normal(20)[label] + 0.2 * rng.standard_normal(len(label)))
        new = abs(rng.standard_normal() + 0.2 * rng.standard_normal())
        found.append(new <= upper_quantile(scores, 0.9, specimen_weights(label)))
        naive.append(new <= upper_quantile(scores, 0.9))
    assert np.mean(found) > 0.9 - 4 * np.sqrt(0.09 / 2000)
    assert np.mean(naive) < np.mean(found)


def test_a_band_holds_a_whole_field_as_often_as_it_says() -> None:
    grid = np.linspace(0, 1, 30)
    root = np.linalg.cholesky(np.exp(-((grid[:, None] - grid) ** 2) / 0.08) + 1e-8 * np.eye(30))
    found = []
    for repeat in range(60):
        rng = np.random.default_rng(repeat)

        def fields(n: int, rng: np.random.Generator = rng) -> tuple[np.ndarray, np.ndarray]:
            x = rng.uniform(-1, 1, (n, 2))
            return x, x[:, :1] * np.sin(6 * grid) + (rng.standard_normal((n, 30)) @ root.T) * (0.2 + grid)

        x, y = fields(80)
        new_x, new_y = fields(100)
        made = Conformal(ridge(2, 30), method="split", share=0.4875, seed=repeat)  # type: ignore[arg-type]
        lower, upper = made.fit(x, y).posterior(new_x).band()
        found.append(np.mean(np.all((new_y >= lower) & (new_y <= upper), axis=1)))
    # Thirty-nine calibration fields: thirty-six fortieths.
    assert np.mean(found) == pytest.approx(0.9, abs=4 * np.std(found) / np.sqrt(60))


def drift(steps: int, seed: int) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A fitted surrogate, rows to begin with, and a stream whose noise grows tenfold, with a jump half-way."""
    rng = np.random.default_rng(seed)
    x, y = draw(rng, 100)
    model = ridge(2).fit(x[:50], y[:50])
    new_x = rng.uniform(-1, 1, (steps, 2))
    time = np.linspace(0, 1, steps)[:, None]
    size = 0.3 * (1 + 4 * time + 5 * (time > 0.5))
    return model, x[50:], y[50:], new_x, np.sin(3 * new_x[:, :1]) + size * rng.standard_normal((steps, 1))


def test_under_drift_the_share_of_misses_stays_within_the_proven_distance_of_the_level() -> None:
    model, x, y, new_x, new_y = drift(1500, 0)
    for rate in (0.005, 0.05):
        state = Online.start(model, x, y, score="absolute", rates=(rate,)).update(new_x, new_y)
        assert abs(state.misses / 1500 - 0.1) <= (0.9 + rate) / (rate * 1500)


def test_under_drift_several_rates_keep_the_level_where_a_fixed_interval_loses_it() -> None:
    model, x, y, new_x, new_y = drift(1500, 1)
    state = Online.start(model, x, y, score="absolute", window=200)
    lower, upper = state.interval(new_x)
    assert np.mean((new_y >= lower) & (new_y <= upper)) < 0.6
    assert 0.88 < state.update(new_x, new_y).covered < 0.92


def test_what_an_update_counts_as_a_miss_is_what_the_interval_missed() -> None:
    model, x, y, new_x, new_y = drift(200, 2)
    state, missed = Online.start(model, x, y), 0
    for i in range(200):
        row = slice(i, i + 1)
        lower, upper = state.interval(new_x[row])
        missed += int(not lower[0, 0] <= new_y[i, 0] <= upper[0, 0])
        state = state.update(new_x[row], new_y[row])
    assert missed == state.misses


def test_values_that_outwit_every_interval_are_still_held_at_the_level() -> None:
    model, x, y, new_x, _ = drift(600, 3)
    state = Online.start(model, x, y, score="absolute", rates=(0.05,))
    for i in range(600):
        _, upper = state.interval(new_x[i : i + 1])
        # Just beyond the interval whenever it is finite.
        value = np.where(np.isfinite(upper), upper + 1e-6, 0.0)
        state = state.update(new_x[i : i + 1], value)
    assert abs(state.misses / 600 - 0.1) <= 0.95 / (0.05 * 600)
    assert replace(state, window=10).window == 10
