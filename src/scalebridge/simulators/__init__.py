"""Simulators that people have, as models: each a room of its own, imported on first use."""

from __future__ import annotations

from scalebridge.lazy import attach

ROOMS = ("ansys", "calculix", "comsol", "lammps", "openfoam")

__getattr__, __dir__ = attach(__name__, {}, ROOMS)
