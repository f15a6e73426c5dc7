r"""Lineal path and chord lengths of a phase, along the axes of the image.

The lineal path :math:`L(r)` is the probability that a segment of length r lies wholly in the phase; a chord is a
maximal segment in it. They are one function: :math:`p(r) \propto L''(r)` (Torquato and Lu, Phys. Rev. E 47 (1993)
2950). Both are counted from runs of pixels, and by definition: a run of m pixels holds m - r segments of r steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError
from scalebridge.microstructure.descriptors.masks import Floats, checked, checked_spacing
from scalebridge.microstructure.descriptors.runs import Counts, Runs, runs


@dataclass(frozen=True, eq=False)
class Chords:
    """Chords of a phase.

    Attributes:
        mean: mean length, fraction over chords per length of line; ``nan`` where no chord starts inside.
        mean_std: its standard deviation, as if chords were independent.
        std: standard deviation of single chords.
        length: ``[n]``, lengths of 1 to n pixels.
        density: probability per length ``[n]``, corrected for the chords that the edge hides (a chord of m pixels
            with both ends fits n - m - 1 times into a line of n pixels).
        count: chords seen with both ends.
    """

    mean: float
    mean_std: float
    std: float
    length: Floats
    density: Floats
    count: int


def lineal_path(
    phase: ArrayLike, inside: ArrayLike | None = None, reach: int = 64, axes: Sequence[int] | None = None
) -> Floats:
    """Return the lineal path ``[reach + 1]`` at segments of 0 to ``reach`` pixels; 0 is the fraction.

    Args:
        phase: the indicator, ``[ny, nx]`` or ``[nz, ny, nx]``.
        inside: the pixels that count; all when ``None``. Segments that leave it are not counted.
        reach: longest segment in steps of a pixel; ``nan`` where no segment of a length fits.
        axes: axes of the grid to look along; all when ``None``.

    Raises:
        InputError: as `masks.checked`; a reach below 0; axes that the image lacks.
    """
    if reach < 0:
        raise InputError(f"The lineal path was asked for to {reach} pixels; give 0 or more.")
    found = _all_runs(phase, inside, axes)
    held = np.sum([_segments(each.phase, reach) for each in found], axis=0)
    fit = np.sum([_segments(each.inside, reach) for each in found], axis=0)
    return np.asarray(np.where(fit > 0, held / np.maximum(fit, 1), np.nan))


def chord_lengths(
    phase: ArrayLike, inside: ArrayLike | None = None, spacing: float = 1.0, axes: Sequence[int] | None = None
) -> Chords:
    """Return the chord lengths of a phase along the axes.

    Args:
        phase: the indicator, ``[ny, nx]`` or ``[nz, ny, nx]``.
        inside: the pixels that count; all when ``None``.
        spacing: edge of a pixel; lengths are in its unit.
        axes: axes of the grid to look along; all when ``None``.

    Raises:
        InputError: as `lineal_path`.
    """
    edge = checked_spacing(spacing)
    found = _all_runs(phase, inside, axes)
    longest = max(each.phase.size for each in found)
    complete = np.sum([_padded(each.complete, longest) for each in found], axis=0)
    places = np.sum([_padded(_places(each.inside), longest) for each in found], axis=0)
    weight = np.where(complete > 0, complete / np.maximum(places, 1), 0.0)[1:]
    length = np.arange(1, longest, dtype=np.float64)
    total = weight.sum()
    density = weight / total if total else weight
    middle = float(density @ length) if total else np.nan
    std = float(np.sqrt(density @ (length - middle) ** 2)) if total else np.nan
    mean = _mean(found)
    count = int(complete.sum())
    mean_std = std / np.sqrt(count) if count > 1 else np.nan
    return Chords(mean * edge, float(mean_std) * edge, std * edge, length * edge, density / edge, count)


def _mean(found: list[Runs]) -> float:
    """Fraction over starts per step: runs cut by the edge count in both by their share, so that none is favoured."""
    pixels = sum(float(each.phase @ np.arange(each.phase.size)) for each in found)
    every = sum(float(each.inside @ np.arange(each.inside.size)) for each in found)
    steps = sum(float(each.inside @ np.maximum(np.arange(each.inside.size) - 1, 0)) for each in found)
    starts = sum(each.starts for each in found)
    return pixels / every / (starts / steps) if starts and every else float("nan")


def _all_runs(phase: ArrayLike, inside: ArrayLike | None, axes: Sequence[int] | None) -> list[Runs]:
    mask, visible = checked(phase, inside)
    chosen = range(mask.ndim) if axes is None else axes
    if not chosen or any(not 0 <= axis < mask.ndim for axis in chosen):
        raise InputError(f"The axes {axes} are none of an image of {mask.ndim} dimensions; give 0 to {mask.ndim - 1}.")
    return [runs(mask, visible, axis) for axis in chosen]


def _segments(counts: Counts, reach: int) -> Floats:
    """Segments of 0 to ``reach`` steps within runs of these lengths: a run of m pixels holds m - r."""
    number = np.zeros(max(reach + 1, counts.size))
    # Runs longer than r, summed from the long end, and once more: the sum of (m - r) over m > r.
    longer = np.cumsum(counts[::-1])[::-1]
    number[: counts.size - 1] = np.cumsum(longer[:0:-1])[::-1]
    return number[: reach + 1]


def _places(inside: Counts) -> Counts:
    """Places of a chord of m pixels with a pixel beyond both ends, by m: sum of n - m - 1 over lines of n pixels."""
    found = np.zeros(inside.size, dtype=np.int64)
    segments = _segments(inside, inside.size)
    found[: inside.size - 1] = segments[1 : inside.size]
    return found


def _padded(values: Counts, size: int) -> Counts:
    return np.pad(values, (0, size - values.size))
