"""Means of correlated series: exact cases, coverage of intervals, transients, series that are too short."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import t as student

from scalebridge.data.averaging import (
    autocorrelation,
    blocking,
    chodera,
    correlated,
    equilibration,
    error_of_mean,
    mean_of_series,
    mser,
)
from scalebridge.errors import InputError
from scalebridge.quantities import Floats

MEAN = 3.0


def autoregressive(n: int, memory: float, rng: np.random.Generator) -> Floats:
    """An AR(1) series about `MEAN`, of unit innovations; its inefficiency is (1 + memory) / (1 - memory)."""
    return MEAN + np.asarray(lfilter([1], [1, -memory], rng.normal(size=n + 1000)))[1000:]


def coverage(draw: Callable[[np.random.Generator], Floats], seed: int, n_series: int) -> tuple[float, float]:
    """Share of the intervals that hold `MEAN`, and share of the series that are refused one."""
    rng = np.random.default_rng(seed)
    found = [mean_of_series(draw(rng)) for _ in range(n_series)]
    held = [one.interval[0] <= MEAN <= one.interval[1] for one in found if one.enough]
    return sum(held) / len(held), 1 - len(held) / n_series


@pytest.mark.parametrize(("memory", "n"), [(0.0, 500), (0.9, 2000), (0.98, 6000)])
def test_intervals_of_95_percent_hold_in_93_to_98_of_100_series_of_moderate_length(memory: float, n: int) -> None:
    held, refused = coverage(lambda rng: autoregressive(n, memory, rng), 7, 600)
    assert 0.93 <= held <= 0.985 and refused < 0.03


@pytest.mark.parametrize("share", [0.1, 0.22])
def test_intervals_hold_where_a_slow_part_hides_beneath_a_fast_one(share: float) -> None:
    slow = share * math.sqrt(1 - 0.99**2)

    def draw(rng: np.random.Generator) -> Floats:
        return rng.normal(size=10_000) + MEAN + slow * (autoregressive(10_000, 0.99, rng) - MEAN)

    held, refused = coverage(draw, 14, 250)
    assert held > 0.92 and refused < 0.2


def test_the_error_of_a_fast_and_a_slow_part_is_that_of_the_slow_one() -> None:
    n, slow = 2**18, 0.1 * math.sqrt(1 - 0.998**2)
    rng = np.random.default_rng(15)
    found = error_of_mean(rng.normal(size=n) + slow * autoregressive(n, 0.998, rng))
    exact = math.sqrt((1 + 0.1**2 * (1 + 0.998) / (1 - 0.998)) / n)
    assert found.std_error == pytest.approx(exact, rel=0.2)
    assert found.batch >= 16 and 100 < found.n_independent < 1000


@pytest.mark.parametrize(("size", "decay", "least"), [(1.5, 200, 0.95), (0.7, 500, 0.93), (1.0, 1000, 0.9)])
def test_a_start_too_weak_to_be_cut_is_in_the_interval(size: float, decay: float, least: float) -> None:
    start = size * np.exp(-np.arange(5000) / decay) / math.sqrt(1 - 0.9**2)
    held, _ = coverage(lambda rng: autoregressive(5000, 0.9, rng) + start, 16, 300)
    assert held > least


def test_a_mean_that_still_moves_as_more_of_the_start_is_left_out_says_so() -> None:
    rng = np.random.default_rng(17)
    start = 0.7 * np.exp(-np.arange(5000) / 500) / math.sqrt(1 - 0.9**2)
    found = [mean_of_series(autoregressive(5000, 0.9, rng) + start, discard=0) for _ in range(40)]
    told = [one for one in found if one.remark.startswith("The mean still moves")]
    assert 1 <= len(told) < 40 and all(one.enough for one in told)
    assert all(one.std_error > 1.25 * math.sqrt(5 / 5000) for one in told)


def test_a_series_that_is_too_short_says_so_rather_than_be_wrong() -> None:
    rng = np.random.default_rng(8)
    wrong = refused = 0
    for _ in range(400):
        found = mean_of_series(autoregressive(150, 0.98, rng))
        wrong += not found.interval[0] <= MEAN <= found.interval[1]
        refused += not found.enough
    assert refused > 340
    assert wrong < 0.07 * 400


def test_the_words_of_a_short_series_say_how_much_longer_to_run() -> None:
    found = mean_of_series(autoregressive(60, 0.95, np.random.default_rng(1)))
    assert not found.enough and found.interval == (-math.inf, math.inf) and math.isinf(found.std_error)
    assert "too short to say" in found.remark and "times longer" in found.remark
    assert "without an interval" in str(found)


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_the_inefficiency_of_an_ar1_series_is_the_known_one(memory: float) -> None:
    found = correlated(autoregressive(200_000, memory, np.random.default_rng(2)))
    exact = (1 + memory) / (1 - memory)
    assert abs(found.inefficiency - exact) < max(4 * found.inefficiency_std, 0.02)
    assert found.n_effective == pytest.approx(200_000 / found.inefficiency)


def test_the_autocorrelation_of_an_ar1_series_decays_by_its_memory() -> None:
    rho = autocorrelation(autoregressive(200_000, 0.8, np.random.default_rng(3)))
    assert rho[0] == 1.0
    np.testing.assert_allclose(rho[:6], 0.8 ** np.arange(6), atol=0.02)


def test_blocks_of_independent_samples_give_the_textbook_error_at_once() -> None:
    values = np.random.default_rng(4).normal(size=4096)
    found = blocking(values)
    assert found.lengths[:4].tolist() == [1, 2, 4, 8]
    assert found.std_error[0] == pytest.approx(values.std(ddof=1) / 64, rel=1e-12)
    plateau = found.plateau
    assert plateau is not None and abs(found.std_error[plateau] * 64 - 1) < 4 * found.std_error_std[plateau] * 64


def test_blocks_of_an_ar1_series_rise_to_the_known_error() -> None:
    n, memory = 2**17, 0.9
    found = blocking(autoregressive(n, memory, np.random.default_rng(5)))
    exact = 1 / (1 - memory) / math.sqrt(n)
    plateau = found.plateau
    assert plateau is not None and found.lengths[plateau] > 10
    assert abs(found.std_error[plateau] - exact) < 4 * found.std_error_std[plateau] + 0.03 * exact


def test_blocks_of_a_series_shorter_than_its_memory_have_no_plateau() -> None:
    assert blocking(np.cumsum(np.random.default_rng(0).normal(size=64))).plateau is None


@pytest.mark.parametrize("rule", [mser, chodera, equilibration])
def test_a_transient_is_found_and_cut(rule) -> None:
    rng = np.random.default_rng(6)
    values = autoregressive(4000, 0.5, rng) + 30 * np.exp(-np.arange(4000) / 80)
    cut = rule(values)
    assert 150 < cut < 1200


def test_the_mean_of_a_series_with_a_transient_is_that_of_its_settled_part() -> None:
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(200):
        values = autoregressive(4000, 0.5, rng) + 30 * np.exp(-np.arange(4000) / 80)
        found = mean_of_series(values)
        held += found.interval[0] <= MEAN <= found.interval[1]
    assert held >= 180


def test_a_settled_series_is_hardly_ever_cut() -> None:
    rng = np.random.default_rng(9)
    assert sum(equilibration(autoregressive(1000, 0.5, rng)) > 0 for _ in range(200)) <= 8


def test_a_series_that_still_drifts_is_refused_an_interval() -> None:
    values = np.linspace(0, 50, 2000) + np.random.default_rng(10).normal(size=2000)
    found = mean_of_series(values, discard=0)
    assert not found.enough


def test_a_constant_series_has_its_value_exactly() -> None:
    found = mean_of_series(np.full(100, 2.5), unit="K")
    assert (found.value, found.std_error, found.interval, found.enough) == (2.5, 0.0, (2.5, 2.5), True)
    assert str(found).startswith("2.5 ± 0 K")


def test_means_shift_and_scale_with_the_series() -> None:
    values = autoregressive(3000, 0.7, np.random.default_rng(11))
    plain, moved = mean_of_series(values), mean_of_series(1e-6 * (values - 7))
    assert moved.value == pytest.approx(1e-6 * (plain.value - 7))
    assert moved.std_error == pytest.approx(1e-6 * plain.std_error)
    assert moved.n_effective == pytest.approx(plain.n_effective)


@pytest.mark.parametrize("size", [2.0**-700, 2.0**1000])
def test_a_series_of_any_size_has_the_same_mean(size: float) -> None:
    series = autoregressive(1000, 0.5, np.random.default_rng(3))
    plain, other = mean_of_series(series), mean_of_series(size * series)
    assert (other.value, other.std_error) == (size * plain.value, size * plain.std_error)
    assert (other.degrees, other.n_discarded, other.remark) == (plain.degrees, plain.n_discarded, plain.remark)


def test_a_mean_says_the_degrees_that_its_interval_was_made_with() -> None:
    found = mean_of_series(autoregressive(1000, 0.95, np.random.default_rng(13)))
    half = 0.5 * (found.interval[1] - found.interval[0])
    assert 4 <= found.degrees < 100
    assert half == pytest.approx(student.ppf(0.975, found.degrees) * found.std_error)


def test_samples_left_out_by_hand_are_left_out() -> None:
    values = np.concatenate([np.full(50, 100.0), autoregressive(1000, 0.0, np.random.default_rng(12))])
    found = mean_of_series(values, discard=50)
    assert found.n_discarded == 50 and found.value == pytest.approx(values[50:].mean())


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        ([1.0, math.nan, 2.0], {}, "is nan at step 2"),
        ([1.0], {}, "has 1 values"),
        (["a", "b"], {}, "no number"),
        (np.ones((3, 2)), {}, "one number per step"),
        ([1.0, 2.0, 3.0], {"confidence": 95}, "between 0 and 1"),
        ([1.0, 2.0, 3.0], {"discard": 2}, "keep at least 2"),
    ],
)
def test_what_is_no_series_is_one_sentence(values, options, words: str) -> None:
    with pytest.raises(InputError, match=words):
        mean_of_series(values, **options)
