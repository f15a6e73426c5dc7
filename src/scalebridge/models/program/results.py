"""From the files of a finished program to its outputs, in the units declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models.program.parsers.files import NoValue, numbers
from scalebridge.models.program.parsers.pattern import Pattern
from scalebridge.models.program.sources import digest
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.quantities.units import conversion


@runtime_checkable
class Parser(Protocol):
    """Reads numbers from a working folder: a frozen dataclass whose ``repr`` tells it from others."""

    @property
    def unit(self) -> str | None:
        """Unit that the file is in; the output's where ``None``."""

    def read(self, folder: Path) -> Floats:
        """Return the numbers; raise `NoValue` with the reason where they are not there."""


Reading = Parser | Callable[[Path], Any]
Results = Mapping[str, Reading] | Callable[[Path], Mapping[str, Any]]


@dataclass(frozen=True)
class Reader:
    """Reads the values of a space from a folder.

    Args:
        space: what is read.
        results: a parser or a function of the folder for each, or one function for all.
        differences: values are deviations, which a unit's zero does not move.

    Raises:
        InputError: an output that is not read, a name that is no output, units that do not convert.
    """

    space: Space
    results: Results
    owner: str
    differences: bool = False

    def __post_init__(self) -> None:
        if callable(self.results):
            return
        if not isinstance(self.results, Mapping):
            raise InputError(
                f"{self.owner} was given results = {self.results!r}; give a mapping from each output to a parser, or "
                "a function of the folder."
            )
        for name, reading in self.results.items():
            if name not in self.space.names:
                raise InputError(
                    f"{self.owner} reads '{name}', which is no output{did_you_mean(name, self.space.names)}"
                )
            self._check(self.space[name], reading)

    def read(self, folder: Path) -> Floats:
        """Return ``[m]``, in the units of the space.

        Raises:
            NoValue: why a value is not there.
        """
        given = _read(self.results, folder, "results") if callable(self.results) else None
        if given is not None and not isinstance(given, Mapping):
            raise InputError(
                f"{self.owner}: the function for results returned a {type(given).__name__}; return a dict."
            )
        parts = [self._value(variable, folder, given) for variable in self.space]
        return np.concatenate(parts) if parts else np.zeros(0)

    def digest(self) -> str:
        """Text that tells these results from others."""
        if callable(self.results):
            return described(self.results)
        return "; ".join(f"{name}: {described(r)}" for name, r in sorted(self.results.items()))

    def _check(self, variable: Variable, reading: Any) -> None:
        check_reading(reading, variable.name, self.owner)
        if isinstance(reading, Pattern) and reading.groups == 0:
            raise InputError(
                f"{self.owner} is to read '{variable.name}' by the pattern '{reading.regex}', which has no group; put "
                "{number} where the number stands."
            )
        unit = getattr(reading, "unit", None)
        if unit is not None:
            conversion(unit, variable.unit, f"{self.owner}: '{variable.name}'")

    def _value(self, variable: Variable, folder: Path, given: Mapping[str, Any] | None) -> Floats:
        reading = None if callable(self.results) else self.results[variable.name]
        if given is not None:
            if variable.name not in given:
                raise InputError(
                    f"{self.owner}: the function for results gave no '{variable.name}'; it gave "
                    f"{', '.join(given) or 'nothing'}."
                )
            raw = given[variable.name]
        else:
            assert reading is not None
            raw = _read(reading, folder, f"'{variable.name}'")
        return self._checked(variable, raw, getattr(reading, "unit", None))

    def _checked(self, variable: Variable, raw: Any, unit: str | None) -> Floats:
        _refuse_quantity(raw, variable.name, self.owner)
        found = numbers(raw, f"'{variable.name}'")
        if is_misshapen(found, variable.shape):
            raise NoValue(f"'{variable.name}' was found in the shape {found.shape}, declared is {variable.shape}")
        values = found.ravel()
        if len(values) != variable.size:
            raise NoValue(f"'{variable.name}' was found as {len(values)} numbers, declared are {variable.size}")
        if not np.isfinite(values).all():
            raise NoValue(f"'{variable.name}' is {values[~np.isfinite(values)][0]}")
        factor, offset = _conversion(unit or variable.unit, variable.unit)
        return factor * values + (0.0 if self.differences else offset)


def check_reading(reading: Any, name: str, owner: str) -> None:
    """Refuse what reads nothing.

    Raises:
        InputError: neither a parser nor a function.
    """
    if not (isinstance(reading, Parser) or callable(reading)):
        raise InputError(
            f"{owner} is to read '{name}' by {reading!r}; give Pattern, Csv, Json, Npy, Npz, Hdf5, Columns or a "
            "function of the folder."
        )


def missing(space: Space, results: Results, owner: str) -> None:
    """Refuse results that leave out an output.

    Raises:
        InputError: naming it.
    """
    for name in space.names:
        if isinstance(results, Mapping) and name not in results:
            raise InputError(f"{owner} declares the output '{name}' and no result reads it; add it to results.")


def is_misshapen(found: Floats, shape: tuple[int, ...]) -> bool:
    """Whether an array has rows and columns and others than ``shape``; a flat one goes by rows."""
    one, other = (tuple(n for n in sides if n != 1) for sides in (found.shape, shape))
    return one != other and min(len(one), len(other)) > 1


def raw_value(reading: Reading, folder: Path, name: str) -> Floats:
    """Return what a parser or a function reads from a folder, in its own unit and shape.

    Raises:
        NoValue: why there is nothing, or no number.
    """
    raw = _read(reading, folder, f"'{name}'")
    _refuse_quantity(raw, name, "A result")
    return numbers(raw, f"'{name}'")


def _refuse_quantity(raw: Any, name: str, owner: str) -> None:
    """Refuse a number that brings its unit, which would be dropped."""
    for value in (raw, *(raw[:1] if isinstance(raw, list | tuple) else ())):
        if hasattr(value, "magnitude") and hasattr(value, "units"):
            raise InputError(
                f"{owner}: the function for '{name}' returned a quantity in '{value.units}'; return its number in the "
                "unit of the output, as by .to(...).magnitude."
            )


def _read(reading: Any, folder: Path, name: str) -> Any:
    read = reading.read if isinstance(reading, Parser) else reading
    try:
        return read(folder)
    except NoValue as error:
        raise NoValue(f"{name}: {error}") from None
    except FileNotFoundError as error:
        raise NoValue(f"{name}: it wrote no file '{Path(str(error.filename)).name}'") from error
    except Exception as error:
        # A reader that refuses a damaged file says so in a sentence: here it is the reason of the row.
        raise NoValue(f"{name} could not be read: {type(error).__name__}: {error}") from error


def described(reading: Any) -> str:
    """Text that tells a parser or a function from others."""
    if isinstance(reading, Parser):
        own = type(reading).__module__.startswith("scalebridge.")
        # What a user's class prints of itself may hold its place in memory.
        return repr(reading) if own else f"{type(reading).__qualname__} {digest(reading)}"
    return digest(reading)


@cache
def _conversion(source: str, target: str) -> tuple[float, float]:
    return conversion(source, target, "A result")
