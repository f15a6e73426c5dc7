"""Coatings and scales: an image of layers one above the other, parted by two smooth interfaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.micrograph import Micrograph
from scalebridge.microstructure.shrinking import shrunk

Grey = NDArray[np.float64]
Line = NDArray[np.int64]

SHRINK = 4
"""Pixels of the image in one of the search: layers are far thicker."""

WINDOWS = (5, 15)
"""Edges of the squares over which the roughness is taken, in pixels of the search: grain and pores."""

GREY_BINS, TEXTURE_BINS = 16, 6
"""Bins of grey value and of each local roughness, whose joint histogram describes a layer."""

ROUGHNESS = float(WINDOWS[0])
"""Cost of a step of an interface by one row from column to column, in pixels' gain of log likelihood: pixels that share
a window tell the same thing, so that a step must be worth as many."""

THINNEST = 0.05
"""Least thickness of a layer, as a share of the image's height."""


@dataclass(frozen=True, eq=False)
class Layers:
    """Three layers from top to bottom, parted by two interfaces; build it by `find_layers`.

    Attributes:
        labels: 0 above, 1 between, 2 below, ``[rows, columns]`` int16.
        upper: first row of the middle layer in each column, ``[columns]``.
        lower: first row below it, ``[columns]``.
        evidence: mean gain of log likelihood per pixel over two layers only (the better one): near 0 where the image
            does not show a third.
    """

    labels: NDArray[np.int16]
    upper: Line
    lower: Line
    evidence: float

    @property
    def thickness(self) -> NDArray[np.float64]:
        """Thickness of the middle layer in each column, pixels."""
        return (self.lower - self.upper).astype(np.float64)


def find_layers(image: Micrograph) -> Layers:
    """Part an image into three layers without any training.

    Each layer is described by the joint histogram of its grey values and their local roughness, in this image.
    From rows parted at a grid of heights, histograms and interfaces are found in turn until they agree (region
    competition, Zhu and Yuille 1996); interfaces are the paths of least cost from left to right (dynamic programming,
    as for the layers of the retina, Chiu et al. 2010). The most likely of all starts is kept. The interface of the
    weaker grey contrast, which texture has placed to within half of its window, is then moved to the clearest step of
    grey within that reach.

    Raises:
        InputError: an image too low to hold three layers.
    """
    if image.shape[0] < 16 * SHRINK:
        raise InputError(
            f"The image '{image.name}' has {image.shape[0]} rows; three layers need {16 * SHRINK} or more."
        )
    grey = shrunk(image.grey, SHRINK)
    small = _codes(grey)
    least = max(2, round(THINNEST * small.shape[0]))
    upper, lower, gain = _best_start(small, least)
    for _ in range(8):
        scores = _scores(small, upper, lower)
        upper, lower = interfaces(scores, upper, lower, least)
    upper, lower = _sharpened(grey, upper, lower)
    return _enlarged(image, upper, lower, gain)


def interfaces(scores: Grey, upper: Line, lower: Line, least: int) -> tuple[Line, Line]:
    """Return the two interfaces of the highest score, each found in turn with the other held, three times.

    Args:
        scores: log likelihood (or log probability) of each layer, ``[3, rows, columns]``.
        upper: first row of the middle layer to start from, ``[columns]``.
        lower: first row of the lowest layer to start from, ``[columns]``.
        least: least thickness of the middle layer in rows.
    """
    total = np.concatenate([np.zeros((3, 1, scores.shape[2])), np.cumsum(scores, axis=1)], axis=1)
    rows = np.arange(total.shape[1])[:, None]
    for _ in range(3):
        below = total[1] - total[2]
        upper_gain = total[0] - total[1]
        lower = _path(np.where(rows >= upper + least, below, -np.inf))
        upper = _path(np.where(rows <= lower - least, upper_gain, -np.inf))
    return upper, lower


def _codes(grey: Grey) -> NDArray[np.int64]:
    """The bin of every pixel: grey value and local roughness, each by equal counts."""
    from scipy.ndimage import median_filter, uniform_filter

    codes = _ranked(uniform_filter(grey, 3), GREY_BINS)
    # Against the median, so that the step at an interface is no texture.
    rough = np.abs(grey - median_filter(grey, WINDOWS[0]))
    for width in WINDOWS:
        codes = codes * TEXTURE_BINS + _ranked(uniform_filter(rough, width), TEXTURE_BINS)
    return codes


def _ranked(values: Grey, bins: int) -> NDArray[np.int64]:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.asarray(np.digitize(values, edges), dtype=np.int64)


def _best_start(codes: NDArray[np.int64], least: int) -> tuple[Line, Line, float]:
    """Flat interfaces of the highest likelihood, and its gain over the best single one."""
    rows, columns = codes.shape
    count = GREY_BINS * TEXTURE_BINS ** len(WINDOWS)
    each = np.stack([np.bincount(row, minlength=count) for row in codes]).astype(np.float64)
    total = np.concatenate([np.zeros((1, count)), np.cumsum(each, axis=0)])

    def fit(start: int, end: int) -> float:
        counts = total[end] - total[start]
        return float((counts * np.log((counts + 0.5) / (counts.sum() + 0.5 * count))).sum())

    step = max(1, rows // 64)
    heights = range(least, rows - least, step)
    two = max(fit(0, k) + fit(k, rows) for k in heights)
    value, upper, lower = max(
        (fit(0, a) + fit(a, b) + fit(b, rows), a, b) for a in heights for b in heights if b - a >= least
    )
    flat = np.ones(columns, dtype=np.int64)
    return upper * flat, lower * flat, (value - two) / codes.size


def _scores(codes: NDArray[np.int64], upper: Line, lower: Line) -> Grey:
    count = GREY_BINS * TEXTURE_BINS ** len(WINDOWS)
    rows = np.arange(codes.shape[0])[:, None]
    layer = (rows >= upper).astype(int) + (rows >= lower)
    scores = []
    for number in range(3):
        counts = np.bincount(codes[layer == number], minlength=count) + 0.5
        scores.append(np.log(counts / counts.sum())[codes])
    return np.stack(scores)


def _path(gain: Grey) -> Line:
    """The row of each column on the path of the highest gain; a step by s rows, at most 3, costs ``ROUGHNESS s``."""
    columns = gain.shape[1]
    best = gain[:, 0]
    came = np.zeros(gain.shape, dtype=np.int64)
    rows = np.arange(len(best))
    for column in range(1, columns):
        options = []
        for step in range(-3, 4):
            moved = np.full(len(best), -np.inf)
            source = slice(max(0, -step), len(best) - max(0, step))
            target = slice(max(0, step), len(best) - max(0, -step))
            moved[target] = best[source] - ROUGHNESS * abs(step)
            options.append(moved)
        chosen = np.argmax(options, axis=0)
        came[:, column] = rows - (chosen - 3)
        best = np.max(options, axis=0) + gain[:, column]
    path = np.zeros(columns, dtype=np.int64)
    path[-1] = int(np.argmax(best))
    for column in range(columns - 1, 0, -1):
        path[column - 1] = came[path[column], column]
    return path


def _sharpened(grey: Grey, upper: Line, lower: Line) -> tuple[Line, Line]:
    rows = np.arange(grey.shape[0])[:, None]
    layer = (rows >= upper).astype(int) + (rows >= lower)
    levels = [float(np.median(grey[layer == number])) for number in range(3)]
    if abs(levels[0] - levels[1]) < abs(levels[1] - levels[2]):
        return _to_step(grey, upper), lower
    return upper, _to_step(grey, lower)


def _to_step(grey: Grey, line: Line, height: int = 4) -> Line:
    """The path of the largest difference between the means of ``height`` rows above and below, near a line."""
    from scipy.ndimage import uniform_filter1d

    total = np.cumsum(np.pad(uniform_filter1d(grey, WINDOWS[0], axis=1), ((1, 0), (0, 0))), axis=0)
    size = grey.shape[0]
    step = np.zeros(grey.shape)
    middle = total[height : size - height]
    step[height : size - height] = np.abs(2 * middle - total[: size - 2 * height] - total[2 * height : size])
    near = np.abs(np.arange(size)[:, None] - line) <= WINDOWS[1] // 2
    return _path(np.where(near, step / max(float(step[near].std()), 1e-12), -np.inf))


def _enlarged(image: Micrograph, upper: Line, lower: Line, gain: float) -> Layers:
    x = np.arange(image.shape[1])
    places = SHRINK // 2 + SHRINK * np.arange(len(upper))
    lines = [np.interp(x, places, SHRINK * line).round().astype(np.int64) for line in (upper, lower)]
    rows = np.arange(image.shape[0])[:, None]
    labels = ((rows >= lines[0]).astype(np.int16) + (rows >= lines[1])).astype(np.int16)
    return Layers(labels, lines[0], lines[1], gain)
