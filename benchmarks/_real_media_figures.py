"""Pictures of the page on real media, from the figures of the benchmark.

``python -m benchmarks._real_media_figures --json FILE --out docs/assets [--data DIR]``, FILE from
``python -m benchmarks.real_media``.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _fibre_slices
from benchmarks._short_fibre_peek import FIBRE_UM, FRACTION, aspects
from benchmarks.permeability import FILE
from scalebridge import microstructure

TEAL, ORANGE, GREY = "#00796b", "#e64a19", "#607d8b"


def berea(figures: dict[str, Any], data: Path, plt: Any) -> Any:
    """A slice of the rock, and how the boxes scatter."""
    with np.load(data / FILE) as file:
        image = file["im"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.6), width_ratios=(1.0, 1.5))
    left.imshow(image[100], cmap="gray_r", interpolation="nearest")
    left.set(title="a slice, 1.07 mm wide; pores black", xticks=[], yticks=[])
    for rows, colour, size in zip(figures["scatter"], (GREY, ORANGE), (7, 26), strict=True):
        found = np.array(rows["each"])
        porosity, relative = np.repeat(found[:, 0], 3), found[:, 1:].ravel()
        held = relative > 0
        right.scatter(porosity[held], 1 / relative[held], size, colour, label=f"boxes of {rows['size']}^3, x, y, z")
    whole = figures["diffusion"]
    right.scatter([whole["porosity"]] * 3, whole["formation_factor"], 60, TEAL, marker="D", label="all 200^3", zorder=3)
    right.axhline(14.57, color="k", ls="--", lw=1, label="pore network of the 400^3 (a model): 14.57")
    right.set(yscale="log", xlabel="porosity of the box", ylabel="formation factor", ylim=(5, 1000))
    right.legend(fontsize=8)
    return figure


def slices(rows: list[dict[str, Any]], plt: Any) -> Any:
    """Transverse modulus of windows against their fibre fraction, with bounds and estimates."""
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.6))
    for row, axis in zip(rows, axes, strict=True):
        kind = row["image"][:6].rstrip("0123456789")
        fibre = _fibre_slices.MATERIALS[kind]
        x = np.linspace(0.3, 0.8, 40)
        lines = [_fibre_slices.bounds(fibre, _fibre_slices.RESIN, f) for f in x]
        axis.fill_between(x, *([b[k] for b in lines] for k in ("mori_tanaka", "upper")), color=GREY, alpha=0.25, lw=0)
        axis.plot(x, [b["mori_tanaka"] for b in lines], color=GREY, lw=1, label="Hashin bounds, below Mori-Tanaka")
        axis.plot(x, [b["halpin_tsai"] for b in lines], "k--", lw=1, label="Halpin-Tsai")
        share, found = np.array(row["window_fractions"]), np.array(row["E_T_GPa"])
        torn = np.array(row["window_voids"]) > 0.005
        axis.scatter(share[~torn], found[~torn], 14, TEAL, label=f"{row['windows']} windows of 128 pixels")
        if torn.any():
            axis.scatter(share[torn], found[torn], 18, TEAL, marker="x", label="those with over .5 % of void")
        at = float(share.mean())
        bars = np.hypot(row["standard_error_GPa"], row["segmentation_std_GPa"])
        axis.errorbar(
            [at],
            [row["mean_GPa"]],
            [bars],
            [row["fraction_std"][-1]],
            "o",
            color=ORANGE,
            label="their mean, 1 deviation",
        )
        spread = np.array([*row["window_fractions"], at])
        axis.set(xlim=(spread.min() - 0.05, spread.max() + 0.05), xlabel="fibre fraction", title=row["image"])
        axis.set_ylim(0.8 * min(row["E_T_GPa"]), 1.25 * max(row["E_T_GPa"]))
    axes[0].set_ylabel("transverse modulus, GPa")
    axes[1].legend(fontsize=8)
    return figure


def peek(figures: dict[str, Any], plt: Any) -> Any:
    """A cut through a generated cell, and the moduli beside the measured one."""
    ratios = aspects(260, 1.0, np.random.default_rng(0))
    fibres = microstructure.random_short_fibres(
        FRACTION, ratios.tolist(), 260, orientation=(0.9, 0.05, 0.05), cell=(2.0, 1.0, 1.0)
    )
    shape = (96, 96, 192)
    inside, along = fibres.labels(shape)[48], np.abs(fibres.directions(shape)[48, ..., 0])
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.6), width_ratios=(1.25, 1.0))
    shown = np.ma.masked_where(inside == 0, np.degrees(np.arccos(np.clip(along, 0.0, 1.0))))
    wide = 2.0 / (2.0 * fibres.radius) * FIBRE_UM
    picture = left.imshow(shown, cmap="plasma", vmin=0, vmax=60, extent=(0, wide, 0, wide / 2), interpolation="nearest")
    left.set(title="cut through a generated cell", xlabel="along the bead, um", ylabel="um")
    figure.colorbar(picture, ax=left, orientation="horizontal", label="angle from the bead, degrees", pad=0.25)
    told, result = figures["published"], figures["result"]
    rows = [
        ("measured, 7.9 min", [told["measured_MPa"]], "k"),
        ("authors, beads with voids, 7.9 min", [v["7.9 min"] for v in told["rve_MPa"].values()], GREY),
        ("authors, fibre scale, other prints", list(told["micro_scale_MPa"].values()), GREY),
        ("ours, seeds", [row["E1_MPa"] for row in figures["nominal"]], TEAL),
    ]
    names = {"fraction": "fraction .22, .265", "a11": "a11 .8, .95", "length": "length x .8, x 1.8"}
    names["matrix_GPa"] = "PEEK 3.8, 4.2 GPa"
    base = figures["nominal"][0]["E1_MPa"]
    rows += [(f"ours, {names[k]}", [base + e for e in ends], ORANGE) for k, ends in result["effects_MPa"].items()]
    for place, (_, values, colour) in enumerate(rows):
        right.scatter(np.array(values) / 1e3, [place] * len(values), 22, colour)
    right.axvline(told["measured_MPa"] / 1e3, color="k", lw=0.7)
    right.axvspan(*(v / 1e3 for v in result["intact_MPa"]), color=TEAL, alpha=0.12, lw=0)
    right.set(yticks=range(len(rows)), yticklabels=[r[0] for r in rows], xlabel="axial modulus, GPa")
    right.tick_params(axis="y", labelsize=8)
    right.yaxis.tick_right()
    right.invert_yaxis()
    return figure


def main() -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("SCALEBRIDGE_EXTRA_DATA"))
    options = parser.parse_args()
    told = json.loads(options.json.read_text())
    made: dict[str, Callable[[], Any]] = {
        "berea": lambda: berea(told["berea"]["figures"], options.data, plt),
        "slices": lambda: slices(told["slices"]["figures"], plt),
        "peek": lambda: peek(told["peek"]["figures"], plt),
    }
    for name, draw in made.items():
        if name not in told or told[name]["skipped"]:
            print(f"{name} has no figures in {options.json}; run benchmarks.real_media with its data.")
            continue
        figure = draw()
        figure.tight_layout()
        figure.savefig(options.out / f"real-media-{name}.png", dpi=110)
        plt.close(figure)


if __name__ == "__main__":
    main()
