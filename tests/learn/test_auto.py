"""The surrogate that chooses: its contract, its rules in words, cross-validation, honest deviations, archives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import PolynomialChaos, RandomForest, load, save
from scalebridge.learn.auto import Auto, preferred, rescaling, within
from scalebridge.learn.calibration.metrics import crps_normal
from scalebridge.learn.candidates import built
from scalebridge.learn.data_shape import Shape, shape_of
from scalebridge.learn.held_out import HeldOut
from scalebridge.learn.learner import Data
from scalebridge.models import Structure
from scalebridge.problems import scalar
from scalebridge.testing import check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn, held, relative_error

PLAIN = Shape(100, 100, 3, 1, 0.0, "fit", False, 0.0, 0, 0, 0)


def data(x: Any, y: Any, noise: float = 0.0) -> Data:
    return Data(x, y, np.full_like(y, noise))


def one(n: int, noise: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2))
    return x, np.sin(2 * x[:, :1]) + x[:, 1:] + noise * rng.standard_normal((n, 1))


SPACES: Any = ({"a": "1", "b": "1"}, {"y": "1"})


def test_it_keeps_the_contract_of_a_surrogate() -> None:
    check_surrogate(Auto(INPUTS, OUTPUTS, tried=2))


def test_it_keeps_the_contract_where_it_chooses_trees() -> None:
    check_surrogate(Auto(INPUTS, BOUNDED, candidates=("random_forest",)), calibration=0)


def test_with_a_structure_it_is_the_gaussian_process_that_keeps_it() -> None:
    space: Any = {"a": "1", "b": "1"}
    auto = Auto(space, {"u": "1", "v": "1"}, structure=Structure(potential=True, even=True))
    check_surrogate(auto, calibration=0)
    x = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    fitted = auto.fit(x, x)
    assert fitted.choice == "gaussian_process"
    assert fitted.chosen.structure == Structure(True, True)
    assert fitted.reason == "A structure is declared (potential and even): a Gaussian process keeps it."


def test_a_potential_of_another_size_is_refused() -> None:
    with pytest.raises(sb.InputError, match="potential was declared for 2 inputs and 1 outputs"):
        Auto(*SPACES, structure=Structure(potential=True))


def test_it_says_what_it_chose_and_why() -> None:
    fitted = Auto(*SPACES, candidates=("linear", "polynomial_chaos")).fit(*one(40))
    assert fitted.choice == "polynomial_chaos"
    assert fitted.chosen.name == "polynomial_chaos"
    assert fitted.reason.startswith("40 rows of 2 inputs and 1 output")
    assert "the candidates were given. CRPS over the spread at rows held back: polynomial_chaos" in fitted.reason


def test_it_chooses_the_same_twice() -> None:
    first, again = (Auto(*SPACES, candidates=("linear", "polynomial_chaos")).fit(*one(50, 0.1)) for _ in range(2))
    assert first.reason == again.reason
    assert (first.posterior(one(5)[0]).std == again.posterior(one(5)[0]).std).all()


def test_before_it_is_fitted_it_has_chosen_nothing() -> None:
    with pytest.raises(sb.InputError, match="'auto' is not fitted; call fit"):
        _ = Auto(*SPACES).choice


def test_a_candidate_that_fails_is_said_and_another_chosen() -> None:
    x, y = one(40)
    # A classifier cannot learn these values.
    from sklearn.linear_model import LogisticRegression

    broken = sb.learn.ScikitLearn(*SPACES, estimator=LogisticRegression())
    fitted = Auto(*SPACES, candidates=(broken, "linear")).fit(x, y)
    assert fitted.choice == "linear"
    assert "scikit_learn failed: The surrogate 'scikit_learn' classifies" in fitted.reason
    with pytest.raises(sb.InputError, match="found no candidate that can learn these data"):
        Auto(*SPACES, candidates=(broken, replace(broken, repeats=2))).fit(x, y)


def test_a_chosen_forest_declares_its_steps() -> None:
    auto = Auto(*SPACES, candidates=(RandomForest(*SPACES, trees=20),))
    assert auto.smooth
    assert not auto.fit(*one(30)).smooth


def test_categories_bring_trees_and_their_steps_are_learned() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.integers(0, 4, 120), rng.uniform(0, 1, 120)]).astype(float)
    level = np.array([3.0, -2.0, 5.0, 0.0])[x[:, 0].astype(int)]
    y = (level + np.where(x[:, 1] > 0.5, 2.0, 0.0))[:, None]
    fitted = Auto(*SPACES, candidates=("random_forest", "linear"), seed=1).fit(x, y)
    assert fitted.choice == "random_forest"
    assert "1 input of few values" in fitted.reason
    names, why = preferred(shape_of(data(x, y)))
    assert "random_forest" in names[:4]
    assert "trees second" in why


@pytest.mark.parametrize(
    ("change", "first", "words"),
    [
        ({}, "gaussian_process", "interpolation goes first"),
        ({"constant": True}, "gaussian_process", "do not vary"),
        ({"rows": 8, "distinct": 8, "noise": None}, "gaussian_process", "too few to hold any back"),
        ({"rows": 3, "distinct": 3, "noise": None}, "gaussian_process", "fewer different rows than inputs and one"),
        ({"rows": 60, "distinct": 60, "inputs": 30}, "gaussian_process", "few rows per input"),
    ],
)
def test_rules_are_told_in_words(change: Any, first: str, words: str) -> None:
    names, why = preferred(replace(PLAIN, **change))
    assert names[0] == first
    assert words in why


def test_with_noise_that_is_not_declared_surrogates_of_noise_are_tried() -> None:
    assert "learn noise" in preferred(replace(PLAIN, noise=0.2))[1]
    assert "learn noise" not in preferred(replace(PLAIN, noise=0.2, noise_by="declared"))[1]


def test_outputs_over_decades_are_learned_through_their_logarithms() -> None:
    x, y = one(40)
    auto = Auto(*SPACES, tried=2)
    fitted = auto.fit(x, np.exp(4 * y))
    assert fitted.choice == "logarithmic_gaussian_process"
    assert "outputs over 6." in fitted.reason
    assert "one of logarithms" in fitted.reason


def test_with_many_rows_exact_processes_are_left_out() -> None:
    names, _ = preferred(replace(PLAIN, rows=5000, distinct=5000))
    assert "gaussian_process" not in names
    assert "gradient_boosting" in names


def test_a_budget_leaves_out_what_is_dear() -> None:
    names = ["gaussian_process", "polynomial_chaos", "gradient_boosting"]
    assert within(10.0, names, PLAIN) == (["gaussian_process", "polynomial_chaos"], ["gradient_boosting"])
    assert within(0.0, ["gradient_boosting", "linear"], PLAIN)[0] == ["linear"]
    fitted = Auto(*SPACES, budget_s=0.0).fit(*one(30))
    assert "left out for the budget" in fitted.reason


def test_only_smooth_ones_are_tried_where_a_derivative_is_asked_for() -> None:
    tried, _ = Auto(INPUTS, OUTPUTS, derivative=True)._short_list(replace(PLAIN, categories=1))
    assert all(getattr(made, "smooth", True) for made in tried.values())


@dataclass(frozen=True)
class Bold(PolynomialChaos):
    """Claims two fifths of the deviation it should."""

    name = "bold"

    def posterior(self, x: np.ndarray) -> Any:
        honest = super().posterior(x)
        shared = None if honest.shared is None else 0.4 * honest.shared
        return replace(honest, factor=0.4 * honest.factor, shared=shared)


def test_deviations_are_rescaled_by_errors_at_rows_held_back() -> None:
    x, y = one(150, 0.2)
    candidates = (Bold(*SPACES), "linear")
    plain = Auto(*SPACES, candidates=candidates, recalibrate=False).fit(x, y)
    auto = Auto(*SPACES, candidates=candidates).fit(x, y)
    assert auto.choice == plain.choice == "bold"
    assert "Its deviations are multiplied by 2." in auto.reason
    new_x, new_y = one(600, 0.2, seed=9)
    share = [np.mean(np.abs(new_y - f.posterior(new_x).mean) <= 1.645 * f.posterior(new_x).std) for f in (plain, auto)]
    assert share[0] < 0.6
    assert abs(share[1] - 0.9) < 0.04


def test_the_factor_is_that_of_the_greatest_likelihood_and_one_where_nothing_is_told() -> None:
    rng = np.random.default_rng(0)
    zero, error = np.zeros((400, 1)), rng.standard_normal((400, 1))
    rows = np.arange(400)

    def seen(std: float) -> HeldOut:
        return HeldOut(rows, rows, error, zero, np.full((400, 1), std), zero, zero, zero, zero)

    assert rescaling(seen(0.5), zero)[0] == pytest.approx(2 * float(np.sqrt(np.mean(error**2))), rel=1e-3)
    assert rescaling(seen(1.0), zero)[0] == 1.0
    # The errors are all of the declared noise: nothing is said of the surrogate's own deviation.
    assert rescaling(seen(float(np.sqrt(1 + 1e-6))), np.ones((400, 1)))[0] == 1.0


def test_a_rescaled_choice_is_archived(tmp_path: Path) -> None:
    fitted = Auto(*SPACES, candidates=("polynomial_chaos", "linear")).fit(*one(30))
    fitted = replace(fitted, fitted=replace(fitted.state, factor=np.array([1.5])))
    x = one(7, seed=4)[0]
    assert fitted.posterior(x).std == pytest.approx(1.5 * fitted.chosen.posterior(x).std)
    save(fitted, tmp_path / "auto")
    again = load(tmp_path / "auto")
    assert (again.posterior(x).quantile(0.9) == fitted.posterior(x).quantile(0.9)).all()
    assert again.reason == fitted.reason


@pytest.mark.theory
@pytest.mark.parametrize("made", [scalar.borehole, scalar.piston, scalar.ishigami])
def test_on_published_functions_it_comes_close_to_the_best_single_one(made: Any) -> None:
    model, rng = made(), np.random.default_rng(1)
    low, high = model.inputs.lower, model.inputs.upper
    n = 10 * model.inputs.size
    x = low + (high - low) * rng.random((n + 400, model.inputs.size))
    y = model.run(x).values

    def crps(surrogate: Any) -> float:
        posterior = surrogate.fit(x[:n], y[:n]).posterior(x[n:])
        return float(crps_normal(y[n:], posterior.mean, posterior.std)[0])

    names = ("gaussian_process", "polynomial_chaos", "random_forest")
    auto = Auto(model.inputs, model.outputs)
    assert crps(auto) <= 1.3 * min(crps(built(name, model.inputs, model.outputs)) for name in names)
    posterior = auto.fit(x[:n], y[:n]).posterior(x[n:])
    assert np.mean(np.abs(y[n:] - posterior.mean) <= 1.645 * posterior.std) > 0.75


@pytest.mark.theory
def test_it_learns_and_its_intervals_hold_what_they_say() -> None:
    fitted = Auto(INPUTS, OUTPUTS).fit(*drawn(60))
    assert (relative_error(fitted) < 0.03).all()
    assert (held(fitted) > 0.8).all()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"candidates": ("random_forrest",)}, "did you mean 'random_forest'"),
        ({"candidates": (RandomForest({"T": "K"}, {"y": "1"}),)}, "has the inputs T, the data have a, b"),
        ({"tried": 0}, "tried = 0; give a number of at least 1"),
        ({"budget_s": -1.0}, "budget_s = -1.0"),
    ],
)
def test_bad_options_are_refused(options: Any, sentence: str) -> None:
    with pytest.raises(sb.InputError, match=sentence):
        Auto(*SPACES, **options)


def test_noise_is_seen_in_repeats() -> None:
    rng = np.random.default_rng(0)
    x = np.repeat(rng.uniform(-1, 1, (30, 1)), 4, axis=0)
    shape = shape_of(data(x, 3 * x + 0.3 * rng.standard_normal(x.shape)))
    assert shape.noise_by == "repeats"
    assert shape.noise == pytest.approx(0.3 / (3 / np.sqrt(3)), rel=0.2)
    assert "noise of about" in shape.words()


def test_noise_is_learned_where_nothing_is_repeated() -> None:
    quiet, noisy = (shape_of(data(*one(80, noise))) for noise in (0.0, 0.3))
    assert quiet.noise_by == noisy.noise_by == "fit"
    assert quiet.noise is not None and quiet.noise < 0.03
    assert noisy.noise == pytest.approx(0.3 / float(one(80, 0.3)[1].std()), rel=0.35)


def test_copies_of_rows_say_nothing_of_noise() -> None:
    x, y = one(12)
    assert shape_of(data(np.tile(x, (3, 1)), np.tile(y, (3, 1)))).noise is None


def test_ranges_steps_and_directions_are_seen() -> None:
    x = np.linspace(0, 1, 50)[:, None]
    shape = shape_of(data(x, np.concatenate([10 ** (4 * x), np.round(x)], axis=1), 0.01))
    assert shape.decades == pytest.approx(4.0)
    assert (shape.steps, shape.categories, shape.directions) == (1, 0, 1)
    assert shape.noise_by == "declared"
    told = shape.words()
    assert "outputs over 4.0 decades" in told
    assert "1 output of few values" in told
    assert "1 input along which an output goes one way" in told
