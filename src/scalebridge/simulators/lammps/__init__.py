"""LAMMPS: scripts as models, a Lennard-Jones fluid in the box, and readers of what LAMMPS writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.simulators.lammps.fluid import LennardJonesFluid
    from scalebridge.simulators.lammps.fluid_state import FluidState
    from scalebridge.simulators.lammps.green_kubo_source import GreenKubo
    from scalebridge.simulators.lammps.logs import read_log
    from scalebridge.simulators.lammps.model import Lammps
    from scalebridge.simulators.lammps.reading import Reading
    from scalebridge.simulators.lammps.running import Resources
    from scalebridge.simulators.lammps.sources import Formula, FromFolder, Live, Printed, Thermo

_HOME = {
    "FluidState": "fluid_state",
    "Formula": "sources",
    "FromFolder": "sources",
    "Lammps": "model",
    "GreenKubo": "green_kubo_source",
    "LennardJonesFluid": "fluid",
    "Live": "sources",
    "Printed": "sources",
    "Reading": "reading",
    "Resources": "running",
    "Thermo": "sources",
    "read_log": "logs",
}

__all__ = [
    "FluidState",
    "Formula",
    "FromFolder",
    "GreenKubo",
    "Lammps",
    "LennardJonesFluid",
    "Live",
    "Printed",
    "Reading",
    "Resources",
    "Thermo",
    "read_log",
]

__getattr__, __dir__ = attach(__name__, _HOME)
