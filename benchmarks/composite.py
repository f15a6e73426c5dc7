"""The composite study against an experiment: printed CF/PEEK, axial modulus and creep; and laminates against tables.

``python -m benchmarks.composite --json FILE [--seed N] [--cells N] [--data DIR] [--test NAME] [--case NAME] [--only
PART]``. ``DIR``, by default ``data/cf-peek-creep`` of this repository, holds the authors' volumes (``--case``, a folder
of ``rve_homogenisation``) and their test (``--test``, a folder of ``experiment``). Parts: ``modulus`` (two ways fused,
beside the measured one; with ``--cells 0`` by the volumes alone), ``creep`` and ``laminates``. Generated cells are
those of the axial test at low temperature; leave them out for another.

The measured modulus and strain are used for the comparison only.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._cf_peek import (
    CONFIDENCE,
    HERE,
    READ_AT,
    coupon,
    creep_part,
    modulus_of_another,
    modulus_of_coupon,
    volumes,
)
from scalebridge.bridge.fusion import Estimate, fuse
from scalebridge.macro.laminate import Laminate, Ply, SupportedPlate
from scalebridge.macro.laminate.laminate import SHEAR_CORRECTION

CELLS = 16
PARTS = ("laminates", "creep", "modulus")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cells", type=int, default=CELLS)
    parser.add_argument("--data", type=Path, default=HERE)
    parser.add_argument("--test", default="F_lowTemp")
    parser.add_argument("--case", default="LowTemp")
    parser.add_argument("--only", choices=PARTS, action="append")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    runs: dict[str, Callable[[], dict[str, Any]]] = {
        "laminates": laminates,
        "creep": lambda: creep_part(options.data, options.test, options.case),
        "modulus": lambda: modulus(options.data, options.cells, options.seed, options.test, options.case),
    }
    figures: dict[str, Any] = {"benchmark": "composite", "seed": options.seed}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    for name in options.only or PARTS:
        start = time.perf_counter()
        figures[name] = {**runs[name](), "wall_s": time.perf_counter() - start}
        options.json.write_text(json.dumps(figures, indent=1))
        print(said(name, figures[name]), flush=True)


def by_volumes(folder: Path, case: str = "LowTemp") -> dict[str, Any]:
    """The modulus of a coupon from the volumes: a further volume of the same print, and the mean of them."""
    found = volumes(folder, case)
    another, n = modulus_of_another(found), len(found)
    mean = Estimate(another.value, another.deviation / math.sqrt(n + 1.0), degrees=another.degrees)
    return {
        "volumes_MPa": [v.secant(READ_AT) for v in found], "mean_MPa": another.value,
        "std_over_volumes_MPa": mean.deviation * math.sqrt(n), "deviation_MPa": another.deviation,
        "interval_MPa": list(another.interval(CONFIDENCE)),
        "interval_of_the_mean_MPa": list(mean.interval(CONFIDENCE)),
    }  # fmt: skip


def modulus(folder: Path, cells: int, seed: int, test_name: str = "F_lowTemp", case: str = "LowTemp") -> dict[str, Any]:
    """The modulus along the load two ways, fused, and the measured one beside."""
    from benchmarks._generated_peek import generated_part

    test = modulus_of_coupon(coupon(folder, test_name))
    measured = test.value
    first = by_volumes(folder, case)
    told: dict[str, Any] = {
        "measured_MPa": measured,
        "by_volumes": first,
        "read_at_min": READ_AT,
        "confidence": CONFIDENCE,
    }
    told |= {"predicted_MPa": first["mean_MPa"], "interval_MPa": first["interval_MPa"], "confidence": CONFIDENCE}
    if cells:
        short = float(np.mean([v.secant(0.01) for v in volumes(folder, case)]))
        second = generated_part(cells, seed, first["mean_MPa"] / short)
        one = Estimate(first["mean_MPa"], first["deviation_MPa"], "volumes", degrees=len(first["volumes_MPa"]) - 1.0)
        other = Estimate(second["mean_MPa"], second["std_MPa"], "generated cells")
        found = fuse(one, other, tests=test, correlation=0.0, unit="MPa")
        told |= {
            "by_generated_cells": {**second, "holds_measured": _holds(second["interval_MPa"], measured)},
            "predicted_MPa": found.value, "interval_MPa": list(found.interval), "birge": found.birge,
            "weights": list(found.weights), "verdict": found.verdict, "inadequate": found.inadequate,
            "discrepancy_MPa": {n: [d.value, *d.interval] for n, d in found.discrepancies.items()},
        }  # fmt: skip
    low, high = told["interval_MPa"]
    return told | {
        "holds_measured": _holds(told["interval_MPa"], measured),
        "volumes_hold_measured": _holds(first["interval_MPa"], measured),
        "mean_of_volumes_holds_measured": _holds(first["interval_of_the_mean_MPa"], measured),
        "half_width_share": 0.5 * (high - low) / told["predicted_MPa"],
        "error_share": told["predicted_MPa"] / measured - 1.0,
    }


def _holds(interval: list[float], value: float) -> bool:
    return bool(interval[0] <= value <= interval[1])


# First-order shear, square [0/90]s: Reddy, J. Appl. Mech. 51 (1984) 745; Reddy and Phan, J. Sound Vib. 98 (1985) 157.
BENT = {4: 1.7095, 10: 0.6627, 20: 0.4912, 100: 0.4337}
BUCKLED = {3: 5.399, 10: 9.965, 20: 15.351, 30: 19.757, 40: 23.453}


def laminates() -> dict[str, Any]:
    """Deflection and buckling of cross-ply plates against published tables, and what a plate costs."""
    bent = {}
    for r, published in BENT.items():
        ply = Ply(25.0, 1.0, 0.25, 0.5, G23=0.2)
        section = Laminate.of(ply, "[0/90]s", 0.25, shear_correction=SHEAR_CORRECTION)
        plate = SupportedPlate(section, float(r), float(r))
        bent[str(r)] = 100 * plate.deflection(1.0, load="sinusoidal") / r**4 / published - 1.0
    buckled = {}
    for ratio, published in BUCKLED.items():
        ply = Ply(float(ratio), 1.0, 0.25, 0.6, G23=0.5)
        section = Laminate.of(ply, "[0/90]s", 0.25, shear_correction=SHEAR_CORRECTION)
        plate = SupportedPlate(section, 10.0, 10.0)
        buckled[str(ratio)] = 100 * plate.buckling().load / published - 1.0
    start = time.perf_counter()
    for _ in range(50):
        SupportedPlate(Laminate.of(ply, "[0/90]s", 0.25), 10.0, 10.0).deflection(1.0)
    each = (time.perf_counter() - start) / 50
    worst = max(map(abs, [*bent.values(), *buckled.values()]))
    return {"deflection_error": bent, "buckling_error": buckled, "largest_error": worst, "seconds_per_plate": each}


def said(name: str, part: dict[str, Any]) -> str:
    """A line on a part."""
    if name == "laminates":
        return f"laminates: largest difference from the tables {part['largest_error']:.1e}"
    if name == "creep":
        spans = ", ".join(f"{k} {v:.1%}" for k, v in part["share_inside_by_span"].items())
        return (
            f"creep: {part['share_inside']:.1%} of {part['points']} points within the band ({spans}); half-width "
            f"{part['half_width_over_strain_in_hold']:.1%} of the strain under load, "
            f"{part['half_width_over_largest_strain']['recovery']:.2%} of the largest strain in recovery"
        )
    low, high = part["interval_MPa"]
    inside = "holds" if part["holds_measured"] else "does not hold"
    return (
        f"modulus: {part['predicted_MPa']:.0f} MPa, {low:.0f} to {high:.0f}, {inside} the measured "
        f"{part['measured_MPa']:.0f}. {part.get('verdict', '')}"
    )


if __name__ == "__main__":
    main()
