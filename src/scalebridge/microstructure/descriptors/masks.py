"""What every descriptor of a phase takes: an indicator, and the part of the image that shows material."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

_CHUNK = 1 << 22


def checked(phase: ArrayLike, inside: ArrayLike | None = None) -> tuple[Mask, Mask | None]:
    """Return the indicator of a phase ``[*grid]`` and the pixels that count, ``None`` for all.

    Raises:
        ShapeError: neither two nor three dimensions, empty, or two different shapes.
        InputError: values that are no booleans or 0 and 1; nothing inside.
    """
    mask = _indicator(phase, "phase")
    if inside is None:
        return mask, None
    visible = _indicator(inside, "field of view")
    if visible.shape != mask.shape:
        raise ShapeError(f"The field of view has the shape {visible.shape} and the phase {mask.shape}; give one shape.")
    if not visible.any():
        raise InputError("The field of view is empty; mark the pixels that show material.")
    return mask, None if visible.all() else visible


def checked_spacing(spacing: float) -> float:
    """Return the edge of a pixel.

    Raises:
        InputError: not positive and finite.
    """
    edge = float(spacing)
    if not (math.isfinite(edge) and edge > 0):
        raise InputError(f"The edge of a pixel is {spacing}; it must be positive and finite.")
    return edge


def slab_ranges(shape: tuple[int, ...], chunk: int = _CHUNK) -> Iterator[slice]:
    """Yield slices along the first axis of about ``chunk`` pixels each, so that temporaries stay small."""
    step = max(1, chunk // max(1, math.prod(shape[1:])))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


def _indicator(values: ArrayLike, name: str) -> Mask:
    array: NDArray[Any] = np.asarray(values)
    if array.ndim not in (2, 3) or array.size == 0:
        raise ShapeError(f"The {name} has the shape {array.shape}; [ny, nx] or [nz, ny, nx] is needed, not empty.")
    if array.dtype == np.bool_:
        return array
    if not np.issubdtype(array.dtype, np.integer) or array.min() < 0 or array.max() > 1:
        raise InputError(f"The {name} holds {array.dtype} values other than 0 and 1; give a mask, as in labels == 1.")
    return array.astype(bool)
