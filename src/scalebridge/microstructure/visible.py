"""The part of an image that shows material: the black around a round field of view is not void."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.micrograph import Micrograph

SMALLEST_OUTSIDE = 1e-3
"""Least share of the image that a dark border region must hold to lie outside of the field of view."""

SMALLEST_CORNER = 10
"""The same in pixels for a region that holds a corner of the image or lies next to it."""

TOLERANCE = 0.02
"""How far above the darkest border value a pixel may lie and still count as outside, in full scale."""


def field_of_view(image: Micrograph | NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the pixels ``[rows, columns]`` that show material.

    Outside is what is (1) within `TOLERANCE` of the darkest value on the image's border, (2) connected to
    the border through such pixels, (3) at least `SMALLEST_OUTSIDE` of the image, or in a corner of it, (4) a
    good step darker than the rest, and (5) not a bay: a field of view is convex, so a region that lies mostly
    within the convex hull of the remaining pixels is a void that the border cuts, and stays. An image of two
    grey values only is taken as phases already told apart: all of it is inside.
    """
    from skimage.measure import label, regionprops

    grey = image.grey if isinstance(image, Micrograph) else np.asarray(image, dtype=np.float64)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    level = border.min() + TOLERANCE
    dark = grey <= level
    outside = np.zeros(grey.shape, dtype=bool)
    two_values = bool(np.isin(grey, [grey.min(), grey.max()]).all())
    if two_values or dark.all() or level + TOLERANCE > np.median(grey[~dark]) - 2 * TOLERANCE:
        return ~outside
    for region in regionprops(label(dark, connectivity=1)):
        if _touches_border(region.bbox, grey.shape) and region.area >= _smallest(region.bbox, grey.shape):
            outside[tuple(region.coords.T)] = True
    if outside.any():
        _keep_bays(outside)
    return ~outside


def checked_view(image: Micrograph, inside: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Return the field of view given, ``[rows, columns]``, or the one found when it is ``None``.

    Raises:
        InputError: no boolean mask of the image's shape, or an empty one.
    """
    if inside is None:
        return field_of_view(image)
    mask = np.asarray(inside)
    if mask.shape != image.shape or mask.dtype != np.bool_:
        raise InputError(
            f"The field of view given for '{image.name}' is {mask.dtype} of shape {mask.shape}; "
            f"a boolean mask of shape {image.shape} is needed."
        )
    if not mask.any():
        raise InputError(f"The field of view given for '{image.name}' is empty; mark the pixels that show material.")
    return mask


def _touches_border(box: tuple[int, int, int, int], shape: tuple[int, ...]) -> bool:
    return box[0] == 0 or box[1] == 0 or box[2] == shape[0] or box[3] == shape[1]


def _smallest(box: tuple[int, int, int, int], shape: tuple[int, ...]) -> float:
    near = 0.05
    vertical = box[0] <= near * shape[0] or box[2] >= (1 - near) * shape[0]
    horizontal = box[1] <= near * shape[1] or box[3] >= (1 - near) * shape[1]
    return SMALLEST_CORNER if vertical and horizontal else SMALLEST_OUTSIDE * shape[0] * shape[1]


def _keep_bays(outside: NDArray[np.bool_]) -> None:
    from skimage.measure import label
    from skimage.morphology import convex_hull_image

    parts = label(outside, connectivity=1)
    hull = convex_hull_image(~outside)
    for part in range(1, int(parts.max()) + 1):
        pixels = parts == part
        if hull[pixels].mean() > 0.5:
            outside[pixels] = False
