"""What is described: an image, a segmentation, labels of phases or of grains, brought to one form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.descriptors.masks import Floats, Mask
from scalebridge.microstructure.micrograph import Micrograph, from_array
from scalebridge.microstructure.segmentation import Segmentation, segment
from scalebridge.microstructure.visible import field_of_view
from scalebridge.microstructure.volume import Volume
from scalebridge.quantities.units import magnitude

MOST_PHASES = 8
"""Whole numbers up to this count are phases; more are regions, or grey values in 8 and 16 bits."""

Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Subject:
    """An image in one form.

    Attributes:
        name: what messages call it.
        grey: grey values ``[*grid]``, or ``None``.
        labels: phase of each pixel ``[*grid]``, 0 to n - 1, or ``None``; ``refusal`` says why.
        grains: a number per region ``[*grid]``, 0 for none, or ``None``.
        phases: names of the phases.
        inside: the pixels that count.
        edge: edge of a pixel in ``unit``.
        unit: ``"um"``, or ``"px"`` when the pixel size is not known.
        fraction_std: deviation of each phase's fraction by the segmentation, ``[n]``.
        moved: labels whose segmentation lies so many deviations off, or ``None``.
        refusal: why there are no phases.
        notes: one sentence each.
    """

    name: str
    grey: NDArray[np.floating[Any]] | None
    labels: Labels | None
    grains: Labels | None
    phases: tuple[str, ...]
    inside: Mask
    edge: float
    unit: str
    fraction_std: Floats
    moved: Callable[[float], Labels] | None
    refusal: str
    notes: tuple[str, ...]

    @property
    def dim(self) -> int:
        """2 or 3."""
        return self.inside.ndim

    @property
    def visible(self) -> Mask | None:
        """The field of view, ``None`` when that is all."""
        return None if self.inside.all() else self.inside

    def phase(self, k: int) -> Mask:
        """Where phase k is, inside."""
        assert self.labels is not None
        return np.asarray((self.labels == k) & self.inside)


def subject_of(
    given: Micrograph | Volume | Segmentation | ArrayLike,
    pixel_size: str | None,
    inside: ArrayLike | None,
    phases: Sequence[str] | None,
) -> Subject:
    """Bring what was given to one form.

    Raises:
        InputError: a pixel size that is no length, or other than the image's own; names that do not fit the phases.
        ShapeError: arrays of another number of dimensions.
    """
    if isinstance(given, Segmentation):
        found = _of_segmentation(given, pixel_size, None, given.phases)
    elif isinstance(given, Micrograph):
        found = _of_micrograph(given, pixel_size, _mask(inside, given.shape))
    elif isinstance(given, Volume):
        found = _of_volume(given, pixel_size, _mask(inside, given.shape))
    else:
        found = _of_array(np.asarray(given), pixel_size, inside)
    return _named(found, phases)


def _of_segmentation(
    given: Segmentation, pixel_size: str | None, grey: Floats | None, names: tuple[str, ...]
) -> Subject:
    edge, unit = _edge(pixel_size, given.image.pixel_size, given.image.name)
    return Subject(
        given.image.name,
        given.image.grey if grey is None else grey,
        given.labels,
        None,
        names,
        given.inside,
        edge,
        unit,
        np.asarray(given.fraction_std, dtype=np.float64),
        given.at,
        "",
        tuple(note for note in given.notes if "pixel size" not in note) + _without_size(unit),
    )


def _of_micrograph(given: Micrograph, pixel_size: str | None, inside: Mask | None) -> Subject:
    try:
        phases = segment(given, 3, inside=inside)
    except InputError as error:
        edge, unit = _edge(pixel_size, given.pixel_size, given.name)
        seen = field_of_view(given) if inside is None else inside
        return Subject(
            given.name, given.grey, None, None, (), seen, edge, unit, np.zeros(0), None, str(error), _without_size(unit)
        )
    return _of_segmentation(phases, pixel_size, given.grey, ("void", "dark", "bright"))


def _of_volume(given: Volume, pixel_size: str | None, inside: Mask | None) -> Subject:
    own = given.voxel_size
    if own is not None and max(own) > min(own) * (1 + 1e-6):
        raise InputError(
            f"The voxels of '{given.source}' are {' x '.join(f'{1e6 * each:.4g}' for each in own)} um; descriptors "
            "need cubes, so resample the volume to one edge first."
        )
    stated = None if own is None else f"{own[0] * 1e6!r} um"
    return _of_values(given.values, given.source, pixel_size, stated, inside)


def _of_array(values: NDArray[Any], pixel_size: str | None, inside: ArrayLike | None) -> Subject:
    if values.ndim not in (2, 3) or values.size == 0:
        raise ShapeError(f"The image has the shape {values.shape}; [ny, nx] or [nz, ny, nx] is needed, not empty.")
    if values.dtype.kind not in "biuf":
        raise InputError(f"The image holds {values.dtype} values; grey values, phases or grain numbers are needed.")
    return _of_values(values, "the array", pixel_size, None, _mask(inside, values.shape))


def _of_values(
    values: NDArray[Any], name: str, pixel_size: str | None, own: str | None, inside: Mask | None
) -> Subject:
    edge, unit = _edge(pixel_size, own, name)
    seen = np.ones(values.shape, dtype=bool) if inside is None else inside
    shared = (seen, edge, unit)
    if values.dtype.kind in "biu":
        distinct = np.unique(values[:: max(1, len(values) // 8)])
        distinct = np.unique(values) if distinct.size <= MOST_PHASES else distinct
        if distinct.size <= MOST_PHASES:
            labels = np.searchsorted(distinct, values).astype(np.uint8)
            # The value itself: the same phase has the same name in an image that lacks another one.
            names = tuple(f"phase_{int(value)}".replace("-", "minus_") for value in distinct)
            none = np.zeros(distinct.size)
            return Subject(name, None, labels, None, names, *shared, none, None, "", _without_size(unit))
        if values.dtype.itemsize > 2 or values.dtype.kind == "i":
            _refuse_scattered(values, name)
            why = "The image holds a number per region, and no phases."
            return Subject(name, None, None, values, (), *shared, np.zeros(0), None, why, _without_size(unit))
    if values.ndim == 2:
        return _of_micrograph(from_array(values, own or pixel_size, name), None, inside)
    return _grey_volume(values, name, *shared)


def _refuse_scattered(values: NDArray[Any], name: str) -> None:
    """Refuse whole numbers of which most mark no connected region: they may be grey values."""
    from skimage.measure import label

    parts = label(values, background=0, connectivity=values.ndim)
    number, first = np.unique(parts, return_index=True)
    pieces = np.unique(values.ravel()[first[number > 0]], return_counts=True)[1]
    # A grain of a periodic cell may be cut into two pieces along each axis.
    if (pieces > 2**values.ndim).mean() > 0.5:
        raise InputError(
            f"{name[:1].upper()}{name[1:]} holds {pieces.size} whole numbers ({values.dtype}), and most of them lie in "
            "several places: they may be grey values or grains; give grey values as 8 or 16 bits without sign or as "
            "floats, and every grain a number of its own."
        )


def _grey_volume(values: NDArray[Any], name: str, inside: Mask, edge: float, unit: str) -> Subject:
    if not np.isfinite(values).all():
        raise InputError(f"The volume '{name}' holds values that are not finite; mask or fill them first.")
    labels: Labels | None
    names: tuple[str, ...]
    try:
        labels = Volume(values, None, name).threshold().values
        refusal, names = "", ("dark", "bright")
    except InputError as error:
        labels, refusal, names = None, str(error), ()
    notes = _without_size(unit)
    if labels is not None:
        notes += ("The volume was parted by Otsu's level, whose own uncertainty is not in the deviations.",)
    grey = values.astype(np.float32)
    return Subject(name, grey, labels, None, names, inside, edge, unit, np.zeros(len(names)), None, refusal, notes)


def _mask(inside: ArrayLike | None, shape: tuple[int, ...]) -> Mask | None:
    if inside is None:
        return None
    mask = np.asarray(inside)
    if mask.dtype != np.bool_ or mask.shape != shape or not mask.any():
        raise InputError(
            f"The field of view is {mask.dtype} of shape {mask.shape}; a boolean mask of shape {shape} that is not "
            "empty is needed."
        )
    return mask


def _edge(pixel_size: str | None, own: str | None, name: str) -> tuple[float, str]:
    size = own if pixel_size is None else pixel_size
    if size is None:
        return 1.0, "px"
    owner = f"The pixel size of '{name}'"
    edge = magnitude(size, "um", owner) if isinstance(size, str) else float("nan")
    if not (np.isfinite(edge) and edge > 0):
        raise InputError(f"{owner} is {size!r}; give a positive length with its unit, as in '1.1 um'.")
    if own is not None and abs(edge / magnitude(own, "um", owner) - 1) > 1e-6:
        raise InputError(f"{owner} is {own}, and {pixel_size} was given; leave pixel_size out, or read it anew.")
    return edge, "um"


def _without_size(unit: str) -> tuple[str, ...]:
    if unit != "px":
        return ()
    return ("The pixel size is not known, so lengths are in pixels (px); give pixel_size='1.1 um' for others.",)


def _named(found: Subject, phases: Sequence[str] | None) -> Subject:
    from dataclasses import replace

    if phases is None:
        return found
    names = tuple(str(name) for name in phases)
    if len(names) != len(found.phases) or len(set(names)) != len(names) or not all(map(str.isidentifier, names)):
        raise InputError(
            f"The names {list(names)} do not fit the {len(found.phases)} phases of '{found.name}' "
            f"({', '.join(found.phases) or 'none'}); give one identifier for each, all different."
        )
    return replace(found, phases=names)
