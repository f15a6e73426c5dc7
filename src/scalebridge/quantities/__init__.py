"""Quantities: named variables with units and bounds, and spaces of them."""

from scalebridge.quantities.space import Floats, Space
from scalebridge.quantities.variable import Variable

__all__ = ["Floats", "Space", "Variable"]
