"""Gaps, outliers, duplicates, noise, censoring: found, told, and undone."""

from __future__ import annotations

import numpy as np
import pytest

from scalebridge.data import Dataset, from_columns
from scalebridge.data.cleansing.censoring import mark_censored
from scalebridge.data.cleansing.duplicates import drop_duplicates, duplicates
from scalebridge.data.cleansing.gaps import drop_gaps, fill_gaps, gaps
from scalebridge.data.cleansing.noise import difference_noise, noise_std, smooth, with_noise
from scalebridge.data.cleansing.outliers import blank_outliers, flag_outliers, outliers
from scalebridge.errors import InputError


def holed() -> Dataset:
    """Twelve specimens, strength linear in density, two gaps."""
    density = np.linspace(0.4, 0.6, 12)
    strength = 200 * density
    strength[[3, 8]] = np.nan
    return from_columns(
        {"ID": [f"S{i}" for i in range(12)], "density [g/cm^3]": density, "strength [MPa]": strength}, index="ID"
    )


def test_gaps_are_listed_with_identifiers() -> None:
    assert [(g.column, g.identifier) for g in gaps(holed())] == [("strength", "S3"), ("strength", "S8")]


def test_rows_with_gaps_are_dropped_by_name_and_come_back() -> None:
    dropped = drop_gaps(holed())
    assert len(dropped) == 10 and "S3, S8" in dropped.steps[-1].sentence
    assert len(dropped.undo()) == 12


@pytest.mark.parametrize("method", ["median", "mean", "interpolate", "neighbours"])
def test_a_filled_gap_says_how_uncertain_it_is_and_lies_within(method: str) -> None:
    filled = fill_gaps(holed(), "strength", method, along="density", using=["density"])
    truth = 200 * holed()["density"]
    assert not filled.gaps("strength").any()
    off = np.abs(filled["strength"] - truth)[[3, 8]]
    std = filled.std["strength"]
    assert (std[[3, 8]] > 0).all() and (off <= 2 * std[[3, 8]]).all() and np.isnan(std[0])
    assert list(filled.steps[-1].changed["strength"].rows) == [3, 8]
    assert np.isnan(filled.undo()["strength"][3])


def test_the_uncertainty_of_interpolation_is_that_of_a_random_walk() -> None:
    ratios = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        t, walk = np.arange(200.0), np.cumsum(rng.standard_normal(200))
        hidden = rng.permutation(np.arange(1, 199))[:60]
        values = walk.copy()
        values[hidden] = np.nan
        filled = fill_gaps(from_columns({"t [s]": t, "x [m]": values}), "x", "interpolate", along="t")
        ratios.append(((filled["x"] - walk)[hidden] / filled.std["x"][hidden]) ** 2)
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.1)


def test_interpolation_does_not_go_beyond_the_ends() -> None:
    data = from_columns({"t [s]": [0.0, 1, 2, 3, 4], "x": [np.nan, 1, 2, 3, np.nan]})
    assert np.isnan(fill_gaps(data, "x", "interpolate", along="t")["x"][[0, 4]]).all()


def test_what_cannot_be_filled_is_refused_in_a_sentence() -> None:
    with pytest.raises(InputError, match="valid: median"):
        fill_gaps(holed(), "strength", "guess")
    with pytest.raises(InputError, match="along nothing"):
        fill_gaps(holed(), "strength", "interpolate")
    for using in (None, [], ["strength"]):
        with pytest.raises(InputError, match="without the target"):
            fill_gaps(holed(), "strength", "neighbours", using=using)
    with pytest.raises(InputError, match="or do not vary"):
        fill_gaps(holed().with_column("density", np.ones(12)), "strength", using=["density"])
    with pytest.raises(InputError, match="needs three"):
        fill_gaps(from_columns({"x": [1.0, np.nan, np.nan]}), "x", "mean")


def test_an_outlier_is_flagged_and_its_value_stays() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal(200)
    values[17] = 30.0
    data = from_columns({"x": values})
    flagged = flag_outliers(data)
    assert [o.row for o in outliers(data)] == [17] and flagged["x"][17] == 30.0
    assert np.flatnonzero(flagged["x_outlier"]).tolist() == [17]
    blank = blank_outliers(data, ["x"])
    assert np.isnan(blank["x"][17]) and blank.undo()["x"][17] == 30.0


def test_many_outliers_on_one_side_do_not_hide_each_other() -> None:
    values = np.concatenate([np.random.default_rng(1).standard_normal(60), np.full(20, 50.0)])
    assert len(outliers(from_columns({"x": values}))) == 20


def test_a_spike_on_a_slope_is_seen_by_the_running_median_only() -> None:
    values = np.linspace(0, 100, 201) + 0.1 * np.random.default_rng(2).standard_normal(201)
    values[50] += 8
    data = from_columns({"x": values})
    assert not outliers(data) and [o.row for o in outliers(data, method="hampel", threshold=20)] == [50]


def test_a_column_mostly_of_zeros_is_not_all_outliers() -> None:
    values = np.where(np.arange(100) % 3 == 0, np.random.default_rng(3).uniform(50, 150, 100), 0.0)
    assert not outliers(from_columns({"ash": values}))


def test_exact_duplicates_are_dropped_and_conflicting_ones_are_told() -> None:
    data = from_columns({"ID": ["a", "a", "b", "b", "c"], "x": [1.0, 1, 2, 3, np.nan], "y": [0.0, 0, 0, 0, 0]})
    found = duplicates(data, by="ID")
    assert found.exact == ((0, 1),) and found.conflicting == {"b": (2, 3)} and found.extra == 1
    kept = drop_duplicates(data, by="ID")
    assert len(kept) == 4 and "b" in kept.steps[-1].sentence and len(kept.undo()) == 5


def test_gaps_do_not_make_equal_rows_differ() -> None:
    assert duplicates(from_columns({"x": [np.nan, np.nan], "y": [1.0, 1.0]})).exact == ((0, 1),)


def test_noise_from_repeats_is_the_pooled_deviation() -> None:
    rng = np.random.default_rng(4)
    data = from_columns({"g": np.repeat(np.arange(200.0), 3), "x": np.repeat(rng.uniform(0, 9, 200), 3)})
    data = data.with_column("x", data["x"] + 0.2 * rng.standard_normal(600))
    std, free = noise_std(data, "x", repeats="g")
    assert free == 400 and std == pytest.approx(0.2, rel=0.1)
    assert with_noise(data, "x", "g").std["x"][0] == std


def test_noise_from_differences_does_not_count_the_signal() -> None:
    rng = np.random.default_rng(5)
    signal = 10 * np.sin(np.linspace(0, 6, 500))
    assert difference_noise(signal + 0.3 * rng.standard_normal(500)) == pytest.approx(0.3, rel=0.15)


def test_smoothing_says_what_noise_it_leaves() -> None:
    signal = np.sin(np.linspace(0, 3, 300))
    off, said = [], []
    for seed in range(30):
        data = from_columns({"x": signal + 0.2 * np.random.default_rng(seed).standard_normal(300)})
        made = smooth(data, "x", window=15)
        off.append(made["x"] - signal)
        said.append(made.std["x"])
    told = np.mean(said, axis=0)
    assert np.sqrt(np.mean(np.square(off))) == pytest.approx(np.sqrt(np.mean(told**2)), rel=0.1)
    assert told[0] > 1.5 * told[150]


def test_a_polynomial_of_the_order_passes_unchanged_to_the_ends() -> None:
    x = np.linspace(-1, 2, 40)
    made = smooth(from_columns({"x": 1 - x + 3 * x**2}), "x", window=9, order=2)
    np.testing.assert_allclose(made["x"], 1 - x + 3 * x**2, atol=1e-12)


def fatigue() -> Dataset:
    """Lives of five coupons; the last two ran out, one of them without a number."""
    return from_columns(
        {"ID": list("abcde"), "cycles": [1e4, 2e5, 3e5, 1e6, np.nan], "run out": ["No", "no", "No", "Yes", "Yes"]},
        index="ID",
        name="lives.csv",
    )


def test_a_run_out_without_a_value_is_refused_until_a_limit_is_given() -> None:
    with pytest.raises(InputError, match=r"\(e\).*at_least"):
        mark_censored(fatigue(), "cycles", flag="run_out")
    marked = mark_censored(fatigue(), "cycles", flag="run_out", at_least=1e6)
    assert marked.censored["cycles"].tolist() == [0, 0, 0, 1, 1] and marked["cycles"][4] == 1e6
    assert np.isnan(marked.undo()["cycles"][4]) and "cycles" not in marked.undo().censored


def test_limits_mark_both_sides() -> None:
    marked = mark_censored(from_columns({"x": [0.01, 1.0, 5.0]}), "x", at_least=5, at_most=0.01)
    assert marked.censored["x"].tolist() == [-1, 0, 1]


def test_a_flag_that_is_neither_yes_nor_no_is_refused() -> None:
    data = from_columns({"x": [1.0, 2.0], "run out": ["yes", "maybe"]}, name="f.csv")
    with pytest.raises(InputError, match="'maybe' in row 2"):
        mark_censored(data, "x", flag="run_out")


def test_the_flag_says_which_rows_ran_out_and_not_the_limit() -> None:
    data = from_columns({"cycles": [2e6, 1e6, np.nan], "run out": ["no", "yes", "yes"]})
    marked = mark_censored(data, "cycles", flag="run_out", at_least=1e6)
    assert marked.censored["cycles"].tolist() == [0, 1, 1]


def test_earlier_marks_stay() -> None:
    once = mark_censored(from_columns({"x": [0.01, 1.0, 5.0]}), "x", at_most=0.01)
    assert mark_censored(once, "x", at_least=5).censored["x"].tolist() == [-1, 0, 1]


def test_rows_of_other_deviations_or_limits_are_no_duplicates() -> None:
    same = from_columns({"x": [1.0, 1.0, 1.0]})
    assert duplicates(same.with_column("x", same["x"], [0.1, 0.1, 0.2])).exact == ((0, 1),)
    assert duplicates(same.with_column("x", same["x"], None, [1, 0, 0])).exact == ((1, 2),)


def test_limits_are_not_smoothed_as_if_they_were_measured() -> None:
    data = from_columns({"x": np.arange(9.0)})
    with pytest.raises(InputError, match=r"1 values of 'x'.*row 3"):
        smooth(data.with_column("x", data["x"], None, np.arange(9) == 2), "x")


def test_a_noise_of_zero_and_unknown_deviations_are_told_apart() -> None:
    data = from_columns({"x": np.random.default_rng(0).standard_normal(30)})
    assert smooth(data, "x", noise=0.0).std["x"].max() == 0
    unknown = data.with_column("x", data["x"], np.full(30, np.nan))
    np.testing.assert_array_equal(smooth(unknown, "x").std["x"], smooth(data, "x").std["x"])
