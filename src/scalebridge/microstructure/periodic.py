"""A window made periodic for an FFT solver."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.microstructure.cropping import Window

WAYS = ("wrap", "mirror")


def periodise(window: Window | NDArray[np.uint8], how: str = "wrap") -> NDArray[np.uint8]:
    """Return labels ``[n, m]`` that an FFT solver may repeat.

    ``"wrap"`` takes the window as it is, ``[size, size]``: fractions and anisotropy are kept, but fibres cut by
    opposite edges do not meet, so that a seam of chopped fibres and false contacts runs along the edges; its
    share of the area falls as fibre diameter over size. ``"mirror"`` adds the mirror images, ``[2 size, 2 size]``:
    every fibre is closed and fractions are kept, but at four times the cost, with a symmetry that the material
    lacks: no coupling of shear and normal strain, and every cut fibre becomes a symmetric blob. The difference
    of a property between the two shows the size of the edge effect.

    Raises:
        InputError: an unknown ``how``, or labels that are not two-dimensional.
    """
    labels = window.labels if isinstance(window, Window) else np.asarray(window)
    if labels.ndim != 2:
        raise InputError(f"The labels to periodise have the shape {labels.shape}; [rows, columns] is needed.")
    if how == "wrap":
        return np.array(labels)
    if how == "mirror":
        half = np.concatenate([labels, labels[::-1]], axis=0)
        return np.concatenate([half, half[:, ::-1]], axis=1)
    raise InputError(f"The periodisation '{how}' is not known{did_you_mean(how, WAYS)}")
