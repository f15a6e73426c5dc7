"""Image files to arrays of samples, refusing what cannot be trusted."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError

LARGEST_PIXELS = 400_000_000
LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""
_TRANSPARENT = {"LA", "RGBA", "La", "RGBa", "PA"}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def decode(path: Path, luminance: bool = False) -> NDArray[np.generic]:
    """Return the samples ``[rows, columns]`` of a grey image file in the type they are stored in.

    Args:
        path: the file.
        luminance: take the luminance of a colour image, which is refused otherwise.

    Raises:
        InputError: missing, unreadable, truncated, too large, a stack, a palette, colour, transparency.
    """
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"The image '{path}' {what}; give the path of an image file.")
    with warnings.catch_warnings():
        # Our own limit is checked on the header, with a sentence; Pillow's warning would come first.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(path) as image:
                _check_header(image, path)
                image.load()
                return _grey_samples(image, path, luminance)
        except InputError:
            raise
        except Image.DecompressionBombError:
            raise InputError(_too_large(path, "too many")) from None
        except UnidentifiedImageError:
            raise InputError(
                f"The image '{path}' is in no image format that can be read ({path.stat().st_size} bytes); "
                "give a PNG, TIFF, JPEG or BMP file."
            ) from None
        except Exception as error:  # decoders raise whatever their library raises on damaged bytes
            raise InputError(
                f"The image '{path}' cannot be decoded ({_first_line(error)}); it may be truncated or damaged, "
                "copy or export it again."
            ) from error


def _check_header(image: Any, path: Path) -> None:
    columns, rows = image.size
    if rows * columns > LARGEST_PIXELS:
        raise InputError(_too_large(path, f"{rows} x {columns}"))
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1:
        raise InputError(
            f"The image '{path}' is a stack of {frames} frames, and one slice is needed; export the slice to a file."
        )


def _too_large(path: Path, size: str) -> str:
    return (
        f"The image '{path}' has {size} pixels, more than the {LARGEST_PIXELS // 10**6} million that are read at once; "
        "crop or downsample it."
    )


def _grey_samples(image: Any, path: Path, luminance: bool) -> NDArray[np.generic]:
    if image.mode in {"P", "PA"}:
        raise InputError(
            f"The image '{path}' stores palette indices, not grey values; it may be a label image, "
            "give the grey image itself."
        )
    samples = np.asarray(image)
    if image.mode == "I" and image.format == "PNG":
        # Some versions of Pillow widen 16-bit PNG to 32 bits.
        samples = samples.astype(np.uint16)
    if image.mode in _TRANSPARENT:
        samples = _without_alpha(samples, path)
    if samples.ndim == 2:
        return samples
    if image.mode not in {"RGB", "RGBA", "LA", "RGBa", "La"}:
        raise InputError(f"The image '{path}' is in the colour mode {image.mode}; convert it to grey.")
    if samples.shape[2] > 1 and np.any(samples != samples[:, :, :1]):
        if luminance:
            return np.asarray(np.rint(samples[:, :, :3] @ np.array(LUMINANCE)), dtype=samples.dtype)
        raise InputError(
            f"The image '{path}' is in colour (its channels differ), and phases are told apart by grey value; "
            "convert it to grey, or save the channel that shows them."
        )
    return np.ascontiguousarray(samples[:, :, 0])


def _without_alpha(samples: NDArray[Any], path: Path) -> NDArray[Any]:
    alpha = samples[:, :, -1]
    if np.any(alpha != np.iinfo(alpha.dtype).max):
        raise InputError(
            f"The image '{path}' is transparent in {np.mean(alpha != np.iinfo(alpha.dtype).max):.1%} of its pixels, "
            "whose grey value is undefined; flatten it to an opaque grey image."
        )
    return samples[:, :, :-1]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")
