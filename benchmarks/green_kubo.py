"""Do Green-Kubo intervals hold? Coverage over synthetic fluxes whose integral is known.

``python -m benchmarks.green_kubo --json FILE [--seed N] [--repeats 60]``, some minutes. Fluxes are sums of
Ornstein-Uhlenbeck processes of three components; the main decay time is 1, the spacing 0.1. Written to FILE per case:
how many of ``repeats`` intervals at 95 % hold the integral, by the ``plateau`` of the correlation up to ``lags`` and,
once for each flux, by the ``cepstral`` method from the fluxes themselves.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.signal import lfilter

from benchmarks._coverage import write_coverage
from scalebridge.quantities import Floats
from scalebridge.simulators.lammps import Transport, correlation_of_series, green_kubo

SPACING, COMPONENTS = 0.1, 3
ONE, TENFOLD = [(1.0, 1.0)], [(1.0, 0.98), (10.0, 0.02)]
SLOW, SLOWER, SLOWEST = ([(1.0, 1 - share), (t, share)] for t, share in ((20.0, 0.005), (40.0, 0.005), (50.0, 0.002)))
# Decay times and heights of the correlation, length of the run, longest lag, whether by the cepstral method too.
CASES = [
    (ONE, 100, 20, True),
    (ONE, 10_000, 50, True),
    (TENFOLD, 10_000, 100, True),
    (SLOW, 50_000, 200, True),
    (SLOW, 50_000, 12, False),
    (SLOWER, 50_000, 300, True),
    (SLOWEST, 50_000, 400, True),
]


def flux(parts: list[tuple[float, float]], length: float, rng: np.random.Generator) -> Floats:
    """Stationary fluxes ``[n, 3]`` of that correlation."""
    n = round(length / SPACING)
    first = round(20 * max(time for time, _ in parts) / SPACING)
    total = np.zeros((n, COMPONENTS))
    for decay, height in parts:
        a = math.exp(-SPACING / decay)
        kicks = rng.normal(size=(first + n, COMPONENTS))
        total += math.sqrt(height * (1 - a * a)) * lfilter([1], [1, -a], kicks, axis=0)[first:]
    return total


def exact(parts: list[tuple[float, float]]) -> float:
    """The integral of their correlation by the trapezoidal rule."""
    decays = [(math.exp(-SPACING / decay), height) for decay, height in parts]
    return sum(height * SPACING * (0.5 + a / (1 - a)) for a, height in decays)


def holds(found: Transport, integral: float) -> bool:
    return bool(found.interval[0] <= integral <= found.interval[1])


def cover(case: tuple[list[tuple[float, float]], float, float, bool], repeats: int, seed: int) -> dict[str, Any]:
    """How many intervals of so many fluxes hold their integral."""
    parts, length, lags, cepstral = case
    reduced: dict[str, Any] = {"temperature": 1, "volume": 1, "units": "lj"}
    plateau, by_spectrum = 0, 0
    for repeat in range(repeats):
        series = flux(parts, length, np.random.default_rng([seed, repeat]))
        correlation = correlation_of_series(series, SPACING, longest=lags)
        plateau += holds(green_kubo(correlation, "diffusion", **reduced), exact(parts))
        if cepstral:
            made = green_kubo(series, "diffusion", spacing=SPACING, method="cepstral", **reduced)
            by_spectrum += holds(made, exact(parts))
    return {"plateau": plateau, "cepstral": by_spectrum if cepstral else None}


def coverage(repeats: int, seed: int) -> list[dict[str, Any]]:
    found = []
    for case in CASES:
        parts, length, lags, _ = case
        told = {"parts": parts, "length": length, "lags": lags, "repeats": repeats, **cover(case, repeats, seed)}
        found.append(told)
        name = " + ".join(f"{height:g} decaying in {decay:g}" for decay, height in parts)
        cepstral = "" if told["cepstral"] is None else f", cepstral {told['cepstral']}"
        print(f"{name}, T = {length}, lags to {lags}: of {repeats}, plateau {told['plateau']}{cepstral}", flush=True)
    return found


if __name__ == "__main__":
    write_coverage(__doc__, coverage, repeats=60)
