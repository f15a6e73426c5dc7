"""Do the micro runs grow with the macro mesh? And what does a second load on the same material cost?

``python -m benchmarks.growth --json FILE [--seed N] [--meshes 4 8 16 32 64] [--seeds 5] [--loads 20]``. A smooth
geometry (quarter plate with a hole) and one with a re-entrant corner (L-bracket), 96 to 24 576 elements; then 20
further loads with the first answer's surrogate; then the mesh estimate against a much finer mesh.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import scalebridge as sb
from scalebridge import macro
from scalebridge.macro import ReactionForce
from scalebridge.problems import direct_closure, random_laminate

RTOL = 0.01
LEVEL = 0.01
# The truth of the mesh estimate comes from a mesh of this many cells along a side.
FINEST = 64


def smooth(n: int, level: float, order: int = 1) -> Any:
    """Quarter of a plate with a hole, about ``6 n^2`` triangles as the bracket has, pulled along x."""
    cells = 2 * int(np.ceil(np.sqrt(3) * n / 2))
    mesh = macro.meshes.plate_with_hole(2.0, 2.0, 0.4, cells, part="quarter")
    held = {"left": (0.0, None), "bottom": (None, 0.0), "right": (level, None)}
    return macro.Solid(mesh, held, qois={"force": ReactionForce("right", "x")}, order=order)


def corner(n: int, level: float, order: int = 1) -> Any:
    """L-bracket of ``6 n^2`` triangles, held at the top and pushed at the end of its foot."""
    mesh = macro.meshes.l_bracket(1.0, n)
    held = {"top": (0.0, 0.0), "right": (None, 2 * level)}
    return macro.Solid(mesh, held, qois={"force": ReactionForce("right", "y")}, order=order)


GEOMETRIES = {"smooth": smooth, "corner": corner}


def growth(geometry: str, n: int, seed: int) -> dict[str, Any]:
    """One solve at mesh ``n``."""
    body = GEOMETRIES[geometry](n, LEVEL)
    begun = time.perf_counter()
    answer = sb.solve(
        body, _material(seed), qoi="force", rtol=RTOL, seed=seed, progress="none", budget=200
    )  # fmt: skip
    return {
        "geometry": geometry, "n": n, "seed": seed, "elements": body.domain.mesh.t.shape[1],
        "states": body.n_states, "runs": answer.micro_runs, "converged": answer.converged, "reason": answer.reason,
        "macro_solves": answer.macro_solves, "seconds": time.perf_counter() - begun,
    }  # fmt: skip


def second_loads(seed: int, count: int) -> list[dict[str, Any]]:
    """Further loads on one material, each with the surrogate of the answer before it."""
    rng = np.random.default_rng(seed)
    material = _material(seed)
    surrogate = sb.solve(corner(4, LEVEL), material, qoi="force", rtol=RTOL, seed=seed, progress="none").surrogate
    rows = []
    for number in range(count):
        level = LEVEL * float(rng.uniform(0.5, 1.2)) * float(rng.choice([-1.0, 1.0]))
        body = corner(4, level)
        answer = sb.solve(
            body, material, qoi="force", rtol=RTOL, seed=seed + 1 + number, progress="none", surrogate=surrogate
        )
        surrogate = answer.surrogate
        truth = body.solve(direct_closure(material)).qois["force"]
        low, high = answer.interval
        rows.append(
            {"level": level, "runs": answer.micro_runs, "converged": answer.converged, "covers": low <= truth <= high}
        )
    return rows


def effectivity(geometry: str, n: int, order: int, seed: int) -> dict[str, Any]:
    """Estimated over true mesh error, the truth from the same body at order 2 on a nested mesh of ``FINEST``."""
    material = _material(seed)
    closure = direct_closure(material)
    body = GEOMETRIES[geometry](n, LEVEL, order)
    solution = body.solve(closure)
    estimate = body.mesh_estimate(solution, closure, "force").error
    fine = GEOMETRIES[geometry](n, LEVEL, 2)
    for _ in range(int(np.log2(FINEST / n))):
        fine = fine.refined_everywhere()
    true = fine.solve(closure).qois["force"] - solution.qois["force"]
    return {"geometry": geometry, "n": n, "order": order, "seed": seed, "effectivity": estimate / true}


def _material(seed: int) -> Any:
    return random_laminate(np.random.default_rng([17, seed]))


def by_mesh(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Median runs at each mesh, finest over coarsest, share converged."""
    sizes = sorted({r["n"] for r in rows})
    median = {str(n): float(np.median([r["runs"] for r in rows if r["n"] == n])) for n in sizes}
    return {
        "median_runs": median,
        "elements": {str(n): next(r["elements"] for r in rows if r["n"] == n) for n in sizes},
        "finest_over_coarsest": median[str(sizes[-1])] / median[str(sizes[0])],
        "converged": float(np.mean([r["converged"] for r in rows])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--meshes", type=int, nargs="*", default=[4, 8, 16, 32, 64])
    parser.add_argument("--loads", type=int, default=20)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for geometry in GEOMETRIES:
        for n in options.meshes:
            for seed in range(options.seed, options.seed + options.seeds):
                rows.append(growth(geometry, n, seed))
                r = rows[-1]
                print(
                    f"{geometry:6s} {r['elements']:6d} elements  seed {seed}  {r['runs']:3d} runs  "
                    f"{'converged' if r['converged'] else r['reason']}  {r['seconds']:.1f} s", flush=True,
                )  # fmt: skip
    loads = second_loads(options.seed, options.loads)
    runs = [r["runs"] for r in loads]
    effect = [
        effectivity(geometry, n, order, options.seed)
        for geometry in GEOMETRIES
        for n, order in ((8, 1), (16, 1), (4, 2), (8, 2))
    ]
    figures = {
        "benchmark": "growth",
        "seed": options.seed,
        "by_mesh": {g: by_mesh([r for r in rows if r["geometry"] == g]) for g in GEOMETRIES},
        "second_load": {
            "median_runs": float(np.median(runs)),
            "most_runs": max(runs),
            "converged": float(np.mean([r["converged"] for r in loads])),
            "coverage": float(np.mean([r["covers"] for r in loads])),
        }
        if loads
        else None,
        "effectivity": effect,
        "rows": rows,
        "loads": loads,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1))
    print(json.dumps({k: figures[k] for k in ("by_mesh", "second_load", "effectivity")}, indent=1))


if __name__ == "__main__":
    main()
