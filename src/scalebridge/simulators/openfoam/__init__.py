"""OpenFOAM: cases as micro models, and flows whose viscosity is a closure as macro problems."""

from __future__ import annotations

from scalebridge.lazy import attach

_HOME = {
    "Case": "case",
    "CaseRun": "running",
    "Channel": "macro_channel",
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
    "read_probes": "probes",
    "read_samples": "samples",
    "read_solver_log": "convergence",
}

__all__ = sorted(_HOME)

__getattr__, __dir__ = attach(__name__, _HOME)
