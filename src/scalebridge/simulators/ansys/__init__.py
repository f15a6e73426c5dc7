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
    from scalebridge.simulators.ansys.results import Results, ResultSet, read_results

_HOME = {
    "Archive": "archive",
    "ResultSet": "results",
    "Results": "results",
    "read_archive": "archive",
    "read_results": "results",
}

__all__ = ["Archive", "ResultSet", "Results", "read_archive", "read_results"]

__getattr__, __dir__ = attach(__name__, _HOME)
