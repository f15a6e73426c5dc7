"""A three-dimensional image with its voxel size, and the phases in it."""

from __future__ import annotations

import html
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.grey_levels import otsu_levels, slabs
from scalebridge.quantities.units import magnitude

MOST_PHASES = 64
"""Whole numbers up to this count as labels; a grey image has more levels."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A three-dimensional image; build it by `read_volume` or `as_volume`.

    Attributes:
        values: grey values or labels ``[nz, ny, nx]`` in the type they are stored in, read-only; large files are
            mapped, not held in memory.
        voxel_size: edges of a voxel ``(z, y, x)`` in m, in the order of the axes; ``None`` when unknown.
        source: where it came from, in words.
    """

    values: NDArray[Any]
    voxel_size: tuple[float, float, float] | None
    source: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along z, y, x."""
        nz, ny, nx = self.values.shape
        return nz, ny, nx

    @property
    def fractions(self) -> NDArray[np.float64]:
        """Volume fraction of each label ``[phases]``, of a volume of labels.

        Raises:
            InputError: as `labels`.
        """
        return np.asarray(np.bincount(self.labels().ravel()) / self.values.size)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype=dtype, copy=copy)

    def labels(self, values: Sequence[float] | None = None) -> NDArray[np.uint8]:
        """Return the phases ``[nz, ny, nx]`` of an image of whole numbers, which are labels as they are.

        Args:
            values: the value of each phase in the image, in the order of the phases: ``(0, 255)`` makes 255
                phase 1. ``None``: the values are the labels.

        Raises:
            InputError: values that are no labels (fractions, negative, `MOST_PHASES` and more), or other than given.
        """
        if values is not None:
            return self._mapped(values)
        for slab in slabs(self.values):
            bad = (slab < 0) | (slab >= MOST_PHASES) | (slab != np.rint(slab)) if slab.dtype != np.bool_ else slab[:0]
            if bad.any():
                raise InputError(
                    f"The volume '{self.source}' holds the value {float(slab[bad][0]):g}, which is no label (0 to "
                    f"{MOST_PHASES - 1}); name the values of the phases as in labels((0, 255)), or part grey values "
                    "by threshold()."
                )
        return np.asarray(self.values, dtype=np.uint8)

    def threshold(self, levels: Sequence[float] | None = None, phases: int = 2) -> Volume:
        """Return a volume of labels: the number of levels that a voxel's grey value exceeds.

        Args:
            levels: grey levels between the phases, rising; ``None`` to find them by Otsu's rule.
            phases: how many phases to find, 2 to 5, without ``levels``.

        Raises:
            InputError: levels that are not rising, that leave a phase empty, or an image whose histogram shows
                one phase only.
        """
        found = otsu_levels(self.values, phases, self.source) if levels is None else _checked_levels(levels)
        labels = np.zeros(self.shape, dtype=np.uint8)
        for level in found:
            labels += self.values > level
        counts = np.bincount(labels.ravel(), minlength=len(found) + 1)
        if not counts.all():
            raise InputError(
                f"The levels {', '.join(f'{level:g}' for level in found)} leave phase {int(np.argmin(counts))} of the "
                f"volume '{self.source}' without voxels, whose values go from {float(self.values.min()):g} to "
                f"{float(self.values.max()):g}; choose levels in between."
            )
        told = ", ".join(f"{level:g}" for level in found)
        return Volume(_frozen(labels), self.voxel_size, f"{self.source}, parted at {told}")

    def crop(self, origin: Sequence[int], size: int | Sequence[int]) -> Volume:
        """Cut a box of ``size`` voxels (one number, or one per axis) from the corner ``origin (z, y, x)``.

        Raises:
            InputError: a box that leaves the volume.
        """
        corner = tuple(operator.index(k) for k in origin)
        sizes = (size,) * 3 if isinstance(size, int) else tuple(operator.index(n) for n in size)
        fits = len(corner) == len(sizes) == 3 and all(
            k >= 0 and n >= 1 and k + n <= whole for k, n, whole in zip(corner, sizes, self.shape, strict=False)
        )
        if not fits:
            raise InputError(
                f"The box of {sizes} voxels at {corner} leaves the volume '{self.source}' of {self.shape} voxels; "
                "give an origin (z, y, x) and a size that fit."
            )
        part = self.values[tuple(slice(k, k + n) for k, n in zip(corner, sizes, strict=True))]
        return replace(self, values=part, source=f"{self.source}, {sizes} at {corner}")

    def describe(self) -> str:
        """Say in one sentence what the volume is."""
        size = "voxel size unknown"
        if self.voxel_size is not None:
            size = f"voxel {' x '.join(f'{1e6 * edge:.4g}' for edge in self.voxel_size)} um"
        return f"{self.source}: {' x '.join(map(str, self.shape))} voxels (z, y, x), {self.values.dtype}, {size}."

    def _mapped(self, values: Sequence[float]) -> NDArray[np.uint8]:
        known = np.asarray(values, dtype=np.float64)
        if known.ndim != 1 or not 1 <= known.size <= MOST_PHASES or np.unique(known).size != known.size:
            raise InputError(f"The values of the phases are {values!r}; give one number per phase, all different.")
        labels = np.full(self.shape, MOST_PHASES, dtype=np.uint8)
        for phase, value in enumerate(known):
            labels[self.values == value] = phase
        other = labels == MOST_PHASES
        if other.any():
            raise InputError(
                f"{int(other.sum())} voxels of the volume '{self.source}' have other values than the phases', such as "
                f"{float(self.values[other][0]):g}; name the values of all phases."
            )
        return labels

    def _repr_html_(self) -> str:
        places = [np.take(self.values, n // 2, axis) for axis, n in enumerate(self.shape)]
        pictures = "".join(
            f'<figure style="display:inline-block;margin:4px"><img alt="{name}" src="{_picture(place)}">'
            f"<figcaption>{name}</figcaption></figure>"
            for name, place in zip(("middle in z", "middle in y", "middle in x"), places, strict=True)
        )
        return f"<div><p>{html.escape(self.describe())}</p>{pictures}</div>"


def as_volume(
    array: ArrayLike, voxel_size: str | float | Sequence[str | float] | None = None, name: str = "array"
) -> Volume:
    """Return a `Volume` of ``array [nz, ny, nx]``.

    Args:
        array: numbers.
        voxel_size: edge of a voxel in m or as text with a unit (``"2.25 um"``); one, or one per axis ``(z, y, x)``.
        name: what messages call it.

    Raises:
        InputError: not three-dimensional, empty, not finite, no numbers; a voxel size that is no positive length.
    """
    return checked_volume(np.asarray(array), checked_voxel_size(voxel_size, name), name)


def checked_volume(values: NDArray[Any], voxel_size: tuple[float, float, float] | None, source: str) -> Volume:
    """Return the volume once its values are known to be three-dimensional, finite numbers.

    Raises:
        InputError: as `as_volume`.
    """
    if values.dtype.kind not in "biuf":
        raise InputError(f"The volume '{source}' holds {values.dtype} values; integers or floats are needed.")
    if values.size == 0:
        raise ShapeError(f"The volume '{source}' is empty (shape {values.shape}); check that it is the right file.")
    if values.ndim == 2:
        raise ShapeError(
            f"The volume '{source}' is one slice of {values.shape[0]} x {values.shape[1]}; give a stack of three "
            "dimensions, or read a slice by read()."
        )
    cube = _three(values)
    if cube.ndim != 3:
        raise ShapeError(
            f"The volume '{source}' has {values.ndim} dimensions {values.shape}; three (nz, ny, nx) are needed: choose "
            "one channel and one time."
        )
    if not values.dtype.isnative:
        cube = cube.astype(values.dtype.newbyteorder("="))
    if cube.dtype.kind == "f":
        _refuse_not_finite(cube, source)
    return Volume(_frozen(cube), voxel_size, source)


def checked_voxel_size(
    size: str | float | Sequence[str | float] | None, name: str
) -> tuple[float, float, float] | None:
    """Return the edges of a voxel in m, or ``None``.

    Raises:
        InputError: not one or three positive lengths.
    """
    if size is None:
        return None
    given = [size] * 3 if isinstance(size, str | int | float) else list(size)
    edges = [magnitude(each, "m", f"The voxel size of '{name}'") for each in given]
    if len(edges) != 3 or not all(np.isfinite(edge) and edge > 0 for edge in edges):
        raise InputError(
            f"The voxel size of '{name}' is {size!r}; give a positive length as in '2.25 um', or one per "
            "axis (z, y, x)."
        )
    return edges[0], edges[1], edges[2]


def _three(values: NDArray[Any]) -> NDArray[Any]:
    """Drop axes of length one beyond three."""
    while values.ndim > 3 and 1 in values.shape:
        values = values.squeeze(axis=values.shape.index(1))
    return values


def _refuse_not_finite(values: NDArray[Any], source: str) -> None:
    count, first, layer = 0, None, 0
    for slab in slabs(values):
        bad = ~np.isfinite(slab)
        if first is None and bad.any():
            z, y, x = np.argwhere(bad)[0]
            first = (int(z) + layer, int(y), int(x))
        count += int(bad.sum())
        layer += len(slab)
    if first is not None:
        raise InputError(
            f"The volume '{source}' holds {count} values that are not finite, the first at (z, y, x) = {first}; mask "
            "or fill them before reading."
        )


def _checked_levels(levels: Sequence[float]) -> list[float]:
    found = [float(level) for level in levels]
    if not 1 <= len(found) < MOST_PHASES or not np.isfinite(found).all() or np.any(np.diff(found) <= 0):
        raise InputError(f"The grey levels are {levels!r}; give finite, rising numbers, one fewer than phases.")
    return found


def _frozen(values: NDArray[Any]) -> NDArray[Any]:
    view = values.view()
    view.flags.writeable = False
    return view


def _picture(values: NDArray[Any]) -> str:
    """Return a small grey picture as a data address."""
    import base64
    import io

    from PIL import Image

    step = max(1, max(values.shape) // 200)
    shown = np.asarray(values[::step, ::step], dtype=np.float64)
    spread = float(np.ptp(shown)) or 1.0
    buffer = io.BytesIO()
    Image.fromarray(np.uint8(np.rint(255 * (shown - shown.min()) / spread))).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
