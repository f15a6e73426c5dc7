"""Local features of every pixel at several scales, as the trainable segmenters of the field compute them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError

Grey = NDArray[np.float64]
Features = NDArray[np.float32]

PER_SCALE = ("mean", "gradient", "ridge", "valley", "streak", "texture", "std")
ENTROPY_RADIUS = 4


def normalised(grey: Grey, inside: NDArray[np.bool_] | None = None) -> Grey:
    """Return grey values with median 0 and interquartile range 1.349: brightness and contrast of the scan drop out."""
    values = grey if inside is None else grey[inside]
    low, middle, high = np.percentile(values, [25, 50, 75])
    return np.asarray((grey - middle) / max((high - low) / 1.349, 1e-6))


def feature_names(scales: Sequence[float]) -> tuple[str, ...]:
    """Return the names of the features of `local_features`, in their order."""
    return ("grey", *(f"{name} at {scale:g}" for scale in scales for name in PER_SCALE), f"entropy at {ENTROPY_RADIUS}")


def local_features(grey: Grey, scales: Sequence[float]) -> Features:
    """Return the features of every pixel, ``[rows, columns, features]``, named by `feature_names`.

    At each scale s (pixels): Gaussian mean, gradient magnitude, the two eigenvalues of the Hessian (ridge the smaller,
    valley the larger; times s squared), the two eigenvalues of the structure tensor over 2 s (streak the larger,
    texture the smaller), and the standard deviation over 2 s; once, the entropy of the grey values around the pixel.
    Source: Arganda-Carreras et al. 2017 (trainable Weka segmentation), Berg et al. 2019 (ilastik).

    Args:
        grey: grey values, normalised where several images are to be told by the same model, ``[rows, columns]``.
        scales: deviations of the Gaussians in pixels.

    Raises:
        InputError: a scale that is not positive.
    """
    if not scales or min(scales) <= 0:
        raise InputError(
            f"The scales of the features are {list(scales)}; give positive lengths in pixels, as (1, 2, 4)."
        )
    maps = [grey]
    for scale in scales:
        maps.extend(_at_scale(grey, scale))
    maps.append(_entropy(grey))
    return np.stack(maps, axis=-1).astype(np.float32)


def _at_scale(grey: Grey, scale: float) -> list[Grey]:
    from scipy.ndimage import gaussian_filter

    mean = gaussian_filter(grey, scale)
    dy, dx = np.gradient(mean)
    yy, yx = np.gradient(dy)
    _, xx = np.gradient(dx)
    valley, ridge = _eigenvalues(yy, yx, xx)
    streak, texture = _eigenvalues(*(gaussian_filter(part, 2 * scale) for part in (dy * dy, dy * dx, dx * dx)))
    wide = gaussian_filter(grey, 2 * scale)
    variance = gaussian_filter(grey**2, 2 * scale) - wide**2
    return [
        mean, scale * np.hypot(dy, dx), scale**2 * ridge, scale**2 * valley,
        scale * np.sqrt(np.maximum(streak, 0)), scale * np.sqrt(np.maximum(texture, 0)),
        np.sqrt(np.maximum(variance, 0)),
    ]  # fmt: skip


def _eigenvalues(yy: Grey, yx: Grey, xx: Grey) -> tuple[Grey, Grey]:
    middle, half = (yy + xx) / 2, np.hypot((yy - xx) / 2, yx)
    return middle + half, middle - half


def _entropy(grey: Grey) -> Grey:
    from skimage.filters.rank import entropy
    from skimage.morphology import disk

    # Sixteen levels over four deviations to either side: few enough to fill a small neighbourhood.
    levels = np.clip((grey + 4) * 2, 0, 15).astype(np.uint8)
    return np.asarray(entropy(levels, disk(ENTROPY_RADIUS)), dtype=np.float64)
