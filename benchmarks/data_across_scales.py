"""Data across scales: soil cores under a neutron probe, households on a feeder, lives with run-outs, a messy table.

``python -m benchmarks.data_across_scales --json FILE [--seed N] [--groups 100] [--trials 200]``. Small sets lie in
``data/``; households (GPL) are read from the folder that ``SCALEBRIDGE_EXTRA_DATA`` names, and left out without it.

Written to FILE:
``soil``: plain mean, footprint-weighted mean with its interval, and what upstream's own call gives (with its arguments
swapped).
``households``: the feeder's peak from the statistics of each household, and of groups that were held out.
``fatigue``: exponent, life and leave-one-out score with the likelihood of limits, and with run-outs taken for failures
or left out; on simulated lives of known exponent, how often each interval holds it.
``tensile``: what the quality report says of a table from the literature.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.data import Dataset, read_series, read_table
from scalebridge.data.alignment.diversity import diversity
from scalebridge.data.alignment.neutron_probe import penetration_depth, radial_weight, rescaled_distance
from scalebridge.data.alignment.soil import probe_footprint, site_conditions
from scalebridge.data.checks import quality
from scalebridge.data.cleansing.censoring import mark_censored
from scalebridge.data.cleansing.gaps import drop_gaps
from scalebridge.errors import InputError
from scalebridge.learn.life import CensoredRegression, StressLife, StressLifeFit

DATA = Path(__file__).parents[1] / "data"
LEVEL = 0.95
Figures = dict[str, Any]


def soil() -> Figures:
    """Water content of a field as its cores and as a neutron probe see it."""
    units = {
        "theta_v": "m^3/m^3", "top_depth": "cm", "bottom_depth": "cm", "distance_from_station": "m",
        "bulk_density": "g/cm^3",
    }  # fmt: skip
    cores = read_table(DATA / "soil-crnp-kansas/soil_data.csv", units=units)
    station = read_series(DATA / "soil-crnp-kansas/station_survey_day.csv", zone="-06:00")
    assert station.time is not None
    midnight = float(station[station.time.column][0])
    site = site_conditions(
        station,
        temperature="air_temperature_Avg",
        relative_humidity="relative_humidity_Avg",
        pressure="barometric_pressure_Avg",
        bulk_density=float(cores["bulk_density"].mean()),
        start=midnight + 8 * 3600,
        end=midnight + 16 * 3600,
    )
    told = probe_footprint(cores, site)
    upstream, negative = _upstream(cores, site.pressure, site.bulk_density)
    return {
        "plain_mean": told.plain,
        "footprint_mean": told.mean,
        "std": told.std,
        "interval": told.interval,
        "effective_cores": told.effective,
        "upstream_as_called": upstream,
        "upstream_negative_weights": negative,
        "note": "upstream gives the radial weight the water content for the humidity and the height of plants for the "
        "water content (a later version of it does not); the weights as published are positive",
    }


def _upstream(cores: Dataset, pressure: float, bulk_density: float) -> tuple[float, int]:
    """crnpy at commit 1dcc726, ``nrad_weight(..., method="Schron_2017")``: its call ``Wr(r, theta, Hveg)``."""
    from scalebridge.data.alignment.neutron_probe import SiteConditions

    site = SiteConditions(1.0, pressure, bulk_density)
    theta, core = cores["theta_v"], cores["core_number"]
    depth, distance = 0.5 * (cores["top_depth"] + cores["bottom_depth"]), cores["distance_from_station"]
    mean, new, weight = np.inf, float(theta.mean()), np.zeros(0)
    while abs(new - mean) > 0.01:
        mean, values, radii = new, [], []
        for c in np.unique(core):
            rows = core == c
            r = rescaled_distance(distance[rows], mean, site)
            d86 = np.array([penetration_depth(r[i], t, bulk_density) for i, t in enumerate(theta[rows])])
            w = np.exp(-2 * depth[rows] / d86)
            values.append(float(w @ theta[rows] / w.sum()))
            radii.append(float(r.mean()))
        weight = np.array([float(radial_weight(np.array(r), v, 0.0)) for r, v in zip(radii, values, strict=True)])
        weight = weight / weight.sum()
        new = float(weight @ np.array(values))
    return new, int((weight < 0).sum())


def households(seed: int, groups: int) -> Figures:
    """The peak of a feeder from single households, and of groups of which nobody saw the sum."""
    folder = Path(os.environ.get("SCALEBRIDGE_EXTRA_DATA", "nowhere")) / "households-50"
    files = sorted(folder.glob("*.csv"))
    if not files:
        return {"skipped": "households-50 is not in the folder that SCALEBRIDGE_EXTRA_DATA names"}
    data = read_table(files[0])
    names = tuple(n for n in data.numeric_names if n.startswith("H"))
    told = diversity(data, 48, names)
    peak, true = told.peak(7), float(data.numeric(names).sum(axis=1).max())
    rng, rows = np.random.default_rng(seed), []
    for _ in range(groups):
        order = rng.permutation(len(names))
        seen, held = ([names[i] for i in part] for part in (order[: len(names) // 2], order[len(names) // 2 :]))
        guess = diversity(data, 48, held).peak(7, correlation=diversity(data, 48, seen).correlation)
        top = float(data.numeric(held).sum(axis=1).max())
        scaled = data.numeric(seen).sum(axis=1).max() * data.numeric(held).mean() / data.numeric(seen).mean()
        rows.append((guess.mean / top - 1, guess.interval[0] <= top <= guess.interval[1], guess.sum_of_peaks / top - 1,
                     float(scaled) / top - 1))  # fmt: skip
    days = _held_out_days(data, names)
    off, inside, naive, other = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return {
        "members": len(names),
        "peak_recorded": true,
        "peak_predicted": peak.mean,
        "interval90": peak.interval,
        "relative_error": peak.mean / true - 1,
        "sum_of_peaks": peak.sum_of_peaks,
        "coincidence": peak.coincidence,
        "per_member": peak.per_member,
        "pair_correlation": told.correlation,
        "persistence": told.persistence,
        "held_out_days": {
            "errors": days,
            "mean_error": float(np.mean(days)),
            "mean_absolute_error": float(np.mean(np.abs(days))),
        },
        "held_out": {
            "groups": groups,
            "size": len(names) - len(names) // 2,
            "median_absolute_error": float(np.median(np.abs(off))),
            "mean_error": float(off.mean()),
            "within_10_percent": float((np.abs(off) < 0.1).mean()),
            "in_interval90": float(inside.mean()),
            "median_error_of_sum_of_peaks": float(np.median(naive)),
            "median_absolute_error_of_another_group_scaled_by_energy": float(np.median(np.abs(other))),
        },
    }


def _held_out_days(data: Dataset, names: tuple[str, ...]) -> list[float]:
    """Relative error of the peak of each day, from the households' statistics on the other days."""
    day, off = np.arange(len(data)) // 48, []
    for d in range(int(day.max()) + 1):
        guess = diversity(data.rows(day != d), 48, names).peak(1)
        off.append(guess.mean / float(data.numeric(names)[day == d].sum(axis=1).max()) - 1)
    return off


def glass() -> tuple[Dataset, tuple[str, str, tuple[str, ...]]]:
    """Glass coupons at three stress ratios; run-outs without a number are taken where the others were stopped."""
    data = read_table(DATA / "gfrp-fatigue/TST_Khalooei_2021-10_FA_SN.csv", index="SpecimenID")
    marked = mark_censored(data, "last_recorded_cycle", flag="run_out", at_least=1e6)
    kept = drop_gaps(marked, ["maximum_stress", "last_recorded_cycle"])
    return kept, ("maximum_stress", "last_recorded_cycle", ("stress_ratio",))


def basalt() -> tuple[Dataset, tuple[str, str, tuple[str, ...]]]:
    """Bonded joints of basalt, none of which ran out."""
    data = read_table(DATA / "gfrp-fatigue/TST_Liu_2020-09_FA_SN.csv", index="SpecimenID")
    kept = drop_gaps(data, ["maximum_stress", "last_recorded_cycle"])
    return kept, ("maximum_stress", "last_recorded_cycle", ())


def fatigue(seed: int, trials: int) -> Figures:
    """Lives with run-outs, three ways."""
    found: Figures = {"simulated": simulated(seed, trials)}
    for name, (data, (stress, life, covariates)) in {"glass": glass(), "basalt": basalt()}.items():
        s, n = data[stress], data[life]
        codes = data.censored.get(life, np.zeros(len(s), dtype=np.int8))
        extra = data.numeric(covariates)
        at = (np.array([80.0]), np.array([[0.5]])) if covariates else (np.array([10.0]), np.zeros((1, 0)))
        ways = {"censored": (np.ones(len(s), dtype=bool), codes)}
        if codes.any():
            ways["as_failures"] = (np.ones(len(s), dtype=bool), np.zeros_like(codes))
            ways["left_out"] = (codes == 0, codes)
        found[name] = {
            "specimens": len(s),
            "run_outs": int(codes.sum()),
            "life_at": float(at[0][0]),
            **{way: _one(s, n, codes, extra, rows, taken, at, seed) for way, (rows, taken) in ways.items()},
        }
    return found


def _one(
    s: np.ndarray, n: np.ndarray, codes: np.ndarray, extra: np.ndarray, rows: np.ndarray, taken: np.ndarray,
    at: tuple[np.ndarray, np.ndarray], seed: int,
) -> Figures:  # fmt: skip
    def fitted(kept: np.ndarray) -> StressLifeFit:
        return StressLife(seed=seed).fit(s[kept], n[kept], taken[kept], extra[kept])

    fit = fitted(rows)
    posterior = fit.life(*at)
    scores = []
    for i in range(len(s)):
        # What was seen of each specimen, run-outs as run-outs, by the fit without it.
        left = rows & (np.arange(len(s)) != i)
        told = fitted(left).life(s[i : i + 1], extra[i : i + 1])
        y = np.log10(n[i : i + 1])
        step = 0.01
        p = told.above(y) if codes[i] else (told.below(y + step) - told.below(y - step)) / (2 * step)
        scores.append(float(np.log(np.maximum(p[0], 1e-12))))
    return {
        "exponent": fit.slope,
        "exponent_interval": fit.slope_interval(LEVEL),
        "scatter_log10": fit.scatter,
        "median_life": float(10 ** posterior.quantile(0.5)[0]),
        "life_interval": [float(10 ** posterior.quantile(p)[0]) for p in (0.025, 0.975)],
        "leave_one_out_log_score": float(np.mean(scores)),
    }


def simulated(seed: int, trials: int) -> Figures:
    """How often an interval of 95 % holds the exponent of 24 simulated lives whose test was stopped at 1e6 cycles."""
    true, scatter, kept = 10.0, 0.3, {"censored": [], "as_failures": [], "left_out": []}  # type: ignore[var-annotated]
    slopes: dict[str, list[float]] = {way: [] for way in kept}
    for trial in range(trials):
        rng = np.random.default_rng([seed, trial])
        stress = np.repeat([70.0, 80, 90, 100, 110, 120], 4)
        x = np.log10(stress / 90)
        y = 5.5 - true * x + scatter * rng.standard_normal(24)
        ran_out = y > 6
        seen, codes = np.minimum(y, 6.0), ran_out.astype(int)
        for way, rows, taken in (
            ("censored", np.ones(24, dtype=bool), codes),
            ("as_failures", np.ones(24, dtype=bool), 0 * codes),
            ("left_out", ~ran_out, codes),
        ):
            try:
                fit = CensoredRegression(seed=trial).fit(x[rows], seen[rows], taken[rows])
            except InputError:
                continue
            low, high = fit.interval("beta[1]", LEVEL)
            kept[way].append(low <= -true <= high)
            slopes[way].append(-float(fit.beta[1]))
    return {
        "true_exponent": true,
        "trials": trials,
        **{way: {"coverage": float(np.mean(kept[way])), "mean_exponent": float(np.mean(slopes[way]))} for way in kept},
    }


def tensile() -> Figures:
    """What the quality report says of a table from the literature."""
    file = next((DATA / "tensile-subsized").glob("*.xlsx"))
    data = read_table(file, unreadable="gap")
    begun = time.perf_counter()
    report = quality(data)
    return {
        "rows": report.n_rows,
        "columns": report.n_columns,
        "ready": report.ready,
        "seconds": time.perf_counter() - begun,
        "findings": [f"{f.severity} {f.check}: {f.sentence}" for f in report.findings],
    }


def main(arguments: list[str] | None = None) -> None:
    """Run all, write the figures, print the main ones."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--groups", type=int, default=100)
    parser.add_argument("--trials", type=int, default=200)
    given = parser.parse_args(arguments)
    figures = {
        "benchmark": "data_across_scales",
        "seed": given.seed,
        "soil": soil(),
        "households": households(given.seed, given.groups),
        "fatigue": fatigue(given.seed, given.trials),
        "tensile": tensile(),
    }
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(figures, indent=1, default=float) + "\n")
    _print(figures)


def _print(figures: Figures) -> None:
    s, h, f = figures["soil"], figures["households"], figures["fatigue"]
    print(
        f"soil        plain {s['plain_mean']:.4f}, footprint {s['footprint_mean']:.4f} "
        f"({s['interval'][0]:.3f} to {s['interval'][1]:.3f}); upstream's call {s['upstream_as_called']:.4f} with "
        f"{s['upstream_negative_weights']} negative weights"
    )
    if "skipped" in h:
        print(f"households  skipped: {h['skipped']}")
    else:
        out = h["held_out"]
        print(
            f"households  peak {h['peak_predicted']:.1f} for {h['peak_recorded']:.1f} ({h['relative_error']:+.1%}); "
            f"held out: median {out['median_absolute_error']:.1%}, within 10 % {out['within_10_percent']:.0%}, in the "
            f"90 % interval {out['in_interval90']:.0%}; days held out: mean {h['held_out_days']['mean_error']:+.1%}, "
            f"absolute {h['held_out_days']['mean_absolute_error']:.1%}"
        )
    for name in ("glass", "basalt"):
        for way in ("censored", "as_failures", "left_out"):
            if way in f[name]:
                one = f[name][way]
                print(
                    f"{name:<8} {way:<12} exponent {one['exponent']:5.2f} ({one['exponent_interval'][0]:.2f} to "
                    f"{one['exponent_interval'][1]:.2f}), life {one['median_life']:.3g} at {f[name]['life_at']:g}, "
                    f"leave-one-out {one['leave_one_out_log_score']:.3f}"
                )
    for way in ("censored", "as_failures", "left_out"):
        one = f["simulated"][way]
        print(
            f"simulated {way:<12} exponent {one['mean_exponent']:.2f} for 10, interval holds it {one['coverage']:.1%}"
        )
    t = figures["tensile"]
    print(f"tensile     {t['rows']} x {t['columns']}: {len(t['findings'])} findings in {t['seconds']:.2f} s")


if __name__ == "__main__":
    main()
