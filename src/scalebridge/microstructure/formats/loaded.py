"""What a reader of a volume file gives, and the sentences that the readers share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean

MAP_FROM = 64 * 2**20
"""Bytes from which an array is mapped from its file instead of copied to memory."""


@dataclass(frozen=True)
class Loaded:
    """Samples of a file.

    Args:
        values: as stored, in the file's order of axes.
        voxel_size: edges of a voxel in m, one per axis of ``values``, where the file tells them with a unit.
        ratios: the same in an unknown unit, where the file tells them without.
    """

    values: NDArray[Any]
    voxel_size: tuple[float, float, float] | None = None
    ratios: tuple[float, float, float] = (1.0, 1.0, 1.0)


def damaged(path: Path, kind: str, error: Exception) -> InputError:
    """Return the refusal of a file that its own format's reader could not read."""
    lines = str(error).splitlines() or [type(error).__name__]
    return InputError(
        f"The volume '{path}' cannot be read as {kind} ({lines[0].rstrip('. ')}); it may be truncated, damaged or of "
        "another format, so copy or export it again."
    )


def chosen(path: Path, shapes: Mapping[str, tuple[int, ...]], dataset: str | None) -> str:
    """Return the name of the array to read: the one asked for, or the only one of three dimensions.

    Raises:
        InputError: no such array, no array of three dimensions, or several.
    """
    if dataset is not None:
        if dataset not in shapes:
            raise InputError(f"The volume '{path}' has no array '{dataset}'{did_you_mean(dataset, shapes)}")
        return dataset
    solid = [name for name, shape in shapes.items() if sum(n > 1 for n in shape) >= 3 or len(shape) == 3]
    if len(solid) == 1:
        return solid[0]
    if not solid:
        raise InputError(
            f"The volume '{path}' holds no array of three dimensions ({_listed(shapes) or 'no arrays at all'}); "
            "give a file with an array [nz, ny, nx]."
        )
    raise InputError(
        f"The volume '{path}' holds {len(solid)} arrays of three dimensions; choose one by dataset=: "
        f"{_listed({name: shapes[name] for name in solid})}."
    )


def enough(path: Path, held: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise `InputError` unless ``held`` bytes are just what ``shape`` and ``dtype`` need."""
    samples = math.prod(shape)
    if held == samples * dtype.itemsize:
        return
    fits = {1: "uint8", 2: "uint16", 4: "float32 or uint32", 8: "float64"}
    hint = fits.get(held // samples) if samples and held % samples == 0 else None
    raise InputError(
        f"The volume '{path}' holds {held} bytes, but {' x '.join(map(str, shape))} samples of {dtype} are "
        f"{samples * dtype.itemsize} bytes; "
        + (f"its size would fit {hint}." if hint else "check shape and dtype, and whether the file is complete.")
    )


def _listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
    shown = [f"'{name}' ({' x '.join(map(str, shape)) or 'one number'})" for name, shape in list(shapes.items())[:8]]
    return ", ".join(shown + ["..."] * (len(shapes) > 8))
