"""Checks of a phase image against its materials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.phases.phase import Phase


def checked_image(phases: ArrayLike) -> NDArray[np.int64]:
    """Return the labels ``[ny, nx]`` as a read-only integer array.

    Raises:
        InputError: not two-dimensional, empty, not finite, negative or not whole numbers.
    """
    image = np.asarray(phases)
    if image.ndim != 2 or min(image.shape) < 1:
        raise ShapeError(
            f"The phase image of an RVE has shape {image.shape}; it must be a two-dimensional array [ny, nx] "
            "of labels, so pass one slice."
        )
    if image.dtype.kind not in "biuf":
        raise InputError(f"The phase image of an RVE holds {image.dtype} values; it must hold the labels 0, 1, ...")
    if image.dtype.kind == "f":
        bad = np.argwhere(~np.isfinite(image))
        if len(bad):
            i, j = (int(k) for k in bad[0])
            raise InputError(
                f"The phase image of an RVE is {image[i, j]} at pixel ({i}, {j}) and in {len(bad)} pixels in all; "
                "labels must be whole numbers, so segment the image first."
            )
        if np.any(image != np.rint(image)):
            raise InputError(
                "The phase image of an RVE holds fractions such as "
                f"{float(image[image != np.rint(image)][0]):g}; labels must be whole numbers, so segment it first."
            )
    if image.min() < 0:
        raise InputError(f"The phase image of an RVE holds the label {int(image.min())}; labels start at 0.")
    labels = np.array(image, dtype=np.int64)
    labels.flags.writeable = False
    return labels


def checked_materials(image: NDArray[np.int64], materials: Sequence[Phase], homogeneous: bool) -> tuple[Phase, ...]:
    """Return the materials as a tuple once they and the labels belong together.

    Raises:
        InputError: a label without material, a material without pixels, something that is no material.
    """
    laws = tuple(materials)
    for k, law in enumerate(laws):
        if not isinstance(law, Phase):
            raise InputError(
                f"Material {k} of the RVE is {law!r}, which is no phase; give for example "
                "sb.micro.Elastic(E='72 GPa', nu=0.22)."
            )
    present = sorted(int(k) for k in np.unique(image))
    if present[-1] >= len(laws):
        count = int((image == present[-1]).sum())
        raise InputError(
            f"The label {present[-1]} of the phase image ({count} pixels) has no material: there are {len(laws)}, "
            f"for the labels 0 to {len(laws) - 1}; give one material per label."
        )
    if not homogeneous and len(present) < 2:
        raise InputError(
            f"The phase image of the RVE holds the label {present[0]} only; check its segmentation, "
            "or pass homogeneous=True if one phase is meant."
        )
    missing = sorted(set(range(len(laws))) - set(present))
    if missing and not homogeneous:
        raise InputError(
            f"Material {missing[0]} ({laws[missing[0]].name}) of the RVE has no pixel; the image holds the labels "
            f"{', '.join(map(str, present))}, so drop that material or check the segmentation."
        )
    return laws
