"""Masks drawn by people: label images, overlays with one colour per class, and sparse strokes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.decoding import LARGEST_PIXELS
from scalebridge.microstructure.micrograph import Micrograph

Class = int | tuple[int, int, int] | Literal["rest"]
Labels = NDArray[np.int16]

UNMARKED = -1
"""Label of a pixel that nobody marked."""

SAME_IMAGE = 0.99
"""Least share of the uncoloured pixels of an overlay that equal its image: an overlay of another image is refused."""


@dataclass(frozen=True, eq=False)
class LabelMask:
    """The class of every pixel; build it by `read_mask` or `as_mask`.

    Attributes:
        labels: number of the class of every pixel, `UNMARKED` (-1) where nobody marked it, ``[rows, columns]`` int16.
        classes: names, in the order of the labels.
        name: what messages call it.
    """

    labels: Labels
    classes: tuple[str, ...]
    name: str

    @property
    def fraction(self) -> NDArray[np.float64]:
        """Share of each class among the marked pixels, ``[classes]``."""
        marked = self.labels[self.labels >= 0]
        return np.bincount(marked, minlength=len(self.classes)) / max(marked.size, 1)

    def of(self, name: str) -> NDArray[np.bool_]:
        """Return the pixels of a class, ``[rows, columns]``."""
        if name not in self.classes:
            raise InputError(f"The mask '{self.name}' has no class '{name}'; it has {', '.join(self.classes)}.")
        return np.asarray(self.labels == self.classes.index(name))


def read_mask(
    path: str | Path,
    classes: Mapping[str, Class],
    *,
    image: Micrograph | None = None,
    unmarked: int | None = None,
) -> LabelMask:
    """Read a mask from an image file.

    ::

        read_mask("mask.png", {"background": 0, "oxide": 1, "crack": 2})
        read_mask("overlay.png", {"matrix": "rest", "large": (0, 0, 255), "small": (255, 0, 0)}, image=image)
        read_mask("strokes.png", {"centre": 2, "between": 1}, unmarked=0)

    Args:
        path: the file: grey levels or palette indices, or colours.
        classes: name to grey level, to colour ``(red, green, blue)``, or to ``"rest"`` for all uncoloured pixels.
        image: the image it belongs to; its shape is checked, and an overlay's uncoloured pixels must show it.
        unmarked: grey level of pixels without a class, for strokes.

    Raises:
        InputError: missing or unreadable, grey levels or colours that no class has (how many, the first where), another
            shape than its image, or an overlay of another image.
    """
    name = str(path)
    _check_classes(classes, name)
    samples = _decode(Path(path))
    if image is not None and samples.shape[:2] != image.shape:
        raise InputError(
            f"The mask '{name}' has {samples.shape[0]} x {samples.shape[1]} pixels, and its image '{image.name}' has "
            f"{image.shape[0]} x {image.shape[1]}; give the mask of this image, not resized or cropped."
        )
    coloured = any(not isinstance(value, int) for value in classes.values())
    labels = _of_colours(samples, classes, image, name) if coloured else _of_levels(samples, classes, unmarked, name)
    return LabelMask(labels, tuple(classes), name)


def as_mask(labels: NDArray[Any], classes: tuple[str, ...], name: str = "mask") -> LabelMask:
    """Return the mask of an array ``[rows, columns]`` of class numbers, -1 where unmarked.

    Raises:
        InputError: not two-dimensional, empty, not integers, or a number that is no class.
    """
    array = np.asarray(labels)
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "biu":
        raise InputError(
            f"The mask '{name}' is {array.dtype} of shape {array.shape}; integers [rows, columns], not empty, are "
            "needed."
        )
    wide = array.astype(np.int64)
    if wide.min() < UNMARKED or wide.max() >= len(classes):
        raise InputError(
            f"The mask '{name}' holds the numbers {wide.min()} to {wide.max()}, and its classes are numbered 0 to "
            f"{len(classes) - 1} ({', '.join(classes)}), with -1 for unmarked pixels."
        )
    return LabelMask(wide.astype(np.int16), classes, name)


def _check_classes(classes: Mapping[str, Class], name: str) -> None:
    kinds = {type(value) for value in classes.values()}
    if len(classes) < 2 or len(set(classes.values())) < len(classes):
        raise InputError(
            f"The classes of the mask '{name}' are {dict(classes)}; give at least two, each another value."
        )
    for value in classes.values():
        if not isinstance(value, str | int) and not (len(value) == 3 and all(0 <= part <= 255 for part in value)):
            raise InputError(
                f"The colour {value} of the mask '{name}' is none; give red, green and blue from 0 to 255, as in "
                "(0, 0, 255)."
            )
    if int in kinds and len(kinds) > 1:
        raise InputError(
            f"The classes of the mask '{name}' mix grey levels and colours ({dict(classes)}); give levels such as 1, "
            "or colours such as (255, 0, 0) with 'rest' for what is uncoloured."
        )


def _decode(path: Path) -> NDArray[np.uint8]:
    from PIL import Image

    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"The mask '{path}' {what}; give the path of an image file.")
    try:
        with Image.open(path) as image:
            if image.size[0] * image.size[1] > LARGEST_PIXELS:
                raise InputError(
                    f"The mask '{path}' has {image.size[1]} x {image.size[0]} pixels, more than can be read."
                )
            if image.mode in {"L", "P", "1"}:
                return np.asarray(image.convert("L") if image.mode == "1" else image).astype(np.uint8)
            if image.mode in {"RGB", "RGBA"}:
                return np.asarray(image)[:, :, :3].astype(np.uint8)
            mode = image.mode
    except InputError:
        raise
    except Exception as error:  # decoders raise whatever their library raises on damaged bytes
        raise InputError(
            f"The mask '{path}' cannot be decoded; it may be truncated or no image, export it again."
        ) from error
    raise InputError(f"The mask '{path}' is stored in the mode {mode}; 8-bit grey, palette or RGB is needed.")


def _of_levels(samples: NDArray[np.uint8], classes: Mapping[str, Class], unmarked: int | None, name: str) -> Labels:
    if samples.ndim == 3:
        if np.any(samples != samples[:, :, :1]):
            raise InputError(
                f"The mask '{name}' is in colour and its classes were given as grey levels; give colours, as in "
                "{'matrix': 'rest', 'large': (0, 0, 255)}."
            )
        samples = samples[:, :, 0]
    labels = np.full(samples.shape, len(classes), dtype=np.int16)
    for number, level in enumerate(classes.values()):
        labels[samples == level] = number
    if unmarked is not None:
        labels[samples == unmarked] = UNMARKED
    strange = labels == len(classes)
    if strange.any():
        row, column = np.argwhere(strange)[0]
        found = ", ".join(str(value) for value in np.unique(samples[strange])[:8])
        raise InputError(
            f"The mask '{name}' holds grey levels that no class has ({found}; {int(strange.sum())} pixels, the first "
            f"at row {row}, column {column}); name them in classes=, or give unmarked= for pixels without a class."
        )
    return labels


def _of_colours(
    samples: NDArray[np.uint8], classes: Mapping[str, Class], image: Micrograph | None, name: str
) -> Labels:
    if samples.ndim == 2:
        raise InputError(
            f"The mask '{name}' is grey and its classes were given as colours; give grey levels, as in {{'oxide': 1}}."
        )
    labels = np.full(samples.shape[:2], len(classes), dtype=np.int16)
    for number, colour in enumerate(classes.values()):
        if not isinstance(colour, str | int):
            labels[(samples == np.array(colour, dtype=np.uint8)).all(axis=2)] = number
    plain = (samples == samples[:, :, :1]).all(axis=2) & (labels == len(classes))
    rest = [number for number, value in enumerate(classes.values()) if value == "rest"]
    labels[plain] = rest[0] if rest else UNMARKED
    strange = labels == len(classes)
    if strange.any():
        row, column = np.argwhere(strange)[0]
        found = tuple(int(value) for value in samples[row, column])
        raise InputError(
            f"The mask '{name}' holds {int(strange.sum())} pixels of colours that no class has, the first {found} at "
            f"row {row}, column {column}; name it in classes=, or save the mask without compression loss or smoothing."
        )
    _check_shown(samples[:, :, 0], plain, image, name)
    return labels


def _check_shown(grey: NDArray[np.uint8], plain: NDArray[np.bool_], image: Micrograph | None, name: str) -> None:
    if image is None or image.dtype != "uint8" or not plain.any():
        return
    same = float(np.mean(grey[plain] == np.rint(image.grey[plain] * 255)))
    if same < SAME_IMAGE and np.ptp(grey[plain]) > 0:
        raise InputError(
            f"The mask '{name}' shows another image than '{image.name}' ({same:.1%} of its uncoloured pixels are the "
            "same); give the mask that was drawn over this image."
        )
