"""A grey image with its provenance and, where known, its pixel size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.decoding import decode, file_digest
from scalebridge.quantities.units import magnitude

SMALLEST_SIDE = 16


@dataclass(frozen=True, eq=False)
class Micrograph:
    """A grey image and where it came from; build it by `read` or `from_array`.

    Attributes:
        grey: grey values in [0, 1], ``[rows, columns]``, float64, read-only; row 0 is the top.
        name: what messages call it (the file's path, or the name given).
        sha256: digest of the file, ``None`` for an array.
        dtype: the sample type in the file, such as ``"uint8"``.
        pixel_size: edge of a pixel as text with a unit, such as ``"1.1 um"``; ``None`` when unknown.
    """

    grey: NDArray[np.float64]
    name: str
    sha256: str | None
    dtype: str
    pixel_size: str | None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.grey.shape[0], self.grey.shape[1]

    def length(self, pixels: float, unit: str = "um") -> float:
        """Convert a length in pixels to ``unit``.

        Raises:
            InputError: the pixel size is not known.
        """
        if self.pixel_size is None:
            raise InputError(
                f"A length in '{unit}' was asked for, but the pixel size of '{self.name}' is not known; "
                "give read(..., pixel_size='1.1 um'), or calibrate it by pixel_size_from_fibre()."
            )
        return pixels * magnitude(self.pixel_size, unit, f"The pixel size of '{self.name}'")

    def describe(self) -> str:
        """Say in one sentence what the image is, and whether its pixel size is known."""
        scale = f"pixel {self.pixel_size}" if self.pixel_size else "pixel size unknown: lengths are in pixels"
        digest = f", sha256 {self.sha256[:12]}" if self.sha256 else ""
        return f"{self.name}: {self.shape[0]} x {self.shape[1]} pixels, {self.dtype}, {scale}{digest}."


def read(path: str | Path, pixel_size: str | None = None, *, luminance: bool = False) -> Micrograph:
    """Read a grey image from a file (PNG, TIFF, JPEG, BMP, ... with 8, 16 or 32 bits).

    Integers are divided by the largest value of their type; floats must lie in [0, 1].
    An RGB image with three equal channels is grey, and an opaque alpha channel is dropped;
    true colour, transparency, palettes and stacks are refused.

    Args:
        path: the file.
        pixel_size: edge of a pixel with its unit, as ``"1.1 um"``; ``None`` when unknown.
        luminance: take the luminance of a true colour image in place of refusing it.

    Raises:
        InputError: the file is missing, unreadable, truncated, constant, too small, not grey or not
            finite, or the pixel size is no positive length.
    """
    source = Path(path)
    samples = decode(source, luminance)
    return _checked(samples, str(path), file_digest(source), pixel_size)


def from_array(array: ArrayLike, pixel_size: str | None = None, name: str = "array") -> Micrograph:
    """Return a `Micrograph` of ``array [rows, columns]``: integers, or floats in [0, 1].

    Raises:
        InputError: as `read`.
    """
    return _checked(np.asarray(array), name, None, pixel_size)


def _checked(samples: NDArray[np.generic], name: str, sha256: str | None, pixel_size: str | None) -> Micrograph:
    if samples.ndim != 2:
        raise InputError(f"The image '{name}' has the shape {samples.shape}; a grey image [rows, columns] is needed.")
    if min(samples.shape) < SMALLEST_SIDE:
        raise InputError(
            f"The image '{name}' has {samples.shape[0]} x {samples.shape[1]} pixels, too few to hold a "
            f"microstructure; at least {SMALLEST_SIDE} on a side are needed."
        )
    grey = _unit_range(samples, name)
    if np.ptp(grey) == 0:
        raise InputError(
            f"The image '{name}' has the same grey value {grey.flat[0]:.3g} everywhere; "
            "there is nothing to tell apart, check that it is the right file."
        )
    grey.setflags(write=False)
    return Micrograph(grey, name, sha256, str(samples.dtype), _checked_size(pixel_size, name))


def _unit_range(samples: NDArray[np.generic], name: str) -> NDArray[np.float64]:
    if samples.dtype == np.bool_:
        return samples.astype(np.float64)
    if np.issubdtype(samples.dtype, np.unsignedinteger):
        full_scale = float(2 ** (8 * samples.dtype.itemsize) - 1)
        return np.asarray(samples.astype(np.float64) / full_scale)
    if not np.issubdtype(samples.dtype, np.floating) and not np.issubdtype(samples.dtype, np.signedinteger):
        raise InputError(f"The image '{name}' holds {samples.dtype} samples; integers or floats are needed.")
    grey = samples.astype(np.float64)
    finite = np.isfinite(grey)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise InputError(
            f"The image '{name}' holds {int((~finite).sum())} values that are not finite, the first at row {row}, "
            f"column {column}; mask or fill them before reading."
        )
    if grey.min() < 0 or grey.max() > 1:
        raise InputError(
            f"The image '{name}' holds {samples.dtype} grey values from {grey.min():.4g} to {grey.max():.4g}, whose "
            "full scale is not known; rescale them to [0, 1], or give unsigned integers."
        )
    return grey


def _checked_size(pixel_size: str | None, name: str) -> str | None:
    if pixel_size is None:
        return None
    owner = f"The pixel size of '{name}'"
    if not isinstance(pixel_size, str):
        raise InputError(f"{owner} is {pixel_size!r}, without a unit; write it as in '1.1 um'.")
    metres = magnitude(pixel_size, "m", owner)
    if _is_number(pixel_size):
        raise InputError(f"{owner} is '{pixel_size}', without a unit; write it as in '1.1 um'.")
    if not (np.isfinite(metres) and metres > 0):
        raise InputError(f"{owner} is '{pixel_size}'; it must be a positive length, as in '1.1 um'.")
    return pixel_size.strip()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
