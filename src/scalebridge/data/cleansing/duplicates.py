"""Duplicates: rows that are exactly the same, and rows of one identifier with different values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.data.alignment.grouping import Groups, groups_of
from scalebridge.data.alignment.identifiers import keys
from scalebridge.data.cleansing.gaps import called
from scalebridge.data.columns import flat
from scalebridge.data.digests import column_digest

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset


@dataclass(frozen=True)
class Duplicates:
    """Rows that say the same.

    Attributes:
        exact: row numbers of each set of rows that agree in every column compared.
        conflicting: from identifier to its row numbers, where rows of one identifier do not agree.
        compared: the columns that were compared.
    """

    exact: tuple[tuple[int, ...], ...]
    conflicting: dict[str, tuple[int, ...]]
    compared: tuple[str, ...]

    @property
    def extra(self) -> int:
        """Rows beyond the first of each set."""
        return sum(len(rows) - 1 for rows in self.exact)


def duplicates(dataset: Dataset, by: str | None = None, apart: Sequence[str] = ()) -> Duplicates:
    """Find rows that agree in all columns but the index, with deviations and limits, and rows of one identifier that
    do not.

    Args:
        by: a column of identifiers that may repeat; the index cannot.
        apart: columns not to compare, such as a serial number.
    """
    left_out = {dataset.index, by, *apart}
    compared = tuple(n for n in dataset.space.names if n not in left_out)
    groups = _same(dataset, compared)
    members = [tuple(rows.tolist()) for rows in groups.members() if len(rows) > 1]
    conflicting = {}
    if by is not None:
        owners = groups_of(keys(dataset, by))
        for name, rows in zip(owners.names, owners.members(), strict=True):
            if name and len(rows) > 1 and len(np.unique(groups.of[rows])) > 1:
                conflicting[str(name)] = tuple(rows.tolist())
    return Duplicates(tuple(members), conflicting, compared)


def drop_duplicates(dataset: Dataset, by: str | None = None, apart: Sequence[str] = ()) -> Dataset:
    """The first row of every set of equal rows; rows of one identifier that do not agree stay, and are told."""
    if not len(dataset):
        return dataset
    found = duplicates(dataset, by, apart)
    dropped = sorted(row for rows in found.exact for row in rows[1:])
    kept = np.setdiff1d(np.arange(len(dataset)), dropped)
    shown = ", ".join(called(dataset, r) for r in dropped[:8]) + (" and more" if len(dropped) > 8 else "")
    sentence = f"Dropped {len(dropped)} rows equal to an earlier one{': ' + shown if dropped else ''}."
    if found.conflicting:
        sentence += f" Kept rows of one identifier with different values: {', '.join(list(found.conflicting)[:8])}."
    return dataset.stepped(dataset.rows(kept), "drop_duplicates", {"by": by, "apart": list(apart)}, sentence)


def _same(dataset: Dataset, names: tuple[str, ...]) -> Groups:
    """Rows that agree in every column named, its deviations and limits; gaps are equal."""
    codes = np.zeros((len(dataset), 0), dtype=np.int64)
    for name in names:
        column = dataset[name]
        if column.dtype == object:
            column = np.array([column_digest(column[i : i + 1]) for i in range(len(column))])
        told = [column, *(known[name] for known in (dataset.std, dataset.censored) if name in known)]
        for part in (part for values in told for part in flat(values).T):
            codes = np.column_stack([codes, np.unique(part, return_inverse=True)[1].reshape(-1)])
    if not len(codes) or not codes.shape[1]:
        return groups_of(np.arange(len(dataset)).astype(np.str_))
    whole = np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)
    return groups_of(whole.astype(np.str_))
