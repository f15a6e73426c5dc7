"""The estimator of the audits: unbiased for any probabilities, with the inclusion and the variance it claims.

Tolerances are multiples of the Monte Carlo error that the number of draws leaves.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from scalebridge.bridge.draws import Draws, draw, probabilities
from scalebridge.bridge.interval import unseen_mass


class Fixed:
    """A random stream that gives one number, to look at every outcome of a systematic draw."""

    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


def population(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities from nearly equal to nearly one state alone, some zero, products unrelated to them."""
    n = int(rng.integers(2, 60))
    p = rng.dirichlet(np.full(n, np.exp(rng.uniform(-2.5, 2.0)))) + 1e-5
    if n > 4:
        p[rng.permutation(n)[: n // 5]] = 0.0
    products = np.where(p > 0, rng.standard_normal(n) * np.exp(rng.standard_normal(n)), 0.0)
    return p / p.sum(), products, rng.standard_normal(n)


@pytest.mark.parametrize("systematic", [True, False])
def test_the_estimate_is_unbiased_over_a_hundred_thousand_draws_whatever_the_probabilities(systematic: bool) -> None:
    rng = np.random.default_rng(7 + systematic)
    scores, whole, exact = [], 0, 0
    for _ in range(50):
        p, products, order = population(rng)
        found = []
        for _ in range(1000):
            drawn = draw(p, order, 8, rng, systematic=systematic)
            found.append(drawn.estimate(products[drawn.rows]))
        whole += not drawn.drawn.all()
        error = np.mean(found) - products.sum()
        spread = np.std(found) / np.sqrt(len(found))
        if spread < 1e-12 * np.abs(products).sum():
            exact += 1
            assert abs(error) < 1e-10 * np.abs(products).sum()
        else:
            scores.append(error / spread)
    # The populations held both: states taken whole, and so few states that nothing was left to chance.
    assert whole >= 10
    assert len(scores) >= 30
    assert np.sum(np.square(scores)) < chi2.ppf(1 - 1e-4, len(scores))
    assert abs(np.sum(scores)) < 4 * np.sqrt(len(scores))


def test_systematic_draws_include_each_state_as_often_as_its_probability_says() -> None:
    # Madow (1949): over the random start the expected count of state i is m p_i, exactly, in any order.
    rng = np.random.default_rng(3)
    starts = (np.arange(4000) + 0.5) / 4000
    for _ in range(6):
        n, m = 40, 8
        p = rng.dirichlet(np.full(n, 3.0))
        order = rng.standard_normal(n)
        counts = np.zeros(n)
        for u in starts:
            drawn = draw(p, order, m, Fixed(u))
            np.add.at(counts, drawn.rows, 1)
        # A grid of starts resolves each of the two edges of a state's stretch to one start per draw.
        np.testing.assert_allclose(counts / len(starts), m * p, atol=2 * m / len(starts))


def test_a_state_whose_share_exceeds_one_draw_is_taken_whole_and_the_rest_share_the_other_draws() -> None:
    p = np.array([0.5, 0.2, *np.full(30, 0.01)])
    drawn = draw(p, p, 8, np.random.default_rng(0))
    assert drawn.rows[:2].tolist() == [0, 1]
    assert drawn.drawn.tolist() == [False] * 2 + [True] * 6
    assert drawn.n_drawn == 6
    np.testing.assert_array_equal(drawn.factor[:2], 1.0)
    np.testing.assert_allclose(drawn.factor[2:], 1 / (6 * drawn.probability[drawn.rows[2:]]))
    np.testing.assert_allclose(drawn.probability, [0, 0, *np.full(30, 1 / 30)])


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_no_more_states_than_draws_are_all_taken_and_the_estimate_is_exact(n: int) -> None:
    rng = np.random.default_rng(n)
    p = rng.dirichlet(np.full(n, 0.3)) + 1e-3
    products = rng.standard_normal(n)
    drawn = draw(p / p.sum(), rng.standard_normal(n), 8, rng)
    assert sorted(drawn.rows) == list(range(n))
    assert drawn.n_drawn == 0
    assert drawn.estimate(products[drawn.rows]) == pytest.approx(products.sum())
    assert drawn.observed_variance(products[drawn.rows]) == 0.0
    assert drawn.predicted_variance(np.ones(n)) == 0.0


def test_one_draw_is_never_left_alone() -> None:
    # Seven states are taken whole; the eighth draw alone would have no spread to judge it by.
    p = np.array([*np.full(7, 1.0), *np.full(20, 0.01)])
    drawn = draw(p / p.sum(), p, 8, np.random.default_rng(0))
    assert (~drawn.drawn).sum() == 7
    assert drawn.n_drawn == 2


def test_the_observed_variance_with_replacement_is_unbiased_and_the_predicted_one_bounds_it() -> None:
    rng = np.random.default_rng(11)
    n, m = 30, 8
    p = 0.5 * rng.dirichlet(np.full(n, 5.0)) + 0.5 / n
    products = p * rng.standard_normal(n)
    true = (np.sum(products**2 / p) - products.sum() ** 2) / m
    found, spread = [], []
    for _ in range(8000):
        drawn = draw(p, p, m, rng, systematic=False)
        found.append(drawn.estimate(products[drawn.rows]))
        spread.append(drawn.observed_variance(products[drawn.rows]))
    assert np.mean(spread) == pytest.approx(true, abs=4 * np.std(spread) / np.sqrt(len(spread)))
    # The standard error of a variance of 8000 near-normal estimates is sqrt(2/8000) of it.
    assert np.var(found) == pytest.approx(true, rel=4 * np.sqrt(2 / len(found)))
    assert drawn.predicted_variance(products**2) == pytest.approx(np.sum(products**2 / p) / m)
    assert drawn.predicted_variance(products**2) >= true


def test_systematic_draws_in_a_meaningful_order_spread_less_than_their_variance_formula_says() -> None:
    # Residuals that follow the surrogate's deviation: the order by deviation carries information.
    rng = np.random.default_rng(5)
    n = 200
    deviation = np.exp(rng.standard_normal(n))
    products = deviation * (0.5 + 0.1 * rng.standard_normal(n))
    p = probabilities(deviation, np.ones(n))
    found, claimed = [], []
    for _ in range(3000):
        drawn = draw(p, deviation, 8, rng)
        found.append(drawn.estimate(products[drawn.rows]))
        claimed.append(drawn.observed_variance(products[drawn.rows]))
    assert np.var(found) < 0.8 * np.mean(claimed)


def test_draw_probabilities_follow_the_deviation_for_seven_tenths_and_are_positive_where_the_weight_is() -> None:
    deviation, magnitude = np.array([0.0, 1.0, 3.0, 0.0]), np.array([2.0, 1.0, 1.0, 0.0])
    p = probabilities(deviation, magnitude)
    np.testing.assert_allclose(p, [0.15, 0.25, 0.6, 0.0])
    np.testing.assert_allclose(probabilities(np.zeros(4), magnitude), magnitude / 4)
    np.testing.assert_array_equal(probabilities(deviation, np.zeros(4)), 0.0)


def test_the_largest_ratio_of_a_residual_to_its_probability_is_bounded_by_the_plain_share() -> None:
    # A state of which the surrogate is wrongly sure keeps three tenths of its plain weight.
    rng = np.random.default_rng(0)
    magnitude = rng.uniform(0.5, 1.5, 100)
    deviation = np.where(np.arange(100) < 5, 1e-12, rng.uniform(0.5, 1.5, 100))
    p = probabilities(deviation, magnitude)
    assert np.all(p >= 0.3 * magnitude / magnitude.sum() * (1 - 1e-12))


@pytest.mark.parametrize(("n", "printed"), [(8, 0.31), (16, 0.17)])
def test_the_printed_number_is_that_of_the_design(n: int, printed: float) -> None:
    assert unseen_mass(n, 0.95) == pytest.approx(printed, abs=0.005)
    assert unseen_mass(0, 0.95) == 1.0


def misses(faulty: np.ndarray, p: np.ndarray, order: np.ndarray, m: int, rng: np.random.Generator) -> bool:
    drawn: Draws = draw(p, order, m, rng)
    return not faulty[drawn.rows].any()


@pytest.mark.parametrize("n_draws", [8, 59])
def test_a_fault_on_five_per_cent_of_the_draw_probability_is_missed_as_often_as_the_printed_number_says(
    n_draws: int,
) -> None:
    # The printed mass is the one missed with 5 %: unseen_mass(59) is 0.05, so 59 draws miss 5 % of the mass
    # one time in twenty, and 8 draws, whose number is 0.31, miss it with (1 - 0.05)^8 = 0.66.
    rng = np.random.default_rng(n_draws)
    n, repeats, share = 2000, 4000, 0.05
    deviation, magnitude = np.exp(rng.standard_normal(n)), rng.uniform(0.5, 1.5, n)
    p = probabilities(deviation, magnitude)
    missed = 0
    for _ in range(repeats):
        ranked = rng.permutation(n)
        faulty = np.zeros(n, dtype=bool)
        faulty[ranked[: np.searchsorted(np.cumsum(p[ranked]), share)]] = True
        missed += misses(faulty, p, deviation, n_draws, rng)
    said = (1 - share) ** n_draws
    if n_draws == 59:
        assert unseen_mass(59, 0.95) == pytest.approx(share, abs=1e-3)
    assert missed / repeats == pytest.approx(said, abs=4 * np.sqrt(said * (1 - said) / repeats) + 0.01)


def test_a_fault_on_the_printed_mass_is_missed_at_most_one_time_in_twenty() -> None:
    rng = np.random.default_rng(1)
    n, repeats = 2000, 4000
    p, order = rng.dirichlet(np.full(n, 2.0)), rng.standard_normal(n)
    share = unseen_mass(8, 0.95)
    missed = 0
    for _ in range(repeats):
        ranked = rng.permutation(n)
        faulty = np.zeros(n, dtype=bool)
        faulty[ranked[: np.searchsorted(np.cumsum(p[ranked]), share) + 1]] = True
        missed += misses(faulty, p, order, 8, rng)
    assert missed / repeats < 0.05 + 4 * np.sqrt(0.05 * 0.95 / repeats)
