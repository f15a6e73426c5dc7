"""Anderson's acceleration of corrections whose stiffness is not the true tangent.

CalculiX has one stiffness for all points of a cell, and a symmetric one. Where the tangents of a cell differ, or are
not symmetric, its corrections converge linearly; the best affine combination of the last few converges like a Krylov
method. Source: D. G. Anderson, Iterative procedures for nonlinear integral equations, J. ACM 12 (1965); Walker and Ni,
Anderson acceleration for fixed-point iterations, SIAM J. Numer. Anal. 49 (2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.quantities import Floats
from scalebridge.simulators.calculix.linear import Change

# A displacement field [n, 2] and its strain [e, q, 3].
Pair = tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class History:
    """The last fields and what CalculiX would have changed at them.

    Args:
        root_weights: ``[e, q]``, roots of the volumes of the states, for the norm of strains.
        depth: how many are kept; 0 for none.
        fields: displacements and strains.
        changes: displacements and strains.
    """

    root_weights: Floats
    depth: int
    fields: tuple[Pair, ...] = ()
    changes: tuple[Pair, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether there is something to combine."""
        return len(self.fields) >= 2

    def forgotten(self) -> History:
        """The same without its entries."""
        return History(self.root_weights, self.depth)

    def with_entry(self, u: Floats, strain: Floats, change: Change) -> History:
        """The same with one more entry, the oldest dropped."""
        if not self.depth:
            return self
        fields = (*self.fields, (u, strain))[-self.depth :]
        changes = (*self.changes, (change.u, change.strain))[-self.depth :]
        return History(self.root_weights, self.depth, fields, changes)

    def improved(self, change: Change) -> Change:
        """The change to make at the last entry in place of its own."""
        (u, strain), (du, dstrain) = self.fields[-1], self.changes[-1]
        steps = [(u - v, strain - s) for v, s in self.fields[:-1]]
        falls = [(du - v, dstrain - s) for v, s in self.changes[:-1]]
        columns = np.stack([(self.root_weights[..., None] * s).ravel() for _, s in falls], axis=1)
        size = np.linalg.norm(columns, axis=0)
        if not (size > 0).all():
            return change
        wanted = (self.root_weights[..., None] * dstrain).ravel()
        gamma = np.linalg.lstsq(columns / size, wanted, rcond=1e-8)[0] / size
        new_u, new_strain = change.u.copy(), change.strain.copy()
        for factor, step, fall in zip(gamma.tolist(), steps, falls, strict=True):
            new_u -= factor * (step[0] + fall[0])
            new_strain -= factor * (step[1] + fall[1])
        return Change(new_u, new_strain, change.reaction)
