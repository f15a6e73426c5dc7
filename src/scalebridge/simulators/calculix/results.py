"""Single values from the results of a run: printed tables and nodal fields, reduced to what a model returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models.program import NoValue
from scalebridge.quantities import Floats

STATISTICS: dict[str, Callable[[Floats], Any]] = {
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "min": np.min,
    "last": lambda values: values[-1],
    "all": np.asarray,
}
# A body that moves so many times its own size is held too little: a singular stiffness gives huge numbers, no error.
_LARGEST_DISPLACEMENT = 1e4
FIELD_STATISTICS = ("max", "min", "mean", "std", "median", "range")


@dataclass(frozen=True)
class Printed:
    """A column of a printed table (``.dat``) at the last time, as ``*NODE PRINT`` and ``*EL PRINT`` write it.

    Args:
        quantity: as printed: "displacements", "forces", "total force", "stresses", "temperatures", ...
        column: such as "vx"; may be left out of a table of one column.
        set: that was printed; the last one of the quantity if None.
        statistic: "sum", "mean", "max", "min", "last", or "all" for an array output.
        unit: of the deck; the output's where None.

    Raises:
        InputError: an unknown statistic.
    """

    quantity: str
    column: str | None = None
    set: str | None = None
    statistic: str = "sum"
    unit: str | None = None

    def __post_init__(self) -> None:
        if self.statistic not in STATISTICS:
            raise InputError(f"Printed got the statistic '{self.statistic}'{did_you_mean(self.statistic, STATISTICS)}")

    def read(self, folder: Path) -> Floats:
        """Return the value; raise `NoValue` with the reason where it is not there."""
        from scalebridge.simulators.calculix.dat import find, read_dat

        try:
            table = find(_kept(read_dat, only(folder, "dat")), self.quantity, self.set)
            if self.column is None and len(table.columns) != 1:
                raise NoValue(f"'{self.quantity}' has the columns {', '.join(table.columns)}; name one")
            values = table.column(self.column or table.columns[0])
        except InputError as error:
            raise NoValue(str(error)) from error
        if not len(values):
            raise NoValue(f"CalculiX printed no rows of '{self.quantity}'")
        return np.asarray(STATISTICS[self.statistic](values), dtype=np.float64)


@dataclass(frozen=True)
class Nodal:
    """A nodal field (``.frd``) of the last step, reduced.

    Args:
        field: "DISP", "STRESS", "TOSTRAIN", "NDTEMP", ...
        component: number of one component from 0, "norm", "mises" of a stress, or None for a field of numbers.
        statistic: "max", "min", "mean" (over the volume; of axisymmetric elements over the area of
            their section, not weighted by the radius), "std", "median", "range".
        at: points ``[n, 3]`` where the field is taken in place of a statistic, in the deck's length.
        unit: of the deck; the output's where None.

    Raises:
        InputError: an unknown statistic or component.
    """

    field: str
    component: int | str | None = None
    statistic: str = "max"
    at: Sequence[Sequence[float]] | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        if self.statistic not in FIELD_STATISTICS:
            raise InputError(
                f"Nodal got the statistic '{self.statistic}'{did_you_mean(self.statistic, FIELD_STATISTICS)}"
            )
        if isinstance(self.component, str) and self.component not in ("norm", "mises"):
            raise InputError(f"Nodal got the component '{self.component}'; give a number from 0, 'norm' or 'mises'.")

    def read(self, folder: Path) -> Floats:
        """Return the value; raise `NoValue` with the reason where it is not there."""
        from scalebridge.simulators.calculix.frd import read_frd

        try:
            fields = _kept(read_frd, only(folder, "frd")).last
            if self.field not in fields:
                raise NoValue(f"CalculiX wrote no field '{self.field}', only {', '.join(fields) or 'none'}")
            field = fields[self.field]
            if self.component == "mises":
                field = field.von_mises()
            elif self.component == "norm":
                field = field.norm()
            elif self.component is not None:
                if field.shape == () or not 0 <= int(self.component) < field.shape[0]:
                    raise NoValue(f"'{self.field}' has no component {self.component}")
                field = field.with_values(field.values[:, int(self.component)])
            if self.at is not None:
                return self._taken(field)
            return np.asarray(field.statistic(self.statistic), dtype=np.float64)
        except InputError as error:
            raise NoValue(str(error)) from error

    def _taken(self, field: Any) -> Floats:
        """The field at the points."""
        points = np.asarray(self.at, dtype=np.float64)
        values: Floats = field.at(points)
        missing = np.isnan(values).reshape(len(points), -1).any(1)
        if missing.any():
            raise NoValue(
                f"'{self.field}' has no value at {tuple(points[np.argmax(missing)].tolist())}, in the deck's length: "
                "the point is outside of the mesh, or beside a node without a value"
            )
        return values


def moved_away(folder: Path) -> str | None:
    """Return a sentence where displacements of the one ``.frd`` are those of a body that is not held; else None.

    Modes have displacements of any size and are left out, as is what cannot be read.
    """
    from scalebridge.simulators.calculix.frd import read_frd

    try:
        field = _kept(read_frd, only(folder, "frd")).last.get("DISP")
    except (InputError, NoValue):
        return None
    if field is None or field.time is None:
        return None
    largest, size = (
        float(np.abs(np.nan_to_num(field.values)).max(initial=0.0)),
        float(np.ptp(field.mesh.points, axis=0).max()),
    )
    if size == 0 or largest <= _LARGEST_DISPLACEMENT * size:
        return None
    return (
        f"CalculiX found displacements of {largest:.3g} in a mesh of the size {size:.3g}: the body is not held against "
        "every motion"
    )


def _kept(reader: Callable[[Path], Any], path: Path) -> Any:
    """What a reader returns; the outputs of one run share it, for a large file takes as long to read as to compute."""
    stat = path.stat()
    return _read(reader, path, (stat.st_ino, stat.st_size, stat.st_mtime_ns))


@lru_cache(maxsize=2)
def _read(reader: Callable[[Path], Any], path: Path, version: tuple[int, ...]) -> Any:
    """A ``.frd`` and a ``.dat`` at a time, as long as their files stay what they were."""
    return reader(path)


def only(folder: Path, suffix: str) -> Path:
    """The one file of a suffix in a folder.

    Raises:
        NoValue: none, or several.
    """
    found = sorted(folder.glob(f"*.{suffix}"))
    if len(found) != 1:
        names = ", ".join(f.name for f in found) or "none"
        raise NoValue(f"CalculiX was to write one .{suffix} file and wrote {names}")
    return found[0]
