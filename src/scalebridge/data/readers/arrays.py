"""Named arrays with dimensions and attributes, from NetCDF, HDF5, Zarr and NumPy files."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.readers.extras import needed
from scalebridge.data.readers.opening import check_unpacked, decoding
from scalebridge.errors import InputError
from scalebridge.microstructure.formats.probing import probe

CLASSIC, HDF5 = b"CDF", b"\x89HDF\r\n\x1a\n"
# Codecs that only turn bytes into bytes; others (pickle) could run code and are refused before the file is opened.
_NUMCODECS = {"zlib", "shuffle", "delta", "lz4", "bz2", "lzma", "fixedscaleoffset", "zstd", "blosc", "quantize"}
CODECS = frozenset(
    {"gzip", "packbits", "crc32", "crc32c", "adler32", "astype", "bytes", "transpose", "sharding_indexed", "bitround"}
    | {"vlen-utf8", "vlen-bytes", "default", "string", "utf8"}
    | _NUMCODECS
    | {f"numcodecs.{name}" for name in _NUMCODECS}
)
LARGEST_METADATA = 2**24


@dataclass(frozen=True, eq=False)
class Stored:
    """An array in a file, not read yet.

    Attributes:
        name: in the file.
        shape, kind: of the array; the kind is NumPy's letter.
        dimensions: a name per axis, ``""`` where it has none.
        attributes: as stored, text decoded.
        fetch: reads it.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    dimensions: tuple[str, ...]
    attributes: Mapping[str, Any]
    fetch: Callable[[], NDArray[Any]]


@contextmanager
def stored(path: Path) -> Iterator[list[Stored]]:
    """The arrays of a file, by what its first bytes say; they can be fetched inside the context.

    Raises:
        InputError: a kind that is not known, damaged, an extra that is not installed.
    """
    with ExitStack() as stack:
        with decoding(path, "grid"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _open(path, stack)
        yield found


def _open(path: Path, stack: ExitStack) -> list[Stored]:
    if path.is_dir() or path.suffix.lower() == ".zarr":
        return _zarr(path)
    with path.open("rb") as stream:
        magic = stream.read(8)
    if magic.startswith(CLASSIC):
        return _classic(path, stack)
    if magic == HDF5:
        needed("h5py", f"The grid '{path}' is HDF5")
        probe(path, "grid")
        return _netcdf4(path, stack) if path.suffix.lower() in {".nc", ".nc4", ".cdf"} else _hdf5(path, stack)
    if magic.startswith(b"PK"):
        return _zarr(path) if path.name.lower().endswith(".zarr.zip") else _npz(path, stack)
    raise InputError(
        f"The grid '{path}' is neither NetCDF nor HDF5, Zarr or NPZ by its first bytes; it may be damaged, or under a "
        "wrong name."
    )


def _classic(path: Path, stack: ExitStack) -> list[Stored]:
    from scipy.io import netcdf_file

    file = netcdf_file(path, "r", mmap=False, maskandscale=False)
    stack.callback(file.close)
    return [
        Stored(
            name,
            tuple(int(n) for n in v.shape),
            np.asarray(v.data).dtype.kind,
            tuple(v.dimensions),
            _attributes(v._attributes),
            partial(_copied, v),
        )
        for name, v in file.variables.items()
    ]


def _netcdf4(path: Path, stack: ExitStack) -> list[Stored]:
    h5netcdf = needed("h5netcdf", f"The grid '{path}' is NetCDF-4")
    file = stack.enter_context(h5netcdf.File(path, "r", phony_dims="sort"))
    return [
        Stored(
            name,
            tuple(v.shape),
            np.dtype(v.dtype).kind,
            tuple("" if d.startswith("phony_dim") else d for d in v.dimensions),
            _attributes(dict(v.attrs)),
            partial(_whole, v),
        )
        for name, v in file.variables.items()
    ]


def _hdf5(path: Path, stack: ExitStack) -> list[Stored]:
    h5py = needed("h5py", f"The grid '{path}' is HDF5")
    file = stack.enter_context(h5py.File(path, "r"))
    found: list[Stored] = []

    def note(name: str, node: Any) -> None:
        # External and virtual datasets would read other files than the one that was given.
        if isinstance(node, h5py.Dataset) and not node.external and not node.is_virtual and node.dtype.kind in "biufSO":
            labels = tuple(str(d.label) for d in node.dims)
            found.append(
                Stored(
                    name,
                    tuple(node.shape),
                    node.dtype.kind,
                    labels,
                    _attributes(dict(node.attrs)),
                    partial(_texts, node),
                )
            )

    file.visititems(note)
    return found


def _copied(variable: Any) -> NDArray[Any]:
    return np.array(variable.data)


def _whole(variable: Any) -> NDArray[Any]:
    return np.asarray(variable[...])


def _texts(node: Any) -> NDArray[Any]:
    values = np.asarray(node[()])
    if values.dtype.kind in "SO":
        return np.array([_decoded(v) for v in values.ravel().tolist()], dtype=np.str_).reshape(values.shape)
    return values


def _zarr(path: Path) -> list[Stored]:
    zarr = needed("zarr", f"The grid '{path}' is Zarr")
    _check_codecs(path)
    store: Any = zarr.storage.ZipStore(path, mode="r") if path.is_file() else str(path)
    opened = zarr.open(store, mode="r")
    arrays = [("array", opened)] if isinstance(opened, zarr.Array) else list(opened.arrays())
    found = []
    for name, array in arrays:
        attributes = _attributes(dict(array.attrs))
        named = attributes.pop("_ARRAY_DIMENSIONS", None) or getattr(array.metadata, "dimension_names", None)
        labels = tuple(d or "" for d in named) if named else ("",) * array.ndim
        found.append(
            Stored(name, tuple(array.shape), np.dtype(array.dtype).kind, labels, attributes, partial(_whole, array))
        )
    return found


def _check_codecs(path: Path) -> None:
    """Refuse codecs that could run code, from the metadata alone."""
    for name, content in _metadata(path):
        try:
            tree = json.loads(content)
        except (ValueError, RecursionError):
            raise InputError(f"The grid '{path}' has damaged metadata in '{name}'; write it again.") from None
        for codec in _codecs(tree):
            if codec.lower() not in CODECS:
                raise InputError(f"The grid '{path}' is packed by '{codec}', which is not read; repack it with zstd.")


def _metadata(path: Path) -> Iterator[tuple[str, bytes]]:
    names = {".zarray", ".zgroup", ".zattrs", ".zmetadata", "zarr.json"}
    if path.is_file():
        import zipfile

        check_unpacked(path, "grid")
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if Path(name).name in names and archive.getinfo(name).file_size < LARGEST_METADATA:
                    yield name, archive.read(name)
        return
    for file in sorted(path.rglob("*")):
        if file.name in names and file.is_file() and file.stat().st_size < LARGEST_METADATA:
            yield file.name, file.read_bytes()


def _codecs(tree: Any) -> Iterator[str]:
    """Names of compressors, filters and codecs anywhere in the metadata."""
    if isinstance(tree, list):
        for item in tree:
            yield from _codecs(item)
    if not isinstance(tree, dict):
        return
    for key, value in tree.items():
        listed = value if isinstance(value, list) else [value]
        if key in {"compressor", "filters", "codecs", "index_codecs"}:
            for item in listed:
                if isinstance(item, dict):
                    yield str(item.get("id", item.get("name", "?")))
        yield from _codecs(value)


def _npz(path: Path, stack: ExitStack) -> list[Stored]:
    check_unpacked(path, "grid")
    file = stack.enter_context(np.load(path, allow_pickle=False))
    found = []
    for name in file.files:
        array = file[name]
        found.append(Stored(name, array.shape, array.dtype.kind, ("",) * array.ndim, {}, partial(np.asarray, array)))
    return found


def _attributes(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key): _decoded(value) for key, value in raw.items()}


def _decoded(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip("\0")
    if isinstance(value, np.ndarray) and value.size == 1:
        return _decoded(value.ravel()[0])
    return value.item() if isinstance(value, np.generic) and not isinstance(value, bytes) else value
