"""Every contract, and the wrappers that make models of functions and programs."""

from typing import TYPE_CHECKING

from scalebridge.lazy import attach
from scalebridge.models.adapt import Adapted
from scalebridge.models.closure import Closure, ClosureValue
from scalebridge.models.function import FunctionModel, model
from scalebridge.models.macro import AdaptiveMacro, MacroModel, MacroSolution, MeshEstimate, failed_solution
from scalebridge.models.model import Model, Structure, structure_of
from scalebridge.models.posterior import Domain, Functional, Posterior, Surrogate
from scalebridge.models.runs import Runs
from scalebridge.models.scale import Scale

if TYPE_CHECKING:
    from scalebridge.models.program import Mpi, Program

__all__ = [
    "Adapted",
    "AdaptiveMacro",
    "Closure",
    "ClosureValue",
    "Domain",
    "FunctionModel",
    "Functional",
    "MacroModel",
    "MacroSolution",
    "MeshEstimate",
    "Model",
    "Mpi",
    "Posterior",
    "Program",
    "Runs",
    "Scale",
    "Structure",
    "Surrogate",
    "failed_solution",
    "model",
    "structure_of",
]

# What runs programs is imported when a program is first run: most workers never do.
__getattr__, _ = attach(__name__, {"Mpi": "program", "Program": "program"})
