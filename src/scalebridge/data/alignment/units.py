"""Units of one dataset taken over by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset


def same_units(dataset: Dataset, reference: Dataset) -> Dataset:
    """The columns that both have, in the reference's units; deviations and bounds too, as one step.

    Columns of coordinates and of time stay; units nobody stated are not guessed: they must be the reference's own.

    Raises:
        UnitError: units that do not convert, naming the column.
    """
    apart = set(dataset.coordinates.columns if dataset.coordinates else ())
    apart |= {dataset.time.column} if dataset.time else set()
    wanted = {
        name: reference.space[name].unit
        for name in dataset.numeric_names
        if name in reference.numeric_names and name not in apart
        if dataset.space[name].unit != reference.space[name].unit
    }
    return dataset.in_units(wanted)
