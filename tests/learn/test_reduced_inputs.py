"""Many input columns learned by a few directions: the contract, the chain rule, honest scatter, either method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import Conformal, GaussianProcess, PolynomialChaos, RandomForest, load, save
from scalebridge.learn.reduced_inputs import ReducedInputs, ScatteredPosterior
from scalebridge.quantities import Variable
from scalebridge.testing import check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS

WIDE, ONE = sb.Space([Variable("x", "1", (60,))]), sb.Space({"y": "1"})
MIX = np.random.default_rng(0).standard_normal((4, 60))


def drawn(n: int, seed: int, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Sixty columns that four directions explain but for noise, and a response to two of these."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 4)) * [3, 2, 1, 0.5]
    return z @ MIX + noise * rng.standard_normal((n, 60)), (np.sin(z[:, 0] / 2) + 0.3 * z[:, 1])[:, None]


def quiet(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A response to the direction in which the inputs vary least, linear but for a bend."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 4)) * [3, 2, 1.5, 1]
    return z @ np.linalg.qr(MIX.T)[0].T, (z[:, 3] + 0.2 * z[:, 3] ** 2)[:, None]


def share(surrogate: ReducedInputs, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Share held by intervals of nine tenths, and root mean square error relative to the deviation."""
    told = surrogate.posterior(x)
    held = np.mean((y >= told.quantile(0.05)) & (y <= told.quantile(0.95)))
    return float(held), float(np.sqrt(np.mean((y - told.mean) ** 2)) / y.std())


def test_one_that_loses_nothing_keeps_the_contract_and_answers_as_the_surrogate_inside() -> None:
    made = ReducedInputs(INPUTS, OUTPUTS, PolynomialChaos)
    check_surrogate(made)
    x, y = np.random.default_rng(0).standard_normal((2, 30, 3))
    fitted = made.fit(x, y[:, :2])
    assert fitted.state.directions.lossless and not isinstance(fitted.posterior(x), ScatteredPosterior)


@pytest.mark.parametrize("method", ["pca", "pls"])
def test_one_that_leaves_directions_out_keeps_the_contract(method: str) -> None:
    learner = PolynomialChaos(INPUTS, BOUNDED, degree=4)
    check_surrogate(ReducedInputs(INPUTS, BOUNDED, learner, method, components=2), fit_rtol=1.0)


def test_one_of_trees_says_that_it_has_steps_and_keeps_the_contract() -> None:
    forest = ReducedInputs(INPUTS, OUTPUTS, RandomForest(INPUTS, OUTPUTS, trees=5), components=2)
    assert forest.smooth is False
    check_surrogate(forest, fit_rtol=1.0)


@pytest.mark.parametrize("method", ["pca", "pls"])
def test_its_derivative_follows_the_chain_rule(method: str) -> None:
    learner = PolynomialChaos(WIDE, ONE, degree=3)
    fitted = ReducedInputs(WIDE, ONE, learner, method, components=3).fit(*drawn(60, 0))
    x, _ = drawn(3, 1)
    directions = fitted.state.directions
    inside = fitted.state.model.jacobian(directions(x))
    np.testing.assert_allclose(fitted.jacobian(x), inside @ (directions.rows / directions.width))
    step = 1e-5 * np.random.default_rng(2).standard_normal(60)
    change = fitted.predict(x + step)[0] - fitted.predict(x - step)[0]
    np.testing.assert_allclose(change, 2 * fitted.jacobian(x) @ step, rtol=1e-6)


def test_sixty_columns_become_the_four_that_vary() -> None:
    fitted = ReducedInputs(WIDE, ONE, PolynomialChaos).fit(*drawn(120, 0, 0.05))
    assert len(fitted.state.directions.rows) in (3, 4)


@pytest.mark.theory
@pytest.mark.parametrize("method", ["pca", "pls"])
def test_intervals_hold_what_the_directions_left_out_do(method: str) -> None:
    told = [
        share(
            ReducedInputs(WIDE, ONE, GaussianProcess, method, seed=seed).fit(*drawn(100, seed)), *drawn(400, 100 + seed)
        )
        for seed in range(3)
    ]
    held, error = np.mean(told, axis=0)
    assert 0.83 <= held <= 0.97
    assert error < 0.1


@pytest.mark.theory
def test_one_that_keeps_too_few_directions_is_wide_not_wrong() -> None:
    told = [
        share(ReducedInputs(WIDE, ONE, GaussianProcess, components=1, seed=seed).fit(*drawn(60, seed)),
              *drawn(300, 100 + seed))
        for seed in range(3)
    ]  # fmt: skip
    held, error = np.mean(told, axis=0)
    assert 0.82 <= held <= 0.97
    assert error > 0.3


def test_partial_least_squares_finds_what_principal_components_leave_out() -> None:
    x, y = quiet(100, 1)
    errors = {
        method: share(ReducedInputs(WIDE, ONE, PolynomialChaos, method, components=2).fit(*quiet(100, 0)), x, y)[1]
        for method in ("pca", "pls")
    }
    assert errors["pls"] < 0.3 < 0.9 < errors["pca"]


def test_its_directions_are_those_of_scikit_learn() -> None:
    from sklearn.cross_decomposition import PLSRegression

    x, y = drawn(80, 0)
    directions = ReducedInputs(WIDE, ONE, PolynomialChaos, "pls", components=3).fit(x, y).state.directions
    theirs = PLSRegression(3, scale=False).fit(x, y).transform(x)
    ours = directions(x) - directions(x).mean(axis=0)
    np.testing.assert_allclose(np.abs(np.corrcoef(ours.T, theirs.T)[:3, 3:].diagonal()), 1.0, atol=1e-8)


def test_slopes_of_the_runs_reach_the_learner() -> None:
    x, y = drawn(40, 0)
    seen = {}

    class Told(PolynomialChaos):
        def _learn(self, data):  # type: ignore[no-untyped-def]
            seen["slopes"] = data.jacobian
            return super()._learn(data)

    made = ReducedInputs(WIDE, ONE, Told, components=2).fit(x, y)
    slope = np.random.default_rng(1).standard_normal((40, 1, 2)) @ (
        made.state.directions.rows / made.state.directions.width
    )
    made = ReducedInputs(WIDE, ONE, Told, components=2).fit(x, y, jacobian=slope)
    np.testing.assert_allclose(seen["slopes"] @ (made.state.directions.rows / made.state.directions.width), slope)


def test_a_learner_that_wraps_another_is_given_the_directions_as_its_inputs() -> None:
    inside = Conformal(PolynomialChaos(WIDE, ONE, degree=3), method="split")
    fitted = ReducedInputs(WIDE, ONE, inside, components=3).fit(*drawn(60, 0))
    assert fitted.state.model.name == "conformal_polynomial_chaos"
    assert fitted.state.model.inputs.names == ("z1", "z2", "z3")


def test_fewer_runs_than_columns_and_outputs_that_do_not_vary_are_learned() -> None:
    x, y = drawn(12, 0)
    for method in ("pca", "pls"):
        made = ReducedInputs(WIDE, ONE, PolynomialChaos, method).fit(x, y)
        assert np.isfinite(made.posterior(x).std).all()
        still = ReducedInputs(WIDE, ONE, PolynomialChaos, method).fit(x, np.full_like(y, 3.0))
        np.testing.assert_allclose(still.predict(x)[0], 3.0, rtol=1e-3)


def test_one_is_saved_and_loaded(tmp_path: Path) -> None:
    x, y = drawn(60, 0)
    made = ReducedInputs(WIDE, ONE, PolynomialChaos, "pls").fit(x, y)
    save(made, tmp_path / "surrogate")
    loaded = load(tmp_path / "surrogate")
    np.testing.assert_array_equal(loaded.posterior(x).std, made.posterior(x).std)
    np.testing.assert_array_equal(loaded.jacobian(x), made.jacobian(x))


def test_options_that_cannot_be_used_are_refused_in_one_sentence() -> None:
    for options, sentence in (
        ({"method": "ica"}, "method = 'ica'; valid: pca, pls"),
        ({"components": 0}, "components = 0"),
        ({"energy": 1.2}, "energy = 1.2; give a share"),
        ({"learner": 3}, "learner = 3; give a surrogate"),
    ):
        with pytest.raises(sb.InputError, match=sentence):
            ReducedInputs(WIDE, ONE, **options)
