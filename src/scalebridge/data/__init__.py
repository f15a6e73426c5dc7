"""Data of every scale as one `Dataset`: read, align, cleanse, judge, keep.

Names are imported on first use (PEP 562), so that ``import scalebridge`` brings no library of a file format.

::

    specimens = sb.data.read("specimens.csv", index="SpecimenID", units={"Density": "g/cm^3"})
    specimens.describe()
    sb.compare(specimens.only(["Density", "Resistance"]), "Resistance", groups=specimens["Tree"])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalebridge.data.archive import load, save
    from scalebridge.data.dataset import Dataset
    from scalebridge.data.frames import Frame, TimeFrame
    from scalebridge.data.readers.graph import read_graph
    from scalebridge.data.readers.grid import read_grid
    from scalebridge.data.readers.images import read_images
    from scalebridge.data.readers.points import read_points
    from scalebridge.data.readers.series import read_series
    from scalebridge.data.readers.table import read_table
    from scalebridge.data.reading import read
    from scalebridge.data.source import File, Source
    from scalebridge.data.steps import Changed, Step
    from scalebridge.data.tables import from_columns

_HOME = {
    "Changed": "steps",
    "Dataset": "dataset",
    "File": "source",
    "Frame": "frames",
    "Source": "source",
    "Step": "steps",
    "TimeFrame": "frames",
    "from_columns": "tables",
    "load": "archive",
    "read": "reading",
    "read_graph": "readers.graph",
    "read_grid": "readers.grid",
    "read_images": "readers.images",
    "read_points": "readers.points",
    "read_series": "readers.series",
    "read_table": "readers.table",
    "save": "archive",
}

__all__ = [
    "Changed",
    "Dataset",
    "File",
    "Frame",
    "Source",
    "Step",
    "TimeFrame",
    "from_columns",
    "load",
    "read",
    "read_graph",
    "read_grid",
    "read_images",
    "read_points",
    "read_series",
    "read_table",
    "save",
]


def __getattr__(name: str) -> Any:
    """Import the module of a public name on first use."""
    if name in _HOME:
        return getattr(importlib.import_module(f"scalebridge.data.{_HOME[name]}"), name)
    raise AttributeError(f"module 'scalebridge.data' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
