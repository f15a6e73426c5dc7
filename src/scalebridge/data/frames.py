"""Where and when: which columns are places or times, and in which frame."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from scalebridge.errors import InputError
from scalebridge.quantities.units import check_unit

UNIX_EPOCH = "1970-01-01T00:00:00Z"
_ZONE = re.compile(r"^(UTC|[+-]\d{2}:\d{2}|[A-Za-z_]+(/[A-Za-z_+-]+)+)$")


@dataclass(frozen=True)
class Frame:
    """Which columns are places, and in which coordinate frame.

    Args:
        columns: names of the columns of coordinates, in the order of the axes.
        name: of the frame, such as ``"specimen"`` or ``"WGS84"``.
        unit: of the coordinates; every column of the frame has it.
        origin: where this frame's origin lies in its parent, in ``unit``; zeros by default.
        axes: rows are the directions of the axes in the parent, orthonormal; the unit matrix by default.

    Raises:
        InputError: no columns, an origin or axes that do not fit them, axes that are not orthonormal.
    """

    columns: tuple[str, ...]
    name: str = "local"
    unit: str = "m"
    origin: tuple[float, ...] = ()
    axes: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        n = len(self.columns)
        if not 1 <= n <= 3 or len(set(self.columns)) != n:
            raise InputError(
                f"The frame '{self.name}' has the columns {', '.join(self.columns) or 'none'}; give one to three, "
                "all different."
            )
        check_unit(self.unit, f"The frame '{self.name}'")
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "origin", tuple(float(v) for v in self.origin) or (0.0,) * n)
        axes = tuple(tuple(float(v) for v in row) for row in self.axes)
        object.__setattr__(self, "axes", axes or tuple(tuple(float(i == j) for j in range(n)) for i in range(n)))
        matrix = np.array([row for row in self.axes if len(row) == n])
        if len(self.origin) != n or matrix.shape != (n, n) or not np.all(np.isfinite(self.origin)):
            raise InputError(
                f"The frame '{self.name}' of {n} columns has the origin {self.origin} and the axes {self.axes}; give "
                f"{n} finite numbers and {n} rows of {n}."
            )
        if not np.allclose(matrix @ matrix.T, np.eye(n), atol=1e-9):
            raise InputError(f"The axes of the frame '{self.name}' are not orthonormal; give unit vectors as rows.")


@dataclass(frozen=True)
class TimeFrame:
    """Which column is time, in float seconds since ``epoch``.

    Args:
        column: name of the column, in seconds.
        epoch: ISO text of second zero.
        zone: of the clock that wrote the stamps: ``"UTC"``, ``"+02:00"``, a place such as ``"America/Chicago"``;
            ``None`` where nobody said it (the seconds then count that clock's own time, as if it were UTC).
        step: seconds from row to row where they are all alike, else ``None``.

    Raises:
        InputError: an epoch that is no ISO time, a zone or step that is none.
    """

    column: str
    epoch: str = UNIX_EPOCH
    zone: str | None = None
    step: float | None = field(default=None)

    def __post_init__(self) -> None:
        try:
            datetime.fromisoformat(self.epoch)
        except (TypeError, ValueError):
            raise InputError(
                f"The epoch of the time '{self.column}' is {self.epoch!r}; write it as in '{UNIX_EPOCH}'."
            ) from None
        if self.zone is not None and not _ZONE.match(self.zone):
            raise InputError(
                f"The zone of the time '{self.column}' is {self.zone!r}; write 'UTC', '+02:00' or 'Europe/Berlin'."
            )
        if self.step is not None and not (np.isfinite(self.step) and self.step > 0):
            raise InputError(
                f"The step of the time '{self.column}' is {self.step}; it is a positive number of seconds."
            )
