"""Birch and concrete: specimens that are not independent. What holds on new trees and mixes, and what a leak claims.

``python -m benchmarks.specimens --json FILE [--seed N] [--sets birch concrete] [--repeats 2] [--uci UCI_FILE]``.

One procedure for both sets, with every tree (birch) or mix (concrete: the same composition at several ages) on one
side of each split, inside and outside: candidates are ranked by CRPS on folds of the training rows, the best is
wrapped in conformal intervals (cv+, normalised, each tree or mix one draw) at 90 %, and judged on four folds of trees
or mixes that it has not seen, for ``repeats`` deals of the folds.

The same is then done row by row, as if rows were independent: ``leaky_claim`` is what that split would have claimed.
``row_wise_calibration`` are intervals calibrated row by row and judged on trees and mixes that are new: what the leak
does to a user. The published twenty splits of concrete are row-wise too; ``published`` says how many of their test
rows have their mix among the training rows, and quotes the figures on them; ours on them are those of
``python -m benchmarks.uci`` and are copied from its FILE where that is given.

Birch is read from the folder named by SCALEBRIDGE_EXTRA_DATA, and is skipped with the reason without it. Rows with a
gap are left out and counted.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import scalebridge as sb

SETS = ("birch", "concrete")
LEVEL, RANGE = 0.9, (0.86, 0.94)
# Folds outside, of the choice, and of the conformal intervals: of few rows more, for they are soon fitted.
FOLDS, INNER, CALIBRATED, CALIBRATED_FEW = 4, 2, 3, 6
CONCRETE = Path(__file__).parents[1] / "data" / "concrete-mix" / "concrete.csv"
BIRCH = "birch-bending/birch_breaking_resistance.csv"
# Rows up to which a Gaussian process is quick enough to be among the candidates.
FEW = 400


@dataclass(frozen=True)
class Table:
    """Specimens: inputs ``[n, d]``, property ``[n, 1]``, label of the tree or mix ``[n]`` and what it is."""

    inputs: sb.Space
    outputs: sb.Space
    x: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    word: str
    words: str
    left_out: int


def columns(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def numbers(text: np.ndarray) -> np.ndarray:
    return np.array([float(v) if v not in ("", "NA") else np.nan for v in text])


def birch() -> Table | str:
    """The table, or why there is none."""
    folder = os.environ.get("SCALEBRIDGE_EXTRA_DATA")
    if not folder:
        return "SCALEBRIDGE_EXTRA_DATA is not set; it names the folder that holds birch-bending (GPL-2)."
    path = Path(folder) / BIRCH
    if not path.exists():
        return f"There is no {BIRCH} in the folder that SCALEBRIDGE_EXTRA_DATA names."
    read = columns(path)
    told = {name: numbers(read[name]) for name in ("Density", "FibreLength", "RingClass")}
    # Sites and seeds are categories: a column of 0 and 1 for all but one of each.
    told |= {
        f"{name}_{v}": (read[name] == v) + 0.0 for name in ("Site", "SeedOrigin") for v in np.unique(read[name])[1:]
    }
    inputs = sb.Space({name: {"Density": "g/cm^3", "FibreLength": "mm"}.get(name, "1") for name in told})
    x = np.stack(list(told.values()), axis=1)
    y, trees = numbers(read["Resistance"])[:, None], read["Tree"]
    whole = np.isfinite(np.concatenate([x, y], axis=1)).all(axis=1)
    outputs = sb.Space({"Resistance": "MPa"})
    return Table(inputs, outputs, x[whole], y[whole], trees[whole], "tree", "trees", int((~whole).sum()))


def concrete() -> Table:
    """The table; a mix is a composition, whatever its age."""
    read = columns(CONCRETE)
    names = [name for name in read if name not in ("SpecimenID", "compressive_strength")]
    inputs = sb.Space({name: "day" if name == "age" else "kg/m^3" for name in names})
    x = np.stack([numbers(read[name]) for name in names], axis=1)
    mixes = np.unique(np.delete(x, names.index("age"), axis=1), axis=0, return_inverse=True)[1].reshape(-1)
    outputs = sb.Space({"strength": "MPa"})
    return Table(inputs, outputs, x, numbers(read["compressive_strength"])[:, None], mixes, "mix", "mixes", 0)


def candidates(table: Table, rows: int) -> dict[str, Any]:
    """Surrogates that are tried, by what so many rows allow."""
    from scalebridge.learn import GaussianProcess, GradientBoosting, QuantileForest, RandomForest

    spaces = table.inputs, table.outputs
    forests = {"random forest": RandomForest(*spaces, trees=100), "quantile forest": QuantileForest(*spaces)}
    if rows <= FEW:
        return {"Gaussian process": GaussianProcess(*spaces), **forests}
    return {"gradient boosting": GradientBoosting(*spaces, iterations=120, repeats=1), **forests}


def fitted(table: Table, train: np.ndarray, groups: np.ndarray | None, seed: int) -> tuple[str, Any]:
    """Name of what inner validation chose, and it with conformal intervals; groups stay together where given."""
    from scalebridge.learn import Conformal

    x, y = table.x[train], table.y[train]
    inner = None if groups is None else groups[train]
    made = candidates(table, len(train))
    told: dict[str, Any] = {"inputs": table.inputs, "outputs": table.outputs, "surrogates": made, "progress": "none"}
    name = sb.compare(x, y, **told, splits=INNER, groups=inner, level=LEVEL, seed=seed).best.name
    return name, calibrated(made[name], x, y, inner, seed, Conformal)


def calibrated(surrogate: Any, x: np.ndarray, y: np.ndarray, groups: np.ndarray | None, seed: int, kind: Any) -> Any:
    """Conformal intervals whose draws are groups, or single rows."""
    folds = CALIBRATED_FEW if len(x) <= FEW else CALIBRATED
    return kind(surrogate, level=LEVEL, folds=folds, seed=seed).fit(x, y, specimens=groups)


def answers(law: Any, table: Table, test: np.ndarray) -> dict[str, np.ndarray]:
    posterior = law.posterior(table.x[test])
    lower, upper = posterior.interval(LEVEL)
    told = {"mean": posterior.mean, "std": posterior.std, "lower": lower, "upper": upper, "y": table.y[test]}
    return {"row": test} | {k: v[:, 0] for k, v in told.items()}


def arm(table: Table, grouped: bool, seeds: Sequence[int]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Answers on all folds of all deals, and what was chosen."""
    from scalebridge.learn.calibration.splits import kfold

    found, names = [], []
    groups = table.groups if grouped else None
    for seed in seeds:
        for split in kfold(len(table.x), FOLDS, seed=seed, groups=groups):
            name, law = fitted(table, split.train, groups, seed)
            found.append(answers(law, table, split.test))
            names.append(name)
    return joined(found), names


def row_wise_calibration(table: Table, name: str, seed: int) -> dict[str, np.ndarray]:
    """The surrogate chosen, its intervals calibrated row by row, on trees or mixes that are new."""
    from scalebridge.learn import Conformal
    from scalebridge.learn.calibration.splits import kfold

    found = []
    for split in kfold(len(table.x), FOLDS, seed=seed, groups=table.groups):
        made = candidates(table, len(split.train))[name]
        law = calibrated(made, table.x[split.train], table.y[split.train], None, seed, Conformal)
        found.append(answers(law, table, split.test))
    return joined(found)


def joined(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def figures(told: dict[str, np.ndarray], groups: np.ndarray) -> dict[str, float]:
    """RMSE, NLL, coverage and width, with the standard error of coverage over trees or mixes."""
    from scalebridge.learn.calibration.metrics import crps_normal
    from scalebridge.learn.held_out import cluster_error

    y, mean, std = told["y"], told["mean"], told["std"]
    covered = ((y >= told["lower"]) & (y <= told["upper"])).astype(float)
    square = (y - mean) ** 2
    rmse = float(np.sqrt(square.mean()))
    return {
        "rmse": rmse,
        "rmse_error": cluster_error(square, groups) / (2 * rmse),
        "nll": float(np.mean(0.5 * np.log(2 * np.pi * std**2) + 0.5 * ((y - mean) / std) ** 2)),
        "crps": float(crps_normal(y[:, None], mean[:, None], std[:, None])[0]),
        "coverage": float(covered.mean()),
        "coverage_error": cluster_error(covered, groups),
        "width": float(np.mean(told["upper"] - told["lower"])),
    }


def by_deal(told: dict[str, np.ndarray], table: Table, repeats: int) -> list[float]:
    """Coverage of each deal of the folds; every row stands once in each."""
    n = len(table.x)
    inside = (told["y"] >= told["lower"]) & (told["y"] <= told["upper"])
    return [float(inside[k * n : (k + 1) * n].mean()) for k in range(repeats)]


def judged(table: Table, seed: int, repeats: int) -> dict[str, Any]:
    """All figures of a set, and whether intervals hold on new trees or mixes."""
    from scalebridge.explain import Predictions, by_regime

    begun, seeds = time.perf_counter(), range(seed, seed + repeats)
    honest, chosen = arm(table, True, seeds)
    leaky, _ = arm(table, False, seeds[:1])
    most = max(sorted(set(chosen)), key=chosen.count)
    naive = row_wise_calibration(table, most, seed)
    groups = np.unique(table.groups, return_inverse=True)[1].reshape(-1)
    held = figures(honest, groups[honest["row"]])
    n = len(table.x)
    first = {k: v[:n] for k, v in honest.items()}
    regimes = by_regime(
        Predictions.of(
            first["y"], first["mean"], lower=first["lower"], upper=first["upper"], level=LEVEL,
            x=table.x[first["row"]], inputs=table.inputs.component_names, groups=groups[first["row"]],
            target=table.outputs.names[0], unit="MPa",
        ),
        seed=seed,
    )  # fmt: skip
    return {
        "rows": n,
        "left_out_for_gaps": table.left_out,
        "groups": len(np.unique(groups)),
        "group": table.word,
        "procedure": f"{FOLDS} folds by {table.word}, {repeats} deals; chosen by {INNER} folds inside; conformal cv+",
        "chosen": {name: chosen.count(name) for name in sorted(set(chosen))},
        "held_out": held,
        "coverage_by_deal": by_deal(honest, table, repeats),
        "leaky_claim": {"what": "the same row by row: not to be believed"} | figures(leaky, groups[leaky["row"]]),
        "row_wise_calibration": {"what": f"calibrated row by row, judged on new {table.words}"}
        | figures(naive, groups[naive["row"]]),
        "errors_by_regime": list(regimes.sentences),
        "coverage_met": bool(RANGE[0] <= held["coverage"] <= RANGE[1]),
        "seconds": time.perf_counter() - begun,
    }


def published(uci: Path | None) -> dict[str, Any]:
    """The published splits of concrete: how they leak, and the figures on them."""
    from benchmarks._uci_data import read, splits
    from benchmarks.uci import ROWS, literature

    x, _ = read("concrete")
    mixes = np.unique(x[:, :7], axis=0, return_inverse=True)[1].reshape(-1)
    known = [float(np.isin(mixes[test], mixes[train]).mean()) for train, test in splits("concrete")]
    dropout = literature("concrete", len(known))
    told = {
        "what": "twenty row-wise splits: figures on them are not those of new mixes",
        "test_rows_whose_mix_was_learned": float(np.mean(known)),
        "MC dropout (Gal and Ghahramani 2016)": {k: dropout[k]["mean"] for k in ("rmse", "nll")},
        **ROWS["concrete"],
    }
    if uci is not None:
        methods = json.loads(uci.read_text())["sets"]["concrete"]["methods"]
        told["ours, benchmarks.uci"] = {
            name: {k: row[k]["mean"] for k in ("rmse", "nll", "coverage") if k in row} for name, row in methods.items()
        }
    return told


def line(name: str, what: str, told: dict[str, Any]) -> str:
    return (
        f"{name:9s} {what:34s} RMSE {told['rmse']:.2f}  NLL {told['nll']:.3f}  "
        f"covers {told['coverage']:.3f} ± {told['coverage_error']:.3f}  width {told['width']:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--uci", type=Path, default=None, help="what benchmarks.uci wrote")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    begun, sets = time.perf_counter(), {}
    for name in options.sets:
        table = birch() if name == "birch" else concrete()
        if isinstance(table, str):
            sets[name] = {"skipped": table}
            print(f"{name:9s} skipped: {table}")
            continue
        told = judged(table, options.seed, options.repeats)
        if name == "concrete":
            told["published"] = published(options.uci)
        sets[name] = told
        print(line(name, f"on new {table.words}", told["held_out"]))
        print(line(name, "a leaky row-wise split would claim", told["leaky_claim"]))
        print(line(name, f"calibrated row-wise, new {table.words}", told["row_wise_calibration"]))
        print(f"{name:9s} chosen {told['chosen']}, {told['seconds']:.0f} s", flush=True)
    figures_of = {"benchmark": "specimens", "seed": options.seed, "level": LEVEL, "range": RANGE, "sets": sets}
    figures_of["met"] = all(t.get("coverage_met", True) for t in sets.values())
    figures_of["seconds"] = time.perf_counter() - begun
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures_of, indent=1))
    print(f"met: {figures_of['met']}; {figures_of['seconds']:.0f} s")


if __name__ == "__main__":
    main()
