"""MATLAB files: version 5 by scipy; version 7.3 is HDF5 with the axes reversed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scalebridge.errors import InputError
from scalebridge.microstructure.formats.hdf5 import load_hdf5
from scalebridge.microstructure.formats.loaded import Loaded, chosen, damaged

_NUMBERS = {"double", "single", "logical", *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64))}


def load_mat(path: Path, dataset: str | None) -> Loaded:
    """Read one variable, with its axes in MATLAB's order: ``A(i, j, k)`` is ``values[i - 1, j - 1, k - 1]``.

    Raises:
        InputError: truncated, foreign, or no clear choice of a variable.
    """
    from scipy.io import loadmat, whosmat

    with path.open("rb") as stream:
        head = stream.read(128)
    if b"MATLAB 7.3" in head:
        return Loaded(load_hdf5(path, dataset).values.T)
    try:
        shapes = {str(name): tuple(shape) for name, shape, kind in whosmat(path) if kind in _NUMBERS}
        name = chosen(path, shapes, dataset)
        return Loaded(np.asarray(loadmat(path, variable_names=[name])[name]))
    except InputError:
        raise
    except Exception as error:  # damaged bytes raise whatever the parser meets
        raise damaged(path, "MAT", error) from None
