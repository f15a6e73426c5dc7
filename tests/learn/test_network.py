"""The ensemble of networks: the contract, accuracy, coverage, noise, refusals."""

from __future__ import annotations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.learn.networks import Network, Recipe
from scalebridge.testing import check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn, held, relative_error

QUICK = Recipe(repeats=1, epochs=80, learning_rate=3e-2)


@pytest.mark.parametrize(("outputs", "calibration"), [(OUTPUTS, 60), (BOUNDED, 0)], ids=["free", "bounded"])
def test_a_network_keeps_the_contract_of_a_surrogate(outputs: sb.Space, calibration: int) -> None:
    check_surrogate(Network(INPUTS, outputs, widths=(16,), recipe=QUICK), fit_rtol=0.6, calibration=calibration)


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


def test_an_option_of_the_recipe_out_of_its_range_is_refused_by_its_name() -> None:
    with pytest.raises(InputError, match="epochs = 0"):
        Recipe(epochs=0)
    with pytest.raises(InputError, match="widths = 0"):
        Network(INPUTS, OUTPUTS, widths=(0,))


def test_the_derivative_is_exact_with_more_outputs_than_inputs() -> None:
    x = np.linspace(-1, 1, 25)[:, None]
    y = np.concatenate([np.sin(2 * x), x**2, 1e3 * x**3], axis=1)
    network = Network({"a": "1"}, {"p": "1", "q": "1", "r": "Pa"}, widths=(8,), recipe=QUICK).fit(x, y)
    at, step = np.array([[-0.3], [0.1], [0.7]]), 1e-5
    wanted = (network.predict(at + step)[0] - network.predict(at - step)[0]) / (2 * step)
    np.testing.assert_allclose(network.jacobian(at)[:, :, 0], wanted, rtol=1e-6)
