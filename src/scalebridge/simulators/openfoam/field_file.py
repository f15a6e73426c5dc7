"""One field file: its unit, its values in cells or at points, and what its patches say."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam.components import shaped
from scalebridge.simulators.openfoam.dimensions import NAMED, unit_of
from scalebridge.simulators.openfoam.foam_file import COMPONENTS, FoamFile, FoamList, beginning, text_of

_CLASS = re.compile(r"(vol|point|surface)(Scalar|Vector|SymmTensor|Tensor)Field")


@dataclass(frozen=True, eq=False)
class FieldFile:
    """What a field file says.

    Args:
        path: of the file.
        place: ``vol`` (cells), ``point`` or ``surface``.
        kind: of its values: ``scalar``, ``vector``, ``symmTensor`` or ``tensor``.
        unit: of its values.
        internal: the values; one row where they are uniform.
        patches: name -> entries of the patch; a ``value`` is a `FoamList`.
    """

    path: Path
    place: str
    kind: str
    unit: str
    internal: FoamList
    patches: Mapping[str, Mapping[str, Any]]

    def values(self, size: int, part: FoamList | None = None) -> Floats | None:
        """``[size, *shape]`` of the internal field or of another list; ``None`` where its size is another."""
        found = self.internal if part is None else part
        uniform = found.size < 0
        if not uniform and found.size != size:
            return None
        rows = np.broadcast_to(found.values[:1], (size, found.values.shape[1])) if uniform else found.expanded()
        return shaped(np.where(np.isfinite(rows), rows, np.nan))


def class_of(path: Path) -> str:
    """The class that the header of a file names; empty where it has none."""
    found = re.search(rb"\bclass\s+(\w+)\s*;", beginning(path))
    return found[1].decode() if found else ""


def is_field(name: str, places: tuple[str, ...]) -> bool:
    """Whether a class is one of fields at these places (``vol``, ``point``, ``surface``)."""
    found = _CLASS.fullmatch(name)
    return found is not None and found[1] in places


def read_field_file(path: Path) -> FieldFile:
    """Read a field file.

    Raises:
        InputError: it is missing, no field, or damaged.
    """
    file = FoamFile(path)
    found = _CLASS.fullmatch(file.header.kind)
    if found is None:
        file.fail(f"its header says class '{file.header.kind[:40]}', which is no field that is read here")
    kind = found[2][0].lower() + found[2][1:]
    entries: dict[str, Any] = {}
    places: dict[str, int] = {}
    while key := file.peek():
        file.word()
        places[key] = file.position
        entries[key] = file.dictionary() if file.peek() == "{" else file.entry()
    for wanted in ("dimensions", "internalField", "boundaryField"):
        if wanted not in entries:
            file.fail(f"it has no '{wanted}'")
    internal = _list(file, entries["internalField"], kind, places["internalField"])
    if internal is None:
        file.fail("its 'internalField' is neither uniform nor nonuniform", places["internalField"])
    patches = {}
    boundary = entries["boundaryField"] if isinstance(entries["boundaryField"], dict) else {}
    for name, words in boundary.items():
        if not isinstance(words, dict):
            continue
        given = {k: text_of(words, k) for k, w in words.items() if isinstance(w, list)}
        value = _list(file, words["value"], kind, places["boundaryField"]) if "value" in words else None
        patches[name] = given | ({} if value is None else {"value": value})
    return FieldFile(path, found[1], kind, _unit(file, entries["dimensions"], places["dimensions"]), internal, patches)


def _list(file: FoamFile, words: Any, kind: str, at: int) -> FoamList | None:
    """The list of an entry; of a uniform one ``size`` is -1."""
    if not isinstance(words, list) or not words:
        return None
    if words[0] == "nonuniform":
        # A patch without faces, as releases before v1712 write it.
        found = words[-1] if words[1:] != ["0()"] else FoamList(kind, np.zeros((0, COMPONENTS[kind])), 0)
        if not isinstance(found, FoamList) or found.kind != kind:
            file.fail(f"a list of {kind}s must follow 'nonuniform'", at)
        return found
    if words[0] != "uniform":
        return None
    numbers = _floats([word for word in words[1:] if word not in ("(", ")")])
    if numbers is None or len(numbers) != COMPONENTS[kind]:
        file.fail(f"a {kind} of {COMPONENTS[kind]} numbers must follow 'uniform'", at)
    return FoamList(kind, np.array([numbers]), -1)


def _unit(file: FoamFile, words: Any, at: int) -> str:
    kept = [word for word in words if word not in ("[", "]")] if isinstance(words, list) else []
    if len(kept) == 1 and kept[0] in NAMED:
        return NAMED[kept[0]]
    exponents = _floats(kept)
    if exponents is None or len(exponents) not in (5, 7) or not all(abs(x) < 100 for x in exponents):
        file.fail("its 'dimensions' are not seven exponents such as [0 1 -1 0 0 0 0]", at)
    return unit_of(exponents)


def _floats(words: list[Any]) -> list[float] | None:
    try:
        numbers = [float(word) for word in words]
    except (TypeError, ValueError):
        return None
    return numbers if all(math.isfinite(x) for x in numbers) else None
