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


@dataclass(frozen=True)
class Cepstral:
    """The integral of a correlation from lag zero to infinity.

    Attributes:
        value: of the integral, in the square of the flux's unit times the unit of the spacing.
        noise_std: its statistical standard deviation.
        cut_off: how far it moves when the number of coefficients is half as many or twice as many.
        n_coefficients: kept, by Akaike's criterion.
        n_frequencies: of the spectrum that were used.
    """

    value: float
    noise_std: float
    cut_off: float
    n_coefficients: int
    n_frequencies: int


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
    used = _band(spectrum)
    logs = np.log(spectrum[:used]) - (float(digamma(p)) - np.log(p))
    scatter = float(polygamma(1, p))
    coefficients = _cepstrum(logs)
    kept = min(SAFETY * _akaike(coefficients, scatter, used), used // 2)
    estimates = [_at_zero(coefficients, k) for k in (kept, max(kept // 2, 1), min(2 * kept, used // 2))]
    value = 0.5 * float(np.exp(estimates[0]))
    std = float(np.sqrt(scatter * (2 * kept - 1) / used))
    extra = float(np.sqrt(scatter * 2 * kept / used))
    moved = max(abs(estimates[1] - estimates[0]) - std, abs(estimates[2] - estimates[0]) - extra, 0.0)
    return Cepstral(value, value * std, value * moved, kept, used)


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


def _akaike(coefficients: Floats, scatter: float, n: int) -> int:
    """The number of coefficients that Akaike's criterion keeps."""
    left = np.cumsum((coefficients**2)[::-1])[::-1][1:]
    criterion = 2 * n * left / scatter + 2 * np.arange(1, len(coefficients))
    return int(np.argmin(criterion[: max(n // 2, 1)])) + 1


def _at_zero(coefficients: Floats, kept: int) -> float:
    """Logarithm of the spectrum at frequency zero from so many coefficients."""
    return float(coefficients[0] + 2 * coefficients[1:kept].sum())
