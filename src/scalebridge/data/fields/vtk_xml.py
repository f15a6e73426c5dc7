"""VTK's XML files of unstructured grids (``.vtu``) and surfaces (``.vtp``), checked as they are read.

Those of a run in parallel (``.pvtu``, ``.pvtp``) name a file for each piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np

from scalebridge.data.fields.raw import Array, RawMesh
from scalebridge.data.fields.vtk_arrays import COMPRESSORS, TYPES, Coding, decoded
from scalebridge.data.fields.vtk_cells import POLY_LINE, POLY_VERTEX, STRIP, grouped
from scalebridge.data.readers.opening import opened
from scalebridge.errors import InputError

GRIDS, PARALLEL = ("UnstructuredGrid", "PolyData"), (".pvtu", ".pvtp")
# The parts of a surface in the order of its cell data.
SURFACE = (("Verts", POLY_VERTEX), ("Lines", POLY_LINE), ("Polys", 7), ("Strips", STRIP))
_GHOSTS = "vtkGhostType"


def read(path: Path) -> RawMesh:
    """Read a file, of a run in parallel all its pieces.

    Raises:
        InputError: a damaged, truncated or other file, a piece that is not there.
    """
    if path.suffix.lower() not in PARALLEL:
        return _one(path)
    with _damage(path):
        sources = _sources(path.read_bytes())
    pieces = []
    for source in sources:
        opened(path.parent / source, "piece of a mesh")
        pieces.append(_one(path.parent / source))
    with _damage(path):
        return _joined(pieces)


def _one(path: Path) -> RawMesh:
    with _damage(path):
        return _read(path.read_bytes())


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """What does not hold in a file, in a sentence that names it."""
    try:
        yield
    except (ValueError, KeyError, ElementTree.ParseError, OverflowError, RecursionError) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]
        raise InputError(
            f"The mesh '{path}' cannot be read as VTK's XML ({why[:200].rstrip('. ')}); it may be truncated or "
            "damaged: export it again."
        ) from None
    except OSError as error:
        raise InputError(f"The mesh '{path}' cannot be opened ({error.strerror}).") from None


def _sources(content: bytes) -> list[str]:
    """Files of the pieces of a run in parallel, relative to the file that names them."""
    root, _ = _opened(content)
    found = [piece.attrib["Source"] for kind in GRIDS for piece in root.findall(f"P{kind}/Piece")]
    if not found:
        raise ValueError("it lists no pieces of a grid")
    return found


def _read(content: bytes) -> RawMesh:
    root, coding = _opened(content)
    kind = root.get("type", "nothing")
    grid = root.find(kind) if root.tag == "VTKFile" and kind in GRIDS else None
    if grid is None:
        raise ValueError(f"it is '{kind[:40]}', and grids are {', '.join(GRIDS)}")
    pieces = [_piece(piece, coding) for piece in grid.findall("Piece")]
    if not pieces:
        raise ValueError("it has no Piece")
    whole = _joined(pieces)
    whole.time = _time(grid, root, coding)
    return whole


def _opened(content: bytes) -> tuple[Any, Coding]:
    """The tree of everything but the appended bytes, and how arrays are written."""
    start = content.find(b"<AppendedData")
    head = content if start < 0 else content[:start] + b"</VTKFile>"
    if b"<!DOCTYPE" in head[:4096] or b"<!ENTITY" in head:
        raise ValueError("it declares entities, which no VTK file does")
    root = ElementTree.fromstring(head)
    compressor = root.get("compressor")
    if compressor is not None and compressor not in COMPRESSORS:
        raise ValueError(f"its arrays are packed by {compressor}; save it with zlib or unpacked")
    order: Literal["<", ">"] = "<" if root.get("byte_order", "LittleEndian") == "LittleEndian" else ">"
    header = root.get("header_type", "UInt32")
    if header not in ("UInt32", "UInt64"):
        raise ValueError(f"its sizes are of the type '{header}'")
    appended, raw = memoryview(b""), False
    if start >= 0:
        tag_end = content.find(b">", start)
        begin, end = content.find(b"_", tag_end) + 1, content.rfind(b"</AppendedData>")
        if tag_end < 0 or begin <= 0 or end < begin:
            raise ValueError("its appended arrays are not closed")
        appended, raw = memoryview(content)[begin:end], b'encoding="raw"' in content[start:tag_end]
    kind = np.dtype(TYPES[header]).newbyteorder(order)
    return root, Coding(order, kind, COMPRESSORS.get(compressor or ""), appended, raw)


def _piece(piece: Any, coding: Coding) -> RawMesh:
    n_points = int(piece.attrib["NumberOfPoints"])
    holder = piece.find("Points")
    places = None if holder is None else holder.find("DataArray")
    if places is None:
        raise ValueError("a piece has no Points")
    points = _array(places, coding)
    if len(points) != 3 * n_points:
        raise ValueError(f"a piece claims {n_points} points and has {len(points)} coordinates")
    connectivity, ends, types = _cells(piece, coding)
    cells = grouped(connectivity, ends, types)
    owners, blocks = cells.owners, cells.blocks
    cell_data = {k: v[owners] for k, v in _data(piece.find("CellData"), coding, len(types))}
    point_data = dict(_data(piece.find("PointData"), coding, n_points))
    raw = RawMesh(points.reshape(-1, 3), blocks, point_data, cell_data)
    return _without_ghosts(raw)


def _cells(piece: Any, coding: Coding) -> tuple[Array, Array, Array]:
    """Nodes of the cells one after the other, where each cell ends, and its type, as int64."""
    holder = piece.find("Cells")
    if holder is not None:
        arrays = {a.get("Name"): _array(a, coding) for a in holder.findall("DataArray")}
        nodes, ends, types = (_whole(arrays[k]) for k in ("connectivity", "offsets", "types"))
        count = int(piece.attrib["NumberOfCells"])
        if not len(ends) == len(types) == count:
            raise ValueError(f"a piece claims {count} cells and has {len(ends)} ends and {len(types)} types of them")
        return nodes, ends, types
    parts: list[tuple[Array, Array, Array]] = []
    before = 0
    for name, number in SURFACE:
        part = piece.find(name)
        arrays = {} if part is None else {a.get("Name"): _array(a, coding) for a in part.findall("DataArray")}
        if len(arrays.get("offsets", ())):
            nodes, ends = _whole(arrays["connectivity"]), _whole(arrays["offsets"])
            parts.append((nodes, ends + before, np.full(len(ends), number, dtype=np.int64)))
            before += len(nodes)
    empty = np.zeros(0, dtype=np.int64)
    joined = [np.concatenate([empty, *[p[i] for p in parts]]) for i in range(3)]
    return joined[0], joined[1], joined[2]


def _data(holder: Any, coding: Coding, count: int) -> Iterator[tuple[str, Array]]:
    for array in [] if holder is None else holder.findall("DataArray"):
        if array.get("type") == "String":
            continue
        values = _array(array, coding)
        width = len(values) // count if count else int(array.get("NumberOfComponents") or 1)
        if len(values) != width * count or (count and not width):
            raise ValueError(f"the field '{array.get('Name')}' has {len(values)} values for {count} places")
        yield array.get("Name") or "field", values.reshape(count, width)


def _array(array: Any, coding: Coding) -> Array:
    text, array.text = array.text, None  # each is read once, and its text let go
    return decoded(coding, array.attrib["type"], array.get("format", "ascii"), text, array.get("offset"))


def _whole(values: Array) -> Array:
    if values.dtype.kind not in "iu":
        raise ValueError("numbers of nodes are no whole numbers")
    return values.astype(np.int64, copy=False)


def _time(grid: Any, root: Any, coding: Coding) -> float | None:
    for holder in (*root.findall("FieldData"), *grid.findall("FieldData")):
        for array in holder.findall("DataArray"):
            if re.fullmatch("time(_?value)?", array.get("Name") or "", re.IGNORECASE):
                values = _array(array, coding)
                if len(values) == 1 and np.isfinite(values[0]):
                    return float(values[0])
    return None


def _without_ghosts(raw: RawMesh) -> RawMesh:
    """Cells that a neighbouring piece holds too are left out."""
    ghosts = raw.cell_data.pop(_GHOSTS, None)
    raw.point_data.pop(_GHOSTS, None)
    if ghosts is None or not ghosts.any():
        return raw
    kept: Array = np.all(ghosts.reshape(len(ghosts), -1) == 0, axis=1)
    first, blocks = 0, []
    for kind, nodes in raw.blocks:
        blocks.append((kind, nodes[kept[first : first + len(nodes)]]))
        first += len(nodes)
    return RawMesh(raw.points, blocks, raw.point_data, {k: v[kept] for k, v in raw.cell_data.items()})


def _joined(pieces: list[RawMesh]) -> RawMesh:
    """Pieces as one mesh; what only some of them have is left out. Empty ones do not count."""
    pieces = [piece for piece in pieces if len(piece.points)] or pieces[:1]
    if len(pieces) == 1:
        return pieces[0]
    before = np.cumsum([0, *[len(p.points) for p in pieces]])
    blocks = [(kind, nodes + shift) for p, shift in zip(pieces, before, strict=False) for kind, nodes in p.blocks]
    made = RawMesh(np.concatenate([p.points for p in pieces]), blocks)
    for part in ("point_data", "cell_data"):
        shared = [k for k in getattr(pieces[0], part) if all(k in getattr(p, part) for p in pieces)]
        setattr(made, part, {k: np.concatenate([getattr(p, part)[k] for p in pieces]) for k in shared})
    return made
