"""Random two-scale problems of solids, with their answers by direct coupling, for the benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge import macro, micro
from scalebridge.macro import MeanDisplacement, MeanStress, ReactionForce
from scalebridge.macro.quantities_of_interest import Region
from scalebridge.models import Model
from scalebridge.problems import direct_closure, random_laminate

RVE_PIXELS = 16
# Of five problems two have an RVE as micro model, the others an analytic laminate.
KINDS = ("laminate", "laminate", "rve", "laminate", "rve")


@dataclass(frozen=True)
class Problem:
    """A macro problem, its micro model and the quantity asked for."""

    macro: Any
    micro: Model
    qoi: str
    kind: str
    geometry: str
    local: bool

    def direct(self, start: Any) -> float | None:
        """The quantity by a micro solve at every state and iteration; ``None`` where it has no solution."""
        solution = self.macro.solve(direct_closure(self.micro), start)
        if not solution.converged:
            solution = self.macro.solve(direct_closure(self.micro), None)
        return float(solution.qois[self.qoi]) if solution.converged else None


@dataclass(frozen=True)
class GivenGrid:
    """An RVE taken as the truth on its own grid, as direct coupling takes it: it offers no finer version."""

    rve: Any
    finer = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.rve, name)


def random_problem(seed: int, number: int) -> Problem:
    """Draw problem ``number``: material, geometry, load and quantity all vary."""
    rng = np.random.default_rng([seed, number])
    kind = KINDS[number % len(KINDS)]
    material: Model = random_laminate(rng) if kind == "laminate" else random_rve(rng)
    local = bool(rng.random() < 0.5)
    level = float(np.exp(rng.uniform(np.log(5e-3), np.log(6e-2))))
    bracket = bool(rng.random() < 0.4)
    by_force = bool(rng.random() < 0.3)
    body = (_bracket if bracket else _plate)(rng, level, by_force)
    qoi = "local" if local else ("displacement" if by_force else "force")
    return Problem(body, material, qoi, kind, "bracket" if bracket else "plate", local)


def random_rve(rng: np.random.Generator) -> Any:
    """A periodic cell of stiff discs in a power-law matrix, ``RVE_PIXELS`` squared."""
    image = np.zeros((RVE_PIXELS, RVE_PIXELS), dtype=np.int64)
    y, x = np.mgrid[:RVE_PIXELS, :RVE_PIXELS] + 0.5
    half = RVE_PIXELS / 2
    for _ in range(int(rng.integers(1, 4))):
        centre, radius = rng.uniform(0, RVE_PIXELS, 2), rng.uniform(0.15, 0.3) * RVE_PIXELS
        gap = np.hypot((y - centre[0] + half) % RVE_PIXELS - half, (x - centre[1] + half) % RVE_PIXELS - half)
        image[gap < radius] = 1
    modulus = float(rng.uniform(2e9, 5e9))
    matrix = micro.PowerLaw(
        E=modulus, nu=float(rng.uniform(0.3, 0.4)), yield_stress=modulus * float(rng.uniform(0.005, 0.02)),
        n=float(rng.uniform(0.1, 0.5)),
    )  # fmt: skip
    inclusion = micro.Elastic(E=modulus * float(np.exp(rng.uniform(np.log(3), np.log(30)))), nu=0.22)
    return GivenGrid(micro.RVE(image, [matrix, inclusion]))


def _bracket(rng: np.random.Generator, level: float, by_force: bool) -> Any:
    mesh = macro.meshes.l_bracket(1.0, 4)
    sign = float(rng.choice([-1.0, 1.0]))
    region = Region(box=((0.25, 0.5), (0.5, 0.75)))
    return _body(mesh, {"top": (0.0, 0.0)}, "right", "y", 2 * sign * level, sign * level * 3e8, by_force, region, "yy")


def _plate(rng: np.random.Generator, level: float, by_force: bool) -> Any:
    mesh = macro.meshes.plate_with_hole(2.0, 2.0, float(rng.uniform(0.3, 0.5)), 8, part="quarter")
    sign = float(rng.choice([-1.0, 1.0]))
    held: dict[str, Any] = {"left": (0.0, None), "bottom": (None, 0.0)}
    region = Region(near=(0.0, 0.4), radius=0.3)
    return _body(mesh, held, "right", "x", sign * level, sign * level * 1e9, by_force, region, "xx")


def _body(
    mesh: Any, held: dict[str, Any], side: str, direction: str, move: float, pull: float, by_force: bool,
    region: Region, component: str,
) -> Any:  # fmt: skip
    column = "xy".index(direction)
    qois: dict[str, Any] = {"local": MeanStress(component, region)}
    if by_force:
        traction = [0.0, 0.0]
        traction[column] = pull
        qois["displacement"] = MeanDisplacement(side, direction)
        return macro.Solid(mesh, held, {side: tuple(traction)}, qois=qois)
    driven: list[float | None] = [None, None]
    driven[column] = move
    qois["force"] = ReactionForce(side, direction)
    return macro.Solid(mesh, {**held, side: tuple(driven)}, qois=qois)
