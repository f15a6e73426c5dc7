"""Networks with a branch per scale: the contract, what a branch is worth, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.learn.networks import BranchedNetwork, Recipe
from scalebridge.testing import check_surrogate
from tests.learn.cases import INPUTS, OUTPUTS, drawn

QUICK = Recipe(repeats=1, epochs=80, learning_rate=3e-2)
BRANCHES = {"micro": ["a", "c"], "macro": ["b"]}


def test_a_branched_network_keeps_the_contract_of_a_surrogate() -> None:
    check_surrogate(
        BranchedNetwork(INPUTS, OUTPUTS, branches=BRANCHES, widths=(16,), recipe=QUICK), fit_rtol=0.6, calibration=0
    )


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


def test_too_few_runs_for_branches_to_be_judged_say_so() -> None:
    network = BranchedNetwork(INPUTS, OUTPUTS, branches=BRANCHES).fit(*drawn(3))
    with pytest.raises(InputError, match="3 runs, too few"):
        network.importance()
