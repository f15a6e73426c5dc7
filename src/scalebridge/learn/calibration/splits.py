"""Splits of data into what is learned from and what is held back, so that nothing leaks from one to the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Indices of the rows to learn from and of those held back.

    Raises:
        InputError: a side is empty, or a row stands on both.
    """

    train: Rows
    test: Rows

    def __post_init__(self) -> None:
        for side, words in (("train", "to learn from"), ("test", "to test on")):
            rows = np.asarray(getattr(self, side), dtype=np.int64)
            if rows.ndim != 1 or not len(rows):
                raise InputError(f"A split has no rows {words}; give more rows, fewer folds or another share.")
            object.__setattr__(self, side, rows)
        both = np.intersect1d(self.train, self.test)
        if len(both):
            raise InputError(
                f"Row {both[0]} (and {len(both) - 1} more) of a split is both learned from and tested on; "
                "give every row to one side only."
            )


def kfold(n: int, folds: int = 5, *, seed: int = 0, groups: ArrayLike | None = None) -> tuple[Split, ...]:
    """Every row held back once, in random order.

    Args:
        n: rows.
        folds: parts, at most as many as rows (or groups).
        seed: of the order.
        groups: ``[n]`` labels; rows of one specimen, mix or tree stay together.

    Raises:
        InputError: fewer than two folds, or more than rows or groups.
    """
    part = deal(n, folds, seed=seed, groups=groups)
    return tuple(Split(np.flatnonzero(part != k), np.flatnonzero(part == k)) for k in range(folds))


def holdout(n: int, share: float = 0.25, *, seed: int = 0, groups: ArrayLike | None = None) -> Split:
    """One split with about ``share`` of the rows held back; rows of one group stay together."""
    if not 0.0 < share < 1.0:
        raise InputError(f"The share to hold back is {share:g}; give one between 0 and 1, such as 0.25.")
    index, count = _units(n, groups)
    held = np.random.default_rng(seed).permutation(count)[: max(1, round(share * count))]
    chosen = np.isin(index, held)
    return Split(np.flatnonzero(~chosen), np.flatnonzero(chosen))


def temporal(time: ArrayLike, folds: int = 5, *, gap: float = 0.0) -> tuple[Split, ...]:
    """Learn from the past, test on what comes next, with the origin rolling forward.

    Args:
        time: ``[n]`` numbers; equal times stay together.
        folds: splits; the times are cut into ``folds + 1`` blocks and each but the first is tested on once.
        gap: what lies less than this before the first time of the test is not learned from (the memory of the
            process), in units of ``time``.

    Raises:
        InputError: fewer distinct times than blocks, times that are not finite, a gap that leaves nothing to learn.
    """
    times = np.asarray(time, dtype=np.float64).ravel()
    moments = np.unique(times)
    if not np.isfinite(times).all() or gap < 0 or folds < 1 or len(moments) < folds + 1:
        raise InputError(
            f"A temporal split of {folds} folds got {len(moments)} distinct times and a gap of {gap:g}; "
            "give finite times, at least one more of them than folds, and a gap of at least zero."
        )
    starts = moments[[len(moments) * k // (folds + 1) for k in range(1, folds + 1)]]
    ends = [*starts[1:], np.inf]
    splits = []
    for start, end in zip(starts, ends, strict=True):
        train = np.flatnonzero((times < start) & (times <= start - gap))
        if not len(train):
            raise InputError(
                f"A gap of {gap:g} before the time {start:g} leaves nothing to learn from; give a shorter gap or "
                "fewer folds."
            )
        splits.append(Split(train, np.flatnonzero((times >= start) & (times < end))))
    return tuple(splits)


def published(folder: str | Path, count: int | None = None) -> tuple[Split, ...]:
    """Splits as published: ``index_train_0.txt`` and ``index_test_0.txt``, numbers of rows from zero.

    Args:
        folder: where the files lie.
        count: how many; by default all there are.

    Raises:
        InputError: no such files, or a file that holds no row numbers.
    """
    place = Path(folder)
    found = sum(1 for _ in place.glob("index_train_*.txt")) if count is None else count
    if not found:
        raise InputError(f"There are no splits in '{place}'; expected are index_train_0.txt and index_test_0.txt.")
    return tuple(
        Split(_index(place / f"index_train_{k}.txt"), _index(place / f"index_test_{k}.txt")) for k in range(found)
    )


def check_leaks(split: Split, x: Floats, *, groups: ArrayLike | None = None, y: Floats | None = None) -> None:
    """Refuse a split across which something leaks.

    Args:
        split: the rows of either side.
        x: ``[n, d]`` inputs; a row that stands on both sides is a leak (with ``y``: only where the values agree too,
            so that replicates of an experiment pass).
        groups: ``[n]`` labels of specimens; one that stands on both sides is a leak.
        y: ``[n, m]``.

    Raises:
        InputError: what leaks, by row and by label, and what to do.
    """
    rows = np.asarray(x, dtype=np.float64).reshape(len(x), -1)
    if y is not None:
        rows = np.concatenate([rows, np.asarray(y, dtype=np.float64).reshape(len(rows), -1)], axis=1)
    top = max(int(split.train.max()), int(split.test.max()))
    if top >= len(rows) or min(int(split.train.min()), int(split.test.min())) < 0:
        raise InputError(f"A split names row {top} of data with {len(rows)} rows, counted from zero.")
    if groups is not None:
        labels = np.asarray(groups)
        shared = np.intersect1d(labels[split.train], labels[split.test])
        if len(shared):
            raise InputError(
                f"The group '{shared[0]}' (and {len(shared) - 1} more) stands on both sides of the split, so that the "
                "test sees what was learned; split by kfold(n, groups=...)."
            )
    same = duplicate_of(rows)
    shared = np.intersect1d(same[split.train], same[split.test])
    if len(shared):
        first = split.train[same[split.train] == shared[0]][0]
        second = split.test[same[split.test] == shared[0]][0]
        raise InputError(
            f"Rows {first} and {second} (and {len(shared) - 1} more pairs) are equal and stand on both sides of the "
            "split, so that the test sees what was learned; drop duplicates or pass groups=duplicate_of(x) to the "
            "split."
        )


def duplicate_of(x: Floats) -> Rows:
    """Labels ``[n]``, equal for equal rows of ``x [n, d]``."""
    _, index = np.unique(np.asarray(x, dtype=np.float64) + 0.0, axis=0, return_inverse=True)
    return np.asarray(index, dtype=np.int64).reshape(-1)


def deal(n: int, folds: int, *, seed: int, groups: ArrayLike | None = None, strata: ArrayLike | None = None) -> Rows:
    """The fold ``[n]`` of each row: groups together, strata (``[n]`` labels) spread evenly over the folds."""
    index, order = shuffled(n, seed=seed, groups=groups, strata=strata)
    what = "rows" if groups is None else "groups"
    if not 2 <= folds <= len(order):
        raise InputError(f"A split into {folds} folds got {len(order)} {what}; give between 2 and {len(order)} folds.")
    part = np.empty(len(order), dtype=np.int64)
    part[order] = np.arange(len(order)) % folds
    return part[index]


def shuffled(
    n: int, *, seed: int, groups: ArrayLike | None = None, strata: ArrayLike | None = None
) -> tuple[Rows, Rows]:
    """The unit ``[n]`` of each row that is never torn apart, and all units in random order, stratum by stratum."""
    index, count = _units(n, groups)
    order = np.random.default_rng(seed).permutation(count)
    if strata is not None:
        # A group lies in the stratum of its first row.
        first = np.unique(index, return_index=True)[1]
        _, stratum = np.unique(np.asarray(strata), return_inverse=True)
        order = order[np.argsort(stratum[first][order], kind="stable")]
    return index, order


def _units(n: int, groups: ArrayLike | None) -> tuple[Rows, int]:
    """The unit ``[n]`` of each row that is never torn apart, and their number."""
    if n < 1:
        raise InputError("A split got no rows; give at least two.")
    if groups is None:
        return np.arange(n), n
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise InputError(f"A split of {n} rows got groups of shape {labels.shape}; give one label per row.")
    names, index = np.unique(labels, return_inverse=True)
    return np.asarray(index, dtype=np.int64), len(names)


def _index(file: Path) -> Rows:
    try:
        numbers = np.loadtxt(file, ndmin=1)
    except (OSError, ValueError) as error:
        raise InputError(f"The split '{file}' cannot be read: {error}; it holds one row number per line.") from error
    if (numbers < 0).any() or (numbers != np.round(numbers)).any():
        raise InputError(f"The split '{file}' holds {numbers.min():g}, which is no row number counted from zero.")
    return numbers.astype(np.int64)
