"""Plane-strain stiffness of a square array of fibres on a mesh that follows the circle: a reference of high order.

A quarter of the unit cell in polar coordinates, biquadratic elements on curved edges; the symmetric faces carry the
load, so there is nothing periodic to tie. The error falls with the fourth power of the element's size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import skfem
from numpy.typing import NDArray
from skfem.helpers import ddot, sym_grad, trace

Floats = NDArray[np.float64]
Lame = tuple[float, float]


def lame(E: float, nu: float) -> Lame:
    return E * nu / ((1 + nu) * (1 - 2 * nu)), E / (2 * (1 + nu))


def square_array(matrix: Lame, fibre: Lame, fraction: float, n: int) -> Floats:
    """``C11, C12, G12`` of fibres of volume ``fraction``, ``n`` elements across the fibre and across the matrix."""
    problem = _Quarter(matrix, fibre, fraction, n)
    c11 = problem.energy("x", np.array([1.0, 0.0]))
    c12 = 0.5 * problem.energy("x", np.array([1.0, 1.0])) - c11
    return np.array([c11, c12, problem.energy("y", np.array([1.0, 1.0])) / 4.0])


def extrapolated(coarse: Floats, fine: Floats) -> Floats:
    """Richardson's limit of values on elements of two sizes, one half of the other, of fourth order."""
    return np.asarray(fine + (fine - coarse) / 15.0)


class _Quarter:
    def __init__(self, matrix: Lame, fibre: Lame, fraction: float, n: int) -> None:
        s, t = np.linspace(0.0, 2.0, 2 * n + 1), np.linspace(0.0, 0.5 * math.pi, 2 * n + 1)
        flat = skfem.MeshQuad2.from_mesh(skfem.MeshQuad.init_tensor(s, t))
        self.basis = skfem.Basis(
            skfem.MeshQuad2(_mapped(flat.doflocs, math.sqrt(fraction / math.pi)), flat.t),
            skfem.ElementVector(skfem.ElementQuad2()),
            intorder=6,
        )
        inside = flat.p[0][flat.t].mean(0) < 1.0
        lam, mu = (np.where(inside, b, a)[:, None] for a, b in zip(matrix, fibre, strict=True))

        @skfem.BilinearForm  # type: ignore[untyped-decorator]
        def stiffness(u: Any, v: Any, _: Any) -> Any:
            e, d = sym_grad(u), sym_grad(v)
            return lam * trace(e) * trace(d) + 2.0 * mu * ddot(e, d)

        self.matrix = stiffness.assemble(self.basis)

    def energy(self, component: str, size: Floats) -> float:
        """Twice the mean energy, the displacement ``component`` ("x" normal, "y" along) given on faces normal to x."""
        held, value = [], self.basis.zeros()
        for axis, strain in enumerate(size):
            slot = axis if component == "x" else 1 - axis
            for place in (0.0, 0.5):
                dofs = self.basis.get_dofs(lambda x, axis=axis, place=place: np.abs(x[axis] - place) < 1e-9)
                found = dofs.all([f"u^{slot + 1}"])
                value[found] = place * strain
                held.append(found)
        u = skfem.solve(*skfem.condense(self.matrix, x=value, D=np.unique(np.concatenate(held))))
        return float(u @ self.matrix @ u) / 0.25


def _mapped(places: Floats, radius: float) -> Floats:
    """Points of the quarter: ``s`` in [0, 1] runs through the fibre, in [1, 2] on to the cell's faces."""
    s, angle = places
    edge = 0.5 / np.maximum(np.cos(angle), np.sin(angle))
    r = np.where(s < 1.0, s * radius, radius + (s - 1.0) * (edge - radius))
    return np.stack([r * np.cos(angle), r * np.sin(angle)])
