"""The integral of a correlation from the logarithm of a spectrum: no cut-off to choose by eye.

Source: L. Ercole, A. Marcolongo, S. Baroni, Accurate thermal conductivities from optimally short molecular dynamics
simulations, Sci. Rep. 7 (2017) 15835; several components: R. Bertossa et al., Phys. Rev. Lett. 122 (2019) 255901.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

# Frequencies at which the spectrum has sunk below this share of its height say nothing of its value at zero.
FLOOR = 0.1
FEWEST_FREQUENCIES = 48
# Akaike's number is what describes the spectrum best on the whole; its value at zero wants more.
SAFETY = 2
# Bands are so many times narrower each, as long as they hold so many frequencies.
NARROWER = 3
FEWEST_IN_BAND = 200


@dataclass(frozen=True)
class Cepstral:
    """The integral of a correlation from lag zero to infinity.

    Attributes:
        value: of the integral, in the square of the flux's unit times the unit of the spacing.
        noise_std: its statistical standard deviation.
        cut_off: how far it moves, beyond chance, when the coefficients are half as many or twice as many, or when they
            are sought on ever narrower bands of low frequencies, where a slow part shows that is small on the whole.
    """

    value: float
    noise_std: float
    cut_off: float


def cepstral_integral(values: Floats, spacing: float) -> Cepstral:
    """Half the spectrum at frequency zero of fluxes ``[n, p]``, p equivalent components.

    Args:
        values: fluxes, evenly sampled.
        spacing: time between samples.

    Raises:
        InputError: a series too short for a spectrum of some 50 frequencies, or one that never changes.
    """
    from scipy.special import digamma, polygamma

    n, p = values.shape
    rest = values - values.mean(axis=0)
    spectrum = (np.abs(np.fft.rfft(rest, axis=0)) ** 2).mean(axis=1)[1 : (n + 1) // 2] * spacing / n
    if len(spectrum) < FEWEST_FREQUENCIES or not (spectrum > 0).all():
        raise InputError(
            f"A series of {n} samples has no spectrum that its value at zero can be taken from; give at least "
            f"{2 * FEWEST_FREQUENCIES + 2} samples of a flux that changes."
        )
    used, scatter = _band(spectrum), float(polygamma(1, p))
    logs = np.log(spectrum[:used]) - (float(digamma(p)) - np.log(p))
    coefficients = _cepstrum(logs)
    kept = _kept(coefficients, scatter)
    at_zero, std = _at_zero(coefficients, kept, scatter)
    moved = 0.0
    for other in (max(kept // 2, 1), min(2 * kept, used // 2)):
        moved = max(moved, _beyond(at_zero, std, *_at_zero(coefficients, other, scatter)))
    band = used // NARROWER
    while band >= FEWEST_IN_BAND:
        narrow = _cepstrum(logs[:band])
        moved = max(moved, _beyond(at_zero, std, *_at_zero(narrow, _kept(narrow, scatter), scatter)))
        band //= NARROWER
    value = 0.5 * float(np.exp(at_zero))
    return Cepstral(value, value * std, value * moved)


def _beyond(first: float, first_std: float, second: float, second_std: float) -> float:
    """By how much two estimates of one number differ beyond chance, one from a part of what the other is from."""
    return float(np.sqrt(max((second - first) ** 2 - abs(second_std**2 - first_std**2), 0.0)))


def _band(spectrum: Floats) -> int:
    """How many of the lowest frequencies to use: until the smoothed spectrum has sunk for good."""
    width = max(len(spectrum) // 100, 4)
    smooth = np.convolve(spectrum, np.full(width, 1 / width), mode="same")
    high = np.flatnonzero(smooth > FLOOR * smooth.max())
    return int(min(max(high[-1] + 1, FEWEST_FREQUENCIES), len(spectrum)))


def _cepstrum(logs: Floats) -> Floats:
    """Cosine coefficients ``[k]`` of the logarithm of the spectrum, even about zero and about its end."""
    from scipy.fft import dct

    return np.asarray(dct(logs, type=2)) / (2 * len(logs))


def _kept(coefficients: Floats, scatter: float) -> int:
    """The number of coefficients to keep: that of Akaike's criterion and more."""
    n = len(coefficients)
    left = np.cumsum((coefficients**2)[::-1])[::-1][1:]
    criterion = 2 * n * left / scatter + 2 * np.arange(1, n)
    return min(SAFETY * (int(np.argmin(criterion[: max(n // 2, 1)])) + 1), n // 2)


def _at_zero(coefficients: Floats, kept: int, scatter: float) -> tuple[float, float]:
    """Logarithm of the spectrum at frequency zero from so many coefficients, and its standard deviation."""
    std = float(np.sqrt(scatter * (2 * kept - 1) / len(coefficients)))
    return float(coefficients[0] + 2 * coefficients[1:kept].sum()), std
