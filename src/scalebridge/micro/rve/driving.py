"""Laws driven by an averaged strain (damage with a length), as laws with memory that any wrapper takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from scalebridge.micro.rve.averaging import HelmholtzAverage
from scalebridge.micro.rve.phases.damage import NonlocalPhase
from scalebridge.micro.rve.phases.phase import Advance, HistoryPhase, Kinematics, Parameter

if TYPE_CHECKING:
    from scalebridge.micro.rve.grid import Grid


@dataclass(frozen=True, eq=False, slots=True)
class Driven:
    """A `NonlocalPhase` as a law with memory; two numbers follow the law's own in its state.

    The first, *driving*, is the averaged strain that holds throughout `advance`: the solver writes it. The second,
    *local*, is the local strain to average, which `advance` writes. Wrappers (plane, oriented) pass both on, so that
    the local strain is always that of space.

    Args:
        law: the law.
        length: of its average, in the unit of the grid's spacing.
    """

    law: NonlocalPhase
    length: float

    @property
    def name(self) -> str:
        """The law's name."""
        return self.law.name

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The law's constants."""
        return self.law.parameters

    @property
    def kinematics(self) -> Kinematics:
        """The law's."""
        return self.law.kinematics

    @property
    def state_size(self) -> int:
        """Internal variables per point: the law's and two."""
        return self.law.state_size + 2

    def state0(self) -> tuple[float, ...]:
        """Internal variables of the virgin material, driven by nothing."""
        return (*self.law.state0(), 0.0, 0.0)

    def advance(self, measure: Tensor, state: Tensor, dt: float) -> Advance:
        """Stress, tangent at fixed driving strain, and state at the end of a step."""
        own, driving = state[..., :-2], state[..., -2]
        end = self.law.advance_nonlocal(measure, driving, own, dt)
        local = self.law.equivalent(measure)
        new = [end.state.expand(*local.shape, -1), driving.expand_as(local)[..., None], local[..., None]]
        return Advance(end.stress, end.tangent, torch.cat(new, -1))


def driven(law: Any, unit: float) -> Any:
    """Return ``law`` driven by its average where it is a `NonlocalPhase`; ``unit`` of the grid's spacing is in m."""
    nonlocal_law = isinstance(law, NonlocalPhase) and not isinstance(law, HistoryPhase)
    return Driven(law, float(law.length) / unit) if nonlocal_law else law


@dataclass(frozen=True)
class _Place:
    """Where the driven law of one part keeps its numbers: which part, which voxels, which column."""

    slot: int
    index: Tensor
    column: int
    length: float


class Driving:
    """The averaged strain of every driven part of a composite.

    The local strain is averaged over the voxels that soften alone: average of the strain with zero elsewhere, over the
    average of their indicator. A uniform strain stays what it is beside phases that do not soften, and the averaged
    strain stays within the range of the local one (Pijaudier-Cabot and Bazant 1987, equation 15).

    Args:
        grid: the voxels.
        laws: per part, its law, which may be a wrapper around a `Driven`.
        indices: per part, flat indices ``[m]`` of its voxels.
        device: where the fields live.
        dtype: of the fields.
    """

    def __init__(
        self, grid: Grid, laws: Sequence[Any], indices: Sequence[Tensor], device: torch.device, dtype: torch.dtype
    ) -> None:
        self._grid = grid
        self._places = [
            _Place(k, index, inner.law.state_size, inner.length)
            for k, (law, index) in enumerate(zip(laws, indices, strict=True))
            if (inner := driven_law(law)) is not None
        ]
        lengths = {place.length for place in self._places}
        self._averages = {length: HelmholtzAverage(grid, length, device, dtype) for length in lengths}
        softens = torch.zeros((1, grid.voxels), dtype=dtype, device=device)
        for place in self._places:
            softens[:, place.index] = 1.0
        shares = {length: average(softens.view(1, *grid.shape)) for length, average in self._averages.items()}
        self._shares = {length: share.flatten(1) for length, share in shares.items()}

    @property
    def slots(self) -> tuple[int, ...]:
        """Which parts are driven."""
        return tuple(place.slot for place in self._places)

    def local(self, slot: int, state: Tensor) -> Tensor:
        """Local strain ``[b, Q, m]`` in a state that `Driven.advance` gave."""
        return state[..., self._place(slot).column + 1]

    def average(self, local: dict[int, Tensor]) -> dict[int, Tensor]:
        """Averaged strain ``[b, 1, m]`` of each driven part, from the local ones ``[b, Q, m]``."""
        first = next(iter(local.values()))
        field = first.new_zeros((len(first), self._grid.voxels))
        for place in self._places:
            field[:, place.index] = local[place.slot].mean(1)
        spread = {
            length: average(field.view(-1, *self._grid.shape)).flatten(1) / self._shares[length]
            for length, average in self._averages.items()
        }
        return {place.slot: spread[place.length][:, place.index][:, None] for place in self._places}

    def written(self, slot: int, state: Tensor, strain: Tensor) -> Tensor:
        """Return a state ``[b, Q, m, s]`` driven by ``strain [b, 1, m]``; the one given stays as it is."""
        column = self._place(slot).column
        found = state.clone(memory_format=torch.contiguous_format)
        found[..., column] = strain
        return found

    def _place(self, slot: int) -> _Place:
        return next(place for place in self._places if place.slot == slot)


def driven_law(law: Any) -> Driven | None:
    """Return the driven law that plane and oriented laws are made from."""
    while law is not None and not isinstance(law, Driven):
        law = getattr(law, "law", None)
    return law
