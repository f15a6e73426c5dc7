"""A case: a template folder, what is changed in it, and the programs that are run on it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from scalebridge.errors import InputError
from scalebridge.models.function import described
from scalebridge.models.program import Limits
from scalebridge.simulators.openfoam.dictionaries import dictionary
from scalebridge.simulators.openfoam.places import place_of, put
from scalebridge.simulators.openfoam.running import CaseRun, Step, run_steps

# What an earlier run left in a template is no part of it.
_LEFT_BEHIND = re.compile(r"processor\d+|processors\d+|postProcessing|VTK|dynamicCode|log\..*|.*\.foam|\..*")
_TIME = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?")
_MESH_FILES = ("blockMeshDict", "snappyHexMeshDict", "meshDict")
_APPLICATION = re.compile(r"^\s*application\s+([\w./+-]+)\s*;", re.MULTILINE)

Program = str | Sequence[str]


@dataclass(frozen=True)
class Case:
    """An OpenFOAM case as a recipe: nothing is run in the template itself.

    Args:
        template: folder with ``system``, ``constant`` and ``0`` (or ``0.orig``), or a mapping from file names to texts.
        settings: place -> value that differs from the template: a number, a text with a unit such as ``"2 mm/s"``, an
            array, a switch, or a word (``{"constant/transportProperties:transportModel": "Newtonian"}``).
        mesh: programs that make the mesh, such as ``("blockMesh",)`` or ``(("snappyHexMesh", "-overwrite"),)``; empty
            for a ``polyMesh`` that is there. None: ``blockMesh`` where there is a ``blockMeshDict`` and no mesh.
        solver: the solver; None: the ``application`` of ``system/controlDict``.
        after: programs that follow it, on the whole case.
        processors: MPI ranks of the solver; above 1 the case is decomposed and reconstructed: into slabs along x, or
            by its own ``decomposeParDict``, in which only ``numberOfSubdomains`` is changed (an ``n`` of its method
            must fit it).
        tolerances: residual wanted of each field (``{"U": 1e-6, "p": 1e-5}``); None: the solver must say that it
            converged, and one that looks for no convergence although it is steady is not believed.
        limits: of all programs together (time) and of each (memory, size of files).

    Raises:
        InputError: a template that is none, a place or a program that cannot be read.
    """

    template: str | os.PathLike[str] | Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    mesh: Sequence[Program] | None = None
    solver: Program | None = None
    after: Sequence[Program] = ()
    processors: int = 1
    tolerances: Mapping[str, float] | None = None
    limits: Limits = field(default_factory=lambda: Limits(timeout=3600.0))

    def __post_init__(self) -> None:
        if not isinstance(self.template, Mapping):
            object.__setattr__(self, "template", Path(self.template).expanduser().absolute())
        if "system/controlDict" not in dict(self._files()):
            where = "The files given" if isinstance(self.template, Mapping) else f"The folder '{self.template}'"
            raise InputError(f"{where} are no OpenFOAM case: there is no 'system/controlDict'; name the case's folder.")
        if isinstance(self.processors, bool) or not isinstance(self.processors, int) or self.processors < 1:
            raise InputError(f"The case was given processors = {self.processors!r}; give a whole number of at least 1.")
        for name, limit in (self.tolerances or {}).items():
            if not (isinstance(limit, int | float) and 0 < float(limit) < 1):
                raise InputError(
                    f"The tolerance of '{name}' is {limit!r}; a residual lies between 0 and 1, as in 1e-6."
                )
        _ = self.steps
        for place in self.settings:
            self.check_place(place)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The programs of a run, in order."""
        return (*self.mesh_steps, *self.flow_steps)

    @cached_property
    def mesh_steps(self) -> tuple[Step, ...]:
        """The programs that make the mesh."""
        return _mesh_steps(self, dict(self._files()))

    @cached_property
    def flow_steps(self) -> tuple[Step, ...]:
        """The solver and what goes with it, once there is a mesh."""
        return _flow_steps(self, dict(self._files()))

    def check_place(self, text: str) -> None:
        """Refuse a place where a value would change nothing.

        Raises:
            InputError: it is no place; it is in ``0.orig``, or in a description of a mesh that is not made again.
        """
        place = place_of(text)
        if place.file.startswith("0.orig/"):
            raise InputError(
                f"The place '{text}' is in 0.orig, which is copied to 0 before values are put; write "
                f"'0/{text.removeprefix('0.orig/')}'."
            )
        if PurePosixPath(place.file).name in _MESH_FILES and not self.mesh_steps:
            raise InputError(
                f"The place '{text}' is of a mesh that is made already (constant/polyMesh), so a value there would "
                'change nothing; give the programs that make it again, as in mesh=("blockMesh",).'
            )

    def prepare(self, folder: Path, values: Mapping[str, tuple[Any, str | None]] | None = None) -> None:
        """Copy the template into a folder and write what differs from it.

        Args:
            folder: empty.
            values: place -> value and unit (``None``: written as it is), beside ``settings``.

        Raises:
            InputError: a value cannot be placed.
        """
        for name, content in self._files():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, target)
            else:
                target.write_text(content)
        if not (folder / "0").exists() and (folder / "0.orig").is_dir():
            shutil.copytree(folder / "0.orig", folder / "0")
        for place, value in self.settings.items():
            put(folder, place_of(place), *_setting(value), "A setting of the case")
        for place, (value, unit) in (values or {}).items():
            put(folder, place_of(place), value, unit, "A value")
        if self.processors > 1:
            self._prepare_decomposition(folder)

    def run(self, folder: Path, steps: Sequence[Step] | None = None) -> CaseRun:
        """Run the programs in a prepared folder; a failure is a status with a reason.

        Raises:
            InputError: OpenFOAM or a program is missing.
        """
        return run_steps(folder, self.steps if steps is None else steps, tolerances=self.tolerances, limits=self.limits)

    def digest(self) -> str:
        """SHA-256 of what a run depends on: the template's files, the settings, the programs and tolerances."""
        sha = hashlib.sha256()
        for name, content in self._files():
            data = content.read_bytes() if isinstance(content, Path) else content.encode()
            sha.update(f"{name}\0{len(data)}\0".encode())
            sha.update(data)
        settings = {place: self.settings[place] for place in sorted(self.settings)}
        sha.update(described([self.steps, settings, sorted((self.tolerances or {}).items())]).encode())
        return sha.hexdigest()

    def _files(self) -> Iterator[tuple[str, Path | str]]:
        """Relative name and content of every file of the template, sorted."""
        if isinstance(self.template, Mapping):
            for name in sorted(self.template):
                path = PurePosixPath(name)
                if path.is_absolute() or ".." in path.parts:
                    raise InputError(f"The file '{name}' of the case lies outside of it; name files below the case.")
                yield name, self.template[name]
            return
        root = Path(self.template)
        if not root.is_dir():
            raise InputError(f"The case '{root}' is no folder; name the folder that holds 'system' and 'constant'.")
        yield from _below(root)

    def _prepare_decomposition(self, folder: Path) -> None:
        name = "system/decomposeParDict"
        if (folder / name).is_file():
            put(folder, place_of(f"{name}:numberOfSubdomains"), self.processors, None, "The number of processors")
        else:
            (folder / name).write_text(dictionary("decomposeParDict", _slabs(self.processors)))


def _below(root: Path) -> Iterator[tuple[str, Path]]:
    for top in sorted(root.iterdir()):
        earlier = _TIME.fullmatch(top.name) is not None and float(top.name) != 0.0
        if earlier or _LEFT_BEHIND.fullmatch(top.name):
            continue
        if top.is_file():
            yield top.name, top
        for path in _within(top) if top.is_dir() else ():
            yield path.relative_to(root).as_posix(), path


def _within(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """The files below a folder and below those that are linked in it; a link back to one above leads nowhere."""
    real = folder.resolve()
    for path in sorted(folder.iterdir()) if real not in above else ():
        if path.is_dir():
            yield from _within(path, (*above, real))
        elif path.is_file():
            yield path


def _slabs(count: int) -> dict[str, Any]:
    # In every release; the better methods are libraries that a package may lack (Debian's has no scotch).
    return {"numberOfSubdomains": count, "method": "simple", "simpleCoeffs": {"n": [count, 1, 1], "delta": 0.001}}


def _setting(value: Any) -> tuple[Any, str | None]:
    """A setting as value and unit: ``"2 mm/s"`` is a number with a unit, ``"Newtonian"`` a word."""
    if not isinstance(value, str):
        return value, None
    number, _, unit = value.strip().partition(" ")
    try:
        return float(number), unit.strip() or None
    except ValueError:
        return value, None


def _mesh_steps(case: Case, files: Mapping[str, Path | str]) -> tuple[Step, ...]:
    if case.mesh is not None:
        return tuple(Step(_argv(program)) for program in case.mesh)
    names = {name.removesuffix(".gz") for name in files}
    if "constant/polyMesh/points" in names:
        return ()
    if not names.isdisjoint(("system/blockMeshDict", "constant/polyMesh/blockMeshDict")):
        return (Step(("blockMesh",)),)
    raise InputError(
        "The case has neither a mesh (constant/polyMesh) nor a blockMeshDict; name the programs that make one, as in "
        'mesh=("blockMesh", ("snappyHexMesh", "-overwrite")).'
    )


def _flow_steps(case: Case, files: Mapping[str, Path | str]) -> tuple[Step, ...]:
    solver = Step(_argv(_application(files) if case.solver is None else case.solver), True, case.processors)
    after = [Step(_argv(program)) for program in case.after]
    if case.processors == 1:
        return (solver, *after)
    return (Step(("decomposePar", "-force")), solver, Step(("reconstructPar", "-latestTime")), *after)


def _argv(program: Program) -> tuple[str, ...]:
    words = (program,) if isinstance(program, str) else tuple(program)
    if not words or not all(isinstance(word, str) and word for word in words) or " " in words[0]:
        raise InputError(
            f"The program {program!r} of the case is no name and no list of arguments; write 'checkMesh' or "
            "('snappyHexMesh', '-overwrite')."
        )
    return words


def _application(files: Mapping[str, Path | str]) -> str:
    content = files["system/controlDict"]
    text = content.read_text(errors="replace") if isinstance(content, Path) else content
    found = _APPLICATION.search(text)
    if found is None:
        raise InputError(
            "The case names no 'application' in system/controlDict; add one, or give the solver, as in "
            'solver="simpleFoam".'
        )
    return found[1]
