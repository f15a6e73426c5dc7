"""ANSYS: results and archives read without it, and Mechanical APDL driven as a model.

Names are imported on first use (PEP 562).

::

    results = sb.simulators.ansys.read_results("beam.rst", length="mm")
    results.fields(1, units={"stress": "MPa"})["stress"].von_mises().statistic("max")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.simulators.ansys.archive import Archive, read_archive
    from scalebridge.simulators.ansys.batch import apdl
    from scalebridge.simulators.ansys.model import Mapdl, stop
    from scalebridge.simulators.ansys.readings import Nodal, Scalar, Value
    from scalebridge.simulators.ansys.results import Results, ResultSet, read_results

_HOME = {
    "Archive": "archive",
    "Mapdl": "model",
    "Nodal": "readings",
    "ResultSet": "results",
    "Results": "results",
    "Scalar": "readings",
    "Value": "readings",
    "apdl": "batch",
    "read_archive": "archive",
    "read_results": "results",
    "stop": "model",
}

__all__ = [
    "Archive",
    "Mapdl",
    "Nodal",
    "ResultSet",
    "Results",
    "Scalar",
    "Value",
    "apdl",
    "read_archive",
    "read_results",
    "stop",
]

__getattr__, __dir__ = attach(__name__, _HOME)
