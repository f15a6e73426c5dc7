"""Rows of two scales put together by identifier, never by the order of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.alignment.aggregation import aggregate
from scalebridge.data.alignment.identifiers import Matching, listed, match
from scalebridge.data.source import Source
from scalebridge.errors import InputError
from scalebridge.quantities import Space, Variable

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

MANY = ("rows", "aggregate", "refuse")
UNMATCHED = ("refuse", "drop", "keep")


def join(
    left: Dataset,
    right: Dataset,
    by: str,
    *,
    right_by: str | None = None,
    many: str = "rows",
    unmatched: str = "refuse",
    cluster: str | None = None,
) -> Dataset:
    """The columns of both datasets in one, rows with the same identifier together.

    Args:
        left: of the coarser scale, one row per identifier, such as specimens.
        right: of the finer scale, one or many rows per identifier, such as images.
        by: the column of identifiers.
        right_by: its name on the right, where that differs.
        many: what becomes of many rows on the right: ``"rows"`` - a row each, the left's columns repeated (split such
            rows by ``by``, they are not independent); ``"aggregate"`` - their means, deviations and counts, one row
            per identifier; ``"refuse"``.
        unmatched: ``"refuse"``, ``"drop"`` rows without partner (the step says which), or ``"keep"`` those of the
            left, with gaps.
        cluster: with ``many="aggregate"``, see `aggregate`.

    Returns:
        A dataset in the order of the left; where both have a column of one name, the right's ends in ``_right``. Its
        last step tells what was done to the right before.

    Raises:
        InputError: identifiers without partner, in several rows of the left, or several on the right where that is
            refused; every sentence names them, and those that nearly match.
    """
    for value, valid, what in ((many, MANY, "many"), (unmatched, UNMATCHED, "unmatched")):
        if value not in valid:
            raise InputError(f"join got {what} = {value!r}; valid: {', '.join(valid)}.")
    matching = match(left, right, by, right_by)
    _demand_usable(matching, many, unmatched)
    if many == "aggregate":
        right = aggregate(right, right_by or by, cluster=cluster)
        matching = match(left, right, by, right_by)
    pairs = _pairs(matching, len(left), keep=unmatched == "keep")
    after = _together(left, right, pairs, right_by or by, repeated=matching.most > 1)
    told = " ".join(matching.sentences())
    done = [step.sentence for step in right.steps]
    before = f"Before, of '{right.name}': {' '.join(done)}" if done else ""
    sentence = f"Joined '{right.name}' to '{left.name}' by '{by}': {len(pairs)} rows. {told} {before}".strip()
    options = {"by": by, "right": right.name, "right_digest": right.digest, "many": many, "unmatched": unmatched}
    return left.stepped(after, "join", options | {"right_steps": done}, sentence)


def _demand_usable(matching: Matching, many: str, unmatched: str) -> None:
    told = " ".join(matching.sentences())
    if matching.repeated:
        raise InputError(
            f"'{matching.left_name}' cannot be joined by '{matching.by}', which should identify its rows: identifiers "
            f"stand in several rows: {listed(matching.repeated)}; join the other way round, or aggregate it first."
        )
    if not (matching.rows >= 0).any():
        raise InputError(f"No identifier of '{matching.right_name}' is in '{matching.left_name}'. {told}")
    if unmatched == "refuse" and not matching.complete:
        raise InputError(
            f"'{matching.left_name}' and '{matching.right_name}' do not match by '{matching.by}'. {told} Correct the "
            'identifiers, or join with unmatched="drop" (leave out) or "keep" (gaps).'
        )
    if many == "refuse" and matching.most > 1:
        raise InputError(
            f"An identifier has up to {matching.most} rows in '{matching.right_name}'; join with many=\"rows\" or "
            '"aggregate".'
        )


def _pairs(matching: Matching, n: int, keep: bool) -> NDArray[np.int64]:
    """Pairs of rows ``[k, 2]``, in the order of the left; -1 where the right has none."""
    right = np.flatnonzero(matching.rows >= 0)
    pairs = np.column_stack([matching.rows[right], right])
    if keep:
        alone = np.setdiff1d(np.arange(n), pairs[:, 0])
        pairs = np.concatenate([pairs, np.column_stack([alone, np.full(len(alone), -1)])])
    return np.asarray(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))], dtype=np.int64)


def _together(left: Dataset, right: Dataset, pairs: NDArray[np.int64], apart: str, repeated: bool) -> Dataset:
    taken = [n for n in right.space.names if n != apart]
    called = {n: f"{n}_right" if n in left.space.names else n for n in taken}
    columns: dict[str, Any] = {n: left.columns[n][pairs[:, 0]] for n in left.space.names}
    columns |= {called[n]: taken_with_gaps(right.columns[n], pairs[:, 1]) for n in taken}
    variables: list[Variable] = [*left.space, *(replace(right.space[n], name=called[n]) for n in taken)]
    std = _held(left.std, pairs[:, 0], {n: n for n in left.std}) | _held(right.std, pairs[:, 1], called)
    censored = {n: flags[pairs[:, 0]] for n, flags in left.censored.items()}
    for name, flags in right.censored.items():
        if name in called:
            censored[called[name]] = np.where(pairs[:, 1] >= 0, flags[pairs[:, 1]], 0).astype(np.int8)
    unique = len(np.unique(pairs[:, 0])) == len(pairs)
    return replace(
        left,
        space=Space(variables),
        columns=columns,
        std=std,
        censored=censored,
        index=left.index if unique and not repeated else None,
        coordinates=left.coordinates if unique else None,
        time=left.time if unique else None,
        edges=None,
        source=_both(left.source, right.source, called),
    )


def _both(left: Source, right: Source, called: Mapping[str, str]) -> Source:
    unstated = (*left.unstated, *(called[n] for n in right.unstated if n in called))
    return replace(left, files=(*left.files, *right.files), notes=(*left.notes, *right.notes), unstated=unstated)


def taken_with_gaps(column: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """Rows of a column, a gap where the row is -1."""
    taken = column[rows].copy()
    taken[rows < 0] = "" if column.dtype.kind == "U" else None if column.dtype == object else np.nan
    return taken


def _held(
    parts: Mapping[str, NDArray[Any]], rows: NDArray[np.int64], called: Mapping[str, str]
) -> dict[str, NDArray[Any]]:
    """Deviations of the rows taken; a gap where there is no row."""
    return {called[n]: taken_with_gaps(part, rows) for n, part in parts.items() if n in called}
