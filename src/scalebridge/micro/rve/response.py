"""What an RVE answers, as NumPy arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Response:
    """Macroscopic response of an RVE to ``b`` strains; a row that did not converge has a reason.

    Args:
        stress: ``[b, 3]``, mean stress in Pa (Mandel: s11, s22, sqrt2 s12).
        tangent: ``[b, 3, 3]``, consistent tangent in Pa.
        energy: ``[b]``, mean energy density in J/m^3.
        hill_mandel: ``[b]``, |<s:e> - <s>:<e>| / <s:e>, zero at exact equilibrium.
        residual: ``[b]``, stress out of balance over stress.
        newton: ``[b]``, Newton iterations.
        cg: ``[b]``, conjugate-gradient iterations, those of the tangent included.
        reason: ``[b]``, empty where the row converged.
        cost_s: ``[b]``, seconds.
    """

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
    """Full fields of an RVE under one macroscopic strain; x runs along the columns, y along the rows.

    Args:
        macro_strain: ``[3]``, the strain imposed (Mandel).
        strain: ``[3, ny, nx]``, per pixel (Mandel: e11, e22, sqrt2 e12).
        stress: ``[3, ny, nx]`` in Pa (Mandel).
        axial_stress: ``[ny, nx]``, s33 in Pa.
        displacement: ``[2, ny + 1, nx + 1]``, at the corners of the pixels, macroscopic part included, in
            ``length_unit``; the corner (0, 0) keeps its periodic fluctuation.
        length_unit: ``"m"``, or ``"pixel"`` where the RVE was given no pixel size.
        reason: empty; or why the fields are not in equilibrium.
    """

    macro_strain: Floats
    strain: Floats
    stress: Floats
    axial_stress: Floats
    displacement: Floats
    length_unit: str
    reason: str

    @property
    def von_mises(self) -> Floats:
        """Von Mises stress ``[ny, nx]`` in Pa of the three-dimensional stress."""
        s11, s22, s33 = self.stress[0], self.stress[1], self.axial_stress
        shear = self.stress[2] ** 2 / 2.0
        pairs = (s11 - s22) ** 2 + (s22 - s33) ** 2 + (s33 - s11) ** 2
        found: Floats = np.sqrt(0.5 * pairs + 3.0 * shear)
        return found

    @property
    def equivalent_strain(self) -> Floats:
        """Von Mises equivalent strain ``[ny, nx]``, sqrt(2/3 dev:dev) with e33 = 0."""
        trace = self.strain[0] + self.strain[1]
        found: Floats = np.sqrt(2.0 / 3.0 * ((self.strain**2).sum(0) - trace**2 / 3.0))
        return found
