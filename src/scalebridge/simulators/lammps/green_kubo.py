"""Transport coefficients from equilibrium fluctuations, with an interval that includes the choice of the cut-off.

Source: M. S. Green, J. Chem. Phys. 22 (1954) 398; R. Kubo, J. Phys. Soc. Jpn. 12 (1957) 570.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.lammps.cepstral import cepstral_integral
from scalebridge.simulators.lammps.components import equivalent, settles_at_a_mean
from scalebridge.simulators.lammps.correlations import Correlation, correlation_of_series
from scalebridge.simulators.lammps.plateau import Plateau, plateau_of
from scalebridge.simulators.lammps.unit_styles import TIMESTEPS, checked_style, si_unit

BOLTZMANN = 1.380649e-23
METHODS = ("plateau", "cepstral")
# From how many equivalent components their scatter is a better witness than theory alone.
ENOUGH_COMPONENTS = 5


@dataclass(frozen=True)
class Kind:
    """A transport coefficient as a Green-Kubo integral.

    Attributes:
        flux: kind of quantity of the flux that is integrated, as LAMMPS gives it.
        unit: of the coefficient in SI.
        powers: of volume and temperature in front of the integral, Boltzmann's constant once below.
    """

    flux: str
    unit: str
    volume: int
    temperature: int
    boltzmann: int = 1


KINDS: Mapping[str, Kind] = {
    "viscosity": Kind("pressure", "Pa*s", 1, -1),
    "thermal_conductivity": Kind("energy*velocity", "W/(m*K)", -1, -2),
    "diffusion": Kind("velocity", "m^2/s", 0, 0, 0),
}


@dataclass(frozen=True, eq=False)
class Transport:
    """A transport coefficient.

    Attributes:
        value: in ``unit``.
        interval: ``(low, high)``: statistical part by ``confidence`` and the systematic parts added; wider above,
            because the statistical deviation is a share of the true value, not of the one found.
        confidence: of the statistical part.
        unit: SI; ``"1"`` in units lj.
        noise_std: statistical standard deviation.
        parts: systematic deviations by name: ``"cut-off"`` of the integral, and ``"lags not written"`` where the lags
            end before four times the plateau's end, where a slow tail would be seen.
        degrees: degrees of freedom that the statistical part is known from.
        kind: ``"viscosity"``, ``"thermal_conductivity"`` or ``"diffusion"``.
        times: of the running integral, in the style's unit of time; empty for the cepstral method.
        running: running integral ``[k]`` in ``unit``.
        plateau: ``(begin, end)`` in the style's unit of time, over which the value is a mean.
        remark: what to know or do, in words; ``""`` where there is nothing.
    """

    value: float
    interval: tuple[float, float]
    confidence: float
    unit: str
    noise_std: float
    parts: Mapping[str, float]
    degrees: float
    kind: str
    times: Floats = field(default_factory=lambda: np.zeros(0), repr=False)
    running: Floats = field(default_factory=lambda: np.zeros(0), repr=False)
    plateau: tuple[float, float] = (math.nan, math.nan)
    remark: str = ""

    def __str__(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        low, high = self.interval
        words = self.kind.replace("_", " ")
        return f"{words} {self.value:.4g}{unit}, between {low:.4g} and {high:.4g} ({100 * self.confidence:g} %)"


def green_kubo(
    source: Correlation | Sequence[Correlation] | ArrayLike,
    kind: str,
    *,
    temperature: float,
    volume: float,
    units: str,
    timestep: float | None = None,
    spacing: float | None = None,
    columns: Sequence[str] | None = None,
    duration: float | None = None,
    method: str = "plateau",
    per_volume: bool = False,
    confidence: float = 0.95,
) -> Transport:
    """A transport coefficient from a correlation function or from fluxes, with an interval.

    Correlations of equivalent components and of replicates are averaged. The integral is cut where the correlation
    sinks into its own noise, and averaged from there to twice that time; how far it goes from that value later, or
    what an exponential tail could still add, is the part ``"cut-off"`` of the interval (see `plateau`). The
    statistical part is that of a Gaussian process, or the scatter of components and replicates where there are at
    least five and it is larger.

    Args:
        source: what `read_correlation` gave, one or several replicates of equal lags; or fluxes ``[n, p]`` evenly
            sampled, ``[r, n, p]`` for replicates (see `independent_stresses`).
        kind: ``"viscosity"`` from stresses (pxy, pxz, pyz, ...), ``"thermal_conductivity"`` from the three components
            of ``compute heat/flux``, ``"diffusion"`` from velocities.
        temperature, volume: in the style's units; the volume also where it cancels (diffusion).
        units: LAMMPS' style of units.
        timestep: where lags are in steps; by default the style's own.
        spacing: of fluxes in time.
        columns: of the correlation to use, by name; all auto-correlations by default, but for a viscosity those of
            normal stresses (``pxx``, ``c_p[1]``, ...).
        duration: of a run in time, where the correlation does not count its samples.
        method: ``"plateau"``, or ``"cepstral"`` for fluxes.
        per_volume: whether a heat flux was divided by the volume already.
        confidence: of the statistical part.

    Returns:
        the coefficient in SI, or reduced in units lj.

    Raises:
        InputError: an unknown kind, style or method, numbers that are not positive, sources that do not fit together.
    """
    _check(kind, units, method, temperature, volume, confidence)
    chosen = KINDS[kind]
    factor, unit = _factor(chosen, units, temperature, volume, per_volume)
    replicates, arrays = _replicates(source, kind, units, timestep, spacing, columns)
    if method == "cepstral":
        return replace(_by_cepstrum(arrays, spacing, factor, confidence), kind=kind, unit=unit)
    times, values, length = _together(replicates, duration)
    found = plateau_of(times, values.mean(axis=1), length * values.shape[1])
    noise, degrees = _noise(found, times, values)
    parts = {"cut-off": found.cut_off, **({"lags not written": found.unseen} if found.unseen else {})}
    made = _transport(found.value, noise, parts, degrees, confidence, factor)
    remark = made.remark if found.decayed else f"{_not_decayed(times, values.mean(axis=1))} {made.remark}".strip()
    plateau = (found.begin, found.end)
    running = found.integral * factor
    return replace(made, kind=kind, unit=unit, times=times, running=running, plateau=plateau, remark=remark)


def independent_stresses(pxx: Floats, pyy: Floats, pzz: Floats, pxy: Floats, pxz: Floats, pyz: Floats) -> Floats:
    """The five independent components of the traceless stress of an isotropic fluid, ``[n, 5]``, of equal variance.

    Source: P. J. Daivis, D. J. Evans, J. Chem. Phys. 100 (1994) 541: pxy, pxz, pyz, (pxx - pyy) / 2 and
    (2 pzz - pxx - pyy) / (2 sqrt 3).
    """
    return np.column_stack([pxy, pxz, pyz, 0.5 * (pxx - pyy), (2 * pzz - pxx - pyy) / (2 * math.sqrt(3))])


def windows_of_running_mean(values: ArrayLike) -> Floats:
    """Estimates of single windows ``[k]`` from means of the first 1, 2, ..., k, as a log of ``ave running`` has them.

    From a running viscosity in a log they give its statistical error without the series, by `mean_of_series`. The
    last digits of the log are multiplied by k: a log of 8 digits bears some thousand windows.
    """
    running = np.asarray(values, dtype=np.float64)
    counts = np.arange(1, len(running) + 1)
    return np.diff(counts * running, prepend=0.0)


def _not_decayed(times: Floats, correlation: Floats) -> str:
    if settles_at_a_mean(correlation):
        return (
            "The correlation settles at a level that is not zero, so the flux has a mean, as normal stresses have; "
            "take the mean off, or say columns=... of fluxes without one."
        )
    return (
        f"The correlation has not sunk into its noise by the last lag ({times[-1]:g}); write more lags, the value is "
        "likely too small."
    )


def _check(kind: str, units: str, method: str, temperature: float, volume: float, confidence: float) -> None:
    if kind not in KINDS:
        raise InputError(f"There is no Green-Kubo integral for '{kind}'{did_you_mean(str(kind), KINDS)}")
    checked_style(units, f"The flux of the {kind}")
    if method not in METHODS:
        raise InputError(f"There is no method '{method}'{did_you_mean(str(method), METHODS)}")
    if not (temperature > 0 and volume > 0 and math.isfinite(temperature * volume)) or not 0 < confidence < 1:
        raise InputError(
            f"The {kind} was asked for at the temperature {temperature}, volume {volume} and confidence {confidence}; "
            "give positive numbers, and a confidence below 1."
        )


def _factor(kind: Kind, units: str, temperature: float, volume: float, per_volume: bool) -> tuple[float, str]:
    """From the integral in the style's units to the coefficient, and its unit."""
    boltzmann = 1.0 if units == "lj" else BOLTZMANN
    power = kind.volume + (2 if per_volume and kind.flux == "energy*velocity" else 0)
    si_volume = volume * si_unit("length", units) ** 3
    flux = math.prod(si_unit(part, units) for part in kind.flux.split("*"))
    if per_volume and kind.flux == "energy*velocity":
        flux /= si_unit("length", units) ** 3
    scale = flux**2 * si_unit("time", units)
    front = si_volume**power * temperature**kind.temperature / boltzmann**kind.boltzmann
    return front * scale, "1" if units == "lj" else kind.unit


def _replicates(
    source: Correlation | Sequence[Correlation] | ArrayLike,
    kind: str,
    units: str,
    timestep: float | None,
    spacing: float | None,
    columns: Sequence[str] | None,
) -> tuple[list[Correlation], list[Floats]]:
    """Correlations with lags in time, and the fluxes where those were given."""
    if isinstance(source, Correlation):
        source = [source]
    if isinstance(source, Sequence) and source and all(isinstance(item, Correlation) for item in source):
        step = TIMESTEPS[units] if timestep is None else timestep
        if not step > 0:
            raise InputError(f"The time step is {step}; give a positive number in the style's unit of time.")
        made = []
        for item in source:
            assert isinstance(item, Correlation)
            chosen = equivalent(item, kind) if columns is None else item.only(columns)
            made.append(_in_time(chosen, step))
        return made, []
    series = np.asarray(source, dtype=np.float64)
    if series.ndim == 1:
        series = series[:, None]
    if series.ndim not in (2, 3) or spacing is None or not spacing > 0:
        raise InputError(
            f"Fluxes of the shape {series.shape} every {spacing} give no coefficient; give [n, components] or "
            "[replicates, n, components], and spacing= in time."
        )
    arrays = [series] if series.ndim == 2 else list(series)
    return [correlation_of_series(one, spacing) for one in arrays], arrays


def _in_time(correlation: Correlation, step: float) -> Correlation:
    if correlation.in_time:
        return correlation
    return Correlation(
        correlation.lags * step, correlation.values, correlation.counts, correlation.pairs, True, correlation.step
    )


def _together(replicates: Sequence[Correlation], duration: float | None) -> tuple[Floats, NDArray[np.float64], float]:
    """Times, correlations of all components and replicates ``[k, p]``, and the length of one series."""
    first = replicates[0]
    for other in replicates[1:]:
        if len(other.lags) != len(first.lags) or not np.allclose(other.lags, first.lags):
            raise InputError("The replicates have different lags; give correlations that were written alike.")
    lengths = [one.duration if duration is None else duration for one in replicates]
    if not all(math.isfinite(length) and length > 0 for length in lengths):
        raise InputError("The correlation does not say how many samples it has; give duration=, the run's time.")
    return first.lags, np.concatenate([one.values for one in replicates], axis=1), float(np.mean(lengths))


def _noise(found: Plateau, times: Floats, values: NDArray[np.float64]) -> tuple[float, float]:
    """Statistical deviation of the value, and its degrees of freedom."""
    n = values.shape[1]
    if n < ENOUGH_COMPONENTS:
        return found.noise_std, math.inf
    steps = np.diff(times)[:, None]
    running = np.concatenate([np.zeros((1, n)), np.cumsum(0.5 * (values[1:] + values[:-1]) * steps, axis=0)])
    on = (times >= found.begin) & (times <= found.end)
    scatter = float(running[on].mean(axis=0).std(ddof=1)) / math.sqrt(n)
    return (scatter, float(n - 1)) if scatter > found.noise_std else (found.noise_std, math.inf)


def _by_cepstrum(arrays: Sequence[Floats], spacing: float | None, factor: float, confidence: float) -> Transport:
    if not arrays or spacing is None:
        raise InputError(
            "The cepstral method needs the fluxes themselves, [n, components]; a correlation is too little."
        )
    found = cepstral_integral(np.concatenate(arrays, axis=1), spacing)
    return _transport(found.value, found.noise_std, {"cut-off": found.cut_off}, math.inf, confidence, factor)


def _transport(
    integral: float, noise: float, parts: Mapping[str, float], degrees: float, confidence: float, factor: float
) -> Transport:
    """The coefficient that is ``factor`` times an integral, with its interval."""
    from scipy.stats import t

    value, systematic = factor * integral, factor * sum(parts.values())
    # The deviation is a share s of the true value, so that the value is between (1 - z s) and (1 + z s) times it.
    share = float(t.ppf(0.5 + 0.5 * confidence, degrees)) * noise / abs(integral) if integral else math.inf
    ends = sorted((value / (1 + share), value / (1 - share) if share < 1 else math.copysign(math.inf, value)))
    return Transport(
        value=value,
        interval=(ends[0] - systematic, ends[1] + systematic),
        confidence=confidence,
        unit="1",
        noise_std=noise * factor,
        parts={name: factor * part for name, part in parts.items()},
        degrees=degrees,
        kind="",
        remark="" if share < 1 else "The run is too short to bound the coefficient from above; run longer.",
    )
