"""One small model of every adapter, and the bare program on the same input."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

MELT = """units lj
variable T index 1.0
atom_style atomic
lattice fcc 0.8
region box block 0 4 0 4 0 4
create_box 1 box
create_atoms 1 box
mass 1 1.0
pair_style lj/cut 2.5
pair_coeff 1 1 1.0 1.0
velocity all create ${T} 87287 loop geom
fix 1 all nve
thermo_style custom step temp press
thermo 10
run 100
"""


@dataclass(frozen=True)
class Pair:
    """A model run through an adapter, and the same program without one.

    Args:
        adapted: runs one row, ``[1, d]``, and returns whether it succeeded.
        bare: runs the program on the same input.
        what: the program, for people.
    """

    adapted: Callable[[], bool]
    bare: Callable[[], None]
    what: str


def pairs(stack: ExitStack) -> Iterator[tuple[str, Pair]]:
    """Every adapter whose program is installed; folders live as long as the stack."""
    for name, make in (
        ("program", _program),
        ("lammps", lambda folder: _lammps(folder, "process")),
        ("lammps in process", lambda folder: _lammps(folder, "in process")),
        ("openfoam", _openfoam),
        ("calculix", _calculix),
    ):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pair = make(folder)
        if pair is not None:
            yield name, pair


def _ran(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
    subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def _row(model: Any, *values: float) -> Callable[[], bool]:
    return lambda: bool(model.run(np.array([values], dtype=np.float64)).ok.all())


def _program(folder: Path) -> Pair:
    from scalebridge.models.program import Pattern, Program

    (folder / "in.txt").write_text("x = 1.0\n")
    model = Program(
        ["cp", "in.txt", "out.txt"],
        {"x": "1"},
        {"y": "1"},
        {"y": Pattern("out.txt", r"x = (\S+)")},
        template={"in.txt": "x = {{ x }}\n"},
    )
    return Pair(_row(model, 1.0), lambda: _ran(["cp", "in.txt", "out.txt"], folder), "cp of one line")


def _lammps(folder: Path, how: str) -> Pair | None:
    from scalebridge.errors import ScaleBridgeError
    from scalebridge.simulators.lammps import Lammps, Thermo
    from scalebridge.simulators.lammps.library import find_program

    try:
        found = find_program()
    except ScaleBridgeError:
        return None
    (folder / "in.melt").write_text(MELT)
    model = Lammps(
        MELT, inputs={"T": "1"}, outputs={"pressure": Thermo("Press", statistic="last")}, how=how, name="melt"
    )
    command = [found.program, "-in", "in.melt", "-var", "T", "1.0", "-screen", "none"]
    environment = dict(found.environment)
    return Pair(_row(model, 1.0), lambda: _ran(command, folder, environment), f"256 atoms, 100 steps, {how}")


def _openfoam(folder: Path) -> Pair | None:
    from scalebridge.errors import ScaleBridgeError
    from scalebridge.simulators.openfoam import OpenFoam, find_installation
    from scalebridge.simulators.openfoam.cylinders import CylinderArray, drag_of

    try:
        found = find_installation()
    except ScaleBridgeError:
        return None
    case = CylinderArray().case(0.1, 0.0, 8)
    place = "constant/transportProperties:nu"
    model = OpenFoam(case, {"nu": "m^2/s"}, {"drag": "1"}, {"nu": place}, {"drag": lambda at: drag_of(at, 0.1)})

    def bare() -> None:
        with tempfile.TemporaryDirectory() as at:
            case.prepare(Path(at))
            for step in case.steps:
                _ran([found.program(step.argv[0]), *step.argv[1:]], Path(at), dict(found.environment))

    with tempfile.TemporaryDirectory() as at:
        case.prepare(Path(at))
        text = (Path(at) / "constant" / "transportProperties").read_text()
    # What stands in the case, so that both do the same.
    nu = float(re.findall(r"\bnu\b[^;]*?([-+.\deE]+)\s*;", text)[0])
    return Pair(_row(model, nu), bare, "a cell of a cylinder array")


def _calculix(folder: Path) -> Pair | None:
    from scalebridge.simulators.calculix import CalculiX, Printed

    if shutil.which("ccx") is None:
        return None
    deck = (Path(__file__).parents[1] / "data" / "calculix-results" / "bar.inp").read_text()
    (folder / "bar.inp").write_text(deck)
    lines = deck.splitlines()
    at = next(i for i, line in enumerate(lines) if line.upper().startswith("*ELASTIC"))
    young = lines[at + 1].split(",")[0].strip()
    lines[at + 1] = lines[at + 1].replace(young, "{{ E }}", 1)
    results = {"pull": Printed("total force", "fz", set="TOP", unit="N")}
    model = CalculiX({"bar.inp": "\n".join(lines)}, {"E": "MPa"}, {"pull": "N"}, results)
    return Pair(_row(model, float(young)), lambda: _ran(["ccx", "-i", "bar"], folder), "a bar")
