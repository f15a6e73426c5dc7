"""The bridge: a macro problem, a micro model and a tolerance in; an answer with an interval out."""

from scalebridge.bridge.answer import Answer, Quantity, load
from scalebridge.bridge.fusion import Discrepancy, Estimate, Fusion, Inadequacy, discrepancy, fuse, inadequacy
from scalebridge.bridge.learning import Learned, learn_model
from scalebridge.bridge.progress import Progress
from scalebridge.bridge.solve import solve

__all__ = [
    "Answer",
    "Discrepancy",
    "Estimate",
    "Fusion",
    "Inadequacy",
    "Learned",
    "Progress",
    "Quantity",
    "discrepancy",
    "fuse",
    "inadequacy",
    "learn_model",
    "load",
    "solve",
]
