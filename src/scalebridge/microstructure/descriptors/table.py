"""Named numbers that describe a microstructure, with their deviations, units and meanings."""

from __future__ import annotations

import difflib
import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scalebridge.errors import InputError
from scalebridge.microstructure.descriptors.masks import Floats
from scalebridge.quantities.units import conversion

_STARTS = {"grey_": "texture", "grain_": "grains"}
"""Beginnings of names that tell their group."""


@dataclass(frozen=True)
class Descriptor:
    """One number about a microstructure.

    Attributes:
        name: identifier, the same for every image of a kind.
        value: finite.
        std: standard deviation, ``None`` where none is known.
        unit: as ``"um"``, ``"1/um"``, ``"px"`` or ``"1"``.
        meaning: what it is, in one sentence.
        group: which group of descriptors it belongs to.
    """

    name: str
    value: float
    std: float | None
    unit: str
    meaning: str
    group: str

    def in_unit(self, unit: str) -> float:
        """Return the value in another unit.

        Raises:
            InputError: a length in pixels, whose size is not known.
            UnitError: a unit of another kind.
        """
        if "px" in self.unit and "px" not in unit:
            raise InputError(
                f"'{self.name}' was asked for in '{unit}', but it is in '{self.unit}' because the pixel size is not "
                "known; give describe(..., pixel_size='1.1 um')."
            )
        factor, offset = conversion(self.unit, unit, f"The descriptor '{self.name}'")
        return factor * self.value + offset

    def describe(self) -> str:
        """Return value, deviation and unit in a few words."""
        return f"{_told(self.value, self.std)}{'' if self.unit == '1' else ' ' + self.unit}"


@dataclass(frozen=True, eq=False)
class Descriptors(Mapping[str, Descriptor]):
    """Descriptors of one image by name, in a fixed order; build it by `describe`.

    Attributes:
        found: the descriptors.
        absent: why others could not be had, by the name of the descriptor or group.
        source: what was described.
        notes: what to know about all of them, one sentence each.
    """

    found: Mapping[str, Descriptor]
    absent: Mapping[str, str]
    source: str
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> Descriptor:
        if name not in self.found:
            raise KeyError(self._missing(name))
        return self.found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def vector(self, names: Sequence[str] | None = None, gaps: bool = False) -> Floats:
        """Return the values ``[n]`` in the order of ``names``, all by default.

        Args:
            names: which.
            gaps: give ``nan`` for what is absent, as a table of specimens does, instead of raising.

        Raises:
            InputError: a name that is absent; the message says why it is.
        """
        chosen = list(self.found) if names is None else list(names)
        if not gaps:
            for name in chosen:
                if name not in self.found:
                    raise InputError(self._missing(name))
        return np.array([self.found[name].value if name in self.found else math.nan for name in chosen])

    def std(self, names: Sequence[str] | None = None) -> Floats:
        """Return the deviations ``[n]`` in the order of ``names``, ``nan`` where none is known."""
        chosen = list(self.found) if names is None else list(names)
        kept = [self.found.get(name) for name in chosen]
        return np.array([math.nan if each is None or each.std is None else each.std for each in kept])

    def group(self, name: str) -> Descriptors:
        """Return the descriptors of one group."""
        kept = {key: each for key, each in self.found.items() if each.group == name}
        why = {key: reason for key, reason in self.absent.items() if key == name}
        return Descriptors(kept, why, self.source, self.notes)

    def table(self) -> str:
        """Return a table of all descriptors, and the reasons for what is absent."""
        rows = [(each.name, _told(each.value, each.std), each.unit, each.meaning) for each in self.found.values()]
        widths = [max((len(row[k]) for row in rows), default=0) for k in range(3)]
        lines = [f"Descriptors of {self.source}"]
        lines += ["  ".join((*(row[k].ljust(widths[k]) for k in range(3)), row[3])) for row in rows]
        lines += [f"absent: {', '.join(names)}: {reason}" for reason, names in self._reasons().items()]
        return "\n".join([*lines, *self.notes])

    def __str__(self) -> str:
        return self.table()

    def _reasons(self) -> dict[str, list[str]]:
        """What is absent, by the reason."""
        found: dict[str, list[str]] = {}
        for name, reason in self.absent.items():
            found.setdefault(reason, []).append(name)
        return found

    def _missing(self, name: str) -> str:
        if name in self.absent:
            return f"The descriptor '{name}' of {self.source} is absent: {self.absent[name]}"
        group = next((group for start, group in _STARTS.items() if name.startswith(start) and group in self.absent), "")
        if group:
            return f"The descriptor '{name}' of {self.source} is absent: {self.absent[group]}"
        near = difflib.get_close_matches(name, self.found, n=1)
        if near:
            return f"There is no descriptor '{name}' of {self.source}; did you mean '{near[0]}'?"
        reasons = {
            reason: [key for key, why in self.absent.items() if why == reason] for reason in self.absent.values()
        }
        told = " ".join(f"{', '.join(keys)}: {reason}" for reason, keys in reasons.items())
        return (
            f"There is no descriptor '{name}' of {self.source}; print the table for the {len(self.found)} there are"
            f"{'; absent are ' + told if told else '.'}"
        )

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td>{html.escape(each.name)}</td><td>{html.escape(_told(each.value, each.std))}</td>"
            f"<td>{html.escape(each.unit)}</td><td>{html.escape(each.meaning)}</td></tr>"
            for each in self.found.values()
        )
        reasons = self._reasons().items()
        why = "".join(f"<li>{html.escape(', '.join(names))}: {html.escape(reason)}</li>" for reason, names in reasons)
        head = "<tr><th>descriptor</th><th>value</th><th>unit</th><th>meaning</th></tr>"
        told = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return f"<p>{html.escape(self.source)}</p><table>{head}{cells}</table><ul>{why}</ul>{told}"


def _told(value: float, std: float | None) -> str:
    if std is None or not std > 0:
        return f"{value:.4g}"
    digits = max(0, 1 - math.floor(math.log10(std)))
    if digits > 6 or abs(value) >= 1e6:
        return f"{value:.4g} ± {std:.2g}"
    return f"{value:.{digits}f} ± {std:.{digits}f}"
