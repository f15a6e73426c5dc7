"""A user's own macro class and micro function, written from the documented protocol alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import scalebridge as sb

MODULUS, YIELD = 200e9, 1e-3
CALLS: list[float] = []


@sb.model(inputs={"strain": "1"}, outputs={"stress": "Pa"})
def steel(strain: float) -> dict[str, float]:
    """Stress that hardens less and less beyond the yield strain."""
    CALLS.append(strain)
    return {"stress": MODULUS * YIELD * np.arcsinh(strain / YIELD)}


@dataclass(frozen=True)
class Beam:
    """Fibres over the height of a beam under a bending moment (N mm); asks strain -> stress in MPa."""

    moment: float = 100e3
    n_fibres: int = 40
    height: float = 10.0
    iterations: int = 40

    closure_inputs = sb.Space({"strain": "1"})
    closure_outputs = sb.Space({"stress": "MPa"})

    def solve(self, closure: Any, start: Any = None) -> sb.MacroSolution:
        z = (np.arange(self.n_fibres) + 0.5) / self.n_fibres * self.height - self.height / 2
        area = self.height**2 / self.n_fibres
        curvature = 1e-4 if start is None else start
        for _ in range(self.iterations):
            answer = closure((curvature * z)[:, None])
            force = area * z @ answer.values[:, 0]
            stiffness = area * z**2 @ answer.tangent[:, 0, 0]
            curvature += (self.moment - force) / stiffness
        answer = closure((curvature * z)[:, None])
        stiffness = area * z**2 @ answer.tangent[:, 0, 0]
        top = float(curvature * self.height / 2)
        weights = {"curvature": -area * z / stiffness, "top_strain": -area * z / stiffness * self.height / 2}
        return sb.MacroSolution(
            {"curvature": float(curvature), "top_strain": top},
            (curvature * z)[:, None],
            lambda qoi: weights[qoi][:, None],
            restart=float(curvature),
            converged=bool(np.isfinite(curvature)),
            reason=None if np.isfinite(curvature) else "the curvature is not finite",
        )


def exact_curvature(beam: Beam) -> float:
    """With the function itself at every fibre."""

    def direct(x: np.ndarray) -> sb.ClosureValue:
        stress = 1e-6 * MODULUS * YIELD * np.arcsinh(x / YIELD)
        tangent = 1e-6 * MODULUS / np.sqrt(1 + (x / YIELD) ** 2)
        return sb.ClosureValue(stress, tangent[:, :, None], np.ones(len(x), dtype=bool))

    return beam.solve(direct).qois["curvature"]
