"""CalculiX: its results read, its decks run as models, and a plane solid solved by it with our closure.

Names are imported on first use (PEP 562).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.simulators.calculix.convergence import read_cvg, read_sta
    from scalebridge.simulators.calculix.dat import Table, read_dat
    from scalebridge.simulators.calculix.frd import Results, read_frd
    from scalebridge.simulators.calculix.inp import read_inp
    from scalebridge.simulators.calculix.macro import CalculixSolid
    from scalebridge.simulators.calculix.model import CalculiX
    from scalebridge.simulators.calculix.plane_decks import read_plane_mesh
    from scalebridge.simulators.calculix.results import Nodal, Printed
    from scalebridge.simulators.calculix.running import Ccx

_HOME = {
    "CalculiX": "model",
    "CalculixSolid": "macro",
    "Ccx": "running",
    "Nodal": "results",
    "Printed": "results",
    "Results": "frd",
    "Table": "dat",
    "read_cvg": "convergence",
    "read_dat": "dat",
    "read_frd": "frd",
    "read_inp": "inp",
    "read_plane_mesh": "plane_decks",
    "read_sta": "convergence",
}

__all__ = [
    "CalculiX",
    "CalculixSolid",
    "Ccx",
    "Nodal",
    "Printed",
    "Results",
    "Table",
    "read_cvg",
    "read_dat",
    "read_frd",
    "read_inp",
    "read_plane_mesh",
    "read_sta",
]

__getattr__, __dir__ = attach(__name__, _HOME)
