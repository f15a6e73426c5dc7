"""The same numbers on windows of an image: what one window knows of the material."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, ScaleBridgeError
from scalebridge.quantities import Floats
from scalebridge.studies.homogenisation.outcome import Windows
from scalebridge.studies.homogenisation.sample import Sample
from scalebridge.studies.homogenisation.solving import Settings, make_rve, solve, trimmed

SMALLEST = 4
Constants = Callable[[Floats], dict[str, float]]
Progress = Callable[[int, int], None]


def window_origins(sample: Sample, size: int, count: int | None, seed: int) -> NDArray[np.int64]:
    """Return first corners ``[n, d]`` of windows: side by side, or ``count`` at random places, which may overlap.

    Raises:
        InputError: a size that does not fit, a count below 1, no place inside of the field of view.
    """
    if sample.segmentation is not None:
        from scalebridge import microstructure as ms

        found = ms.windows(sample.segmentation, size, count, seed)
        return np.array([window.origin for window in found], dtype=np.int64)
    shape = sample.labels.shape
    if not SMALLEST <= size <= min(shape):
        raise InputError(
            f"A window of {size} voxels was asked for in '{sample.name}' of {' x '.join(map(str, shape))}; its size "
            f"may go from {SMALLEST} to {min(shape)}."
        )
    if count is None:
        # What the grid leaves over is shared between both sides.
        steps = [range((n % size) // 2, n - size + 1, size) for n in shape]
        return np.array(list(itertools.product(*steps)), dtype=np.int64)
    if count < 1:
        raise InputError(f"{count} windows were asked for; at least 1 is needed.")
    return np.random.default_rng(seed).integers(0, [n - size + 1 for n in shape], (count, len(shape)))


def overlapping(origins: NDArray[np.int64], size: int) -> bool:
    """Whether any two windows share voxels."""
    apart = np.abs(origins[:, None] - origins[None]).max(-1)
    return bool((apart[~np.eye(len(origins), dtype=bool)] < size).any())


def over_windows(
    sample: Sample,
    laws: Sequence[Any],
    origins: NDArray[np.int64],
    size: int,
    settings: Settings,
    constants: Constants,
    progress: Progress,
) -> Windows:
    """Homogenise windows; one that fails has a reason and NaN."""
    boxes = [sample.labels[tuple(slice(k, k + size) for k in origin)] for origin in origins.tolist()]
    if settings.composite == 1:
        tensors, reasons = _together(boxes, laws, sample, settings, progress)
    else:
        tensors, reasons = _one_by_one(boxes, laws, sample, settings, progress)
    found = [constants(tensor) for tensor in tensors]
    reasons = [r or ("" if f else "its tensor is singular") for r, f in zip(reasons, found, strict=True)]
    names = list(dict.fromkeys(name for each in found for name in each))
    n_phases = len(sample.phases)
    return Windows(
        size,
        origins,
        np.array([np.bincount(box.ravel(), minlength=n_phases) / box.size for box in boxes]),
        {name: np.array([each.get(name, np.nan) for each in found]) for name in names},
        np.array(tensors),
        overlapping(origins, size),
        tuple(reasons),
    )


def _together(
    boxes: list[NDArray[Any]], laws: Sequence[Any], sample: Sample, settings: Settings, progress: Progress
) -> tuple[list[Floats], list[str]]:
    """Solve as a batch: as many at once as suits the device."""
    from scalebridge.micro.rve import homogenise_many

    stack = np.stack(boxes)
    present = np.unique(stack)
    found = homogenise_many(
        np.searchsorted(present, stack),
        [laws[k] for k in present],
        progress=progress,
        homogeneous=True,
        plane=settings.plane_of(stack.ndim - 1),
        discretisation=settings.discretisation,
        precision=settings.precision,
        tolerance=settings.tolerance,
        device=settings.device,
        voxel_size=sample.voxel_size,
    )
    return list(found.tensors), list(found.reason)


def _one_by_one(
    boxes: list[NDArray[Any]], laws: Sequence[Any], sample: Sample, settings: Settings, progress: Progress
) -> tuple[list[Floats], list[str]]:
    tensors: list[Floats | None] = []
    reasons = []
    for i, box in enumerate(boxes):
        present = np.unique(trimmed(box, settings.composite))
        try:
            rve = make_rve(np.searchsorted(present, box), [laws[k] for k in present], sample.voxel_size, settings)
            solved = solve(rve)
            tensors.append(solved.tensor)
            reasons.append(solved.reason)
        except ScaleBridgeError as error:
            tensors.append(None)
            reasons.append(str(error))
        progress(i + 1, len(boxes))
    first = next((t for t in tensors if t is not None), None)
    if first is None:
        raise InputError(f"No window could be solved; the first: {reasons[0]}")
    return [np.full_like(first, np.nan) if t is None else t for t in tensors], reasons
