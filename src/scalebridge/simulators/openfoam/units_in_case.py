"""Units of what function objects write, from the ``dimensions`` of the case's own fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from scalebridge.simulators.openfoam.dimensions import NAMED, unit_of
from scalebridge.simulators.openfoam.foam_file import beginning
from scalebridge.simulators.openfoam.time_folders import times

_DIMENSIONS = re.compile(rb"\bdimensions\s*\[([-+\w.\s]*)\]")
_CLASS = re.compile(rb"\bclass\s+(?:vol|point)(Scalar|Vector|SymmTensor|Tensor)Field\s*;")
_OPERATION = re.compile(r"(\w+)\((.+)\)")
# What an operation multiplies the unit of its field with.
_KEEPING = (
    "average",
    "Average",
    "min",
    "max",
    "sum",
    "Sum",
    "CoV",
    "uniformity",
    "mag",
    "component",
    "weighted",
    "none",
)
_AREA, _VOLUME = ("areaIntegrate", "weightedAreaIntegrate"), ("volIntegrate", "weightedVolIntegrate")


def unit_in_case(case: Path, name: str, units: Mapping[str, str] | None = None) -> str | None:
    """The unit of a field or of an operation on one, ``areaAverage(p)``; ``None`` where nothing tells it.

    Args:
        case: its folder.
        name: as the function object writes it.
        units: stated by the user: of the name as written or of the field; these count first.
    """
    stated = units or {}
    if name in stated:
        return stated[name]
    found = _OPERATION.fullmatch(name)
    if found is None:
        return _of_field(case, name)
    unit = stated.get(found[2]) or _of_field(case, name) or _of_field(case, found[2])
    if unit is None or (found[1] in ("grad", "div", "curl") and not _of_field(case, name)):
        return None
    for operations, factor in ((_AREA, "m^2"), (_VOLUME, "m^3")):
        if found[1] in operations:
            return factor if unit == "1" else f"({unit})*{factor}"
    return unit if any(word in found[1] for word in _KEEPING) else None


def components_in_case(case: Path, name: str) -> int | None:
    """How many components a field of the case has; ``None`` where it has none of that name."""
    for start in _beginnings(case, name):
        found = _CLASS.search(start)
        if found:
            return {"scalar": 1, "vector": 3, "symmtensor": 6, "tensor": 9}[found[1].decode().lower()]
    return None


def _of_field(case: Path, name: str) -> str | None:
    """The unit of a field of the case, from the last time that holds it."""
    for start in _beginnings(case, name):
        found = _DIMENSIONS.search(start)
        word = found[1].strip().decode() if found else ""
        if word in NAMED:
            return NAMED[word]
        numbers = _numbers(found[1]) if found else []
        if len(numbers) in (5, 7):
            return unit_of(numbers)
    return None


def _beginnings(case: Path, name: str) -> Iterator[bytes]:
    """The first bytes of the files of a field, the last time first."""
    roots = [root for root in (case, case / "processor0") if root.is_dir()]
    for folder in [f for root in roots for f in reversed(times(root).values())]:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                yield beginning(path)


def _numbers(text: bytes) -> list[float]:
    try:
        return [float(word) for word in text.split()]
    except ValueError:
        return []
