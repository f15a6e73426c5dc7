"""Volumes from files: TIFF, folders of slices, NPY, NPZ, raw, VTI, HDF5, MATLAB."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from numpy.typing import DTypeLike

from scalebridge.errors import InputError, did_you_mean
from scalebridge.microstructure.formats.loaded import Loaded
from scalebridge.microstructure.volume import Volume, checked_volume, checked_voxel_size

RAW = {".raw", ".bin", ".dat", ".vol", ".img"}
_NAMED = {".npz", ".vti", ".h5", ".hdf5", ".hdf", ".mat"}
_PLAIN = {".tif", ".tiff", ".npy"}


def read_volume(
    path: str | Path,
    *,
    shape: Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
    dataset: str | None = None,
    voxel_size: str | float | Sequence[str | float] | None = None,
    axes: str = "zyx",
) -> Volume:
    """Read a three-dimensional image from a file, or from a folder of slices.

    By suffix: ``.tif`` (pages), a folder of images (slices in the order of their numbers), ``.npy``, ``.npz``,
    ``.vti`` (ASCII, base64 or appended, plain, zlib or LZMA), ``.h5`` / ``.hdf5`` (needs the extra ``hdf5``),
    ``.mat`` (version 5; version 7.3 needs the extra too), and raw binary (``.raw``, ``.bin``, ... with ``shape`` and
    ``dtype``). Pickled objects are never loaded. Large ``.npy`` and raw files are mapped, not copied.

    Args:
        path: the file or folder.
        shape: of raw binary, in the order of ``axes``, the axis that changes fastest last.
        dtype: of raw binary, such as ``"uint8"`` or ``">u2"`` (big-endian).
        dataset: name of the array, where a file holds several.
        voxel_size: edge of a voxel in m or as text with a unit (``"2.25 um"``); one, or one per axis ``(z, y, x)``.
            ``None``: what the file tells with a unit (ImageJ and OME stacks, our own ``.vti``), else unknown.
        axes: the order of the axes in the file; ``"xyz"`` turns an array indexed ``[x, y, z]``.

    Raises:
        InputError: missing, truncated, foreign or of a wrong size; two-dimensional, empty or not finite; an unknown
            suffix or option; no clear choice of an array.
    """
    source = Path(path)
    if sorted(axes) != ["x", "y", "z"]:
        raise InputError(f"The axes of the volume '{path}' are given as '{axes}'; give an order of x, y, z, as 'zyx'.")
    size = checked_voxel_size(voxel_size, str(path))
    loaded = _loaded(source, shape, dtype, dataset)
    order = [axes.index(axis) for axis in "zyx"]
    told = loaded.voxel_size
    if size is None and told is not None:
        size = (told[order[0]], told[order[1]], told[order[2]])
    if size is None and max(loaded.ratios) > (1 + 1e-6) * min(loaded.ratios):
        raise InputError(
            f"The voxels of the volume '{path}' are no cubes (edges {', '.join(f'{r:g}' for r in loaded.ratios)} along "
            "z, y, x) and the file tells no unit; give voxel_size=, one length per axis (z, y, x)."
        )
    # The checks count axes before they are turned.
    volume = checked_volume(loaded.values, size, str(path))
    return Volume(volume.values.transpose(order), size, volume.source)


def _loaded(source: Path, shape: Sequence[int] | None, dtype: DTypeLike | None, dataset: str | None) -> Loaded:
    from scalebridge.microstructure.formats import arrays, hdf5, matlab, tiff, vti

    suffix = source.suffix.lower()
    raw = shape is not None or dtype is not None
    if not source.exists():
        raise InputError(f"The volume '{source}' does not exist; give the path of a file or of a folder of slices.")
    if raw and (source.is_dir() or suffix in _NAMED | _PLAIN):
        raise InputError(f"The volume '{source}' tells its own shape and type; leave out shape= and dtype=.")
    if dataset is not None and suffix not in _NAMED:
        raise InputError(f"The volume '{source}' holds one array only; leave out dataset='{dataset}'.")
    if source.is_dir():
        return tiff.load_folder(source)
    if suffix in {".tif", ".tiff"}:
        return tiff.load_tiff(source)
    if suffix == ".npy":
        return arrays.load_npy(source)
    if suffix == ".npz":
        return arrays.load_npz(source, dataset)
    if suffix == ".vti":
        return vti.load_vti(source, dataset)
    if suffix == ".mat":
        return matlab.load_mat(source, dataset)
    if suffix in _NAMED:
        return hdf5.load_hdf5(source, dataset)
    if raw or suffix in RAW:
        return arrays.load_raw(source, shape, dtype)
    raise InputError(
        f"The volume '{source}' has the suffix '{suffix}', which is not known"
        + did_you_mean(suffix, sorted(_NAMED | _PLAIN | RAW))
    )
