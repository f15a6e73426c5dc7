"""Images and masks that belong together, checked before anybody trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.masks import LabelMask
from scalebridge.microstructure.micrograph import Micrograph


@dataclass(frozen=True, eq=False)
class Pairs:
    """Images with their masks, all of the same classes."""

    images: tuple[Micrograph, ...]
    masks: tuple[LabelMask, ...]
    classes: tuple[str, ...]


def checked_pairs(
    images: Sequence[Micrograph], masks: Sequence[LabelMask], classes: tuple[str, ...] | None = None
) -> Pairs:
    """Return images and masks that pair.

    Args:
        images: grey images.
        masks: one for each, full or sparse.
        classes: the classes that are expected; those of the first mask when ``None``, all of which must then be marked.

    Raises:
        InputError: none given, other numbers, shapes or classes, or a class that is marked nowhere.
    """
    if not images or len(images) != len(masks):
        raise InputError(
            f"{len(images)} images and {len(masks)} masks were given; give one mask for each, at least one."
        )
    wanted = masks[0].classes if classes is None else classes
    for image, mask in zip(images, masks, strict=True):
        if mask.labels.shape != image.shape:
            raise InputError(
                f"The mask '{mask.name}' has the shape {mask.labels.shape}, and its image '{image.name}' has "
                f"{image.shape}; give images and masks in the same order."
            )
        if mask.classes != wanted:
            raise InputError(
                f"The mask '{mask.name}' has the classes {', '.join(mask.classes)}, and {', '.join(wanted)} are "
                "expected; read all masks with the same classes=."
            )
    if classes is None:
        marked = np.unique(np.concatenate([np.unique(mask.labels) for mask in masks]))
        absent = [name for number, name in enumerate(wanted) if number not in marked]
        if absent:
            raise InputError(f"The class {', '.join(absent)} is marked in no mask; mark some of it, or leave it out.")
    return Pairs(tuple(images), tuple(masks), wanted)


def regions(mask: LabelMask) -> NDArray[np.int64]:
    """Return a region number for every pixel ``[rows, columns]``, for validation within one image.

    A full mask is cut into quarters; of sparse strokes, those that touch (within two pixels) are one region.
    Regions part pixels, not what their features see: these reach over the borders.
    """
    from skimage.measure import label
    from skimage.morphology import dilation, disk

    rows, columns = mask.labels.shape
    if (mask.labels >= 0).mean() > 0.5:
        y, x = np.mgrid[:rows, :columns]
        return np.asarray(2 * (y >= rows / 2) + (x >= columns / 2), dtype=np.int64)
    near = dilation((mask.labels >= 0).astype(np.uint8), disk(1))
    return np.asarray(label(near, connectivity=2), dtype=np.int64)
