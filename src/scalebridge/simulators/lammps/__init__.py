"""LAMMPS: scripts as models, a Lennard-Jones fluid in the box, and readers of what LAMMPS writes.

::

    fluid = sb.simulators.lammps.LennardJonesFluid("viscosity")
    print(fluid.at(temperature=0.722, density=0.8442))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

# Not on first use, as the others: its module has the same name and would take its place here.
from scalebridge.simulators.lammps.green_kubo import green_kubo

if TYPE_CHECKING:
    from scalebridge.simulators.lammps.averages import Averages, read_averages
    from scalebridge.simulators.lammps.corrections import lennard_jones_tail, yeh_hummer
    from scalebridge.simulators.lammps.correlations import Correlation, correlation_of_series, read_correlation
    from scalebridge.simulators.lammps.data_files import DataFile, read_data, write_data
    from scalebridge.simulators.lammps.diffusion import diffusion_from_msd
    from scalebridge.simulators.lammps.dumps import Dump, DumpStream, iterate_dump, read_dump
    from scalebridge.simulators.lammps.fluid import LennardJonesFluid
    from scalebridge.simulators.lammps.fluid_state import FluidState
    from scalebridge.simulators.lammps.green_kubo import Transport, independent_stresses, windows_of_running_mean
    from scalebridge.simulators.lammps.green_kubo_source import GreenKubo
    from scalebridge.simulators.lammps.logs import Block, Log, read_log
    from scalebridge.simulators.lammps.measured import Measured
    from scalebridge.simulators.lammps.model import Lammps
    from scalebridge.simulators.lammps.reading import Reading
    from scalebridge.simulators.lammps.restarts import RestartHeader, read_restart, read_restart_header
    from scalebridge.simulators.lammps.running import Resources
    from scalebridge.simulators.lammps.snapshots import Snapshot
    from scalebridge.simulators.lammps.sources import Formula, FromFolder, Live, Printed, Thermo

_HOME = {
    "Averages": "averages",
    "Block": "logs",
    "Correlation": "correlations",
    "DataFile": "data_files",
    "Dump": "dumps",
    "DumpStream": "dumps",
    "FluidState": "fluid_state",
    "Formula": "sources",
    "FromFolder": "sources",
    "GreenKubo": "green_kubo_source",
    "Lammps": "model",
    "LennardJonesFluid": "fluid",
    "Live": "sources",
    "Log": "logs",
    "Measured": "measured",
    "Printed": "sources",
    "Reading": "reading",
    "Resources": "running",
    "RestartHeader": "restarts",
    "Snapshot": "snapshots",
    "Thermo": "sources",
    "Transport": "green_kubo",
    "correlation_of_series": "correlations",
    "diffusion_from_msd": "diffusion",
    "green_kubo": "green_kubo",
    "independent_stresses": "green_kubo",
    "iterate_dump": "dumps",
    "lennard_jones_tail": "corrections",
    "read_averages": "averages",
    "read_correlation": "correlations",
    "read_data": "data_files",
    "read_dump": "dumps",
    "read_log": "logs",
    "read_restart": "restarts",
    "read_restart_header": "restarts",
    "windows_of_running_mean": "green_kubo",
    "write_data": "data_files",
    "yeh_hummer": "corrections",
}

__all__ = [
    "Averages",
    "Block",
    "Correlation",
    "DataFile",
    "Dump",
    "DumpStream",
    "FluidState",
    "Formula",
    "FromFolder",
    "GreenKubo",
    "Lammps",
    "LennardJonesFluid",
    "Live",
    "Log",
    "Measured",
    "Printed",
    "Reading",
    "Resources",
    "RestartHeader",
    "Snapshot",
    "Thermo",
    "Transport",
    "correlation_of_series",
    "diffusion_from_msd",
    "green_kubo",
    "independent_stresses",
    "iterate_dump",
    "lennard_jones_tail",
    "read_averages",
    "read_correlation",
    "read_data",
    "read_dump",
    "read_log",
    "read_restart",
    "read_restart_header",
    "windows_of_running_mean",
    "write_data",
    "yeh_hummer",
]

__getattr__, __dir__ = attach(__name__, _HOME)
