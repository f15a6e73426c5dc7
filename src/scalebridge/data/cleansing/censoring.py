"""Censoring: values that are only limits, marked so that no fit takes them for measurements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.cleansing.gaps import called
from scalebridge.data.cleansing.single import single
from scalebridge.errors import InputError

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

YES = ("yes", "y", "true", "1", "run-out", "runout", "run out", "censored")
NO = ("no", "n", "false", "0", "failed", "failure", "")


def mark_censored(
    dataset: Dataset,
    column: str,
    *,
    flag: str | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    yes: Sequence[str] = YES,
    no: Sequence[str] = NO,
) -> Dataset:
    """Mark values of a column as limits, from a column that says so or from the limit of the test; earlier marks stay.

    Args:
        column: of values, such as cycles to failure.
        flag: a column that says which rows ran out: text among ``yes``, or a number other than 0. A row that ran out
            and has no value is the trap: how long it lasted is not known, so without ``at_least`` it is refused; with
            it, the row gets that limit.
        at_least: without a flag: values at or above this are run-outs (the test was stopped there). With one, the
            flag says which ran out, and this is only the limit of those without a value.
        at_most: values at or below this were not detected.
        yes, no: texts of the flag, in lower case; any other is refused.

    Raises:
        InputError: neither flag nor limit, a text that is neither yes nor no, a run-out without a value or limit.
    """
    former = single(dataset, column)
    if flag is None and at_least is None and at_most is None:
        raise InputError(f"Censoring of '{column}' of '{dataset.name}' needs a flag column or a limit; give one.")
    values, codes = former.copy(), dataset.censored.get(column, np.zeros(len(dataset), dtype=np.int8)).copy()
    if at_least is not None and flag is None:
        codes[values >= at_least] = 1
    if at_most is not None:
        codes[values <= at_most] = -1
    filled: list[str] = []
    if flag is not None:
        ran_out = _flagged(dataset, flag, tuple(yes), tuple(no))
        unknown = np.flatnonzero(ran_out & np.isnan(values))
        filled = [called(dataset, int(i)) for i in unknown]
        if filled and at_least is None:
            raise InputError(
                f"{len(filled)} rows of '{dataset.name}' ran out by '{flag}' and have no '{column}' "
                f"({', '.join(filled[:5])}); say where the test was stopped, as in at_least=1e6, or drop them."
            )
        values[unknown] = at_least if at_least is not None else np.nan
        codes[ran_out] = 1
    after = dataset.with_column(column, values, dataset.std.get(column), codes)
    sentence = (
        f"Marked {int((codes == 1).sum())} values of '{column}' as at least, {int((codes == -1).sum())} as at most."
    )
    if filled:
        sentence += f" Run-outs without a value were taken at {at_least:g}: {', '.join(filled[:8])}."
    options = {"column": column, "flag": flag, "at_least": at_least, "at_most": at_most}
    return dataset.stepped(after, "mark_censored", options, sentence)


def _flagged(dataset: Dataset, flag: str, yes: tuple[str, ...], no: tuple[str, ...]) -> NDArray[np.bool_]:
    column = dataset[flag]
    if column.dtype.kind == "f":
        return np.asarray(np.nan_to_num(single(dataset, flag)) != 0)
    if column.dtype == object:
        raise InputError(f"The flag '{flag}' of '{dataset.name}' holds images; name a column of yes and no.")
    said = np.char.strip(np.char.lower(column))
    strange = np.flatnonzero(~np.isin(said, (*yes, *no)))
    if len(strange):
        raise InputError(
            f"The flag '{flag}' of '{dataset.name}' is '{column[strange[0]]}' in {called(dataset, int(strange[0]))}; "
            f"valid: {', '.join(yes)} or {', '.join(t for t in no if t)}."
        )
    return np.isin(said, yes)
