"""A file to labels: slices and volumes, grey or labelled, meshes and surfaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from scalebridge.microstructure import Micrograph, Segmentation

MESHES = {".msh", ".stl", ".vtu", ".inp"}
SLICES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"}
MOST_LEVELS = 8
"""Grey levels up to which an image counts as labels; a photograph has more."""

LARGEST_LABEL = 63
Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Reading:
    """How a file is to be read.

    Args:
        pixel_size: edge of a pixel or voxel as a text with a unit, or one per axis; ``None`` when unknown.
        as_labels: whether the values are labels; ``None`` to take them as labels where they have few levels.
        crop: the part to use, ``(start, stop)`` per axis; ``None`` for all of it.
        shape: of raw binary, ``(nz, ny, nx)``.
        dtype: of raw binary, such as ``"uint8"``.
        dataset: the array, where a file holds several.
        voxels: of a mesh or surface, along each axis of its bounds.
    """

    pixel_size: str | Sequence[str] | None = None
    as_labels: bool | None = None
    crop: Sequence[tuple[int, int]] | None = None
    shape: Sequence[int] | None = None
    dtype: str | None = None
    dataset: str | None = None
    voxels: int | None = None


@dataclass(frozen=True, eq=False)
class Sample:
    """An image parted into phases.

    Attributes:
        name: the file, as given.
        labels: index into ``phases`` of each pixel or voxel ``[*grid]``.
        phases: names of the phases, in the order of the labels.
        voxel_size: edges in m, in the order of the axes; ``None`` when unknown.
        grey: the picture it was parted from, ``None`` where the file holds labels.
        segmentation: of a grey slice; ``None`` otherwise.
        inside: pixels that show material, ``None`` where all do.
        sha256: digest of the file, ``None`` of an array or a folder.
        how: how the phases were found, in words.
        notes: what the reader should know, one sentence each.
    """

    name: str
    labels: Labels
    phases: tuple[str, ...]
    voxel_size: tuple[float, ...] | None
    grey: NDArray[Any] | None = None
    segmentation: Segmentation | None = None
    inside: NDArray[np.bool_] | None = None
    sha256: str | None = None
    how: str = "labels as they are"
    notes: tuple[str, ...] = field(default=())

    @property
    def fractions(self) -> NDArray[np.float64]:
        """Fraction of each phase ``[phases]``, outside of the field of view left out."""
        seen = self.labels if self.inside is None else self.labels[self.inside]
        return np.asarray(np.bincount(seen.ravel(), minlength=len(self.phases)) / seen.size)


def read_sample(source: str | Path, names: Sequence[str], how: Reading | None = None) -> Sample:
    """Read a file and part it into the phases of these names.

    A grey slice is segmented into matrix and fibre (and void, where a phase has that name); a grey volume is parted
    by Otsu's levels into as many phases as there are names, from dark to bright. Images of at most eight grey levels
    are labels, from dark to bright in the order of the names; whole numbers up to 63 in arrays are labels as they are.
    A mesh gives the names of its physical groups, a surface ``outside`` and ``inside``.

    Raises:
        InputError: what the readers refuse; names that the image does not have, a phase without name, a label
            without voxels.
    """
    path, reading = Path(source), how or Reading()
    if not path.exists():
        raise InputError(f"The image '{path}' does not exist; give the path of a file, or of a folder of slices.")
    if path.suffix.lower() in MESHES:
        found = _from_mesh(path, reading)
    elif _is_slice(path):
        found = _from_slice(path, _slice_values(path, reading), names, reading)
    else:
        found = _from_volume(path, names, reading)
    digest = None
    if path.is_file():
        from scalebridge.microstructure.decoding import file_digest

        digest = file_digest(path)
    return _named(replace(found, sha256=digest), names)


def sample_of(labels: Any, names: Sequence[str], voxel_size: Any = None, name: str = "array") -> Sample:
    """Return a sample of an array of labels ``[ny, nx]`` or ``[nz, ny, nx]``, one name per label.

    Raises:
        InputError: values that are no labels, a label without name or without voxels.
    """
    values = np.asarray(labels)
    if values.ndim not in (2, 3) or values.size == 0:
        raise InputError(f"The image '{name}' has the shape {values.shape}; [ny, nx] or [nz, ny, nx] is needed.")
    found = Sample(name, _as_labels(values, name), tuple(names), _edges(voxel_size, name, values.ndim))
    return _named(found, names)


def _is_slice(path: Path) -> bool:
    suffix = path.suffix.lower()
    if path.is_dir():
        return False
    if suffix in (".tif", ".tiff"):
        from PIL import Image

        try:
            with Image.open(path) as image:
                return int(getattr(image, "n_frames", 1)) == 1
        except OSError:
            return False
    if suffix in (".npy", ".npz"):
        return suffix == ".npy" and _ndim(path) == 2
    return suffix in SLICES


def _ndim(path: Path) -> int:
    from scalebridge.microstructure.formats.arrays import load_npy

    return load_npy(path).values.ndim


def _slice_values(path: Path, reading: Reading) -> NDArray[Any]:
    for option, value in (("shape", reading.shape), ("dtype", reading.dtype), ("dataset", reading.dataset)):
        if value is not None:
            raise InputError(f"The image '{path}' is a slice that tells its own layout; leave out --{option}.")
    if path.suffix.lower() == ".npy":
        from scalebridge.microstructure.formats.arrays import load_npy

        return _cropped(load_npy(path).values, reading.crop, str(path))
    return _cropped(_decoded(path, reading.as_labels), reading.crop, str(path))


def _decoded(path: Path, as_labels: bool | None) -> NDArray[Any]:
    """Samples of an image file; the indices of a palette count where labels are asked for."""
    from PIL import Image

    from scalebridge.microstructure.decoding import decode

    if as_labels:
        try:
            with Image.open(path) as image:
                if image.mode == "P":
                    return np.asarray(image)
        except OSError:
            pass  # decode says why
    return decode(path)


def _from_slice(path: Path, values: NDArray[Any], names: Sequence[str], reading: Reading) -> Sample:
    size = _edges(reading.pixel_size, str(path), 2)
    levels = _levels(values) if reading.as_labels is not False else None
    if levels is not None or reading.as_labels:
        return _labelled(path, values, levels, names, size)
    from scalebridge import microstructure as ms

    pixel = reading.pixel_size if isinstance(reading.pixel_size, str) else None
    return _segmented(ms.from_array(values, pixel, str(path)), names, size)


def _segmented(image: Micrograph, names: Sequence[str], size: tuple[float, ...] | None) -> Sample:
    from scalebridge import microstructure as ms

    # What a dark rim encloses carries no load either.
    found = ms.segment(image, 3 if "void" in names else 2, voids="enclosed")
    fit = f"segmented (threshold {found.threshold:.3f}): {found.describe()}"
    return Sample(
        image.name,
        found.labels,
        found.phases,
        size,
        grey=np.round(255 * image.grey).astype(np.uint8),
        segmentation=found,
        inside=None if found.inside.all() else found.inside,
        how=fit,
        notes=tuple(n for n in found.notes if not n.startswith("The pixel size")),
    )


def _from_volume(path: Path, names: Sequence[str], reading: Reading) -> Sample:
    from scalebridge import microstructure as ms

    volume = ms.read_volume(
        path, shape=reading.shape, dtype=reading.dtype, dataset=reading.dataset, voxel_size=reading.pixel_size
    )
    values, size = _cropped(np.asarray(volume.values), reading.crop, str(path)), volume.voxel_size
    levels = _levels(values) if reading.as_labels is not False else None
    if levels is not None or reading.as_labels:
        return _labelled(path, values, levels, names, size)
    if len(names) < 2:
        raise InputError(
            f"The volume '{path}' holds grey values, which are parted into as many phases as there are materials; give "
            "at least two, from dark to bright."
        )
    parted = ms.as_volume(values, size, str(path)).threshold(phases=len(names))
    told = f"parted by Otsu's levels, from dark to bright ({parted.source.rpartition('parted at ')[2]})"
    return Sample(str(path), np.asarray(parted.values), tuple(names), size, grey=values, how=told)


def _from_mesh(path: Path, reading: Reading) -> Sample:
    from scalebridge import microstructure as ms

    if reading.voxels is None:
        raise InputError(f"'{path}' is a mesh; say by --voxels N into how many voxels along each axis it is cut.")
    if reading.pixel_size is not None:
        raise InputError(f"'{path}' is a mesh, whose voxels follow from --voxels; leave out --pixel-size.")
    made = ms.voxelise(path, shape=reading.voxels)
    labels, phases = made.labels, made.phases
    if not (labels == len(phases) - 1).any():
        phases = phases[:-1]
    edges = made.spacing
    told = f"cut into {reading.voxels}³ voxels of {', '.join(f'{h:.4g}' for h in edges)} (z, y, x, unit of the mesh)"
    size = None if max(edges) < (1 + 1e-9) * min(edges) else edges
    note = ("Lengths are in the unit of the mesh, which the file does not tell.",)
    return Sample(str(path), _cropped(labels, reading.crop, str(path)), phases, size, how=told, notes=note)


def _labelled(
    path: Path,
    values: NDArray[Any],
    levels: NDArray[Any] | None,
    names: Sequence[str],
    size: tuple[float, ...] | None,
) -> Sample:
    """Take whole numbers as labels where they reach no further than the names, else rank the levels."""
    if levels is None:
        count = len(np.unique(values)) if values.size < 1 << 24 else "many"
        raise InputError(
            f"The image '{path}' has {count} grey levels, so it holds no labels (at most {MOST_LEVELS} levels, or "
            f"whole numbers up to {LARGEST_LABEL}); leave out --phases-as-labels to segment it."
        )
    whole = values.dtype.kind in "bui" and levels.min() >= 0 and levels.max() < max(len(names), 2)
    if whole:
        return Sample(str(path), values.astype(np.uint8), tuple(names), size)
    if len(levels) != len(names):
        raise InputError(
            f"The image '{path}' has {len(levels)} grey levels ({', '.join(f'{v:g}' for v in levels)}) and "
            f"{len(names)} materials were given; give one per level, from dark to bright, or --segment a grey image."
        )
    ranks = np.searchsorted(levels, values).astype(np.uint8)
    told = ", ".join(f"{name} {level:g}" for name, level in zip(names, levels, strict=True))
    return Sample(str(path), ranks, tuple(names), size, how=f"its {len(levels)} grey levels ({told})")


def _levels(values: NDArray[Any]) -> NDArray[Any] | None:
    """Return the levels of an image that has few, ``None`` of one that has more."""
    # A few rows tell a photograph without sorting all of a large volume.
    if len(np.unique(values.reshape(-1)[:4096])) > LARGEST_LABEL + 1:
        return None
    if values.dtype.kind == "u" and values.dtype.itemsize == 1:
        levels = np.flatnonzero(np.bincount(values.reshape(-1), minlength=1)).astype(values.dtype)
    else:
        levels = np.unique(values)
    small = values.dtype.kind in "bui" and levels.min() >= 0 and levels.max() == len(levels) - 1 <= LARGEST_LABEL
    return levels if len(levels) <= MOST_LEVELS or small else None


def _as_labels(values: NDArray[Any], name: str) -> Labels:
    bad = (values < 0) | (values > LARGEST_LABEL) | (values != np.rint(values)) if values.dtype.kind in "uif" else None
    if bad is None and values.dtype != np.bool_:
        raise InputError(f"The image '{name}' holds {values.dtype} values; labels are whole numbers from 0.")
    if bad is not None and bad.any():
        raise InputError(
            f"The image '{name}' holds the value {values[bad][0]}, which is no label (0 to {LARGEST_LABEL})."
        )
    return values.astype(np.uint8)


def _named(found: Sample, names: Sequence[str]) -> Sample:
    """Check that phases and names are the same, and every phase is there."""
    for name in names:
        if name not in found.phases:
            valid = did_you_mean(name, found.phases)
            raise InputError(f"A material is given for '{name}', which is no phase of '{found.name}'{valid}")
    for name in found.phases:
        if name not in names:
            raise InputError(
                f"The phase '{name}' of '{found.name}' has no material; add --material '{name}: E=..., nu=...'."
            )
    if int(found.labels.max()) >= len(names):
        raise InputError(
            f"The image '{found.name}' holds the label {int(found.labels.max())} and {len(names)} materials were "
            "given, for the labels from 0 on; give one material per label."
        )
    counts = np.bincount(found.labels.ravel(), minlength=len(names))
    if not counts.all():
        empty = int(np.argmin(counts > 0))
        raise InputError(
            f"The phase '{found.phases[empty]}' (label {empty}) has no voxel in '{found.name}'; drop its material or "
            "check the image."
        )
    return found


def _cropped(values: NDArray[Any], crop: Sequence[tuple[int, int]] | None, name: str) -> NDArray[Any]:
    if crop is None:
        return values
    fits = len(crop) == values.ndim and all(
        0 <= start < stop <= n for (start, stop), n in zip(crop, values.shape, strict=False)
    )
    if not fits:
        said = ", ".join(f"{start}:{stop}" for start, stop in crop)
        raise InputError(
            f"The part {said} does not lie in '{name}' of {' x '.join(map(str, values.shape))}; give start:stop per "
            f"axis ({'rows, columns' if values.ndim == 2 else 'z, y, x'})."
        )
    return np.ascontiguousarray(values[tuple(slice(*part) for part in crop)])


def _edges(size: Any, name: str, dim: int) -> tuple[float, ...] | None:
    from scalebridge.quantities.units import magnitude

    if size is None:
        return None
    given = [size] * dim if isinstance(size, str | int | float) else list(size)
    edges = tuple(magnitude(each, "m", f"The pixel size of '{name}'") for each in given)
    bare = [each for each in given if isinstance(each, str) and each.strip().replace(".", "", 1).isdigit()]
    if len(edges) != dim or bare or not all(np.isfinite(edge) and edge > 0 for edge in edges):
        said = size if isinstance(size, str) else ", ".join(map(str, given))
        raise InputError(
            f"The pixel size of '{name}' is '{said}'; give a positive length with a unit, as in '1.1 um', or one per "
            "axis."
        )
    return edges
