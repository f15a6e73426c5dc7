"""What was done to a dataset, step by step, so that each can be told and undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.columns import flat

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Changed:
    """Cells of one column that a step changed.

    Attributes:
        rows: row numbers ``[k]`` in the dataset before the step.
        former: values ``[k, *shape]`` before the step.
    """

    rows: NDArray[np.int64]
    former: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Step:
    """One alignment, cleansing or selection.

    Attributes:
        name: of the step, such as ``"fill gaps"``.
        options: what it was told, as plain values.
        sentence: what it did, in words.
        changed: from column to the cells that changed, where the rows stayed the same ones; a step that added,
            dropped or reordered rows tells so in its sentence.
        before: the dataset before the step; columns that did not change are shared, not copied.
            ``None`` where it was left out of an archive: the step can then be told, not undone.
    """

    name: str
    options: Mapping[str, Any]
    sentence: str
    changed: Mapping[str, Changed] = field(repr=False)
    before: Dataset | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))
        object.__setattr__(self, "changed", MappingProxyType(dict(self.changed)))


def changes(before: Dataset, after: Dataset) -> dict[str, Changed]:
    """Cells of the columns that both have which differ between two datasets of as many rows; gaps are equal."""
    if len(before) != len(after):
        return {}
    found = {}
    for name in before.space.names:
        if name not in after.space.names or after.columns[name] is before.columns[name]:
            continue
        rows = differing(before.columns[name], after.columns[name])
        if len(rows):
            found[name] = Changed(rows, before.columns[name][rows])
    return found


def differing(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.int64]:
    """Rows in which two columns of the same length differ; a gap equals a gap."""
    if a.shape != b.shape or (a.dtype.kind == "f") != (b.dtype.kind == "f"):
        return np.arange(len(a))
    if a.dtype == object or b.dtype == object:
        return np.array([i for i in range(len(a)) if a[i] is not b[i]], dtype=np.int64)
    unequal = (a != b) & ~((a != a) & (b != b))
    return np.flatnonzero(flat(unequal).any(axis=1)).astype(np.int64)
