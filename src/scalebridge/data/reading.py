"""One entry for files of every kind: by suffix to the reader that knows it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scalebridge.data.dataset import Dataset
from scalebridge.errors import InputError

TABLES = (".csv", ".tsv", ".txt", ".dat", ".tab", ".xlsx", ".xlsm", ".parquet", ".pq", ".json", ".data", ".xls", ".ods")
IMAGES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".gif", ".pgm", ".webp", ".npy", ".vti", ".mat")
GRIDS = (".nc", ".nc4", ".cdf", ".h5", ".hdf5", ".hdf", ".zarr", ".npz", ".zip")
POINTS = (".xyz", ".ply")
GRAPHS = (".graphml",)
# Of fields on meshes; the formats whose suffix says nothing else.
MESHES = (
    ".vtu", ".vtp", ".pvtu", ".pvtp", ".pvd", ".vtk", ".msh", ".inp", ".bdf", ".nas", ".fem", ".stl", ".obj", ".off",
    ".med", ".mesh", ".meshb", ".xdmf", ".xmf", ".e", ".exo", ".ex2", ".cgns", ".avs", ".su2", ".ugrid", ".vol",
    ".h5m", ".mdpa", ".f3grid",
)  # fmt: skip


def read(path: str | os.PathLike[str], **options: Any) -> Dataset:
    """Read a file or folder of any kind by its suffix; ``options`` are those of the reader.

    Tables (`read_table`, and `read_series` where a column of time is named by ``time``): delimited text, Excel,
    Parquet, JSON. Images (`read_images`): files, stacks, folders. Grids (`read_grid`): NetCDF, HDF5, Zarr, NPZ. Points
    (`read_points`): XYZ, PLY. Graphs (`read_graph`): GraphML, pore networks, two tables. Fields on meshes, a row for
    each time step (`read_steps`): VTU, VTP, PVD, and the formats of meshio; patterns such as ``"out_*.vtu"`` too.
    A table of points is read by `read_points`, a series by `read_series`: a suffix does not tell them from specimens.

    Raises:
        InputError: a suffix that no reader knows, an option that the reader does not have, or as the reader.
    """
    source = Path(path)
    reader = _reader(source, options)
    try:
        return reader(source, **options)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        word = str(error).split("'")[1]
        raise InputError(f"There is no option '{word}' for reading '{path}'; see help({reader.__name__}).") from None


def _reader(path: Path, options: dict[str, Any]) -> Callable[..., Dataset]:
    from scalebridge.data.readers import graph, grid, images, points, statoil, table

    suffix = path.suffix.lower()
    if "edges" in options or suffix in GRAPHS or (suffix in {".dat", ""} and statoil.prefix_of(path) is not None):
        return graph.read_graph
    if suffix in GRIDS:
        return grid.read_grid
    if suffix in IMAGES or (not suffix and path.is_dir()) or path.is_dir():
        return images.read_images
    if suffix in MESHES:
        from scalebridge.data.fields.datasets import read_dataset

        return read_dataset
    if suffix in POINTS:
        return points.read_points
    if suffix in TABLES:
        return table.read_table
    if not path.exists():
        raise InputError(f"There is no file '{path}'; give the path of a file or of a folder of images.")
    known = ", ".join((*TABLES[:10], *IMAGES[:5], *GRIDS[:6], *POINTS, *GRAPHS, *MESHES[:6]))
    raise InputError(f"The file '{path}' has the suffix '{suffix}', which no reader knows; valid: {known}.")
