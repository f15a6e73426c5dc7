"""Pictures of the page on data: lives with run-outs and their fits, a record filled between its readings.

``python -m benchmarks._data_figures --out docs/assets``; prints how often the bands hold what was held back.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data_across_scales import DATA, glass
from scalebridge.data import Dataset, read_series, resample
from scalebridge.learn import StressLife

TEAL, ORANGE, GREY = "#00796b", "#e64a19", "#607d8b"
EVERY, DAYS, COLUMN = 6, 8, "air_temperature_Avg"
WIDTH = 1.959963984540054


def stress_life(plt: Any) -> Any:
    """Lives of glass coupons at each stress ratio; with a fit that knows run-outs and one that does not."""
    data, (stress, life, covariates) = glass()
    s, n, ratio = data[stress], data[life], data[covariates[0]]
    ran_out = data.censored[life] == 1
    knowing = StressLife().fit_dataset(data, stress, life, covariates)
    blind = StressLife().fit(s, n, None, data.numeric(covariates))
    ratios = np.unique(ratio)
    figure, axes = plt.subplots(1, len(ratios), figsize=(9.0, 3.6), sharex=True, layout="constrained")
    for r, axis in zip(ratios, axes, strict=True):
        rows = ratio == r
        line = np.geomspace(0.93 * s[rows].min(), 1.07 * s[rows].max(), 40)
        told, other = (fit.life(line, np.full((40, 1), r)) for fit in (knowing, blind))
        band = [10 ** told.quantile(p) for p in (0.05, 0.95)]
        axis.fill_betweenx(line, *band, color=TEAL, alpha=0.15, lw=0, label="90 % of lives, run-outs as limits")
        axis.plot(10 ** told.quantile(0.5), line, color=TEAL, label="their median")
        axis.plot(10 ** other.quantile(0.5), line, color=ORANGE, ls="--", label="run-outs taken for failures")
        failed, kept = rows & ~ran_out, rows & ran_out
        axis.scatter(n[failed], s[failed], 20, "k", label="failed", zorder=3)
        axis.scatter(n[kept], s[kept], 40, "w", marker=">", edgecolors="k", label="ran out", zorder=3)
        axis.set(xscale="log", xlabel="cycles", title=f"stress ratio {r:g}", xlim=(1e3, 3e7))
    axes[0].set_ylabel("maximum stress [MPa]")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    return figure


def record() -> Dataset:
    """Hourly air temperature of the station."""
    return read_series(DATA / "soil-crnp-kansas/station_data_head.csv", zone="-06:00", gaps=["-7999"])


def filled(plt: Any) -> tuple[Any, dict[str, tuple[float, float]]]:
    """One reading in six kept, the others estimated: bands, and of each the share held and the mean error."""
    whole = record()
    seconds, true = whole["TIMESTAMP"], whole[COLUMN]
    seen = np.arange(len(whole)) % EVERY == 0
    within = ~seen & (seconds < seconds[seen][-1])
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.5), sharey=True, layout="constrained")
    found = {}
    days = (seconds - seconds[0]) / 86400
    for axis, covariance, colour in zip(axes, ("brownian", "matern"), (ORANGE, TEAL), strict=True):
        told = resample(whole.rows(seen), seconds[within], [COLUMN], covariance=covariance)
        off, std = true[within] - told[COLUMN], told.std[COLUMN]
        found[covariance] = (float((np.abs(off) <= WIDTH * std).mean()), float(np.abs(off).mean()))
        line = np.linspace(seconds[0], seconds[0] + DAYS * 86400, 24 * 4 * DAYS)
        curve = resample(whole.rows(seen), line, [COLUMN], covariance=covariance)
        x, mean, half = (line - seconds[0]) / 86400, curve[COLUMN], WIDTH * curve.std[COLUMN]
        axis.fill_between(x, mean - half, mean + half, color=colour, alpha=0.2, lw=0, label="95 %")
        axis.plot(x, mean, color=colour, lw=1)
        shown = days <= DAYS
        axis.scatter(days[shown & ~seen], true[shown & ~seen], 5, GREY, label="held back")
        axis.scatter(days[shown & seen], true[shown & seen], 16, "k", label="read", zorder=3)
        axis.set(title=f"{covariance}: holds {found[covariance][0]:.1%}", xlabel="days")
    axes[0].set_ylabel("air temperature [degC]")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure, found


def main() -> None:
    """Draw both."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", required=True, type=Path)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    picture, found = filled(plt)
    for name, figure in (("data-stress-life", stress_life(plt)), ("data-resampled", picture)):
        figure.savefig(out / f"{name}.png", dpi=110, metadata={"Software": None})
    for covariance, (held, error) in found.items():
        print(f"{covariance:<9} 95 % band holds {held:.1%} of the readings held back, mean error {error:.2f} degC")


if __name__ == "__main__":
    main()
