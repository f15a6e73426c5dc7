"""Micrographs for the report, from the lowest to the highest value, and what the network looks at in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.studies.properties.maps import Look
from scalebridge.studies.properties.specimens import Specimens

SHOWN, SIDE = 6, 220
"""Micrographs in the report, and the most pixels on a side that are kept of each."""

LOOKED_AT = 3
"""Of these, micrographs in which it is shown what the network looks at."""


def evenly(values: NDArray[np.float64], count: int) -> list[int]:
    """Rows ``[count]`` whose values ``[n]`` lie evenly between the lowest and the highest; gaps are left out."""
    order = np.argsort(values)[: int(np.isfinite(values).sum())]
    if not len(order):
        return []
    chosen: list[int] = order[np.unique(np.linspace(0, len(order) - 1, count).round().astype(int))].tolist()
    return chosen


def gallery(
    specimens: Specimens, measured: Mapping[str, NDArray[np.float64]]
) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """Micrographs evenly along the first target, cut to a size that a page bears."""
    entries, arrays = [], {}
    for k in evenly(next(iter(measured.values())), SHOWN):
        values = {t: float(v[k]) if np.isfinite(v[k]) else None for t, v in measured.items()}
        entries.append({"index": k, "specimen": specimens.names[k], "values": values})
        arrays[f"image_{k}"] = _bytes(_cut(micrograph(specimens, k).grey))
    return entries, arrays


def micrograph(specimens: Specimens, row: int) -> Any:
    """The first micrograph of a specimen."""
    from scalebridge.microstructure import read

    return read(specimens.matched.images[specimens.names[row]][0], luminance=True)


def maps(target: str, looks: Sequence[Look]) -> dict[str, NDArray[Any]]:
    """Arrays of what the network looks at: the micrograph, and the map in units of its largest entry."""
    found: dict[str, NDArray[Any]] = {}
    for look in looks:
        grey, seen = look.grey, look.attribution.map
        found[f"look_{target}_{look.specimen}_image"] = _bytes(_cut(grey))
        found[f"look_{target}_{look.specimen}_map"] = _cut(seen / max(float(np.abs(seen).max()), 1e-300)).astype(
            np.float32
        )
    return found


def look_record(target: str, learner: str, looks: Sequence[Look]) -> dict[str, Any]:
    """What JSON holds of the looks."""
    return {
        "learner": learner,
        "of": [
            {
                "specimen": look.specimen,
                "key": f"look_{target}_{look.specimen}",
                "sentence": look.sentence,
            }
            for look in looks
        ],
    }


def _cut(values: NDArray[Any]) -> NDArray[Any]:
    """The middle, at most `SIDE` pixels on a side."""
    part = tuple(slice((n - min(n, SIDE)) // 2, (n - min(n, SIDE)) // 2 + min(n, SIDE)) for n in values.shape)
    return values[part]


def _bytes(grey: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(255 * grey), dtype=np.uint8)
