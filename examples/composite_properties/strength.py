"""Strength is learned from real tables, and validated by group: rows of one series, or of one tree, stay together.

- glass/epoxy coupons in fatigue (always): the stress that breaks a coupon at a life, from life and stress ratio;
- birch in bending (where ``SCALEBRIDGE_EXTRA_DATA`` holds it): from density, fibre length and ring class, by tree.

Beside the error by group stands the one of a split row by row, which leaks: it is named as such.
"""

import csv
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import scalebridge as sb

Floats = NDArray[np.float64]
DATA = Path(__file__).resolve().parents[2] / "data"


@dataclass(frozen=True, eq=False)
class Table:
    """Inputs ``[n, d]``, strengths ``[n]`` in MPa, and what rows belong together ``[n]``."""

    name: str
    inputs: dict[str, str]
    x: Floats
    y: Floats
    groups: NDArray[np.str_]
    group: str
    note: str


@dataclass(frozen=True)
class Validated:
    """What a learned strength is worth: errors in MPa and coverage of 90 % intervals."""

    table: str
    rows: int
    groups: int
    group: str
    learner: str
    error: float
    leaky_error: float
    spread: float
    coverage: float
    note: str


def tables() -> list[Table]:
    """The tables that are here."""
    return [coupons(), *birch()]


def coupons() -> Table:
    """Fatigue of glass/epoxy coupons [±90]2s; a series is one stress at one stress ratio."""
    rows = _rows(DATA / "gfrp-fatigue" / "TST_Khalooei_2021-10_FA_SN.csv")
    broken = [r for r in rows if r["run out"] == "No" and r["last_recorded_cycle"]]
    x = [[math.log10(float(r["last_recorded_cycle"])), float(r["stress ratio"])] for r in broken]
    y = [float(r["maximum stress"]) for r in broken]
    series = [f"{r['stress ratio']} at {r['maximum stress']}" for r in broken]
    note = f"{len(rows) - len(broken)} run-outs or gaps are left out: they are censored, and no broken coupons."
    return Table("glass/epoxy in fatigue", {"log_life": "1", "ratio": "1"}, np.array(x), np.array(y), np.array(series),
                 "series", note)  # fmt: skip


def birch() -> list[Table]:
    """Birch in bending, where it is to be had."""
    folder = os.environ.get("SCALEBRIDGE_EXTRA_DATA", "")
    file = Path(folder) / "birch-bending" / "birch_breaking_resistance.csv"
    if not folder or not file.exists():
        return []
    rows = [r for r in _rows(file) if r["FibreLength"] not in ("", "NA", "nan")]
    x = [[float(r["Density"]), float(r["FibreLength"]), float(r["RingClass"])] for r in rows]
    y = [float(r["Resistance"]) for r in rows]
    trees = [f"{r['Site']}-{r['Tree']}" for r in rows]
    inputs = {"density": "g/cm^3", "fibre_length": "mm", "ring_class": "1"}
    return [Table("birch in bending", inputs, np.array(x), np.array(y), np.array(trees), "tree", "")]


def validated(table: Table) -> Validated:
    """Compare learners by group, and the best one row by row beside."""
    names = ["gaussian_process", "random_forest"]
    folds = min(5, len(set(table.groups)))
    options: dict[str, Any] = {
        "inputs": table.inputs, "outputs": {"strength": "MPa"}, "splits": folds, "progress": "none"
    }  # fmt: skip
    by_group = sb.compare(table.x, table.y, surrogates=names, groups=table.groups, **options)
    by_row = sb.compare(table.x, table.y, surrogates=[by_group.best.name], **options)
    best = by_group.best
    return Validated(
        table.name, len(table.y), len(set(table.groups)), table.group, best.name, float(best.rmse[0]),
        float(by_row[best.name].rmse[0]), float(table.y.std(ddof=1)), float(best.coverage[0]), table.note,
    )  # fmt: skip


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
