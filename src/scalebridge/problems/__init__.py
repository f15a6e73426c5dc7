"""Two-scale problems with known answers, for tests, documentation, benchmarks and users (NumPy only)."""

from scalebridge.problems.bar import Bar
from scalebridge.problems.conduction import ConductionLaminate, random_conduction_laminate

__all__ = ["Bar", "ConductionLaminate", "random_conduction_laminate"]
