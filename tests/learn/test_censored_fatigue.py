"""Stress-life curves of real coupons, read from their tables, run-outs and gaps included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scalebridge.data import Dataset, read_table
from scalebridge.data.cleansing.censoring import mark_censored
from scalebridge.data.cleansing.gaps import drop_gaps
from scalebridge.errors import InputError, ShapeError
from scalebridge.learn.life import StressLife
from scalebridge.learn.tables import read
from scalebridge.quantities import Variable

SET = Path(__file__).parents[2] / "data" / "gfrp-fatigue"
STRESS, LIFE, RATIO = "maximum_stress", "last_recorded_cycle", "stress_ratio"


def coupons() -> Dataset:
    """23 coupons, four of which ran out, two of these without a number; one life is lost."""
    return read_table(SET / "TST_Khalooei_2021-10_FA_SN.csv", index="SpecimenID")


def marked() -> Dataset:
    """The coupons with run-outs at a million cycles, the lost life left out."""
    return drop_gaps(mark_censored(coupons(), LIFE, flag="run_out", at_least=1e6), [LIFE])


def test_lives_with_gaps_are_refused_by_the_names_of_their_specimens() -> None:
    with pytest.raises(InputError, match=r"3 rows \(Khalooei-007, Khalooei-008, Khalooei-016\).*mark_censored"):
        StressLife().fit_dataset(coupons(), STRESS, LIFE)


def test_the_dataset_carries_its_run_outs_into_the_fit() -> None:
    data = marked()
    assert len(data) == 22 and data.censored[LIFE].sum() == 4
    fit = StressLife().fit_dataset(data, STRESS, LIFE, (RATIO,))
    by_hand = StressLife().fit(data[STRESS], data[LIFE], data.censored[LIFE], data[RATIO])
    assert fit.slope == by_hand.slope and 8 < fit.slope < 20
    assert fit.slope_interval()[0] < fit.slope < fit.slope_interval()[1]


def test_run_outs_taken_for_failures_shorten_the_lives_at_low_stress() -> None:
    data = marked()
    honest = StressLife().fit_dataset(data, STRESS, LIFE, (RATIO,))
    naive = StressLife().fit(data[STRESS], data[LIFE], None, data[RATIO])
    at = (np.array([80.0]), np.array([[0.5]]))
    assert honest.life(*at).quantile(0.5)[0] > naive.life(*at).quantile(0.5)[0] + 0.1
    assert honest.slope > naive.slope


def test_specimens_that_were_held_out_lie_in_their_predictive_interval() -> None:
    data = marked()
    codes, inside = data.censored[LIFE], []
    for i in np.flatnonzero(codes == 0):
        kept = np.arange(len(data)) != i
        fit = StressLife().fit(data[STRESS][kept], data[LIFE][kept], codes[kept], data[RATIO][kept])
        told = fit.life(data[STRESS][i : i + 1], data[RATIO][i : i + 1])
        inside.append(told.quantile(0.05)[0] <= np.log10(data[LIFE][i]) <= told.quantile(0.95)[0])
    # 18 specimens at nine tenths: at least 13 in 99.7 of a hundred.
    assert len(inside) == 18 and sum(inside) >= 13


def test_joints_that_all_failed_need_no_censoring() -> None:
    joints = drop_gaps(read_table(SET / "TST_Liu_2020-09_FA_SN.csv", index="SpecimenID"), [LIFE])
    fit = StressLife().fit_dataset(joints, STRESS, LIFE)
    columns = np.column_stack([np.ones(12), np.log10(joints[STRESS])])
    slope = np.linalg.lstsq(columns, np.log10(joints[LIFE]), rcond=None)[0][1]
    assert fit.slope == pytest.approx(-slope, rel=1e-6)


def test_a_design_curve_lies_below_the_median_and_says_how_well_it_is_known() -> None:
    told = StressLife("weibull").fit_dataset(marked(), STRESS, LIFE, (RATIO,)).life([80.0, 100.0], [[0.5], [0.5]])
    low, high = told.population_quantile(0.05)
    assert (low < high).all() and (high < told.quantile(0.5)).all()
    np.testing.assert_allclose(told.above(told.quantile(0.3)), 0.7, atol=1e-6)
    draws = told.sample(4000, seed=1)
    np.testing.assert_allclose((draws <= told.quantile(0.9)).mean(axis=0), 0.9, atol=0.03)
    np.testing.assert_allclose(draws.std(axis=0), told.std, rtol=0.1)


def test_covariates_that_do_not_fit_are_refused() -> None:
    fit = StressLife().fit_dataset(marked(), STRESS, LIFE, (RATIO,))
    with pytest.raises(ShapeError, match="1 covariates and got 0"):
        fit.life([80.0])
    with pytest.raises(InputError, match="valid: constant, stress"):
        StressLife(scatter="level")


def test_a_gap_in_a_covariate_is_blamed_on_the_covariate() -> None:
    data = marked()
    ratios = np.where(np.arange(len(data)) == 2, np.nan, data[RATIO])
    with pytest.raises(InputError, match=f"a gap in {RATIO} in 1 rows"):
        StressLife().fit_dataset(data.with_column(RATIO, ratios), STRESS, LIFE, (RATIO,))


def test_learners_that_know_no_limits_refuse_columns_of_limits() -> None:
    data = marked()
    with pytest.raises(InputError, match=r"'last_recorded_cycle .*4 values that are only limits.*CensoredRegression"):
        read(data.only([STRESS, LIFE]), LIFE)
    names = (STRESS, RATIO)
    assert read(data.only([*names, LIFE]), RATIO, inputs=[Variable(STRESS)])[2].shape == (22, 1)
