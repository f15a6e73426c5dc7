"""The splits on which surrogates are judged: none parts what belongs together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.calibration.splits import Split, check_leaks, kfold
from scalebridge.learn.learner import Data

FOLDS = 5


def check_rows(title: str, data: Data) -> None:
    """Refuse data with fewer rows than inputs and one more, of which nothing can be held back."""
    rows, inputs = data.x.shape
    if rows < inputs + 1:
        raise InputError(
            f"{title} got {rows} {'row' if rows == 1 else 'rows'} of {inputs} {'input' if inputs == 1 else 'inputs'}; "
            f"give at least {inputs + 1} rows, or leave inputs out: of fewer nothing can be held back."
        )


def splits_of(
    data: Data, units: NDArray[np.int64], given: Any, groups: Any, seed: int, allow_leaks: bool = False
) -> tuple[tuple[Split, ...], tuple[str, ...]]:
    """Splits that part no unit ``[n]``, or those given, checked; and what is to be said of them.

    Raises:
        InputError: none, an empty one, too many folds, or one across which something leaks.
    """
    count, notes = int(units.max()) + 1, []
    if count < len(data):
        notes.append(f"{len(data)} rows are {count} that can be parted: equal inputs and groups stay together.")
    if given is None or isinstance(given, int | np.integer):
        folds = min(FOLDS, count) if given is None else int(given)
        if count < 2:
            raise InputError(
                f"All {len(data)} rows are equal or of one group, so that none can be held back; give rows of at least "
                "two groups."
            )
        return kfold(len(data), folds, seed=seed, groups=units), tuple(notes)
    cut = tuple(s if isinstance(s, Split) else Split(*s) for s in ([given] if isinstance(given, Split) else given))
    if not cut:
        raise InputError("There are no splits; give a number of folds or splits such as kfold(n, 5).")
    for number, split in enumerate(cut):
        try:
            check_leaks(split, data.x, groups=groups, y=data.y)
        except InputError as error:
            if not allow_leaks or split.train.max() >= len(data) or split.test.max() >= len(data):
                raise InputError(f"Split {number}: {error}") from error
            notes.append(f"Split {number} leaks: {error}")
    return cut, tuple(notes)
