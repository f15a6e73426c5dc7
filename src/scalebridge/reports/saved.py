"""A saved answer as reports read it: `answer.json` and `arrays.npz`, nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.reports.stored import stored_arrays, stored_record

SCHEMA_VERSION = 1
AGAIN = "run the study again to write it anew"
PARTS = ("closure", "remainder", "micro_discretisation", "mesh")


@dataclass(frozen=True)
class Saved:
    """A saved answer.

    Args:
        answer: content of ``answer.json``.
        arrays: content of ``arrays.npz``; empty where there is none.
    """

    answer: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """Value of the quantity of interest; NaN where there is none."""
        return number(self.answer.get("value"))

    @property
    def unit(self) -> str:
        """Unit of the quantity of interest."""
        return str(self.answer.get("unit") or "1")

    @property
    def interval(self) -> tuple[float, float] | None:
        """Finite interval, or ``None``."""
        return span(self.answer.get("interval"))

    @property
    def half_width(self) -> float | None:
        """Half of the interval's width, or ``None``."""
        return None if self.interval is None else (self.interval[1] - self.interval[0]) / 2

    @property
    def input_interval(self) -> tuple[float, float] | None:
        """Interval from uncertain inputs, or ``None``."""
        given = self.answer.get("input_interval")
        return span(given.get("interval") if isinstance(given, Mapping) else given)

    @property
    def input_sources(self) -> dict[str, tuple[float, float]]:
        """Interval from each uncertain input by itself."""
        given = self.answer.get("input_interval")
        sources = given.get("sources") if isinstance(given, Mapping) else self.answer.get("input_sources")
        return {str(k): ends for k, v in (sources or {}).items() if (ends := span(v)) is not None}

    @property
    def tolerance(self) -> float | None:
        """The tolerance asked for, absolute, in the unit of the value; ``None`` where undefined."""
        return finite(self.answer.get("tolerance"))

    @property
    def converged(self) -> bool:
        """Whether the tolerance was met."""
        return bool(self.answer.get("converged"))

    @property
    def parts(self) -> dict[str, float | None]:
        """The measured parts of the half-width; ``None`` for one that was not measured."""
        given = self.answer.get("parts") or {}
        return {name: finite(given.get(name)) for name in (*PARTS, *(n for n in given if n not in PARTS))}

    @property
    def runs(self) -> list[Mapping[str, Any]]:
        """The table of micro runs, in order."""
        return list(self.answer.get("runs") or [])

    @property
    def failed(self) -> list[Mapping[str, Any]]:
        """The micro runs that gave no answer, in order."""
        return [run for run in self.runs if run.get("status") not in (None, "ok")]

    @property
    def path(self) -> list[Mapping[str, Any]]:
        """The steps to the answer, in order of time."""
        return list(self.answer.get("path") or [])

    def get(self, key: str, default: Any = None) -> Any:
        """Return an entry of the answer, ``default`` where it is missing or null."""
        value = self.answer.get(key)
        return default if value is None else value

    def array(self, name: str) -> NDArray[Any] | None:
        """Return an array, ``None`` where it was not saved."""
        return self.arrays.get(name)

    def fields(self) -> dict[str, NDArray[Any]]:
        """Return the macro fields by name."""
        return {k.removeprefix("field."): v for k, v in self.arrays.items() if k.startswith("field.")}

    def extra(self, name: str) -> NDArray[Any] | None:
        """Return what the study added under ``name``."""
        return self.arrays.get(f"extra.{name}")

    def inputs_of(self, runs: list[Mapping[str, Any]]) -> NDArray[np.float64]:
        """Return the inputs of ``runs`` as ``[b, d]``."""
        rows = [np.asarray(r.get("x") or [], dtype=np.float64) for r in runs]
        return np.stack(rows) if rows else np.zeros((0, 0))

    def variables(self, side: str) -> list[Mapping[str, Any]]:
        """Return the closure's ``"inputs"`` or ``"outputs"``: name, unit, shape, components."""
        return list((self.answer.get("macro") or {}).get(f"closure_{side}") or [])

    def components(self, side: str) -> list[str]:
        """Return the names of the components of the closure's inputs or outputs."""
        names: list[str] = []
        for variable in self.variables(side):
            names += [str(c) for c in variable.get("components") or [variable.get("name", "?")]]
        return names

    def side_unit(self, side: str) -> str:
        """Return the unit of the closure's first input or output."""
        return str(next((v.get("unit", "1") for v in self.variables(side)), "1"))


def load(directory: str | Path) -> Saved:
    """Read a saved answer from a directory.

    Raises:
        InputError: no answer there, or one of another schema.
    """
    place = Path(directory)
    file = place if place.suffix == ".json" else place / "answer.json"
    answer = stored_record(file, SCHEMA_VERSION, "run STUDY --out DIR", AGAIN)
    return Saved(answer, stored_arrays(file.parent / "arrays.npz", AGAIN))


def number(value: Any) -> float:
    """Return a float, NaN for anything that is none."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan


def finite(value: Any) -> float | None:
    """Return a finite float or ``None``."""
    found = number(value)
    return found if math.isfinite(found) else None


def span(value: Any) -> tuple[float, float] | None:
    """Return a finite ``(low, high)`` or ``None``."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return None
    low, high = finite(value[0]), finite(value[1])
    return None if low is None or high is None else (low, high)
