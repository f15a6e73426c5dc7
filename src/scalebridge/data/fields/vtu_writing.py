"""VTK's XML file of an unstructured grid, written: every type of cell that we know, arrays in base64, packed by zlib.

Source: VTK's XML file formats, https://docs.vtk.org/en/latest/vtk_file_formats/vtkxml_file_format.html
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields.cells import CellBlock
from scalebridge.data.fields.vtk_arrays import TYPES
from scalebridge.data.fields.vtk_cells import number_of
from scalebridge.quantities import Floats

# Bytes that are packed at a time.
_BLOCK = 1 << 20
_NAMES = {code: name for name, code in TYPES.items()}


def vtu(
    points: Floats, blocks: Sequence[CellBlock], at_points: Mapping[str, Any], in_cells: Mapping[str, Any]
) -> bytes:
    """The file of a grid.

    Args:
        points: ``[p, 3]``.
        blocks: its cells.
        at_points: from name to ``[p]`` or ``[p, k]``.
        in_cells: from name to ``[e]`` or ``[e, k]`` through all blocks.

    Raises:
        KeyError: a type of cells that VTK does not have.
    """
    sizes = np.concatenate([np.zeros(0, np.int64), *[np.full(len(b), b.nodes.shape[1]) for b in blocks]])
    nodes = np.concatenate([np.zeros(0, np.int64), *[b.nodes.ravel() for b in blocks]])
    types = np.concatenate([np.zeros(0, np.uint8), *[np.full(len(b), number_of(b.type), np.uint8) for b in blocks]])
    cells = {"connectivity": nodes, "offsets": np.cumsum(sizes), "types": types}
    return "".join(
        [
            '<?xml version="1.0"?>\n<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" '
            'header_type="UInt64" compressor="vtkZLibDataCompressor">\n<UnstructuredGrid>\n'
            f'<Piece NumberOfPoints="{len(points)}" NumberOfCells="{len(sizes)}">\n',
            _section("Points", {"Points": points}),
            _section("Cells", cells),
            _section("PointData", at_points),
            _section("CellData", in_cells),
            "</Piece>\n</UnstructuredGrid>\n</VTKFile>\n",
        ]
    ).encode()


def _section(tag: str, arrays: Mapping[str, Any]) -> str:
    return f"<{tag}>\n" + "".join(_array(name, np.asarray(values)) for name, values in arrays.items()) + f"</{tag}>\n"


def _array(name: str, values: NDArray[Any]) -> str:
    values = values.astype(np.uint8) if values.dtype.kind == "b" else values
    width = values.shape[1] if values.ndim == 2 else 1
    kind = _NAMES[f"{values.dtype.kind}{values.dtype.itemsize}"]
    return (
        f'<DataArray type="{kind}" Name={quoteattr(name)} NumberOfComponents="{width}" format="binary">'
        f"{_packed(np.ascontiguousarray(values, values.dtype.newbyteorder('<')).tobytes())}</DataArray>\n"
    )


def _packed(content: bytes) -> str:
    """Sizes (blocks, bytes of each, of the last, packed bytes of each) and the packed blocks, each a run of base64."""
    parts = [zlib.compress(content[at : at + _BLOCK]) for at in range(0, len(content), _BLOCK)]
    sizes = np.array([len(parts), _BLOCK, len(content) % _BLOCK, *map(len, parts)], dtype="<u8")
    return (base64.b64encode(sizes.tobytes()) + base64.b64encode(b"".join(parts))).decode()
