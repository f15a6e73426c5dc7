"""The simulation box: orthogonal, triclinic or general, and places in it.

Source: LAMMPS documentation, "Triclinic (non-orthogonal) simulation boxes" and command ``dump``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.errors import InputError
from scalebridge.quantities import Floats


@dataclass(frozen=True, eq=False)
class Box:
    """A parallelepiped.

    Attributes:
        origin: its lower corner ``[3]``.
        edges: its edge vectors as rows ``[3, 3]``.
        boundary: per direction two letters as LAMMPS writes them: p periodic, f fixed, s shrink-wrapped, m with a
            minimum; such as ``("pp", "pp", "ff")``.
    """

    origin: Floats
    edges: Floats
    boundary: tuple[str, ...] = ("pp", "pp", "pp")

    @property
    def periodic(self) -> tuple[bool, ...]:
        """Whether each direction is periodic."""
        return tuple(word.startswith("p") for word in self.boundary)

    @property
    def volume(self) -> float:
        """Volume in the cube of the unit of length."""
        with np.errstate(all="ignore"):
            return float(abs(np.linalg.det(self.edges)))

    @property
    def orthogonal(self) -> bool:
        """Whether the edges lie along x, y and z."""
        return bool(np.all(self.edges == np.diag(np.diag(self.edges))))

    def from_scaled(self, scaled: Floats) -> Floats:
        """Places ``[n, 3]`` from fractions of the edges; NaN where a fraction is no number."""
        return np.asarray(self.origin + self._turned(scaled, self.edges))

    def to_scaled(self, places: Floats) -> Floats:
        """Fractions of the edges ``[n, 3]`` from places.

        Raises:
            InputError: a box without volume.
        """
        if not (self.volume > 0 and np.isfinite(self.edges).all()):
            raise InputError(f"The box has the volume {self.volume:g}, in which nothing has a place; it is damaged.")
        with np.errstate(all="ignore"):
            return self._turned(places - self.origin, np.asarray(np.linalg.inv(self.edges), dtype=np.float64))

    def wrapped(self, places: Floats) -> Floats:
        """Places ``[n, 3]`` moved into the box along its periodic directions."""
        turns = np.where(self.periodic, np.floor(self.to_scaled(places)), 0.0)
        return np.asarray(places - self._turned(turns, self.edges))

    def _turned(self, rows: Floats, matrix: Floats) -> Floats:
        with np.errstate(all="ignore"):
            return np.asarray(rows @ matrix)


def box_from_bounds(bounds: Floats, boundary: tuple[str, ...]) -> Box:
    """Box of a dump from the three lines after ``BOX BOUNDS``.

    Args:
        bounds: ``[3, 2]`` low and high; ``[3, 3]`` low and high of the bounding box with a tilt (xy, xz, yz).
        boundary: letters per direction.
    """
    low, high = bounds[:, 0].copy(), bounds[:, 1].copy()
    xy, xz, yz = bounds[:, 2] if bounds.shape[1] == 3 else (0.0, 0.0, 0.0)
    low[0] -= min(0.0, xy, xz, xy + xz)
    high[0] -= max(0.0, xy, xz, xy + xz)
    low[1] -= min(0.0, yz)
    high[1] -= max(0.0, yz)
    return tilted_box(low, high, (xy, xz, yz), boundary)


def tilted_box(low: Floats, high: Floats, tilt: tuple[float, float, float], boundary: tuple[str, ...]) -> Box:
    """Box from the corners ``[3]`` of its untilted form and the tilt xy, xz, yz."""
    xy, xz, yz = tilt
    lx, ly, lz = high - low
    return Box(np.asarray(low), np.array([[lx, 0.0, 0.0], [xy, ly, 0.0], [xz, yz, lz]]), boundary)
