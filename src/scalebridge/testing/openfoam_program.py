"""What stands in for OpenFOAM's programs in tests: run as ``python openfoam_program.py NAME ARGUMENTS``.

Standard library only. It writes the files and the log lines of the real ones for two solvers: ``simpleFoam`` for
fully developed flow between plates, really solved with the table of viscosities in the case, and ``icoFoam``, whose
"flow" is a formula. An entry ``fake WORD;`` in ``system/controlDict`` makes the solver misbehave: ``fatal``,
``diverge``, ``nan``, ``killed``, ``silent``, ``hang``, ``unconverged``, ``unwritten``.
"""

from __future__ import annotations

import bisect
import math
import os
import re
import signal
import sys
import time
from pathlib import Path

_NUMBER = r"([-+0-9.eE]+)"
_MESH = "constant/polyMesh"


def main(name: str, arguments: list[str]) -> int:
    """Do what the program of this name does, in the working folder."""
    if "-help" in arguments:
        say(f"Usage: {name} [OPTIONS]\n\nUsing: OpenFOAM- (1912) - visit www.openfoam.com\nBuild:  (patch=200626)")
        return 0
    print(f"Exec   : {name}\nCase   : {Path.cwd()}\ntrapFpe: Floating point exception trapping enabled (FOAM_SIGFPE).")
    if name == "icoFoam":
        return ico_foam("-parallel" in arguments)
    if name in ("decomposePar", "reconstructPar"):
        say("Processor 0\n    Number of cells = 20\n\nEnd\n")
        return 0
    programs = {"blockMesh": block_mesh, "simpleFoam": solver, "postProcess": post_process}
    return programs[name]()


def say(text: str) -> None:
    """Print."""
    print(text, flush=True)


def fatal(message: str, function: str = "int main(int, char**)") -> int:
    """Print a fatal error as OpenFOAM does and return its exit code."""
    print(f"\n\n--> FOAM FATAL ERROR: \n{message}\n\n    From function {function}\n    in file main.C at line 61.\n")
    print("FOAM exiting\n")
    return 1


def block_mesh() -> int:
    """Write the number of cells as a mesh."""
    place = Path("system/blockMeshDict")
    if not place.is_file():
        return fatal(f'"{place.absolute()}"')
    found = re.search(r"\)\s*\((\d+) (\d+) (\d+)\)\s*simpleGrading \(\S+ (\S+) ", place.read_text())
    corners = [float(y) for y in re.findall(r"\(\S+ (\S+) \S+?\)", place.read_text())[:8] if _is_number(y)]
    if found is None:
        return fatal("Cannot find an open bracket in the list of blocks")
    Path(_MESH).mkdir(parents=True, exist_ok=True)
    cells = int(found[2])
    (Path(_MESH) / "points").write_text(f"{cells} {1.0 / float(found[4])!r} {max(corners, default=1.0)!r}\n")
    say(f"Creating polyMesh from blockMesh\n  nCells: {cells}\n\nEnd\n")
    return 0


def solver() -> int:
    """Solve developed flow between plates and write it as ``simpleFoam`` would."""
    control = Path("system/controlDict").read_text()
    end = int(float(_last(rf"endTime\s+{_NUMBER};", control)))
    say("SIMPLE: no convergence criteria found. Calculations will run for the steps given.\n\nStarting time loop\n")
    trouble = re.findall(r"fake\s+(\w+);", control)
    if trouble:
        return misbehave(trouble[-1], end)
    flow = Flow.read()
    for step in (1, end):
        residual = 1e-12 if step == end else 0.9
        say(f"Time = {step}\n")
        say(f"DILUPBiCGStab:  Solving for Ux, Initial residual = {residual}, Final residual = 1e-13, No Iterations 2")
        say("DILUPBiCGStab:  Solving for Uy, Initial residual = 0.0002, Final residual = 1e-08, No Iterations 1")
    flow.write(Path(str(end)))
    say("\nEnd\n")
    return 0


def ico_foam(parallel: bool) -> int:
    """A solver in time whose drag is a formula of viscosity and speed."""
    control = Path("system/controlDict").read_text()
    trouble = re.findall(r"fake\s+(\w+);", control)
    if trouble:
        return misbehave(trouble[-1], 1)
    viscosity = float(
        _last(rf"nu\s+(?:nu\s+)?(?:\[[^\]]*\]\s*)?{_NUMBER};", Path("constant/transportProperties").read_text())
    )
    speed = float(_last(r"uniform \(" + _NUMBER, Path("0/U").read_text()))
    say(
        "Time = 0.5\n\nsmoothSolver:  Solving for Ux, Initial residual = 2e-07, Final residual = 2e-07, No Iterations 0"
    )
    place = Path("postProcessing/forces/0")
    place.mkdir(parents=True, exist_ok=True)
    (place / "drag.dat").write_text(f"# Time drag\n0.5 {viscosity * speed!r}\n")
    say("\nEnd\n")
    if parallel:
        say("Finalising parallel run")
    return 0


def misbehave(word: str, end: int) -> int:
    """End as a solver in trouble does."""
    solving = "smoothSolver:  Solving for Ux, Initial residual = {}, Final residual = {}, No Iterations 1000"
    say("Time = 1\n")
    say(solving.format("0.5", "0.01"))
    if word == "fatal":
        return fatal("Maximum number of iterations exceeded", "T() const")
    if word == "diverge":
        say("#0  Foam::error::printStack(Foam::Ostream&) at ??:?\n#1  Foam::sigFpe::sigHandler(int) at ??:?")
        os.kill(os.getpid(), signal.SIGFPE)
    if word == "nan":
        say("Time = 2\n\n" + solving.format("nan", "nan") + "\n\nEnd\n")
    if word == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "hang":
        time.sleep(3600)
    if word in ("unconverged", "unwritten"):
        say(f"Time = {end}\n\n" + solving.format("0.03", "0.001") + "\n\nEnd\n")
    return 0


def post_process() -> int:
    """Write the gradient of the last velocity."""
    times = [path for path in Path().iterdir() if _is_number(path.name) and float(path.name) > 0]
    last = max(times, key=lambda path: float(path.name))
    slopes = [float(s) for s in (last / "U").read_text().split()]
    rows = "\n".join(f"(0 0 0 {s!r} 0 0 0 0 0)" for s in slopes)
    (last / "grad(U)").write_text(f"internalField nonuniform List<tensor>\n{len(slopes)}\n(\n{rows}\n)\n;\n")
    say("    functionObjects::grad grad(U) writing field: grad(U)\nEnd\n")
    return 0


class Flow:
    """Developed flow between plates, driven so that its mean velocity is the one asked for."""

    def __init__(self, cells: int, grading: float, reach: float, speed: float, table: list[tuple[float, float]]):
        sizes = [grading ** (1.0 - i / (cells - 1)) for i in range(cells)]
        self.sizes = [reach * size / sum(sizes) for size in sizes]
        self.reach, self.speed = reach, speed
        self.rates = [rate for rate, _ in table]
        self.stresses = [rate * viscosity for rate, viscosity in table]
        self.first, self.last = table[0][1], table[-1][1]

    @classmethod
    def read(cls) -> Flow:
        """From the files of the case."""
        cells, grading, reach = (Path(_MESH) / "points").read_text().split()
        speed = float(_last(rf"Ubar \({_NUMBER}", Path("constant/fvOptions").read_text()))
        rows = re.findall(rf"\({_NUMBER} {_NUMBER}\)", Path("constant/viscosityTable").read_text())
        return cls(int(cells), float(grading), float(reach), speed, [(float(r), float(v)) for r, v in rows])

    def rate(self, stress: float) -> float:
        """Shear rate under a stress; below and above the table its end viscosities hold."""
        if stress <= self.stresses[0]:
            return stress / self.first
        if stress >= self.stresses[-1]:
            return stress / self.last
        i = bisect.bisect_right(self.stresses, stress)
        low, high = self.rates[i - 1], self.rates[i]
        slope = (self.stresses[i] / high - self.stresses[i - 1] / low) / (high - low)
        # viscosity is linear between two rows: stress = rate * (a + slope * rate)
        a = self.stresses[i - 1] / low - slope * low
        if slope == 0.0:
            return stress / a
        return 2.0 * stress / (a + math.sqrt(a * a + 4.0 * slope * stress))

    def shear(self, gradient: float) -> list[float]:
        """Shear rates in the cells, from the centre on, and at the wall."""
        y, rates = 0.0, []
        for size in self.sizes:
            rates.append(self.rate(gradient * (y + 0.5 * size)))
            y += size
        return [*rates, self.rate(gradient * y)]

    def mean(self, gradient: float) -> float:
        """Mean velocity: the flow between two faces has the shear rate of their mean distance."""
        y, flow = 0.0, 0.0
        for size in self.sizes:
            middle = y + 0.5 * size
            flow += self.rate(gradient * middle) * middle * size
            y += size
        return flow / self.reach

    def write(self, folder: Path) -> None:
        """Write the flow as the last iteration."""
        low, high = 0.0, 1.0
        while self.mean(high) < self.speed:
            high *= 2.0
        for _ in range(200):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.mean(middle) < self.speed else (low, middle)
        (folder / "uniform").mkdir(parents=True, exist_ok=True)
        (folder / "uniform" / "driveProperties").write_text(f"gradient        {high!r};\n")
        (folder / "U").write_text(" ".join(repr(rate) for rate in self.shear(high)))


def _last(pattern: str, text: str) -> str:
    return str(re.findall(pattern, text)[-1])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
