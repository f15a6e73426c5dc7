"""What an instrument with a footprint sees of many point samples: a weighted mean, and how well they give it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats


@dataclass(frozen=True, eq=False)
class FootprintMean:
    """A mean over a footprint, from samples inside it.

    Attributes:
        mean: weighted mean of the samples.
        std: its standard error from the scatter between samples, which is taken to be alike everywhere: they stand
            for ground that nobody sampled. NaN where one sample has all the weight.
        plain: the mean with equal weights, for comparison.
        values: of the samples ``[n]``.
        weights: share of each sample ``[n]``, summing to one.
        names: of the samples ``[n]``.
    """

    mean: float
    std: float
    plain: float
    values: Floats
    weights: Floats
    names: tuple[str, ...]

    @property
    def effective(self) -> float:
        """How many samples of equal weight would tell as much; far below n where few dominate."""
        return float(1 / (self.weights**2).sum())

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of 95 %, Student's t with the effective number of samples."""
        from scipy.stats import t

        reach = float(t.ppf(0.975, max(self.effective - 1, 1.0))) * self.std
        return self.mean - reach, self.mean + reach

    def sentence(self) -> str:
        """The result in words."""
        return (
            f"Footprint-weighted mean {self.mean:.4g} ± {self.std:.2g} (plain mean {self.plain:.4g}) of "
            f"{len(self.values)} samples that weigh as much as {self.effective:.1f} equal ones."
        )


def footprint_mean(values: Floats, weights: Floats, names: tuple[str, ...] = ()) -> FootprintMean:
    """Weighted mean of ``values [n]`` with ``weights [n]``, not yet normalised.

    Args:
        values: one per sample.
        weights: how much each contributes to the signal; at least zero.
        names: of the samples, for messages.

    Raises:
        InputError: a weight that is negative - a formula outside its range, or with its arguments swapped - or a gap.
        ShapeError: arrays that do not pair.
    """
    names = names or tuple(f"sample {i + 1}" for i in range(len(values)))
    if values.shape != weights.shape or values.ndim != 1 or len(names) != len(values) or not len(values):
        raise ShapeError(f"A footprint got values {values.shape} and weights {weights.shape}; give [n] twice.")
    bad = np.flatnonzero(~(weights >= 0) | ~np.isfinite(weights) | ~np.isfinite(values))
    if len(bad) or weights.sum() <= 0:
        at = int(bad[0]) if len(bad) else 0
        raise InputError(
            f"The footprint got the weight {weights[at]:.4g} for the value {values[at]:.4g} of {names[at]}; weights "
            "are shares of a signal, finite and at least zero: check the range and the order of the arguments of the "
            "weight function."
        )
    share = weights / weights.sum()
    mean = float(share @ values)
    square = float((share**2).sum())
    # Var(sum w v) = s^2 sum w^2, and the expected sum w (v - mean)^2 is s^2 (1 - sum w^2).
    scatter = float(share @ (values - mean) ** 2) / (1 - square) if square < 1 - 1e-9 else float("nan")
    return FootprintMean(mean, float(np.sqrt(square * scatter)), float(values.mean()), values, share, names)
