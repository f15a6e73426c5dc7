"""Errors by group and regime: true differences are found, false ones are rare, intervals hold, refusals are clear."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.explain import Predictions, by_group, by_regime
from scalebridge.explain.differences import part_against_rest
from scalebridge.explain.errors_by import _part, share_interval


def drawn(
    n: int = 600, seed: int = 0, *, loud: float = 1.0, shift: float = 0.0, std: float = 1.0
) -> tuple[Predictions, np.ndarray]:
    """Six sites of several specimens of four rows; the errors of site ``c`` are ``loud`` times as large and shifted."""
    rng = np.random.default_rng(seed)
    specimens = np.arange(n) // 4
    sites = np.array(list("abcdef"))[specimens % 6]
    x = rng.uniform(0, 1, (n, 2))
    error = 0.6 * rng.standard_normal(n // 4)[specimens] + 0.8 * rng.standard_normal(n)
    error = np.where(sites == "c", loud * error + shift, error)
    mean = x.sum(axis=1)
    told = Predictions.of(
        mean + error, mean, np.full(n, std), x=x, inputs=["length", "width"], groups=specimens, target="strength",
        unit="MPa",
    )  # fmt: skip
    return told, sites


def test_a_group_with_larger_errors_is_found_and_told() -> None:
    p, sites = drawn(loud=2.0)
    told = by_group(p, sites, name="site")
    assert told.worst.label == "site c"
    assert set(told.worst.differs) == {"error", "coverage"}
    # Others differ only in that they are better than the rest, which holds the loud one.
    assert all(part.rmse < told.whole.rmse for part in told.parts[1:] if part.differs)
    said = " ".join(told.sentences)
    assert "site c differs" in said and "its error is larger" in said and "intervals of 90 % hold" in said


def test_a_bias_of_one_group_is_found_and_has_an_interval() -> None:
    p, sites = drawn(shift=1.0)
    told = by_group(p, sites, name="site")
    part = next(part for part in told.parts if part.label == "site c")
    assert "bias" in part.differs
    assert part.bias_interval[0] < 1.0 < part.bias_interval[1] and part.bias_interval[0] > 0
    assert any("above what is predicted" in s for s in told.sentences)


def test_of_equal_groups_one_is_called_different_as_rarely_as_is_said() -> None:
    found = 0
    for seed in range(60):
        p, sites = drawn(240, seed)
        found += any(part.differs for part in by_group(p, sites, seed=seed).parts)
    assert found <= 0.05 * 60 + 2 * math.sqrt(60 * 0.05)


def test_regimes_that_cut_through_specimens_are_called_different_as_rarely_as_is_said() -> None:
    found = 0
    for seed in range(60):
        p, _ = drawn(240, seed)
        found += any(part.differs for part in by_regime(p, seed=seed).parts)
    assert found <= 0.05 * 60 + 2 * math.sqrt(60 * 0.05)


def test_shuffling_rows_of_specimens_as_if_independent_would_find_false_differences() -> None:
    # The reason for whole specimens: their rows share an error.
    false = {"rows": 0, "specimens": 0}
    for seed in range(40):
        rng = np.random.default_rng(seed)
        specimens = np.arange(200) // 10
        error = (rng.standard_normal(20)[specimens] + 0.1 * rng.standard_normal(200))[:, None]
        member = (specimens % 2 == 0)[:, None]
        false["rows"] += bool(part_against_rest(error, member, np.arange(200), seed)[0, 0] < 0.05)
        false["specimens"] += bool(part_against_rest(error, member, specimens, seed)[0, 0] < 0.05)
    assert false["rows"] > 15
    assert false["specimens"] <= 6


def test_a_regime_with_larger_errors_is_found_by_bins_and_by_a_tree_on_other_rows() -> None:
    p, _ = drawn(800, seed=3)
    far = p.x[:, 0] > 0.7
    y = p.mean + p.error * np.where(far, 3.0, 1.0)
    told = by_regime(Predictions.of(y, p.mean, np.ones(800), x=p.x, inputs=p.inputs, groups=p.units))
    binned = next(part for part in told.parts if part.label.endswith("length <= 1") or "< length" in part.label)
    assert "error" in binned.differs
    found = [part for part in told.parts if part.found]
    assert found and max(found, key=lambda part: part.rmse).differs
    assert "length >" in max(found, key=lambda part: part.rmse).label
    assert any("found by a tree on other rows" in s for s in told.sentences)


def test_figures_of_a_part_are_those_by_hand() -> None:
    p, sites = drawn(std=1.5)
    told = by_group(p, sites)
    part = next(part for part in told.parts if part.label == "group b")
    inside = sites == "b"
    assert (part.rows, part.groups) == (100, 25)
    assert part.rmse == pytest.approx(np.sqrt(np.mean(p.error[inside] ** 2)))
    assert part.bias == pytest.approx(p.error[inside].mean())
    assert part.coverage == pytest.approx(np.mean(np.abs(p.error[inside]) <= 1.6448536 * 1.5))
    assert told.whole.rows == 600


def test_the_interval_of_a_bias_holds_it_for_new_specimens() -> None:
    held = 0
    for seed in range(200):
        p, sites = drawn(240, seed, shift=0.5)
        part = _part(p, "group c", sites == "c", np.full(3, np.nan), False)
        held += part.bias_interval[0] <= 0.5 <= part.bias_interval[1]
    assert 0.90 <= held / 200 <= 0.99


def test_the_interval_of_a_share_holds_it_for_rows_that_go_together() -> None:
    held = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        units = np.arange(200) // 4
        z = np.sqrt(0.7) * rng.standard_normal(50)[units] + np.sqrt(0.3) * rng.standard_normal(200)
        low, high = share_interval((np.abs(z) < 1.2815516).astype(float), units)
        held += low <= 0.8 <= high
    assert held / 400 > 0.91


def test_groups_of_one_specimen_are_told_without_an_interval() -> None:
    p, _ = drawn(40)
    told = by_group(p, p.units)
    assert all(math.isinf(part.rmse_error) for part in told.parts)
    assert any("hold one group alone" in s for s in told.sentences)


def test_without_intervals_only_errors_and_bias_are_told() -> None:
    p, sites = drawn()
    told = by_group(Predictions.of(p.y, p.mean, groups=p.units), sites)
    assert math.isnan(told.whole.coverage) and math.isnan(told.worst.p_coverage)
    assert "hold" not in told.sentences[0]
    assert json.loads(told.to_json())["whole"]["coverage"] is None


def test_a_comparison_gives_its_rows_held_back() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (90, 2))
    y = (x[:, 0] + 0.2 * rng.standard_normal(90))[:, None]
    specimens = np.arange(90) // 3
    comparison = sb.compare(x, y, surrogates=["linear"], groups=specimens, splits=3, progress="none")
    p = Predictions.held_out(comparison)
    entry = comparison.best
    assert np.sqrt(np.mean(p.error**2)) == pytest.approx(entry.rmse[0])
    assert p.covered.mean() == pytest.approx(entry.coverage[0])
    sites = np.where(specimens % 2 == 0, "even", "odd")
    told = by_group(comparison, sites)
    even = next(part for part in told.parts if part.label == "group even")
    assert even.rows == (sites == "even").sum()
    assert even.bias == pytest.approx(p.error[sites[p.rows] == "even"].mean())
    assert by_regime(comparison).whole.groups == 30


def test_the_same_twice_and_as_text_and_html() -> None:
    p, sites = drawn()
    assert by_regime(p, seed=1).to_json() == by_regime(p, seed=1).to_json()
    told = by_group(p, sites)
    assert "all rows" in told.table() and "<table>" in told._repr_html_()


def test_what_cannot_be_told_is_said_in_a_sentence() -> None:
    p, sites = drawn(40)
    with pytest.raises(sb.InputError, match="one label each"):
        by_group(p, sites[:-1])
    with pytest.raises(sb.InputError, match="All rows are of the one group"):
        by_group(p, np.zeros(40))
    with pytest.raises(sb.InputError, match="give predictions with x="):
        by_regime(Predictions.of(p.y, p.mean))
    with pytest.raises(sb.InputError, match="give a comparison, or Predictions"):
        by_group([1.0, 2.0], [0, 1])
    with pytest.raises(sb.InputError, match="40 values seen and 39 of mean"):
        Predictions.of(p.y, p.mean[1:])
    with pytest.raises(sb.InputError, match="finite"):
        Predictions.of([1.0, np.nan], [1.0, 2.0])
    with pytest.raises(sb.InputError, match="one output at a time"):
        Predictions.of(np.ones((4, 2)), np.ones((4, 2)))


def test_a_bias_is_told_by_its_own_side_and_not_by_that_of_all_rows() -> None:
    # All lie far below what is predicted; the part less so, but below all the same.
    rng = np.random.default_rng(0)
    part = np.arange(400) % 4 == 0
    error = np.where(part, -1.0, -3.0) + 0.2 * rng.standard_normal(400)
    p = Predictions.of(10 + error, np.full(400, 10.0), np.ones(400))
    told = by_group(p, np.where(part, "a", "b"), name="site")
    said = next(s for s in told.sentences if s.startswith("site a differs"))
    assert "below what is predicted" in said and "above" not in said
