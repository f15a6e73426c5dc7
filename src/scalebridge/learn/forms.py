"""Covariances whose parameters are not yet known, with what is known of these beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from scalebridge.learn.covariance import Covariance
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from torch import Tensor

# What is known beforehand of logarithms, for runs in a box of size one with outputs of unit deviation.
LENGTH, ALONE = (1.5, 2.5), (0.0, 2.0)
SIZE, SLOPE, NOISE = (1.5, 2.5), (0.0, 1.0), (-7.0, 3.0)
# Standard deviation of the level, in those of the outputs.
LEVEL = 4.0
# Rounding, and the tolerance of what made the runs, as a part of the variance; that of derivatives is looser.
FLOOR, ROUNDING, BENT_FLOOR = 1e-10, 1e-13, 1e-8
# Other searches begin at lengths shorter by this, or where slopes are as noisy; logarithms.
SHORTER, ROUGH = 1.0, -1.0


@dataclass(frozen=True)
class Form:
    """A covariance whose parameters are not yet known.

    Args:
        profile: name of the radial profile.
        additive: with a sum over single inputs, of lengths of its own; not where the runs tell slopes.
        odd: whether the response is.
        noisy: whether a noise of the values is among the parameters.
        dim: number of inputs.
        bent: whether the runs tell slopes, whose noise is then among the parameters, the last of them.
    """

    profile: str
    additive: bool
    odd: bool
    noisy: bool
    dim: int
    bent: bool = False

    @property
    def size(self) -> int:
        """Number of parameters before those of noises."""
        return self.dim + 2 + (self.dim + 1) * self.additive

    @property
    def prior(self) -> tuple[Floats, Floats]:
        """Centre and width ``[p]`` of the normal prior of the parameters."""
        kinds = [LENGTH] * self.dim + [SIZE, SLOPE] + ([ALONE] * self.dim + [SLOPE]) * self.additive
        pairs = np.array(kinds + [NOISE] * self.noisy + [NOISE] * self.bent)
        return pairs[:, 0].copy(), pairs[:, 1].copy()

    @property
    def start(self) -> Floats:
        """Where to begin: lengths that grow with the number of inputs, as distances do."""
        theta = self.prior[0]
        theta[: self.dim] = 0.5 * np.log(self.dim)
        return theta

    @property
    def starts(self) -> list[Floats]:
        """Where to begin, long lengths and short: from long ones a steep response may be taken for a line and noise.

        From slopes without noise, noisy ones may be taken for a response that changes at every run.
        """
        short, rough = self.start, self.start
        short[: self.dim] -= SHORTER
        rough[-1] = ROUGH
        return [self.start, short, rough] if self.bent else [self.start, short]

    def made(self, theta: Tensor) -> tuple[Covariance, Tensor, Tensor]:
        """The covariance of ``theta [p]``, its variance of the values' noise, and that of the slopes' noise."""
        d, none = self.dim, torch.zeros((), dtype=theta.dtype)
        apart, size = theta[d + 2 : 2 * d + 2], theta[d + 2 + d : 2 * d + 3]
        level = none if self.odd else none + LEVEL**2
        made = Covariance(
            self.profile,
            self.odd,
            (-2 * theta[:d]).exp(),
            (2 * theta[d]).exp(),
            (-2 * apart).exp() if self.additive else torch.ones(d, dtype=theta.dtype),
            (2 * size[0]).exp() if self.additive else none,
            (2 * theta[d + 1]).exp(),
            level,
        )
        noise = (2 * theta[self.size]).exp() if self.noisy else none
        return made, noise, (2 * theta[-1]).exp() if self.bent else none


def floor(covariance: Covariance) -> Tensor:
    """The least variance of a value's noise."""
    return FLOOR * covariance.total + ROUNDING * covariance.level


def bent_floor(covariance: Covariance) -> Tensor:
    """The least variance of a slope's noise ``[d]``, in each direction as a part of the slope's own."""
    return BENT_FLOOR * covariance.bend
