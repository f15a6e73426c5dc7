"""What a quality check is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.data.alignment.grouping import Groups, grouped
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Asked:
    """A dataset, what is to be predicted from it, and what its rows share."""

    dataset: Dataset
    target: str | None
    groups: str | None

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Columns of single numbers."""
        return tuple(n for n in self.dataset.numeric_names if self.dataset.space[n].shape == ())

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Columns of single numbers from which the target would be learned."""
        apart = {self.target, self.groups, self.dataset.time.column if self.dataset.time else None}
        return tuple(n for n in self.numbers if n not in apart)

    @cached_property
    def grouped(self) -> Groups | None:
        """Rows by group, where groups were named and every row has one."""
        if self.groups is None or self.dataset.gaps(self.groups).any():
            return None
        return grouped(self.dataset, self.groups)

    @cached_property
    def goal(self) -> Floats | None:
        """The target ``[n]``, where it is a single number."""
        return self.dataset[self.target] if self.target in self.numbers else None

    def known(self, name: str) -> Floats:
        """Values of a column without its gaps."""
        column = self.dataset[name]
        return np.asarray(column[~self.dataset.gaps(name)])


def listed(names: tuple[str, ...] | list[str], most: int = 6) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
