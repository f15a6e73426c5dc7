"""Convolutional networks: the contract, fields with intervals that hold, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.learn.networks import ConvolutionalNetwork, Recipe
from scalebridge.testing import check_surrogate

IMAGE = sb.Space([sb.Variable("a", "K"), sb.Variable("picture", "1", (5, 4))])


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
    x, new = pictures(80, 1), pictures(100, 2)
    recipe = Recipe(repeats=1, epochs=35, batch=16, learning_rate=2e-2)
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


def test_the_derivative_of_two_fields_is_exact() -> None:
    outputs = sb.Space([sb.Variable("T", "K", (5, 4)), sb.Variable("u", "1", (5, 4))])
    x = pictures(12, 1)
    y = np.concatenate([x[:, 1:] + x[:, :1], x[:, 1:] ** 2], axis=1)
    network = ConvolutionalNetwork(IMAGE, outputs, widths=(4, 4), recipe=Recipe(repeats=1, epochs=3)).fit(x, y)
    at, step = x[:2] + 0.01, 1e-5
    slope = network.jacobian(at)
    for column in (0, 7):
        along = np.eye(21)[column] * step
        wanted = (network.predict(at + along)[0] - network.predict(at - along)[0]) / (2 * step)
        np.testing.assert_allclose(slope[:, :, column], wanted, rtol=1e-5, atol=1e-8)
