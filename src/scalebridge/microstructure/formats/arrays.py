"""NumPy's own files (.npy, .npz) and raw binary; pickled objects are never loaded."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.formats.loaded import MAP_FROM, Loaded, chosen, damaged, enough


def load_npy(path: Path) -> Loaded:
    """Read a ``.npy`` file; large ones are mapped, not copied.

    Raises:
        InputError: truncated, foreign, or an array of Python objects.
    """
    try:
        mapped = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # a damaged header raises whatever its parser raises
        raise damaged(path, "NPY", error) from None
    return Loaded(mapped if mapped.nbytes > MAP_FROM else np.array(mapped))


def load_npz(path: Path, dataset: str | None) -> Loaded:
    """Read one array of a ``.npz`` archive.

    Raises:
        InputError: truncated, foreign, objects, or no clear choice of an array.
    """
    try:
        # NumPy leaves a file that it opened itself open when the archive is damaged.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            if not hasattr(archive, "files"):
                raise ValueError("it is no archive")
            names = [dataset] if dataset in archive.files else list(archive.files)
            held = {str(name): archive[name] for name in names}
    except Exception as error:  # zip, zlib and NumPy each raise their own
        raise damaged(path, "NPZ", error) from None
    return Loaded(held[chosen(path, {name: array.shape for name, array in held.items()}, dataset)])


def load_raw(path: Path, shape: Sequence[int] | None, dtype: DTypeLike | None) -> Loaded:
    """Read samples without a header, the last axis of ``shape`` fastest; large files are mapped, not copied.

    Raises:
        InputError: shape or dtype missing or unusable, or a file of another size.
    """
    if shape is None or dtype is None:
        raise InputError(
            f"The volume '{path}' ({path.stat().st_size} bytes) is read as raw binary, which does not tell its shape "
            "and type; give them as in shape=(200, 200, 200), dtype='uint8'."
        )
    kind, sizes = _checked_dtype(path, dtype), _checked_shape(path, shape)
    enough(path, path.stat().st_size, sizes, kind)
    stored = np.dtype(np.uint8) if kind.kind == "b" else kind
    values: NDArray[Any]
    if math.prod(sizes) * kind.itemsize > MAP_FROM:
        values = np.memmap(path, dtype=stored, mode="r", shape=sizes)
    else:
        values = np.fromfile(path, dtype=stored).reshape(sizes)
    return Loaded(values != 0 if kind.kind == "b" else values)


def _checked_dtype(path: Path, dtype: DTypeLike) -> np.dtype[Any]:
    try:
        kind = np.dtype(dtype)
    except TypeError:
        kind = np.dtype("O")
    if kind.kind not in "biuf":
        raise InputError(
            f"The type {dtype!r} given for the volume '{path}' is no type of numbers; give for example 'uint8', "
            "'>u2' (big-endian) or 'float32'."
        )
    return kind


def _checked_shape(path: Path, shape: Sequence[int]) -> tuple[int, ...]:
    try:
        sizes = tuple(operator.index(n) for n in shape)
    except TypeError:
        sizes = ()
    if len(sizes) != 3 or min(sizes) < 1:
        raise ShapeError(
            f"The shape {shape!r} given for the volume '{path}' is not that of a volume; give three positive whole "
            "numbers, the axis that changes fastest last."
        )
    return sizes
