"""What a discretisation must offer: a gradient, its adjoint, and what they are in Fourier space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from scalebridge.micro.rve.grid import Grid


class Discretisation(Protocol):
    """Periodic displacements (or temperatures) at the nodes of a grid, and their gradients in the voxels.

    Fields are ``[b, c, *grid]`` (``b`` rows, ``c`` components: 1, 2 or 3); gradients ``[b, Q, c, d, *grid]`` with
    ``Q`` points per voxel of equal weight and ``d`` directions, direction 1 (index 0) along the **last** axis of
    the grid. Node ``(i, j, k)`` is the first corner of voxel ``(i, j, k)``. Work arrays are made once, for one
    ``b`` and ``c``, and kept: fresh temporaries of this size would be mapped and page-faulted at every operation.
    Constructor: ``(grid, b, c, device, dtype)``.
    """

    grid: Grid
    points: int

    def gradient(self, u: Tensor, out: Tensor) -> Tensor:
        """Write the gradient ``[b, Q, c, d, *grid]`` (component i, direction j: du_i/dx_j) of ``u`` to ``out``."""

    def divergence(self, flux: Tensor, out: Tensor) -> Tensor:
        """Write the adjoint of `gradient`, divided by Q, ``[b, c, *grid]`` of ``flux [b, Q, c, d, *grid]``, to ``out``.

        ``sum(out * u) = mean over Q of sum(flux * gradient(u))``: of a stress it is the nodal force, minus the
        divergence.
        """

    def metric(self) -> Tensor:
        """Return ``M [d, d, *half]``, float64 and real: the mean over Q of ``conj(k_j) k_l``, k the symbol of d/dx_j.

        ``half`` is the shape of the spectrum of a real field (rfftn over the axes of the grid). Modes that strain
        nothing (the mean; the hourglass modes of reduced integration) are exactly zero.
        """
