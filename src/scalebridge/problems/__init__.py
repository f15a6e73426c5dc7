"""Two-scale problems with known answers, for tests, documentation, benchmarks and users (NumPy only)."""

from scalebridge.problems.bar import Bar
from scalebridge.problems.case import Case, direct_closure
from scalebridge.problems.conduction import ConductionLaminate, PowerLawConductor, random_conduction_laminate
from scalebridge.problems.laminate import PowerLawLaminate, PowerLawSolid, random_laminate

__all__ = [
    "Bar",
    "Case",
    "ConductionLaminate",
    "PowerLawConductor",
    "PowerLawLaminate",
    "PowerLawSolid",
    "direct_closure",
    "random_conduction_laminate",
    "random_laminate",
]
