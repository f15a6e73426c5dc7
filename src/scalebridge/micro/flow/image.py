"""Which voxels of an image hold the fluid, and how large they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities.units import magnitude

Mask = NDArray[np.bool_]


def fluid_mask(phases: ArrayLike, fluid: Any) -> Mask:
    """Return which voxels are fluid, read-only, ``[ny, nx]`` or ``[nz, ny, nx]``.

    Args:
        phases: labels or booleans.
        fluid: label of the fluid or several of them, or a boolean mask of the shape of ``phases``;
            ``None`` is label 0.

    Raises:
        InputError: not two- or three-dimensional, not finite, no labels, a label that does not occur, no fluid.
    """
    image = np.asarray(phases)
    if image.ndim not in (2, 3) or min(image.shape) < 1:
        raise ShapeError(
            f"The image of a pore flow has shape {image.shape}; it must be [ny, nx] or [nz, ny, nx] with at least "
            "one voxel each way."
        )
    _check_labels(image)
    given = None if fluid is None else np.asarray(fluid)
    if given is not None and given.dtype == np.bool_ and given.ndim > 0:
        if given.shape != image.shape:
            raise ShapeError(
                f"The fluid mask of a pore flow has shape {given.shape} and its image {image.shape}; "
                "give a mask of the same shape or the label of the fluid."
            )
        mask = given.copy()
    else:
        mask = _labelled(image, fluid)
    if not mask.any():
        raise InputError("The fluid mask of a pore flow holds no fluid voxel; check which value marks the pores.")
    mask.flags.writeable = False
    return mask


def _check_labels(image: NDArray[Any]) -> None:
    if image.dtype.kind not in "biuf":
        raise InputError(f"The image of a pore flow holds {image.dtype} values; it must hold labels or booleans.")
    if image.dtype.kind != "f":
        return
    bad = np.argwhere(~np.isfinite(image))
    if len(bad):
        where = tuple(int(k) for k in bad[0])
        raise InputError(
            f"The image of a pore flow is {image[where]} at voxel {where} and not finite in {len(bad)} voxels in all; "
            "labels must be whole numbers, so segment the image first."
        )
    fractions = image[image != np.rint(image)]
    if len(fractions):
        raise InputError(
            f"The image of a pore flow holds fractions such as {float(fractions[0]):g}; labels must be whole numbers, "
            "so segment it first."
        )


def _labelled(image: NDArray[Any], fluid: Any) -> Mask:
    if fluid is None and image.dtype == np.bool_:
        raise InputError(
            "The image of a pore flow holds booleans, of which either may mean pore; "
            "pass fluid=True if the pores are True, else fluid=False."
        )
    labels: list[Any] = list(np.atleast_1d(np.asarray(0 if fluid is None else fluid)))
    known = np.unique(image)
    for label in labels:
        if label not in known:
            listed = ", ".join(f"{float(k):g}" for k in known[:8]) + (", ..." if len(known) > 8 else "")
            raise InputError(
                f"The fluid of a pore flow is the label {label}, which no voxel of the image has; "
                f"its labels are {listed}, so pass one of them as fluid."
            )
    return np.asarray(np.isin(image, labels))


def voxel_edges(voxel_size: Any, dim: int) -> tuple[float, ...] | None:
    """Return the edges of a voxel in m in the order of the image's axes, or ``None`` where not known.

    Raises:
        InputError: not positive and finite, or neither one edge nor one per axis.
    """
    if voxel_size is None:
        return None
    several = isinstance(voxel_size, Sequence | np.ndarray) and not isinstance(voxel_size, str)
    given = list(voxel_size) if several else [voxel_size] * dim
    if len(given) != dim:
        raise InputError(
            f"The voxel size of a pore flow has {len(given)} entries for an image of {dim} axes; "
            "give one edge, or one per axis in the order of the image."
        )
    return tuple(positive(edge, "m", "The voxel size of a pore flow") for edge in given)


def positive(value: str | float, unit: str, owner: str) -> float:
    """Return a positive finite number in ``unit`` from a number or a text with a unit.

    Raises:
        InputError: zero, negative or not finite.
    """
    number = magnitude(value, unit, owner)
    if not (math.isfinite(number) and number > 0):
        raise InputError(f"{owner} is {value}; it must be a positive finite number in {unit}.")
    return number
