"""The integral of an autocorrelation that was measured in blocks, with what chance and its cut-off leave open."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scalebridge.quantities import Floats

# Deviations below which a correlation is lost in its noise.
_LOST = 2.0


class NotDecayed(Exception):
    """The correlation is still there at the end of the window."""


@dataclass(frozen=True)
class BlockIntegral:
    """An integral over time.

    Args:
        value: the integral up to ``cutoff``.
        noise_std: its standard deviation, from the scatter of the blocks.
        cutoff_part: what the second half of the time up to the cut-off brought; the tail left out is taken to be at
            most as much.
        cutoff: time at which the integral ends.
        degrees: degrees of freedom of the deviation.
    """

    value: float
    noise_std: float
    cutoff_part: float
    cutoff: float
    degrees: int


def block_integral(times: Floats, blocks: Floats) -> BlockIntegral:
    """Integrate the mean of an autocorrelation to twice the time at which it is lost in its noise.

    Args:
        times: ``[n]``, evenly spaced from 0.
        blocks: ``[k, n]``, the autocorrelation of each of k independent blocks.

    Raises:
        NotDecayed: the window ends before that time.
    """
    k = len(blocks)
    mean, noise = blocks.mean(axis=0), blocks.std(axis=0, ddof=1) / math.sqrt(k)
    lost = np.flatnonzero(mean < _LOST * noise)
    if not len(lost) or 2 * lost[0] >= len(times):
        raise NotDecayed(
            f"the correlation has not decayed to its noise within half the window of {times[-1]:g}; lengthen the window"
        )
    steps = 0.5 * np.diff(times) * (blocks[:, 1:] + blocks[:, :-1])
    integrals = np.concatenate([np.zeros((k, 1)), np.cumsum(steps, axis=1)], axis=1)
    half, end = int(lost[0]), 2 * int(lost[0])
    at_end = integrals[:, end]
    return BlockIntegral(
        value=float(at_end.mean()),
        noise_std=float(at_end.std(ddof=1)) / math.sqrt(k),
        cutoff_part=abs(float((at_end - integrals[:, half]).mean())),
        cutoff=float(times[end]),
        degrees=k - 1,
    )
