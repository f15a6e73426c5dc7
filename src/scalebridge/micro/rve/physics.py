"""Names, units and shapes of what goes into an RVE and comes out, for each kind of law."""

from __future__ import annotations

from dataclasses import dataclass

from scalebridge.micro.rve.phases.phase import Kinematics
from scalebridge.quantities import Variable

_AXES = "1 along the last axis of the image, 2 along the one before"
_MANDEL = {3: "Mandel components 11, 22, sqrt2 12", 6: "Mandel components 11, 22, 33, sqrt2 23, sqrt2 13, sqrt2 12"}


@dataclass(frozen=True)
class Physics:
    """Macroscopic input and output of an RVE.

    Args:
        input: the mean measure.
        output: the mean stress.
        noun: the input in words.
    """

    input: Variable
    output: Variable
    noun: str


def physics(kind: Kinematics, dim: int) -> Physics:
    """Return what an RVE of laws of this kind takes and gives on a grid of ``dim`` directions."""
    if kind == "small strain":
        size = dim * (dim + 1) // 2
        note = f"{_MANDEL[size]}; {_AXES}"
        return Physics(
            Variable("strain", "1", (size,), kind="symmetric", description=note),
            Variable("stress", "Pa", (size,), kind="symmetric", description=note),
            "strain",
        )
    if kind == "finite strain":
        return Physics(
            Variable("deformation_gradient", "1", (dim, dim), description=_AXES),
            Variable("stress", "Pa", (dim, dim), description=f"first Piola-Kirchhoff; {_AXES}"),
            "deformation gradient",
        )
    return Physics(
        Variable("gradient", "K/m", (dim,), description=_AXES),
        Variable("flux", "W/m^2", (dim,), description=f"down the gradient; {_AXES}"),
        "gradient",
    )
