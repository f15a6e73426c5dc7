"""Strength is learned from real tables, and validated by group: rows of one series, or of one tree, stay together.

- glass/epoxy coupons in fatigue (always): log10 of the life at a stress and a stress ratio, which were set; a run-out
  counts as at least its cycles (`scalebridge.learn.StressLife`);
- birch in bending (where ``SCALEBRIDGE_EXTRA_DATA`` holds it): from density, fibre length and ring class, by tree.

Beside the error by group stands the one of a split row by row, which leaks: it is named as such.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import scalebridge as sb

Floats = NDArray[np.float64]
DATA = Path(__file__).resolve().parents[2] / "data"
RUN_OUT = 1e6


@dataclass(frozen=True, eq=False)
class Lives:
    """Stresses in MPa, stress ratios, cycles, codes (0 broken, 1 run-out) and series, each ``[n]``."""

    stress: Floats
    ratio: Floats
    cycles: Floats
    censored: NDArray[np.int8]
    series: NDArray[np.str_]
    note: str


@dataclass(frozen=True, eq=False)
class Table:
    """Inputs ``[n, d]``, strengths ``[n]`` in MPa, and what rows belong together ``[n]``."""

    name: str
    inputs: dict[str, str]
    x: Floats
    y: Floats
    groups: NDArray[np.str_]
    group: str


@dataclass(frozen=True)
class Validated:
    """What a learned strength or life is worth: errors in ``unit`` and coverage of 90 % intervals."""

    table: str
    rows: int
    groups: int
    group: str
    learner: str
    error: float
    leaky_error: float
    spread: float
    coverage: float
    unit: str
    note: str = ""


def all_validated() -> list[Validated]:
    """All tables that are here, validated."""
    return [fatigue(coupons()), *(validated(table) for table in birch())]


def coupons() -> Lives:
    """Fatigue of glass/epoxy coupons [±90]2s; a series is one stress at one stress ratio."""
    rows = _rows(DATA / "gfrp-fatigue" / "TST_Khalooei_2021-10_FA_SN.csv")
    known = [r for r in rows if r["run out"] == "Yes" or r["last_recorded_cycle"]]
    out = np.array([r["run out"] == "Yes" for r in known])
    cycles = [float(r["last_recorded_cycle"] or RUN_OUT) for r in known]
    stress, ratio = (np.array([float(r[name]) for r in known]) for name in ("maximum stress", "stress ratio"))
    series = np.array([f"{r['stress ratio']} at {r['maximum stress']}" for r in known])
    note = (
        f"{out.sum()} of the rows are run-outs, known to outlast their cycles (a million where none are noted); "
        f"{len(rows) - len(known)} without a life is left out. Errors and coverage are of the coupons that broke."
    )
    return Lives(stress, ratio, np.array(cycles), out.astype(np.int8), series, note)


def fatigue(lives: Lives) -> Validated:
    """Basquin's line with the stress ratio and run-outs: by series, and row by row beside."""
    broken = lives.censored == 0
    y = np.log10(lives.cycles)
    mean, held = _left_out(lives, lives.series)
    leaky, _ = _left_out(lives, np.arange(len(y)).astype(str))

    def error(found: Floats) -> float:
        return float(np.sqrt(np.mean((found - y)[broken] ** 2)))

    return Validated(
        "glass/epoxy in fatigue", len(y), len(set(lives.series)), "series", "stress-life line with run-outs",
        error(mean), error(leaky), float(y[broken].std(ddof=1)), float(held[broken].mean()), "decades", lives.note,
    )  # fmt: skip


def _left_out(lives: Lives, groups: NDArray[np.str_]) -> tuple[Floats, NDArray[np.bool_]]:
    """Mean of log10 of the life ``[n]`` by the groups other than a row's, and whether 90 % intervals hold it."""
    mean, held = np.empty(len(groups)), np.empty(len(groups), dtype=bool)
    for group in np.unique(groups):
        out, kept = groups == group, groups != group
        fit = sb.learn.StressLife().fit(
            lives.stress[kept], lives.cycles[kept], lives.censored[kept], lives.ratio[kept, None]
        )
        life = fit.life(lives.stress[out], lives.ratio[out, None])
        y = np.log10(lives.cycles[out])
        mean[out], held[out] = life.mean, (life.quantile(0.05) <= y) & (y <= life.quantile(0.95))
    return mean, held


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
    return [Table("birch in bending", inputs, np.array(x), np.array(y), np.array(trees), "tree")]


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
        float(by_row[best.name].rmse[0]), float(table.y.std(ddof=1)), float(best.coverage[0]), "MPa",
    )  # fmt: skip


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
