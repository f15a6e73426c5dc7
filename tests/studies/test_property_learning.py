"""What is told of a property holds for specimens that were not seen."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.learn.learner import Data
from scalebridge.quantities import Space
from scalebridge.studies.properties.candidates import candidates
from scalebridge.studies.properties.judging import better_than_mean, figures, verdict
from scalebridge.studies.properties.learning import Learned, learn_property

OUTPUTS = Space({"strength": "MPa"})
QUICK = ("quantile forest", "ridge regression")


@cache
def learned(
    seed: int, groups: int, each: int, noise: float, signal: float = 1.0, only: str = ""
) -> tuple[Learned, np.ndarray, Data]:
    """Features that tell a group, a signal in the first of them, and a deviation of the group that they do not tell."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), each)
    own = rng.normal(size=(groups, 5))
    x = own[group] + 0.3 * rng.normal(size=(len(group), 5))
    y = signal * x[:, 0] + noise * (rng.normal(size=groups)[group] + 0.3 * rng.normal(size=len(group)))
    data = Data(x, 100 + 10 * y[:, None], np.zeros((len(x), 1)), None)
    inputs = Space({f"f{k}": "1" for k in range(5)})
    tried = [
        c for c in candidates({"all": np.arange(5)}, inputs, OUTPUTS, len(x), seed) if c.learner in (only or QUICK)
    ]
    return learn_property("strength", tried, data, group, seed=seed), group, data


def test_the_procedure_is_judged_on_every_specimen_once_and_never_beside_its_group() -> None:
    found, group, data = learned(0, 12, 4, 0.2)
    assert sorted(found.procedure.rows.tolist()) == list(range(len(data)))
    fold = found.procedure.split[np.argsort(found.procedure.rows)]
    assert all(len(np.unique(fold[group == g])) == 1 for g in range(12))
    assert better_than_mean(found, group)
    assert figures(found.procedure, group)["r2"] > 0.5


def test_a_leaky_split_claims_more_than_whole_groups_held_back_show() -> None:
    found, group, _ = learned(1, 12, 6, 1.0)
    assert found.leaky is not None
    assert figures(found.leaky, group)["rmse"] < 0.8 * figures(found.procedure, group)["rmse"]


def test_features_that_tell_nothing_are_said_to_tell_nothing() -> None:
    found, group, _ = learned(2, 12, 4, 1.0, signal=0.0)
    assert not better_than_mean(found, group)
    assert "do not tell 'strength' better than the mean" in verdict(found, group, 0.9, "MPa")


def test_intervals_hold_at_their_level_over_many_tables() -> None:
    shares = []
    for seed in range(6):
        found, _, _ = learned(10 + seed, 40, 1, 0.5, only="ridge regression")
        shares.append(found.procedure.covered.mean())
    assert 0.84 <= np.mean(shares) <= 0.97


@pytest.mark.parametrize(("groups", "each", "words"), [(5, 2, "known for 10 specimens"), (3, 6, "in 3 groups")])
def test_too_few_specimens_or_groups_are_refused(groups: int, each: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        learned(0, groups, each, 0.2)


def test_a_property_that_never_changes_is_refused() -> None:
    data = Data(np.random.default_rng(0).normal(size=(20, 2)), np.full((20, 1), 7.0), np.zeros((20, 1)), None)
    tried = candidates({"all": np.arange(2)}, Space({"a": "1", "b": "1"}), OUTPUTS, 20, 0)
    with pytest.raises(InputError, match="'strength' is 7 for every specimen"):
        learn_property("strength", tried, data, np.arange(20))
