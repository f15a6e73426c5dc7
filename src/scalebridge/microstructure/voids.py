"""Dark compact voids, too rare to show as a peak of the histogram."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.microstructure.thresholds import Mixture, bulk, fit_mixture, fit_three

Grey = NDArray[np.float64]
Mask = NDArray[np.bool_]

SMOOTHING = 2.5
"""Pixels over which grey values are averaged in the search: dark gaps between inclusions vanish, voids stay."""

DEPTH = 0.5
"""How far below the matrix a smoothed void lies at least, in units of the depth of a void (see `_depth`)."""

TOWARDS_DARKEST = 0.8
"""Depth of a void as a share of the way from the matrix to the darkest place, where the contrast is larger."""

SMALLEST = 30
"""Least area of a void in pixels: what is smaller is a gap between inclusions, or noise."""

REACH = 3
"""Pixels over which a void reaches beyond its seeds, and half the width of the breaks of its rim that are bridged."""


BEYOND_DOUBT = 5.0
"""How far below the matrix a pixel lies at least to be void by its grey value alone, in spreads of the matrix."""

THICK = 0.15
"""Share of a class of grey values that lies at least two pixels deep in it: less are the blurred edges of others."""

EXTENTS = ("dark", "enclosed")
"""What of a void counts: the pixels that are dark themselves, or all that its dark rim encloses."""


@dataclass(frozen=True, eq=False)
class Voids:
    """Voids found: their pixels and the uncertainty of their share of the field of view.

    Attributes:
        pixels: what counts as void, ``[rows, columns]``.
        enclosed: the same with all that dark rims enclose; holds ``pixels``.
        fraction_std: deviation of the share of ``pixels``.
        enclosed_std: deviation of the share of ``enclosed``.
        tellable: whether black lies far enough below the matrix for a void to be told from it.
    """

    pixels: Mask
    enclosed: Mask
    fraction_std: float
    enclosed_std: float
    tellable: bool = True


def solid_levels(grey: Grey, inside: Mask) -> tuple[float, float, float]:
    """Return the mean grey values of matrix and inclusions and their deviation, which voids may have pulled along.

    Two Gaussians are fitted, or three where the darkest stands `BEYOND_DOUBT` deviations apart from the next and none
    of the three is made of edges: the upper two are the solid then.

    Args:
        grey: denoised grey values, ``[rows, columns]``.
        inside: the field of view.
    """
    values = grey[inside]
    two = fit_mixture(values)
    for start in _starts(values, two):
        try:
            _, mean, std = fit_three(values, start)
        except ValueError:
            continue
        if mean[1] - mean[0] > BEYOND_DOUBT * std and _thick(grey, inside, (mean[1:] + mean[:-1]) / 2):
            return float(mean[1]), float(mean[2]), std
    return float(two.mean[0]), float(two.mean[1]), two.std


def _starts(values: Grey, two: Mixture) -> Iterator[NDArray[np.float64]]:
    """Levels between three classes: for rare voids half way to the darkest pixel, for abundant ones Otsu's two."""
    from skimage.filters import threshold_multiotsu

    yield np.array([(float(values.min()) + two.mean[0]) / 2, two.threshold])
    counts, edges = np.histogram(bulk(values), 256)
    if (counts > 0).sum() > 3:
        yield np.asarray(threshold_multiotsu(hist=(counts, (edges[1:] + edges[:-1]) / 2), classes=3))


def _thick(grey: Grey, inside: Mask, levels: NDArray[np.float64]) -> bool:
    """Whether each of three classes has an inner part."""
    from scipy.ndimage import binary_erosion

    number = np.digitize(grey, levels)
    classes = [(number == k) & inside for k in range(3)]
    return all(binary_erosion(each, iterations=2).sum() > THICK * each.sum() > 0 for each in classes)


def find_voids(grey: Grey, inside: Mask, dark: float, bright: float, spread: float, extent: str = "dark") -> Voids:
    """Find compact regions much darker than the matrix.

    Seeds are where the smoothed image lies `DEPTH` depths below the matrix; the depth of a void is the contrast of the
    phases, or less where the matrix is nearer to black than to the inclusions. Around them:

    - ``"dark"``: a pixel is void when it is nearer to the darkest of the voids than to the matrix and lies
      `BEYOND_DOUBT` spreads below the matrix. Its deviation joins half the change of the share when this level is
      moved by one spread to either side with an edge that may lie anywhere within a pixel.
    - ``"enclosed"``: what lies below the halfway level between the seeds and the matrix within `REACH` of a seed,
      and what this rim encloses. In phase-contrast scans the rim of a large void is dark and its middle nearly as
      bright as the matrix; grey values alone cannot tell such a middle from resin. Its deviation joins half the
      change when the level is moved to 0.35 and 0.65 of the way with the same edge.

    Both deviations also hold what is not seen: pixels dark beyond doubt in regions too small to be taken for voids, and
    one and a half of the smallest voids (none in n draws leaves up to 3 / n at 95 %, two deviations).

    Args:
        grey: denoised grey values, ``[rows, columns]``.
        inside: the field of view.
        dark: mean grey value of the matrix.
        bright: mean grey value of the inclusions.
        spread: standard deviation of the grey values of a phase.
        extent: one of `EXTENTS`.
    """
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(grey, SMOOTHING)
    depth = _depth(smooth[inside], dark, bright, spread)
    # Where not even black is beyond doubt, all that is nearer to black than to the matrix may be void.
    level = dark - max(depth, BEYOND_DOUBT * spread)
    doubtless = inside & (grey < (level if level > 0 else dark / 2))
    seeds = _deep(smooth < dark - DEPTH * depth, grey, dark - depth) & inside
    if not seeds.any():
        unseen = _unseen(doubtless, seeds, inside)
        return Voids(seeds, seeds, unseen, unseen, tellable=depth < dark)
    floor = float(np.median(grey[seeds]))
    ceiling = (dark + bright) / 2
    narrow, middle, wide = (
        _grown(grey, inside, seeds, floor + way * (dark - floor), ceiling) for way in (0.35, 0.5, 0.65)
    )
    unseen = _unseen(doubtless, middle, inside)
    enclosed_std = float(np.hypot(_deviation(narrow, middle, wide, inside), unseen))
    if extent == "enclosed":
        return Voids(middle, middle, enclosed_std, enclosed_std)
    level = min((float(grey[middle].min()) + dark) / 2, dark - BEYOND_DOUBT * spread)
    fewer, core, more = (middle & (grey < level + shift) for shift in (-spread, 0.0, spread))
    return Voids(core, middle, float(np.hypot(_deviation(fewer, core, more, inside), unseen)), enclosed_std)


def _depth(smooth: Grey, dark: float, bright: float, spread: float) -> float:
    """How far below the matrix a void lies: one contrast, or less where black is nearer, but never within doubt."""
    return min(bright - dark, max(TOWARDS_DARKEST * (dark - float(smooth.min())), BEYOND_DOUBT * spread))


def _unseen(doubtless: Mask, found: Mask, inside: Mask) -> float:
    """Share of the field of view that may be void and was not found."""
    return (float((doubtless & ~found).sum()) + 1.5 * SMALLEST) / float(inside.sum())


def _deviation(fewer: Mask, pixels: Mask, more: Mask, inside: Mask) -> float:
    from scipy.ndimage import binary_erosion

    moved = abs(float(more.sum()) - float(fewer.sum())) / 2
    edge = float((pixels & ~binary_erosion(pixels, border_value=1)).sum()) / np.sqrt(12)
    return float(np.hypot(moved, edge)) / float(inside.sum())


def _deep(seeds: Mask, grey: Grey, level: float) -> Mask:
    """Keep the seeds that hold grey values one full depth below the matrix: a resin pocket does not."""
    from skimage.measure import label

    parts = label(seeds, connectivity=2)
    sizes = np.maximum(np.bincount(parts.ravel()), 1)
    deep = np.bincount(parts.ravel(), weights=(grey < level).ravel()) >= np.maximum(SMALLEST / 3, 0.1 * sizes)
    deep[0] = False
    return np.asarray(deep[parts])


def _grown(grey: Grey, inside: Mask, seeds: Mask, level: float, ceiling: float) -> Mask:
    from scipy.ndimage import binary_fill_holes
    from skimage.measure import label
    from skimage.morphology import closing, dilation, disk, opening

    near = dilation(seeds.astype(np.uint8), disk(REACH)).astype(bool)
    parts = label((grey < level) & near, connectivity=1)
    large = np.bincount(parts.ravel()) >= SMALLEST
    large[0] = False
    seeded = np.zeros_like(large)
    seeded[parts[seeds]] = True
    rim = (large & seeded)[parts]
    # Phase-contrast fringes make the rim of a large void dark and its middle nearly as bright as the matrix:
    # the rim's breaks are bridged, and what it encloses belongs to the void unless it is as bright as a fibre.
    ring = binary_fill_holes(closing(rim.astype(np.uint8), disk(REACH)).astype(bool))
    enclosed = opening((ring & (grey < ceiling)).astype(np.uint8), disk(2)).astype(bool)
    return np.asarray(binary_fill_holes(rim | enclosed) & inside)
