"""A stand-in for CalculiX's ``ccx``, for tests where it is not installed.

`fake_ccx` writes a program that reads a deck of plane-strain elements (``CPE3``, ``CPE4``), does its one linear static
step with initial stresses, and writes ``.dat``, ``.sta`` and words as CalculiX 2.20 does: seven digits, entries of a
deck cut after 20 characters, errors with the exit code 201 or 0. Its faults can be chosen.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scalebridge.quantities import Floats

FAULTS = ("none", "error", "quiet error", "not converged", "half a file", "not a number", "hang", "crash", "nothing")
_BANNER = (
    "\n************************************************************\n\nCalculiX Version 2.20 (a stand-in for tests)\n\n"
)
_ROOT_3 = 3**-0.5
# Integration points through the thickness are two; these are the ones of a layer.
_RULES: dict[str, list[tuple[float, float, float]]] = {
    "CPE3": [(1 / 3, 1 / 3, 0.5)],
    "CPE4": [(a * _ROOT_3, b * _ROOT_3, 1.0) for b in (-1, 1) for a in (-1, 1)],
}


# This module alone is loaded, for a program is started often.
_PROGRAM = """#!{python}
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("fake_ccx", {module!r})
module = module_from_spec(spec)
spec.loader.exec_module(module)
module.main({fault!r})
"""


def fake_ccx(folder: str | Path, fault: str = "none") -> str:
    """Write the program ``folder/ccx`` and return its path.

    Args:
        folder: where it is written.
        fault: "none"; "error" (exit code 201), "quiet error" (the error and exit code 0), "not converged", "half a
            file", "not a number", "hang", "crash" (killed by a signal), "nothing" (ends without a word).

    Raises:
        InputError: an unknown fault.
    """
    from scalebridge.errors import InputError, did_you_mean

    if fault not in FAULTS:
        raise InputError(f"fake_ccx was asked for the fault '{fault}'{did_you_mean(fault, FAULTS)}")
    path = Path(folder) / "ccx"
    path.write_text(_PROGRAM.format(python=sys.executable, module=__file__, fault=fault), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def carried_out_here(_: Any, folder: Path, job: str) -> Any:
    """What ``Ccx.run`` does, in this process, for tests of many analyses: ``monkeypatch.setattr(Ccx, "run", ...)``."""
    from scalebridge.models.program import Ended

    _static(str(folder / job), "none")
    return Ended("ok", "", 0, "", 0.0)


def main(fault: str) -> None:
    """What the program does: ``ccx -i job``."""
    job = sys.argv[-1]
    if fault == "nothing":
        return
    print(_BANNER, flush=True)
    if fault == "hang":
        time.sleep(600)
    if fault == "crash":
        os.kill(os.getpid(), 9)
    if not Path(f"{job}.inp").exists():
        print(f" *ERROR in readinput: cannot open file {job}.inp")
        return
    if fault in ("error", "quiet error"):
        print(" *ERROR in calinput: no material was assigned\n        to element            1\n")
        sys.exit(201 if fault == "error" else 0)
    _static(job, fault)
    print("\n\n Job finished\n")


def _static(job: str, fault: str) -> None:
    deck = _Deck(Path(f"{job}.inp"))
    sta = "SUMMARY OF JOB INFORMATION\n  STEP      INC     ATT  ITRS     TOT TIME     STEP TIME      INC TIME\n"
    if fault == "not converged":
        Path(f"{job}.sta").write_text(sta + _row(1, 1, 1, 5) + "  0.250000E+00  0.250000E+00  0.250000E+00\n")
        print(" *ERROR: too many cutbacks\n")
        sys.exit(201)
    Path(f"{job}.sta").write_text(sta + _row(1, 1, 1, 1) + "  0.100000E+01  0.100000E+01  0.100000E+01\n")
    text = "".join(_printed(deck))
    if fault == "not a number":
        text = "\n".join(_spoilt(line) for line in text.split("\n"))
    Path(f"{job}.dat").write_text(text[: len(text) // 2] if fault == "half a file" else text)


def _spoilt(line: str) -> str:
    words = line.split()
    if len(words) < 4 or not words[0].isdigit():
        return line
    first = 10 if len(words) == 4 else 14
    return f"{line[:first]}           NaN{line[first + 14 :]}"


def _row(*counts: int) -> str:
    return "".join(f"{c:10d}" if i else f"{c:6d}" for i, c in enumerate(counts))


class _Deck:
    """The parts of a deck that the stand-in knows."""

    def __init__(self, path: Path) -> None:
        self.nodes: dict[int, list[float]] = {}
        self.cells: dict[int, list[int]] = {}
        self.kind, self.thickness = "CPE3", 1.0
        self.sets: dict[str, list[int]] = {}
        self.materials: dict[str, list[float]] = {}
        self.sections: dict[int, str] = {}
        self.stress: dict[tuple[int, int], list[float]] = {}
        self.fixed: dict[tuple[int, int], float] = {}
        self.loads: dict[tuple[int, int], float] = {}
        self.node_print: list[str] = []
        self.element_print: list[str] = []
        self._card, self._options, self._material = "", dict[str, str](), ""
        for line in _lines(path):
            if line.startswith("*"):
                self._begin(line)
            else:
                self._take([word.strip()[:20] for word in line.split(",")])

    def _begin(self, line: str) -> None:
        words = [w.strip() for w in line[1:].split(",")]
        self._card = words[0].upper()
        self._options = {k.upper(): v for k, _, v in (w.partition("=") for w in words[1:])}
        if self._card == "MATERIAL":
            self._material = self._options["NAME"]
            self.materials[self._material] = []
        if self._card == "SOLID SECTION":
            for cell in self.sets[self._options["ELSET"]]:
                self.sections[cell] = self._options["MATERIAL"]

    def _take(self, words: list[str]) -> None:
        card = self._card
        if card == "NODE":
            self.nodes[int(words[0])] = [float(w) for w in words[1:3]]
        elif card == "ELEMENT":
            self.kind = self._options["TYPE"]
            self.cells[int(words[0])] = [int(w) for w in words[1:]]
            self.sets.setdefault(self._options.get("ELSET", ""), []).append(int(words[0]))
        elif card == "ELSET":
            self.sets.setdefault(self._options["ELSET"], []).extend(int(w) for w in words if w)
        elif card == "ELASTIC":
            self.materials[self._material] += [float(w) for w in words if w]
        elif card == "SOLID SECTION":
            self.thickness = float(words[0])
        elif card == "INITIAL CONDITIONS":
            self.stress[int(words[0]), int(words[1])] = [float(w) for w in words[2:6]]
        elif card in ("BOUNDARY", "CLOAD"):
            self._condition(words)
        elif card in ("NODE PRINT", "EL PRINT"):
            (self.node_print if card == "NODE PRINT" else self.element_print).extend(w for w in words if w)

    def _condition(self, words: list[str]) -> None:
        if self._card == "CLOAD":
            self.loads[int(words[0]), int(words[1])] = float(words[2])
            return
        for axis in range(int(words[1]), int(words[2] if len(words) > 2 else words[1]) + 1):
            self.fixed[int(words[0]), axis] = float(words[3]) if len(words) > 3 else 0.0

    def stiffness(self, cell: int) -> Floats:
        """Plane-strain stiffness for (xx, yy, 2 xy)."""
        c = self.materials[self.sections[cell]]
        if len(c) == 2:
            young, poisson = c
            lame, shear = young * poisson / (1 + poisson) / (1 - 2 * poisson), young / (1 + poisson) / 2
            return np.array([[lame + 2 * shear, lame, 0.0], [lame, lame + 2 * shear, 0.0], [0.0, 0.0, shear]])
        return np.array([[c[0], c[1], c[6]], [c[1], c[2], c[7]], [c[6], c[7], c[9]]])

    def points(self, cell: int) -> Iterator[tuple[int, Floats, float, Floats]]:
        """Each integration point of a layer: number, ``B [3, 2 k]``, volume, place."""
        corners = np.array([self.nodes[n] for n in self.cells[cell]])
        for number, (a, b, weight) in enumerate(_RULES[self.kind], 1):
            shapes, slopes = _shapes(self.kind, a, b)
            jacobian = slopes @ corners
            grad = np.linalg.solve(jacobian, slopes)
            matrix = np.zeros((3, 2 * len(corners)))
            matrix[0, ::2], matrix[1, 1::2], matrix[2, ::2], matrix[2, 1::2] = grad[0], grad[1], grad[1], grad[0]
            yield number, matrix, weight * float(np.linalg.det(jacobian)) * self.thickness, shapes @ corners


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="ascii").splitlines():
        if line.upper().startswith("*INCLUDE"):
            yield from _lines(path.parent / line.partition("=")[2].strip())
        elif line.strip() and not line.startswith("**"):
            yield line


def _shapes(kind: str, a: float, b: float) -> tuple[Floats, Floats]:
    """Shape functions ``[k]`` and their derivatives ``[2, k]``."""
    if kind == "CPE3":
        return np.array([1 - a - b, a, b]), np.array([[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    sa, sb = np.array([-1, 1, 1, -1]), np.array([-1, -1, 1, 1])
    return (1 + sa * a) * (1 + sb * b) / 4, np.array([sa * (1 + sb * b), sb * (1 + sa * a)]) / 4


def _solved(deck: _Deck) -> tuple[Floats, Floats, list[tuple[int, int, Floats, Floats, Floats, float]]]:
    """Displacements ``[n, 2]``, forces ``[n, 2]``, and per point: cell, number, strain, stress, place, volume."""
    row = {node: i for i, node in enumerate(deck.nodes)}
    n = 2 * len(row)
    matrix, inner, load, target = np.zeros((n, n)), np.zeros(n), np.zeros(n), np.zeros(n)
    local = []
    n_points = len(_RULES[deck.kind])
    for cell, nodes in deck.cells.items():
        dofs, elastic = np.array([2 * row[k] + a for k in nodes for a in (0, 1)]), deck.stiffness(cell)
        for number, b, volume, place in deck.points(cell):
            for layer in (0, 1):
                initial = np.array(deck.stress.get((cell, number + layer * n_points), [0.0] * 4))[[0, 1, 3]]
                matrix[np.ix_(dofs, dofs)] += b.T @ elastic @ b * volume / 2
                inner[dofs] += b.T @ initial * volume / 2
                local.append((cell, number + layer * n_points, dofs, b, elastic, initial, place, volume / 2))
    for (node, axis), value in deck.loads.items():
        load[2 * row[node] + axis - 1] += value
    held = np.array([2 * row[node] + axis - 1 for node, axis in deck.fixed], dtype=np.int64)
    target[held] = list(deck.fixed.values())
    free = np.setdiff1d(np.arange(n), held)
    u = target.copy()
    if len(free):
        try:
            u[free] = np.linalg.solve(matrix[np.ix_(free, free)], (load - inner - matrix @ target)[free])
        except np.linalg.LinAlgError:
            u[free] = np.nan
    points = [(c, k, b @ u[d], s + e @ (b @ u[d]), p, v) for c, k, d, b, e, s, p, v in local]
    points.sort(key=lambda point: point[:2])
    return u.reshape(-1, 2), (matrix @ u + inner).reshape(-1, 2), points


def _printed(deck: _Deck) -> Iterator[str]:
    u, force, points = _solved(deck)
    nodes = list(deck.nodes)
    for key in deck.node_print:
        what, values = {"U": ("displacements (vx,vy,vz)", u), "RF": ("forces (fx,fy,fz)", force)}[key]
        yield f"\n {what} for set ALL_NODES and time  0.1000000E+01\n\n"
        yield from (f"{node:10d}{_numbers([*value, 0.0])}\n" for node, value in zip(nodes, values, strict=True))
    names = {
        "E": "strains (elem, integ.pnt.,exx,eyy,ezz,exy,exz,eyz)",
        "COORD": "global coordinates (elem, integ.pnt.,x,y,z)",
    }
    names["S"] = "stresses (elem, integ.pnt.,sxx,syy,szz,sxy,sxz,syz)"
    for key in deck.element_print:
        yield f"\n {names[key]} for set ALL_ELEMENTS and time  0.1000000E+01\n\n"
        for cell, number, strain, stress, place, _ in points:
            row: list[Any] = [*place, 0.0]
            if key != "COORD":
                xx, yy, xy = stress if key == "S" else strain * np.array([1.0, 1.0, 0.5])
                row = [xx, yy, 0.0, xy, 0.0, 0.0]
            yield f"{cell:10d}{number:4d}{_numbers(row)}\n"


def _numbers(values: list[Any]) -> str:
    return "".join(f" {float(v):13.6E}" for v in values)
