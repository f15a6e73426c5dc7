"""Woven unit cells: plain, basket, twill, satin or any pattern, of yarns that touch and do not overlap.

::

    fabric = sb.microstructure.woven("twill", 0.5, width=0.9, thickness=0.15)
    rve = sb.micro.RVE(fabric.labels((32, 64, 64)), [resin, yarn, yarn], orientation=fabric.directions((32, 64, 64)),
                       voxel_size=fabric.voxel_size((32, 64, 64)))

Warps run along x, wefts along y, z is through the thickness. A yarn keeps its section, measured in planes across its
direction in the plan, along its path. Where a warp rises from below one weft to above the next, its path must not be
nearer to the crossing's middle height than the weft's own section is thick: the path is a cosine between flat parts
that are made just as long as that takes, so that no two yarns overlap whatever the section.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError, did_you_mean
from scalebridge.microstructure.generated.weave_patterns import weave_pattern
from scalebridge.microstructure.subvoxel import SubVoxels, coarsen

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Section = Literal["lenticular", "elliptic", "rounded"]

# The section is (1 - |2 u / w|^p)^(1 / q) times the thickness.
_SECTIONS = {"lenticular": (2.0, 1.0), "elliptic": (2.0, 2.0), "rounded": (4.0, 4.0)}
_SLAB = 1 << 22


@dataclass(frozen=True, eq=False)
class Weave:
    """A balanced fabric in a periodic cell; build it by `woven`.

    Args:
        over: where the warp lies above, ``[warps, wefts]``.
        spacing: distance of neighbouring yarns; the other lengths are in its unit.
        width: of a yarn's section.
        thickness: of a yarn's section.
        height: of the cell.
        rise: half the height difference of a yarn's path between above and below.
        flat: length of the level part of a path on each side of a crossing, in spacings.
        section: its shape.
    """

    over: NDArray[np.bool_]
    spacing: float
    width: float
    thickness: float
    height: float
    rise: float
    flat: float
    section: Section

    @property
    def cell(self) -> tuple[float, float, float]:
        """Edges of the cell along x, y, z."""
        warps, wefts = self.over.shape
        return wefts * self.spacing, warps * self.spacing, self.height

    @property
    def fraction(self) -> float:
        """Exact volume fraction of the yarns."""
        return 2.0 * section_area(self.section) * self.width * self.thickness / (self.spacing * self.height)

    @property
    def steepest(self) -> float:
        """Largest angle of a path with the plane, in degrees."""
        return math.degrees(math.atan(self.rise * math.pi / ((1.0 - 2.0 * self.flat) * self.spacing)))

    @property
    def crimp(self) -> float:
        """Length of a yarn that changes sides at every crossing over the cell's, less 1."""
        at = (np.arange(2000) + 0.5) / 2000
        slope = self._step(at)[1] * self.rise / self.spacing
        return float(np.sqrt(1.0 + slope**2).mean() - 1.0)

    def voxel_size(self, shape: int | Sequence[int]) -> tuple[float, float, float]:
        """Edges of a voxel along the axes of the grid (z, y, x), in the unit of ``spacing``."""
        grid = self._grid(shape)
        z, y, x = (edge / n for edge, n in zip(self.cell[::-1], grid, strict=True))
        return z, y, x

    def yarn(self, shape: int | Sequence[int]) -> Ints:
        """Return the yarn at the centre of every voxel ``[*shape]``: warps from 0, then wefts; -1 in the matrix.

        Args:
            shape: voxels ``(nz, ny, nx)``, or one number for all.

        Raises:
            ShapeError: another number of axes.
        """
        nz, ny, nx = grid = self._grid(shape)
        warp, weft = self._warps(ny, nx), self._wefts(ny, nx)
        heights = ((np.arange(nz) + 0.5) / nz - 0.5) * self.height
        found = np.full(grid, -1, dtype=np.int64)
        for rows in np.array_split(np.arange(nz), -(-nz * ny * nx // _SLAB)):
            z = heights[rows, None, None]
            for level, half, _, number in (warp, weft):
                np.copyto(found[rows[0] : rows[-1] + 1], number, where=np.abs(z - level) < half)
        return found

    def labels(self, shape: int | Sequence[int]) -> NDArray[np.uint8]:
        """Return the phase at the centre of every voxel ``[*shape]``: 0 matrix, 1 warp, 2 weft."""
        yarn = self.yarn(shape)
        return np.asarray((yarn >= 0).astype(np.uint8) + (yarn >= self.over.shape[0]), dtype=np.uint8)

    def directions(self, shape: int | Sequence[int]) -> Floats:
        """Return the direction ``[*shape, 3]`` of the yarn at every voxel: the ``orientation`` of an `RVE`.

        In the matrix it is that of the yarn whose surface is nearest above or below.
        """
        nz, ny, nx = self._grid(shape)
        heights = ((np.arange(nz) + 0.5) / nz - 0.5) * self.height
        warp, weft = self._warps(ny, nx), self._wefts(ny, nx)
        found = np.zeros((nz, ny, nx, 3))
        for k, z in enumerate(heights):
            one = np.abs(z - warp[0]) - warp[1] <= np.abs(z - weft[0]) - weft[1]
            found[k, ..., 0], found[k, ..., 1] = one, ~one
            found[k, ..., 2] = np.where(one, warp[2], weft[2])
        found /= np.linalg.norm(found, axis=-1, keepdims=True)
        return found

    def subvoxels(self, shape: int | Sequence[int], *, samples: int = 3, spread: float = 0.0) -> SubVoxels:
        """Return `labels` with what is known below a voxel, from ``samples`` sub-voxels per axis.

        Raises:
            ShapeError: another number of axes.
        """
        grid = self._grid(shape)
        fine = self.labels([n * samples for n in grid])
        return coarsen(fine, samples, spread=spread, spacing=self.voxel_size(grid))

    def _warps(self, ny: int, nx: int) -> tuple[Floats, Floats, Floats, Ints]:
        """Of the warp over each place of the plan ``[ny, nx]``: mid-height, half thickness, slope, number."""
        warps, wefts = self.over.shape
        across, along = (np.arange(ny) + 0.5) / ny * warps, (np.arange(nx) + 0.5) / nx * wefts
        return self._yarns(np.where(self.over, 1.0, -1.0), across, along, 0)

    def _wefts(self, ny: int, nx: int) -> tuple[Floats, Floats, Floats, Ints]:
        warps, wefts = self.over.shape
        across, along = (np.arange(nx) + 0.5) / nx * wefts, (np.arange(ny) + 0.5) / ny * warps
        level, half, slope, number = self._yarns(np.where(self.over, -1.0, 1.0).T, across, along, warps)
        return level.T, half.T, slope.T, number.T

    def _yarns(self, side: Floats, across: Floats, along: Floats, first: int) -> tuple[Floats, Floats, Floats, Ints]:
        """As `_warps` of yarns on a ``side [yarns, crossings]`` at places in spacings, ``[across, along]``."""
        yarn = np.minimum(across.astype(np.int64), side.shape[0] - 1)
        half = 0.5 * self.thickness * profile((across - yarn - 0.5) * self.spacing / self.width, self.section)
        before = np.floor(along - 0.5).astype(np.int64)
        step, rate = self._step(along - 0.5 - before)
        here, there = side[:, before % side.shape[1]], side[:, (before + 1) % side.shape[1]]
        path = np.where(here == there, here, here * step)
        slope = np.where(here == there, 0.0, here * rate) / self.spacing
        shape = (len(across), len(along))
        return (
            self.rise * path[yarn],
            np.broadcast_to(half[:, None], shape),
            self.rise * slope[yarn],
            np.broadcast_to(first + yarn[:, None], shape),
        )

    def _step(self, at: Floats) -> tuple[Floats, Floats]:
        """Path from 1 to -1 between two crossings at ``at`` in [0, 1), and its derivative."""
        return _path(at, self.flat)

    def _grid(self, shape: int | Sequence[int]) -> tuple[int, int, int]:
        sizes = (shape,) * 3 if isinstance(shape, int) else tuple(operator.index(n) for n in shape)
        if len(sizes) != 3 or min(sizes) < 1:
            raise ShapeError(
                f"The weave was asked for {shape} voxels; give three positive numbers (nz, ny, nx), or one for all."
            )
        return sizes[0], sizes[1], sizes[2]


def woven(
    pattern: str | ArrayLike = "plain",
    fraction: float | None = None,
    *,
    width: float = 0.9,
    thickness: float = 0.15,
    section: Section = "lenticular",
    gap: float = 0.0,
    spacing: float = 1.0,
) -> Weave:
    """Return a balanced fabric whose yarns do not overlap.

    Args:
        pattern: "plain", "basket", "twill", "satin", or zeros and ones ``[warps, wefts]``, one where the warp lies
            above; see `weave_patterns`.
        fraction: volume fraction of the yarns, which the height of the cell is made for; by default the cell is just
            as high as the fabric, which gives the largest fraction.
        width: of a yarn, in spacings, below 1.
        thickness: of a yarn, in spacings.
        section: "lenticular" (a parabola), "elliptic", or "rounded" (flat with round ends).
        gap: least height of matrix between warp and weft, in spacings.
        spacing: distance of neighbouring yarns, in any unit.

    Raises:
        InputError: lengths that make no sense, an unknown pattern or section, or a fraction beyond the largest.
    """
    over = weave_pattern(pattern)
    _check(width, thickness, section, gap, spacing)
    rise = 0.5 * (thickness + gap)
    flat = _level_part(width, thickness / (2.0 * rise), section)
    least = 2.0 * rise + thickness
    area = section_area(section) * width * thickness
    height = least if fraction is None else 2.0 * area / fraction if fraction > 0.0 else math.inf
    if not least * (1.0 - 1e-9) <= height < math.inf:
        raise InputError(
            f"A yarn fraction of {fraction} cannot be had: {section} yarns {width:g} wide and {thickness:g} thick (in "
            f"spacings) fill {2.0 * area / least:.4g} of the fabric's own height; take a lower fraction, wider "
            "yarns or another section."
        )
    w, t, h, r = (spacing * x for x in (width, thickness, height, rise))
    return Weave(over, spacing, w, t, h, r, flat, section)


def profile(across: Floats, section: Section) -> Floats:
    """Thickness of a section relative to its largest ``[...]``, at places in widths from its middle ``[...]``."""
    outer, inner = _SECTIONS[section]
    return np.asarray(np.maximum(1.0 - np.abs(2.0 * across) ** outer, 0.0) ** (1.0 / inner))


def section_area(section: Section) -> float:
    """Area of a section over width times thickness."""
    p, q = (1.0 / x for x in _SECTIONS[section])
    return math.gamma(1.0 + p) * math.gamma(1.0 + q) / math.gamma(1.0 + p + q)


def _path(at: Floats, flat: float) -> tuple[Floats, Floats]:
    inner = (at - flat) / (1.0 - 2.0 * flat)
    angle = math.pi * np.clip(inner, 0.0, 1.0)
    return np.cos(angle), np.asarray(-math.pi / (1.0 - 2.0 * flat) * np.sin(angle))


def _level_part(width: float, share: float, section: Section) -> float:
    """Shortest level part, in spacings, with which a path keeps clear of the sections that it crosses.

    The path is 1 at the middle of a section, where half the section takes ``share`` of it and half the gap the rest;
    all the way to the section's edge it must be as high as half of both.
    """
    at = np.linspace(0.0, 0.5 * width, 4001)
    needed = share * profile(at / width, section) + 1.0 - share
    low, high = 0.0, 0.5 * width
    if (_path(at, low)[0] >= needed).all():
        return low
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if (_path(at, middle)[0] >= needed).all() else (middle, high)
    return high


def _check(width: float, thickness: float, section: str, gap: float, spacing: float) -> None:
    if section not in _SECTIONS:
        raise InputError(f"The section '{section}' of the yarns is not known{did_you_mean(section, _SECTIONS)}")
    if not 0.0 < width <= 0.98:
        raise InputError(
            f"The width of the yarns is {width} spacings; it must lie in (0, 0.98], or neighbours would meet."
        )
    if not (0.0 < thickness <= 1.0 and 0.0 <= gap <= 1.0):
        raise InputError(
            f"The yarns are {thickness} spacings thick with a gap of {gap}; the thickness must lie in (0, 1], the gap "
            "in [0, 1]."
        )
    if not (math.isfinite(spacing) and spacing > 0.0):
        raise InputError(f"The spacing of the yarns is {spacing}; it must be positive, in any unit.")
