"""Where fibres may be: bright blobs of about one size, by scale-normalised Laplacians of Gaussians."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float64]
Mask = NDArray[np.bool_]

OVERLAP = 0.6
"""Candidates whose centres are nearer than this share of the sum of their radii are taken as one."""


def blobs(grey: Grey, inside: Mask, radius: float, contrast: float, weakest: float) -> Grey:
    """Return candidates ``[n, 3]`` of row, column and radius in pixels, the strongest first.

    The response of a bright disc of radius R to the Laplacian of a Gaussian is largest at its centre for a deviation of
    R / sqrt(2) (Lindeberg 1998), and its normalised value is about 0.74 contrasts; neighbours at contact lower it.

    Args:
        grey: grey values without a step at the edge of the field of view, ``[rows, columns]``.
        inside: the field of view.
        radius: radius looked for, in pixels.
        contrast: grey difference of fibre and matrix.
        weakest: least response, in contrasts.
    """
    from scipy.ndimage import gaussian_laplace, maximum_filter

    # Smaller than R / sqrt(2), where a neighbour at contact weakens the response less.
    sigma = 0.8 * radius / np.sqrt(2)
    response = -(sigma**2) * gaussian_laplace(grey, sigma)
    size = 2 * max(1, round(0.5 * radius)) + 1
    peak = (response == maximum_filter(response, size)) & inside & (response > weakest * contrast)
    rows, columns = np.nonzero(peak)
    listed = np.column_stack([rows, columns, np.full(rows.size, radius)])[np.argsort(-response[peak], kind="stable")]
    return listed[distinct(listed)]


def distinct(circles: Grey, taken: Grey | None = None, share: float = OVERLAP) -> Mask:
    """Return which circles ``[n, 3]``, in order of preference, do not share their place with an earlier one ``[n]``.

    Args:
        circles: row, column, radius.
        taken: circles ``[m, 3]`` that are there already.
        share: centres nearer than this share of the sum of the radii are one place.
    """
    from scipy.spatial import cKDTree

    held = np.zeros((0, 3)) if taken is None else taken
    every = np.concatenate([held, circles])
    if len(circles) == 0:
        return np.zeros(0, dtype=bool)
    reach = 2 * share * float(every[:, 2].max())
    tree = cKDTree(every[:, :2])
    keep = np.ones(len(every), dtype=bool)
    for k, near in enumerate(tree.query_ball_point(every[:, :2], reach)):
        others = np.array([j for j in near if j < k and keep[j]], dtype=int)
        if k < len(held) or others.size == 0:
            continue
        gap = np.hypot(*(every[others, :2] - every[k, :2]).T)
        keep[k] = bool((gap > share * (every[others, 2] + every[k, 2])).all())
    return keep[len(held) :]
