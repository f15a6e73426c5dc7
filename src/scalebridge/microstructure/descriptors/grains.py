r"""Grain size of labelled grains, by intercepts and by counting (ASTM E112-13).

- intercept (Heyn): the mean lineal intercept is the length of lines over the grain boundaries they cross;
  :math:`G = -6.643856 \log_{10} \bar l_{mm} - 3.288`.
- planimetric (Jeffries): grains per area, those at the edge counted half;
  :math:`G = 3.321928 \log_{10} N_A - 2.954` with :math:`N_A` per square millimetre.

Both hold for sections of equiaxed grains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.descriptors.masks import Floats, Mask, checked_spacing
from scalebridge.microstructure.descriptors.region_shapes import measured
from scalebridge.quantities.units import magnitude


@dataclass(frozen=True, eq=False)
class GrainSize:
    """Sizes of grains in a section or volume, in the unit of the pixel size.

    Attributes:
        intercept: mean lineal intercept.
        intercept_std: its standard deviation, from the scatter among lines.
        diameter: mean equivalent diameter of the whole grains.
        diameter_std: its standard deviation.
        diameters: equivalent diameters of the whole grains, ``[n]``.
        count: grains, those cut by the edge counted half.
        per_area: grains per area or volume.
        unit: of the lengths: ``"um"``, or ``"px"`` where the pixel size is not known.
    """

    intercept: float
    intercept_std: float
    diameter: float
    diameter_std: float
    diameters: Floats
    count: float
    per_area: float
    unit: str
    dim: int

    @property
    def astm_intercept(self) -> float:
        """ASTM grain size number G by intercepts.

        Raises:
            InputError: the pixel size is not known.
        """
        return -6.643856 * math.log10(self._millimetres(self.intercept)) - 3.288

    @property
    def astm_intercept_std(self) -> float:
        """Its standard deviation."""
        return 6.643856 / math.log(10) * self.intercept_std / self.intercept

    @property
    def astm_planimetric(self) -> float:
        """ASTM grain size number G by the number of grains per area.

        Raises:
            InputError: the pixel size is not known; a volume, in which no area is counted.
        """
        if self.dim != 2:
            raise InputError("The planimetric grain size counts grains in a section; give a slice of the volume.")
        return 3.321928 * math.log10(self.per_area / self._millimetres(1.0) ** 2) - 2.954

    def _millimetres(self, length: float) -> float:
        if self.unit == "px":
            raise InputError(
                "The ASTM grain size number needs lengths in mm, but the pixel size is not known; "
                "give pixel_size='0.5 um'."
            )
        return magnitude(f"{length} {self.unit}", "mm", "The grain size")


def grain_size(labels: ArrayLike, inside: ArrayLike | None = None, pixel_size: str | None = None) -> GrainSize:
    """Return the size of grains.

    Args:
        labels: a whole number per grain ``[ny, nx]`` or ``[nz, ny, nx]``; 0 marks boundaries one or two pixels wide
            and no grain, a crossing of which counts once.
        inside: the pixels that count; all when ``None``.
        pixel_size: edge of a pixel with its unit, as ``"0.5 um"``; ``None`` for lengths in pixels.

    Raises:
        ShapeError: neither two nor three dimensions, or a field of view of another shape.
        InputError: no whole numbers; fewer than two grains, or no boundary crossed.
    """
    image: NDArray[Any] = np.asarray(labels)
    if image.ndim not in (2, 3) or not np.issubdtype(image.dtype, np.integer):
        raise ShapeError(f"The grains are {image.dtype} of shape {image.shape}; whole numbers [ny, nx] are needed.")
    shown = np.ones(image.shape, dtype=bool) if inside is None else np.asarray(inside, dtype=bool)
    if shown.shape != image.shape:
        raise ShapeError(f"The field of view has the shape {shown.shape} and the grains {image.shape}; give one shape.")
    edge, unit = (1.0, "px") if pixel_size is None else (magnitude(pixel_size, "um", "The pixel size"), "um")
    checked_spacing(edge)
    number = np.unique(image, return_inverse=True)[1].reshape(image.shape)
    grains = measured((number + int(image.min() > 0)).astype(np.int32), None if shown.all() else shown, edge)
    if len(grains) < 2:
        raise InputError(f"{len(grains)} grain in view has no size to tell; label each grain by a number of its own.")
    intercept, intercept_std = _intercept(image, shown)
    # Where few grains are whole, those cut would count as smaller ones.
    whole = grains.diameter[grains.whole]
    count = float(grains.whole.sum() + 0.5 * (~grains.whole).sum())
    n = max(whole.size, 1)
    return GrainSize(
        intercept * edge,
        intercept_std * edge,
        float(whole.mean()) if whole.size else float("nan"),
        float(whole.std(ddof=1)) / math.sqrt(n) if whole.size > 1 else float("nan"),
        whole,
        count,
        count / grains.seen,
        unit,
        image.ndim,
    )


def _intercept(labels: NDArray[Any], inside: Mask) -> tuple[float, float]:
    """Length of lines over boundaries crossed along the axes, and the deviation from lines a grain apart."""
    lengths, crossed = [], []
    for axis in range(labels.ndim):
        lines, seen = np.moveaxis(labels, axis, -1), np.moveaxis(inside, axis, -1)
        last = _filled(lines)
        change = (last[..., 1:] != last[..., :-1]) & seen[..., 1:] & seen[..., :-1] & (last[..., :-1] != 0)
        lengths.append((seen[..., 1:] & seen[..., :-1]).sum(axis=-1).ravel())
        crossed.append(change.sum(axis=-1).ravel())
    length, count = np.concatenate(lengths).astype(np.float64), np.concatenate(crossed).astype(np.float64)
    if not count.sum():
        raise InputError("No grain boundary is crossed by any line; give labels of more than one grain.")
    mean = float(length.sum() / count.sum())
    # Lines nearer than a grain see the same grains: a grain's width (in 3-D its section) of them is one draw.
    rest = count - length / mean
    draws = max(1.0, mean) ** (labels.ndim - 1)
    std = mean * math.sqrt(float((rest**2).sum()) * draws) / float(count.sum())
    return mean, std


def _filled(lines: NDArray[Any]) -> NDArray[Any]:
    """Give pixels of a boundary (0) to the grain before them on the line."""
    place = np.where(lines != 0, np.arange(lines.shape[-1]), 0)
    np.maximum.accumulate(place, axis=-1, out=place)
    return np.asarray(np.take_along_axis(lines, place, axis=-1))
