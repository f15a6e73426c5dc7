"""What an RVE answers, as NumPy arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Response:
    """Macroscopic response of an RVE to ``b`` loads; a row that did not converge has a reason.

    Args:
        measure: ``[b, g]``, mean strain (Mandel), deformation gradient or gradient; found where the stress was given.
        stress: ``[b, g]``, mean stress in Pa (Mandel), first Piola-Kirchhoff stress, or flux.
        tangent: ``[b, g, g]``, consistent tangent.
        energy: ``[b]``, mean energy density in J/m^3.
        hill_mandel: ``[b]``, |<s:e> - <s>:<e>| / <|s:e|>, zero at exact equilibrium.
        residual: ``[b]``, stress out of balance over stress.
        newton: ``[b]``, Newton iterations.
        cg: ``[b]``, conjugate-gradient iterations, those of the tangent included.
        reason: ``[b]``, empty where the row converged.
        cost_s: ``[b]``, seconds.
    """

    measure: Floats
    stress: Floats
    tangent: Floats
    energy: Floats
    hill_mandel: Floats
    residual: Floats
    newton: NDArray[np.int64]
    cg: NDArray[np.int64]
    reason: tuple[str, ...]
    cost_s: Floats

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Which rows hold an answer ``[b]``."""
        return np.array([not r for r in self.reason], dtype=np.bool_)


@dataclass(frozen=True)
class LocalFields:
    """Full fields of an RVE at one macroscopic state; x runs along the last axis of the grid.

    Args:
        macro: ``[g]``, the mean strain (Mandel), deformation gradient or gradient.
        strain: ``[g, *grid]``, per voxel: strain (Mandel), deformation gradient or gradient.
        stress: ``[g, *grid]``: stress in Pa (Mandel), first Piola-Kirchhoff stress in Pa, or flux in W/m^2.
        axial_stress: ``[*grid]``, s33 in Pa of a plane law; ``None`` in space.
        displacement: ``[d, *(grid + 1)]``, at the corners of the voxels, macroscopic part included, in
            ``length_unit`` (a temperature ``[1, ...]`` in conduction); the first corner keeps its fluctuation.
        phases: ``[*grid]``, labels.
        spacing: edge of a voxel per axis, in ``length_unit``.
        length_unit: ``"m"``, or ``"voxel"`` where the RVE was given no voxel size.
        kind: ``"small strain"``, ``"finite strain"`` or ``"conduction"``.
        reason: empty; or why the fields are not in equilibrium.
    """

    macro: Floats
    strain: Floats
    stress: Floats
    axial_stress: Floats | None
    displacement: Floats
    phases: NDArray[np.int64]
    spacing: tuple[float, ...]
    length_unit: str
    kind: str
    reason: str

    @property
    def von_mises(self) -> Floats:
        """Von Mises stress ``[*grid]`` in Pa, of the three-dimensional stress at small strain."""
        normal, shear = self._stress_in_space()
        pairs = (normal[0] - normal[1]) ** 2 + (normal[1] - normal[2]) ** 2 + (normal[2] - normal[0]) ** 2
        found: Floats = np.sqrt(0.5 * pairs + 1.5 * shear)
        return found

    @property
    def equivalent_strain(self) -> Floats:
        """Von Mises equivalent strain ``[*grid]``, sqrt(2/3 dev:dev); e33 = 0 in the plane."""
        d = self.strain.ndim - 1
        trace = self.strain[:d].sum(0)
        found: Floats = np.sqrt(2.0 / 3.0 * ((self.strain**2).sum(0) - trace**2 / 3.0))
        return found

    def to_vti(self, path: str | Path) -> Path:
        """Write phases, strain, stress and displacement as VTK image data (ParaView, PyVista); return the path.

        Raises:
            InputError: the file cannot be written.
        """
        from scalebridge.microstructure.vti import write_vti

        small = self.kind == "small strain"
        cells = {"phase": self.phases, "strain": self.strain, "stress": self.stress}
        if small:
            cells["von_mises"] = self.von_mises
        points = {"temperature" if self.kind == "conduction" else "displacement": self.displacement}
        try:
            return write_vti(path, cells, self.spacing, points=points, mandel=("strain", "stress") if small else ())
        except OSError as error:
            raise InputError(f"The fields cannot be written to '{path}': {error.strerror}.") from error

    def _stress_in_space(self) -> tuple[list[Floats], Floats]:
        """Three normal stresses and the sum of the squares of Mandel shears."""
        if len(self.stress) == 6:
            return list(self.stress[:3]), (self.stress[3:] ** 2).sum(0)
        axial = np.zeros_like(self.stress[0]) if self.axial_stress is None else self.axial_stress
        return [self.stress[0], self.stress[1], axial], self.stress[2] ** 2
