"""Square windows of a segmentation, fully inside of the field of view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.micrograph import SMALLEST_SIDE
from scalebridge.microstructure.segmentation import Segmentation

Mask = NDArray[np.bool_]
Rectangle = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Window:
    """A square of a segmentation.

    Attributes:
        origin: row and column of its upper left pixel.
        size: pixels on a side.
        labels: phase of every pixel, ``[size, size]`` uint8.
        fraction: area fraction of each phase within it, ``[phases]``.
        pixel_size: edge of a pixel with its unit, ``None`` when unknown.
    """

    origin: tuple[int, int]
    size: int
    labels: NDArray[np.uint8]
    fraction: NDArray[np.float64]
    pixel_size: str | None

    @property
    def rectangle(self) -> Rectangle:
        """Rows and columns it covers: ``(top, left, bottom, right)``, the last two excluded."""
        row, column = self.origin
        return row, column, row + self.size, column + self.size


def window(
    segmentation: Segmentation, size: int, origin: tuple[int, int], labels: NDArray[np.uint8] | None = None
) -> Window:
    """Cut the window of ``size`` pixels whose upper left pixel is ``origin`` (row, column).

    Args:
        segmentation: the segmentation.
        size: pixels on a side.
        origin: row and column of the upper left pixel.
        labels: other labels of the same image, such as ``segmentation.at(1)``.

    Raises:
        InputError: a window that leaves the image or the field of view.
    """
    _check_size(segmentation, size)
    row, column = origin
    rows, columns = segmentation.inside.shape
    if not (0 <= row <= rows - size and 0 <= column <= columns - size):
        raise InputError(
            f"The window of {size} pixels at row {row}, column {column} leaves the image '{segmentation.image.name}' "
            f"of {rows} x {columns} pixels; its origin may go to row {rows - size}, column {columns - size}."
        )
    area = np.s_[row : row + size, column : column + size]
    missing = 1 - float(segmentation.inside[area].mean())
    if missing > 0:
        raise InputError(
            f"The window of {size} pixels at row {row}, column {column} lies {missing:.1%} outside of the field of "
            f"view of '{segmentation.image.name}'; choose an origin further inside."
        )
    cut = np.array((segmentation.labels if labels is None else labels)[area])
    fraction = np.bincount(cut.ravel(), minlength=len(segmentation.phases)) / cut.size
    return Window((int(row), int(column)), int(size), cut, fraction, segmentation.image.pixel_size)


def windows(
    segmentation: Segmentation,
    size: int,
    count: int | None = None,
    seed: int = 0,
    inside: Mask | None = None,
    avoid: Mask | Sequence[Rectangle] | None = None,
) -> list[Window]:
    """Cut windows that lie fully inside of the field of view.

    Args:
        segmentation: the segmentation.
        size: pixels on a side.
        count: so many windows at random places, which may overlap; ``None`` for a grid of windows that do not.
        seed: of the random places.
        inside: where windows may lie, ``[rows, columns]``; the field of view when ``None``.
        avoid: where no window may reach: a mask, or rectangles ``(top, left, bottom, right)``.

    Raises:
        InputError: no place for such a window.
    """
    places = origins(segmentation, size, inside, avoid)
    if count is None:
        chosen = _grid(places, size)
    else:
        if count < 1:
            raise InputError(f"{count} windows were asked for; at least 1 is needed.")
        rng = np.random.default_rng(seed)
        chosen = places[rng.choice(len(places), size=count, replace=count > len(places))]
    return [window(segmentation, size, (int(row), int(column))) for row, column in chosen]


def origins(
    segmentation: Segmentation,
    size: int,
    inside: Mask | None = None,
    avoid: Mask | Sequence[Rectangle] | None = None,
) -> NDArray[np.int64]:
    """Return every origin ``[n, 2]`` of a window that lies inside and avoids what is to be avoided.

    Raises:
        InputError: there is none.
    """
    _check_size(segmentation, size)
    allowed = segmentation.inside & ~avoided(segmentation, avoid)
    if inside is not None:
        allowed = allowed & _checked_mask(segmentation, inside, "region for windows")
    found = np.argwhere(moving_sum(allowed, size) == size * size)
    if len(found) == 0:
        raise InputError(
            f"No window of {size} pixels fits inside of the field of view and region of "
            f"'{segmentation.image.name}' ({segmentation.inside.shape[0]} x {segmentation.inside.shape[1]} pixels); "
            "take a smaller size, or avoid less."
        )
    return found


def avoided(segmentation: Segmentation, avoid: Mask | Sequence[Rectangle] | None) -> Mask:
    """Return the mask ``[rows, columns]`` of what is to be avoided, from a mask or rectangles."""
    if avoid is None:
        return np.zeros_like(segmentation.inside)
    if isinstance(avoid, np.ndarray):
        return _checked_mask(segmentation, avoid, "region to avoid")
    mask = np.zeros_like(segmentation.inside)
    for rectangle in avoid:
        if len(rectangle) != 4 or rectangle[0] >= rectangle[2] or rectangle[1] >= rectangle[3]:
            raise InputError(
                f"The rectangle to avoid {tuple(rectangle)} is empty; give (top, left, bottom, right) in pixels."
            )
        top, left, bottom, right = (max(0, int(edge)) for edge in rectangle)
        mask[top:bottom, left:right] = True
    return mask


def moving_sum(values: NDArray[np.generic], size: int) -> NDArray[np.float64]:
    """Return the sum of ``values`` over every window, ``[rows - size + 1, columns - size + 1]``."""
    table = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    table[1:, 1:] = values.astype(np.float64).cumsum(axis=0).cumsum(axis=1)
    total: NDArray[np.float64] = table[size:, size:] - table[:-size, size:] - table[size:, :-size]
    return total + table[:-size, :-size]


def _grid(places: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return the origins on the grid of pitch ``size`` that holds most windows, of a few shifts tried."""
    best = places[:1]
    for down in range(0, size, max(1, size // 8)):
        for right in range(0, size, max(1, size // 8)):
            on_grid = places[((places - (down, right)) % size == 0).all(axis=1)]
            if len(on_grid) > len(best):
                best = on_grid
    return best


def _checked_mask(segmentation: Segmentation, mask: Mask, what: str) -> Mask:
    found = np.asarray(mask)
    if found.shape != segmentation.inside.shape or found.dtype != np.bool_:
        raise InputError(
            f"The {what} of '{segmentation.image.name}' is {found.dtype} of shape {found.shape}; "
            f"a boolean mask of shape {segmentation.inside.shape} is needed."
        )
    return found


def _check_size(segmentation: Segmentation, size: int) -> None:
    limit = min(segmentation.inside.shape)
    if not SMALLEST_SIDE <= size <= limit:
        raise InputError(
            f"A window of {size} pixels was asked for in '{segmentation.image.name}' of "
            f"{segmentation.inside.shape[0]} x {segmentation.inside.shape[1]} pixels; "
            f"its size may go from {SMALLEST_SIDE} to {limit}."
        )
