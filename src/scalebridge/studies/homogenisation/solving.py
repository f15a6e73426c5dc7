"""From labels and laws to an effective tensor and a localised field."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.micro.rve import RVE, LocalFields

Labels = NDArray[Any]
PULL = 1e-3
"""Macroscopic strain along direction 1 of the localised field; linear laws scale it."""


@dataclass(frozen=True)
class Settings:
    """How images are solved.

    Args:
        plane: of a slice: ``"generalised"``, ``"strain"`` or ``"stress"``.
        discretisation: as of `RVE`.
        precision: as of `RVE`.
        tolerance: as of `RVE`.
        composite: pixels along each axis that make one composite voxel; 1 for plain ones.
        device: as of `RVE`.
    """

    plane: Literal["strain", "stress", "generalised"] = "generalised"
    discretisation: str = "rotated"
    precision: Literal["double", "single"] = "double"
    tolerance: float = 1e-6
    composite: int = 1
    device: str = "cpu"

    def plane_of(self, dim: int) -> Literal["strain", "stress", "generalised"]:
        """What an RVE of ``dim`` directions is told; a volume is not kept plane."""
        return self.plane if dim == 2 else "strain"


@dataclass(frozen=True)
class Solved:
    """An effective tensor ``[g, g]`` (NaN where not found), the volume fractions of the laws and what it took."""

    tensor: Floats
    fractions: Floats
    iterations: tuple[int, ...]
    seconds: float
    reason: str


def make_rve(labels: Labels, laws: Sequence[Any], size: tuple[float, ...] | None, settings: Settings) -> RVE:
    """Return the RVE of an image, whose mixed voxels are composite where asked for.

    Raises:
        InputError: what `RVE` refuses; a factor that leaves no voxel.
    """
    from scalebridge.micro.rve import RVE

    s, voxels, edges = settings, trimmed(labels, settings.composite), size
    options: Any = {"plane": s.plane_of(labels.ndim), "discretisation": s.discretisation, "precision": s.precision}
    options |= {"tolerance": s.tolerance, "device": s.device, "homogeneous": True}
    if s.composite > 1:
        from scalebridge.microstructure.subvoxel import coarsen

        edges = None if size is None else tuple(s.composite * h for h in size)
        return RVE(coarsen(voxels, s.composite, spacing=edges), laws, voxel_size=edges, **options)
    return RVE(voxels, laws, voxel_size=edges, **options)


def trimmed(labels: Labels, factor: int) -> Labels:
    """Drop the last rows and columns that a factor does not divide.

    Raises:
        InputError: a factor below 1, or larger than the image.
    """
    if not 1 <= factor <= min(labels.shape):
        raise InputError(
            f"Composite voxels of {factor} pixels were asked for; the factor may go from 1 to {min(labels.shape)}."
        )
    return labels[tuple(slice(n - n % factor) for n in labels.shape)]


def solve(rve: RVE, case: Callable[[int, int], None] | None = None) -> Solved:
    """Return the effective tensor; where the linear systems do not converge, NaN and the reason.

    ``case`` is called with the number of load cases solved and their number.
    """
    begun = time.perf_counter()
    with rve.lock:
        rve.solver.watch = case
        unit = rve.solver.effective
    tensor = unit.tangent[0].cpu().numpy().copy()
    good = bool(unit.converged.all()) and bool(np.isfinite(tensor).all())
    iterations = tuple(int(n) for n in unit.cg[0].tolist())
    reason = ""
    if not good:
        tensor[...] = np.nan
        reason = (
            f"not converged in {max(iterations)} iterations at the contrast {rve.solver.contrast:.1e}; bring the "
            "constants of the phases closer together, or loosen --tolerance"
        )
    return Solved(tensor, rve.fractions, iterations, time.perf_counter() - begun, reason)


def unit_load(tensor: Floats, kind: str) -> Floats:
    """Return the macroscopic measure ``[g]`` that pulls along direction 1 and leaves the other mean stresses zero.

    A stiffness that is singular is stretched along 1 only; a conductor gets a unit gradient along 1.
    """
    first: Floats = np.zeros(len(tensor))
    first[0] = PULL if kind == "stiffness" else 1.0
    if kind == "stiffness" and np.linalg.cond(tensor) < 1e10:
        s = np.linalg.inv(tensor)[:, 0]
        first = PULL * s / s[0]
    return first


def hill_mandel(fields: LocalFields, rve: RVE) -> float:
    """Return |<s:e> - <s>:<e>| / <s:e> of a localised field.

    Voxel means are all there is of a voxel with one integration point; with eight the solver is asked for its own.
    """
    if rve.discretisation == "hexahedra":
        return float(rve.homogenise(fields.macro[None]).hill_mandel[0])
    d = fields.strain[0].ndim
    axes = tuple(range(1, d + 1))
    s, e = fields.stress.astype(np.float64), fields.strain.astype(np.float64)
    power = float((s * e).sum(0).mean())
    product = float(s.mean(axes) @ e.mean(axes))
    return abs(power - product) / abs(power) if power else abs(product)
