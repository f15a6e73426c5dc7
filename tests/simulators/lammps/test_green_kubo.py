"""Transport coefficients: known integrals, coverage, units, the liquid log of argon, corrections by formula."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter

from scalebridge.data.averaging import mean_of_series
from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.simulators.lammps.cepstral import cepstral_integral
from scalebridge.simulators.lammps.corrections import lennard_jones_tail, yeh_hummer
from scalebridge.simulators.lammps.correlations import Correlation, correlation_of_series, read_correlation
from scalebridge.simulators.lammps.diffusion import diffusion_from_msd
from scalebridge.simulators.lammps.green_kubo import (
    Transport,
    green_kubo,
    independent_stresses,
    windows_of_running_mean,
)
from scalebridge.simulators.lammps.green_kubo_source import GreenKubo
from scalebridge.simulators.lammps.logs import read_log
from scalebridge.simulators.lammps.plateau import _tail
from scalebridge.simulators.lammps.sources import Finished

ARGON = Path(__file__).parents[3] / "data" / "argon-md"
SPACING = 0.02
# Decay times and heights of the correlations of synthetic fluxes.
FLUXES = {"one": [(0.2, 1.0)], "two": [(0.1, 0.8), (0.5, 0.2)], "wide": [(0.05, 0.9), (1.0, 0.1)]}


def flux(parts: list[tuple[float, float]], n: int, components: int, rng: np.random.Generator) -> Floats:
    """A sum of Ornstein-Uhlenbeck processes."""
    total = np.zeros((n, components))
    for time, height in parts:
        a = math.exp(-SPACING / time)
        kicks = rng.normal(size=(n + 2000, components))
        total += math.sqrt(height * (1 - a * a)) * lfilter([1], [1, -a], kicks, axis=0)[-n:]
    return total


def exact(parts: list[tuple[float, float]]) -> float:
    """The integral of their correlation by the trapezoidal rule."""
    decays = [(math.exp(-SPACING / time), height) for time, height in parts]
    return sum(height * SPACING * (0.5 + a / (1 - a)) for a, height in decays)


def found(series: Floats, **options) -> Transport:
    return green_kubo(series, "diffusion", temperature=1, volume=1, units="lj", spacing=SPACING, **options)


@pytest.mark.theory
@pytest.mark.parametrize("method", ["plateau", "cepstral"])
@pytest.mark.parametrize("name", list(FLUXES))
def test_intervals_hold_the_known_integral(name: str, method: str) -> None:
    rng, held = np.random.default_rng(5), 0
    for _ in range(60):
        low, high = found(flux(FLUXES[name], 32_000, 3, rng), method=method).interval
        held += low <= exact(FLUXES[name]) <= high
    assert held >= 54


@pytest.mark.theory
def test_a_slow_tail_that_drowns_in_the_noise_of_the_correlation_is_seen_in_its_integral() -> None:
    """A part of 0.5 % that decays 20 times more slowly: a tenth of the integral, and always below the noise."""
    parts, rng, held = [(0.2, 0.995), (4.0, 0.005)], np.random.default_rng(11), 0
    for _ in range(12):
        correlation = correlation_of_series(flux(parts, 500_000, 3, rng), SPACING, longest=40)
        low, high = green_kubo(correlation, "diffusion", temperature=1, volume=1, units="lj").interval
        held += low <= exact(parts) <= high
    assert held >= 10


def test_lags_that_end_too_early_to_show_a_slow_tail_are_a_part_of_the_interval() -> None:
    series = flux(FLUXES["one"], 100_000, 3, np.random.default_rng(12))
    short, long = (
        green_kubo(correlation_of_series(series, SPACING, longest=k), "diffusion", temperature=1, volume=1, units="lj")
        for k in (3.0, 30.0)
    )
    assert set(long.parts) == {"cut-off"} and set(short.parts) == {"cut-off", "lags not written"}
    width = short.interval[1] - short.interval[0]
    assert width > 2 * sum(short.parts.values()) > 2 * short.parts["cut-off"]


def test_what_a_tail_may_add_stays_bounded_where_its_decay_cannot_be_told() -> None:
    times = 0.1 * np.arange(100)
    flat = np.maximum(np.exp(-times), 0.01 - 1e-9 * times)
    assert _tail(times, flat, 70) <= 0.01 * times[70]
    # An exponential is told: what it adds after time 3.
    assert _tail(times, np.exp(-times), 30) == pytest.approx(math.exp(-3), rel=0.4)


def test_a_correlation_that_crosses_zero_is_followed_to_its_end() -> None:
    """Such as that of velocities in a liquid: the integral must not stop at the first zero."""
    rng, held, time, frequency = np.random.default_rng(10), 0, 0.3, 6.0
    turn = np.exp(-SPACING / time + 1j * frequency * SPACING)
    known = SPACING * (0.5 + turn / (1 - turn)).real
    for _ in range(40):
        kicks = rng.normal(size=(34_000, 3)) + 1j * rng.normal(size=(34_000, 3))
        series = math.sqrt(1 - abs(turn) ** 2) * lfilter([1], [1, -turn], kicks, axis=0)[-32_000:].real
        made = found(series)
        held += made.interval[0] <= known <= made.interval[1]
        assert made.plateau[0] > 2 * math.pi / frequency / 2
    assert held >= 37


@pytest.mark.theory
@pytest.mark.parametrize("method", ["plateau", "cepstral"])
def test_a_small_part_that_is_forty_times_slower_is_mostly_in_the_interval(method: str) -> None:
    """It is a sixth of the integral, drowns in the noise of the correlation and hardly shows in the whole spectrum."""
    parts, rng, held = [(0.2, 0.995), (8.0, 0.005)], np.random.default_rng(13), 0
    for _ in range(16):
        series = flux(parts, 500_000, 3, rng)
        source = series if method == "cepstral" else correlation_of_series(series, SPACING, longest=60)
        low, high = found(source, method=method).interval
        held += low <= exact(parts) <= high
    assert held >= 11


@pytest.mark.theory
@pytest.mark.parametrize("method", ["plateau", "cepstral"])
def test_long_series_give_the_known_integral_closely(method: str) -> None:
    parts, widths = FLUXES["two"], []
    for seed in range(1, 7):
        made = found(flux(parts, 500_000, 5, np.random.default_rng(seed)), method=method)
        assert made.value == pytest.approx(exact(parts), rel=0.05)
        widths.append(made.interval[1] - made.interval[0])
    assert np.mean(widths) < 0.25 * exact(parts)


def test_a_correlation_file_and_its_series_give_the_same() -> None:
    series = flux(FLUXES["one"], 20_000, 3, np.random.default_rng(2))
    direct = found(series)
    correlation = correlation_of_series(series, SPACING)
    through = green_kubo(correlation, "diffusion", temperature=1, volume=1, units="lj")
    assert through.value == direct.value and through.interval == direct.interval


def test_replicates_narrow_the_interval() -> None:
    rng = np.random.default_rng(3)
    runs = [correlation_of_series(flux(FLUXES["one"], 10_000, 3, rng), SPACING) for _ in range(9)]
    one = green_kubo(runs[0], "diffusion", temperature=1, volume=1, units="lj")
    nine = green_kubo(runs, "diffusion", temperature=1, volume=1, units="lj")
    assert nine.noise_std < 0.55 * one.noise_std
    assert nine.interval[0] <= exact(FLUXES["one"]) <= nine.interval[1]


def test_a_correlation_that_is_cut_before_it_has_decayed_says_so_and_is_wide() -> None:
    series = flux([(2.0, 1.0)], 100_000, 3, np.random.default_rng(4))
    short = green_kubo(
        correlation_of_series(series, SPACING, longest=1.0), "diffusion", temperature=1, volume=1, units="lj"
    )
    assert "has not sunk into its noise" in short.remark and short.parts["cut-off"] > 0.3 * short.value


def test_a_run_too_short_has_no_upper_bound_and_says_so() -> None:
    series = flux([(1.0, 1.0)], 120, 1, np.random.default_rng(0))
    made = found(series)
    assert made.interval[1] == math.inf and "too short to bound" in made.remark


def test_the_liquid_log_of_argon_gives_viscosity_and_conductivity_whose_intervals_hold_the_reference() -> None:
    block = read_log(ARGON / "log.liquid94K.lammps")[-1]
    temperature = mean_of_series(block["Temp"], unit="K")
    # The run at constant energy settled 0.95 K below the temperature that was set.
    assert temperature.value == pytest.approx(93.45, abs=0.01) and temperature.interval[1] < 94.4
    common = {"temperature": temperature.value, "volume": 28.90075**3, "units": "real", "timestep": 4.0}
    viscosity = green_kubo(read_correlation(ARGON / "S0St.liquid94K.dat"), "viscosity", **common)
    assert viscosity.unit == "Pa*s" and viscosity.interval[0] <= 2.309e-4 <= viscosity.interval[1]
    assert viscosity.interval[1] - viscosity.interval[0] < 0.8 * viscosity.value
    conductivity = green_kubo(read_correlation(ARGON / "J0Jt.liquid94K.dat"), "thermal_conductivity", **common)
    assert conductivity.unit == "W/(m*K)" and conductivity.interval[0] <= 0.1239 <= conductivity.interval[1]
    assert conductivity.interval[1] - conductivity.interval[0] < 0.45 * conductivity.value


@pytest.mark.parametrize(
    ("name", "kind", "column"),
    [("S0St", "viscosity", "v_eta"), ("J0Jt", "thermal_conductivity", "v_kappa")],
)
def test_the_running_integral_to_the_last_lag_is_that_of_the_log(name: str, kind: str, column: str) -> None:
    log = read_log(ARGON / "log.liquid94K.lammps")[-1]
    correlation = read_correlation(ARGON / f"{name}.liquid94K.dat")
    # The script divided by the temperature it had set.
    made = green_kubo(correlation, kind, temperature=94.4, volume=28.90075**3, units="real", timestep=4.0)
    assert made.running[-1] == pytest.approx(log[column][-1], rel=2e-3)


def test_windows_of_the_running_viscosity_tell_the_error_that_theory_expects() -> None:
    column = read_log(ARGON / "log.liquid94K.lammps")[-1]["v_eta"]
    windows = mean_of_series(windows_of_running_mean(column[1:]), discard=0)
    assert windows.value == pytest.approx(column[-1], rel=1e-9)
    # 640 ps, three components, 4 ps of correlation.
    assert windows.std_error / windows.value == pytest.approx(2 * math.sqrt(4 / (3 * 640)), rel=0.25)


def test_the_pressure_of_argon_is_that_of_experiment_but_for_the_tail_and_a_rest_that_is_named() -> None:
    block = read_log(ARGON / "log.liquid94K.lammps")[-1]
    pressure = mean_of_series(block["Press"] * 0.101325, unit="MPa")
    assert pressure.value == pytest.approx(23.5, abs=0.1) and pressure.interval[0] > 7.284
    tail = lennard_jones_tail(500 / 28.90075**3, 0.238067, 3.405, 10.2, "real")
    mended = pressure.value + tail.pressure / 1e6
    assert tail.pressure / 1e6 == pytest.approx(-17.4, abs=0.1)
    assert mended == pytest.approx(7.284, abs=1.6)


def test_the_tail_in_reduced_units_is_the_textbook_formula() -> None:
    tail = lennard_jones_tail(0.8442, 1.0, 1.0, 2.5, "lj")
    assert tail.pressure == pytest.approx(16 / 3 * math.pi * 0.8442**2 * (2 / 3 * 2.5**-9 - 2.5**-3), rel=1e-12)
    assert tail.energy == pytest.approx(8 / 3 * math.pi * 0.8442 * (1 / 3 * 2.5**-9 - 2.5**-3), rel=1e-12)
    # By numbers: the virial of the pairs left out.
    r = np.linspace(2.5, 400, 4_000_001)
    slope = -48 * r**-13.0 + 24 * r**-7.0
    virial = -2 / 3 * math.pi * 0.8442**2 * np.trapezoid(slope * r**3, r)
    assert tail.pressure == pytest.approx(virial, rel=1e-4)


def test_units_of_every_style_give_the_same_coefficient_in_si() -> None:
    series = flux(FLUXES["one"], 4000, 3, np.random.default_rng(6))
    in_si = green_kubo(series * 1e6, "viscosity", temperature=90, volume=2e-26, units="si", spacing=SPACING * 1e-12)
    in_metal = green_kubo(series * 10, "viscosity", temperature=90, volume=2e4, units="metal", spacing=SPACING)
    in_real = green_kubo(
        series * 1e6 / 101325, "viscosity", temperature=90, volume=2e4, units="real", spacing=SPACING * 1e3
    )
    assert in_metal.value == pytest.approx(in_si.value, rel=1e-9)
    assert in_real.value == pytest.approx(in_si.value, rel=1e-9)


def test_a_heat_flux_may_be_given_per_volume() -> None:
    series = flux(FLUXES["one"], 4000, 3, np.random.default_rng(7))
    common = {"temperature": 90, "volume": 2e4, "units": "real", "spacing": 1.0}
    whole = green_kubo(series, "thermal_conductivity", **common)
    per = green_kubo(series / 2e4, "thermal_conductivity", per_volume=True, **common)
    assert per.value == pytest.approx(whole.value, rel=1e-12)


def test_a_heat_flux_of_a_file_may_be_per_volume(tmp_path: Path) -> None:
    series = flux(FLUXES["one"], 20_000, 3, np.random.default_rng(15))
    found = []
    for per_volume, scale in ((False, 1.0), (True, 1 / 50.0)):
        correlation = correlation_of_series(scale * series, SPACING, longest=4.0)
        rows = "".join(
            f"{k + 1} {k} {int(n)} {' '.join(map(repr, map(float, values)))}\n"
            for k, (n, values) in enumerate(zip(correlation.counts, correlation.values, strict=True))
        )
        head = "# Time-correlated data for fix j\n# Timestep Number-of-time-windows\n"
        columns = "# Index TimeDelta Ncount c_j[1]*c_j[1] c_j[2]*c_j[2] c_j[3]*c_j[3]\n"
        path = tmp_path / f"heat{per_volume}"
        path.write_text(f"{head}{columns}20000 {len(correlation.lags)}\n{rows}", encoding="utf-8")
        source = GreenKubo(
            path.name, "thermal_conductivity", temperature=1.5, volume=50.0, timestep=SPACING, per_volume=per_volume
        )
        found.append(source.read(Finished(tmp_path), "kappa").value)
    assert found[1] == pytest.approx(found[0], rel=1e-9)


def test_the_five_stresses_are_independent_and_alike() -> None:
    rng = np.random.default_rng(8)
    shear = rng.normal(size=(200_000, 3))
    # An isotropic tensor: diagonal entries of twice the variance.
    normal = math.sqrt(2) * rng.normal(size=(200_000, 3))
    five = independent_stresses(*normal.T, *shear.T)
    np.testing.assert_allclose(np.cov(five.T), np.eye(5), atol=0.02)


def test_the_displacement_of_brownian_atoms_gives_their_diffusion() -> None:
    rng, held = np.random.default_rng(9), 0
    for _ in range(40):
        steps = rng.normal(size=(400, 200, 3)) * math.sqrt(2 * 0.3 * 0.5)
        msd = np.concatenate([[0.0], (np.cumsum(steps, axis=0) ** 2).sum(axis=2).mean(axis=1)])
        made = diffusion_from_msd(0.5 * np.arange(401), msd, n_atoms=200, units="lj")
        held += made.interval[0] <= 0.3 <= made.interval[1]
        assert made.noise_std < 0.05 * 0.3
    assert held >= 35


def test_a_ballistic_start_that_takes_a_twentieth_of_the_run_is_left_out_of_the_displacement() -> None:
    """Velocities that are forgotten in 10 steps of 200: a line from 2 % of the run on is 40 % off."""
    rng, held, a = np.random.default_rng(19), 0, math.exp(-0.1)
    known = 0.5 / (1 - a) ** 2
    for _ in range(60):
        velocities = lfilter([1], [1, -a], rng.normal(size=(300, 300)), axis=0)[-200:]
        msd = np.concatenate([[0.0], (np.cumsum(velocities, axis=0) ** 2).sum(axis=1) / 100])
        made = diffusion_from_msd(np.arange(201.0), msd, n_atoms=100, units="lj")
        held += made.interval[0] <= known <= made.interval[1]
        assert made.plateau[0] > 5 or made.parts["not yet linear"] > 0
    assert held >= 53
    fixed = diffusion_from_msd(np.arange(201.0), msd, n_atoms=100, units="lj", begin=4.0)
    assert fixed.plateau[0] == 4 and "does not grow evenly" in fixed.remark


def test_diffusion_of_argon_is_that_of_the_literature_with_the_box_corrected() -> None:
    block = read_log(ARGON / "log.liquid94K.lammps")[-1]
    plain = diffusion_from_msd(block["Time"], block["c_msd[4]"], n_atoms=500, units="real")
    assert plain.unit == "m^2/s" and plain.value == pytest.approx(2.2e-9, rel=0.1)
    corrected = diffusion_from_msd(
        block["Time"],
        block["c_msd[4]"],
        n_atoms=500,
        units="real",
        box_length=28.90075,
        viscosity=2.31e-4,
        temperature=93.45,
    )
    added = 2.837297 * 1.380649e-23 * 93.45 / (6 * math.pi * 2.31e-4 * 28.90075e-10)
    assert corrected.value - plain.value == pytest.approx(added, rel=1e-6)
    assert yeh_hummer(93.45, 2.31e-4, 28.90075, "real") == pytest.approx(added, rel=1e-9)


def named(series: Floats, *names: str) -> Correlation:
    correlation = correlation_of_series(series, SPACING, longest=4.0)
    return replace(correlation, pairs=tuple((name, name) for name in names))


@pytest.mark.parametrize(
    "names",
    [[f"c_p[{k}]" for k in range(1, 7)], ["v_pxx", "v_pyy", "v_pzz", "v_pxy", "v_pxz", "v_pyz"]],
)
def test_a_viscosity_is_made_of_shear_stresses_alone(names: list[str]) -> None:
    series = flux(FLUXES["one"], 20_000, 6, np.random.default_rng(13))
    series[:, :3] = 2 * series[:, :3] + 0.1
    common = {"temperature": 1, "volume": 1, "units": "lj"}
    whole, shear = named(series, *names), named(series[:, 3:], *names[3:])
    assert green_kubo(whole, "viscosity", **common).value == green_kubo(shear, "viscosity", **common).value
    with pytest.raises(InputError, match="normal stresses by their names"):
        green_kubo(named(series[:, :3], *names[:3]), "viscosity", **common)
    three = green_kubo(named(series[:, :3], "c_q[1]", "c_q[2]", "c_q[3]"), "thermal_conductivity", **common)
    assert three.value > 3 * exact(FLUXES["one"])


def test_a_flux_with_a_mean_is_told_so() -> None:
    series = flux(FLUXES["one"], 20_000, 3, np.random.default_rng(14)) + 1.0
    made = green_kubo(named(series, "a", "b", "c"), "diffusion", temperature=1, volume=1, units="lj")
    assert "the flux has a mean" in made.remark


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "viscocity"}, "did you mean 'viscosity'"),
        ({"units": "imperial"}, "units 'imperial'"),
        ({"method": "fit"}, "no method 'fit'"),
        ({"temperature": -3}, "temperature -3"),
        ({"volume": 0}, "volume 0"),
        ({"confidence": 95}, "confidence below 1"),
        ({"spacing": None}, "and spacing= in time"),
        ({"source": np.full((50, 2), np.nan)}, "cannot be correlated"),
        (
            {"method": "cepstral", "source": correlation_of_series(np.random.default_rng(0).normal(size=50), 1.0)},
            "fluxes",
        ),
        ({"method": "cepstral", "source": np.ones((5000, 3))}, "a flux that changes"),
    ],
)
def test_what_cannot_be_integrated_is_one_sentence(change: dict, words: str) -> None:
    given = {"source": np.random.default_rng(0).normal(size=(500, 3)), "kind": "viscosity", "temperature": 1.0}
    given |= {"volume": 1.0, "units": "lj", "spacing": 0.1} | change
    source, kind = given.pop("source"), given.pop("kind")
    with pytest.raises(InputError, match=words):
        green_kubo(source, kind, **given)


@pytest.mark.parametrize("method", ["plateau", "cepstral"])
def test_fluxes_of_a_size_that_cannot_be_multiplied_are_one_sentence(method: str) -> None:
    series = flux(FLUXES["one"], 1000, 3, np.random.default_rng(2))
    for size in (1e-90, 1e160):
        with pytest.raises(InputError, match="cannot be multiplied"):
            found(size * series, method=method)


def test_a_displacement_of_any_size_is_told_in_the_same_way() -> None:
    times, msd = np.arange(50.0), 6 * np.arange(50.0) + np.sin(np.arange(50.0))
    plain, large = (diffusion_from_msd(times, size * msd, n_atoms=50, units="lj") for size in (1.0, 2.0**800))
    assert large.interval == tuple(2.0**800 * end for end in plain.interval)


def test_replicates_of_other_lags_and_correlations_without_counts_are_one_sentence() -> None:
    one = correlation_of_series(np.random.default_rng(0).normal(size=100), 1.0)
    other = correlation_of_series(np.random.default_rng(0).normal(size=200), 1.0)
    with pytest.raises(InputError, match="different lags"):
        green_kubo([one, other], "diffusion", temperature=1, volume=1, units="lj")
    bare = Correlation(one.lags, one.values, np.full(len(one.lags), np.nan), one.pairs, in_time=True)
    with pytest.raises(InputError, match="give duration="):
        green_kubo(bare, "diffusion", temperature=1, volume=1, units="lj")
    made = green_kubo(bare, "diffusion", temperature=1, volume=1, units="lj", duration=100.0)
    assert made.value == green_kubo(one, "diffusion", temperature=1, volume=1, units="lj").value


def test_a_series_too_short_for_a_spectrum_is_one_sentence() -> None:
    with pytest.raises(InputError, match="at least 98 samples"):
        cepstral_integral(np.random.default_rng(0).normal(size=(60, 1)), 1.0)
