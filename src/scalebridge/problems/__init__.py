"""Two-scale problems with known answers, for tests, documentation, benchmarks and users (NumPy only)."""

from scalebridge.problems import specimens
from scalebridge.problems.asymmetric import AsymmetricFlux, asymmetric_bar
from scalebridge.problems.bar import Bar
from scalebridge.problems.case import Case, direct_closure
from scalebridge.problems.conduction import ConductionLaminate, PowerLawConductor, random_conduction_laminate
from scalebridge.problems.history import HiddenHistory, history_bar
from scalebridge.problems.kink import KinkedConductivity, kinked_bar
from scalebridge.problems.kirchhoff import (
    ExponentialConductivity,
    QuadraticConductivity,
    Rectangle,
    kirchhoff_bar,
    kirchhoff_rectangle,
)
from scalebridge.problems.laminate import PowerLawLaminate, PowerLawSolid, random_laminate
from scalebridge.problems.noisy import Noisy, noisy_bar
from scalebridge.problems.scalar import (
    ScalarFunction,
    borehole,
    currin,
    forrester,
    ishigami,
    otl_circuit,
    park,
    piston,
    wing_weight,
)
from scalebridge.problems.softening import SofteningFlux, softening_bar
from scalebridge.problems.unreliable import Unreliable, unreliable_bar

__all__ = [
    "AsymmetricFlux",
    "Bar",
    "Case",
    "ConductionLaminate",
    "ExponentialConductivity",
    "HiddenHistory",
    "KinkedConductivity",
    "Noisy",
    "PowerLawConductor",
    "PowerLawLaminate",
    "PowerLawSolid",
    "QuadraticConductivity",
    "Rectangle",
    "ScalarFunction",
    "SofteningFlux",
    "Unreliable",
    "asymmetric_bar",
    "borehole",
    "currin",
    "direct_closure",
    "forrester",
    "history_bar",
    "ishigami",
    "kinked_bar",
    "kirchhoff_bar",
    "kirchhoff_rectangle",
    "noisy_bar",
    "otl_circuit",
    "park",
    "piston",
    "random_conduction_laminate",
    "random_laminate",
    "softening_bar",
    "specimens",
    "unreliable_bar",
    "wing_weight",
]
