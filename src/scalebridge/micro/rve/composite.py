"""Which law holds in which voxel, evaluated for a batch of fields."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from scalebridge.micro.rve.driving import Driving
from scalebridge.micro.rve.grid import Grid
from scalebridge.micro.rve.kinematics import Kinematics
from scalebridge.micro.rve.moduli import LabelModuli, Moduli, PointModuli, folded
from scalebridge.micro.rve.phases.phase import HistoryPhase, Phase

ISOTROPY = 1e-13


@dataclass(frozen=True)
class Part:
    """Voxels that share a law, whose constants may be per voxel.

    Args:
        law: in the dimension of the grid.
        index: ``[m]``, flat indices of its voxels.
    """

    law: Phase | HistoryPhase
    index: Tensor


@dataclass(frozen=True)
class Memory:
    """Internal variables at the beginning of a step.

    Args:
        states: per part, ``[b, Q, m, s]``; ``None`` for a law without memory.
        dt: length of the step in s.
    """

    states: tuple[Tensor | None, ...]
    dt: float


class Composite:
    """Laws on a periodic grid; fields are ``[b, Q, g, *grid]``, components before voxels.

    Args:
        grid: the voxels.
        kinematics: what the laws take.
        parts: every voxel in exactly one of them.
        device: where the fields live.
        dtype: of the fields.
    """

    def __init__(
        self, grid: Grid, kinematics: Kinematics, parts: Sequence[Part], device: torch.device, dtype: torch.dtype
    ) -> None:
        self.grid, self.kinematics, self.device, self.dtype = grid, kinematics, device, dtype
        self.parts = [p for p in parts if len(p.index)]
        made = Driving(grid, [p.law for p in self.parts], [p.index for p in self.parts], device, dtype)
        self._driving = made if made.slots else None

    @property
    def linear(self) -> bool:
        """Whether every law is linear."""
        return all(isinstance(p.law, Phase) and p.law.linear for p in self.parts)

    @property
    def remembers(self) -> bool:
        """Whether a law has memory."""
        return any(isinstance(p.law, HistoryPhase) for p in self.parts)

    @property
    def softens(self) -> bool:
        """Whether a law is driven by an averaged strain; the tangent is then the one at that strain held fixed."""
        return self._driving is not None

    def memory0(self, b: int, points: int, dt: float = 0.0) -> Memory:
        """Return the memory of the virgin material for ``b`` rows and ``points`` per voxel."""
        return Memory(tuple(self._state0(p, b, points) for p in self.parts), dt)

    def stress(self, measure: Tensor, out: Tensor, memory: Memory | None = None) -> Tensor:
        """Write the stress at ``measure [b, Q, g, *grid]`` to ``out``."""
        memory = self._driven(measure, memory)
        for slot, part in enumerate(self.parts):
            local = self._gather(measure, part.index)
            if isinstance(part.law, HistoryPhase):
                state, dt = _recall(memory, slot)
                values = part.law.advance(local, state, dt).stress
            else:
                values = part.law.stress(local)
            self._scatter(values, part.index, out)
        return out

    def advanced(self, measure: Tensor, memory: Memory) -> Memory:
        """Return the memory at the end of the step that leads to ``measure``."""
        memory = self._driven(measure, memory) or memory
        states: list[Tensor | None] = []
        for slot, part in enumerate(self.parts):
            if isinstance(part.law, HistoryPhase):
                state, dt = _recall(memory, slot)
                states.append(part.law.advance(self._gather(measure, part.index), state, dt).state)
            else:
                states.append(None)
        return Memory(tuple(states), memory.dt)

    def tangent(self, measure: Tensor, memory: Memory | None = None) -> Moduli:
        """Tangent at ``measure``: per label where all laws are linear and uniform, else per point."""
        if (uniform := self.label_moduli) is not None:
            return uniform
        memory = self._driven(measure, memory)
        b, q = (1, 1) if self.linear else measure.shape[:2]
        entries = self.kinematics.size * (self.kinematics.size + 1) // 2
        field = measure.new_zeros((b, q, entries, *self.grid.shape))
        for slot, part in enumerate(self.parts):
            local = self._gather(measure[:b, :q], part.index)
            if isinstance(part.law, HistoryPhase):
                state, dt = _recall(memory, slot)
                full = part.law.advance(local, state, dt).tangent
            else:
                full = part.law.tangent(local)
            self._scatter(folded(full), part.index, field)
        return PointModuli(field)

    def kept_stiffness(self, measure: Tensor, memory: Memory) -> float:
        """Smallest share of its stiffness that a softening point keeps over the step that leads to ``measure``."""
        driven, least = self._driven(measure, memory), 1.0
        for slot in () if self._driving is None else self._driving.slots:
            part, local = self.parts[slot], self._gather(measure, self.parts[slot].index)
            sizes = []
            for held in (memory, driven):
                state, dt = _recall(held, slot)
                tangent = part.law.advance(local, state, dt).tangent  # type: ignore[union-attr]
                sizes.append(tangent.diagonal(dim1=-2, dim2=-1).sum(-1))
            least = min(least, float((sizes[1] / sizes[0]).min()))
        return least

    def mean_energy(self, measure: Tensor) -> Tensor:
        """Mean energy density ``[b]`` in J/m^3, of laws without memory."""
        points = measure.shape[1] * self.grid.voxels
        parts = [
            p.law.energy(self._gather(measure, p.index)).flatten(1).sum(1, dtype=torch.float64)
            for p in self.parts
            if isinstance(p.law, Phase)
        ]
        return torch.stack(parts).sum(0) / points

    def axial_stress(self, measure: Tensor, memory: Memory | None = None) -> Tensor | None:
        """Out-of-plane stress ``[b, Q, *grid]`` of plane laws at the end of the step; ``None`` in space."""
        if not all(hasattr(p.law, "axial_stress") for p in self.parts):
            return None
        memory = self._driven(measure, memory)
        out = torch.zeros_like(measure[:, :, :1])
        for slot, part in enumerate(self.parts):
            law: Any = part.law
            step = _recall(memory, slot) if isinstance(law, HistoryPhase) else ()
            values: Tensor = law.axial_stress(self._gather(measure, part.index), *step)
            self._scatter(values[..., None], part.index, out)
        return out[:, :, 0]

    def tangent_at_rest(self) -> list[tuple[Tensor, int]]:
        """Tangent ``[g, g]`` of each part at rest, its mean over the voxels of the part, and their number."""
        found = []
        for part in self.parts:
            rest = torch.tensor(self.kinematics.rest, dtype=torch.float64, device=self.device)
            # One point: constants per voxel broadcast against it.
            local = rest.view(1, 1, 1, -1)
            if isinstance(part.law, HistoryPhase):
                state = local.new_tensor(part.law.state0()).view(1, 1, 1, -1)
                full = part.law.advance(local, state, 0.0).tangent
            else:
                full = part.law.tangent(local)
            found.append((full.detach().double().flatten(0, -3).mean(0), len(part.index)))
        return found

    @functools.cached_property
    def label_moduli(self) -> LabelModuli | None:
        """Tangents in a table of float64, one per law and one per voxel of a law with constants per voxel.

        ``None`` where a law is not linear, or where most voxels would have an entry of their own.
        """
        if not self.linear:
            return None
        rest = torch.tensor(self.kinematics.rest, dtype=torch.float64, device=self.device)
        labels = torch.zeros(self.grid.voxels, dtype=torch.int32, device=self.device)
        rows: list[Tensor] = []
        count = 0
        for part in self.parts:
            full = part.law.tangent(rest.expand(1, -1)).detach()  # type: ignore[union-attr]
            rows.append(full.reshape(-1, *full.shape[-2:]))
            own = len(rows[-1])
            labels[part.index] = count if own == 1 else torch.arange(count, count + own, device=self.device).int()
            count += own
            if count > max(len(self.parts), self.grid.voxels // 4):
                return None
        table = torch.cat(rows)
        labels = labels.to(torch.uint8) if count < 256 else labels
        return LabelModuli(labels.view(self.grid.shape), folded(table), self._lame(table), self.grid.dim)

    def _driven(self, measure: Tensor, memory: Memory | None) -> Memory | None:
        """Return the memory with the averaged strain at ``measure`` written into it; the one given stays as it is."""
        if self._driving is None or memory is None:
            return memory
        local = {}
        for slot in self._driving.slots:
            part, (state, dt) = self.parts[slot], _recall(memory, slot)
            end = part.law.advance(self._gather(measure, part.index), state, dt)  # type: ignore[union-attr]
            local[slot] = self._driving.local(slot, end.state)
        states = list(memory.states)
        for slot, strain in self._driving.average(local).items():
            states[slot] = self._driving.written(slot, _recall(memory, slot)[0], strain)
        return Memory(tuple(states), memory.dt)

    def _lame(self, table: Tensor) -> Tensor | None:
        """Lamé's constants ``[p, 2]`` where every tangent is isotropic."""
        if self.kinematics.kind == "finite strain" or len(table) > 255:
            return None
        found = []
        for full in table:
            lam, mu = self.kinematics.isotropic_part(full)
            if bool(
                (full - self.kinematics.isotropic_tangent(lam, mu, full)).abs().max() > ISOTROPY * full.abs().max()
            ):
                return None
            found.append([lam, mu])
        return table.new_tensor(found)

    def _state0(self, part: Part, b: int, points: int) -> Tensor | None:
        if not isinstance(part.law, HistoryPhase):
            return None
        virgin = torch.tensor(part.law.state0(), dtype=self.dtype, device=self.device)
        return virgin.expand(b, points, len(part.index), -1)

    def _gather(self, field: Tensor, index: Tensor) -> Tensor:
        """Measures ``[b, Q, m, g]`` at the voxels of one part, a view with contiguous components."""
        flat = field.flatten(3)
        if len(index) == self.grid.voxels:
            return flat.movedim(2, -1)
        # Plain indexing: index_select along the last axis takes fifteen times as long.
        return flat[..., index].movedim(2, -1)

    def _scatter(self, values: Tensor, index: Tensor, out: Tensor) -> None:
        """Write values ``[b, Q, m, g]`` to the voxels of one part of ``out [b, Q, g, *grid]``."""
        flat, columns = out.flatten(3), values.movedim(-1, 2)
        if len(index) == self.grid.voxels:
            flat.copy_(columns)
        else:
            flat[..., index] = columns


def _recall(memory: Memory | None, slot: int) -> tuple[Tensor, float]:
    assert memory is not None, "a law with memory is evaluated without one"
    state = memory.states[slot]
    assert state is not None
    return state, memory.dt
