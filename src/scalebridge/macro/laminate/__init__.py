"""Laminates: plies of given constants, stacked; what the stack does, when a ply fails, and plates and beams of it.

::

    ply = sb.macro.laminate.Ply(E1="45.6 GPa", E2="16.2 GPa", nu12=0.278, G12="5.83 GPa", G23="5.79 GPa")
    stack = sb.macro.laminate.Laminate.of(ply, "[0/90]2s", "0.25 mm")
    plate = sb.macro.laminate.SupportedPlate(stack, "150 mm", "100 mm")
    plate.deflection(1000.0)

Components are those of the field: 1 along the fibres, 2 across them, engineering shears, z upwards from the middle.
"""

from scalebridge.macro.laminate.beam import Beam
from scalebridge.macro.laminate.failure import CRITERIA, Failure, first_ply_failure, hashin, max_stress, tsai_hill
from scalebridge.macro.laminate.laminate import Laminate, LaminateModuli, Layer, Loaded
from scalebridge.macro.laminate.models import ply_model, ply_space
from scalebridge.macro.laminate.plate import Buckling, SupportedPlate
from scalebridge.macro.laminate.ply import Invariants, Ply, Strength
from scalebridge.macro.laminate.propagation import Propagated, Source, propagate
from scalebridge.macro.laminate.stacking import angles

__all__ = [
    "CRITERIA",
    "Beam",
    "Buckling",
    "Failure",
    "Invariants",
    "Laminate",
    "LaminateModuli",
    "Layer",
    "Loaded",
    "Ply",
    "Propagated",
    "Source",
    "Strength",
    "SupportedPlate",
    "angles",
    "first_ply_failure",
    "hashin",
    "max_stress",
    "ply_model",
    "ply_space",
    "propagate",
    "tsai_hill",
]
