"""A model is learned through a campaign, resumed from its store, and says so when it cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge import InputError


@sb.model(inputs={"a": ("K", 0, 10), "b": ("1", -1, 1)}, outputs={"y": "Pa"})
def smooth(a: float, b: float) -> dict[str, float]:
    return {"y": np.sin(a / 3) + b**2}


def test_a_model_is_learned_within_the_tolerance() -> None:
    learned = sb.learn_model(smooth, tolerance=0.01, budget=60, batch=2)
    assert learned.converged and learned.error <= 0.01 and "within the tolerance" in learned.reason
    assert len(learned.runs) == learned.state.spent < 40
    x = np.random.default_rng(0).random((300, 2)) * [10, 2] - [0, 1]
    y = smooth.run(x).values
    assert np.sqrt(np.mean((learned.surrogate.predict(x)[0] - y) ** 2)) < 0.03 * y.std()
    assert {r.why for r in learned.runs} == {"spread over the space", "where the surrogate learns most"}


def test_the_same_call_on_the_same_store_makes_no_run_twice(tmp_path: Path) -> None:
    short = sb.learn_model(smooth, tolerance=None, budget=9, store=tmp_path / "store")
    assert not short.converged and short.reason == "the budget of 9 runs is spent"
    longer = sb.learn_model(smooth, tolerance=None, budget=12, store=tmp_path / "store")
    assert [r.reused for r in longer.runs] == [True] * 9 + [False] * 3
    assert [r.x for r in longer.runs[:9]] == [r.x for r in short.runs]


def test_a_model_that_fails_in_a_part_of_its_space_is_learned_in_the_rest() -> None:
    @sb.model(inputs={"a": ("1", 0, 1), "b": ("1", 0, 1)}, outputs={"y": "1"})
    def partly(a: float, b: float) -> dict[str, float]:
        if a + b > 1.6:
            raise RuntimeError("no equilibrium")
        return {"y": np.sin(4 * a) + b}

    learned = sb.learn_model(partly, tolerance=None, budget=20)
    failed = [r for r in learned.runs if r.status == "failed"]
    assert 0 < len(failed) < 10 and len(learned.state.failed) == len(failed)
    assert len({r.x for r in learned.runs}) == 20


def test_a_model_without_a_single_success_is_answered_in_one_sentence() -> None:
    @sb.model(inputs={"a": ("1", 0, 1)}, outputs={"y": "1"})
    def broken(a: float) -> dict[str, float]:
        raise RuntimeError("licence not found")

    with pytest.raises(InputError, match=r"succeeded in 0 of 6 runs, too few to learn from.*licence not found"):
        sb.learn_model(broken, budget=6)


def test_a_model_without_bounds_is_answered_in_one_sentence() -> None:
    @sb.model(inputs={"a": "K"}, outputs={"y": "1"})
    def unbounded(a: float) -> dict[str, Any]:
        return {"y": a}

    with pytest.raises(InputError, match="needs bounds for 'a'"):
        sb.learn_model(unbounded)
