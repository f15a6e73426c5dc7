"""The bridge: a macro problem, a micro model and a tolerance in; an answer with an interval out."""

from scalebridge.bridge.answer import Answer, Quantity, load
from scalebridge.bridge.progress import Progress
from scalebridge.bridge.solve import solve

__all__ = ["Answer", "Progress", "Quantity", "load", "solve"]
