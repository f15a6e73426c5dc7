"""Which law holds in which pixel, evaluated for a batch of strain fields."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scalebridge.micro.rve.phases.phase import Phase

# Upper triangle of a symmetric 3 x 3 tangent, the order in which it is stored per pixel.
TRIANGLE = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


class Composite:
    """Phases on a periodic image; fields are ``[b, c, ny, nx]``, components before pixels.

    Args:
        image: integer labels ``[ny, nx]``, each an index into ``materials``.
        materials: the laws.
        device: where the fields live.
    """

    def __init__(self, image: NDArray[np.int64], materials: Sequence[Phase], device: torch.device) -> None:
        self.shape = (int(image.shape[0]), int(image.shape[1]))
        self.device = device
        flat = image.ravel()
        self.pixels = [(m, torch.as_tensor(np.flatnonzero(flat == k), device=device)) for k, m in enumerate(materials)]
        self.pixels = [(m, index) for m, index in self.pixels if len(index)]

    @property
    def linear(self) -> bool:
        """Whether every phase that is present is linear."""
        return all(m.linear for m, _ in self.pixels)

    def stress(self, strain: Tensor, out: Tensor) -> Tensor:
        """Write the stress ``[b, 3, ny, nx]`` in Pa at ``strain [b, 3, ny, nx]`` to ``out``."""
        for material, index in self.pixels:
            values = material.stress(_gather(strain, index)).movedim(-1, 1)
            out.flatten(2).index_copy_(2, index, values.contiguous())
        return out

    def tangent(self, strain: Tensor, out: Tensor) -> Tensor:
        """Write the tangent in Pa at ``strain`` to ``out [b, 6, ny, nx]``, in the order of TRIANGLE."""
        for material, index in self.pixels:
            full = material.tangent(_gather(strain, index))
            for slot, (i, j) in enumerate(TRIANGLE):
                out[:, slot].flatten(1).index_copy_(1, index, full[..., i, j].contiguous())
        return out

    def mean_energy(self, strain: Tensor) -> Tensor:
        """Mean energy density ``[b]`` in J/m^3."""
        pixels = strain.shape[-1] * strain.shape[-2]
        parts = [m.energy(_gather(strain, index)).sum(-1) for m, index in self.pixels]
        return torch.stack(parts).sum(0) / pixels

    def axial_stress(self, strain: Tensor) -> Tensor:
        """Out-of-plane stress ``[b, ny, nx]`` in Pa."""
        out = torch.zeros_like(strain[:, 0])
        for material, index in self.pixels:
            out.flatten(1).index_copy_(1, index, material.axial_stress(_gather(strain, index)))
        return out

    def initial_lame(self) -> list[tuple[float, float, int]]:
        """Lamé's constants of the isotropic part of each phase's tangent at zero strain, and its pixel count."""
        zero = torch.zeros((1, 3), dtype=torch.float64, device=self.device)
        found = []
        for material, index in self.pixels:
            c = material.tangent(zero)[0].tolist()
            area = (c[0][0] + c[1][1] + 2.0 * c[0][1]) / 4.0
            mu = ((c[0][0] + c[1][1] - 2.0 * c[0][1]) / 2.0 + c[2][2]) / 4.0
            found.append((area - mu, mu, len(index)))
        return found


def _gather(field: Tensor, index: Tensor) -> Tensor:
    """Strains ``[b, m, 3]`` at the pixels of one phase, a view with contiguous components."""
    # Plain indexing: index_select along the last axis takes fifteen times as long.
    return field.flatten(2)[:, :, index].movedim(1, -1)
