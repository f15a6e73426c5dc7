"""Bounds, scaling laws and powers of outputs."""

from __future__ import annotations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.learn import GaussianProcess, PolynomialChaos, RandomForest
from scalebridge.learn.low_rank import LowRankPosterior
from scalebridge.learn.transforms import Bounds, ScalingLaw, Transformed, Warped
from scalebridge.learn.transforms import warped_posterior as module
from scalebridge.learn.transforms.warped_posterior import WarpedPosterior
from scalebridge.learn.transforms.warps import Log, Logit, Power, Same, YeoJohnson
from scalebridge.testing import check_surrogate
from tests.learn.transforms_cases import held

FREE = sb.Space({"a": "1", "b": "K", "c": "1"})
POSITIVE = sb.Space({"a": ("1", 0.1, 3), "b": ("K", 1, None), "c": "1"})
ABOVE = sb.Space({"y": ("1", 0, None), "z": "Pa"})
BETWEEN = sb.Space({"y": ("1", None, 5), "z": ("Pa", 0, 1)})
ANY = sb.Space({"y": "1", "z": "Pa"})

CASES = {
    "between": (FREE, BETWEEN, Bounds()),
    "law": (POSITIVE, ABOVE, ScalingLaw()),
    "signed power": (FREE, ANY, Warped(by=0.5)),
    "chosen power": (POSITIVE, ABOVE, Warped()),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("learner", [GaussianProcess, RandomForest])
def test_the_contract_is_kept(learner, case) -> None:
    inputs, outputs, transform = CASES[case]
    options = {"trees": 20} if learner is RandomForest else {"average": 0}
    check_surrogate(Transformed(learner(inputs, outputs, **options), transform), fit_rtol=0.6)


WARPS = [Same(), Log(1.0, 1.0, 5.0), Log(4.0, -1.0, 5.0), Logit(-1.0, 3.0, 1e-3), Power(0.0, 2.0, 1e-3, 50.0)]
WARPS += [Power(0.4, 2.0, 1e-3, 50.0), YeoJohnson(0.3, 1.0, 2.0, 30.0), YeoJohnson(1.6, 1.0, 2.0, 30.0)]


@pytest.mark.parametrize(
    "warp", WARPS, ids=lambda w: f"{type(w).__name__}{getattr(w, 'power', getattr(w, 'sign', ''))}"
)
def test_warps_rise_and_are_undone(warp) -> None:
    z = np.linspace(-6, 6, 400)
    y, slope = warp.out(z)
    assert (np.diff(y) > 0).all()
    np.testing.assert_allclose((warp.out(z + 1e-6)[0] - warp.out(z - 1e-6)[0]) / 2e-6, slope, rtol=1e-4, atol=1e-9)
    inner = np.linspace(-3, 3, 50)
    values, rise = warp.out(inner)
    back, fall = warp.back(values)
    np.testing.assert_allclose(back, inner, atol=1e-8)
    np.testing.assert_allclose(rise * fall, 1, rtol=1e-8)


def normal(n: int = 6, seed: int = 0, size: float = 0.5) -> tuple[LowRankPosterior, np.ndarray]:
    rng = np.random.default_rng(seed)
    factor = size * rng.standard_normal((n, 2, 3))
    base = LowRankPosterior(rng.standard_normal((n, 2)), factor, size**2 * rng.random((n, 2)))
    flat = factor.reshape(2 * n, 3)
    return base, flat @ flat.T + np.diag(base.residual.ravel())


def test_a_logarithm_has_the_moments_of_the_joint_log_normal_law() -> None:
    base, cov = normal()
    posterior = WarpedPosterior(base, (Log(0.0, 1.0, 50.0), Log(0.0, 1.0, 50.0)))
    mean = np.exp(base.mean.ravel() + 0.5 * np.diag(cov))
    wanted = np.outer(mean, mean) * np.expm1(cov)
    np.testing.assert_allclose(posterior.mean.ravel(), mean, rtol=1e-10)
    np.testing.assert_allclose(posterior.std.ravel(), np.sqrt(np.diag(wanted)), rtol=1e-8)
    unit = np.eye(12).reshape(12, 6, 2)
    told = np.stack([posterior.functional(u).cov.ravel() for u in unit])
    np.testing.assert_allclose(told, wanted, atol=1e-8 * wanted.max())
    np.testing.assert_allclose(posterior.quantile(0.3), np.exp(base.quantile(0.3)))


def test_a_joint_law_on_a_logit_is_that_of_many_samples() -> None:
    base, _ = normal(3, 1)
    posterior = WarpedPosterior(base, (Logit(0.0, 1.0, 1e-3), Power(0.3, 1.0, 1e-3, 50.0)))
    draws = posterior.sample(200_000, 3).reshape(200_000, -1)
    told = np.stack([posterior.functional(u).cov.ravel() for u in np.eye(6).reshape(6, 3, 2)])
    np.testing.assert_allclose(draws.mean(axis=0), posterior.mean.ravel(), atol=0.01)
    np.testing.assert_allclose(np.cov(draws, rowvar=False), told, atol=0.02 * told.max())


def test_sums_over_many_points_take_linear_memory(monkeypatch) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (20, 1))
    space = sb.Space({"a": "1"})
    fitted = Transformed(GaussianProcess(space, sb.Space({"y": ("1", 0, None)})), Bounds()).fit(
        x, np.exp(np.sin(9 * x))
    )
    posterior = fitted.posterior(np.linspace(-1, 1, 500)[:, None])
    weights = np.full((500, 1), 1 / 500)
    exact = posterior.functional(weights)
    monkeypatch.setattr(module, "COLUMNS", 4)
    again = fitted.posterior(np.linspace(-1, 1, 500)[:, None]).functional(weights)
    assert again.std == pytest.approx(exact.std, rel=0.02)


def test_a_power_law_is_learned_from_few_runs() -> None:
    rng = np.random.default_rng(0)
    x, at = np.exp(rng.uniform(0, 4, (12, 3))), np.exp(rng.uniform(0, 4, (400, 3)))
    inputs, outputs = sb.Space({"a": ("1", 0, None), "b": ("1", 0, None), "c": ("1", 0, None)}), sb.Space({"y": "1"})

    def law(x: np.ndarray) -> np.ndarray:
        return 3 * (x[:, :1] ** 1.5 * x[:, 1:2] ** -0.5 * x[:, 2:] ** 2)

    known = Transformed(PolynomialChaos(inputs, outputs), ScalingLaw()).fit(x, law(x))
    np.testing.assert_allclose(known.predict(at)[0], law(at), rtol=1e-3)
    assert known.told == ("log(a)", "log(b)", "log(c)", "log(y)")


def test_offsets_let_a_variable_reach_zero() -> None:
    x = np.linspace(0, 4, 15)[:, None]
    spaces = sb.Space({"a": "1"}), sb.Space({"y": "1"})
    transform = ScalingLaw(inputs=(), offsets={"y": 0.5})
    fitted = Transformed(GaussianProcess(*spaces), transform).fit(x, x**2)
    np.testing.assert_allclose(fitted.predict(x)[0], x**2, atol=0.05)
    assert fitted.told == ("log(y + 0.5)",)
    assert (fitted.posterior(10 * x).quantile(0.001) >= -0.5).all()


def test_bounds_are_kept_by_mean_quantiles_and_samples_far_outside() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (20, 1))
    y = 1 / (1 + np.exp(-6 * x))
    fitted = Transformed(GaussianProcess(sb.Space({"a": "1"}), sb.Space({"y": ("1", 0, 1)})), Bounds()).fit(x, y)
    posterior = fitted.posterior(np.linspace(-5, 5, 50)[:, None])
    for values in (posterior.mean, posterior.quantile(0.001), posterior.quantile(0.999), posterior.sample(50)):
        assert (values >= 0).all() and (values <= 1).all()
    assert posterior.quantile(0.4).min() > 0


def skewed(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(seed).uniform(0, 1, (n, 3))
    noise = np.random.default_rng(seed + 1).standard_normal(n)
    return x, np.exp(6 * x[:, 0] + np.sin(5 * x[:, 1]) + 0.1 * noise)[:, None]


def test_the_runs_choose_the_logarithm_of_a_log_normal_law_and_leave_a_plain_one_alone() -> None:
    x, y = skewed(80, 0)
    space = sb.Space({"a": "1", "b": "1", "c": "1"}), sb.Space({"y": "1"})
    fitted = Transformed(GaussianProcess(*space), Warped()).fit(x, y)
    assert fitted.told[0] in ("y to the power 0", "y to the power 0.1")
    assert Transformed(GaussianProcess(*space), Warped()).fit(x, np.log(y)).told == ()
    at, truth = skewed(300, 5)
    assert 0.8 < held(fitted, at, truth) < 0.98
    plain = GaussianProcess(*space).fit(x, y)
    known, unknown = (np.abs(s.predict(at)[0] / truth - 1).mean() for s in (fitted, plain))
    assert known < 0.3 * unknown


@pytest.mark.parametrize(
    ("transform", "outputs", "message"),
    [
        (lambda: Bounds(), ANY, "Bounds found none for the outputs y, z"),
        (lambda: Bounds({"y": (1, 0)}), ANY, "give \\(lower, upper\\)"),
        (lambda: Bounds({"yy": (0, 1)}), ANY, "did you mean 'y'"),
        (lambda: Bounds({"y": (0, None)}), ANY, "'y' is -1 in row 2, which is not strictly inside"),
        (lambda: Bounds({"y": (0, 9)}), ANY, "'y' is -1 in row 2, which is not between the bounds 0 and 9"),
        (lambda: ScalingLaw(outputs="y"), ANY, "the output 'y', which with its offset is -1 in row 2"),
        (lambda: ScalingLaw(inputs=("q",)), ANY, "names 'q', which is none of the variables"),
        (lambda: ScalingLaw(offsets={"q": 1}), ANY, "offsets names 'q'"),
        (lambda: ScalingLaw(outputs=()), ANY, "found no variable that is positive"),
        (lambda: Warped(by=3), ANY, "a power from 0 to 2"),
        (lambda: Warped("q"), ANY, "names 'q'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(transform, outputs, message) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (12, 3))
    y = np.ones((12, 2))
    y[2, 0] = -1
    with pytest.raises(InputError, match=message):
        Transformed(GaussianProcess(FREE, outputs), transform()).fit(x, y)
