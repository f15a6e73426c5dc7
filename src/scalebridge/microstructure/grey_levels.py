"""Grey levels between the phases of a volume, from its histogram: memory does not grow with the volume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.segmentation import ONE_PHASE

MOST = 5
_BINS = 4096
_COARSE = 256


def otsu_levels(values: NDArray[Any], phases: int, source: str) -> list[float]:
    """Return the ``phases - 1`` levels of the largest variance between the classes.

    Source: Otsu (1979); for three and more Liao, Chen and Chung (2001), as implemented by scikit-image.

    Args:
        values: grey values, any shape.
        phases: 2 to `MOST`.
        source: what messages call the volume.

    Raises:
        InputError: another number of phases, one value only, or a histogram of one population.
    """
    from skimage.filters import threshold_multiotsu, threshold_otsu

    if not 2 <= phases <= MOST:
        raise InputError(f"{phases} phases were asked for; 2 to {MOST} can be told, or give levels=.")
    counts, centres = histogram(values, _BINS if phases == 2 else _COARSE)
    if (counts > 0).sum() < phases:
        raise InputError(
            f"The volume '{source}' holds {int((counts > 0).sum())} grey values ({centres[0]:g} to {centres[-1]:g}), "
            f"too few for {phases} phases; check that it is the right file."
        )
    if phases > 2:
        return [float(level) for level in threshold_multiotsu(hist=(counts, centres), classes=phases)]
    level = float(threshold_otsu(hist=(counts, centres)))
    told = _separability(counts, centres, level)
    if told < ONE_PHASE:
        raise InputError(
            f"The volume '{source}' holds one phase as far as its grey values tell (separability {told:.2f}, where one "
            f"population of noise has 0.64 and two phases have over {ONE_PHASE}); denoise it, or give levels=."
        )
    return [level]


def histogram(values: NDArray[Any], bins: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return counts and centres; integers of a range below ``bins`` have a bin each."""
    low, high = float(values.min()), float(values.max())
    if values.dtype.kind in "biu" and high - low < bins:
        edges = np.arange(low - 0.5, high + 1.0)
    else:
        edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
    counts = np.zeros(len(edges) - 1)
    for slab in slabs(values):
        counts += np.histogram(slab.astype(np.float64), edges)[0]
    return counts, (edges[1:] + edges[:-1]) / 2


def _separability(counts: NDArray[np.float64], centres: NDArray[np.float64], level: float) -> float:
    """Otsu's eta of the values between the 0.5th and 99.5th percentile: outliers are no phase."""
    below = counts.cumsum() / counts.sum()
    kept = np.where((below >= 0.005) & (below - counts / counts.sum() <= 0.995), counts, 0.0)
    share = kept / kept.sum()
    mean = float(share @ centres)
    spread = float(share @ (centres - mean) ** 2)
    bright = centres > level
    part = float(share[bright].sum())
    if spread == 0.0 or part in (0.0, 1.0):
        return 0.0 if spread == 0.0 else 1.0
    gap = float(share[bright] @ centres[bright]) / part - float(share[~bright] @ centres[~bright]) / (1 - part)
    return part * (1 - part) * gap**2 / spread


def slabs(values: NDArray[Any], voxels: int = 1 << 24) -> Iterator[NDArray[Any]]:
    """Yield slabs along the first axis of about so many voxels: a mapped file is never copied whole."""
    step = max(1, voxels // max(1, values[0].size))
    for start in range(0, len(values), step):
        yield np.asarray(values[start : start + step])
