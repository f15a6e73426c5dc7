"""Surrogates around networks: the contract, accuracy, coverage, branches, images, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.learn.networks.branched_network import BranchedNetwork
from scalebridge.learn.networks.convolutional_network import ConvolutionalNetwork
from scalebridge.learn.networks.network import Network
from scalebridge.learn.networks.recipe import Recipe
from scalebridge.testing import check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn, held, relative_error

QUICK = Recipe(repeats=1, epochs=80, learning_rate=3e-2)
BRANCHES = {"micro": ["a", "c"], "macro": ["b"]}
IMAGE = sb.Space([sb.Variable("a", "K"), sb.Variable("picture", "1", (5, 4))])


@pytest.mark.parametrize(("outputs", "calibration"), [(OUTPUTS, 60), (BOUNDED, 0)], ids=["free", "bounded"])
def test_a_network_keeps_the_contract_of_a_surrogate(outputs: sb.Space, calibration: int) -> None:
    check_surrogate(Network(INPUTS, outputs, widths=(16,), recipe=QUICK), fit_rtol=0.6, calibration=calibration)


def test_a_branched_network_keeps_the_contract_of_a_surrogate() -> None:
    check_surrogate(
        BranchedNetwork(INPUTS, OUTPUTS, branches=BRANCHES, widths=(16,), recipe=QUICK), fit_rtol=0.6, calibration=0
    )


def test_a_network_learns_a_smooth_function_to_a_few_percent_and_its_intervals_hold() -> None:
    network = Network(INPUTS, OUTPUTS, recipe=Recipe(repeats=1)).fit(*drawn(150))
    assert (relative_error(network) < 0.05).all()
    assert (held(network) > 0.85).all()


def test_intervals_of_nine_tenths_hold_nine_tenths_of_noisy_values() -> None:
    shares = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x, y = drawn(150, seed)
        noise = 0.4 * y.std(axis=0)
        network = Network(INPUTS, OUTPUTS, widths=(32, 32), recipe=Recipe(repeats=1, patience=25), seed=seed)
        network = network.fit(x, y + noise * rng.standard_normal(y.shape))
        x, y = drawn(600, 99)
        y = y + noise * rng.standard_normal(y.shape)
        posterior = network.posterior(x)
        shares.append(np.mean((y >= posterior.quantile(0.05)) & (y <= posterior.quantile(0.95))))
    assert 0.85 < np.mean(shares) < 0.96


def test_a_declared_noise_is_no_part_of_the_posterior() -> None:
    rng = np.random.default_rng(0)
    x, y = drawn(200)
    noise = 0.5 * y.std(axis=0)
    seen = y + noise * rng.standard_normal(y.shape)
    network = Network(INPUTS, OUTPUTS, recipe=Recipe(repeats=1, patience=20))
    told, untold = (network.fit(x, seen, noise_std=s).posterior(x[:20]).std for s in (noise, None))
    assert (told.mean(axis=0) < 0.85 * untold.mean(axis=0)).all()


def scales(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A weighted sum: the micro inputs carry variance 3 * 4, the macro one 1 * 1, the third nothing."""
    x = np.random.default_rng(seed).standard_normal((n, 5))
    return x, (x @ np.array([2.0, 2.0, 2.0, 1.0, 0.0]))[:, None]


def test_the_importance_of_branches_is_their_part_of_the_variance() -> None:
    branches = {"micro": ["a", "b", "c"], "macro": ["d"], "idle": ["e"]}
    inputs = sb.Space(dict.fromkeys("abcde", "1"))
    network = BranchedNetwork(inputs, {"y": "1"}, branches=branches, recipe=Recipe(repeats=1, epochs=150))
    told = network.fit(*scales(300, 1)).importance()
    assert told["micro"].share == pytest.approx(12 / 13, abs=0.1)
    assert told["macro"].share == pytest.approx(1 / 13, abs=0.03)
    assert told["idle"].share == pytest.approx(0.0, abs=0.01)
    assert all(branch.std >= 0 for branch in told.values())


def pictures(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.uniform(0, 1, (n, 1)), rng.uniform(0, 1, (n, 20))], axis=1)


class Warmed:
    """A field: the picture smoothed over its rows, plus the number; or the mean of that field."""

    name, version, inputs, scale = "warmed", "1", IMAGE, None

    def __init__(self, field: bool) -> None:
        self.field = field
        self.outputs = sb.Space([sb.Variable("T", "K", (5, 4))]) if field else sb.Space({"mean": "K", "top": "K"})

    def run(self, x: np.ndarray) -> sb.Runs:
        picture = x[:, 1:].reshape(-1, 5, 4)
        warm = 0.5 * picture + 0.25 * (np.roll(picture, 1, axis=2) + np.roll(picture, -1, axis=2)) + x[:, :1, None]
        values = warm.reshape(len(x), -1) if self.field else np.stack([warm.mean((1, 2)), warm[:, 0].mean(1)], axis=1)
        return sb.Runs(values, np.full(len(x), "ok"), ("",) * len(x))


@pytest.mark.parametrize("field", [False, True], ids=["numbers", "field"])
def test_a_convolutional_network_keeps_the_contract_of_a_surrogate(field: bool) -> None:
    problem: Any = Warmed(field)
    recipe = Recipe(repeats=1, epochs=25, batch=16, learning_rate=3e-2)
    network = ConvolutionalNetwork(IMAGE, problem.outputs, widths=(4, 8), recipe=recipe)
    check_surrogate(network, problem, fit_rtol=0.8, calibration=0)


def test_a_convolutional_network_answers_with_fields_and_intervals_that_hold() -> None:
    problem = Warmed(field=True)
    x, new = pictures(100, 1), pictures(200, 2)
    recipe = Recipe(repeats=1, epochs=40, batch=16, learning_rate=2e-2)
    network = ConvolutionalNetwork(IMAGE, problem.outputs, widths=(8, 8), recipe=recipe).fit(x, problem.run(x).values)
    wanted, posterior = problem.run(new).values, network.posterior(new)
    assert np.sqrt(np.mean((posterior.mean - wanted) ** 2)) < 0.15 * wanted.std()
    assert 0.85 < np.mean((wanted >= posterior.quantile(0.05)) & (wanted <= posterior.quantile(0.95))) < 0.99


def test_images_are_found_wherever_they_stand_among_the_inputs() -> None:
    import torch

    turned = sb.Space([IMAGE["picture"], IMAGE["a"]])
    x = torch.as_tensor(pictures(3, 1))
    first, second = (
        ConvolutionalNetwork(space, {"y": "1"}, widths=(4, 4))._build(2).double() for space in (IMAGE, turned)
    )
    assert torch.equal(first(x), second(x[:, [*range(1, 21), 0]]))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "no branches"),
        ({"branches": {"micro": ["a", "x"], "macro": ["b", "c"]}}, "'x', which is not among"),
        ({"branches": {"micro": ["a", "b"], "macro": ["b", "c"]}}, "'b' in the branches 'micro' and 'macro'"),
        ({"branches": {"micro": ["a", "b"]}}, "no branch for the input 'c'"),
        ({"branches": {"micro": "abc"}}, "'micro' = 'abc'"),
        ({"branches": BRANCHES, "trunk": (0,)}, "trunk = 0"),
    ],
    ids=["none", "unknown", "twice", "left", "text", "width"],
)
def test_branches_that_cannot_be_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        BranchedNetwork(INPUTS, OUTPUTS, **options)


@pytest.mark.parametrize(
    ("inputs", "outputs", "told"),
    [
        ({"a": "1"}, {"y": "1"}, "images of no size"),
        ([sb.Variable("p", shape=(5, 5)), sb.Variable("q", shape=(5, 6))], {"y": "1"}, "all of the same size"),
        ([sb.Variable("p", shape=(3, 9))], {"y": "1"}, "at least 4 pixels"),
        ([sb.Variable("p", shape=(5, 5))], [sb.Variable("T", shape=(5, 6))], "fields of the images' size"),
        ([sb.Variable("p", shape=(5, 5))], [sb.Variable("T", shape=(5, 5)), sb.Variable("y")], "not both"),
    ],
    ids=["none", "sizes", "small", "field", "both"],
)
def test_images_that_cannot_be_are_refused(inputs: Any, outputs: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        ConvolutionalNetwork(inputs, outputs)


def test_too_few_runs_for_branches_to_be_judged_say_so() -> None:
    network = BranchedNetwork(INPUTS, OUTPUTS, branches=BRANCHES).fit(*drawn(3))
    with pytest.raises(InputError, match="3 runs, too few"):
        network.importance()


def test_an_option_of_the_recipe_out_of_its_range_is_refused_by_its_name() -> None:
    with pytest.raises(InputError, match="epochs = 0"):
        Recipe(epochs=0)
    with pytest.raises(InputError, match="widths = 0"):
        Network(INPUTS, OUTPUTS, widths=(0,))
