"""Images as patches of one size, off what lies outside of the field of view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.cropping import moving_sum
from scalebridge.microstructure.micrograph import Micrograph, from_array, read
from scalebridge.microstructure.visible import field_of_view

Grey = NDArray[np.float64]

# Least share of a patch that shows material.
SHOWN = 0.95
# Patches along an axis of a very large image, at most: they are spread over it.
MOST = 32
# Patches of which a scatter can be told.
FEWEST = 4
# Origins of patches for training lie on a grid of this pitch, in pixels.
PITCH = 4


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image ready for patches.

    Args:
        micrograph: the image.
        inside: what shows material ``[h, w]``.
    """

    micrograph: Micrograph
    inside: NDArray[np.bool_]

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.micrograph.name

    @property
    def grey(self) -> Grey:
        """Grey values in [0, 1] ``[h, w]``."""
        return self.micrograph.grey

    @property
    def normalised(self) -> Grey:
        """Grey values of zero mean and unit deviation over what shows material; zero elsewhere."""
        shown = self.grey[self.inside]
        normal: Grey = np.where(self.inside, (self.grey - shown.mean()) / shown.std(), 0.0)
        return normal


def prepared(images: Iterable[Any]) -> list[Prepared]:
    """Micrographs, files of images, or arrays ``[rows, columns]`` of grey values, ready for patches.

    Raises:
        InputError: no images, or one that is no image, as `scalebridge.microstructure.from_array` says.
    """
    if isinstance(images, Micrograph | str | Path) or (isinstance(images, np.ndarray) and images.ndim == 2):
        images = [images]
    found = []
    for k, image in enumerate(images):
        micrograph = read(image) if isinstance(image, str | Path) else image
        if not isinstance(micrograph, Micrograph):
            micrograph = from_array(micrograph, name=f"image {k}")
        found.append(Prepared(micrograph, field_of_view(micrograph)))
    if not found:
        raise InputError("No images were given; give micrographs or arrays [rows, columns], at least one.")
    return found


def tiles(image: Prepared, size: int) -> NDArray[np.int64]:
    """Origins ``[p, 2]`` of patches side by side, evenly over the image, at least `FEWEST`.

    Raises:
        InputError: too few patches fit into what shows material.
    """
    rows, columns = (_spread(length, size) for length in image.grey.shape)
    found = np.array([(r, c) for r in rows for c in columns], dtype=np.int64).reshape(-1, 2)
    if len(found):
        found = found[_shown(image, size)[found[:, 0], found[:, 1]]]
    if len(found) < FEWEST:
        raise InputError(
            f"The image '{image.name}' of {image.grey.shape[0]} x {image.grey.shape[1]} pixels holds {len(found)} "
            f"patches of {size} pixels inside its field of view, too few for features with a scatter; at least "
            f"{FEWEST} are needed: use smaller patches, or larger images."
        )
    return found


def places(image: Prepared, size: int) -> NDArray[np.int64]:
    """All origins ``[n, 2]`` on a fine grid at which a patch shows material.

    Raises:
        InputError: no patch fits.
    """
    found = np.zeros((0, 2), dtype=np.int64)
    if min(image.grey.shape) >= size:
        found = np.argwhere(_shown(image, size)[::PITCH, ::PITCH]) * PITCH
    if not len(found):
        raise InputError(
            f"No patch of {size} pixels fits into the field of view of the image '{image.name}' "
            f"({image.grey.shape[0]} x {image.grey.shape[1]} pixels); give a smaller patch."
        )
    return found


def cut(grey: NDArray[Any], origins: NDArray[np.int64], size: int) -> NDArray[Any]:
    """Patches ``[p, size, size]`` at origins ``[p, 2]``."""
    return np.stack([grey[r : r + size, c : c + size] for r, c in origins.tolist()])


def names_of(images: Sequence[Prepared]) -> tuple[str, ...]:
    """What the images are called."""
    return tuple(image.name for image in images)


def _shown(image: Prepared, size: int) -> NDArray[np.bool_]:
    """Whether a patch at each origin shows material, ``[h - size + 1, w - size + 1]``."""
    return np.asarray(moving_sum(image.inside, size) >= SHOWN * size * size)


def _spread(length: int, size: int) -> NDArray[np.int64]:
    """Where patches side by side begin along an axis, evenly from one end to the other."""
    if length < size:
        return np.zeros(0, dtype=np.int64)
    count = min(MOST, max(1, length // size))
    return np.linspace(0, length - size, count).round().astype(np.int64)
