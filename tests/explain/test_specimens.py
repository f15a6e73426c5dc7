"""The benchmark of specimens: groups are what they say, a leak is measured, and what is not there is skipped."""

from __future__ import annotations

import os

import numpy as np
import pytest

from benchmarks import specimens


def test_a_mix_is_a_composition_whatever_its_age() -> None:
    table = specimens.concrete()
    assert table.x.shape == (1030, 8) and len(np.unique(table.groups)) == 427
    for group in (0, 100, 426):
        rows = table.x[table.groups == group]
        assert (rows[:, :7] == rows[0, :7]).all()


def test_most_test_rows_of_the_published_splits_have_their_mix_among_the_rows_learned() -> None:
    told = specimens.published(None)
    assert told["test_rows_whose_mix_was_learned"] > 0.7
    assert told["MC dropout (Gal and Ghahramani 2016)"]["nll"] == pytest.approx(2.94, abs=0.01)


def test_no_tree_or_mix_stands_on_both_sides_of_a_fold() -> None:
    from scalebridge.learn.calibration.splits import kfold

    table = specimens.concrete()
    for split in kfold(len(table.x), specimens.FOLDS, seed=0, groups=table.groups):
        assert not set(table.groups[split.train]) & set(table.groups[split.test])


def test_birch_is_skipped_with_a_reason_where_its_folder_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCALEBRIDGE_EXTRA_DATA", raising=False)
    told = specimens.birch()
    assert isinstance(told, str) and "SCALEBRIDGE_EXTRA_DATA" in told


@pytest.mark.skipif("SCALEBRIDGE_EXTRA_DATA" not in os.environ, reason="SCALEBRIDGE_EXTRA_DATA names no folder")
def test_birch_has_several_rows_of_a_tree_and_no_gap_is_left() -> None:
    table = specimens.birch()
    assert isinstance(table, specimens.Table)
    assert np.isfinite(table.x).all() and table.left_out > 0
    assert len(np.unique(table.groups)) < len(table.x)


def test_intervals_of_groups_hold_on_new_ones_where_those_of_rows_do_not() -> None:
    # A table of the same kind as concrete, small: six rows of each mix share an error.
    from scalebridge.learn import Conformal, RandomForest

    rng = np.random.default_rng(0)
    mixes = np.repeat(np.arange(120), 6)
    x = np.concatenate([rng.random((120, 3))[mixes], rng.random((720, 1))], axis=1)
    y = (x.sum(axis=1) + 0.5 * rng.standard_normal(120)[mixes] + 0.05 * rng.standard_normal(720))[:, None]
    inputs, outputs = dict.fromkeys("abcd", "1"), {"y": "1"}
    train, test = mixes < 80, mixes >= 80
    held = {}
    for how, groups in (("mixes", mixes[train]), ("rows", None)):
        made = RandomForest(inputs, outputs, trees=30)
        law = specimens.calibrated(made, x[train], y[train], groups, 0, Conformal)
        lower, upper = law.posterior(x[test]).interval(0.9)
        held[how] = float(np.mean((y[test] >= lower) & (y[test] <= upper)))
    assert held["mixes"] > 0.85
    assert held["rows"] < 0.7
