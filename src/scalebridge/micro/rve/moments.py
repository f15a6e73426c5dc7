"""What the derivative of an effective tangent needs of the fields: their second moments, part by part."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from scalebridge.micro.rve.composite import Composite, Part
from scalebridge.micro.rve.discretisations import make
from scalebridge.micro.rve.moduli import folded, triangle
from scalebridge.micro.rve.parametrised import CHUNK, Parametrised
from scalebridge.micro.rve.phases.phase import HistoryPhase, Phase


class Strains:
    """Measures of one row from fluctuations, in one work array.

    Args:
        composite: laws on the grid.
        discretisation: its name.
    """

    def __init__(self, composite: Composite, discretisation: str) -> None:
        kin, grid = composite.kinematics, composite.grid
        self._discrete = make(discretisation, grid, 1, kin.unknowns, composite.device, composite.dtype)
        like = torch.zeros((), dtype=composite.dtype, device=composite.device)
        self._gradient = like.new_zeros((1, self._discrete.points, kin.unknowns, grid.dim, *grid.shape))
        self._strain = like.new_zeros((1, self._discrete.points, kin.size, *grid.shape))
        self._kinematics = kin

    def of(self, fluctuation: Tensor, macro: Tensor) -> Tensor:
        """Return the measure ``[1, Q, g, *grid]`` of ``fluctuation [c, *grid]`` and ``macro [g]``, until the next."""
        self._discrete.gradient(fluctuation[None].contiguous(), self._gradient)
        return self._kinematics.measure(self._gradient, macro[None], self._strain)


class Moments:
    """Means over the composite of products of two measures, kept as far as the laws can tell voxels apart.

    With ``S = sum of w a b^T`` the derivative of ``sum of w <a . C b>`` by the constants of the laws is that of
    ``<S : C>``: a matrix per part where its law is uniform, so that no graph has the size of the grid.

    Args:
        composite: laws on the grid.
        parametrised: what it was made from.
    """

    def __init__(self, composite: Composite, parametrised: Parametrised) -> None:
        self._composite, self._g, self._parametrised = composite, composite.kinematics.size, parametrised
        self._uniform = [len(rest_tangent(p, composite)) == 1 and not parametrised.turns(p) for p in composite.parts]
        sizes = [1 if u else len(p.index) for u, p in zip(self._uniform, composite.parts, strict=True)]
        like = torch.zeros((), dtype=torch.float64, device=composite.device)
        self._second = [like.new_zeros((n, len(triangle(self._g)))) for n in sizes]
        self._first = [like.new_zeros((n, self._g)) for n in sizes]

    def add(self, weight: float, a: Tensor, b: Tensor) -> None:
        """Add ``weight <a b^T>`` of measures ``[1, Q, g, *grid]``."""
        for slot, part in enumerate(self._composite.parts):
            left, right = _gathered(a, part.index), _gathered(b, part.index)
            share = weight / (len(left) * self._composite.grid.voxels)
            if self._uniform[slot]:
                product = (left.double() @ right.double().mT).sum(0)
                # Each entry off the diagonal stands for itself and its mirror image.
                both = product + product.mT
                both.diagonal().mul_(0.5)
                self._second[slot][0] += share * folded(both)
                continue
            for column, (i, j) in enumerate(triangle(self._g)):
                entry = (left[:, i] * right[:, j]).sum(0, dtype=torch.float64)
                if i != j:
                    entry += (left[:, j] * right[:, i]).sum(0, dtype=torch.float64)
                self._second[slot][:, column] += share * entry

    def add_first(self, a: Tensor) -> None:
        """Add ``<a>`` of a measure ``[1, Q, g, *grid]``."""
        for slot, part in enumerate(self._composite.parts):
            mean = _gathered(a, part.index).sum(0, dtype=torch.float64).mT / (a.shape[1] * self._composite.grid.voxels)
            self._first[slot] += mean.sum(0, keepdim=True) if self._uniform[slot] else mean

    def gradients(self, wanted: Sequence[str], thermal: bool = False) -> dict[str, Tensor]:
        """Return the gradient of ``<S : C>``, with ``thermal`` plus ``<first . thermal stress>``, by ``wanted``."""
        from scalebridge.micro.rve.expansion import thermal_stress

        into = self._parametrised.zeros(wanted)
        for slot, part in enumerate(self._composite.parts):
            rows = part.index[:1] if self._uniform[slot] else part.index
            start = 0
            for piece in self._parametrised.pieces(Part(part.law, rows), wanted, CHUNK):
                cut = slice(start, start + len(piece.rows))
                start = cut.stop
                # A custom backward runs without a graph.
                with torch.enable_grad():
                    c = rest_tangent(Part(piece.law, piece.rows), self._composite)
                    value = (self._second[slot][cut] * folded(c)).sum()
                    if thermal:
                        value = value + (self._first[slot][cut] * thermal_stress(piece.law, c)).sum()
                self._parametrised.collect(value, piece, into)
        return into


def rest_tangent(part: Part, composite: Composite) -> Tensor:
    """Tangent at rest ``[1 or m, g, g]`` of a part, float64."""
    rest = torch.tensor(composite.kinematics.rest, dtype=torch.float64, device=composite.device)[None]
    law = part.law
    if isinstance(law, HistoryPhase):
        return law.advance(rest, rest.new_tensor(law.state0())[None], 0.0).tangent
    assert isinstance(law, Phase)
    return law.tangent(rest)


def _gathered(field: Tensor, index: Tensor) -> Tensor:
    """Measures ``[Q, g, m]`` of one row ``[1, Q, g, *grid]`` at the voxels of a part."""
    return field[0].flatten(2)[..., index]
