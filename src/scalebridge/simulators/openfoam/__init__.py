"""OpenFOAM: cases as micro models, and flows whose viscosity is a closure as macro problems.

::

    channel = sb.simulators.openfoam.Channel(height="10 mm", length="1 m", velocity="0.1 m/s")
    sb.solve(channel, polymer, qoi="pressure_drop", rtol=0.02)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.simulators.openfoam.case import Case
    from scalebridge.simulators.openfoam.convergence import SolverLog, progress, read_solver_log
    from scalebridge.simulators.openfoam.cylinders import SANGANI_ACRIVOS, CylinderArray
    from scalebridge.simulators.openfoam.fields import read_fields
    from scalebridge.simulators.openfoam.forces import read_force_coefficients, read_forces
    from scalebridge.simulators.openfoam.function_objects import read_function_object, read_residuals
    from scalebridge.simulators.openfoam.installation import Installation, find_installation
    from scalebridge.simulators.openfoam.macro import MacroCase
    from scalebridge.simulators.openfoam.macro_channel import Channel, Pipe
    from scalebridge.simulators.openfoam.model import OpenFoam
    from scalebridge.simulators.openfoam.poly_mesh import read_poly_mesh
    from scalebridge.simulators.openfoam.probes import read_probes
    from scalebridge.simulators.openfoam.running import CaseRun
    from scalebridge.simulators.openfoam.samples import read_samples

__all__ = [
    "SANGANI_ACRIVOS",
    "Case",
    "CaseRun",
    "Channel",
    "CylinderArray",
    "Installation",
    "MacroCase",
    "OpenFoam",
    "Pipe",
    "SolverLog",
    "find_installation",
    "progress",
    "read_fields",
    "read_force_coefficients",
    "read_forces",
    "read_function_object",
    "read_poly_mesh",
    "read_probes",
    "read_residuals",
    "read_samples",
    "read_solver_log",
]

_HOME = {
    "SANGANI_ACRIVOS": "cylinders",
    "Case": "case",
    "CaseRun": "running",
    "Channel": "macro_channel",
    "CylinderArray": "cylinders",
    "Installation": "installation",
    "MacroCase": "macro",
    "OpenFoam": "model",
    "Pipe": "macro_channel",
    "SolverLog": "convergence",
    "find_installation": "installation",
    "progress": "convergence",
    "read_fields": "fields",
    "read_force_coefficients": "forces",
    "read_forces": "forces",
    "read_function_object": "function_objects",
    "read_poly_mesh": "poly_mesh",
    "read_probes": "probes",
    "read_residuals": "function_objects",
    "read_samples": "samples",
    "read_solver_log": "convergence",
}

__getattr__, __dir__ = attach(__name__, _HOME)
