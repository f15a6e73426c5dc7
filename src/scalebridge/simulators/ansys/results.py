"""Results of ANSYS (``.rst``, ``.rth``, ``.rmg``) read without ANSYS.

Our own reader in NumPy: the library that reads them (ansys-mapdl-reader) brings 589 MB of vtk and may end the process
at a damaged file. Ours is compared with it value by value in the tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields import Field, Mesh
from scalebridge.data.readers.opening import opened
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.ansys.cells import cell_blocks
from scalebridge.simulators.ansys.geometry import Geometry, read_geometry
from scalebridge.simulators.ansys.headers import ResultHeader, result_header
from scalebridge.simulators.ansys.records import Records, open_records
from scalebridge.simulators.ansys.solution import Solution, nodal_values, read_solution
from scalebridge.simulators.ansys.tensors import Tensor, averaged_at_nodes
from scalebridge.simulators.ansys.units import UnitSystem, unit_system

_LARGEST = 1 << 40
_VECTORS = {"displacement": (1, 2, 3), "rotation": (4, 5, 6), "magnetic_potential": (7, 8, 9), "velocity": (10, 11, 12)}
_SCALARS = {17: "concentration", 18: "hydrostatic_pressure", 19: "pressure", 20: "temperature", 21: "voltage"}
_SCALARS |= {22: "magnetic_scalar_potential", 25: "electromotive_force", 26: "current"}
# Name -> whether it is a strain, and at the top of shells.
_TENSORS = {
    "stress": (False, False),
    "stress_top": (False, True),
    "elastic_strain": (True, False),
    "elastic_strain_top": (True, True),
}


@dataclass(frozen=True)
class ResultSet:
    """One result set: a load step, a mode, a frequency.

    Args:
        number: from 1, as ANSYS counts them.
        step, substep: of the load.
        value: time, frequency or load factor.
        measure: which of them it is.
        imaginary: the imaginary part of a complex result.
    """

    number: int
    step: int
    substep: int
    value: float
    measure: str
    imaginary: bool = False


@dataclass(frozen=True, eq=False)
class Results:
    """A result file of ANSYS; values are read from it when they are asked for.

    Args:
        path: as given.
        title: of the run.
        release: of the program.
        analysis: ``"static"``, ``"modal"``, ``"harmonic"``, ``"transient"``, ...
        sets: result sets in order.
        mesh: points in ``length_unit``; the point numbers of ANSYS are ``nodes``.
        nodes: ``[p]`` node numbers of the points.
        system: the units that the file states; without a name where it states none.
        notes: sentences about what was assumed or left out.
    """

    path: str
    title: str
    release: str
    analysis: str
    sets: tuple[ResultSet, ...]
    mesh: Mesh
    nodes: NDArray[np.int64]
    system: UnitSystem
    notes: tuple[str, ...] = ()
    _header: ResultHeader = field(repr=False, kw_only=True)
    _geometry: Geometry = field(repr=False, kw_only=True)

    def fields(
        self,
        number: int = -1,
        *,
        names: Sequence[str] | None = None,
        units: Mapping[str, str] | None = None,
    ) -> dict[str, Field]:
        """Fields of one result set.

        Args:
            number: of the set, from 1; -1 for the last.
            names: ``"displacement"``, ``"stress"``, ... ; all where left out.
            units: from name to unit, where the file does not say it; the numbers stay as they are.

        Returns:
            ``displacement`` and other vectors ``[p, 3]`` in global directions, ``temperature`` and other numbers
            ``[p]``, ``stress`` and ``elastic_strain`` ``[p, 6]`` in the order xx, yy, zz, xy, yz, zx (strains as
            components of the tensor, half of ANSYS' shear angles), in global directions, averaged at the corner
            nodes; of shells at their bottom, with ``stress_top`` and ``elastic_strain_top`` at their top. A unit that
            the file does not state and that is not given is ``"1"``.

        Raises:
            InputError: no such set or field, a damaged file.
        """
        chosen = self._set(number)
        records = open_records(self.path)
        solution = read_solution(records, _place_of_set(records, self._header, chosen.number - 1), chosen.number - 1)
        wanted = None if names is None else set(names)
        values: dict[str, Floats] = {}
        if wanted is None or wanted - set(_TENSORS):
            values |= self._at_nodes(records, solution)
        for name in _TENSORS:
            if wanted is None or name in wanted:
                values |= self._tensor(records, solution, name)
        for name in (*(wanted or ()), *(units or ())):
            if name not in values:
                raise InputError(f"'{self.path}' has no field '{name}'{did_you_mean(name, {**values, **_TENSORS})}")
        return {k: self._field(k, v, chosen, units or {}) for k, v in values.items() if not wanted or k in wanted}

    def _set(self, number: int) -> ResultSet:
        if not self.sets:
            raise InputError(f"The results '{self.path}' hold no result set; the run ended before it wrote one.")
        if number == -1:
            return self.sets[-1]
        if not 1 <= number <= len(self.sets):
            raise InputError(f"The results '{self.path}' have the sets 1 to {len(self.sets)}, and none {number}.")
        return self.sets[number - 1]

    def _at_nodes(self, records: Records, solution: Solution) -> dict[str, Floats]:
        stored = _stored_nodes(records, self._header)
        table = nodal_values(records, self._header, self._geometry, solution, stored)
        column = {degree: k for k, degree in enumerate(solution.degrees)}
        values: dict[str, Floats] = {}
        for name, degrees in _VECTORS.items():
            if any(d in column for d in degrees):
                none = np.zeros(len(table))
                values[name] = np.stack([table[:, column[d]] if d in column else none for d in degrees], axis=1)
        vectors = {d for degrees in _VECTORS.values() for d in degrees}
        for degree, k in column.items():
            if degree not in vectors:
                values[_SCALARS.get(degree, f"degree_{degree}")] = table[:, k]
        return values

    def _tensor(self, records: Records, solution: Solution, name: str) -> dict[str, Floats]:
        is_strain, top = _TENSORS[name]
        tensor = Tensor(is_strain, 7 if is_strain else 6 if self._header.short_stress else 11, top)
        found = averaged_at_nodes(records, self._geometry, solution, tensor)
        return {} if found is None else {name: found}

    def _field(self, name: str, values: Floats, chosen: ResultSet, units: Mapping[str, str]) -> Field:
        stated = self.system.of(name)
        unit = units.get(name, stated)
        if stated not in ("1", unit):
            raise InputError(
                f"'{self.path}' states that '{name}' is in '{stated}'; leave '{unit}' out and convert with in_units."
            )
        time = chosen.value if self.analysis == "transient" else None
        said = f"{chosen.measure} {chosen.value:g}" + (", imaginary part" if chosen.imaginary else "")
        return Field(name, unit, values, "points", self.mesh, time, f"set {chosen.number}, {said}")


def read_results(path: str | Path, *, length: str | None = None) -> Results:
    """A result file of ANSYS, read without ANSYS.

    Args:
        path: a ``.rst``, ``.rth`` or ``.rmg`` file.
        length: unit of the coordinates, where the file does not state its units (it does after /UNITS).

    Raises:
        InputError: no such file, another file, a damaged one, a compressed one (/FCOMP with zlib).
        UnitError: ``length`` is no length.
    """
    opened(path, "ANSYS results", largest=_LARGEST)
    records = open_records(path)
    header = result_header(records)
    geometry = read_geometry(records, header)
    system = unit_system(header.units)
    unit, notes = _length(str(path), system, length)
    blocks, _, left_out = cell_blocks(geometry.elements, geometry.nodes)
    nodes = {"nodes": np.arange(len(geometry.nodes))} if len(geometry.nodes) else {}
    mesh = Mesh(geometry.points, blocks, unit, nodes, name=Path(path).name)
    notes += left_out
    if header.distributed:
        notes += ("one of several files of a run in parallel: it holds its own part of the model alone",)
    if header.n_sectors > 1:
        notes += (f"one sector of {header.n_sectors} of a cyclic model",)
    return Results(
        str(path),
        header.title,
        header.release,
        header.analysis,
        _sets(records, header),
        mesh,
        geometry.nodes,
        system,
        notes,
        _header=header,
        _geometry=geometry,
    )


def _length(path: str, system: UnitSystem, given: str | None) -> tuple[str, tuple[str, ...]]:
    if system.name:
        if given not in (None, system.length):
            raise InputError(f"'{path}' states its units ({system.name}, {system.length}); leave length='{given}' out.")
        return system.length, ()
    note = "the file does not state its units (no /UNITS in the run): fields have the unit '1' unless it is given"
    return given or "1", (note,)


def _sets(records: Records, header: ResultHeader) -> tuple[ResultSet, ...]:
    if not header.n_sets:
        return ()
    times = records.reals(header.places["times"], "the times", 2 * header.most_sets + 10)
    steps = records.wholes(header.places["steps"], "the load steps", 3 * header.most_sets + 10)
    if len(times) < header.n_sets or len(steps) < 3 * header.n_sets:
        raise records.damaged(header.places["times"], "the times", f"{len(times)} items for {header.n_sets} sets")
    found = []
    for k in range(header.n_sets):
        value = float(times[k])
        if not np.isfinite(value):
            raise records.damaged(header.places["times"], "the times", f"the value {value}")
        solution = read_solution(records, _place_of_set(records, header, k), k)
        step, substep = int(steps[3 * k]), int(steps[3 * k + 1])
        found.append(ResultSet(k + 1, step, substep, value, header.measure, solution.imaginary))
    return tuple(found)


def _place_of_set(records: Records, header: ResultHeader, k: int) -> int:
    places = records.wholes(header.places["sets"], "the index of result sets", 2 * header.most_sets + 10)
    if len(places) < header.most_sets + k + 1 and len(places) <= k:
        raise records.damaged(header.places["sets"], "the index of result sets", f"{len(places)} items")
    high = int(places[header.most_sets + k]) if len(places) > header.most_sets + k else 0
    return (high << 32) | (int(places[k]) & 0xFFFFFFFF)


def _stored_nodes(records: Records, header: ResultHeader) -> NDArray[np.int64]:
    nodes = records.wholes(header.places["nodes"], "the table of nodes", max(header.n_nodes, 1))
    return nodes
