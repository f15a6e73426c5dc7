"""One frame of a dump: what it says of every atom (or bond, or grid cell), and where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.dataset import Dataset
from scalebridge.data.frames import Frame
from scalebridge.data.source import Source
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.simulators.lammps.boxes import Box
from scalebridge.simulators.lammps.thermo import columns_space
from scalebridge.simulators.lammps.unit_styles import unit_of

_KINDS = {
    "1": (
        "id mol proc procp1 type ix iy iz xs ys zs xsu ysu zsu index i_flag quatw quati quatj quatk c_pid "
        "batom1 batom2 batom3 btype"
    ),
    "mass": "mass",
    "length": "x y z xu yu zu radius diameter",
    "velocity": "vx vy vz",
    "force": "fx fy fz",
    "charge": "q",
    "dipole": "mux muy muz mu",
    "torque": "tqx tqy tqz",
    "time^-1": "omegax omegay omegaz",
}
COLUMN_KINDS: Mapping[str, str] = {word: kind for kind, words in _KINDS.items() for word in words.split()}


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A frame of a dump.

    Attributes:
        step: time step.
        box: of the simulation.
        names: columns of numbers.
        values: ``[n, k]``, one row per atom, in the order of their ids where they have one.
        texts: columns of text, such as ``element``, ``[n]`` each.
        kind: what a row is: ``"ATOMS"``, ``"ENTRIES"`` of a local dump, ``"GRID CELLS"``, or the label given.
        time: in the style's unit of time, where the dump says it.
        units: the style of LAMMPS' units, where the dump says it.
        owner: what messages call it.
    """

    step: int
    box: Box
    names: tuple[str, ...]
    values: NDArray[np.float64]
    texts: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    kind: str = "ATOMS"
    time: float | None = None
    units: str | None = None
    owner: str = "The dump"

    def __len__(self) -> int:
        return len(self.values)

    def __contains__(self, column: object) -> bool:
        return column in self.names or column in self.texts

    def __getitem__(self, column: str) -> NDArray[Any]:
        """A column ``[n]``, numbers or text.

        Raises:
            InputError: no such column.
        """
        if column in self.texts:
            return self.texts[column]
        if column not in self.names:
            raise InputError(f"{self.owner} has no column '{column}'{did_you_mean(column, (*self.names, *self.texts))}")
        return np.asarray(self.values[:, self.names.index(column)])

    def sorted(self) -> Snapshot:
        """The same frame with its rows in the order of their ids; itself where it has none or is in order."""
        if "id" not in self.names:
            return self
        order = np.argsort(self["id"], kind="stable")
        if np.array_equal(order, np.arange(len(order))):
            return self
        return replace(self, values=self.values[order], texts={k: v[order] for k, v in self.texts.items()})

    def positions(self, *, unwrapped: bool = False) -> Floats:
        """Places ``[n, 3]`` from whichever coordinates the dump has: x, xs, xu, xsu, with images ix where needed.

        Args:
            unwrapped: as if no atom had ever been put back into the box; else within the box.

        Raises:
            InputError: coordinates that are missing, or that do not tell how often an atom crossed the box.
        """
        inside, through = self._triple("xyz"), self._triple("xyz", "u")
        if inside is None and (scaled := self._triple("xyz", "s")) is not None:
            inside = self.box.from_scaled(scaled)
        if through is None and (scaled := self._triple("xyz", "su")) is not None:
            through = self.box.from_scaled(scaled)
        if through is None and inside is not None and (images := self._triple(("ix", "iy", "iz"))) is not None:
            through = np.asarray(inside + self.box.from_scaled(images) - self.box.origin)
        if inside is None and through is not None:
            inside = self.box.wrapped(through)
        found = through if unwrapped else inside
        if found is None and unwrapped and inside is not None:
            raise InputError(
                f"{self.owner} has places within the box only; dump xu yu zu, or ix iy iz as well, to unwrap them."
            )
        if found is None:
            raise InputError(
                f"{self.owner} has the columns {', '.join(self.names)} and no three coordinates of a kind; dump x y z."
            )
        return found

    def dataset(self, units: Mapping[str, str] | None = None) -> Dataset:
        """The rows as a `Dataset` of points: all columns, and ``x``, ``y``, ``z`` with their coordinate frame.

        Args:
            units: of columns whose unit the dump does not tell, such as ``{"c_pe": "kcal/mol"}``.

        Raises:
            InputError, UnitError: a unit for a column that is not there, or that is not known.
        """
        kinds = tuple(COLUMN_KINDS.get(name) for name in self.names)
        space, unstated = columns_space(self.names, kinds, self.units, units, self.owner)
        columns: dict[str, Any] = {name: self.values[:, k] for k, name in enumerate(space.names)}
        columns.update(self.texts)
        variables = [*space, *(Variable(name, kind="category") for name in self.texts)]
        length = unit_of("length", self.units) or "1"
        frame = None
        if any(name in self for name in ("x", "xs", "xu", "xsu")):
            places = self.positions()
            variables = [v for v in variables if v.name not in ("x", "y", "z")]
            columns.update(zip("xyz", places.T, strict=True))
            variables += [Variable(axis, length) for axis in "xyz"]
            frame = Frame(("x", "y", "z"), "simulation", length)
        name = f"{self.owner.removeprefix('The ')}, step {self.step}".replace("'", "")
        source = Source(reader="LAMMPS dump", options={"step": self.step, "units": self.units}, unstated=unstated)
        return Dataset(Space(variables), columns, name, coordinates=frame, source=source)

    def _triple(self, axes: str | tuple[str, ...], ending: str = "") -> Floats | None:
        wanted = [f"{axis}{ending}" for axis in axes]
        if not all(name in self.names for name in wanted):
            return None
        return np.asarray(self.values[:, [self.names.index(name) for name in wanted]])
