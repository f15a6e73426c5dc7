"""What a pore flow answers, as NumPy arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

DARCY = 9.869233e-13
"""One darcy in m^2."""


@dataclass(frozen=True)
class Progress:
    """Where a solve stands.

    Args:
        axis: direction of the pressure gradient being solved, ``"x"``; empty for a general one.
        iteration: of the linear solver.
        error: estimated relative error of the permeability.
        permeability: along that direction so far, in voxel edges squared.
    """

    axis: str
    iteration: int
    error: float
    permeability: float


@dataclass(frozen=True)
class Permeability:
    """Permeability of a pore space along ``k`` directions, and how it was found.

    Args:
        axes: directions of rows and columns, such as ``("x", "y", "z")``; x runs along the last axis of the image.
        voxel2: permeability tensor ``[k, k]`` in squares of a voxel's edge (that along x).
        voxel_size: edge of a voxel along x in m, or ``None``.
        boundary: how the cell ends.
        porosity: fluid voxels over all voxels.
        isolated: share of the fluid that reaches through the cell along none of ``axes`` and was left out.
        iterations: of MINRES, per direction.
        error: estimated relative error of each diagonal entry, of the discrete problem, not of the voxels.
        power_gap: |work of the pressure - dissipation| over work, per direction; zero at the exact solution.
        memory: bytes of the matrices and vectors.
        seconds: wall time.
        note: empty, or along which directions the pores do not connect.
    """

    axes: tuple[str, ...]
    voxel2: Floats
    voxel_size: float | None
    boundary: str
    porosity: float
    isolated: float
    iterations: tuple[int, ...]
    error: tuple[float, ...]
    power_gap: tuple[float, ...]
    memory: int
    seconds: float
    note: str

    @property
    def m2(self) -> Floats:
        """Permeability in m^2 ``[k, k]``.

        Raises:
            InputError: without a voxel size.
        """
        if self.voxel_size is None:
            raise InputError(
                "The permeability is known in squares of a voxel's edge only, because the pore flow was given no "
                "voxel size; pass for example voxel_size='5 um', or read voxel2."
            )
        found: Floats = self.voxel2 * self.voxel_size**2
        return found

    @property
    def darcy(self) -> Floats:
        """Permeability in darcy ``[k, k]``, 1 D = 9.869233e-13 m^2."""
        found: Floats = self.m2 / DARCY
        return found

    @property
    def millidarcy(self) -> Floats:
        """Permeability in millidarcy ``[k, k]``."""
        found: Floats = 1e3 * self.darcy
        return found

    def __str__(self) -> str:
        known = self.voxel_size is not None
        values = np.diag(self.millidarcy if known else self.voxel2)
        unit = "mD" if known else "voxel^2"
        shown = ", ".join(f"K{a}{a} = {v:.5g} {unit}" for a, v in zip(self.axes, values, strict=True))
        return f"{shown} (porosity {self.porosity:.4f}, {self.boundary})" + (f". {self.note}" if self.note else "")


@dataclass(frozen=True)
class LocalFlow:
    """The flow in every pore under one macroscopic pressure gradient.

    Args:
        pressure_gradient: ``[dim]``, x, y, z, the one imposed.
        velocity: ``[dim, *grid]`` at the centres of the voxels, x, y, z; zero in the solid.
        faces: per component (x, y, z) its values on the faces normal to it, one more than voxels along its own
            axis: entries i and i + 1 belong to voxel i. They conserve mass voxel by voxel.
        pressure: ``[*grid]`` at the centres, without its macroscopic part; mean zero over the flowing pores; zero
            elsewhere.
        flowing: ``[*grid]``, the voxels in which the flow was solved; isolated pores are not among them.
        darcy_flux: ``[dim]``, mean velocity over the whole cell.
        dissipation: mean over the cell of viscosity times the squared velocity gradient, W/m^3; equal to
            ``-pressure_gradient . darcy_flux`` at the exact solution.
        error: estimated error of the velocity relative to it, in the norm of the dissipation.
        velocity_unit: ``"m/s"``; ``"1"`` where viscosity and voxel size are not given: then both are 1.
        pressure_unit: ``"Pa"`` or ``"1"``.
    """

    pressure_gradient: Floats
    velocity: Floats
    faces: tuple[Floats, ...]
    pressure: Floats
    flowing: NDArray[np.bool_]
    darcy_flux: Floats
    dissipation: float
    error: float
    velocity_unit: str
    pressure_unit: str

    @property
    def speed(self) -> Floats:
        """Magnitude of the velocity ``[*grid]`` at the centres."""
        found: Floats = np.sqrt((self.velocity**2).sum(axis=0))
        return found
