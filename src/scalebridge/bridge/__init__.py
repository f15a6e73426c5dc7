"""The bridge: a macro problem, a micro model and a tolerance in; an answer with an interval out."""

from scalebridge.bridge.answer import Answer, Quantity, load
from scalebridge.bridge.learning import Learned, learn_model
from scalebridge.bridge.progress import Progress
from scalebridge.bridge.solve import solve

__all__ = ["Answer", "Learned", "Progress", "Quantity", "learn_model", "load", "solve"]
