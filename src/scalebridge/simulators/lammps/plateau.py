"""Where to stop a running integral of a correlation, and what the choice may cost.

The statistical error of the integral up to time t of a Gaussian process of length T is
``2 sqrt(t / T)`` of its value (R. E. Jones, K. K. Mandadapu, J. Chem. Phys. 136 (2012) 154102); that of the
correlation itself at long times ``sqrt(2 integral C^2 / T)`` (M. S. Bartlett). Below that a slow and small
tail cannot be seen in the correlation, but in its integral, which goes on moving: it is watched long after the plateau.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.quantities import Floats

# The plateau ends at this multiple of the time at which the correlation drowns in its noise.
LENGTH = 2.0
# A correlation has drowned if it stays small until this multiple of that time.
SETTLED = 1.5
# The integral is watched until this multiple of the plateau's end, and followed to that one, as far as there are lags.
WATCHED = 4.0
FOLLOWED = 32.0


@dataclass(frozen=True, eq=False)
class Plateau:
    """A running integral and its plateau.

    Attributes:
        times: ``[k]``.
        integral: running integral ``[k]`` by the trapezoidal rule, mean of the components.
        value: mean of the integral over the plateau.
        noise_std: statistical standard deviation of the value.
        cut_off: systematic part, the largest of: how far the integral moves on the plateau; how far it goes from its
            value until `WATCHED` times the plateau's end, chance included; how far its means go beyond chance until
            `FOLLOWED` times; what a tail may still add.
        unseen: what chance may move the integral by beyond ``cut_off`` over that time, as far as there are no lags.
        begin, end: of the plateau in time.
        decayed: whether the correlation sank into its noise before the last lag.
    """

    times: Floats
    integral: Floats
    value: float
    noise_std: float
    cut_off: float
    unseen: float
    begin: float
    end: float
    decayed: bool


def plateau_of(times: Floats, correlation: Floats, duration: float) -> Plateau:
    """Find the plateau of the integral of a correlation.

    Args:
        times: of the lags ``[k]``.
        correlation: mean of the components ``[k]``.
        duration: length of all series together: of one, times the number of components and of replicates.
    """
    step = times[1] - times[0]
    integral = running_integral(times, correlation)
    begin, decayed = _drowned(correlation, step, duration)
    end = min(int(LENGTH * begin) + 1, len(times) - 1)
    part = slice(begin, end + 1)
    value = float(integral[part].mean())
    noise = 2 * abs(value) * float(np.sqrt(times[end] / duration))
    moved = float(integral[part].std())
    # Walking on the plateau is partly noise that the statistical part already counts.
    walk = 2 * abs(value) * float(np.sqrt((times[end] - times[begin]) / duration)) / np.sqrt(6)
    excess = float(np.sqrt(max(moved**2 - walk**2, 0.0)))
    gone = _gone(times, integral, value, end, duration)
    cut_off = max(excess, _tail(times, correlation, begin), gone)
    missing = max(float(WATCHED * times[end] - times[-1] - step), 0.0)
    # The largest excursion that chance alone lets one expect of a walk of that length.
    unseen = max(2 * abs(value) * float(np.sqrt(0.5 * np.pi * missing / duration)) - cut_off, 0.0)
    return Plateau(times, integral, value, noise, cut_off, unseen, float(times[begin]), float(times[end]), decayed)


def running_integral(times: Floats, values: Floats) -> Floats:
    """Integral ``[k]`` from the first time to each, by the trapezoidal rule."""
    pieces = 0.5 * (values[1:] + values[:-1]) * np.diff(times)
    return np.concatenate([[0.0], np.cumsum(pieces)])


def _gone(times: Floats, integral: Floats, value: float, end: int, duration: float) -> float:
    """How far an integral goes from the value of its plateau after it.

    At first chance is included. Later, where chance would move it far, means over octaves of time count by their
    squares, less the variance that chance gives such a mean.
    """
    last = float(times[end])
    gone = float(np.abs(integral[(times > last) & (times <= WATCHED * last)] - value).max(initial=0.0))
    begin = WATCHED * last
    while begin < min(FOLLOWED * last, times[-1]):
        octave = (times > begin) & (times <= 2 * begin)
        passed = begin - last + (float(times[octave][-1]) - begin) / 3
        square = (float(integral[octave].mean()) - value) ** 2 - 4 * value**2 * passed / duration
        gone = max(gone, float(np.sqrt(max(square, 0.0))))
        begin *= 2
    return gone


def _drowned(correlation: Floats, step: float, duration: float) -> tuple[int, bool]:
    """The first lag from which the correlation is no larger than its own noise, and whether there is one.

    One that merely crosses zero there and swings out again beyond the noise is passed over.
    """
    squares = np.cumsum(correlation**2)
    noise = np.sqrt(2 * squares * step / duration)
    lags = np.arange(len(correlation))
    ends = np.minimum((SETTLED * lags).astype(np.int64) + 1, len(correlation) - 1)
    swing = np.sqrt((squares[ends] - squares[lags] + correlation**2) / (ends - lags + 1))
    under = np.flatnonzero((np.abs(correlation) < noise) & (swing < 2 * noise) & (lags >= 2))
    if not len(under):
        return max(len(correlation) // 2, 2), False
    return int(under[0]), True


def _tail(times: Floats, correlation: Floats, begin: int) -> float:
    """What an exponential tail would add after the plateau's begin, from the last third of the decay before it.

    Means of its two halves tell the decay; it takes no longer than the whole decay so far.
    """
    part = slice(begin - max(begin // 3, 2), begin + 1)
    early, late = (abs(float(half.mean())) for half in np.array_split(correlation[part], 2))
    longest = float(times[begin])
    if not early > late > 0:
        return max(early, late) * longest
    return late * min(0.5 * float(times[begin] - times[part.start]) / float(np.log(early / late)), longest)
