"""Splits: everything once, nothing on both sides, the same every time; leaks are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.learn.calibration import Split, check_leaks, holdout, kfold, published, temporal
from scalebridge.learn.calibration.splits import deal, duplicate_of

GROUPS = np.repeat(np.arange(8), [1, 2, 3, 4, 5, 6, 7, 2])


@pytest.mark.parametrize("groups", [None, GROUPS])
def test_folds_hold_every_row_back_once_and_leave_the_rest(groups: np.ndarray | None) -> None:
    splits = kfold(30, 5, seed=3, groups=groups)
    np.testing.assert_array_equal(np.sort(np.concatenate([s.test for s in splits])), np.arange(30))
    for s in splits:
        np.testing.assert_array_equal(np.sort(np.concatenate([s.train, s.test])), np.arange(30))


def test_rows_of_one_specimen_stay_together() -> None:
    for s in (*kfold(30, 4, groups=GROUPS), holdout(30, 0.3, groups=GROUPS)):
        assert not set(GROUPS[s.train]) & set(GROUPS[s.test])


def test_the_same_seed_gives_the_same_folds_and_another_seed_others() -> None:
    first, again, other = (kfold(30, 3, seed=k)[0].test for k in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_strata_are_spread_evenly_over_the_folds() -> None:
    strata = np.repeat(["steel", "copper"], [40, 10])
    part = deal(50, 5, seed=0, strata=strata)
    assert [int((part[strata == "copper"] == k).sum()) for k in range(5)] == [2] * 5


def test_the_past_is_learned_from_and_the_future_tested_on_with_equal_times_together() -> None:
    time = np.random.default_rng(0).permutation(np.repeat(np.arange(20.0), 2))
    splits = temporal(time, 4, gap=2.0)
    for s in splits:
        assert time[s.train].max() <= time[s.test].min() - 2.0
    tested = np.concatenate([s.test for s in splits])
    assert len(tested) == len(np.unique(tested)) == (time >= 4).sum()


def test_published_splits_are_read_from_their_index_files(tmp_path: Path) -> None:
    for k in range(2):
        np.savetxt(tmp_path / f"index_train_{k}.txt", [0 + k, 2], fmt="%.18e")
        np.savetxt(tmp_path / f"index_test_{k}.txt", [3], fmt="%d")
    assert [s.train.tolist() for s in published(tmp_path)] == [[0, 2], [1, 2]]
    (tmp_path / "index_test_1.txt").write_text("3.5\n")
    with pytest.raises(InputError, match=r"holds 3\.5"):
        published(tmp_path)
    with pytest.raises(InputError, match="no splits"):
        published(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Split(np.array([], int), np.array([1])), "no rows to learn from"),
        (lambda: Split(np.array([1]), np.array([], int)), "no rows to test on"),
        (lambda: Split(np.array([1, 2]), np.array([2])), "Row 2"),
        (lambda: kfold(4, 5), "between 2 and 4 folds"),
        (lambda: kfold(30, 9, groups=GROUPS), "8 groups"),
        (lambda: kfold(30, 3, groups=GROUPS[:5]), "one label per row"),
        (lambda: holdout(10, 1.0), "between 0 and 1"),
        (lambda: holdout(1, 0.5), "no rows to learn from"),
        (lambda: holdout(0, 0.5), "no rows"),
        (lambda: temporal(np.zeros(10), 2), "1 distinct times"),
        (lambda: temporal(np.arange(10.0), 4, gap=5.0), "leaves nothing to learn from"),
    ],
)
def test_an_empty_or_impossible_split_is_refused_in_one_sentence(call: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()  # type: ignore[operator]


def test_a_group_on_both_sides_is_a_leak_that_is_named() -> None:
    x = np.arange(30.0)[:, None]
    with pytest.raises(InputError, match=r"group '[0-9]' .* both sides"):
        check_leaks(kfold(30, 5)[0], x, groups=GROUPS)
    check_leaks(kfold(30, 5, groups=GROUPS)[0], x, groups=GROUPS)


def test_equal_rows_on_both_sides_are_a_leak_unless_they_are_replicates_with_other_values() -> None:
    x = np.array([[0.0, 1.0], [2.0, 3.0], [-0.0, 1.0], [4.0, 5.0]])
    y = np.array([[1.0], [1.0], [2.0], [1.0]])
    split = Split(np.array([0, 1]), np.array([2, 3]))
    with pytest.raises(InputError, match="Rows 0 and 2"):
        check_leaks(split, x)
    check_leaks(split, x, y=y)
    with pytest.raises(InputError, match="Rows 0 and 2"):
        check_leaks(split, x, y=np.ones((4, 1)))
    for s in kfold(4, 3, groups=duplicate_of(x)):
        check_leaks(s, x)


def test_a_split_of_other_data_is_refused() -> None:
    with pytest.raises(InputError, match="row 9 of data with 4 rows"):
        check_leaks(Split(np.array([0]), np.array([9])), np.zeros((4, 1)))
