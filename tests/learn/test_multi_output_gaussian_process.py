"""The multi-output Gaussian process: the contract, sums and differences of related outputs, unrelated ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import scalebridge as sb
from scalebridge.learn.coregionalised import Layout, informed, search
from scalebridge.learn.evidence import correlation, exact_search
from scalebridge.learn.independent import conditioned
from scalebridge.learn.multi_output_gaussian_process import MultiOutputGaussianProcess
from scalebridge.learn.sparse_gaussian_process import SparseGaussianProcess
from scalebridge.models import Surrogate
from scalebridge.testing import check_model, check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn, held, relative_error

TWO, PAIR = sb.Space({"a": "1", "b": "K"}), sb.Space({"stress": "Pa", "strain": "1"})
SIZE = np.array([1e6, 2.0])


def wave(x: np.ndarray) -> np.ndarray:
    return np.sin(4 * x[:, 0]) * np.cos(2 * x[:, 1]) + 0.5 * x[:, 1]


def other(x: np.ndarray) -> np.ndarray:
    return np.cos(3 * x[:, 1] + x[:, 0])


def related(x: np.ndarray) -> np.ndarray:
    """Two outputs of correlation 0.99, in unlike units."""
    return np.stack([wave(x), wave(x) + 0.1 * other(x)], axis=1) * SIZE


def unrelated(x: np.ndarray) -> np.ndarray:
    return np.stack([wave(x), other(x)], axis=1) * SIZE


def noisy(law: object, b: int, seed: int, noise: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (b, 2))
    return x, law(x) + np.array(noise) * SIZE * rng.standard_normal((b, 2))


def error(surrogate: object, law: object) -> np.ndarray:
    x = np.random.default_rng(99).uniform(-1, 1, (800, 2))
    return np.sqrt(np.mean((surrogate.predict(x)[0] - law(x)) ** 2, axis=0)) / law(x).std(axis=0)


@pytest.mark.parametrize("outputs", [OUTPUTS, BOUNDED], ids=["free", "bounded"])
def test_it_keeps_the_contract_of_a_surrogate(outputs: sb.Space) -> None:
    check_surrogate(MultiOutputGaussianProcess(INPUTS, outputs))


def test_it_keeps_the_contract_with_one_output_and_with_two_common_processes_of_three() -> None:
    check_surrogate(MultiOutputGaussianProcess(TWO, {"y": "1"}))
    check_surrogate(MultiOutputGaussianProcess(TWO, dict.fromkeys("pqr", "Pa"), rank=2), calibration=0)


def test_a_fitted_one_is_a_model() -> None:
    x, y = drawn(30)
    fitted = MultiOutputGaussianProcess(INPUTS, OUTPUTS).fit(x, y)
    assert isinstance(fitted, Surrogate)
    check_model(fitted, x)


@pytest.mark.theory
@pytest.mark.parametrize("b", [15, 40])
@pytest.mark.parametrize("noise", [(0.0, 0.0), (0.3, 0.02)], ids=["exact", "noisy"])
def test_sums_and_differences_of_related_outputs_are_as_certain_as_they_are(b: int, noise: tuple[float, float]) -> None:
    share = {1: [], -1: []}
    for seed in range(6):
        posterior, y = pair_of_rows(seed, b, noise)
        for sign, told in share.items():
            v = np.array([1.0, sign]) / SIZE
            std = np.sqrt(np.einsum("a,nab,b->n", v, posterior.blocks, v))
            told.append(np.mean(np.abs((y - posterior.mean) @ v) < 1.645 * std))
    for told in share.values():
        assert 0.83 < np.mean(told) <= 1.0


def pair_of_rows(seed: int, b: int, noise: tuple[float, float]) -> tuple[object, np.ndarray]:
    fitted = MultiOutputGaussianProcess(TWO, PAIR).fit(*noisy(related, b, seed, noise))
    x, y = noisy(related, 600, 100 + seed, noise)
    return fitted.posterior(x), y


@pytest.mark.theory
def test_the_deviation_of_an_average_of_both_outputs_is_the_size_of_its_error() -> None:
    rng, x = np.random.default_rng(0), np.random.default_rng(1).uniform(-1, 1, (40, 2))
    ratio = []
    for seed in range(12):
        posterior = MultiOutputGaussianProcess(TWO, PAIR).fit(*noisy(related, 16, seed, (0.0, 0.0))).posterior(x)
        for sign in (1, -1):
            weights = rng.uniform(0, 1, (40, 1)) * np.array([1.0, sign]) / SIZE / 40
            told = posterior.functional(weights)
            ratio.append((float((weights * related(x)).sum()) - told.mean) / told.std)
    assert 0.3 < np.sqrt(np.mean(np.square(ratio))) < 1.5


def test_the_covariance_between_related_outputs_stands_in_blocks() -> None:
    fitted = MultiOutputGaussianProcess(TWO, PAIR).fit(*noisy(related, 15, 0, (0.0, 0.0)))
    x = np.random.default_rng(2).uniform(-1, 1, (50, 2))
    blocks = fitted.posterior(x).blocks
    between = blocks[:, 0, 1] / np.sqrt(blocks[:, 0, 0] * blocks[:, 1, 1])
    assert np.median(between) > 0.8
    assert fitted.correlation()[0, 1] > 0.9
    apart = MultiOutputGaussianProcess(TWO, PAIR).fit(*noisy(unrelated, 40, 0, (0.0, 0.0)))
    assert abs(apart.correlation()[0, 1]) < 0.6


def test_a_noisy_output_is_learned_from_a_related_one_that_is_not() -> None:
    noise = (0.5, 0.01)
    gain = []
    for seed in range(3):
        runs = noisy(related, 40, seed, noise)
        together = error(MultiOutputGaussianProcess(TWO, PAIR).fit(*runs), related)
        alone = error(SparseGaussianProcess(TWO, PAIR).fit(*runs), related)
        gain.append(alone[0] / together[0])
    # What the other output cannot tell, a tenth of a function of its own, bounds the gain by about 2.5.
    assert np.mean(gain) > 1.5
    fitted = MultiOutputGaussianProcess(TWO, PAIR).fit(*noisy(related, 80, 0, noise))
    np.testing.assert_allclose(fitted.state.noise * fitted.state.y.width / SIZE, noise, rtol=0.4, atol=0.02)


@pytest.mark.theory
@pytest.mark.parametrize("law", [related, unrelated])
def test_its_error_is_no_larger_than_that_of_outputs_on_their_own(law: object) -> None:
    together, alone = [], []
    for seed in range(6):
        runs = noisy(law, 40, seed, (0.0, 0.0))
        together.append(error(MultiOutputGaussianProcess(TWO, PAIR).fit(*runs), law))
        alone.append(error(SparseGaussianProcess(TWO, PAIR).fit(*runs), law))
    assert np.mean(together) < 1.05 * np.mean(alone)


def test_without_a_common_process_it_is_the_exact_process_of_each_output() -> None:
    rng = np.random.default_rng(0)
    x, y, noise = (torch.from_numpy(a) for a in (rng.normal(size=(20, 2)), rng.normal(size=(20, 2)), np.zeros((20, 2))))
    layout, theta = Layout(2, 2, 1), np.zeros(12)
    own = [np.array([0.1, 0.4, 0.2, -1.0]), np.array([-0.2, 0.3, -0.1, -2.0])]
    theta[4:] = np.concatenate(own)
    joint = informed(layout, theta, x, y, noise, "matern72", 1.0)
    new = torch.from_numpy(rng.normal(size=(7, 2)))
    white = joint.whitened(new)
    blocks = joint.prior_blocks(new) - torch.einsum("rna,rnb->nab", white, white)
    for a, t in enumerate(own):
        exact = conditioned(
            "matern72", torch.from_numpy(t[:2]), np.exp(2 * t[2]), x, y[:, a], torch.full((20,), np.exp(2 * t[3]))
        )
        torch.testing.assert_close(joint.mean(new)[0][:, a], exact.mean(new)[0])
        torch.testing.assert_close(blocks[:, a, a], exact.spread(new))
    assert float(blocks[:, 0, 1].abs().max()) == 0.0


def test_its_covariance_is_that_of_loadings_and_lengths_written_out() -> None:
    rng = np.random.default_rng(3)
    layout, theta = Layout(2, 3, 2), torch.from_numpy(rng.normal(size=2 * 5 + 3 * 4))
    x = torch.from_numpy(rng.normal(size=(6, 2)))
    told = layout.covariance(theta, x, torch.zeros(6, 3, dtype=torch.float64), "matern72").reshape(3, 6, 3, 6)
    log, mixing = layout.mixing(theta)
    written = sum(
        torch.einsum("ac,ij->aicj", b, correlation(x, x, lengths, "matern72"))
        for lengths, b in zip(log, mixing, strict=True)
    )
    noise = torch.diag((2 * layout.own(theta)[:, -1]).exp())
    torch.testing.assert_close(told, written + torch.einsum("ac,ij->aicj", noise, torch.eye(6, dtype=torch.float64)))


def test_one_output_is_searched_as_a_process_of_its_own() -> None:
    rng = np.random.default_rng(0)
    x, value = torch.from_numpy(rng.normal(size=(25, 2))), torch.from_numpy(rng.normal(size=(25, 1)))
    found = search(Layout(2, 1, 1), x, value, torch.zeros(25, 1, dtype=torch.float64), "matern72", 10, 0)
    alone = exact_search(x, value[:, 0], torch.zeros(25, dtype=torch.float64), "matern72")
    np.testing.assert_allclose(found[-4:], alone)
    assert not found[2:3].any()


def test_a_declared_noise_is_not_part_of_the_posterior() -> None:
    noise = (0.3, 0.1)
    x, y = noisy(related, 60, 1, noise)
    told = MultiOutputGaussianProcess(TWO, PAIR).fit(x, y, np.array(noise) * SIZE)
    learned = MultiOutputGaussianProcess(TWO, PAIR).fit(x, y)
    assert (told.state.noise < 0.5 * learned.state.noise).all()
    new = np.random.default_rng(3).uniform(-1, 1, (400, 2))
    posterior = told.posterior(new)
    assert np.mean(np.abs(related(new) - posterior.mean) < 1.645 * posterior.std) > 0.8


def test_exact_runs_are_learned_closely_in_unlike_units() -> None:
    fitted = MultiOutputGaussianProcess(INPUTS, OUTPUTS).fit(*drawn(80))
    assert (relative_error(fitted) < 0.02).all()
    assert (held(fitted) > 0.85).all()


@pytest.mark.theory
def test_few_runs_leave_wide_intervals() -> None:
    for b in (3, 6, 12):
        share = [held(MultiOutputGaussianProcess(INPUTS, OUTPUTS).fit(*drawn(b, seed))).mean() for seed in range(6)]
        assert np.mean(share) > 0.85


@pytest.mark.parametrize(
    ("option", "value"), [("rank", 0), ("iterations", 0), ("iterations", 2.5), ("profile", "cubic")]
)
def test_an_option_out_of_range_is_refused(option: str, value: object) -> None:
    with pytest.raises(sb.InputError, match=f"got {option} = "):
        MultiOutputGaussianProcess(INPUTS, OUTPUTS, **{option: value})
