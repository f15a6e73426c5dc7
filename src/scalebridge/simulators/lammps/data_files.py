"""Data files of LAMMPS: atoms, box, bonds and coefficients as ``read_data`` takes and ``write_data`` gives them.

Source: LAMMPS documentation, command ``read_data``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.dataset import Dataset
from scalebridge.data.frames import Frame
from scalebridge.data.source import Source
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats, Space
from scalebridge.simulators.lammps.boxes import Box
from scalebridge.simulators.lammps.data_sections import ATOM_STYLES, TOPOLOGY, WHOLE, parse_data
from scalebridge.simulators.lammps.snapshots import COLUMN_KINDS
from scalebridge.simulators.lammps.text_files import lines_of, opened_text
from scalebridge.simulators.lammps.thermo import columns_space
from scalebridge.simulators.lammps.unit_styles import checked_style, unit_of

_VELOCITIES = ("vx", "vy", "vz")


@dataclass(frozen=True, eq=False)
class DataFile:
    """What a data file holds.

    Attributes:
        path: of the file.
        title: its first line.
        box: of the simulation.
        names: columns of the atoms, such as ``id type x y z ix iy iz``.
        atoms: ``[n, k]``, in the order of their ids.
        atom_style: of LAMMPS, such as ``"full"``.
        units: style of units, where the title tells it.
        step: time step, where the title tells it.
        masses: by type of atom.
        velocities: ``[n, 3]`` in the order of the atoms; ``None`` where the file has none.
        turning: ``[n, m]``, what follows the velocities: angular velocities of spheres, angular momenta of ellipsoids
            and triangles, radial velocities of electrons; ``None`` where nothing does.
        topology: per section (``"Bonds"``, ``"Angles"``, ...) ``[m, 2 + a]``: id, type and the ids of the atoms.
        coefficients: per section (``"Pair Coeffs"``, ...) the words of each line.
        types: labels of types by kind (``"Atom"``, ``"Bond"``, ...), where the file has them: label to number.
        other: sections that are known and not read, by name the number of lines.
    """

    path: str
    title: str
    box: Box
    names: tuple[str, ...]
    atoms: NDArray[np.float64]
    atom_style: str
    units: str | None = None
    step: int | None = None
    masses: Mapping[int, float] = field(default_factory=dict)
    velocities: Floats | None = None
    turning: Floats | None = None
    topology: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    coefficients: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    types: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    other: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.atoms)

    def __getitem__(self, column: str) -> Floats:
        """A column of the atoms ``[n]``.

        Raises:
            InputError: no such column.
        """
        if column not in self.names:
            raise InputError(f"The data file '{self.path}' has no column '{column}'{did_you_mean(column, self.names)}")
        return np.asarray(self.atoms[:, self.names.index(column)])

    def positions(self, *, unwrapped: bool = False) -> Floats:
        """Places ``[n, 3]``; unwrapped by the images where the file has them.

        Raises:
            InputError: unwrapped without images.
        """
        places = np.column_stack([self[axis] for axis in "xyz"])
        if not unwrapped:
            return places
        images = np.column_stack([self[f"i{axis}"] for axis in "xyz"])
        return np.asarray(places + self.box.from_scaled(images) - self.box.origin)

    def dataset(self, units: Mapping[str, str] | None = None) -> Dataset:
        """The atoms as a `Dataset` of points, with velocities; its edges are the bonds.

        Args:
            units: of columns that the style of units does not tell.

        Raises:
            InputError, UnitError: a unit for a column that is not there, or that is not known.
        """
        names, columns = self.names, {name: self.atoms[:, k] for k, name in enumerate(self.names)}
        if self.velocities is not None:
            names = (*names, *_VELOCITIES)
            columns |= dict(zip(_VELOCITIES, self.velocities.T, strict=True))
        owner = f"The data file '{self.path}'"
        kinds = [COLUMN_KINDS.get(name, "density" if name == "density" else None) for name in names]
        space, unstated = columns_space(names, kinds, self.units, units, owner)
        frame = Frame(("x", "y", "z"), "simulation", unit_of("length", self.units) or "1")
        source = Source(reader="LAMMPS data", options={"units": self.units}, unstated=unstated)
        return Dataset(space, columns, Path(self.path).name, coordinates=frame, edges=self._bonds(), source=source)

    def _bonds(self) -> Dataset | None:
        bonds = self.topology.get("Bonds")
        if bonds is None or not len(bonds):
            return None
        rows = np.searchsorted(self["id"], bonds[:, 2:4])
        columns: dict[str, Any] = {"source": rows[:, 0], "target": rows[:, 1], "type": bonds[:, 1]}
        return Dataset(Space(dict.fromkeys(columns, "1")), columns, "bonds")


def read_data(path: str | os.PathLike[str], *, atom_style: str | None = None, units: str | None = None) -> DataFile:
    """Read a data file, plain or packed.

    Args:
        path: of the file.
        atom_style: where the section Atoms does not say it (``Atoms # full``).
        units: style of units, where the title does not say it.

    Raises:
        InputError: no such file, a style that is not known, sections that do not hold what the header announces.
    """
    shown = os.fspath(path)
    owner = f"The data file '{shown}'"
    checked_style(units, owner)
    if atom_style is not None and atom_style not in ATOM_STYLES:
        raise InputError(
            f"{owner} is said to have atoms of the style '{atom_style}'{did_you_mean(atom_style, ATOM_STYLES)}"
        )
    with opened_text(shown, "data file") as stream:
        made = parse_data(lines_of(stream, owner), owner, atom_style)
    return DataFile(
        path=shown,
        title=made.title,
        box=made.box(owner),
        names=made.names,
        atoms=made.atoms,
        atom_style=made.atom_style,
        units=made.units or units,
        step=made.step,
        masses=made.masses,
        velocities=made.velocities,
        turning=made.turning,
        topology=made.topology,
        coefficients=made.coefficients,
        types=made.types,
        other=made.other,
    )


def write_data(data: DataFile, path: str | os.PathLike[str]) -> None:
    """Write a data file that LAMMPS reads: box, types, atoms, velocities, topology and coefficients, all digits.

    Sections named in ``data.other`` and boxes of general form are not written.

    Raises:
        InputError: a box that ``read_data`` takes only with vectors.
    """
    edges = data.box.edges
    if edges[0, 1] or edges[0, 2] or edges[1, 2]:
        raise InputError(f"The box of '{data.path}' is of general form, which is not written; turn it along x first.")
    lines = [data.title.split("\n")[0] or "LAMMPS data file", "", f"{len(data)} atoms"]
    lines += [f"{len(rows)} {section.lower()}" for section, rows in data.topology.items()]
    lines += [f"{n} {kind} types" for kind, n in _numbers_of_types(data).items()]
    low, high = data.box.origin, data.box.origin + np.diag(edges)
    lines += ["", *(f"{float(low[k])!r} {float(high[k])!r} {axis}lo {axis}hi" for k, axis in enumerate("xyz"))]
    if not data.box.orthogonal:
        lines.append(" ".join(repr(float(v)) for v in (edges[1, 0], edges[2, 0], edges[2, 1])) + " xy xz yz")
    for kind, labels in data.types.items():
        lines += ["", f"{kind} Type Labels", "", *(f"{number} {label}" for label, number in labels.items())]
    if data.masses:
        lines += ["", "Masses", "", *(f"{kind} {mass!r}" for kind, mass in data.masses.items())]
    for section, rows in data.coefficients.items():
        lines += ["", section, "", *(" ".join(words) for words in rows)]
    lines += ["", f"Atoms # {data.atom_style}", "", *(_row(row, data.names) for row in data.atoms)]
    if data.velocities is not None:
        moving = [data["id"][:, None], data.velocities, *([] if data.turning is None else [data.turning])]
        lines += ["", "Velocities", "", *(_row(row, ("id",)) for row in np.hstack(moving))]
    for section, bonds in data.topology.items():
        lines += ["", section, "", *(" ".join(map(str, row)) for row in bonds.tolist())]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _numbers_of_types(data: DataFile) -> dict[str, int]:
    """How many types there are of atoms, bonds, ...: also of those with a mass, a label or a coefficient alone."""
    found: dict[str, list[int]] = {"atom": [*data["type"].astype(int), *data.masses]}
    for section, rows in data.topology.items():
        found[TOPOLOGY[section][0]] = rows[:, 1].tolist()
    for kind, labels in data.types.items():
        found.setdefault(kind.lower(), []).extend(labels.values())
    for section, lines in data.coefficients.items():
        kind = section.removesuffix(" Coeffs").lower().replace("pair", "atom")
        if kind in ("atom", *(word for word, _ in TOPOLOGY.values())):
            numbers = [int(words[0]) for words in lines if words[:1] and words[0].isdigit()]
            found.setdefault(kind, []).extend(numbers)
    return {kind: max(numbers, default=0) for kind, numbers in found.items()}


def _row(values: NDArray[np.float64], names: tuple[str, ...]) -> str:
    """Numbers as text; those under no name are not whole."""
    named = zip_longest(values, names)
    return " ".join(str(int(v)) if name in WHOLE else repr(float(v)) for v, name in named)
