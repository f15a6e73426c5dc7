"""HDF5 files; h5py is an extra, imported when such a file is opened."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.microstructure.formats.loaded import Loaded, chosen, damaged
from scalebridge.microstructure.formats.probing import probe


def load_hdf5(path: Path, dataset: str | None) -> Loaded:
    """Read one dataset, named by its path in the file such as ``"/scan/im"``.

    Raises:
        InputError: h5py is not installed, truncated, foreign, or no clear choice of a dataset.
    """
    h5py = _h5py(path)
    probe(path, "volume")
    try:
        with h5py.File(path, "r") as file:
            shapes: dict[str, tuple[int, ...]] = {}
            file.visititems(lambda name, node: _note(shapes, name, node))
            name = chosen(path, shapes, None if dataset is None else dataset.strip("/"))
            return Loaded(np.asarray(file[name][()]))
    except InputError:
        raise
    except Exception as error:  # the C library's errors come as OSError, RuntimeError, KeyError, ...
        raise damaged(path, "HDF5", error) from None


def _note(shapes: dict[str, tuple[int, ...]], name: str, node: Any) -> None:
    kind = getattr(node, "dtype", None)
    # External and virtual datasets would read other files than the one that was given.
    if kind is None or node.shape is None or kind.kind not in "biuf" or node.external or node.is_virtual:
        return
    shapes[name] = tuple(node.shape)


def _h5py(path: Path) -> Any:
    try:
        return importlib.import_module("h5py")
    except ImportError:
        raise InputError(
            f"The volume '{path}' is an HDF5 file, and h5py, which reads them, is not installed; "
            "run pip install scalebridge[hdf5]."
        ) from None
