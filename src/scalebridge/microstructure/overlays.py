"""Arrays that make figures of segmentations easy."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from scalebridge.microstructure.cropping import Rectangle, Window
from scalebridge.microstructure.segmentation import Segmentation


def outlines(segmentation: Segmentation, labels: NDArray[np.uint8] | None = None) -> NDArray[np.bool_]:
    """Return the boundary pixels of the phases inside the field of view, ``[rows, columns]``.

    Boundary pixels belong to the brighter phase, so that lines one pixel wide between fibres stay visible.
    """
    from scipy.ndimage import minimum_filter

    shown = segmentation.labels if labels is None else labels
    return np.asarray((shown > minimum_filter(shown, 3)) & segmentation.inside)


def rectangles(found: Iterable[Window]) -> list[Rectangle]:
    """Return ``(top, left, bottom, right)`` in pixels of each window, the last two excluded."""
    return [each.rectangle for each in found]
