"""Rows that belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.alignment.identifiers import keys
from scalebridge.errors import InputError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups in the order of their first row.

    Attributes:
        names: ``[g]``.
        of: group of each row ``[n]``.
        first: first row of each group ``[g]``.
        count: rows of each group ``[g]``.
    """

    names: NDArray[np.str_]
    of: NDArray[np.int64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]

    def members(self) -> list[NDArray[np.int64]]:
        """Rows of each group, in order."""
        order = np.argsort(self.of, kind="stable")
        return np.split(order, np.cumsum(self.count)[:-1]) if len(order) else []

    def sum(self, values: Floats) -> Floats:
        """Sum over the rows of each group ``[g]``; gaps count as nothing."""
        return np.asarray(np.bincount(self.of, np.nan_to_num(values), len(self.names)), dtype=np.float64)


def grouped(dataset: Dataset, by: str) -> Groups:
    """Rows of one identifier together.

    Raises:
        InputError: a row without identifier.
    """
    texts = keys(dataset, by)
    if (texts == "").any():
        row = int(np.flatnonzero(texts == "")[0])
        raise InputError(f"Row {row + 1} of '{dataset.name}' has no '{by}'; drop it or give it one before grouping.")
    return groups_of(texts)


def groups_of(texts: NDArray[np.str_]) -> Groups:
    """Equal texts together."""
    names, first, of, count = np.unique(texts, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return Groups(names[order], place[of.reshape(-1)], first[order], count[order])
