"""The mechanics of a rank-one laminate: two phases, each under a uniform field, that differ by a jump.

With the jump operator ``N [d, k]`` the field of phase 1 is ``x + (1-f) N a`` and that of phase 2 ``x - f N a``;
the jump ``a [k]`` balances the tractions, ``N' (y1 - y2) = 0``, and minimises the mean energy where both phases
are convex. Source: G. W. Milton, The Theory of Composites (2002), chapter 9.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from scalebridge.quantities import Floats


class Phase(Protocol):
    """A phase with a convex potential."""

    def respond(self, x: Floats) -> tuple[Floats, Floats]:
        """Conjugate ``[b, d]`` of the field ``x [b, d]`` and its derivative ``[b, d, d]``."""


def mix(first: Phase, second: Phase, fraction: float, jump: Floats, x: Floats, a: Floats) -> tuple[Floats, Floats]:
    """Mean conjugate ``[b, d]`` and consistent tangent ``[b, d, d]`` at ``x [b, d]`` with balanced jumps ``a``."""
    y1, d1 = first.respond(x + (1 - fraction) * a @ jump.T)
    y2, d2 = second.respond(x - fraction * a @ jump.T)
    stiffness = jump.T @ ((1 - fraction) * d1 + fraction * d2) @ jump
    coupling = jump.T @ (d1 - d2)
    relaxed = np.swapaxes(coupling, 1, 2) @ np.linalg.solve(stiffness, coupling)
    tangent: Floats = fraction * d1 + (1 - fraction) * d2 - fraction * (1 - fraction) * relaxed
    return fraction * y1 + (1 - fraction) * y2, 0.5 * (tangent + np.swapaxes(tangent, 1, 2))


def balanced_jump(
    first: Phase, second: Phase, fraction: float, jump: Floats, x: Floats, *, rtol: float = 1e-13, max_steps: int = 200
) -> Floats:
    """Jumps ``[b, k]`` that balance the tractions at ``x [b, d]``; NaN in a row that did not get there.

    Newton's method from the jump of the phases' tangents at zero. For a convex energy the Newton direction
    reduces the norm of the imbalance, so that halving the step until it does converges from anywhere.
    """

    def imbalance(rows: Floats, a: Floats) -> tuple[Floats, Floats, Floats]:
        y1, d1 = first.respond(rows + (1 - fraction) * a @ jump.T)
        y2, d2 = second.respond(rows - fraction * a @ jump.T)
        slope = jump.T @ ((1 - fraction) * d1 + fraction * d2) @ jump
        size = np.linalg.norm(y1, axis=1) + np.linalg.norm(y2, axis=1)
        return (y1 - y2) @ jump, slope, size

    a = np.zeros((len(x), jump.shape[1]))
    active = np.arange(len(x))
    residual, slope, size = imbalance(x, a)
    for _ in range(max_steps):
        norm = np.linalg.norm(residual, axis=1)
        left = norm > rtol * size
        active, residual, slope, norm = active[left], residual[left], slope[left], norm[left]
        if not len(active):
            return a
        step = -np.linalg.solve(slope, residual[:, :, None])[:, :, 0]
        factor = np.ones(len(active))
        for _ in range(40):
            residual, slope, size = imbalance(x[active], a[active] + factor[:, None] * step)
            worse = np.linalg.norm(residual, axis=1) > np.maximum((1 - 1e-4 * factor) * norm, rtol * size)
            if not worse.any():
                break
            factor = np.where(worse, 0.5 * factor, factor)
        a[active] += factor[:, None] * step
    a[active] = np.nan
    return a
