r"""From which window size on a descriptor is known: representativity of any descriptor.

Windows of several sizes scatter with :math:`s(L) = a L^{-\beta}`; for the fraction :math:`\beta = d/2` (Matheron's
integral range), for others it is fitted (Dirrenberger, Forest and Jeulin, Int. J. Solids Struct. 51 (2014) 359). Small
windows may also err on one side, as for anything that a window's edge cuts: the size needed is the larger one of both.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.descriptors.describing import GROUPS, describe_subject
from scalebridge.microstructure.descriptors.masks import Floats, Mask
from scalebridge.microstructure.descriptors.subject import Subject, subject_of
from scalebridge.microstructure.micrograph import Micrograph
from scalebridge.microstructure.segmentation import Segmentation
from scalebridge.microstructure.volume import Volume

SMALLEST = 16
MOST = 64
"""Windows of one size that are looked at."""

FILLED = 0.9
"""Least share of a window that lies inside of the field of view."""

Measure = Callable[[NDArray[Any], Mask], float]


@dataclass(frozen=True, eq=False)
class WindowSizes:
    """How a descriptor scatters among windows, by their size.

    Attributes:
        descriptor: its name.
        whole: its value for the whole image.
        size: pixels on a side, rising, ``[n]``.
        mean: over the windows of each size, ``[n]``.
        std: standard deviation of one window, ``[n]``.
        count: windows of each size, ``[n]``.
        exponent: beta of the fit.
        precision: relative deviation asked for.
        needed: pixels on a side of a window that knows the descriptor to this precision.
        verdict: all this in words.
    """

    descriptor: str
    whole: float
    size: NDArray[np.int64]
    mean: Floats
    std: Floats
    count: NDArray[np.int64]
    exponent: float
    precision: float
    needed: float
    verdict: str

    @property
    def representative(self) -> bool:
        """Whether the largest windows looked at are large enough."""
        return bool(self.needed <= self.size[-1])


def window_sizes(
    image: Micrograph | Volume | Segmentation | ArrayLike,
    descriptor: str | Measure,
    *,
    precision: float = 0.05,
    sizes: Sequence[int] | None = None,
    pixel_size: str | None = None,
    inside: ArrayLike | None = None,
    phases: Sequence[str] | None = None,
    seed: int = 0,
) -> WindowSizes:
    """Return from which window size on a descriptor is known to a relative deviation.

    Args:
        image: as for `describe`; it is segmented once, as a whole.
        descriptor: a name from `describe`, such as ``"bright_chord"``; or a function of the labels (or grey values)
            of a window and its field of view that returns a number.
        precision: relative standard deviation of one window.
        sizes: pixels on a side; by default six from 16 (or an eighth of the image) to half of the shortest side.
        pixel_size: as for `describe`.
        inside: as for `describe`.
        phases: as for `describe`.
        seed: of the choice among more than `MOST` windows.

    Raises:
        InputError: a descriptor that is absent (the message says why) or zero, so that no relative deviation exists;
            a precision that is not positive; sizes of which fewer than three windows fit.
    """
    if not (np.isfinite(precision) and precision > 0):
        raise InputError(f"The precision is {precision}; it must be positive, as in 0.05.")
    subject = subject_of(image, pixel_size, inside, phases)
    name, measure = _measure(subject, descriptor)
    whole = measure(subject)
    if whole == 0 or not np.isfinite(whole):
        raise InputError(f"'{name}' of '{subject.name}' is {whole}, to which no deviation is relative; choose another.")
    rng = np.random.default_rng(seed)
    rows = [(size, _over_windows(subject, measure, size, rng)) for size in _sizes(subject.inside.shape, sizes)]
    kept = [(size, values) for size, values in rows if len(values) >= 3]
    if not kept:
        raise InputError(
            f"Fewer than three windows of any size tell '{name}' of '{subject.name}'; give smaller sizes or a larger "
            "image."
        )
    return _result(name, whole, kept, precision, subject)


def _result(name: str, whole: float, rows: list[tuple[int, Floats]], precision: float, subject: Subject) -> WindowSizes:
    size = np.array([row[0] for row in rows], dtype=np.int64)
    count = np.array([len(row[1]) for row in rows], dtype=np.int64)
    mean = np.array([float(row[1].mean()) for row in rows])
    std = np.array([float(row[1].std(ddof=1)) for row in rows])
    exponent, scale = _fitted(size, std, count, subject.dim)
    goal = precision * abs(whole)
    scatter = (scale / goal) ** (1 / exponent) if scale > 0 else 1.0
    # What lies within two deviations of the mean of its windows is no bias.
    biased = np.abs(mean - whole) > np.maximum(goal, 2 * std / np.sqrt(count))
    bias = float(size[np.flatnonzero(biased)[-1]] + 1) if biased.any() else 1.0
    needed = float(np.ceil(max(scatter, bias)))
    return WindowSizes(
        name,
        whole,
        size,
        mean,
        std,
        count,
        exponent,
        precision,
        needed,
        _verdict(name, whole, size, needed, precision, exponent, bias > scatter, subject),
    )


def _verdict(
    name: str,
    whole: float,
    size: NDArray[np.int64],
    needed: float,
    precision: float,
    exponent: float,
    biased: bool,
    subject: Subject,
) -> str:
    length = f"{needed:.0f} pixels" + (f" ({needed * subject.edge:.4g} um)" if subject.unit == "um" else "")
    why = "smaller ones err to one side" if biased else f"windows scatter as size^-{exponent:.2f}"
    told = "" if needed <= size[-1] else f"; the largest looked at has {size[-1]}, so this is extrapolated"
    return f"A window of {length} knows {name} = {whole:.4g} to {precision:.0%} ({why}){told}."


def _fitted(size: NDArray[np.int64], std: Floats, count: NDArray[np.int64], dim: int) -> tuple[float, float]:
    """Exponent and factor of std = factor size^-exponent, log std weighted by its degrees of freedom."""
    held = std > 0
    if not held.any():
        return dim / 2, 0.0
    x, y, weight = np.log(size[held]), np.log(std[held]), np.sqrt(2.0 * (count[held] - 1))
    slope = float(np.polyfit(x, y, 1, w=weight)[0]) if held.sum() > 1 else -dim / 2
    # Steeper than independent places, or not falling, is the noise of few windows.
    exponent = float(np.clip(-slope, 0.25, dim / 2))
    middle = float(np.average(y + exponent * x, weights=weight**2))
    return exponent, float(np.exp(middle))


def _measure(subject: Subject, descriptor: str | Measure) -> tuple[str, Callable[[Subject], float]]:
    if callable(descriptor):
        own = descriptor

        def apply(part: Subject) -> float:
            values = part.labels if part.labels is not None else part.grains if part.grains is not None else part.grey
            assert values is not None
            return float(own(values, part.inside))

        return getattr(own, "__name__", "the descriptor"), apply
    group = _group_of(subject, descriptor)

    def named(part: Subject) -> float:
        return float(describe_subject(part, (group,)).vector([descriptor])[0])

    return descriptor, named


def _group_of(subject: Subject, descriptor: str) -> str:
    """Which group a descriptor belongs to, by trying one after the other, the quick ones first."""
    still = replace(subject, moved=None)
    for group in GROUPS:
        if descriptor in describe_subject(still, (group,)):
            return group
    describe_subject(still).vector([descriptor])
    raise AssertionError("a descriptor that no group has is refused above")


def _over_windows(subject: Subject, measure: Callable[[Subject], float], size: int, rng: np.random.Generator) -> Floats:
    steps = [range((n % size) // 2, n - size + 1, size) for n in subject.inside.shape]
    boxes = [tuple(slice(k, k + size) for k in corner) for corner in itertools.product(*steps)]
    boxes = [box for box in boxes if subject.inside[box].mean() >= FILLED]
    if len(boxes) > MOST:
        boxes = [boxes[k] for k in np.sort(rng.choice(len(boxes), MOST, replace=False))]
    values = []
    for box in boxes:
        try:
            values.append(measure(_cropped(subject, box)))
        except InputError:
            continue
    found = np.array(values)
    return np.asarray(found[np.isfinite(found)])


def _cropped(subject: Subject, box: tuple[slice, ...]) -> Subject:
    return replace(
        subject,
        grey=None if subject.grey is None else subject.grey[box],
        labels=None if subject.labels is None else subject.labels[box],
        grains=None if subject.grains is None else subject.grains[box],
        inside=subject.inside[box],
        moved=None,
    )


def _sizes(shape: tuple[int, ...], sizes: Sequence[int] | None) -> list[int]:
    side = min(shape)
    if sizes is None:
        low, high = max(SMALLEST, side // 8), side // 2
        if high < low:
            raise InputError(f"The image of {shape} pixels is too small for windows of {SMALLEST}; give a larger one.")
        return [int(size) for size in np.unique(np.geomspace(low, high, 6).round())]
    found = sorted({int(size) for size in sizes})
    if not found or found[0] < 2 or found[-1] > side:
        raise InputError(f"The window sizes are {list(sizes)}; give numbers of pixels from 2 to {side}.")
    return found
