"""VTK image files (.vti): the header parsed, the arrays decoded one by one when asked for."""

from __future__ import annotations

import mmap
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.formats.loaded import Loaded, chosen, damaged
from scalebridge.microstructure.formats.vtk_blocks import COMPRESSORS, Buffer, Coding, unpack

TYPES = {
    **{f"Int{8 * n}": f"i{n}" for n in (1, 2, 4, 8)},
    **{f"UInt{8 * n}": f"u{n}" for n in (1, 2, 4, 8)},
    "Float32": "f4",
    "Float64": "f8",
}
UNIT = "metres_per_unit"


def load_vti(path: Path, dataset: str | None) -> Loaded:
    """Read one scalar array of a VTK image, cell data before point data.

    Raises:
        InputError: as `read_vti`, or no clear choice of an array.
    """
    with VtiFile(path) as image:
        home = "CellData" if dataset in image.shapes("CellData") or image.shapes("CellData") else "PointData"
        if dataset in image.shapes("PointData") and dataset not in image.shapes("CellData"):
            home = "PointData"
        scalars = {name: shape for name, shape in image.shapes(home).items() if len(shape) == 3}
        values = image.array(home, chosen(path, scalars, dataset))
        metre = image.metres_per_unit()
        z, y, x = image.spacing
        if metre is not None:
            return Loaded(values, (z * metre, y * metre, x * metre))
        return Loaded(values, None, (z, y, x))


class VtiFile:
    """A VTK image file: its header parsed, its data mapped; a context manager.

    Attributes:
        path: of the file.
        spacing: edges of a voxel ``(z, y, x)`` in the unit of the file.
        origin: first corner ``(z, y, x)`` in the unit of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = path.open("rb")
        try:
            self._data = mmap.mmap(self._stream.fileno(), 0, access=mmap.ACCESS_READ)
            self._parse()
        except InputError:
            self._stream.close()
            raise
        except Exception as error:  # XML and numbers of damaged files raise whatever their parsers raise
            self._stream.close()
            raise damaged(path, "a VTK image", error) from None

    def __enter__(self) -> VtiFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._data.close()
        self._stream.close()

    def _parse(self) -> None:
        at = self._data.find(b"<AppendedData")
        head = self._data[:] if at < 0 else self._data[:at] + b"</VTKFile>"
        # As text: the parser then follows no other encoding, in which a declaration could hide.
        text = head.decode("utf-8")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise ValueError("it declares XML entities, which VTK does not use")
        root = ElementTree.fromstring(text)
        kind = root.get("type")
        if root.tag != "VTKFile" or kind != "ImageData":
            raise ValueError(f"it holds {kind or root.tag}, not ImageData")
        image = root.find("ImageData")
        pieces = [] if image is None else image.findall("Piece")
        if image is None or len(pieces) != 1:
            raise ValueError(f"it has {len(pieces)} pieces, and one is needed: save it as one")
        self._image, self._piece = image, pieces[0]
        bounds = [int(k) for k in (pieces[0].get("Extent") or image.get("WholeExtent") or "").split()]
        steps = np.array(bounds[1::2]) - np.array(bounds[::2])
        if len(bounds) != 6 or steps.min() < 0 or steps.max() < 1:
            raise ValueError(f"its extent is {bounds}")
        self._steps = tuple(int(n) for n in steps[::-1])
        self.spacing, self.origin = self._triple("Spacing", 1.0), self._triple("Origin", 0.0)
        order = "<" if root.get("byte_order", "LittleEndian") == "LittleEndian" else ">"
        self._order = order
        self._header = np.dtype(order + TYPES[root.get("header_type", "UInt32")])
        self._compressor = root.get("compressor")
        tag = re.compile(rb"<AppendedData([^>]*)>\s*_").match(self._data, at) if at >= 0 else None
        self._start = tag.end() if tag else -1
        self._encoded = bool(tag) and b"base64" in tag[1]  # type: ignore[index]

    def _triple(self, name: str, default: float) -> tuple[float, ...]:
        words = (self._image.get(name) or "").split()
        values = tuple(float(word) for word in words[::-1]) if words else (default,) * 3
        if len(values) != 3 or not np.isfinite(values).all():
            raise ValueError(f"its {name} is '{' '.join(words)}'")
        return values

    def metres_per_unit(self) -> float | None:
        """Unit of length, where the file tells it."""
        found = self._image.find(f"FieldData/DataArray[@Name='{UNIT}']")
        try:
            unit = float((found.text or "").strip()) if found is not None else 0.0
        except ValueError:
            return None
        return unit if np.isfinite(unit) and unit > 0 else None

    def shapes(self, home: str) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays of numbers; components first."""
        found = {}
        for each in self._piece.findall(f"{home}/DataArray"):
            if each.get("type") in TYPES:
                count = int(each.get("NumberOfComponents") or 1)
                found[each.get("Name") or home] = (*([count] if count > 1 else []), *self._grid(home))
        return found

    def _grid(self, home: str) -> tuple[int, ...]:
        return tuple(max(n, 1) if home == "CellData" else n + 1 for n in self._steps)

    def array(self, home: str, name: str) -> NDArray[Any]:
        """Decode one array."""
        element = next(e for e in self._piece.findall(f"{home}/DataArray") if (e.get("Name") or home) == name)
        try:
            return self._decoded(element, self.shapes(home)[name])
        except InputError:
            raise
        except Exception as error:  # zlib, base64 and NumPy each raise their own
            raise damaged(self.path, f"a VTK image in its array '{name}'", error) from None

    def _decoded(self, element: ElementTree.Element, shape: tuple[int, ...]) -> NDArray[Any]:
        kind = np.dtype(self._order + TYPES[str(element.get("type"))])
        count = int(np.prod([int(n) for n in shape], dtype=object))
        stored = element.get("format", "ascii")
        if stored == "ascii":
            flat = np.array((element.text or "").split(), dtype=kind)
            if flat.size != count:
                raise ValueError(f"it holds {flat.size} numbers where {count} are expected")
        else:
            flat = np.frombuffer(self._bytes(element, stored, count * kind.itemsize), kind)
        native = flat.astype(kind.newbyteorder("="))
        if len(shape) == 3:
            return native.reshape(shape)
        return np.ascontiguousarray(np.moveaxis(native.reshape(*shape[1:], shape[0]), -1, 0))

    def _bytes(self, element: ElementTree.Element, stored: str, expected: int) -> bytes:
        if self._compressor and self._compressor not in COMPRESSORS:
            raise ValueError(f"it is compressed by {self._compressor}; save it with zlib or without compression")
        decompress = COMPRESSORS[self._compressor] if self._compressor else None
        if stored == "binary":
            text = "".join((element.text or "").split()).encode("ascii")
            return unpack(text, 0, Coding(self._header, decompress, True), expected)
        if self._start < 0:
            raise ValueError("its data should be appended, but the file ends before")
        data: Buffer = self._data
        start = self._start + int(element.get("offset") or 0)
        return unpack(data, start, Coding(self._header, decompress, self._encoded), expected)
