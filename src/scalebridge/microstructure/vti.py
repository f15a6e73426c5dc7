"""VTK images (.vti): a reader and a writer of our own, as ParaView and pyvista write and read them.

Arrays are in the order of this package: ``[nz, ny, nx]``, with components first, ``[c, nz, ny, nx]``; spacing and
origin are in the order of the axes too, ``(z, y, x)``. VTK has no units: `write_vti` means metres and says so in a
field array ``metres_per_unit``, which `read_vti` understands. A direction matrix is not applied: axes are the image's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.formats.vti import TYPES, UNIT, VtiFile

_NAMES = {np.dtype(code).str[1:]: name for name, code in TYPES.items()}
_AXES = {2: ("XX", "YY", "XY"), 3: ("XX", "YY", "ZZ", "XY", "YZ", "XZ")}
# From Mandel 11, 22, 33, sqrt2 23, sqrt2 13, sqrt2 12 to the order of VTK's symmetric tensors.
_FROM_MANDEL = {2: (0, 1, 2), 3: (0, 1, 2, 5, 3, 4)}


@dataclass(frozen=True, eq=False)
class VtiImage:
    """A VTK image.

    Attributes:
        cells: arrays per voxel, ``[nz, ny, nx]`` or ``[c, nz, ny, nx]``.
        points: arrays per corner of the voxels, ``[nz + 1, ny + 1, nx + 1]`` or with components first.
        spacing: edges of a voxel ``(z, y, x)`` in the unit of the file.
        origin: first corner ``(z, y, x)`` in the unit of the file.
        metres_per_unit: the unit, where the file tells it (ours do).
    """

    cells: dict[str, NDArray[Any]]
    points: dict[str, NDArray[Any]]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    metres_per_unit: float | None


def write_vti(
    path: str | Path,
    arrays: Mapping[str, ArrayLike],
    spacing: Sequence[float],
    origin: Sequence[float] | None = None,
    *,
    points: Mapping[str, ArrayLike] | None = None,
    mandel: Iterable[str] = (),
) -> Path:
    """Write fields on a grid of voxels for ParaView, pyvista and others; the file appears whole or not at all.

    Args:
        path: of the file, ``.vti``.
        arrays: per voxel, ``[*grid]`` or ``[c, *grid]`` with the grid ``(ny, nx)`` or ``(nz, ny, nx)``.
        spacing: edges of a voxel in m, in the order of the grid's axes; their number is the dimension of the grid.
        origin: first corner in m, in the same order; zero by default.
        points: per corner, ``[*grid + 1]`` or ``[c, *grid + 1]``. Arrays of the grid's own shape are periodic
            fields with a node at the first corner of each voxel: they are continued to the far faces.
        mandel: names of the arrays whose components are Mandel's: they are written as tensor components, shear
            without its root of two, in VTK's order XX, YY, ZZ, XY, YZ, XZ.

    Raises:
        ShapeError: arrays whose shapes do not go together.
        InputError: nothing to write, arrays that are not real numbers, a spacing that is not positive.
    """
    edges, corner = _checked_spacing(spacing, origin)
    d, tensors = len(edges), set(mandel)
    cells = {str(name): _prepared(name, value, d, name in tensors) for name, value in arrays.items()}
    nodes = {str(name): _prepared(name, value, d, name in tensors) for name, value in (points or {}).items()}
    grid = _grid(cells, nodes)
    nodes = {name: _closed(value, grid) for name, value in nodes.items()}
    for name, value, shape in _all(cells, nodes, grid):
        if value.shape[1:] != shape:
            raise ShapeError(
                f"The array '{name}' has the shape {value.shape[1:]} per component, but the grid has {grid} voxels; "
                "give [*grid] or [c, *grid], and for points the grid or one more along each axis."
            )
    target = Path(path)
    part = target.with_name(target.name + ".part")
    with part.open("wb") as stream:
        _write(stream, cells, nodes, grid, edges, corner, tensors)
    os.replace(part, target)
    return target


def read_vti(path: str | Path) -> VtiImage:
    """Read all arrays of numbers of a VTK image: ASCII, inline base64 or appended, plain, zlib or LZMA.

    Raises:
        InputError: missing, truncated, foreign, in several pieces, or compressed in another way.
    """
    with VtiFile(Path(path)) as image:
        cells = {name: image.array("CellData", name) for name in image.shapes("CellData")}
        points = {name: image.array("PointData", name) for name in image.shapes("PointData")}
        return VtiImage(cells, points, image.spacing, image.origin, image.metres_per_unit())


def _checked_spacing(
    spacing: Sequence[float], origin: Sequence[float] | None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    edges = tuple(float(edge) for edge in spacing)
    corner = tuple(float(x) for x in origin) if origin is not None else (0.0,) * len(edges)
    if len(edges) not in (2, 3) or not all(np.isfinite(edge) and edge > 0 for edge in edges):
        raise InputError(f"The spacing of a VTK image is {spacing}; give 2 or 3 positive lengths, one per axis.")
    if len(corner) != len(edges) or not np.isfinite(corner).all():
        raise InputError(f"The origin of a VTK image is {origin}; give one finite length per axis ({len(edges)}).")
    return edges, corner


def _prepared(name: str, value: ArrayLike, d: int, tensor: bool) -> NDArray[Any]:
    """Return ``[c, *grid]`` in a type that VTK has."""
    array = np.asarray(value)
    if array.ndim == d:
        array = array[None]
    if array.ndim != d + 1 or array.size == 0:
        raise ShapeError(
            f"The array '{name}' has the shape {array.shape}; for a spacing of {d} lengths [*grid] or [c, *grid] "
            f"with {d} axes of the grid is needed, not empty."
        )
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.dtype.str[1:] not in _NAMES:
        raise InputError(f"The array '{name}' holds {array.dtype} values; a VTK image holds integers and floats.")
    if tensor:
        return _without_root(name, array, d)
    if d == 2 and array.shape[0] == 2:
        # ParaView takes three components for a vector.
        return np.concatenate([array, np.zeros_like(array[:1])])
    return array


def _without_root(name: str, array: NDArray[Any], d: int) -> NDArray[Any]:
    if array.shape[0] != len(_AXES[d]):
        raise ShapeError(
            f"The array '{name}' has {array.shape[0]} components; Mandel's are {len(_AXES[d])} in {d} dimensions."
        )
    tensor = array[list(_FROM_MANDEL[d])].astype(np.result_type(array.dtype, np.float32))
    tensor[d:] /= np.sqrt(2.0)
    return tensor


def _grid(cells: Mapping[str, NDArray[Any]], nodes: Mapping[str, NDArray[Any]]) -> tuple[int, ...]:
    if cells:
        return next(iter(cells.values())).shape[1:]
    if nodes:
        return tuple(n - 1 for n in next(iter(nodes.values())).shape[1:])
    raise InputError("There is no array to write to the VTK image; give at least one.")


def _closed(value: NDArray[Any], grid: tuple[int, ...]) -> NDArray[Any]:
    """Continue a periodic field to the far faces; leave others as they are."""
    if value.shape[1:] == grid:
        return np.pad(value, [(0, 0), *[(0, 1)] * len(grid)], mode="wrap")
    return value


def _all(
    cells: Mapping[str, NDArray[Any]], nodes: Mapping[str, NDArray[Any]], grid: tuple[int, ...]
) -> Iterable[tuple[str, NDArray[Any], tuple[int, ...]]]:
    yield from ((name, value, grid) for name, value in cells.items())
    yield from ((name, value, tuple(n + 1 for n in grid)) for name, value in nodes.items())


def _write(
    stream: BinaryIO,
    cells: Mapping[str, NDArray[Any]],
    nodes: Mapping[str, NDArray[Any]],
    grid: tuple[int, ...],
    edges: tuple[float, ...],
    corner: tuple[float, ...],
    tensors: set[str],
) -> None:
    extent = " ".join(f"0 {n}" for n in (*grid[::-1], 0)[:3])
    # A plane image needs a third spacing, which means nothing.
    spacing, origin = (*edges[::-1], edges[-1])[:3], (*corner[::-1], 0.0)[:3]
    lines = [
        '<?xml version="1.0"?>',
        '<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64">',
        f'<ImageData WholeExtent="{extent}" Origin="{_numbers(origin)}" Spacing="{_numbers(spacing)}">',
        "<FieldData>",
        f'<DataArray type="Float64" Name="{UNIT}" NumberOfTuples="1" format="ascii">1</DataArray>',
        "</FieldData>",
        f'<Piece Extent="{extent}">',
    ]
    offset = 0
    for home, arrays in (("CellData", cells), ("PointData", nodes)):
        lines.append(f"<{home}>")
        for name, value in arrays.items():
            lines.append(_tag(name, value, offset, name in tensors, len(grid)))
            offset += 8 + value.nbytes
        lines.append(f"</{home}>")
    lines += ["</Piece>", "</ImageData>", '<AppendedData encoding="raw">', "_"]
    stream.write("\n".join(lines).encode("utf-8"))
    for value in (*cells.values(), *nodes.values()):
        stream.write(np.array(value.nbytes, dtype="<u8").tobytes())
        stream.write(np.moveaxis(value, 0, -1).astype(value.dtype.newbyteorder("<"), order="C").tobytes())
    stream.write(b"\n</AppendedData>\n</VTKFile>\n")


def _tag(name: str, value: NDArray[Any], offset: int, tensor: bool, d: int) -> str:
    kind = _NAMES[value.dtype.str[1:]]
    named = "".join(f' ComponentName{k}="{axis}"' for k, axis in enumerate(_AXES[d])) if tensor else ""
    return (
        f'<DataArray type="{kind}" Name={quoteattr(name)} NumberOfComponents="{len(value)}"{named} '
        f'format="appended" offset="{offset}"/>'
    )


def _numbers(values: Sequence[float]) -> str:
    return " ".join(repr(float(value)) for value in values)
