"""Bilinear quadrilaterals and trilinear hexahedra, one per voxel, with any tensor rule of integration.

Interpolation and difference act axis by axis, so a gradient is a few sweeps of two-point operations. The rule is
given by its abscissae on [0, 1]: ``(1/2,)`` is reduced integration (Willot's rotated scheme), the two Gauss points
are full integration.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from scalebridge.errors import ShapeError
from scalebridge.micro.rve.grid import Grid

# Bytes of a work array on a CPU, measured: larger blocks leave the cache, smaller ones pay for the calls.
CACHE = 1 << 21

# (cell, first node, second node, length): cells from `cell` on lie between nodes from `first` and from `second` on.
Pairs = tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True)
class _Block:
    """Rows, components and layers swept at once, and views of the work arrays of that size.

    Args:
        window: slices of row, component and layer.
        layers: where the nodes of these layers of voxels are along the first axis of the grid.
        work: per axis but the last: the slopes so far, the slope along this axis, the mean.
    """

    window: tuple[slice, slice, slice]
    layers: Pairs
    work: tuple[tuple[Tensor, ...], ...]

    def cells(self, gradient: Tensor) -> Tensor:
        """The block's part of ``gradient [b, Q, c, d, *grid]``."""
        rows, components, layers = self.window
        return gradient[rows, :, components, :, layers]

    def nodes(self, field: Tensor) -> Tensor:
        """The block's rows and components of ``field [b, c, *grid]``, all layers."""
        return field[self.window[0], self.window[1]]


class Multilinear:
    """Gradient of multilinear finite elements at the points of a tensor rule, and its adjoint.

    Args:
        grid: the grid.
        b: rows of a batch.
        c: components of a field.
        device: where the fields live.
        dtype: of the fields.
        abscissae: of the rule along an axis, in [0, 1] and symmetric about 1/2; all weights are equal.
    """

    def __init__(
        self, grid: Grid, b: int, c: int, device: torch.device, dtype: torch.dtype, abscissae: tuple[float, ...]
    ) -> None:
        self.grid = grid
        self.points = len(abscissae) ** grid.dim
        self._abscissae = abscissae
        self._factors = tuple(1.0 / h for h in grid.spacing)
        self._pairs = tuple(_pairs(n, 0, n) for n in grid.shape)
        self._fields = (b, c, *grid.shape)
        self._gradients = (b, self.points, c, grid.dim, *grid.shape)
        self._blocks = _blocks(grid, b, c, device, dtype)

    def gradient(self, u: Tensor, out: Tensor) -> Tensor:
        """Write the gradient ``[b, Q, c, d, *grid]`` of ``u [b, c, *grid]`` to ``out``.

        Raises:
            ShapeError: fields that are not of the shape this was made for.
        """
        self._check(u, out)
        for block in self._blocks:
            self._differentiate(block, block.nodes(u), (), 0, 0, block.cells(out))
        return out

    def divergence(self, flux: Tensor, out: Tensor) -> Tensor:
        """Write the adjoint of `gradient`, divided by Q, ``[b, c, *grid]`` of ``flux [b, Q, c, d, *grid]``, to ``out``.

        Raises:
            ShapeError: fields that are not of the shape this was made for.
        """
        self._check(out, flux)
        out.zero_()
        for block in self._blocks:
            self._collect(block, block.cells(flux), 0, 0, (block.nodes(out),), (False,))
        return out if self.points == 1 else out.mul_(1.0 / self.points)

    def metric(self) -> Tensor:
        """Return ``[d, d, *half]``, float64: the mean over the points of ``conj(k_j) k_l``, on the CPU.

        With ``t`` the phase between neighbours along an axis, the mean of an interpolation squared is
        ``1 - v sin^2(t/2)``, v the mean of 4 w (1 - w) over the abscissae w; a difference squared is
        ``4 sin^2(t/2)/h^2``; difference times interpolation is ``i sin(t)/h``, whatever the rule.
        """
        d, half = self.grid.dim, self.grid.half
        bulge = sum(4.0 * w * (1.0 - w) for w in self._abscissae) / len(self._abscissae)
        mean, cross, slope = [], [], []
        for axis, (n, factor) in enumerate(zip(self.grid.shape, self._factors, strict=True)):
            frequency = torch.fft.fftfreq if axis < d - 1 else torch.fft.rfftfreq
            angle = math.pi * frequency(n, dtype=torch.float64)
            view = [-1 if a == axis else 1 for a in range(d)]
            sine, cosine = torch.sin(angle).view(view), _cosine(angle).view(view)
            mean.append((1.0 - bulge) + bulge * cosine * cosine)
            cross.append(2.0 * sine * cosine * factor)
            slope.append((2.0 * sine * factor) ** 2)
        metric = torch.empty((d, d, *half), dtype=torch.float64)
        for j, k in itertools.product(range(d), repeat=2):
            first, second = d - 1 - j, d - 1 - k
            factors = [cross[a] if a in (first, second) else mean[a] for a in range(d)]
            if j == k:
                factors[first] = slope[first]
            metric[j, k] = math.prod(factors[1:], start=factors[0])
        return metric

    def _check(self, field: Tensor, gradient: Tensor) -> None:
        if tuple(field.shape) != self._fields or tuple(gradient.shape) != self._gradients:
            raise ShapeError(
                f"A discretisation made for fields {self._fields} and gradients {self._gradients} was given a field "
                f"{tuple(field.shape)} and a gradient {tuple(gradient.shape)}; make one for these."
            )

    def _differentiate(
        self, block: _Block, mean: Tensor, slopes: tuple[Tensor, ...], axis: int, first: int, out: Tensor
    ) -> None:
        """Write the gradient at the points from ``first`` on, given the interpolation along the axes before."""
        d = self.grid.dim
        last = axis == d - 1
        pairs = self._pairs[axis] if axis else block.layers
        first *= len(self._abscissae)
        slope = out[:, first, :, 0] if last else block.work[axis][axis]
        _difference(mean, slope, axis - d, pairs, self._factors[axis])
        for point, w in enumerate(self._abscissae, first):
            if last:
                inner = tuple(out[:, point, :, d - 1 - a] for a in range(axis))
                if point > first:
                    out[:, point, :, 0].copy_(slope)
            else:
                inner = block.work[axis][:axis]
                _interpolate(mean, block.work[axis][-1], axis - d, pairs, w)
            for source, target in zip(slopes, inner, strict=True):
                _interpolate(source, target, axis - d, pairs, w)
            if not last:
                self._differentiate(block, block.work[axis][-1], (*inner, slope), axis + 1, point, out)

    def _collect(
        self, block: _Block, flux: Tensor, axis: int, first: int, targets: tuple[Tensor, ...], fresh: tuple[bool, ...]
    ) -> None:
        """Add the adjoint of `_differentiate` to ``targets`` (slopes, then the mean); overwrite the ``fresh`` ones."""
        d = self.grid.dim
        last = axis == d - 1
        pairs = self._pairs[axis] if axis else block.layers
        first *= len(self._abscissae)
        *slopes, mean = targets
        for point, w in enumerate(self._abscissae, first):
            new = point == first
            if last:
                inner = tuple(flux[:, point, :, d - 1 - a] for a in range(axis))
                _difference_adjoint(flux[:, point, :, 0], mean, -1, pairs, self._factors[axis], new and fresh[-1])
            else:
                work = block.work[axis]
                inner = work[:axis]
                # The slope along this axis serves all its points; the rest is of this point alone.
                self._collect(block, flux, axis + 1, point, work, (*[True] * axis, new, True))
                _interpolate_adjoint(work[-1], mean, axis - d, pairs, w, new and fresh[-1])
            for source, target, clean in zip(inner, slopes, fresh[:-1], strict=True):
                _interpolate_adjoint(source, target, axis - d, pairs, w, new and clean)
        if not last:
            _difference_adjoint(block.work[axis][axis], mean, axis - d, pairs, self._factors[axis], False)


def _pairs(n: int, start: int, stop: int) -> Pairs:
    """Return the cells ``start`` to ``stop`` of a periodic axis of n nodes, in runs without a wrap."""
    inside = min(stop, n - 1) - start
    runs = [(0, start, start + 1, inside)] if inside > 0 else []
    if stop == n:
        runs.append((n - 1 - start, n - 1, 0, 1))
    return tuple(runs)


def _blocks(grid: Grid, b: int, c: int, device: torch.device, dtype: torch.dtype) -> tuple[_Block, ...]:
    """Cut a field into blocks whose work arrays stay in the cache of a CPU; a GPU takes all at once."""
    d, layers = grid.dim, grid.shape[0]
    limit = max(1, CACHE // dtype.itemsize) if device.type == "cpu" else b * c * grid.voxels
    thickness = min(layers, max(1, limit // (grid.voxels // layers)))
    components = min(c, max(1, limit // grid.voxels))
    rows = min(b, max(1, limit // (grid.voxels * c)))
    shape = (rows, components, thickness, *grid.shape[1:])
    work = [[torch.zeros(shape, dtype=dtype, device=device) for _ in range(a + 2)] for a in range(d - 1)]
    return tuple(
        _Block(
            window=(slice(r, min(r + rows, b)), slice(i, min(i + components, c)), slice(z, min(z + thickness, layers))),
            layers=_pairs(layers, z, min(z + thickness, layers)),
            work=tuple(tuple(w[: b - r, : c - i, : layers - z] for w in level) for level in work),
        )
        for r in range(0, b, rows)
        for i in range(0, c, components)
        for z in range(0, layers, thickness)
    )


def _difference(source: Tensor, out: Tensor, axis: int, pairs: Pairs, factor: float) -> None:
    for cell, first, second, n in pairs:
        torch.sub(source.narrow(axis, second, n), source.narrow(axis, first, n), out=out.narrow(axis, cell, n))
    if factor != 1.0:
        out.mul_(factor)


def _interpolate(source: Tensor, out: Tensor, axis: int, pairs: Pairs, w: float) -> None:
    for cell, first, second, n in pairs:
        torch.lerp(source.narrow(axis, first, n), source.narrow(axis, second, n), w, out=out.narrow(axis, cell, n))


def _difference_adjoint(source: Tensor, out: Tensor, axis: int, pairs: Pairs, factor: float, fresh: bool) -> None:
    if fresh:  # of whole axes: a node's cell has its own number
        for _, first, second, n in pairs:
            torch.sub(source.narrow(axis, first, n), source.narrow(axis, second, n), out=out.narrow(axis, second, n))
        if factor != 1.0:
            out.mul_(factor)
        return
    for cell, first, second, n in pairs:
        part = source.narrow(axis, cell, n)
        out.narrow(axis, first, n).sub_(part, alpha=factor)
        out.narrow(axis, second, n).add_(part, alpha=factor)


def _interpolate_adjoint(source: Tensor, out: Tensor, axis: int, pairs: Pairs, w: float, fresh: bool) -> None:
    if fresh:  # of whole axes: a node's cell has its own number
        for _, first, second, n in pairs:
            torch.lerp(
                source.narrow(axis, second, n), source.narrow(axis, first, n), w, out=out.narrow(axis, second, n)
            )
        return
    for cell, first, second, n in pairs:
        part = source.narrow(axis, cell, n)
        out.narrow(axis, first, n).add_(part, alpha=1.0 - w)
        out.narrow(axis, second, n).add_(part, alpha=w)


def _cosine(angle: Tensor) -> Tensor:
    # cos(pi/2) is 6e-17 in floating point; the null modes must be exact to be left out.
    cosine = torch.cos(angle)
    return cosine.masked_fill(cosine.abs() < 1e-14, 0.0)
