"""Printed CF/PEEK a second way: cells of generated fibres, their uncertain inputs carried as distributions.

The CT voxels are not published, so fibres are generated as in `_short_fibre_peek`, which says where each range comes
from. Cells of a Sobol' design over fraction, orientation, length and modulus of PEEK make a power law of E; draws of
the inputs through it, with the scatter of cells and what the power law does not know, make the interval. On top of it:

- **voids** between the beads take 0 to 16 % of the section (16 %: what parts the authors' two scales);
- **creep** until the reading: the modulus of PEEK is of indentation, whose time is not stated; in the authors' volumes
  the modulus along the bead falls to a share of its value at 0.01 min until then, so a share between that and one.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from benchmarks._short_fibre_peek import NOMINAL, UNCERTAIN, VOIDS, aspects
from scalebridge import micro, microstructure
from scalebridge.errors import InputError
from scalebridge.microstructure import ShortFibres

Floats = NDArray[np.float64]
NAMES = tuple(UNCERTAIN)
GRID = 32
FINER = 48
COUNTS = (140, 200, 260, 360)


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
        moduli.append(modulus(GRID, seed + k, **{n: float(v) for n, v in zip(NAMES, row, strict=True)}))
        told = ", ".join(f"{n} {v:.3g}" for n, v in zip(NAMES, row, strict=True))
        say(f"cell {k + 1} of {count}: {told}: {moduli[-1]:.0f} MPa", flush=True)
    coarse, fine = (modulus(n, seed, **NOMINAL) for n in (GRID, FINER))
    return Cells(x, np.array(moduli), fine / coarse - 1.0)


def modulus(n: int, seed: int, fraction: float, a11: float, length: float, matrix_GPa: float) -> float:
    """Modulus along the bead in MPa of one periodic cell of ``n x n x 2n`` voxels."""
    across = 0.5 * (1.0 - a11)
    fibres = fibres_of(seed, fraction, (a11, across, across), length)
    shape = (n, n, 2 * n)
    carbon = micro.TransverselyIsotropic("230 GPa", "13.4 GPa", 0.256, 0.3, "27.3 GPa")
    laws = [micro.Elastic(E=matrix_GPa * 1e9, nu=0.3855), carbon]
    rve = micro.RVE(fibres.labels(shape), laws, orientation=fibres.directions(shape), tolerance=1e-4)
    return micro.engineering_constants(rve.stiffness()).E1 / 1e6


def fibres_of(seed: int, fraction: float, orientation: tuple[float, float, float], length: float) -> ShortFibres:
    """Fibres in a cell large enough for the longest of them, whatever its direction."""
    for count in COUNTS:
        ratios = aspects(count, length, np.random.default_rng(seed))
        with contextlib.suppress(InputError):
            return microstructure.random_short_fibres(
                fraction, ratios.tolist(), count, orientation=orientation, cell=(2.0, 1.0, 1.0), seed=seed
            )
    raise InputError(f"No cell of up to {COUNTS[-1]} fibres holds lengths of {length:.3g} times the measured ones.")


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """``E = prod inputs^exponents``, fitted in logarithms by least squares.

    Args:
        centre: mean of the logarithms of the inputs ``[4]``.
        coefficients: of one and of the inputs ``[5]``.
        root: a matrix root of their covariance ``[5, 5]``.
        scatter: standard deviation of ln E of a cell about it.
        left_out: root mean square error of ln E of cells left out one by one.
    """

    centre: Floats
    coefficients: Floats
    root: Floats
    scatter: float
    left_out: float

    @classmethod
    def fitted(cls, cells: Cells) -> PowerLaw:
        """Fit it to cells."""
        y, logs = np.log(cells.moduli), np.log(cells.x)
        centre = logs.mean(axis=0)
        table = np.column_stack([np.ones(len(y)), logs - centre])
        inverse = np.linalg.inv(table.T @ table)
        found = inverse @ table.T @ y
        missed = y - table @ found
        leverage = np.einsum("ni,ij,nj->n", table, inverse, table)
        scatter = float(np.sqrt(missed @ missed / (len(y) - len(found))))
        left_out = float(np.sqrt(np.mean((missed / (1.0 - leverage)) ** 2)))
        return cls(centre, found, scatter * np.linalg.cholesky(inverse), scatter, left_out)

    def moduli(self, x: Floats, unknown: Floats | None = None) -> Floats:
        """Moduli in MPa at inputs ``[n, 4]``; with standard normal ``unknown [n, 5]`` its own error is drawn too."""
        table = np.column_stack([np.ones(len(x)), np.log(x) - self.centre])
        drawn = 0.0 if unknown is None else unknown @ self.root.T
        found: Floats = np.exp((table * (self.coefficients + drawn)).sum(axis=1))
        return found


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
    made = PowerLaw.fitted(cells)
    rng = np.random.default_rng(seed + 1)
    x = drawn(draws, rng)
    voids = rng.uniform(*VOIDS, draws)
    crept = rng.uniform(creep_share, 1.0, draws)
    # A coupon holds many cells, but how alike they are is not known: it scatters at most as one cell.
    missed = made.scatter * rng.standard_normal(draws)
    grid = cells.finer_share * rng.standard_normal(draws)
    unknown = rng.standard_normal((draws, 1 + len(NAMES)))
    best = made.moduli(x, unknown)
    alone = {}
    middle = np.median(x, axis=0)
    for k, name in enumerate(NAMES):
        changed = np.tile(middle, (draws, 1))
        changed[:, k] = x[:, k]
        alone[name] = _half(made.moduli(changed))
    centre = float(made.moduli(middle[None])[0])
    alone |= {"voids": _half(centre * (1 - voids)), "creep until the reading": _half(centre * crept)}
    alone |= {"cells": _half(centre * np.exp(missed)), "grid": _half(centre * np.exp(grid))}
    alone["surrogate"] = _half(made.moduli(np.tile(middle, (draws, 1)), unknown))
    all_of_it = best * (1.0 - voids) * crept * np.exp(missed + grid)
    low, high = np.percentile(all_of_it, [2.5, 97.5])
    return {
        "cells": count, "grid": GRID, "solved_MPa": cells.moduli.tolist(),
        "inputs": dict(zip(NAMES, cells.x.T.tolist(), strict=True)),
        "exponents": dict(zip(NAMES, made.coefficients[1:].tolist(), strict=True)),
        "rms_of_left_out_cells": made.left_out, "scatter_of_cells": made.scatter, "finer_grid_share": cells.finer_share,
        "without_voids_and_creep_MPa": [float(v) for v in np.percentile(best, [2.5, 50, 97.5])],
        "mean_MPa": float(all_of_it.mean()), "std_MPa": float(all_of_it.std(ddof=1)),
        "median_MPa": float(np.median(all_of_it)), "interval_MPa": [float(low), float(high)],
        "parts_half_width_MPa": alone,
    }  # fmt: skip


def _half(values: Floats) -> float:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(0.5 * (high - low))
