"""Between two samples: the mean and variance of what a random walk does there."""

from __future__ import annotations

import numpy as np

from scalebridge.errors import InputError
from scalebridge.quantities import Floats


def bridge(t: Floats, y: Floats, at: Floats, noise: Floats | None = None) -> tuple[Floats, Floats]:
    """Linear interpolation and its standard deviation ``[m]``: a Brownian bridge between neighbours.

    The walk's variance per time is that of the increments seen, less what noise explains. Beyond the ends nothing is
    known: NaN for both.

    Args:
        t: ``[n]``, in any order, no two equal.
        y: ``[n]``.
        at: ``[m]``.
        noise: standard deviation of each y ``[n]``; none by default.

    Raises:
        InputError: fewer than two samples, or two at one time.
    """
    order = np.argsort(t, kind="stable")
    t, y = t[order], y[order]
    s = np.zeros(len(t)) if noise is None else np.nan_to_num(noise)[order]
    steps = np.diff(t)
    if len(t) < 2 or (steps <= 0).any():
        at_least = "two samples" if len(t) < 2 else f"one sample at {t[1:][steps <= 0][0]:g}, not several"
        raise InputError(f"Interpolation needs {at_least}; drop or average the others first.")
    rate = walk_rate(t, y, s)
    right = np.clip(np.searchsorted(t, at, side="right"), 1, len(t) - 1)
    left = right - 1
    w = (at - t[left]) / (t[right] - t[left])
    mean = (1 - w) * y[left] + w * y[right]
    variance = rate * (t[right] - t[left]) * w * (1 - w) + ((1 - w) * s[left]) ** 2 + (w * s[right]) ** 2
    inside = (at >= t[0]) & (at <= t[-1])
    return np.where(inside, mean, np.nan), np.where(inside, np.sqrt(np.maximum(variance, 0.0)), np.nan)


def walk_rate(t: Floats, y: Floats, noise: Floats) -> float:
    """Variance per time of a random walk with these samples, noise taken off: the mean of ``(dy^2 - noise) / dt``."""
    square = np.diff(y) ** 2 - noise[1:] ** 2 - noise[:-1] ** 2
    return max(float(np.mean(square / np.diff(t))), 0.0)
