"""Laguerre grains with the distribution of grain sizes of a measured section or volume."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.generated.grains import random_grains
from scalebridge.microstructure.generated.matched import Matched

Floats = NDArray[np.float64]

QUANTILES = (np.arange(40) + 0.5) / 40
"""Probabilities at which sizes are compared."""

FEWEST = 10


def match_grains(labels: NDArray[np.generic], *, count: int = 200, regularity: int = 5, seed: int = 0) -> Matched:
    """Return periodic grains with the sizes of those in an image, in as many dimensions.

    Only grains that the edge does not cut are measured, each weighted by the inverse of its chance to lie whole in
    the image: large ones are cut more often (Miles and Lantuejoul: J. Serra, Image Analysis and Mathematical
    Morphology, 1982, chapter 8). The distances reported are ``sizes`` (mean absolute difference of the quantiles of
    area or volume over the mean) and ``slenderness`` (difference of the mean ratio of the longest to the shortest
    axis of the ellipse of equal moments; not fitted).

    Args:
        labels: a number per grain, ``[rows, columns]`` or ``[nz, ny, nx]``; 0 for no grain (boundaries, unknown).
        count: grains to generate.
        regularity: moves to the centroids; more make grains more equiaxed.
        seed: of sites and orientations.

    Raises:
        ShapeError: neither two nor three dimensions.
        InputError: labels that are not whole numbers from 0, or fewer than ten whole grains.
    """
    image = np.asarray(labels)
    if image.ndim not in (2, 3):
        raise ShapeError(f"The grains have the shape {image.shape}; rows and columns, or a volume, are needed.")
    if not np.issubdtype(image.dtype, np.integer) or int(image.min(initial=0)) < 0:
        raise InputError(f"The grains are of type {image.dtype}; give whole numbers, one per grain, and 0 for none.")
    sizes, weights, slender = _whole(image)
    if len(sizes) < FEWEST or count < FEWEST:
        raise InputError(
            f"{len(sizes)} whole grains were found and {count} asked for; sizes need at least {FEWEST} of both."
        )
    share = (np.arange(count) + 0.5) / count
    wanted = np.random.default_rng(seed).permutation(_quantiles(sizes, weights, share))
    grains = random_grains(count, dim=image.ndim, volumes=wanted, regularity=regularity, seed=seed)
    side = float(wanted.sum() ** (1.0 / image.ndim))
    told, made = _quantiles(sizes, weights, QUANTILES), np.quantile(grains.volumes * side**image.ndim, QUANTILES)
    mean = float((weights * slender).sum() / weights.sum())
    other, chance, found = _whole(1 + grains.grain(max(16, min(round(side), 512 if image.ndim == 2 else 128))))
    return Matched(
        grains,
        side,
        {"count": float(count), "scatter": float(wanted.std() / wanted.mean()), "size": float(wanted.mean())},
        {
            "sizes": float(np.abs(told - made).mean() / told.mean()),
            "slenderness": abs(float((chance * found).sum() / chance.sum()) - mean) if len(other) else float("nan"),
        },
        {},
        {"sizes": told, "slenderness": mean},
        {"sizes": made},
        (
            "Grains are convex with flat faces: curved boundaries, shapes, twins and textures are not matched, and "
            "orientations are random.",
        ),
    )


def _whole(image: NDArray[np.generic]) -> tuple[Floats, Floats, Floats]:
    """Sizes, weights and slendernesses of the grains that no edge cuts, each ``[n]``."""
    from skimage.measure import regionprops

    shape = np.array(image.shape)
    found = []
    for region in regionprops(np.asarray(image, dtype=np.int64)):
        low, high = np.array(region.bbox).reshape(2, -1)
        if (low > 0).all() and (high < shape).all():
            # Places at which a grain of this box lies whole within the image.
            room = float((shape - 2 - (high - low) + 1).prod())
            moments = np.maximum(region.inertia_tensor_eigvals, 1e-12)
            spread = np.sqrt(_variances(np.array(moments)))
            found.append((float(region.num_pixels), 1.0 / max(room, 1.0), float(spread.max() / spread.min())))
    table = np.array(found).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _variances(moments: Floats) -> Floats:
    """Variances along the principal axes from the moments of inertia about them."""
    dim = len(moments)
    return np.asarray(np.maximum(moments.sum() / (dim - 1) - moments, 1.0 / 12.0))


def _quantiles(sizes: Floats, weights: Floats, share: Floats) -> Floats:
    order = np.argsort(sizes, kind="stable")
    below = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.asarray(np.interp(share, below / weights.sum(), sizes[order]))
