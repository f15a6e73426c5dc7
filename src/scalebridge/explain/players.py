"""Which columns are shuffled, filled in and named together: the players of an explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Space


@dataclass(frozen=True)
class Players:
    """Disjoint groups of columns, each with a label.

    Args:
        labels: ``[k]`` names for people.
        columns: ``[k]`` component indices of each.
        units: ``[k]``, where the columns of one have the same unit, else ``"1"``.
        size: number of all columns ``d``.
    """

    labels: tuple[str, ...]
    columns: tuple[NDArray[np.int64], ...]
    units: tuple[str, ...]
    size: int

    def __len__(self) -> int:
        return len(self.labels)

    @staticmethod
    def of(inputs: Space, together: Mapping[str, Sequence[str]] | None = None) -> Players:
        """One player per variable (an array is one), those of ``together`` joined under their label.

        Raises:
            InputError: a name that is no input, or that stands in two groups.
        """
        starts = np.cumsum([0, *(v.size for v in inputs)])
        place = {v.name: np.arange(starts[i], starts[i + 1]) for i, v in enumerate(inputs)}
        place |= {name: np.array([i]) for i, name in enumerate(inputs.component_names) if name not in place}
        joined = _joined(place, together or {})
        taken = np.concatenate([*joined.values(), np.zeros(0, dtype=np.int64)])
        for v in inputs:
            rest = np.setdiff1d(place[v.name], taken)
            if len(rest) == v.size:
                joined[v.name] = rest
            else:
                joined |= {inputs.component_names[i]: np.array([i]) for i in rest}
        units = [v.unit for v in inputs for _ in range(v.size)]
        order = sorted(joined.items(), key=lambda item: int(item[1][0]))
        told = tuple(units[c[0]] if len({units[i] for i in c}) == 1 else "1" for _, c in order)
        return Players(tuple(n for n, _ in order), tuple(c.astype(np.int64) for _, c in order), told, inputs.size)

    @property
    def single(self) -> tuple[int, ...]:
        """Numbers of those that are one column, along which an effect can be drawn."""
        return tuple(k for k, c in enumerate(self.columns) if len(c) == 1)

    def mask(self) -> NDArray[np.bool_]:
        """Which columns belong to each ``[k, d]``."""
        mask = np.zeros((len(self), self.size), dtype=bool)
        for k, columns in enumerate(self.columns):
            mask[k, columns] = True
        return mask


def _joined(place: Mapping[str, Any], together: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    joined: dict[str, Any] = {}
    seen: dict[int, str] = {}
    for label, names in together.items():
        names = [names] if isinstance(names, str) else list(names)
        for name in names:
            if name not in place:
                raise InputError(f"The group '{label}' names the input '{name}'{did_you_mean(name, list(place))}")
        if not names:
            raise InputError(f"The group '{label}' names no input; give at least one of {', '.join(place)}.")
        columns = np.unique(np.concatenate([place[name] for name in names]))
        for column in columns.tolist():
            if column in seen:
                raise InputError(
                    f"An input stands in the groups '{seen[column]}' and '{label}'; give every input to one group."
                )
            seen[column] = label
        joined[label] = columns
    return joined
