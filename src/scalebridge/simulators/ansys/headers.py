"""Headers of a result file: what stands at which place.

Source: Mechanical APDL Programmer's Reference, "Description of the results file" (include file fdresu), whose
numbers of items are those below less one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.simulators.ansys.records import Records

_HEADER, _MOST_HEADER = 103, 1000
_ANALYSES = {0: "static", 1: "buckling", 2: "modal", 3: "harmonic", 4: "transient", 7: "substructure", 8: "spectrum"}
# Kinds of analysis -> what the number of a result set measures.
_MEASURES = {"modal": "frequency", "harmonic": "frequency", "buckling": "load factor"}


@dataclass(frozen=True)
class ResultHeader:
    """What the headers of a result file say.

    Args:
        n_nodes, n_elements: of the model.
        n_degrees: degrees of freedom of a node.
        analysis: ``"static"``, ``"modal"``, ``"harmonic"``, ``"transient"``, ...
        measure: what the number of a result set is: ``"time"``, ``"frequency"``, ``"load factor"``.
        n_sets: result sets.
        most_sets: that the tables have room for.
        places: words of the records ``sets``, ``times``, ``steps``, ``nodes``, ``geometry``.
        units: code of the units; 0 or less where nobody said them.
        short_stress: a stress record has 6 items per node, else 11.
        n_sectors: of a cyclic model; 1 of a plain one.
        distributed: one of several files of a run in parallel.
        title: of the run.
        release: of the program, as text.
    """

    n_nodes: int
    n_elements: int
    n_degrees: int
    analysis: str
    measure: str
    n_sets: int
    most_sets: int
    places: Mapping[str, int]
    units: int
    short_stress: bool
    n_sectors: int
    distributed: bool
    title: str
    release: str


def result_header(records: Records) -> ResultHeader:
    """The headers of a result file.

    Raises:
        InputError: another binary file of ANSYS, a damaged one.
    """
    standard = records.wholes(0, "the standard header", _MOST_HEADER)
    if len(standard) < 100 or int(standard[0]) != 12:
        number = int(standard[0]) if len(standard) else -1
        raise records.damaged(0, "the standard header", f"the file number {number}, and 12 is that of results")
    items = records.wholes(_HEADER, "the result header", _MOST_HEADER)
    if len(items) < 40:
        raise records.damaged(_HEADER, "the result header", f"{len(items)} items, fewer than the 40 it needs")
    items = np.pad(items, (0, 80))  # releases before 14 wrote 40
    n_words = len(records.words)
    for name, count in (("nodes", items[2]), ("elements", items[6]), ("result sets", items[3])):
        if not 0 <= count <= n_words:
            raise records.damaged(_HEADER, "the result header", f"{count} {name}, more than the file has room for")
    if not 0 <= items[4] <= 64 or not 0 <= items[8] <= items[3]:
        raise records.damaged(_HEADER, "the result header", f"{items[4]} degrees of freedom in {items[8]} result sets")
    analysis = _ANALYSES.get(int(items[7]), "other")
    return ResultHeader(
        n_nodes=int(items[2]),
        n_elements=int(items[6]),
        n_degrees=int(items[4]),
        analysis=analysis,
        measure=_MEASURES.get(analysis, "time"),
        n_sets=int(items[8]),
        most_sets=int(items[3]),
        places={
            "sets": _place(items, 10, 40),
            "times": _place(items, 11, 41),
            "steps": _place(items, 12, 42),
            "nodes": _place(items, 14, 45),
            "geometry": _place(items, 15, 46),
        },
        units=max(int(standard[4]), int(items[19])),
        short_stress=bool(items[39] != 0),
        n_sectors=int(items[20]),
        distributed=bool(items[48] not in (0, items[2])),
        title=_text(standard[40:60]),
        release=_text(standard[9:10]).strip(),
    )


def _place(items: NDArray[np.int64], low: int, high: int) -> int:
    return (int(items[high]) << 32) | (int(items[low]) & 0xFFFFFFFF)


def _text(items: NDArray[np.int64]) -> str:
    raw = b"".join(int(i & 0xFFFFFFFF).to_bytes(4, "big") for i in items)
    return raw.decode("ascii", "replace").replace("\x00", " ").strip()
