"""Printed CF/PEEK a second way: cells of generated fibres, their uncertain inputs carried as distributions.

The CT voxels are not published, so fibres are generated as in `_short_fibre_peek`, which says where each range comes
from. Cells of a Sobol' design over fraction, orientation, length and modulus of PEEK make a surrogate of ln E; draws of
the inputs through it, with the scatter of cells and what the surrogate does not know, make the interval. On top of it:

- **voids** between the beads take 0 to 16 % of the section (16 %: what parts the authors' two scales);
- **creep** until the reading: the modulus of PEEK is of indentation, whose time is not stated; in the authors' volumes
  the modulus along the bead falls to a share of its value at 0.01 min until then, so a share between that and one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from benchmarks._short_fibre_peek import NOMINAL, UNCERTAIN, VOIDS, cell
from scalebridge import learn
from scalebridge.quantities import Space

Floats = NDArray[np.float64]
NAMES = tuple(UNCERTAIN)
GRID = 32
FINER = 48


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells solved: inputs ``[n, 4]`` and moduli along the bead ``[n]`` in MPa."""

    x: Floats
    moduli: Floats
    finer_share: float


def solved(count: int, seed: int, say: Any = print) -> Cells:
    """Solve a Sobol' design of cells, and the nominal one on two grids."""
    low, high = np.array(list(UNCERTAIN.values())).T
    x = low + qmc.Sobol(len(NAMES), seed=seed).random(count) * (high - low)
    moduli = []
    for k, row in enumerate(x):
        made = cell(GRID, seed + k, **{n: float(v) for n, v in zip(NAMES, row, strict=True)})
        moduli.append(made["E1_MPa"])
        told = ", ".join(f"{n} {v:.3g}" for n, v in zip(NAMES, row, strict=True))
        say(f"cell {k + 1} of {count}: {told}: {made['E1_MPa']:.0f} MPa", flush=True)
    coarse, fine = (cell(n, seed, **NOMINAL)["E1_MPa"] for n in (GRID, FINER))
    return Cells(x, np.array(moduli), fine / coarse - 1.0)


def surrogate(cells: Cells, seed: int) -> learn.GaussianProcess:
    """ln E of the inputs as shares of their ranges."""
    inputs, outputs = Space(dict.fromkeys(NAMES, ("1", 0.0, 1.0))), Space({"log_modulus": "1"})
    made = learn.GaussianProcess(inputs, outputs, noise="learned", seed=seed)
    return made.fit(shares(cells.x), np.log(cells.moduli)[:, None])


def shares(x: Floats) -> Floats:
    """Inputs as shares of their ranges ``[n, 4]``."""
    low, high = np.array(list(UNCERTAIN.values())).T
    return np.asarray((x - low) / (high - low))


def left_out(cells: Cells, seed: int) -> float:
    """Root mean square error of ln E of cells left out in four folds."""
    errors = []
    for split in learn.calibration.splits.kfold(len(cells.x), 4, seed=seed):
        made = surrogate(Cells(cells.x[split.train], cells.moduli[split.train], 0.0), seed)
        errors.append(np.log(cells.moduli[split.test]) - made.predict(shares(cells.x[split.test]))[0][:, 0])
    return float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))


def drawn(n: int, rng: np.random.Generator) -> Floats:
    """Draws of the inputs ``[n, 4]``: uniform in their ranges, the length in its logarithm."""
    low, high = np.array(list(UNCERTAIN.values())).T
    x = low + rng.random((n, len(NAMES))) * (high - low)
    k = NAMES.index("length")
    x[:, k] = np.exp(np.log(low[k]) + rng.random(n) * np.log(high[k] / low[k]))
    return np.asarray(x)


def generated_part(count: int, seed: int, creep_share: float, draws: int = 2000) -> dict[str, Any]:
    """The modulus at the reading in MPa with its interval, and what each input does alone."""
    cells = solved(count, seed)
    made, rms = surrogate(cells, seed), left_out(cells, seed)
    rng = np.random.default_rng(seed + 1)
    x = drawn(draws, rng)
    voids = rng.uniform(*VOIDS, draws)
    crept = rng.uniform(creep_share, 1.0, draws)
    # What the surrogate misses in a cell left out is scatter of cells and its own error, in one.
    missed = rms * rng.standard_normal(draws)
    grid = cells.finer_share * rng.standard_normal(draws)

    def moduli(inputs: Floats) -> Floats:
        mean: Floats = np.exp(made.predict(shares(inputs))[0][:, 0])
        return mean

    best = moduli(x)
    alone = {}
    middle = np.median(x, axis=0)
    for k, name in enumerate(NAMES):
        changed = np.tile(middle, (draws, 1))
        changed[:, k] = x[:, k]
        alone[name] = _half(moduli(changed))
    centre = float(moduli(middle[None])[0])
    alone |= {"voids": _half(centre * (1 - voids)), "creep until the reading": _half(centre * crept)}
    alone |= {"cells and surrogate": _half(centre * np.exp(missed)), "grid": 2.0 * abs(cells.finer_share) * centre}
    all_of_it = best * (1.0 - voids) * crept * np.exp(missed + grid)
    low, high = np.percentile(all_of_it, [2.5, 97.5])
    return {
        "cells": count, "grid": GRID, "solved_MPa": cells.moduli.tolist(),
        "inputs": dict(zip(NAMES, cells.x.T.tolist(), strict=True)),
        "rms_of_left_out_cells": rms, "finer_grid_share": cells.finer_share,
        "without_voids_and_creep_MPa": [float(v) for v in np.percentile(best, [2.5, 50, 97.5])],
        "mean_MPa": float(all_of_it.mean()), "std_MPa": float(all_of_it.std(ddof=1)),
        "median_MPa": float(np.median(all_of_it)), "interval_MPa": [float(low), float(high)],
        "parts_half_width_MPa": alone,
    }  # fmt: skip


def _half(values: Floats) -> float:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(0.5 * (high - low))
