"""Conformal and recalibrated surrogates: the contract, what intervals mean, what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from benchmarks._cheap_learners import ridge
from scalebridge.errors import InputError
from scalebridge.learn import Conformal, GaussianProcess, Online, Recalibrated, load, save
from scalebridge.learn.calibration.metrics import coverage, mean_width, simultaneous_coverage
from scalebridge.learn.calibration.ranks import rows_needed, specimen_weights, upper_quantile
from scalebridge.learn.calibration.rescaled import Rescaled
from scalebridge.learn.encoding import decode, encode
from scalebridge.models import Surrogate
from scalebridge.testing import BayesianLinear, check_surrogate
from scalebridge.testing.linear import LinearPosterior
from scalebridge.testing.surrogates import dense_reduction

METHODS = ("split", "cv+", "jackknife+")


def spaces(d: int = 2, m: int = 1, **bounds: Any) -> tuple[sb.Space, sb.Space]:
    return sb.Space([sb.Variable("x", "1", (d,))]), sb.Space([sb.Variable("y", "Pa", (m,), **bounds)])


def noisy(n: int, seed: int = 0, m: int = 1, hetero: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2))
    width = 0.1 + (np.abs(x[:, :1]) if hetero else 0.1)
    return x, x[:, :1] - 0.5 * x[:, 1:] + width * rng.standard_normal((n, m))


LINEAR = BayesianLinear(*spaces())


@pytest.mark.parametrize(
    ("method", "score", "fewest"),
    [("split", "normalised", 6), ("split", "absolute", 6), ("split", "quantile", 6), ("cv+", "normalised", 4)],
)
def test_a_conformal_gaussian_process_keeps_the_contract(method: str, score: str, fewest: int) -> None:
    surrogate = Conformal(GaussianProcess(*spaces(3, 2)), method=method, score=score, level=0.8, folds=3)
    check_surrogate(surrogate, fewest=fewest)


def test_a_fitted_one_is_a_surrogate() -> None:
    x, y = noisy(24)
    assert isinstance(Conformal(GaussianProcess(*spaces()), method="split").fit(x, y), Surrogate)


def test_a_recalibrated_gaussian_process_keeps_the_contract() -> None:
    check_surrogate(Recalibrated(GaussianProcess(*spaces(3, 2)), folds=3), fewest=3)


def test_output_bounds_are_kept_by_conformal_intervals() -> None:
    surrogate = Conformal(GaussianProcess(*spaces(2, 1, bounds=(0.0, 1.0))), method="split", level=0.8)
    check_surrogate(surrogate, fewest=6)
    x, y = noisy(30)
    lower, upper = surrogate.fit(x, np.clip(y, 0, 1)).posterior(3 * x).interval()
    assert lower.min() >= 0 and upper.max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_mean_and_jacobian_are_those_of_the_surrogate_inside(method: str) -> None:
    x, y = noisy(40)
    fitted = Conformal(LINEAR, method=method).fit(x, y)
    for found, wanted in zip(fitted.predict(x), fitted.model.predict(x), strict=True):
        np.testing.assert_array_equal(found, wanted)
    if method != "split":
        np.testing.assert_array_equal(fitted.predict(x)[0], LINEAR.fit(x, y).predict(x)[0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("score", ["absolute", "normalised", "quantile"])
def test_intervals_of_every_method_and_score_hold_their_level_on_new_rows(method: str, score: str) -> None:
    x, y = noisy(60, hetero=True)
    fitted = Conformal(LINEAR, method=method, score=score).fit(x, y)
    new_x, new_y = noisy(300, 7, hetero=True)
    lower, upper = fitted.posterior(new_x).interval()
    assert 0.8 < coverage(new_y, lower, upper)[0] < 0.98


def test_the_normal_interval_at_the_calibrated_level_is_as_wide_as_the_conformal_one() -> None:
    x, y = noisy(60)
    posterior = Conformal(LINEAR, method="split", score="absolute").fit(x, y).posterior(x)
    lower, upper = posterior.interval()
    np.testing.assert_allclose(posterior.quantile(0.05), lower)
    np.testing.assert_allclose(posterior.quantile(0.95), upper)
    np.testing.assert_allclose(2 * 1.6448536 * posterior.std, upper - lower, rtol=1e-7)


def test_quantiles_rise_and_hold_the_interval_where_folds_disagree() -> None:
    x, y = noisy(40)
    posterior = Conformal(LINEAR).fit(x, y).posterior(2 * x)
    quantiles = np.stack([posterior.quantile(p) for p in np.linspace(0.01, 0.99, 33)])
    assert (np.diff(quantiles, axis=0) >= 0).all()
    lower, upper = posterior.interval()
    assert (posterior.quantile(0.05) <= lower + 1e-12).all() and (posterior.quantile(0.95) >= upper - 1e-12).all()


def test_split_conformal_is_the_quantile_of_held_back_residuals() -> None:
    x, y = noisy(40)
    fitted = Conformal(LINEAR, method="split", score="absolute", share=0.5).fit(x, y)
    rows = fitted.fitted.rows  # type: ignore[union-attr]
    residuals = np.sort(np.abs(y[rows] - fitted.predict(x[rows])[0])[:, 0])
    lower, upper = fitted.posterior(x[:1]).interval()
    assert len(rows) == 20
    assert (upper - lower)[0, 0] / 2 == pytest.approx(residuals[int(np.ceil(21 * 0.9)) - 1])


def test_jackknife_plus_is_the_formula_of_its_paper() -> None:
    x, y = noisy(20)
    at = np.array([[0.3, -0.2]])
    low, high = [], []
    for i in range(20):
        others = np.arange(20) != i
        model = LINEAR.fit(x[others], y[others])
        residual = abs(float(y[i, 0] - model.predict(x[i : i + 1])[0][0, 0]))
        low.append(float(model.predict(at)[0][0, 0]) - residual)
        high.append(float(model.predict(at)[0][0, 0]) + residual)
    lower, upper = (
        Conformal(LINEAR, method="jackknife+", score="absolute", level=0.8).fit(x, y).posterior(at).interval()
    )
    assert lower[0, 0] == pytest.approx(np.sort(low)[int(np.floor(0.2 * 21)) - 1])
    assert upper[0, 0] == pytest.approx(np.sort(high)[int(np.ceil(0.8 * 21)) - 1])


def test_any_level_that_the_rows_allow_is_answered_and_a_higher_one_refused_with_the_number_needed() -> None:
    x, y = noisy(30)
    posterior = Conformal(LINEAR).fit(x, y).posterior(x)
    widths = [mean_width(*posterior.interval(level))[0] for level in (0.5, 0.8, 0.9, 0.95)]
    assert widths == sorted(widths)
    with pytest.raises(InputError, match=r"30 calibration rows, too few for an interval of 99 %, which needs 99"):
        posterior.interval(0.99)


def test_too_few_rows_are_refused_before_anything_is_fitted() -> None:
    x, y = noisy(8)
    with pytest.raises(InputError, match=r"8 rows, too few for an interval of 90 %, which needs 9"):
        Conformal(LINEAR).fit(x, y)
    with pytest.raises(InputError, match=r"holds back 9 of them .* at least 11"):
        Conformal(LINEAR, method="split").fit(x, y)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "cv"}, "did you mean 'cv\\+'"),
        ({"score": "variance"}, "no score 'variance'"),
        ({"level": 90.0}, "between 0 and 1"),
        ({"share": 1.5}, "share of 1.5"),
        ({"folds": 1}, "two folds"),
        ({"groups": "alloy"}, "no input 'alloy'"),
    ],
)
def test_a_wrong_option_is_refused_in_one_sentence(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Conformal(LINEAR, **options)


def test_a_surrogate_that_claims_no_deviation_gets_one_width_everywhere_and_no_factor() -> None:
    certain, (x, y) = BayesianLinear(*spaces(), prior_std=1e-9), noisy(40)
    lower, upper = Conformal(certain, method="split").fit(x, y).posterior(x).interval()
    wanted = Conformal(certain, method="split", score="absolute").fit(x, y).posterior(x).interval()
    np.testing.assert_allclose(np.stack([lower, upper]), np.stack(wanted))


def test_an_unfitted_surrogate_says_so() -> None:
    with pytest.raises(InputError, match="not fitted"):
        Conformal(LINEAR).posterior(np.zeros((1, 2)))


def two_kinds(x: np.ndarray) -> np.ndarray:
    return np.where(x[:, 0] > 0, "rough", "smooth")


def test_each_group_gets_the_width_it_needs_and_an_unknown_group_is_refused() -> None:
    x, y = noisy(200)
    y = y + np.where(x[:, :1] > 0, 2.0, 0.0) * np.random.default_rng(1).standard_normal((200, 1))
    fitted = Conformal(LINEAR, score="absolute", groups=two_kinds).fit(x, y)
    lower, upper = fitted.posterior(np.array([[-0.5, 0.0], [0.5, 0.0]])).interval()
    assert (upper - lower)[1, 0] > 3 * (upper - lower)[0, 0]
    assert set(fitted.certificate.groups) == {"rough", "smooth"}  # type: ignore[union-attr]
    column = Conformal(LINEAR, groups="x[0]").fit(np.round(x) + 0.0, y)
    with pytest.raises(InputError, match=r"group '5.0' .* has 0 calibration rows"):
        column.posterior(np.array([[5.0, 0.0]])).interval()


def test_a_group_with_too_few_rows_is_named() -> None:
    x, y = noisy(60)
    x[:, 0] = np.where(np.arange(60) < 5, 1.0, 0.0)
    with pytest.raises(InputError, match=r"group '1.0' has 5 calibration rows, .* needs 9"):
        Conformal(LINEAR, groups="x[0]").fit(x, y)


def test_rows_of_one_specimen_are_never_on_both_sides_and_count_as_one() -> None:
    x, y = noisy(80)
    specimen = np.repeat(np.arange(20), 4)
    for method in ("split", "cv+"):
        fitted = Conformal(ridge(2), method=method, level=0.8).fit(x, y, specimens=specimen)  # type: ignore[arg-type]
        known = fitted.fitted
        assert known is not None and fitted.certificate is not None
        for k, part in enumerate(known.parts):
            scored = set(specimen[known.rows[known.part == k]])
            learned = {int(specimen[np.flatnonzero((x == row).all(axis=1))[0]]) for row in part.data[0]}
            assert not scored & learned
        assert fitted.certificate.specimens < fitted.certificate.rows
    with pytest.raises(InputError, match=r"20 distinct specimens, .* needs 49"):
        Conformal(LINEAR, level=0.98).fit(x, y, specimens=specimen)


def test_equal_rows_count_once() -> None:
    x, y = noisy(12)
    fitted = Conformal(LINEAR, level=0.8).fit(np.tile(x, (5, 1)), np.tile(y, (5, 1)))
    assert fitted.certificate.specimens == 12  # type: ignore[union-attr]


def test_a_band_holds_all_outputs_at_once_and_bonferroni_is_wider_where_they_go_together() -> None:
    def field(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        x = rng.uniform(-1, 1, (n, 2))
        waves = np.stack([np.sin(np.arange(10) / 3), np.cos(np.arange(10) / 3)])
        return x, x @ waves + rng.standard_normal((n, 2)) @ waves

    x, y = field(300, 0)
    new_x, new_y = field(200, 1)
    posterior = Conformal(BayesianLinear(*spaces(2, 10)), score="absolute").fit(x, y).posterior(new_x)
    band, many, each = posterior.band(), posterior.band(how="bonferroni"), posterior.interval()
    assert simultaneous_coverage(new_y, *each) < 0.85
    assert 0.86 < simultaneous_coverage(new_y, *band) < 0.95
    assert simultaneous_coverage(new_y, *many) > 0.86
    assert mean_width(*each).mean() < mean_width(*band).mean() < mean_width(*many).mean()


def test_the_certificate_says_what_was_claimed_what_was_found_and_where_it_is_worst() -> None:
    x, y = noisy(300, hetero=True)
    sure = BayesianLinear(*spaces(), noise_ratio=1e-3)
    fitted = Conformal(sure, score="absolute").fit(x, y)
    told = fitted.certificate
    assert told is not None
    assert told.coverage == pytest.approx(0.9, abs=0.01) and told.coverage_before < 0.3
    assert told.worst < told.coverage and "x[0]" in told.where
    assert json.loads(json.dumps(told.as_dict()))["guarantee"] == 0.8
    assert "80 % is proven" in str(told) and str(told).endswith(".")
    assert told == Conformal(sure, score="absolute").fit(x, y).certificate
    assert told.digest != Conformal(sure, score="absolute", seed=1).fit(x, y).certificate.digest  # type: ignore[union-attr]


def test_the_joint_covariance_is_that_of_dense_algebra_where_widths_differ_from_point_to_point() -> None:
    rng = np.random.default_rng(0)
    root = rng.standard_normal((10, 10))
    base = LinearPosterior(rng.standard_normal((5, 2)), root @ root.T)
    rescaled = Rescaled(base, rng.uniform(0.5, 2, (5, 2)), rng.uniform(0, 1, (5, 2)))
    r = rescaled.factor.ravel()
    dense = root @ root.T * np.outer(r, r) + np.diag(rescaled.rest.ravel())
    weights, noise = rng.standard_normal((5, 2)), np.array([0.3, 0.6])
    told = rescaled.functional(weights)
    np.testing.assert_allclose(told.std**2, weights.ravel() @ dense @ weights.ravel())
    np.testing.assert_allclose(told.cov.ravel(), dense @ weights.ravel())
    for given in (None, np.array([3, 4])):
        found = rescaled.reduction(weights, np.arange(5), noise, given)
        np.testing.assert_allclose(found, dense_reduction(dense, weights, np.arange(5), noise, given), rtol=1e-6)


def test_one_factor_brings_deviations_to_the_size_of_the_errors_and_crps_minds_a_wild_error_less() -> None:
    x, y = noisy(200)
    sure = BayesianLinear(*spaces(), noise_ratio=1e-3)
    fitted = {by: Recalibrated(sure, by=by).fit(x, y) for by in ("likelihood", "crps", "isotonic")}
    assert all(0.85 < f.certificate.coverage < 0.97 for f in fitted.values() if f.certificate is not None)
    assert all(f.certificate.coverage_before < 0.3 for f in fitted.values() if f.certificate is not None)
    y[0] += 50.0
    wild = {by: Recalibrated(sure, by=by).fit(x, y).posterior(x[:1]).std[0, 0] for by in ("likelihood", "crps")}
    assert wild["crps"] < 0.5 * wild["likelihood"]


def test_few_specimens_widen_intervals_by_students_t_and_count_once_each() -> None:
    shares = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        specimen = np.repeat(np.arange(6), [30, 4, 4, 4, 4, 4])
        shift = rng.normal(size=7)
        x = rng.normal(size=(51, 2))
        y = x[:, :1] + shift[np.append(specimen, 6)][:, None] + 0.1 * rng.normal(size=(51, 1))
        fitted = Recalibrated(LINEAR, by="student").fit(x[:50], y[:50], specimens=specimen)
        low, high = (fitted.posterior(x[50:]).quantile(p) for p in (0.05, 0.95))
        shares.append(float((low <= y[50:]).all() and (y[50:] <= high).all()))
    # Rows taken for independent would hold some 60 %.
    assert 0.8 <= np.mean(shares) <= 0.98


def test_by_student_every_quantile_is_that_of_students_t_at_its_own_level() -> None:
    from scipy.stats import norm, t

    x, y = noisy(40)
    specimen = np.arange(40) // 8
    made = Recalibrated(LINEAR, by="student", level=0.99, seed=3).fit(x, y, specimens=specimen)
    told, base = made.posterior(x), made.model.posterior(x)
    for p in (0.01, 0.25, 0.5, 0.7, 0.95):
        ratio = 1.0 if p == 0.5 else t.ppf(p, 4) / norm.ppf(p)
        expected = base.mean + told.factor * ratio * (base.quantile(p) - base.mean)
        np.testing.assert_allclose(told.quantile(p), expected)
    other = Recalibrated(LINEAR, by="student", level=0.5, seed=3).fit(x, y, specimens=specimen)
    np.testing.assert_allclose(other.posterior(x).quantile(0.95), told.quantile(0.95))


def test_a_certificate_of_recalibration_counts_specimens_and_says_on_which_rows_it_was_found() -> None:
    x, y = noisy(40)
    for specimens, count in ((np.arange(40) // 8, 5), (None, 40)):
        certificate = Recalibrated(LINEAR, by="student").fit(x, y, specimens=specimens).certificate
        assert certificate is not None
        assert (certificate.rows, certificate.specimens) == (40, count)
        assert "on the rows that set it" in str(certificate)


def test_an_archive_from_before_degrees_were_kept_answers_as_it_did() -> None:
    x, y = noisy(40)
    arrays: list[Any] = []
    inside = GaussianProcess(*spaces())
    tree = encode(Recalibrated(inside, by="student").fit(x, y, specimens=np.arange(40) // 8), arrays)
    del tree["fields"]["fitted"]["fields"]["degrees"]
    old = decode(tree, arrays)
    told, base = old.posterior(x), old.model.posterior(x)
    # One factor for all quantiles, as it was written.
    np.testing.assert_allclose(told.quantile(0.9), base.mean + told.stretch * (base.quantile(0.9) - base.mean))


def test_an_isotonic_curve_straightens_what_no_factor_can() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (600, 2))
    y = x[:, :1] + rng.standard_exponential((600, 1))
    curve = Recalibrated(LINEAR, by="isotonic").fit(x, y).posterior(x)
    factor = Recalibrated(LINEAR, by="likelihood").fit(x, y).posterior(x)
    for p in (0.05, 0.25, 0.5, 0.9):
        assert np.mean(y <= curve.quantile(p)) == pytest.approx(p, abs=0.05)
    assert np.mean(y <= factor.quantile(0.05)) < 0.02
    assert np.mean((y - curve.mean) ** 2) == pytest.approx(np.mean(curve.std**2), rel=0.25)


def test_too_few_rows_for_a_curve_and_unknown_ways_are_refused() -> None:
    with pytest.raises(InputError, match="at least 20"):
        Recalibrated(LINEAR, by="isotonic").fit(*noisy(12))
    with pytest.raises(InputError, match="recalibrated by 'platt'"):
        Recalibrated(LINEAR, by="platt")


def test_an_online_state_is_left_as_it_was_and_starts_at_the_split_conformal_interval() -> None:
    x, y = noisy(60)
    model = LINEAR.fit(x[:30], y[:30])
    state = Online.start(model, x[30:], y[30:], score="absolute")
    lower, upper = state.interval(x[:3])
    residuals = np.abs(y[30:] - model.predict(x[30:])[0])
    np.testing.assert_allclose((upper - lower) / 2, np.broadcast_to(upper_quantile(residuals, 0.9), (3, 1)))
    later = state.update(x[:2], y[:2] + 10.0)
    assert (state.rows, later.rows, later.misses) == (0, 2, 2)
    assert later.error_rate < state.error_rate and np.isnan(state.covered) and later.covered == 0.0
    with pytest.raises(InputError, match="which needs 9"):
        Online.start(model, x[:5], y[:5])
    with pytest.raises(InputError, match="positive"):
        replace(state, rates=())


def test_ranks_count_the_new_value_as_one_of_them() -> None:
    assert [rows_needed(level) for level in (0.5, 0.8, 0.9, 0.95, 0.99)] == [1, 4, 9, 19, 99]
    assert upper_quantile(np.arange(1.0, 10.0), 0.9) == 9.0
    assert np.isinf(upper_quantile(np.arange(1.0, 9.0), 0.9))
    alone = np.arange(19)
    values = np.random.default_rng(0).standard_normal((19, 3))
    np.testing.assert_array_equal(upper_quantile(values, 0.9, specimen_weights(alone)), upper_quantile(values, 0.9))


@pytest.mark.parametrize(
    "made",
    [
        Conformal(LINEAR, groups="x[0]", level=0.5),
        Conformal(LINEAR, method="split"),
        Recalibrated(LINEAR),
        Recalibrated(LINEAR, by="student"),
    ],
)
def test_what_was_saved_answers_the_same_when_loaded(made: Any, tmp_path: Path) -> None:
    x, y = noisy(40)
    x[:, 0] = np.sign(x[:, 0])
    process = GaussianProcess(made.surrogate.inputs, made.surrogate.outputs)
    fitted = replace(made, surrogate=process).fit(x, y)
    save(fitted, tmp_path / "kept")
    loaded = load(tmp_path / "kept")
    assert loaded.certificate == fitted.certificate
    for p in (0.05, 0.5, 0.95):
        np.testing.assert_array_equal(loaded.posterior(x).quantile(p), fitted.posterior(x).quantile(p))


def test_groups_given_as_a_function_cannot_be_saved_and_say_so(tmp_path: Path) -> None:
    fitted = Conformal(GaussianProcess(*spaces()), method="split", level=0.5, groups=two_kinds).fit(*noisy(40))
    with pytest.raises(InputError, match="cannot be saved"):
        save(fitted, tmp_path / "kept")


def test_calibration_imports_nothing_heavy() -> None:
    script = (
        "import sys; from scalebridge.learn import Conformal, Online, Recalibrated, calibration; "
        "print([m for m in ('torch', 'scipy', 'sklearn') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
