"""Representative states to begin with, without a micro run."""

from __future__ import annotations

import numpy as np

from scalebridge.macro.discrete import Discrete
from scalebridge.macro.newton import factorised
from scalebridge.models import ClosureValue
from scalebridge.quantities import Floats


class Linear:
    """A linear law ``y = C x``."""

    def __init__(self, matrix: Floats) -> None:
        self.matrix = matrix

    def __call__(self, x: Floats) -> ClosureValue:
        """Answer at ``x [n, d]``."""
        tangent = np.broadcast_to(self.matrix, (len(x), *self.matrix.shape))
        return ClosureValue(x @ self.matrix.T, tangent, np.ones(len(x), dtype=bool))


def plane_strain(poisson: float = 0.3) -> Linear:
    """Return an isotropic law of unit stiffness in plane strain, Mandel components."""
    trace = np.array([1.0, 1.0, 0.0])
    return Linear(np.eye(3) + poisson / (1 - 2 * poisson) * np.outer(trace, trace))


def linear_field(discrete: Discrete, law: Linear | None) -> Floats | None:
    """Return the field ``[n]`` that the prescribed values alone give in a linear law (unit conductivity where None)."""
    unit = _Constant() if law is None else law
    at = discrete.evaluate(unit, discrete.reference)
    matrices = discrete.cell_matrices(at)
    factor = factorised(discrete, matrices)
    if factor is None:
        return None
    step = discrete.target - discrete.reference
    step[discrete.free] = 0.0
    known = at.internal + discrete.times(matrices, step)
    step[discrete.free] = -factor.solve(known[discrete.free])
    return np.asarray(discrete.reference + step)


class _Constant:
    """A conductivity of one."""

    def __call__(self, x: Floats) -> ClosureValue:
        """Answer at ``x [n, d]``."""
        n, d = x.shape
        return ClosureValue(np.ones((n, 1)), np.zeros((n, 1, d)), np.ones(n, dtype=bool))


def spread(states: Floats, count: int) -> Floats:
    """Return ``count`` states of ``[n, d]`` that lie far from each other, the largest first.

    Farthest-point selection; a distance counts more the larger the state is, for that is where errors weigh.
    """
    size = np.linalg.norm(states - states.mean(0) if states.shape[1] == 1 else states, axis=1)
    top = float(size.max())
    if top <= 0:
        return states[:1]
    chosen = [int(np.argmax(size))]
    distance = np.full(len(states), np.inf)
    while len(chosen) < min(count, len(states)):
        distance = np.minimum(distance, np.linalg.norm(states - states[chosen[-1]], axis=1))
        score = distance * (0.25 + size / top)
        if score.max() <= 1e-9 * top:
            break
        chosen.append(int(np.argmax(score)))
    return np.ascontiguousarray(states[chosen])
