"""Saved properties as their report reads them: ``fit.json`` and ``arrays.npz``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats
from scalebridge.reports.stored import stored_arrays, stored_record

SCHEMA_VERSION = 1
AGAIN = "fit anew"


@dataclass(frozen=True)
class Target:
    """One property of a record.

    Args:
        content: its entry in the record.
    """

    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of the column."""
        return str(self.content["name"])

    @property
    def unit(self) -> str:
        """Unit of its values; empty where the table gives none."""
        unit = str(self.content.get("unit") or "1")
        return "" if unit == "1" else unit

    @property
    def figures(self) -> Mapping[str, Any]:
        """Figures of merit of the whole procedure at specimens held back."""
        return dict(self.content["procedure"])

    def held(self, name: str) -> Floats:
        """A column of the answers at specimens held back: ``measured``, ``mean``, ``lower``, ``upper``."""
        return np.array([row[name] for row in self.content["held_out"]], dtype=np.float64)


@dataclass(frozen=True)
class Record:
    """Saved properties.

    Args:
        content: of ``fit.json``.
        arrays: of ``arrays.npz``; empty where there are none.
    """

    content: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def targets(self) -> list[Target]:
        """The properties, in the order they were asked for."""
        return [Target(entry) for entry in self.content["targets"]]


def load_record(directory: str | Path) -> Record:
    """Read saved properties with the pictures beside them.

    Raises:
        InputError: none there, or one of another schema.
    """
    return Record(load_figures(directory), stored_arrays(Path(directory) / "arrays.npz", AGAIN))


def load_figures(directory: str | Path) -> dict[str, Any]:
    """Read the content of ``fit.json`` alone, as a prediction needs it.

    Raises:
        InputError: none there, or one of another schema.
    """
    return stored_record(Path(directory) / "fit.json", SCHEMA_VERSION, "fit ... --out DIR", AGAIN)
