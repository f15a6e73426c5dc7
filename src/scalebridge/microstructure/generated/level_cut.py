"""A phase where a smooth periodic field exceeds a level: Gaussian-field media and spinodals, at any resolution."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.subvoxel import SubVoxels, cut_fraction, from_fractions

Floats = NDArray[np.float64]
Shape = int | Sequence[int]


@dataclass(frozen=True, eq=False)
class LevelCut:
    """Phase 1 where a sum of waves in a periodic cell of side 1 exceeds a level.

    Args:
        waves: amplitudes of the field's waves as `scipy.fft.rfftn` orders them, divided by the number of points:
            ``[2 k + 1, ..., k + 1]`` for wave numbers up to ``k`` along each axis.
        level: of the cut.
        fraction: of phase 1, as measured on the field's own grid.
    """

    waves: NDArray[np.complex128]
    level: float
    fraction: float

    @property
    def dim(self) -> int:
        """2 or 3."""
        return self.waves.ndim

    def field(self, shape: Shape) -> Floats:
        """Return the field at the centres of voxels ``[*shape]``.

        Raises:
            ShapeError: another number of axes.
        """
        return next(self._fields(self._grid(shape), np.zeros((1, self.dim)), slopes=False))[0]

    def labels(self, shape: Shape) -> NDArray[np.uint8]:
        """Return the phase at the centre of every voxel ``[*shape]``: 1 above the level, 0 below.

        Raises:
            ShapeError: another number of axes.
        """
        return (self.field(shape) > self.level).astype(np.uint8)

    def fractions(self, shape: Shape, samples: int = 2) -> Floats:
        """Return the share of phase 1 in every voxel ``[*shape]``.

        Each of ``samples`` sub-voxels per axis is cut by the plane of the field and its gradient.

        Raises:
            ShapeError: another number of axes.
            InputError: no sub-voxel.
        """
        if samples < 1:
            raise InputError(f"{samples} sub-voxels per axis were asked for; at least 1 is needed.")
        grid = self._grid(shape)
        offsets = np.array(list(itertools.product((np.arange(samples) + 0.5) / samples - 0.5, repeat=self.dim)))
        share = np.zeros(grid)
        for value, slopes in self._fields(grid, offsets, slopes=True):
            slope = np.stack(slopes, axis=-1) / samples
            share += cut_fraction(value - self.level, slope)
        return np.clip(share / len(offsets), 0.0, 1.0)

    def subvoxels(self, shape: Shape, *, samples: int = 2, spread: float = 0.0) -> SubVoxels:
        """Return labels with what is known below a voxel, for composite voxels; see `subvoxel`.

        Raises:
            ShapeError: another number of axes.
        """
        grid = self._grid(shape)
        return from_fractions(self.fractions(grid, samples), spread=spread, spacing=tuple(1.0 / n for n in grid))

    def _fields(self, grid: tuple[int, ...], offsets: Floats, *, slopes: bool) -> Iterator[tuple[Floats, list[Floats]]]:
        """Yield the field and its gradient per voxel at the centres moved by ``offsets [m, d]`` voxels."""
        from scipy.fft import irfftn

        numbers = _wave_numbers(self.waves.shape)
        size = float(np.prod(grid))
        for offset in offsets:
            turn = sum(k * (0.5 + o) / n for k, o, n in zip(numbers, offset, grid, strict=True))
            moved = self.waves * np.exp(2j * np.pi * np.asarray(turn)) * size
            value = irfftn(_fitted(moved, grid), s=grid, overwrite_x=True)
            rates = [2j * np.pi * k / n for k, n in zip(numbers, grid, strict=True)] if slopes else []
            yield value, [irfftn(_fitted(moved * rate, grid), s=grid, overwrite_x=True) for rate in rates]

    def _grid(self, shape: Shape) -> tuple[int, ...]:
        sizes = (shape,) * self.dim if isinstance(shape, int) else tuple(operator.index(n) for n in shape)
        if len(sizes) != self.dim or min(sizes) < 1:
            raise ShapeError(
                f"The medium has {self.dim} dimensions and was asked for {shape} voxels; give {self.dim} positive "
                "numbers, or one for all."
            )
        return sizes


def level_cut(field: ArrayLike, fraction: float) -> LevelCut:
    """Return the phase above the level that gives it ``fraction`` of a periodic field ``[*grid]``, equal spacings.

    The fraction is met on the grid of the field to a voxel, and on other grids as well as these sample the same
    geometry.

    Raises:
        ShapeError: a field that is not two- or three-dimensional.
        InputError: a field that is constant or not finite, or a fraction outside (0, 1).
    """
    from scipy.fft import rfftn

    values = np.asarray(field, dtype=np.float64)
    if values.ndim not in (2, 3):
        raise ShapeError(f"The field has the shape {values.shape}; two or three dimensions are needed.")
    if not np.isfinite(values).all() or np.ptp(values) == 0.0:
        raise InputError("The field to cut is constant or not finite; give one that varies.")
    level = quantile_level(values, fraction)
    spectrum = _fitted(rfftn(values) / values.size, tuple(n - 1 + n % 2 for n in values.shape))
    # The field is given at voxels, whose centres lie half a voxel from the corner.
    turn = sum(-k * 0.5 / n for k, n in zip(_wave_numbers(spectrum.shape), values.shape, strict=True))
    waves = spectrum * np.exp(2j * np.pi * np.asarray(turn))
    return LevelCut(waves, level, float((values > level).mean()))


def quantile_level(values: Floats, fraction: float) -> float:
    """Return a level that just this share of the values exceeds, to one value.

    Raises:
        InputError: a fraction outside (0, 1).
    """
    if not 0.0 < fraction < 1.0:
        raise InputError(f"The fraction of the phase is {fraction}; it must lie in (0, 1).")
    above = int(np.clip(round(fraction * values.size), 1, values.size - 1))
    parted = np.partition(values, (values.size - above - 1, values.size - above), axis=None)
    return float(0.5 * (parted[values.size - above - 1] + parted[values.size - above]))


def _wave_numbers(shape: tuple[int, ...]) -> list[Floats]:
    """Wave numbers along each axis of a half spectrum of odd sides, shaped to broadcast."""
    found = []
    for axis, n in enumerate(shape):
        last = axis == len(shape) - 1
        numbers = np.arange(n) if last else np.rint(np.fft.fftfreq(n) * n)
        found.append(numbers.astype(np.float64).reshape([n if a == axis else 1 for a in range(len(shape))]))
    return found


def _fitted(spectrum: NDArray[np.complex128], grid: tuple[int, ...]) -> NDArray[np.complex128]:
    """Half spectrum of ``grid`` with the waves of another one, those that it can hold; others are zero."""
    target = np.zeros((*grid[:-1], grid[-1] // 2 + 1), dtype=np.complex128)
    # The highest wave of an even grid has no phase of its own, and is left out.
    most = [min((n - 1) // 2, (m - 1) // 2) for n, m in zip(spectrum.shape[:-1], grid[:-1], strict=True)]
    along = min(spectrum.shape[-1] - 1, (grid[-1] - 1) // 2) + 1
    sides = [((slice(0, k + 1),) if k == 0 else (slice(0, k + 1), slice(-k, None))) for k in most]
    for corner in itertools.product(*sides):
        target[(*corner, slice(0, along))] = spectrum[(*corner, slice(0, along))]
    return target
