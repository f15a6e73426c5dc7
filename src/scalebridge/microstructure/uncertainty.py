r"""How well the area fraction of the bright phase is known.

.. math:: s^2 = s_\text{threshold}^2 + s_\text{denoising}^2 + s_\text{overlap}^2 + s_\text{separation}^2

- *threshold*: root mean square of :math:`f_j - f` over the other threshold rules j (`THRESHOLDS`), about the
  rule in use and not about their mean, so that a rule known to err to one side counts in full. To first order
  this is :math:`|df/dt|` (the `sensitivity`, carried by partial-volume pixels) times the error of the threshold.
- *denoising*: the same over the other denoisers (`DENOISERS`), each with the rule in use.
- *overlap*: the share of pixels that two Gaussians fitted to the histogram put on the wrong side, by noise or
  partial volume, over sqrt(3): a fault that is balanced at best and one-sided at worst. It grows as contrast falls.
- *separation*: the gap between touching inclusions is 0 to 1 pixel wide and not resolved: the area of the lines
  that part them, over sqrt(12) when they are parted (half of the area is counted), over sqrt(3) when they are not.

Not included: shading across the image, phase-contrast fringes and beam hardening that shift a phase as a whole,
the slice being one of many (see `representative`), and features thinner than the resolution. The parts are
added as if independent. On synthetic packings of known fraction (blur 0.7 to 1.4 pixels, fibres of 8.6 pixels) the true
error lies within two deviations (``tests/microstructure/test_segmentation_uncertainty.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.microstructure.denoising import DENOISERS, denoise
from scalebridge.microstructure.thresholds import THRESHOLDS, Mixture

Grey = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class FractionError:
    """Parts of the deviation of the bright fraction, and what the alternatives give.

    Attributes:
        parts: deviation by part: ``threshold``, ``denoising``, ``overlap``, ``separation``.
        by_threshold: bright fraction by threshold rule; a rule without an answer is absent.
        by_denoising: bright fraction by denoiser.
        sensitivity: ``-df/dt``, change of the fraction per unit of grey value at the threshold.
    """

    parts: Mapping[str, float]
    by_threshold: Mapping[str, float]
    by_denoising: Mapping[str, float]
    sensitivity: float

    @property
    def std(self) -> float:
        """The deviation: root of the sum of the squared parts."""
        return float(np.sqrt(sum(part**2 for part in self.parts.values())))


def fraction_error(
    grey: Grey, clean: Grey, solid: Mask, inside: Mask, *, rule: str, level: float, noise: float, mixture: Mixture
) -> FractionError:
    """Return the parts of the deviation of the bright fraction, without separation.

    Args:
        grey: grey values as read, ``[rows, columns]``.
        clean: denoised grey values.
        solid: the field of view without voids.
        inside: the field of view, to which fractions refer.
        rule: threshold rule in use, one of `THRESHOLDS`.
        level: the threshold in use.
        noise: standard deviation of the noise.
        mixture: two Gaussians fitted to the denoised grey values.
    """
    total = float(inside.sum())
    values = clean[solid]

    def fraction(sample: Grey, threshold: float) -> float:
        return float((sample > threshold).sum()) / total

    used = fraction(values, level)
    levels = {name: find(values) for name, find in THRESHOLDS.items()}
    by_threshold = {name: fraction(values, found) for name, found in levels.items() if found is not None}
    by_denoising = {}
    for how in DENOISERS:
        sample = denoise(grey, inside, how, noise)[solid]
        by_denoising[how] = fraction(sample, THRESHOLDS[rule](sample) or level)
    step = max(noise / 2, 1e-3)
    parts = {
        "threshold": _spread(by_threshold.values(), used),
        "denoising": _spread(by_denoising.values(), used),
        "overlap": float(mixture.overlap / np.sqrt(3)),
    }
    sensitivity = (fraction(values, level - step) - fraction(values, level + step)) / (2 * step)
    return FractionError(parts, by_threshold, by_denoising, sensitivity)


def _spread(fractions: Iterable[float], used: float) -> float:
    others = np.array([other - used for other in fractions if abs(other - used) > 1e-12])
    return float(np.sqrt(np.mean(others**2))) if others.size else 0.0
