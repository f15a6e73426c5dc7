"""Two estimates fused: least variance, honest intervals where they agree, and a planted bias that is reported."""

import math

import numpy as np
import pytest

from scalebridge.bridge.fusion import Estimate, Fusion, fuse, inadequacy
from scalebridge.errors import InputError

TRUTH = 13.0
TRIALS = 1000
MARGIN = 3.0 * math.sqrt(0.95 * 0.05 / TRIALS)


def trial(rng: np.random.Generator, rho: float, bias: float = 0.0, stated: float | None = None) -> Fusion:
    """Physics 1.0 and learning 0.7 wrong, correlated; five readings of scatter 0.4 of the truth plus a bias."""
    z = rng.standard_normal(2)
    errors = np.array([1.0 * z[0], 0.7 * (rho * z[0] + math.sqrt(1 - rho**2) * z[1])])
    readings = TRUTH + bias + 0.4 * rng.standard_normal(5)
    physics, learned = Estimate(TRUTH + errors[0], 1.0), Estimate(TRUTH + errors[1], 0.7)
    return fuse(physics, learned, tests=readings, correlation=rho if stated is None else stated)


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.5, 0.9])
def test_where_the_ways_are_honest_the_fused_interval_holds_the_truth(rho: float) -> None:
    rng = np.random.default_rng(0)
    found = [trial(rng, rho) for _ in range(TRIALS)]
    held = np.mean([f.interval[0] <= TRUTH <= f.interval[1] for f in found])
    # The Birge ratio only ever widens, so the interval is at least as wide as exact.
    assert 0.95 - MARGIN < held < 0.99
    assert np.mean([f.consistent for f in found]) == pytest.approx(0.95, abs=MARGIN)


def test_a_correlation_that_is_not_stated_costs_coverage() -> None:
    rng = np.random.default_rng(1)
    held = [f.interval[0] <= TRUTH <= f.interval[1] for f in (trial(rng, 0.9, stated=0.0) for _ in range(TRIALS))]
    assert np.mean(held) < 0.93


def test_without_a_bias_the_discrepancy_holds_zero_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    found = [trial(rng, 0.4) for _ in range(TRIALS)]
    alarms = np.mean([f.inadequate for f in found])
    assert 0.01 < alarms < 0.05 + MARGIN
    assert all(f.updated is not None for f in found if not f.inadequate)


@pytest.mark.parametrize("bias", [-3.5, 3.5])
def test_a_planted_bias_is_reported_with_an_interval_that_holds_it(bias: float) -> None:
    rng = np.random.default_rng(3)
    found = [trial(rng, 0.4, bias) for _ in range(TRIALS)]
    gaps = [f.discrepancies["fused"] for f in found]
    assert np.mean([f.inadequate for f in found]) > 0.95
    assert np.mean([g.interval[0] <= bias <= g.interval[1] for g in gaps]) > 0.95 - MARGIN
    assert np.mean([g.value for g in gaps]) == pytest.approx(bias, abs=0.1)
    assert "not averaged away" in next(f.verdict for f in found if f.inadequate)


def test_a_test_that_contradicts_the_ways_has_no_part_in_the_fused_value() -> None:
    alone, beside = (fuse(Estimate(10.0, 0.5), Estimate(10.4, 0.6), tests=t) for t in (None, Estimate(20.0, 0.1)))
    assert (alone.value, alone.interval) == (beside.value, beside.interval)
    assert beside.updated is None and beside.inadequate
    assert beside.discrepancies["fused"].value == pytest.approx(20.0 - beside.value)


def test_weights_are_those_of_least_variance() -> None:
    a, b, rho = 1.0, 0.7, 0.35
    found = fuse(Estimate(5.0, a), Estimate(5.1, b), correlation=rho)
    covariance = np.array([[a * a, rho * a * b], [rho * a * b, b * b]])
    best = np.linalg.solve(covariance, np.ones(2))
    assert found.weights == pytest.approx(best / best.sum())
    assert found.std == pytest.approx(math.sqrt(1.0 / best.sum()))


def test_errors_that_are_the_same_are_not_averaged_down() -> None:
    one = Estimate(10.0, name="physics", parts={"segmentation": 1.0, "windows": 0.3})
    two = Estimate(10.2, name="learned", parts={"segmentation": 1.0, "model": 0.4})
    apart, tied = fuse(one, two), fuse(one, two, shared=["segmentation"])
    assert tied.correlation == pytest.approx(1.0 / (one.deviation * two.deviation))
    assert apart.std < 0.8 and tied.std > 1.0


def test_the_same_estimate_twice_is_itself() -> None:
    found = fuse(Estimate(10.0, 1.0), Estimate(10.0, 1.0), correlation=1.0)
    assert (found.value, found.std, found.birge, found.consistent) == (10.0, 1.0, 0.0, True)


def test_ways_far_apart_are_said_to_contradict_and_widen_the_interval() -> None:
    found = fuse(Estimate(10.0, 0.5), Estimate(14.0, 0.5))
    assert not found.consistent and found.birge == pytest.approx(4.0 / math.hypot(0.5, 0.5))
    assert found.interval[0] < 10.0 and found.interval[1] > 14.0
    assert "contradict each other" in found.verdict


def test_the_verdict_says_which_way_is_at_fault() -> None:
    found = fuse(Estimate(10.0, 0.2), Estimate(12.0, 1.0), tests=Estimate(12.5, 0.2))
    assert found.discrepancies["physics"].significant and not found.discrepancies["learned"].significant
    assert "the way by physics is contradicted" in found.verdict and not found.inadequate
    agreed = fuse(Estimate(10.0, 0.2), Estimate(10.3, 1.0), tests=Estimate(11.5, 0.2))
    assert "inadequacy of the way by physics" in agreed.verdict and agreed.inadequate


def test_what_both_have_in_common_is_not_widened_by_their_disagreement() -> None:
    """Errors of 1 in common and 0.1 each of their own: a gap of 0.5 widens the own parts alone."""
    one = Estimate(10.0, parts={"common": 1.0, "own": 0.1})
    other = Estimate(10.5, parts={"common": 1.0, "own": 0.1})
    found = fuse(one, other, shared=["common"])
    assert found.birge == pytest.approx(0.5 / math.hypot(0.1, 0.1)) and not found.consistent
    assert found.std == pytest.approx(math.hypot(1.0, 0.5 * 0.5), rel=1e-6)


@pytest.mark.parametrize(("bias", "scatter"), [(0.0, 0.0), (1.5, 0.0), (1.5, 0.8)])
def test_the_interval_of_the_bias_over_cases_holds_the_planted_one(bias: float, scatter: float) -> None:
    rng, held, seen, next_one = np.random.default_rng(4), [], [], []
    for _ in range(400):
        truths = rng.uniform(5.0, 20.0, 10)
        predictions = [Estimate(t + 0.3 * rng.standard_normal(), 0.3) for t in truths]
        off = truths + bias + scatter * rng.standard_normal(10)
        tests = [Estimate(t + 0.2 * rng.standard_normal(), 0.2) for t in off]
        found = inadequacy(predictions, tests)
        held.append(found.interval[0] <= bias <= found.interval[1])
        seen.append(found.scatter)
        next_one.append(found.next_interval[0] <= bias + scatter * rng.standard_normal() <= found.next_interval[1])
    # Without scatter beyond the stated errors it holds more often, for it never says less than they do.
    assert np.mean(held) > 0.95 - 3.5 * math.sqrt(0.95 * 0.05 / 400)
    if scatter > 0.0:
        assert np.mean(held) < 0.95 + 3.5 * math.sqrt(0.95 * 0.05 / 400)
    assert np.mean(seen) == pytest.approx(scatter, abs=0.15)
    assert np.mean(next_one) > 0.92


def test_gaps_that_agree_by_luck_say_no_more_than_their_errors() -> None:
    predictions = [Estimate(5.0, 0.6, n) for n in "abc"]
    found = inadequacy(predictions, [Estimate(5.0 + gap, 0.8) for gap in (0.10, 0.11, 0.09)])
    # Errors of 1 each: the mean of three is known to 1 / sqrt(3), by Student's t of two degrees.
    half = 4.30265 / math.sqrt(3.0)
    assert found.interval == pytest.approx((0.1 - half, 0.1 + half), rel=1e-5) and not found.significant


def test_a_share_of_nothing_is_refused_by_its_case() -> None:
    predictions = [Estimate(v, 0.1, f"case {v:g}") for v in (1.0, 0.0, 2.0)]
    with pytest.raises(InputError, match="Case 1 \\('case 0'"):
        inadequacy(predictions, [Estimate(1.0, 0.1)] * 3, relative=True)


def test_parts_that_are_all_shared_make_a_correlation_of_one() -> None:
    parts = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.7}
    for k in range(50):
        scaled = {name: v * (1.0 + 0.1 * k) for name, v in parts.items()}
        found = fuse(Estimate(1.0, parts=parts), Estimate(1.0, parts=scaled), shared=list(parts))
        assert found.correlation == pytest.approx(1.0) and found.correlation <= 1.0


def test_a_bias_in_shares_is_a_share() -> None:
    predictions = [Estimate(v, 0.01 * v) for v in (1.0, 10.0, 100.0, 1000.0)]
    tests = [Estimate(1.2 * v, 0.01 * v) for v in (1.0, 10.0, 100.0, 1000.0)]
    found = inadequacy(predictions, tests, relative=True)
    assert found.bias == pytest.approx(0.2) and found.significant and found.scatter == 0.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: Estimate(1.0, 0.0),
        lambda: Estimate(math.nan, 1.0),
        lambda: Estimate(1.0, 0.1, parts={"much": 1.0}),
        lambda: Estimate.of_readings([1.0]),
        lambda: fuse(Estimate(1.0, 1.0), Estimate(1.0, 1.0), correlation=-1.0),
        lambda: fuse(Estimate(1.0, 1.0), Estimate(1.0, 1.0), shared=["segmentation"]),
        lambda: fuse(Estimate(1.0, 1.0), Estimate(1.0, 1.0), confidence=95.0),
        lambda: inadequacy([Estimate(1.0, 1.0)], [Estimate(1.0, 1.0)]),
    ],
    ids=["no error", "no value", "parts", "one reading", "correlation", "no such part", "confidence", "one case"],
)
def test_what_cannot_be_fused_is_refused_in_a_sentence(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=r"\.$"):
        call()
