"""Grey levels that part two phases, each by a published rule, and how far apart the phases are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

_BINS = 256


@dataclass(frozen=True)
class Mixture:
    """Two Gaussians of equal deviation fitted to grey values: dark and bright."""

    weight: NDArray[np.float64]
    mean: NDArray[np.float64]
    std: float

    @property
    def contrast(self) -> float:
        """Distance of the two means in deviations (Ashman's D)."""
        return float((self.mean[1] - self.mean[0]) / self.std)

    @property
    def threshold(self) -> float:
        """Level of equal posterior probability: least misclassification."""
        dark, bright = self.mean
        return float((dark + bright) / 2 + self.std**2 * np.log(self.weight[0] / self.weight[1]) / (bright - dark))

    @property
    def overlap(self) -> float:
        """Share of pixels on the wrong side of the threshold, by noise or partial volume."""
        from scipy.stats import norm

        level = self.threshold
        wrong = norm.sf((level - self.mean[0]) / self.std), norm.cdf((level - self.mean[1]) / self.std)
        return float(self.weight @ np.array(wrong))


def bulk(values: Values) -> Values:
    """Return the values between their 0.5th and 99.5th percentile: outliers are no phase."""
    low, high = np.percentile(values, [0.5, 99.5])
    kept = values[(values >= low) & (values <= high)]
    return kept if np.ptp(kept) > 0 else values


def otsu(values: Values) -> float:
    """Otsu (1979): largest variance between the classes."""
    from skimage.filters import threshold_otsu

    return float(threshold_otsu(values))


def li(values: Values) -> float:
    """Li and Tam (1998): least cross entropy, by their fixed point, with grey values counted from black.

    (scikit-image counts from the darkest pixel, so that one outlier moves the level.)
    """
    level = float(values.mean())
    for _ in range(100):
        dark, bright = values[values <= level], values[values > level]
        if not (dark.size and bright.size and dark.mean() > 0):
            break
        means = float(dark.mean()), float(bright.mean())
        found = (means[1] - means[0]) / float(np.log(means[1] / means[0]))
        if abs(found - level) < 1e-6:
            break
        level = found
    return level


def minimum_error(values: Values) -> float | None:
    """Least misclassification of two Gaussians of equal deviation; ``None`` where it lies outside their means."""
    mixture = fit_mixture(values)
    level = mixture.threshold
    return level if mixture.mean[0] < level < mixture.mean[1] else None


def half_maximum(values: Values) -> float | None:
    """Halfway between the two peaks of the histogram, where a symmetric blur leaves an edge (ISO-50).

    The histogram is smoothed until it has two peaks (Prewitt and Mendelsohn 1966); ``None`` with one peak.
    """
    from scipy.ndimage import gaussian_filter1d

    counts, edges = np.histogram(bulk(values), _BINS)
    # Empty bins on either side, so that a peak at the end of the range is a peak.
    margin = 16
    centres = edges[0] + (edges[1] - edges[0]) * (np.arange(-margin, _BINS + margin) + 0.5)
    smooth = gaussian_filter1d(np.pad(counts.astype(np.float64), margin), 3.0)
    for _ in range(500):
        peaks = np.flatnonzero((smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:])) + 1
        if len(peaks) == 2:
            return float(centres[peaks].mean())
        if len(peaks) < 2:
            return None
        smooth = gaussian_filter1d(smooth, 1.0)
    return None


THRESHOLDS: dict[str, Callable[[Values], float | None]] = {
    "otsu": otsu,
    "li": li,
    "minimum_error": minimum_error,
    "half_maximum": half_maximum,
}


def fit_mixture(values: Values, steps: int = 200) -> Mixture:
    """Fit two Gaussians of equal deviation to the bulk of ``values`` by expectation-maximisation on a histogram."""
    sample = bulk(values)
    split = otsu(sample)
    low, high = sample[sample <= split], sample[sample > split]
    if high.size == 0:
        low, high = sample[sample < sample.max()], sample[sample == sample.max()]
    weight = np.array([low.size, high.size]) / sample.size
    mean = np.array([low.mean(), high.mean()])
    spread = float(np.sqrt(weight @ np.array([low.var(), high.var()])))
    return Mixture(*_expectation_maximisation(sample, weight, mean, spread, steps))


def fit_three(values: Values, levels: Values, steps: int = 200) -> tuple[Values, Values, float]:
    """Fit three Gaussians of equal deviation as `fit_mixture` does two, starting with the classes parted by ``levels``.

    Returns:
        weights ``[3]``, means ``[3]`` from dark to bright, and the deviation.

    Raises:
        ValueError: a class without any value.
    """
    sample = bulk(values)
    number = np.digitize(sample, levels)
    parts = [sample[number == k] for k in range(3)]
    if not all(part.size for part in parts):
        raise ValueError("no value in one of three classes")
    weight = np.array([part.size for part in parts]) / sample.size
    mean = np.array([part.mean() for part in parts])
    spread = float(np.sqrt(weight @ np.array([part.var() for part in parts])))
    return _expectation_maximisation(sample, weight, mean, spread, steps)


def _expectation_maximisation(
    sample: Values, weight: Values, mean: Values, spread: float, steps: int
) -> tuple[Values, Values, float]:
    counts, edges = np.histogram(sample, _BINS)
    grey, share = (edges[1:] + edges[:-1]) / 2, counts / counts.sum()
    # A bin is the finest that a histogram resolves; below it the deviation has no meaning.
    floor = float(edges[1] - edges[0]) / 2
    std = max(spread, floor)
    for _ in range(steps):
        exponent = -0.5 * ((grey[:, None] - mean) / std) ** 2
        joint = weight * np.exp(exponent - exponent.max(axis=1, keepdims=True))
        owned = joint / joint.sum(axis=1, keepdims=True) * share[:, None]
        weight = np.clip(owned.sum(axis=0), 1e-9, 1)
        mean = (owned * grey[:, None]).sum(axis=0) / weight
        std = max(float(np.sqrt((owned * (grey[:, None] - mean) ** 2).sum())), floor)
    return weight / weight.sum(), mean, std


def separability(values: Values, threshold: float) -> float:
    """Return Otsu's eta: the share of the grey variance that lies between the two classes.

    0.64 (2 / pi) for a single Gaussian population, 0.75 for a uniform one, towards 1 for two clear phases.
    """
    sample = bulk(values)
    bright = sample > threshold
    share = bright.mean()
    if share in (0.0, 1.0):
        return 0.0
    gap = sample[bright].mean() - sample[~bright].mean()
    return float(share * (1 - share) * gap**2 / sample.var())
