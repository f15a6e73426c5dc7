"""Classical lamination theory with first-order transverse shear.

Source: R. M. Jones, Mechanics of Composite Materials, 2nd ed. 1999, chapter 4; J. N. Reddy, Mechanics of Laminated
Composite Plates and Shells, 2nd ed. 2004, chapter 3. Transverse shear stiffness: J. M. Whitney, J. Appl. Mech. 40
(1973) 302-304; K. Rohwer, Compos. Struct. 10 (1988) 95-102 (turned plies).

z points up from the middle: a positive force pulls, a positive moment pulls the top face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, ShapeError
from scalebridge.macro.laminate.amounts import positive
from scalebridge.macro.laminate.ply import Ply, strain_to_ply
from scalebridge.macro.laminate.stacking import angles as angles_of
from scalebridge.quantities import Floats

SHEAR_CORRECTION = 5.0 / 6.0
"""Factor of a homogeneous section (Reissner), by which published tables weigh ``sum G t`` of a laminate."""

NEGLIGIBLE = 1e-9
"""Couplings below this share of the direct stiffness are rounding."""


@dataclass(frozen=True)
class Layer:
    """A ply at ``angle`` degrees from x, ``thickness`` m (or a text) thick."""

    ply: Ply
    angle: float
    thickness: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "thickness", positive(self.thickness, "m", "The thickness of a layer"))


@dataclass(frozen=True)
class LaminateModuli:
    """Effective moduli in Pa and Poisson's ratio of a laminate, of pulling or of bending it."""

    Ex: float
    Ey: float
    nuxy: float
    Gxy: float


@dataclass(frozen=True)
class Loaded:
    """A laminate under load.

    Args:
        strain: of the middle ``[3]`` (xx, yy, engineering xy).
        curvature: ``[3]`` in 1/m (xx, yy, twice xy).
        stresses: in the axes of each layer (11, 22, 12) at its bottom and top ``[n, 2, 3]`` in Pa.
        heights: of bottom and top of each layer ``[n, 2]`` in m.
    """

    strain: Floats
    curvature: Floats
    stresses: Floats
    heights: Floats


@dataclass(frozen=True)
class Laminate:
    """Layers from the bottom up, perfectly bonded.

    Args:
        layers: at least one.
        shear_correction: ``None`` for the transverse shear stiffness of equal energy, right for soft cores too; or a
            factor of ``sum G t``, as `SHEAR_CORRECTION` in published tables, far too stiff where the layers' shear
            moduli are far apart.

    Raises:
        InputError: no layer, a factor that is not positive.
    """

    layers: tuple[Layer, ...]
    shear_correction: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise InputError("A laminate has no layers; give at least one Layer(ply, angle, thickness).")
        if self.shear_correction is not None:
            positive(self.shear_correction, "1", "The shear correction of a laminate")

    @classmethod
    def of(
        cls,
        ply: Ply,
        stacking: str | Sequence[float],
        thickness: str | float,
        *,
        shear_correction: float | None = None,
    ) -> Laminate:
        """Make a laminate of one ply: ``Laminate.of(ply, "[0/±45/90]s", "0.125 mm")``.

        Args:
            ply: of every layer.
            stacking: a sequence in shorthand, or angles in degrees from the bottom up.
            thickness: of each layer, in m or as a text.
            shear_correction: as of the class.
        """
        turned = angles_of(stacking) if isinstance(stacking, str) else stacking
        layers = tuple(Layer(ply, float(angle), thickness) for angle in turned)
        return cls(layers, shear_correction=shear_correction)

    @property
    def thickness(self) -> float:
        """Of all layers, in m."""
        return float(sum(layer.thickness for layer in self.layers))

    @cached_property
    def heights(self) -> Floats:
        """Heights of the interfaces ``[n + 1]`` in m, from the middle."""
        up = np.concatenate([[0.0], np.cumsum([layer.thickness for layer in self.layers])])
        return np.asarray(up - 0.5 * up[-1])

    @cached_property
    def A(self) -> Floats:
        """Extensional stiffness ``[3, 3]`` in N/m."""
        return self._moment(1)

    @cached_property
    def B(self) -> Floats:
        """Coupling stiffness ``[3, 3]`` in N; zero where the stack is symmetric."""
        return self._moment(2)

    @cached_property
    def D(self) -> Floats:
        """Bending stiffness ``[3, 3]`` in N m."""
        return self._moment(3)

    @cached_property
    def ABD(self) -> Floats:
        """Stiffness ``[6, 6]`` of middle strains and curvatures."""
        return np.block([[self.A, self.B], [self.B, self.D]])

    @cached_property
    def compliance(self) -> Floats:
        """Inverse of `ABD` ``[6, 6]``."""
        return np.asarray(np.linalg.inv(self.ABD), dtype=np.float64)

    @cached_property
    def H(self) -> Floats:
        """Transverse shear stiffness ``[2, 2]`` in N/m (xz, yz), the shear correction included.

        Raises:
            InputError: a ply without ``G23``.
        """
        moduli = np.stack([layer.ply.turned_shear(layer.angle) for layer in self.layers])
        if self.shear_correction is None:
            return self._shear_of_equal_energy(moduli)
        return np.asarray(self.shear_correction * np.tensordot(np.diff(self.heights), moduli, axes=1))

    @property
    def moduli(self) -> LaminateModuli:
        """Effective moduli of pulling, the laminate being free to bend where it couples."""
        return _moduli(self.compliance[:3, :3] * self.thickness)

    @property
    def flexural_moduli(self) -> LaminateModuli:
        """Effective moduli of bending, the middle being free to stretch where it couples."""
        return _moduli(self.compliance[3:, 3:] * self.thickness**3 / 12.0)

    @property
    def is_symmetric(self) -> bool:
        """Whether bending and stretching do not couple."""
        scale = float(np.abs(self.A).max()) * self.thickness
        return bool(np.abs(self.B).max() <= NEGLIGIBLE * scale)

    @property
    def bend_twist(self) -> float:
        """Largest of D16 and D26 over D11: zero of a cross-ply."""
        d = self.D
        return float(max(abs(d[0, 2]), abs(d[1, 2])) / d[0, 0])

    def thermal_loads(self, change: float) -> tuple[Floats, Floats]:
        """Return force ``[3]`` in N/m and moment ``[3]`` in N that hold a change of temperature in K back."""
        z = self.heights
        held = np.einsum("nij,nj->ni", self._turned, [layer.ply.expansion(layer.angle) for layer in self.layers])
        force: Floats = change * np.diff(z) @ held
        moment: Floats = change * 0.5 * np.diff(z**2) @ held
        return force, moment

    def loaded(
        self,
        force: ArrayLike = (0.0, 0.0, 0.0),
        moment: ArrayLike = (0.0, 0.0, 0.0),
        temperature_change: float = 0.0,
    ) -> Loaded:
        """Return strains, curvatures and ply stresses.

        Args:
            force: per width ``[3]`` in N/m (xx, yy, xy).
            moment: per width ``[3]`` in N; positive ones pull the top face.
            temperature_change: in K, free of stress at 0.

        Raises:
            ShapeError: a force or moment of another shape.
        """
        pushed = [_three(force, "force"), _three(moment, "moment")]
        for given, held in zip(pushed, self.thermal_loads(temperature_change), strict=True):
            given += held
        found: Floats = self.compliance @ np.concatenate(pushed)
        z = np.stack([self.heights[:-1], self.heights[1:]], axis=1)
        strains = found[:3] + z[..., None] * found[3:]
        stresses = [
            (strain_to_ply(layer.angle) @ (at - temperature_change * layer.ply.expansion(layer.angle)).T).T
            @ layer.ply.stiffness
            for layer, at in zip(self.layers, strains, strict=True)
        ]
        return Loaded(found[:3], found[3:], np.array(stresses), z)

    @cached_property
    def _turned(self) -> Floats:
        """Reduced stiffness of each layer in axes x, y ``[n, 3, 3]``."""
        return np.stack([layer.ply.turned(layer.angle) for layer in self.layers])

    def _shear_of_equal_energy(self, moduli: Floats) -> Floats:
        """Inverse of the energy of the shear stresses that balance a bending moment which grows along x, or along y.

        Those stresses are quadratic in z within a layer, so three points of Gauss integrate their energy exactly.
        """
        low, high = self.heights[:-1, None], self.heights[1:, None]
        points, weights = np.polynomial.legendre.leggauss(3)
        z = 0.5 * (low + high) + 0.5 * (high - low) * points
        coupled, bent = self.compliance[:3, 3:], self.compliance[3:, 3:]

        def pulled(upper: Floats) -> Floats:
            """Force of each layer ``[n, q, 3, 3]`` from its bottom to ``upper [n, q]``, of unit moments."""
            first, second = (upper - low)[..., None, None], 0.5 * (upper**2 - low**2)[..., None, None]
            return np.asarray(self._turned[:, None] @ (first * coupled + second * bent))

        below = np.cumsum(pulled(high)[:, 0], axis=0) - pulled(high)[:, 0]
        force = below[:, None] + pulled(z)
        # tau_xz balances sigma_x of Mx and tau_xy of My; tau_yz balances tau_xy of Mx and sigma_y of My.
        shear = np.stack([force[..., [0, 2], 0], force[..., [2, 1], 1]], axis=-1)
        energy = np.einsum("nqia,nij,nqjb->nqab", shear, np.linalg.inv(moduli), shear)
        return np.asarray(np.linalg.inv(np.einsum("nq,nqab->ab", 0.5 * (high - low) * weights, energy)))

    def _moment(self, order: int) -> Floats:
        found: Floats = np.tensordot(np.diff(self.heights**order) / order, self._turned, axes=1)
        return found


def _moduli(compliance: Floats) -> LaminateModuli:
    c = compliance
    return LaminateModuli(*(float(v) for v in (1 / c[0, 0], 1 / c[1, 1], -c[0, 1] / c[0, 0], 1 / c[2, 2])))


def _three(load: ArrayLike, name: str) -> Floats:
    found = np.array(load, dtype=np.float64)
    if found.shape != (3,) or not np.isfinite(found).all():
        raise ShapeError(f"The {name} on a laminate is {load!r}; give three finite numbers: xx, yy and xy.")
    return found
