"""Berea sandstone as voxels: diffusion, permeability, stiffness of the dry rock, and their scatter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._cost import fresh
from benchmarks.permeability import FILE, LITERATURE, VOXEL, Mask, berea, solve
from scalebridge import micro

# Quartz, in Pa.
BULK, SHEAR = 37e9, 44e9
BESIDE = {
    "formation factor": {
        "pore network of the 400^3, a network model (conduits of given shapes), not these voxels": 14.57,
        "DeePore's network, trained on pore networks, for another cut of Berea: a prediction": 26.9,
    },
    "permeability, mD": LITERATURE,
}


def diffusion(image: Mask) -> dict[str, Any]:
    """Tortuosity and formation factor along x, y, z."""
    found = micro.tortuosity(image, fluid=True, boundary="mirror")
    return {
        "voxels": list(image.shape), "porosity": found.porosity, "isolated": found.isolated,
        "tortuosity": found.tortuosity.tolist(), "formation_factor": found.formation_factor.tolist(),
        "mean_formation_factor": float(3.0 / (1.0 / found.formation_factor).sum()),
        "iterations": list(found.iterations),
    }  # fmt: skip


def elasticity(image: Mask, discretisation: str, tolerance: float) -> dict[str, Any]:
    """Bulk and shear modulus of the dry rock in GPa beside their Hashin-Shtrikman bounds."""
    E, nu = 9.0 * BULK * SHEAR / (3.0 * BULK + SHEAR), (3.0 * BULK - 2.0 * SHEAR) / (6.0 * BULK + 2.0 * SHEAR)
    laws = [micro.Elastic(E=E, nu=nu), micro.Void()]
    rve = micro.RVE(image.astype(np.int64), laws, tolerance=tolerance, discretisation=discretisation)
    near = micro.nearest_isotropic(rve.stiffness())
    porosity = float(image.mean())
    bulk, shear = micro.hashin_shtrikman([1.0 - porosity, porosity], [BULK, 0.0], [SHEAR, 0.0])
    return {
        "voxels": list(image.shape), "discretisation": discretisation, "tolerance": tolerance, "porosity": porosity,
        "K_GPa": near.bulk / 1e9, "G_GPa": near.shear / 1e9, "E_GPa": near.E / 1e9, "anisotropy": near.distance,
        "K_bounds_GPa": [bulk.lower / 1e9, bulk.upper / 1e9], "G_bounds_GPa": [shear.lower / 1e9, shear.upper / 1e9],
        "within_bounds": bulk.holds(near.bulk) and shear.holds(near.shear),
        "iterations": [int(n) for n in rve.solver.effective.cg[0]],
    }  # fmt: skip


def scatter(image: Mask, size: int) -> dict[str, Any]:
    """Porosity, tortuosity and formation factor of the boxes of a grid that does not overlap; they may not connect."""
    starts = [range((n % size) // 2, n - size + 1, size) for n in image.shape]
    boxes = [image[a : a + size, b : b + size, c : c + size] for a in starts[0] for b in starts[1] for c in starts[2]]
    rows = [micro.tortuosity(box, fluid=True, boundary="mirror", tolerance=1e-4) for box in boxes]
    conduct = np.concatenate([np.diag(row.relative) for row in rows])
    held = conduct > 0.0
    factor = 1.0 / conduct[held]
    return {
        "size": size, "boxes": len(boxes),
        "porosity": [float(np.mean([r.porosity for r in rows])), float(np.std([r.porosity for r in rows], ddof=1))],
        "closed_directions": int((~held).sum()), "directions": len(conduct),
        "median_formation_factor": float(np.median(factor)),
        "middle_half": [float(q) for q in np.quantile(factor, [0.25, 0.75])],
        "mean_relative_diffusivity": float(conduct.mean()), "its_std": float(conduct.std(ddof=1)),
        "each": [[r.porosity, *np.diag(r.relative).tolist()] for r in rows],
    }  # fmt: skip


def permeability(image: Mask) -> dict[str, Any]:
    """Permeability along x, y, z, known to 1 % of what the voxels make it."""
    return solve(image, VOXEL, "mirror", "all", 1e-2)


def part(data: Path, seed: int) -> dict[str, Any]:
    """All of Berea; the seed places the cuts whose stiffness is found."""
    whole = berea(data / FILE, 200, seed)
    cut = berea(data / FILE, 100, seed)
    small = berea(data / FILE, 50, seed)
    found: dict[str, Any] = {"beside": BESIDE, "voxel_size_m": VOXEL, "voxel_size": "inferred: 2.138 mm / 400"}
    found["diffusion"], cost = fresh(diffusion, whole)
    found["diffusion"]["cost"] = cost
    factors = ", ".join(f"{f:.2f}" for f in found["diffusion"]["formation_factor"])
    print(
        f"Berea 200^3: F {factors} (network model {14.57}), {cost['wall_s']:.1f} s, {cost['peak_MB']:.0f} MB",
        flush=True,
    )
    found["scatter"] = [scatter(whole, size) for size in (50, 100)]
    for row in found["scatter"]:
        print(
            f"Berea boxes of {row['size']}: porosity {row['porosity'][0]:.3f} ± {row['porosity'][1]:.3f}, F in the "
            f"middle half {row['middle_half'][0]:.0f} to {row['middle_half'][1]:.0f}, {row['closed_directions']} of "
            f"{row['directions']} directions closed", flush=True,
        )  # fmt: skip
    found["permeability"], cost = fresh(permeability, whole)
    found["permeability"]["cost"] = cost
    told = ", ".join(f"{v:.0f}" for v in np.diag(found["permeability"]["mD"]))
    print(
        f"Berea 200^3: {told} mD (lattice Boltzmann of the 400^3: 1286), {cost['wall_s']:.0f} s, "
        f"{cost['peak_MB']:.0f} MB", flush=True,
    )  # fmt: skip
    found["elasticity"] = []
    for image, discretisation in [(small, "rotated"), (small, "hexahedra"), (cut, "hexahedra")]:
        row, cost = fresh(elasticity, image, discretisation, 1e-3)
        found["elasticity"].append({**row, "cost": cost})
        print(
            f"Berea {image.shape[0]}^3 dry, {discretisation}: K {row['K_GPa']:.2f}, G {row['G_GPa']:.2f} GPa (at most "
            f"{row['K_bounds_GPa'][1]:.2f}, {row['G_bounds_GPa'][1]:.2f}), {max(row['iterations'])} iterations, "
            f"{cost['wall_s']:.0f} s, {cost['peak_MB']:.0f} MB", flush=True,
        )  # fmt: skip
    return found
