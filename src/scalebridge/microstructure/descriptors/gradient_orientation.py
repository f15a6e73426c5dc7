"""Orientation of lines and fibres by the structure tensor of grey values, in 2-D and 3-D.

The gradient's outer product, averaged over a neighbourhood, has its least eigenvalue along the direction in which the
grey values change least: the fibre (Bigun and Granlund 1987; in 3-D Krause et al., NDT&E Int. 43 (2010) 230).
Coherence is (l2 - l1) / (l2 + l1) with the two lowest eigenvalues: 0 where no direction is told, 1 for a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.descriptors.eigen import least_direction
from scalebridge.microstructure.descriptors.masks import Mask, slab_ranges

Singles = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class OrientationField:
    """Directions on a grid, sign without meaning.

    Attributes:
        direction: unit vectors ``[d, *places]``, components in the order x, y(, z): x is the last axis, y points down
            the rows as they are stored.
        coherence: how clear the direction is, in [0, 1], ``[*places]``.
        energy: sum of the eigenvalues, ``[*places]``: the weight of a place.
        inside: places that count, ``[*places]``.
        step: pixels from one place to the next.
    """

    direction: Singles
    coherence: Singles
    energy: Singles
    inside: Mask
    step: int

    @property
    def angle(self) -> Singles:
        """Angle from x in degrees ``[*places]`` in (-90, 90], counter-clockwise as the image is seen; 2-D only.

        Raises:
            InputError: three dimensions.
        """
        if len(self.direction) != 2:
            raise InputError("One angle tells no direction in 3-D; use direction, the unit vectors.")
        angle = np.degrees(np.arctan2(-self.direction[1], self.direction[0]))
        angle = np.where(angle <= -90, angle + 180, angle)
        return np.asarray(np.where(angle > 90, angle - 180, angle), dtype=np.float32)


def structure_tensor(
    grey: ArrayLike, inside: ArrayLike | None = None, *, sigma: float = 1.0, rho: float = 3.0, step: int | None = None
) -> OrientationField:
    """Return the orientation field of an image.

    Args:
        grey: grey values or an indicator, ``[ny, nx]`` or ``[nz, ny, nx]``.
        inside: the pixels that count; all when ``None``. Gradients across its edge are left out.
        sigma: width in pixels of the Gaussian derivative: noise below is lost.
        rho: width in pixels of the neighbourhood over which directions are averaged, about half a fibre diameter.
        step: pixels from one place to the next; ``None`` for 1 in 2-D and 2 in 3-D.

    Raises:
        ShapeError: neither two nor three dimensions, or a field of view of another shape.
        InputError: widths or a step that are not positive; no place inside.
    """
    values = np.asarray(grey)
    if values.ndim not in (2, 3) or min(values.shape) < 3:
        raise ShapeError(f"The image has the shape {values.shape}; [ny, nx] or [nz, ny, nx] from 3 pixels is needed.")
    shown = np.ones(values.shape, dtype=bool) if inside is None else np.asarray(inside, dtype=bool)
    if shown.shape != values.shape:
        raise ShapeError(f"The field of view has the shape {shown.shape} and the image {values.shape}; give one shape.")
    stride = (1 if values.ndim == 2 else 2) if step is None else step
    if not (sigma > 0 and rho > 0 and stride >= 1):
        raise InputError(f"sigma {sigma}, rho {rho} and step {step} must be positive.")
    kept = _deep(shown, round(3 * sigma))[(slice(stride // 2, None, stride),) * values.ndim]
    if not kept.any():
        raise InputError(f"No pixel lies {round(3 * sigma)} pixels within the field of view; give a larger one.")
    tensor = _tensor(values, shown, sigma, rho, stride)
    return _field(tensor, kept, stride)


def _field(tensor: dict[tuple[int, int], Singles], inside: Mask, stride: int) -> OrientationField:
    dim = inside.ndim
    direction = np.zeros((dim, *inside.shape), dtype=np.float32)
    coherence, energy = np.zeros(inside.shape, dtype=np.float32), np.zeros(inside.shape, dtype=np.float32)
    for part in slab_ranges(inside.shape, 1 << 16):
        values, vector = least_direction({key: found[part].astype(np.float64) for key, found in tensor.items()})
        direction[:, part] = vector[::-1]
        both = values[0] + values[1]
        coherence[part] = np.where(both > 0, (values[1] - values[0]) / np.where(both > 0, both, 1), 0.0).clip(0, 1)
        energy[part] = values.sum(axis=0)
    return OrientationField(direction, coherence, energy, inside, stride)


def _tensor(
    values: NDArray[Any], inside: Mask, sigma: float, rho: float, stride: int
) -> dict[tuple[int, int], Singles]:
    """Averaged products of derivatives at every ``stride``-th place, by slabs that overlap."""
    dim, margin = values.ndim, int(np.ceil(3 * sigma + 3 * rho)) + 2
    shape = tuple(len(range(stride // 2, n, stride)) for n in values.shape)
    keys = [(i, j) for i in range(dim) for j in range(i, dim)]
    found = {key: np.zeros(shape, dtype=np.float32) for key in keys}
    for part in slab_ranges(values.shape, 1 << 22):
        low, high = max(part.start - margin, 0), min(part.stop + margin, values.shape[0])
        slopes = _slopes(values[low:high], inside[low:high], sigma)
        rows = np.arange(stride // 2, values.shape[0], stride)
        rows = rows[(rows >= part.start) & (rows < part.stop)]
        for i, j in keys:
            found[i, j][rows // stride] = _averaged(slopes[i] * slopes[j], rho, stride)[rows - low]
    return found


def _slopes(values: NDArray[Any], inside: Mask, sigma: float) -> list[Singles]:
    from scipy.ndimage import gaussian_filter

    grey = values.astype(np.float32)
    known = _deep(inside, round(3 * sigma))
    slopes = []
    for axis in range(grey.ndim):
        order = [int(k == axis) for k in range(grey.ndim)]
        slopes.append(gaussian_filter(grey, sigma, order=order, mode="nearest", truncate=3.0) * known)
    return slopes


def _averaged(product: Singles, rho: float, stride: int) -> Singles:
    """Smooth, and keep every ``stride``-th place of all axes but the first as soon as its axis is done."""
    from scipy.ndimage import gaussian_filter1d

    for axis in reversed(range(product.ndim)):
        product = gaussian_filter1d(product, rho, axis=axis, mode="nearest", truncate=3.0)
        if axis:
            product = product[(slice(None),) * axis + (slice(stride // 2, None, stride),)]
    return product


def _deep(inside: Mask, depth: int) -> Mask:
    """Pixels of the field of view whose neighbourhood lies in it too; the image's own edge is no matter."""
    from scipy.ndimage import minimum_filter

    if depth < 1 or inside.all():
        return inside
    return np.asarray(minimum_filter(inside.view(np.uint8), 2 * depth + 1, mode="nearest").view(bool))
