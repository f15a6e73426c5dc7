"""Diffusion through a pore space: tortuosity and formation factor."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg

from scalebridge.errors import InputError
from scalebridge.micro.flow.connectivity import through_pores
from scalebridge.micro.flow.image import Mask, fluid_mask, voxel_edges
from scalebridge.micro.flow.multigrid import Cycle
from scalebridge.quantities import Floats

Boundary = Literal["periodic", "mirror"]

_LIMIT = 2000


@dataclass(frozen=True)
class Tortuosity:
    """Diffusion (conduction) through the pores along ``k`` directions, relative to that in the open fluid.

    Args:
        axes: directions of rows and columns; x runs along the last axis of the image.
        relative: effective over free diffusivity ``[k, k]``; zero where the pores do not connect.
        porosity: fluid voxels over all voxels.
        isolated: share of the fluid that reaches through the cell along none of ``axes`` and was left out.
        iterations: conjugate-gradient iterations per direction.
        seconds: wall time.
        note: empty, or along which directions the pores do not connect.
    """

    axes: tuple[str, ...]
    relative: Floats
    porosity: float
    isolated: float
    iterations: tuple[int, ...]
    seconds: float
    note: str

    @property
    def tortuosity(self) -> Floats:
        """Porosity over relative diffusivity, per direction ``[k]``; infinite where the pores do not connect.

        The factor by which the pores are worse than straight ones of the same porosity; some authors call its square
        root the tortuosity.
        """
        with np.errstate(divide="ignore"):
            found: Floats = self.porosity / np.diag(self.relative)
        return found

    @property
    def formation_factor(self) -> Floats:
        """Resistivity of the saturated sample over that of the fluid, per direction ``[k]``."""
        with np.errstate(divide="ignore"):
            found: Floats = 1.0 / np.diag(self.relative)
        return found

    def __str__(self) -> str:
        pairs = zip(self.axes, self.tortuosity, self.formation_factor, strict=True)
        shown = ", ".join(f"tau_{a} = {t:.4g} (F = {f:.4g})" for a, t, f in pairs)
        return f"{shown}, porosity {self.porosity:.4f}" + (f". {self.note}" if self.note else "")


@dataclass(frozen=True)
class _Links:
    """Pairs of fluid voxels that share a face across one axis.

    Args:
        below, above: numbers of the voxels ``[l]``.
        weight: area of the face over the distance of the centres.
        edge: distance of the centres.
    """

    below: NDArray[np.int64]
    above: NDArray[np.int64]
    weight: float
    edge: float


def tortuosity(
    phases: ArrayLike,
    *,
    fluid: int | bool | Sequence[int] | ArrayLike | None = None,
    voxel_size: str | float | Sequence[str | float] | None = None,
    boundary: Boundary = "periodic",
    axes: str | Sequence[str] = "all",
    tolerance: float = 1e-6,
) -> Tortuosity:
    """Solve for steady diffusion through the pores of a voxel image.

    Finite volumes on the fluid voxels alone, which connect by their faces; conjugate gradients with multigrid. Pores
    that do not reach through the cell are left out.

    Args:
        phases: labels or booleans ``[ny, nx]`` or ``[nz, ny, nx]``.
        fluid: label of the pores or several of them, ``True`` or ``False``, or a mask; label 0 if not given.
        voxel_size: edge of a voxel, or one per axis of the image; only ratios matter.
        boundary: ``"periodic"``, or ``"mirror"``: concentrations given on two ends, nothing through the sides.
        axes: ``"all"`` or letters of ``"xyz"``; x runs along the last axis of the image.
        tolerance: relative residual; the error of the result is of the order of its square.

    Raises:
        InputError: an image that is not one of labels, no fluid, an option out of range.
    """
    if boundary not in ("periodic", "mirror"):
        raise InputError(f"The boundary of a tortuosity is {boundary!r}; valid: 'periodic', 'mirror'.")
    mask = fluid_mask(phases, fluid)
    names = _axes(axes, mask.ndim)
    edges = voxel_edges(voxel_size, mask.ndim) or (1.0,) * mask.ndim
    started = time.perf_counter()
    along = [mask.ndim - 1 - "xyz".index(n) for n in names]
    through = through_pores(mask, boundary == "periodic")
    used: Mask = np.logical_or.reduce([through[a] for a in along])
    open_axes = [a for a in along if through[a].any()]
    volume = mask.size * math.prod(edges)
    solve = _periodic if boundary == "periodic" else _mirrored
    relative, counts = solve(used, edges, along, open_axes, volume, tolerance)
    closed = [n for a, n in zip(along, names, strict=True) if a not in open_axes]
    note = f"The pores do not connect through the cell along {' and '.join(closed)}" if closed else ""
    fraction = float(mask.mean())
    isolated = 1.0 - float(used.sum()) / float(mask.sum())
    return Tortuosity(names, relative, fraction, isolated, counts, time.perf_counter() - started, note)


def _axes(axes: str | Sequence[str], dim: int) -> tuple[str, ...]:
    valid = tuple("xyz"[:dim])
    names = valid if isinstance(axes, str) and axes == "all" else tuple(axes)
    if not names or len(set(names)) < len(names) or any(n not in valid for n in names):
        raise InputError(
            f"The tortuosity was asked for along {axes!r}; valid: 'all' or distinct letters of '{''.join(valid)}', "
            "where x runs along the last axis of the image."
        )
    return names


def _periodic(
    used: Mask, edges: Sequence[float], along: Sequence[int], open_axes: Sequence[int], volume: float, tolerance: float
) -> tuple[Floats, tuple[int, ...]]:
    number, places = _numbered(used)
    links = [_links(number, edges, axis, True) for axis in range(used.ndim)]
    drops: dict[int, list[Floats]] = {}
    counts = dict.fromkeys(along, 0)
    if open_axes:
        matrix = _laplacian(links, len(places))
        cycle = Cycle(matrix, places)
        for axis in open_axes:
            link = links[axis]
            out, back = (np.bincount(side, minlength=len(places)) for side in (link.below, link.above))
            pull: Floats = link.weight * link.edge * (out - back).astype(np.float64)
            found, counts[axis] = _solved(matrix, cycle, pull, tolerance)
            drops[axis] = [found[k.above] - found[k.below] + (k.edge if k is link else 0.0) for k in links]
    relative = np.zeros((len(along), len(along)))
    for i, a in enumerate(along):
        for j, b in enumerate(along):
            if a in drops and b in drops:
                pairs = zip(links, drops[a], drops[b], strict=True)
                relative[i, j] = sum(k.weight * float(x @ y) for k, x, y in pairs) / volume
    return relative, tuple(counts[a] for a in along)


def _mirrored(
    used: Mask, edges: Sequence[float], along: Sequence[int], open_axes: Sequence[int], volume: float, tolerance: float
) -> tuple[Floats, tuple[int, ...]]:
    number, places = _numbered(used)
    links = [_links(number, edges, axis, False) for axis in range(used.ndim)]
    inner = _laplacian(links, len(places))
    relative, counts = np.zeros((len(along), len(along))), []
    for i, axis in enumerate(along):
        if axis not in open_axes:
            counts.append(0)
            continue
        length = used.shape[axis] * edges[axis]
        first, last = (_fluid(np.take(number, end, axis=axis)) for end in (0, -1))
        # Half a voxel from the centre to the end of the cell.
        half = 2.0 * links[axis].weight
        held = np.zeros(len(places))
        held[first] += half
        held[last] += half
        matrix = (inner + sparse.diags(held)).tocsr()
        pull = np.zeros(len(places))
        pull[last] = half * length
        found, count = _solved(matrix, Cycle(matrix, places), pull, tolerance)
        power = sum(k.weight * float(np.square(found[k.above] - found[k.below]).sum()) for k in links)
        power += half * float(np.square(found[first]).sum() + np.square(length - found[last]).sum())
        relative[i, i] = power / volume
        counts.append(count)
    return relative, tuple(counts)


def _numbered(used: Mask) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Number of every fluid voxel, -1 in the solid, and their places ``[n, dim]``."""
    number = np.full(used.shape, -1, dtype=np.int64)
    number[used] = np.arange(int(used.sum()))
    return number, np.argwhere(used).astype(np.int32)


def _links(number: NDArray[np.int64], edges: Sequence[float], axis: int, periodic: bool) -> _Links:
    inner = np.moveaxis(number, axis, 0)
    below, above = (inner, np.roll(inner, -1, axis=0)) if periodic else (inner[:-1], inner[1:])
    joined = (below >= 0) & (above >= 0)
    weight = math.prod(edges) / edges[axis] ** 2
    return _Links(below[joined], above[joined], weight, edges[axis])


def _fluid(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return numbers[numbers >= 0]


def _laplacian(links: Sequence[_Links], n: int) -> Any:
    rows = np.concatenate([np.concatenate([k.below, k.above]) for k in links])
    columns = np.concatenate([np.concatenate([k.above, k.below]) for k in links])
    weights = np.concatenate([np.full(2 * len(k.below), k.weight) for k in links])
    joined = sparse.csr_matrix((weights, (rows, columns)), shape=(n, n))
    return (sparse.diags(np.asarray(joined.sum(axis=1)).ravel()) - joined).tocsr()


def _solved(matrix: Any, cycle: Cycle, pull: Floats, tolerance: float) -> tuple[Floats, int]:
    count = 0

    def counted(_: Floats) -> None:
        nonlocal count
        count += 1

    if not np.abs(pull).max() > 0.0:
        return np.zeros_like(pull), 0
    approximate = LinearOperator(matrix.shape, matvec=cycle, dtype=np.float64)
    found, failed = cg(matrix, pull, rtol=tolerance, maxiter=_LIMIT, M=approximate, callback=counted)
    if failed:
        raise InputError(
            f"Diffusion through the pores was not found in {_LIMIT} iterations; raise the tolerance {tolerance:g}."
        )
    return np.asarray(found), count
