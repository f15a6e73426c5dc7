"""Saved properties as their report reads them: ``fit.json`` and ``arrays.npz``."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

SCHEMA_VERSION = 1


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
    """Read saved properties.

    Raises:
        InputError: none there, or one of another schema.
    """
    file = Path(directory) / "fit.json"
    if not file.is_file():
        raise InputError(
            f"There is no fit.json in '{directory}'; give the directory that 'scalebridge fit ... --out DIR' wrote."
        )
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"'{file}' is not JSON ({error}); fit anew.") from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise InputError(f"'{file}' has schema_version {version}; this ScaleBridge reads {SCHEMA_VERSION}. Fit anew.")
    return Record(content, _arrays(Path(directory) / "arrays.npz"))


def _arrays(file: Path) -> dict[str, NDArray[Any]]:
    """Pictures beside the record; none where they are not there or damaged, for every figure can do without."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile):
        return {}
