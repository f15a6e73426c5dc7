"""A plate with a hole, of slanted layers: ScaleBridge learns its law, and FEniCSx solves the plate with it.

    apt-get install python3-dolfinx
    python examples/fenicsx_plate/fenicsx_plate.py [PYTHON]     # the interpreter that has dolfinx; /usr/bin/python3

What was learned leaves as `out/fenicsx_plate/law.py`. `fenicsx_side.py` runs in the other interpreter, which has no
ScaleBridge, and calls it at the quadrature points of triangles of first and of second order. On the same triangles
with the same law our own solid says the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

import scalebridge as sb
from scalebridge.macro.solid import QUADRATURE

DEBIAN = "/usr/bin/python3"
SIDE = Path(__file__).parent / "fenicsx_side.py"
PULL = 2e-4  # m
THICKNESS = 2e-3  # m

# Half glass, half a polymer that yields at 1 %; the layers lie at 30 degrees to the pull.
LAYERS = sb.problems.PowerLawLaminate(
    sb.problems.PowerLawSolid(bulk=42e9, shear=30e9),
    sb.problems.PowerLawSolid(bulk=4e9, shear=1.3e9, exponent=0.4, yield_strain=0.01),
    angle=np.deg2rad(120),
)


def plate(order: int) -> sb.macro.Solid:
    """The plate in our own solid: clamped left, pulled to the right."""
    return sb.macro.Solid(
        sb.macro.meshes.plate_with_hole("40 mm", "20 mm", "4 mm", n=6),
        displacement={"left": (0, 0), "right": (PULL, 0)},
        qois={"force": sb.macro.ReactionForce("right", "x")},
        order=order,
        thickness=THICKNESS,
    )


def has_dolfinx(python: str) -> bool:
    """Whether an interpreter finds dolfinx."""
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('dolfinx') is None)"
    try:
        return subprocess.run([python, "-c", look], capture_output=True).returncode == 0
    except OSError:
        return False


def in_fenicsx(solid: sb.macro.Solid, folder: Path, python: str = DEBIAN) -> dict[str, Any]:
    """Solve the plate in FEniCSx with the ``law.py`` of a folder.

    Returns:
        force (N), displacement ``[n, 2]`` (m) at our solid's nodes, n_steps of Newton, n_outside of the states.
    """
    space = solid.discrete.space
    # Nodes on edges: scikit-fem has the edges 01, 12, 02; dolfinx has the edge opposite to each corner.
    cells = space.cells.dofs[:, [0, 1, 2, 4, 5, 3]] if solid.order == 2 else space.cells.dofs
    degree = QUADRATURE["triangle", solid.order]
    np.savez(folder / "problem.npz", points=space.locations, cells=cells, pull=PULL, degree=degree)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [python, str(SIDE), str(folder)], capture_output=True, text=True, env=environment, timeout=200
    )
    if done.returncode:
        raise SystemExit(f"FEniCSx ended with {done.returncode}: {done.stderr[-2000:]}")
    with np.load(folder / "answer.npz") as file:
        answer = {name: file[name] for name in file.files}
    return {
        "force": float(THICKNESS * answer["force"][0]),
        "displacement": answer["displacement"][same_points(space.locations, answer["points"])],
        "n_steps": int(answer["n_steps"]),
        "n_outside": int(answer["n_outside"]),
    }


def same_points(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Which of their points ``[n, 2]`` each of ours ``[n, 2]`` is."""
    distance = np.linalg.norm(ours[:, None] - theirs, axis=2)
    assert ours.shape == theirs.shape and distance.min(axis=1).max() < 1e-12
    return np.asarray(distance.argmin(axis=1))


def in_our_solid(solid: sb.macro.Solid, surrogate: Any) -> dict[str, Any]:
    """Solve the plate in our own solid with the surrogate itself; as `in_fenicsx`, without the steps."""

    def closure(x: np.ndarray) -> sb.models.ClosureValue:
        values, tangent = surrogate.predict(x)
        return sb.models.ClosureValue(values, tangent, surrogate.domain.contains(x))

    solution = solid.solve(closure)
    assert solution.converged, solution.reason
    return {
        "force": solution.qois["force"],
        "displacement": solution.restart.values,
        "n_outside": np.count_nonzero(~surrogate.domain.contains(solution.states)),
    }


def main(python: str, folder: Path) -> None:
    if not has_dolfinx(python):
        print(f"{python} has no dolfinx: apt-get install python3-dolfinx, or name an interpreter that has it.")
        return
    folder.mkdir(parents=True, exist_ok=True)
    answer = sb.solve(plate(order=2), LAYERS, qoi="force", rtol=0.01, progress="none")
    print(f"learned from {answer.micro_runs} runs: force {answer.value:.1f} N in {np.round(answer.interval, 1)}")
    sb.exchange.export_python(answer.surrogate, folder, name="law")

    for order in (1, 2):
        solid = plate(order)
        theirs, ours = in_fenicsx(solid, folder, python), in_our_solid(solid, answer.surrogate)
        force = abs(theirs["force"] / ours["force"] - 1)
        displacement = np.abs(theirs["displacement"] - ours["displacement"]).max() / PULL
        print(
            f"order {order}: FEniCSx {theirs['force']:.4f} N in {theirs['n_steps']} Newton steps, "
            f"{theirs['n_outside']} of {solid.n_states} states outside what was learned; "
            f"our solid's force differs by {force:.1e}, its displacements by {displacement:.1e} of the pull"
        )
        assert force < 1e-8 and displacement < 1e-8 and theirs["n_outside"] == ours["n_outside"]
    # Learned for the elements of second order, the last ones here: the interval is for the layers themselves on them.
    low, high = answer.interval
    assert answer.converged and low <= theirs["force"] <= high


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else DEBIAN, Path("out/fenicsx_plate"))
