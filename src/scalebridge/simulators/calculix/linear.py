"""One linear static analysis in CalculiX: what a body does about stresses that are out of balance.

Every cell has its own stiffness (``*ELASTIC, TYPE=ANISO``) and every integration point its own stress
(``*INITIAL CONDITIONS, TYPE=STRESS``): the table by which a law of ours enters a CalculiX without user routines.
CalculiX integrates the stresses, assembles, solves, and prints displacements, strains at its own integration points
and reactions. Printed numbers have seven digits; as only *changes* are asked for, each analysis corrects what the
one before lost.

The decks count lengths from the body's corner in a unit near its size, and are one such unit thick: CalculiX takes an
element whose Jacobian is below 1e-20 for an inverted one, as one of a micrometre in metres would be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from scalebridge.errors import InfrastructureError, InputError
from scalebridge.quantities import Floats
from scalebridge.simulators.calculix import deck
from scalebridge.simulators.calculix.dat import Table, find, read_dat
from scalebridge.simulators.calculix.plane import Ints, PlaneMesh, printed_states
from scalebridge.simulators.calculix.running import Ccx

ROOT_2 = float(np.sqrt(2.0))
_HUGE = 1e60
_MESH, _JOB = "mesh.inp", "step"


class AnalysisFailed(Exception):
    """An analysis that gave no result; the text is the reason."""


@dataclass(frozen=True, eq=False)
class Change:
    """What one linear analysis gave.

    Args:
        u: ``[n, 2]``, displacements.
        strain: ``[e, q, 3]``, Mandel.
        reaction: ``[n, 2]``, forces of the supports and of the loads on the body.
    """

    u: Floats
    strain: Floats
    reaction: Floats


@dataclass(frozen=True, eq=False)
class LinearBody:
    """A plane body in CalculiX, in a folder of its own.

    Args:
        mesh: its elements.
        fixed: numbers ``2 * point + direction`` of prescribed displacements.
        printed: ``[e, q, layers]``: which printed points of a cell are at each state, from `asked_points`.
        ccx: the solver.
        folder: where decks and results are written.
    """

    mesh: PlaneMesh
    fixed: Ints
    printed: Ints
    ccx: Ccx
    folder: Path
    log: list[float] = field(default_factory=list)

    @property
    def n_analyses(self) -> int:
        """How often CalculiX was run for this body."""
        return len(self.log)

    @cached_property
    def _length(self) -> float:
        """The decks' unit of length in m; a power of two, so that no digit is lost."""
        return float(2.0 ** np.round(np.log2(np.ptp(self.mesh.points, axis=0).max())))

    @property
    def _corner(self) -> Floats:
        """Where the decks' coordinates begin ``[2]``, m."""
        return np.asarray(self.mesh.points.min(0))

    @property
    def _force(self) -> float:
        """The decks' unit of force in N, where stresses are in Pa."""
        return self._length * self.mesh.thickness

    @classmethod
    def asked(cls, mesh: PlaneMesh, fixed: Ints, ccx: Ccx, folder: Path) -> LinearBody:
        """Return a body after asking CalculiX where its integration points are.

        Raises:
            AnalysisFailed: it did not say.
            InputError: they are not where the states are.
        """
        # Cell by cell: in a body with small cells seven digits do not tell their points apart.
        apart, alone = mesh.apart(), folder / "points"
        alone.mkdir()
        everywhere = np.arange(apart.points.size, dtype=np.int64)
        body = cls(apart, everywhere, np.zeros((0, 0, 0), dtype=np.int64), ccx, alone)
        unit = np.broadcast_to(np.eye(3), (len(mesh.cells), 3, 3))
        step = body._step(np.zeros_like(apart.points), np.zeros(apart.points.size), "U", "COORD")
        body._write(_JOB, [*body._model(unit), *body._support(), *step])
        body._run(_JOB)
        places = body._per_cell(body._printed(_JOB), "global coordinates")[:, :, :2] * body._length + body._corner
        return cls(mesh, fixed, printed_states(apart, places), ccx, folder)

    def change(self, tangent: Floats, stress: Floats, load: Floats, prescribed: Floats) -> Change:
        """Solve ``K u = F - F_int(stress)``.

        Args:
            tangent: ``[e, 3, 3]``, stiffness of each cell (Mandel, symmetric, Pa).
            stress: ``[e, q, 3]``, present stresses (Mandel, Pa).
            load: ``[n, 2]``, nodal forces in N.
            prescribed: ``[n_fixed]``, displacements of the fixed directions in m.

        Raises:
            AnalysisFailed: CalculiX gave no result; in its words.
        """
        step = self._step(load, prescribed, "U, RF", "E")
        self._write(_JOB, [*self._model(tangent), *self._stresses(stress), *self._support(), *step])
        self._run(_JOB)
        return self._read()

    def strains(self, u: Floats, about: Floats) -> Floats:
        """The strains ``[e, q, 3]`` (Mandel) of a field ``u [n, 2]`` beyond the digits that CalculiX prints.

        With every displacement prescribed, unit stiffness and the initial stress ``-about`` the printed stress is the
        strain less ``about [e, q, 3]``, an estimate of it.

        Raises:
            AnalysisFailed: CalculiX gave no result; in its words.
        """
        everywhere = replace(self, fixed=np.arange(u.size, dtype=np.int64))
        unit = np.broadcast_to(np.eye(3), (len(self.mesh.cells), 3, 3))
        step = everywhere._step(np.zeros_like(u), u.ravel(), "U", "S")
        self._write(_JOB, [*self._model(unit), *self._stresses(-about), *everywhere._support(), *step])
        self._run(_JOB)
        return about + self._states_of(self._per_cell(self._printed(_JOB), "stresses"))

    def stiffness(self, tangent: Floats) -> tuple[Floats, Ints, Ints]:
        """CalculiX's stiffness of the free directions: ``(values, rows, columns)`` of one triangle.

        Raises:
            AnalysisFailed: CalculiX gave none.
        """
        job = "stiffness"
        step = ["*STEP", "*FREQUENCY, SOLVER=MATRIXSTORAGE", "*END STEP"]
        self._write(job, [*self._model(tangent), *self._support(), *step])
        self._run(job)
        try:
            entries = np.loadtxt(self.folder / f"{job}.sti", ndmin=2)
            return entries[:, 2], entries[:, 0].astype(np.int64) - 1, entries[:, 1].astype(np.int64) - 1
        except (OSError, ValueError, IndexError) as error:
            raise AnalysisFailed("CalculiX wrote no stiffness matrix") from error

    def _mesh_lines(self) -> Iterator[str]:
        yield f"** lengths in {self._length} m, stresses in Pa, forces in {self._force} N"
        yield from deck.nodes((self.mesh.points - self._corner) / self._length)
        yield from deck.elements(self.mesh.element.name, self.mesh.cells)

    def _model(self, tangent: Floats) -> Iterator[str]:
        """The mesh, and a material for each distinct stiffness."""
        yield f"*INCLUDE, INPUT={_MESH}"
        flat, inverse = np.unique(tangent.reshape(len(tangent), 9), axis=0, return_inverse=True)
        cells = np.split(np.argsort(inverse.ravel(), kind="stable"), np.cumsum(np.bincount(inverse.ravel()))[:-1])
        for row, (matrix, members) in enumerate(zip(flat.reshape(-1, 3, 3), cells, strict=True)):
            yield from deck.members("ELSET", f"C{row}", (members + 1).tolist())
            yield f"*MATERIAL, NAME=M{row}"
            yield "*DENSITY"
            yield "1."
            yield from deck.anisotropic(constants(matrix))
            yield f"*SOLID SECTION, ELSET=C{row}, MATERIAL=M{row}"
            yield "1."

    def _stresses(self, stress: Floats) -> Iterator[str]:
        printed = np.take_along_axis(stress, self._state_of_printed[..., None], axis=1)
        return deck.initial_stresses(printed / np.array([1.0, 1.0, ROOT_2]))

    @cached_property
    def _state_of_printed(self) -> Ints:
        """The state at each printed point ``[e, printed]``."""
        n_cells, n_states, n_layers = self.printed.shape
        states = np.empty((n_cells, n_states * n_layers), dtype=np.int64)
        numbers = np.repeat(np.arange(n_states), n_layers)[None].repeat(n_cells, axis=0)
        np.put_along_axis(states, self.printed.reshape(n_cells, -1), numbers, axis=1)
        return states

    def _support(self) -> Iterator[str]:
        yield "*BOUNDARY"
        for dof in self.fixed.tolist():
            yield f"{dof // 2 + 1},{dof % 2 + 1},{dof % 2 + 1}"

    def _step(self, load: Floats, prescribed: Floats, printed: str, states: str) -> Iterator[str]:
        prescribed, load = prescribed / self._length, load / self._force
        yield from ("*STEP", "*STATIC")
        moved = np.flatnonzero(prescribed)
        if len(moved):
            yield "*BOUNDARY"
            for dof, value in zip(self.fixed[moved].tolist(), prescribed[moved].tolist(), strict=True):
                yield f"{dof // 2 + 1},{dof % 2 + 1},{dof % 2 + 1},{deck.number(value)}"
        loaded = np.argwhere(load != 0)
        if len(loaded):
            yield "*CLOAD"
            for point, axis in loaded.tolist():
                yield f"{point + 1},{axis + 1},{deck.number(load[point, axis])}"
        yield from ("*NODE PRINT, NSET=ALL_NODES", printed, "*EL PRINT, ELSET=ALL_ELEMENTS", states, "*END STEP")

    def _write(self, job: str, rows: list[str]) -> None:
        try:
            # Results of an earlier analysis must not be taken for those of this one.
            for suffix in ("dat", "sti"):
                (self.folder / f"{job}.{suffix}").unlink(missing_ok=True)
            (self.folder / f"{job}.inp").write_text("\n".join([*rows, ""]), encoding="ascii")
            if not (self.folder / _MESH).exists():
                (self.folder / _MESH).write_text("\n".join([*self._mesh_lines(), ""]), encoding="ascii")
        except OSError as error:
            raise InfrastructureError(
                f"The deck of a CalculiX analysis cannot be written to '{self.folder}' ({error.strerror})."
            ) from error

    def _run(self, job: str) -> None:
        ended = self.ccx.run(self.folder, job)
        self.log.append(ended.seconds)
        if ended.status != "ok":
            raise AnalysisFailed(ended.reason)

    def _read(self) -> Change:
        tables = self._printed(_JOB)
        strain = self._states_of(self._per_cell(tables, "strains"))
        u, reaction = (self._per_node(tables, quantity) for quantity in ("displacements", "forces"))
        return Change(u * self._length, strain, reaction * self._force)

    def _states_of(self, printed: Floats) -> Floats:
        """Printed tensors ``[e, printed, 6]`` as Mandel components at the states ``[e, q, 3]``."""
        mandel = printed[:, :, [0, 1, 3]] * np.array([1.0, 1.0, ROOT_2])
        # The layers agree; their mean is the state.
        chosen = np.take_along_axis(mandel[:, None], self.printed[..., None], axis=2)
        return np.asarray(chosen.mean(2))

    def _printed(self, job: str) -> tuple[Table, ...]:
        try:
            return read_dat(self.folder / f"{job}.dat")
        except InputError as error:
            raise AnalysisFailed(str(error)) from error

    def _per_cell(self, tables: tuple[Table, ...], quantity: str) -> Floats:
        """A printed table as ``[e, printed, columns]``."""
        table, shape = _found(tables, quantity), (len(self.mesh.cells), self.mesh.n_printed)
        values = np.full((*shape, table.values.shape[1]), np.nan)
        cells, points = table.ids - 1, (table.ids if table.points is None else table.points) - 1
        if len(cells) != shape[0] * shape[1] or cells.max() >= shape[0] or points.max() >= shape[1]:
            raise AnalysisFailed(f"CalculiX printed {len(cells)} rows of {quantity}, not {shape[0] * shape[1]}")
        values[cells, points] = table.values
        return _finite(values, quantity)

    def _per_node(self, tables: tuple[Table, ...], quantity: str) -> Floats:
        table = _found(tables, quantity)
        # A node of no element is not printed.
        values = np.zeros((len(self.mesh.points), 2))
        values[table.ids - 1] = table.values[:, :2]
        return _finite(values, quantity)


def _found(tables: tuple[Table, ...], quantity: str) -> Table:
    try:
        return find(tables, quantity)
    except InputError as error:
        raise AnalysisFailed(str(error)) from error


def _finite(values: Floats, quantity: str) -> Floats:
    # A singular stiffness gives huge numbers as often as none.
    if not (np.abs(values) < _HUGE).all():
        raise AnalysisFailed(f"CalculiX printed {quantity} that are no numbers: the stiffness is singular")
    return values


def constants(matrix: Floats) -> list[float]:
    """Return CalculiX's 21 constants of a plane-strain stiffness ``[3, 3]`` (Mandel).

    Out of the plane nothing moves; there the constants only have to be positive.
    """
    c = matrix.tolist()
    normal = float(np.trace(np.abs(matrix))) / 3 or 1.0
    # D1111, D1122, D2222, D1133, D2233, D3333, D1112, D2212, D3312, D1212, and the rest.
    plane = [c[0][0], c[0][1], c[1][1], 0.0, 0.0, normal, c[0][2] / ROOT_2, c[1][2] / ROOT_2, 0.0, c[2][2] / 2]
    return [*plane, 0.0, 0.0, 0.0, 0.0, normal, 0.0, 0.0, 0.0, 0.0, 0.0, normal]
