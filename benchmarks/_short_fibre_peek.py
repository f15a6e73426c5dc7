"""Printed short carbon fibre in PEEK: the axial modulus of an orientation model beside the measured one.

The CT voxels are not published, so that fibres are generated. What is known of them, and from where:

- **fraction**: the specimens are named Vx30, read here as Victrex PEEK with 30 % of fibres by weight; densities
  of 1.76 (T300) and 1.32 g/cm^3 (PEEK) from the authors' ``weightConcToVolumeConc.py`` make 24.3 % by volume.
- **length**: 60 288 fibres that the authors' tool tracked in one of their volumes (not named;
  ``marker_to_propertyLUT.json``): median 23, mean 33, mean by length 59 um, which a lognormal distribution of
  median 23 um and width 0.8 repeats. Fibres cut by the volume's faces or lost by the tracking shorten them.
  A T300 fibre is 7 um thick.
- **orientation**: in the authors' histogram for 40 % by weight deviations from the bead peak at 7 degrees, with a tail
  of short fibres to 90: taken as a share a11 of 0.9 (0.8 to 0.95). It is read off a picture of another print.
- **voids**: the authors' 18 561 MPa is of a second scale, beads with voids, whose solid is their homogenised
  fibre composite; the long-time stiffness of that solid (their UMAT) has E = 22 045 MPa along the bead.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._cf_peek import READ_AT, coupon
from benchmarks._cost import fresh
from scalebridge import micro, microstructure

Floats = NDArray[np.float64]
FOLDER = Path("cf-peek-creep-multiscale")
FIBRE_UM = 7.0
LENGTH_UM, WIDTH = 23.0, 0.8
SHORTEST, LONGEST = 1.0, 20.0
FRACTION = (0.30 / 1.76) / (0.30 / 1.76 + 0.70 / 1.32)
NOMINAL = {"fraction": FRACTION, "a11": 0.9, "length": 1.0, "matrix_GPa": 4.0}
# What is not known, low and high; PEEK within 5 % of the indentation modulus.
UNCERTAIN = {"fraction": (0.22, 0.265), "a11": (0.8, 0.95), "length": (0.8, 1.8), "matrix_GPa": (3.8, 4.2)}
VOIDS = (0.0, 0.16)
# Moduli along the bead, of the authors' own micro-scale tensors (elastic, the same constituents), MPa.
AUTHORS_MICRO = {
    "B3, microstructure 0": 16508.0, "mean of B3 and B6": 18476.0, "N0.25, mean": 20393.0, "C2, mean": 21685.0,
    "UMAT rightMatrix, long time": 22045.0, "B6, microstructure 2": 23648.0, "generated, all aligned": 26848.0,
}  # fmt: skip


def secant(path: Path) -> dict[str, float]:
    """Moduli along z in MPa at some minutes of an AMITEX creep file."""
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    return {f"{t:g} min": _secant(table[:, 0], table[:, 3], table[:, 9], t) for t in (0.01, 0.1, 1.0, READ_AT)}


def _secant(minutes: Floats, stress: Floats, strain: Floats, at: float) -> float:
    return float(np.interp(at, minutes, stress) / np.interp(at, minutes, strain))


def published(folder: Path) -> dict[str, Any]:
    """The measured modulus and the authors' own, from their files."""
    measured = coupon(folder).secant(READ_AT)
    files = sorted((folder / "rve_homogenisation" / "LowTemp").glob("*C_hom*.txt"))
    each = {f.stem.replace("_C_hom", "")[-11:]: secant(f) for f in files if "averaged" not in f.name}
    mean = next(secant(f) for f in files if "averaged" in f.name)
    return {"measured_MPa": measured, "rve_MPa": each, "rve_mean_MPa": mean, "micro_scale_MPa": AUTHORS_MICRO}


def aspects(count: int, length: float, rng: np.random.Generator) -> Floats:
    """Lengths over diameter ``[count]``: quantiles of the lognormal distribution, its ends cut, in random order."""
    from scipy.stats import norm

    quantiles = norm.ppf((np.arange(count) + 0.5) / count)
    made = np.clip(length * LENGTH_UM / FIBRE_UM * np.exp(WIDTH * quantiles), SHORTEST, LONGEST)
    return np.asarray(rng.permutation(made))


def cell(n: int, seed: int, fraction: float, a11: float, length: float, matrix_GPa: float) -> dict[str, Any]:
    """Moduli in MPa of one periodic cell of ``n x n x 2n`` voxels, twice as long as wide."""
    rng = np.random.default_rng(seed)
    count = 260 if length < 1.2 else 140
    ratios = aspects(count, length, rng)
    across = 0.5 * (1.0 - a11)
    fibres = microstructure.random_short_fibres(
        fraction, ratios.tolist(), count, orientation=(a11, across, across), cell=(2.0, 1.0, 1.0), seed=seed
    )
    shape = (n, n, 2 * n)
    laws = [
        micro.Elastic(E=matrix_GPa * 1e9, nu=0.3855),
        micro.TransverselyIsotropic("230 GPa", "13.4 GPa", 0.256, 0.3, "27.3 GPa"),
    ]
    rve = micro.RVE(fibres.labels(shape), laws, orientation=fibres.directions(shape), tolerance=1e-4)
    found = micro.engineering_constants(rve.stiffness())
    return {
        "E1_MPa": found.E1 / 1e6, "E2_MPa": found.E2 / 1e6, "nu12": found.nu12, "fibres": count, "shape": list(shape),
        "fibre_voxels": 2.0 * fibres.radius * n, "fraction": float(rve.fractions[1]),
        "aspect_by_length": float((ratios**2).sum() / ratios.sum()), "seed": seed,
        "iterations": int(rve.solver.effective.cg.max()),
    }  # fmt: skip


def _run(n: int, seed: int, **changed: float) -> dict[str, Any]:
    given = {**NOMINAL, **changed}
    row, cost = fresh(cell, n, seed, *(given[name] for name in NOMINAL))
    told = ", ".join(f"{name} {value:.3g}" for name, value in changed.items()) or "nominal"
    print(
        f"CF/PEEK {n}^2 x {2 * n}, seed {seed}, {told}: E1 {row['E1_MPa']:.0f} MPa, fraction {row['fraction']:.4f}, "
        f"fibre {row['fibre_voxels']:.1f} voxels, {cost['wall_s']:.0f} s, {cost['peak_MB']:.0f} MB", flush=True,
    )  # fmt: skip
    return {**row, "changed": changed, "cost": cost}


def part(data: Path, seed: int, n: int, seeds: int) -> dict[str, Any]:
    """Nominal cells of several seeds, one finer, one change at a time, and what follows."""
    nominal = [_run(n, seed + k) for k in range(seeds)]
    finer = _run(3 * n // 2, seed)
    changes = [_run(n, seed, **{name: value}) for name, ends in UNCERTAIN.items() for value in ends]
    told = published(data / FOLDER)
    result = concluded(nominal, finer, changes, told)
    low, high = result["intact_MPa"]
    with_voids = result["with_voids_MPa"]
    print(
        f"CF/PEEK: measured {told['measured_MPa']:.0f} MPa, authors' mean {told['rve_mean_MPa']['7.9 min']:.0f}; ours "
        f"without voids {result['best_MPa']:.0f} ({low:.0f} to {high:.0f}), with voids of {VOIDS[0]:.0%} to "
        f"{VOIDS[1]:.0%} {with_voids[0]:.0f} to {with_voids[1]:.0f}: the measured one is "
        f"{'inside' if result['holds_measured'] else 'outside'}", flush=True,
    )  # fmt: skip
    return {"published": told, "nominal": nominal, "finer": finer, "changes": changes, "result": result,
            "inputs": {"nominal": NOMINAL, "uncertain": UNCERTAIN, "voids": VOIDS}}  # fmt: skip


def concluded(
    nominal: list[dict[str, Any]], finer: dict[str, Any], changes: list[dict[str, Any]], told: dict[str, Any]
) -> dict[str, Any]:
    """The interval of the modulus without voids and with them, and whether it holds the measured one.

    The inputs are changed one at a time to their ends; the changes below and above are each added as squares, with
    two deviations of the mean over seeds and the difference to the finer grid. Voids along the bead take their
    share of the section.
    """
    values = np.array([row["E1_MPa"] for row in nominal])
    grid = finer["E1_MPa"] - values[0]
    best, spread = float(values.mean() + grid), float(values.std(ddof=1))
    below, above = [2.0 * spread / math.sqrt(len(values)), grid], [2.0 * spread / math.sqrt(len(values)), grid]
    effects = {}
    for name in UNCERTAIN:
        ends = [row["E1_MPa"] - values[0] for row in changes if name in row["changed"]]
        effects[name] = ends
        below.append(min(0.0, *ends))
        above.append(max(0.0, *ends))
    intact = [best - float(np.linalg.norm(below)), best + float(np.linalg.norm(above))]
    with_voids = [intact[0] * (1.0 - VOIDS[1]), intact[1] * (1.0 - VOIDS[0])]
    measured, mean = told["measured_MPa"], told["rve_mean_MPa"][f"{READ_AT:g} min"]
    factor = mean / AUTHORS_MICRO["UMAT rightMatrix, long time"]
    return {
        "best_MPa": best, "best_with_authors_voids_MPa": best * factor, "authors_void_factor": factor,
        "std_over_seeds_MPa": spread, "grid_MPa": grid, "effects_MPa": effects,
        "intact_MPa": intact, "with_voids_MPa": with_voids,
        "intact_holds_measured": intact[0] <= measured <= intact[1],
        "holds_measured": with_voids[0] <= measured <= with_voids[1],
        "best_over_measured": best / measured,
        "authors_creep_factor": mean / told["rve_mean_MPa"]["0.01 min"],
    }  # fmt: skip
